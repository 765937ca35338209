//! URL patterns of rules: never a panic, and the index finds what comparing with every pattern finds.
#![no_main]

use gateway::testing::{MatchingStrategy, find_both_ways};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Vec<String>, bool, String)| {
    let (mut patterns, is_glob, url) = input;
    patterns.truncate(8);
    // Something that compiles, so that the index has something to tell apart.
    patterns.push(format!("{}<.*>", url.chars().take(4).filter(|it| !"<>".contains(*it)).collect::<String>()));
    let strategy = if is_glob { MatchingStrategy::Glob } else { MatchingStrategy::Regexp };
    if let Some([found, every]) = find_both_ways(&patterns, strategy, &url) {
        // Of more than two it is open which two are found: more than one is a refusal anyway.
        assert_eq!(found.len(), every.len().min(2), "{patterns:?} for {url:?}");
        assert!(found.iter().all(|position| every.contains(position)), "{patterns:?} for {url:?}");
    }
});
