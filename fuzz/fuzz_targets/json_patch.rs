//! JSON Patch (RFC 6902): applying never panics, and no document exceeds the depth limit of bodies.
#![no_main]

use base::json_patch::{PatchOperation, apply};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fuzz_target!(|text: &[u8]| {
    let Ok(patch) = web::Json::<Vec<PatchOperation>>::decode(text) else { return };
    let mut document = json!({ "client_name": "a", "metadata": { "a": { "b": [1, 2] } }, "redirect_uris": ["x"] });
    if apply(&mut document, &patch).is_err() {
        return;
    }
    let written = document.to_string();
    let read: Value = serde_json::from_str(&written).expect("written values can be parsed");
    assert_eq!(read.to_string(), written);
    assert!(!base::is_nested_too_deep(&document));
});
