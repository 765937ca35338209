//! Errors of texts, attributes and evaluations.

use serde_json::json;

use super::super::{
    AttributesError, CompiledCondition, ConditionError, MAX_ATTRIBUTES_BYTES, MAX_ATTRIBUTES_DEPTH, Object, Root,
};
use super::{condition, object, result};

#[test]
fn an_error_in_the_text_has_its_offset() {
    for (text, at, message) in [
        ("", 0, "expected a value, found the end of the condition"),
        ("subject.role = 'a'", 13, "unexpected character '='"),
        ("'é' == subjekt.role", 8, "`subjekt` is not declared"),
        ("x == 1", 0, "a condition reads subject, resource, action, context, tuple and now"),
        ("[1].all(x, x > 0) && x == 1", 21, "`x` is not declared"),
        ("(1 == 1", 7, "expected `)`, found the end"),
        ("1 == 1)", 6, "expected an operator or the end, found `)`"),
        ("subject.role subject", 13, "found `subject`"),
        ("subject.", 8, "expected a name"),
        ("random() > 1", 0, "there is no function `random` with 0 arguments"),
        ("'a'.repeat(1000000)", 3, "there is no method `repeat` with 1 arguments"),
        ("size('a', 'b') == 1", 0, "there is no function `size` with 2 arguments"),
        ("has(subject)", 4, "`has` takes an attribute"),
        ("[1].all(now, true)", 8, "`now` is declared already"),
        ("'a'.matches(context.pattern)", 12, "`matches` takes a string literal"),
        ("'a'.matches('(')", 12, "not a regular expression: unclosed group"),
        ("'a'.matches('(a{100}){100}{100}')", 12, "the regular expression is too large"),
        ("{'a': 1}['a'] == 1", 0, "map literals are not supported"),
        ("b'a' == b'a'", 0, "strings with the prefix `b` are not supported"),
        ("9223372036854775808 > 0", 0, "write a `u` after it"),
        ("'a", 0, "the string does not end"),
        (r"'\d'", 1, "unknown escape sequence"),
        ("subject.?role == 1", 8, "expected a name, found `?`"),
        ("1 < 2 ? true", 12, "expected `:`"),
    ] {
        let error = CompiledCondition::compile("test", text).expect_err(text);
        assert!(error.at == at && error.message.contains(message), "{text}: {error} at {}", error.at);
    }
}

#[test]
fn a_missing_attribute_is_named() {
    for (text, name) in [
        ("context.minute > 1", "context.minute"),
        ("context.day.of.week == 1", "context.day"),
        ("has(context.day.of)", "context.day"),
        ("subject['a b'] == 1", "subject[\"a b\"]"),
        ("subject.groups[2] == 'c'", "subject.groups[2]"),
        ("subject.groups[-1] == 'c'", "subject.groups[-1]"),
        ("resource.acl[action.name] == []", "resource.acl[action.name]"),
        ("resource.items.all(i, i.price > 0)", "resource.items[].price"),
        ("context.minute > 1 || false", "context.minute"),
        // Errors of other kinds do not hide that an attribute is missing.
        ("1 / 0 == 1 || context.minute > 1", "context.minute"),
        ("'a' < 1 && context.minute > 1 && true", "context.minute"),
    ] {
        assert_eq!(result(text), Err(ConditionError::Missing(name.to_owned())), "{text}");
    }
    let attributes = super::Attributes::at(super::now());
    assert_eq!(super::evaluate(&condition("has(tuple.until)"), &attributes), Ok(false));
    let error = super::evaluate(&condition("tuple.until == 1"), &attributes).expect_err("it is missing");
    assert_eq!(error.to_string(), "tuple.until is missing");
}

#[test]
fn an_operation_that_has_no_result_is_an_error() {
    for (text, message) in [
        ("1", "the condition results in a value of the type int; it must result in a bool"),
        ("subject.role", "the condition results in a value of the type string; it must result in a bool"),
        ("subject.role && true", "expected a bool, found a value of the type string"),
        ("!subject.role", "expected a bool, found a value of the type string"),
        ("subject.role < 1", "`<` does not accept string and int"),
        ("subject.level + 1.0 > 1", "`+` does not accept int and double"),
        ("1 in 'a'", "`in` does not accept int and string"),
        ("null in resource.acl", "`in` does not accept null and map"),
        ("subject.manager.name == 'bob'", "subject.manager is of the type null and has no `name`"),
        ("subject.level.all(x, true)", "a value of the type int has no elements"),
        ("subject.level[0] == 1", "a value of the type int has no index of the type int"),
        ("subject.level.matches('a')", "`matches` searches a string, not a value of the type int"),
        ("size(1) == 1", "the function does not accept (int)"),
        ("'a'.contains(1)", "the function does not accept (string, int)"),
        ("'a'.getHours() == 1", "the function does not accept (string)"),
        ("duration('1h').getDate() == 1", "the function does not accept (duration)"),
        ("1 / 0 == 1", "division by zero"),
        ("1 % 0 == 1", "division by zero"),
        ("0.0 / 0.0 <= 1.0", "NaN has no order"),
        ("9223372036854775807 + 1 > 0", "the result is out of range"),
        ("-(-9223372036854775807 - 1) > 0", "the result is out of range"),
        ("(-9223372036854775807 - 1) / -1 > 0", "the result is out of range"),
        ("1u - 2u == 0u", "the result is out of range"),
        ("now + duration('100000000h') > now", "the result is out of range"),
        ("int(1e30) == 1", "not an int"),
        ("uint(-1) == 1u", "not an uint"),
        ("int('x') == 1", "not an int"),
        ("double('x') == 1.0", "not a double"),
        ("timestamp('tomorrow') > now", "not a timestamp"),
        ("timestamp(999999999999) > now", "not a timestamp"),
        ("timestamp(253402300800) > now", "not a timestamp"),
        ("timestamp(-62135596801) < now", "not a timestamp"),
        ("timestamp(-9223372036854775807) < now", "not a timestamp"),
        ("timestamp('0000-01-01T00:00:00Z') < now", "not a timestamp"),
        ("timestamp('0000-12-31T23:59:59.999999999Z') < now", "not a timestamp"),
        ("timestamp('0001-01-01T00:00:00+00:01') < now", "not a timestamp"),
        ("timestamp('9999-12-31T23:59:59-00:01') > now", "not a timestamp"),
        ("timestamp('9999-12-31T23:59:60Z') > now", "not a timestamp"),
        ("timestamp('2016-12-31T23:59:60Z') < now", "not a timestamp"),
        ("timestamp('2017-01-01T00:59:60.5+01:00') < now", "not a timestamp"),
        ("timestamp('0001-01-01T00:00:00Z') - duration('1us') < now", "the result is out of range"),
        ("timestamp('9999-12-31T23:59:59Z') + duration('1s') > now", "the result is out of range"),
        ("duration('soon') > duration('1s')", "not a duration"),
        ("now.getHours('Europe/Berlin') == 1", "names of places are not supported"),
    ] {
        let error = result(text).expect_err(text);
        assert!(error.to_string().contains(message), "{text}: {error}");
        assert!(!matches!(error, ConditionError::Missing(_)), "{text}");
    }
}

#[test]
fn attributes_over_a_bound_are_refused_by_name() {
    let new = |value| Object::new(Root::Context, value);
    assert_eq!(new(json!([1])), Err(AttributesError::NotAnObject("context")));
    let long = "x".repeat(MAX_ATTRIBUTES_BYTES - 9);
    assert!(new(json!({"a": long})).is_ok());
    assert_eq!(new(json!({"a": [1, {"b": long}]})), Err(AttributesError::TooLarge("context.a[1].b".to_owned())));
    let many = vec![json!(1); MAX_ATTRIBUTES_BYTES / 8];
    assert_eq!(new(json!({"a": many})), Err(AttributesError::TooLarge("context.a[4094]".to_owned())));

    let nested = |levels: usize| (1..levels).fold(json!(1), |inner, _| json!({"n": inner}));
    assert!(new(json!({"a": nested(MAX_ATTRIBUTES_DEPTH)})).is_ok());
    let error = new(json!({"a": nested(MAX_ATTRIBUTES_DEPTH + 1)})).expect_err("too deep");
    assert_eq!(error, AttributesError::TooDeep(format!("context.a{}", ".n".repeat(MAX_ATTRIBUTES_DEPTH))));
    assert_eq!(object(Root::Context, json!({})), Object::default());
}
