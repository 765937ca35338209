//! Documents of access rules, JSON or YAML: never a panic, never without an end.
#![no_main]

use gateway::testing::{MatchingStrategy, read_rules};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &str| {
    let regexp = read_rules(document, MatchingStrategy::Regexp);
    let glob = read_rules(document, MatchingStrategy::Glob);
    assert_eq!(regexp, glob, "how many rules there are is no question of how they match");
});
