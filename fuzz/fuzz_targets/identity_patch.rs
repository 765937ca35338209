//! JSON Patch on identities (RFC 6902): never a panic, what is denied stays, and nothing gets deeper than a body may be.
#![no_main]

use identity::domain::json_patch::{Operation, apply};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fuzz_target!(|text: &[u8]| {
    let Ok(operations) = web::Json::<Vec<Operation>>::decode(text) else { return };
    let before = json!({ "id": 1, "credentials": { "oidc": [1], "password": {} }, "traits": { "emails": ["a", "b"] } });
    let mut document = before.clone();
    if apply(&mut document, &operations, &["/id", "/credentials", "/credentials/oidc/**"]).is_ok() {
        assert_eq!(document["id"], before["id"]);
        assert_eq!(document["credentials"]["oidc"], before["credentials"]["oidc"]);
        assert!(!base::is_nested_too_deep(&document));
        let written = document.to_string();
        assert!(serde_json::from_str::<Value>(&written).is_ok());
    }
});
