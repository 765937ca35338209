//! URL patterns of rules: matching never panics, and the index finds the same patterns as a comparison with each of them.
#![no_main]

use gateway::testing::{MatchingStrategy, find_both_ways};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Vec<String>, bool, String)| {
    let (mut patterns, is_glob, url) = input;
    patterns.truncate(8);
    // A pattern that always compiles, so that the index has several to distinguish.
    patterns.push(format!("{}<.*>", url.chars().take(4).filter(|it| !"<>".contains(*it)).collect::<String>()));
    let strategy = if is_glob { MatchingStrategy::Glob } else { MatchingStrategy::Regexp };
    if let Some([found, every]) = find_both_ways(&patterns, strategy, &url) {
        // With more than two matches any two may be found, because more than one is refused.
        assert_eq!(found.len(), every.len().min(2), "{patterns:?} for {url:?}");
        assert!(found.iter().all(|position| every.contains(position)), "{patterns:?} for {url:?}");
    }
});
