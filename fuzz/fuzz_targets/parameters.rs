//! Queries and forms (RFC 6749 appendix B): parsing never panics, and parsed parameters can be written and parsed again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oauth_types::{CodeChallenge, CodeVerifier, Parameters, PromptSet, ResponseTypes, ScopeSet};

fuzz_target!(|form: &[u8]| {
    let Ok(parameters) = Parameters::parse(form) else { return };
    let again = Parameters::parse(parameters.to_query().as_bytes()).expect("written values can be parsed");
    assert_eq!(again, parameters);
    for (_, value) in parameters.iter() {
        let _ = PromptSet::parse(value);
        let _ = ResponseTypes::parse(value);
        let _ = CodeChallenge::parse(value, Some("S256"));
        let scope = ScopeSet::parse(value);
        assert!(scope.is_subset_of(&scope));
        if let Ok(verifier) = CodeVerifier::parse(value) {
            assert!(verifier.challenge().is_proved_by(&verifier));
        }
    }
});
