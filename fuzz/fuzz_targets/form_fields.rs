//! Forms with dotted paths: decoding never panics and never nests too deep, and a value is at the path of its name.
#![no_main]

use identity::domain::form::{FieldKind, FieldRule, FieldRules, ItemKind, decode, leaves};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|fields: Vec<(String, String)>| {
    let rules = FieldRules::from(
        [
            ("traits.age", FieldKind::Integer),
            ("traits.height", FieldKind::Number),
            ("traits.news", FieldKind::Boolean),
            ("traits.tags", FieldKind::List(ItemKind::Text)),
            ("traits.email", FieldKind::Text),
        ]
        .map(|(name, kind)| (name.to_owned(), FieldRule { kind, required: name.len() % 2 == 0 })),
    );
    let Ok(members) = decode(&fields, &rules) else { return };
    let document = Value::Object(members);
    assert!(!base::is_nested_too_deep(&document));
    for (name, value) in leaves("", &document) {
        let is_sent =
            |sent: &str| name == format!(".{sent}") || value.is_array() && format!(".{sent}").starts_with(&name);
        assert!(
            fields.iter().any(|(sent, _)| is_sent(sent)) || value == Value::Object(serde_json::Map::new()),
            "{name}"
        );
    }
});
