//! What conditions read, and digests of it.

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::super::{Attributes, CompiledCondition, Root, evaluate};
use super::{condition, now, object};

fn reads(text: &str) -> String {
    condition(text).reads().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_items_of_a_list_share_their_defaults() {
    let object = object(Root::Context, json!({ "a": [1, 2, 3] }));
    assert!(std::ptr::eq(object.as_map(), object.clone().as_map()), "a copy for each of many items takes memory");
}

#[test]
fn a_condition_reads_the_attributes_in_its_text() {
    for (text, expected) in [
        ("true", ""),
        ("context.hour > 1 && context.hour < 3", "context.hour"),
        ("has(tuple.until) && subject.a.b == 1", "subject.a.b tuple.until"),
        ("context.a.b == 1 || context.a == null || context.ab == 1", "context.a context.ab"),
        ("resource.acl[subject.id] == 1", "subject.id resource.acl"),
        ("resource['acl'].x == 1 && resource.tags[0].y == 1", "resource.acl.x resource.tags"),
        ("'a' in context && context.b == 1", "context"),
        ("resource.items.all(i, i.price < context.max)", "resource.items context.max"),
        (
            "subject.a.matches('x') && !(size(action.name) == -subject.b ? true : subject.c)",
            "subject.a subject.b subject.c action.name",
        ),
    ] {
        assert_eq!(reads(text), expected, "{text}");
    }
    assert!(condition("[1].all(x, now > timestamp(x))").reads_now());
    assert!(!condition("context.now == 1").reads_now());
}

fn digest(condition: &CompiledCondition, context: &Json, now: base::Timestamp) -> [u8; 32] {
    let context = object(Root::Context, context.clone());
    condition.digest(&Attributes { context: Some(&context), ..Attributes::at(now) })
}

#[test]
fn a_digest_depends_on_what_is_read_alone() {
    let hour = condition("context.hour > 1");
    let same = [json!({"hour": 1}), json!({"hour": 1, "minute": 2}), json!({"minute": 3, "hour": 1.0})];
    let different = [
        json!({}),
        json!({"hour": null}),
        json!({"hour": "1"}),
        json!({"hour": 1.5}),
        json!({"hour": 2}),
        json!({"hour": [1]}),
    ];
    let expected = digest(&hour, &same[0], now());
    for context in same {
        assert_eq!(digest(&hour, &context, base::Timestamp::EPOCH), expected, "{context}");
    }
    let mut digests: Vec<_> = different.iter().map(|it| digest(&hour, it, now())).collect();
    digests.push(expected);
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), different.len() + 1);

    let whole = condition("size(context) == 2");
    assert_eq!(
        digest(&whole, &json!({"a": {"x": 1, "y": 2}, "b": 1}), now()),
        digest(&whole, &json!({"b": 1, "a": {"y": 2, "x": 1}}), now())
    );
    let timed = condition("now > timestamp(context.hour)");
    assert_ne!(digest(&timed, &json!({}), now()), digest(&timed, &json!({}), base::Timestamp::EPOCH));
}

#[test]
fn neighbouring_values_do_not_run_together() {
    let both = condition("context.a == context.b");
    let digests =
        [json!({"a": "xy", "b": ""}), json!({"a": "x", "b": "y"}), json!({"a": "", "b": "xy"}), json!({"b": "xy"})];
    let digests: std::collections::BTreeSet<_> = digests.iter().map(|it| digest(&both, it, now())).collect();
    assert_eq!(digests.len(), 4);
}

#[test]
fn the_level_where_a_path_ends_is_part_of_a_digest() {
    let path = condition("context.a.b.c == 1");
    let contexts = [
        json!({}),
        json!({"a": {}}),
        json!({"a": {"b": {}}}),
        json!({"a": 1}),
        json!({"a": {"b": 1}}),
        json!({"a": {"b": {"c": 1}}}),
        json!({"a": {"b": {"c": 2}}}),
        json!({"a": {"b": {"c": {}}}}),
    ];
    let digests: std::collections::BTreeSet<_> = contexts.iter().map(|it| digest(&path, it, now())).collect();
    assert_eq!(digests.len(), contexts.len());
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-3_i64..4).prop_map(Json::from),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Json::from),
        (-9e15..9e15).prop_map(Json::from),
        "[ab]{0,2}".prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::vec(("[abc]", inner), 0..4).prop_map(|it| Json::Object(Map::from_iter(it))),
        ]
    })
}

const TEXTS: [&str; 8] = [
    "context.a == context.b",
    "context.a.b < 1 || context.c",
    "context.a.exists(x, x == 1) && context['b'].all(x, x.a)",
    "context.filter(x, x < 'b') == ['a'] || has(context.c.a)",
    "context.a in context.b ? context.c == 1 : context.a + context.c > 1",
    "context.a[0] == context.b[context.c]",
    "string(context.a) == 'a' || int(context.b) > 0 || size(context.c) > 1",
    "context.a.map(x, [x, x]).map(x, x[1]) == context.a",
];

proptest! {
    #[test]
    fn equal_digests_have_equal_results(a in any_json(), b in any_json(), c in any_json(), extra in any_json()) {
        let context = object(Root::Context, json!({"a": a.clone(), "b": b.clone(), "c": c.clone()}));
        let other = object(Root::Context, json!({"c": c, "b": b, "a": a}));
        let subject = object(Root::Subject, json!({"a": extra}));
        let one = Attributes { context: Some(&context), ..Attributes::at(now()) };
        let other = Attributes { context: Some(&other), subject: Some(&subject), ..Attributes::at(base::Timestamp::EPOCH) };
        for text in TEXTS {
            let condition = condition(text);
            prop_assert_eq!(condition.digest(&one), condition.digest(&other), "{}", text);
            prop_assert_eq!(evaluate(&condition, &one), evaluate(&condition, &other), "{}", text);
        }
    }
}
