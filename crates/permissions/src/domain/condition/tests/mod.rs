//! Conditions as a whole: results, errors, what they read, hostile input, and agreement with another implementation.

mod errors;
mod hostile;
mod numbers;
mod other_implementation;
mod reads;
mod results;

use serde_json::{Value as Json, json};

use super::{Attributes, CompiledCondition, ConditionError, Object, Root, evaluate};

/// 2026-11-22T10:20:30.250Z, a Sunday.
pub(super) fn now() -> base::Timestamp {
    base::Timestamp::from_unix_micros(1_795_342_830_250_000)
}

pub(super) fn condition(text: &str) -> CompiledCondition {
    CompiledCondition::compile("test", text).unwrap_or_else(|error| panic!("{text}: {} at {}", error, error.at))
}

pub(super) fn object(root: Root, value: Json) -> Object {
    Object::new(root, value).expect("within the bounds")
}

/// The result with attributes of every kind.
pub(super) fn result(text: &str) -> Result<bool, ConditionError> {
    let subject = object(
        Root::Subject,
        json!({"id": "alice", "role": "editor", "level": 3, "manager": null, "groups": ["a", "b"]}),
    );
    let resource = object(
        Root::Resource,
        json!({
            "id": "readme", "size": 10.5, "big": 9_007_199_254_740_991_i64, "acl": {"alice": ["read"], "bob": []},
            "items": [{"price": 3}, {"price": 5}, {}], "since": "2026-11-22T08:00:00Z"
        }),
    );
    let action = object(Root::Action, json!({"name": "read"}));
    let context = object(Root::Context, json!({"hour": 10, "été": true, "ip": "192.0.2.7"}));
    let tuple = object(Root::Tuple, json!({"until": "2026-12-01T00:00:00Z"}));
    let attributes = Attributes {
        now: now(),
        subject: Some(&subject),
        resource: Some(&resource),
        action: Some(&action),
        context: Some(&context),
        tuple: Some(&tuple),
    };
    evaluate(&condition(text), &attributes)
}
