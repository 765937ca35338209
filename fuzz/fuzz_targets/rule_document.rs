//! Documents of access rules, JSON or YAML: parsing never panics and always ends.
#![no_main]

use gateway::testing::{MatchingStrategy, read_rules};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &str| {
    let regexp = read_rules(document, MatchingStrategy::Regexp);
    let glob = read_rules(document, MatchingStrategy::Glob);
    assert_eq!(regexp, glob, "the matching strategy must not change the number of rules");
});
