//! Registered clients (RFC 7591 section 2): validation never panics, and an accepted client is accepted again, unchanged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oauth::domain::client::ClientMetadata;
use oauth::domain::client_validation::{ClientPolicy, validate};

fuzz_target!(|text: &[u8]| {
    let Ok(metadata) = web::Json::<ClientMetadata>::decode(text) else { return };
    let policy = ClientPolicy {
        default_scope: Vec::new(),
        pairwise_supported: true,
        jwt_access_tokens: false,
        disabled_grant_types: Vec::new(),
    };
    let Ok(accepted) = validate(metadata, &policy) else { return };
    let written = serde_json::to_string(&accepted).expect("JSON");
    let read: ClientMetadata = serde_json::from_str(&written).expect("written values can be parsed");
    let again = validate(read, &policy).expect("an accepted client is accepted again");
    assert_eq!(serde_json::to_string(&again).expect("JSON"), written);
});
