//! Content negotiation by `Accept` and `Content-Type` (RFC 9110 section 12.5.1): it never panics, and selects HTML unless JSON
//! is listed.
#![no_main]

use identity::domain::client_kind::Wants;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Option<&str>, Option<&str>)| {
    let (accept, content_type) = input;
    let strictly = Wants::strictly(accept);
    let names_json = accept.is_some_and(|accept| accept.to_ascii_lowercase().contains("application/"));
    let names_all = accept.is_some_and(|accept| accept.contains('*'));
    assert!(strictly == Wants::Html || names_json || names_all, "{accept:?}");
    if content_type == Some("application/json") {
        assert!(Wants::loosely(accept, content_type) == Wants::Json);
    } else {
        let _ = Wants::loosely(accept, content_type);
    }
});
