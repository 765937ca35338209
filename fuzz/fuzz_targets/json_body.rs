//! JSON bodies: decoding never panics, and an accepted body is within the depth limit and contains no U+0000.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fn holds_zero(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_zero),
        Value::Object(members) => members.iter().any(|(name, member)| name.contains('\0') || holds_zero(member)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fuzz_target!(|body: &[u8]| {
    let taken = web::Json::<Value>::decode(body);
    let plain = serde_json::from_slice::<Value>(body);
    match (taken, plain) {
        (Ok(value), plain) => {
            assert!(!holds_zero(&value) && !base::is_nested_too_deep(&value));
            assert_eq!(plain.expect("it is JSON"), value);
        }
        (Err(_), Ok(value)) => assert!(holds_zero(&value) || base::is_nested_too_deep(&value), "refused: {value}"),
        (Err(_), Err(_)) => {}
    }
});
