//! Client authentication from a header and a form (RFC 6749 section 2.3): it never panics, and never accepts two methods at
//! once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oauth_types::{ClientCredentials, Parameters};

fuzz_target!(|input: (Option<String>, Vec<u8>)| {
    let (authorization, form) = input;
    let Ok(form) = Parameters::parse(&form) else { return };
    let Ok(credentials) = ClientCredentials::read(authorization.as_deref(), &form) else { return };
    if matches!(credentials, ClientCredentials::Basic { .. }) {
        assert!(form.get("client_secret").is_none() && form.get("client_assertion").is_none());
    }
});
