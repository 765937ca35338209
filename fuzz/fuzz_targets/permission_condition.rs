//! Conditions of the permission model: compiling and evaluating never panics and always ends, and the result depends on nothing
//! but what the digest covers.
//!
//! The input is an expression, the attributes as JSON, and the time in microseconds, with a line `---` between them.
#![no_main]

use base::Timestamp;
use libfuzzer_sys::fuzz_target;
use permissions::domain::condition::{Attributes, CompiledCondition, Object, Root, evaluate};

fuzz_target!(|input: &str| {
    let mut parts = input.splitn(3, "\n---\n");
    let text = parts.next().unwrap_or_default();
    let json = parts.next().unwrap_or("{}");
    let now = parts.next().and_then(|now| now.trim().parse().ok()).unwrap_or_default();
    let condition = match CompiledCondition::compile("fuzz", text) {
        Ok(condition) => condition,
        Err(error) => {
            assert!(error.at <= text.len() && text.is_char_boundary(error.at), "the offset is a place in the text");
            return;
        }
    };
    let Ok(json) = serde_json::from_str::<serde_json::Value>(json) else { return };
    let Ok(object) = Object::new(Root::Context, json) else { return };
    let context = Some(&object);
    let all = Attributes {
        subject: context,
        resource: context,
        action: context,
        context,
        tuple: context,
        now: Timestamp::from_unix_micros(now),
    };
    let result = evaluate(&condition, &all);
    assert_eq!(evaluate(&condition, &all), result);

    // Without what it does not read.
    let reads = |root| condition.reads().iter().any(|read| read.root == root);
    let read = Attributes {
        subject: context.filter(|_| reads(Root::Subject)),
        resource: context.filter(|_| reads(Root::Resource)),
        action: context.filter(|_| reads(Root::Action)),
        context: context.filter(|_| reads(Root::Context)),
        tuple: context.filter(|_| reads(Root::Tuple)),
        now: if condition.reads_now() { all.now } else { Timestamp::EPOCH },
    };
    assert_eq!(condition.digest(&read), condition.digest(&all));
    assert_eq!(evaluate(&condition, &read), result);
});
