//! Hostile conditions take bounded memory. Alone in its file, because it counts what the whole process allocates.

use std::alloc::System;

use base::Timestamp;
use permissions::domain::condition::{Attributes, CompiledCondition, ConditionError, Object, Root, evaluate};
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const LIMIT_BYTES: usize = 16 * 1024 * 1024;

#[test]
fn a_hostile_condition_allocates_little() {
    let subject = json!({"list": (0..4000).collect::<Vec<_>>()});
    let subject = Object::new(Root::Subject, subject).unwrap();
    let context = Object::new(Root::Context, json!({"text": "a".repeat(32_000)})).unwrap();
    let now = Timestamp::EPOCH;
    let attributes = Attributes { subject: Some(&subject), context: Some(&context), ..Attributes::at(now) };
    let expensive = Err(ConditionError::TooExpensive);
    for (text, expected) in [
        (format!("['ab']{}.size() > 0", ".map(x, x + x)".repeat(55)), &expensive),
        (format!("[[1]]{}.size() > 0", ".map(x, x + x)".repeat(55)), &expensive),
        (format!("[[1]]{}.size() > 0", ".map(x, [x, x])".repeat(55)), &Ok(true)),
        ("size(subject.list.map(x, context.text + context.text)) > 0".to_owned(), &expensive),
        ("size(subject.list.map(x, subject.list + subject.list)) > 0".to_owned(), &expensive),
        ("size(subject.list.map(x, subject.list.map(y, [x, y, x, y]))) > 0".to_owned(), &expensive),
        ("size(subject.list.map(x, subject.list.filter(y, true))) > 0".to_owned(), &expensive),
        ("size(subject.list.map(x, string(x) + string(now))) > 0".to_owned(), &Ok(true)),
        ("context.text.matches('(a{10}){10}')".to_owned(), &expensive),
    ] {
        let region = Region::new(ALLOCATOR);
        let condition = CompiledCondition::compile("hostile", &text).unwrap();
        let result = evaluate(&condition, &attributes);
        // Everything that was allocated, whether it was freed or not.
        let allocated = region.change().bytes_allocated;
        assert!(allocated <= LIMIT_BYTES, "{text}: {allocated} bytes");
        assert_eq!(&result, expected, "{text}");
    }
}
