//! Identity schemas and traits: validation never panics, and valid traits are valid again.
#![no_main]

use std::collections::HashMap;

use identity::domain::TraitsSchema;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

/// A schema with identifiers and addresses, for inputs without a schema.
fn usual() -> Value {
    let keyword = json!({
        "credentials": { "password": { "identifier": true }, "code": { "identifier": true, "via": "email" } },
        "verification": { "via": "email" },
        "recovery": { "via": "email" },
    });
    json!({
        "type": "object",
        "properties": { "traits": {
            "type": "object",
            "properties": {
                "email": { "type": "string", "format": "email", "ory.sh/kratos": keyword },
                "phone": { "type": "string", "format": "tel", "ory.sh/kratos": { "verification": { "via": "sms" } } },
                "names": { "type": "array", "items": { "type": "string", "pattern": "^(a+)+$" } },
            },
        } },
    })
}

fuzz_target!(|input: (&str, &str)| {
    let (schema, traits) = input;
    let schema = serde_json::from_str(schema).unwrap_or_else(|_| usual());
    let Ok(schema) = TraitsSchema::compile("default", schema, &HashMap::new()) else { return };
    let _ = schema.fields();
    let _ = schema.kinds().count();
    let Ok(mut traits) = serde_json::from_str::<Value>(traits) else { return };
    if let Ok(derived) = schema.validate(&mut traits) {
        assert_eq!(schema.validate(&mut traits), Ok(derived), "{traits}");
    }
});
