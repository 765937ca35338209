//! JSON Patch on clients (RFC 6902): never a panic, and nothing gets deeper than a body may be.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oauth::domain::json_patch::{PatchOperation, apply};
use serde_json::{Value, json};

fuzz_target!(|text: &[u8]| {
    let Ok(patch) = web::Json::<Vec<PatchOperation>>::decode(text) else { return };
    let document = json!({ "client_name": "a", "metadata": { "a": { "b": [1, 2] } }, "redirect_uris": ["x"] });
    let Ok(patched) = apply(document, &patch) else { return };
    let written = patched.to_string();
    let read: Value = serde_json::from_str(&written).expect("what we write we can read");
    assert_eq!(read.to_string(), written);
    assert!(!base::is_nested_too_deep(&patched));
});
