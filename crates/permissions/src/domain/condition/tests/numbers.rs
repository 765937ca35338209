//! Numbers of attributes: exact, or refused.

use proptest::prelude::*;
use serde_json::Value as Json;

use super::super::{Attributes, AttributesError, Object, Root, evaluate};
use super::{condition, now};

/// 2^53, from which on a double may stand for several whole numbers.
const INEXACT: i128 = 9_007_199_254_740_992;

fn context(text: &str) -> Result<Object, AttributesError> {
    Object::new(Root::Context, serde_json::from_str(text).expect(text))
}

fn holds(expression: &str, context: &Object) -> bool {
    let attributes = Attributes { context: Some(context), ..Attributes::at(now()) };
    evaluate(&condition(expression), &attributes).unwrap_or_else(|error| panic!("{expression}: {error}"))
}

#[test]
fn a_number_that_may_have_been_rounded_is_refused_by_name() {
    for number in [
        "9007199254740992",
        "9007199254740993",
        "-9007199254740992",
        "9007199254740993.0",
        "9007199254740992.5",
        "9223372036854775807",
        "18446744073709551615",
        "18446744073709551616",
        "-99999999999999999999",
        "1e16",
        "1e300",
    ] {
        for (text, name) in [
            (format!("{{\"id\":{number}}}"), "context.id"),
            (format!("{{\"ids\":[1,{{\"of\":{number}}}]}}"), "context.ids[1].of"),
        ] {
            let refused = context(&text).expect_err(&text);
            assert_eq!(refused, AttributesError::NotExact(name.to_owned()), "{text}");
            assert!(refused.to_string().ends_with("send it as a string"), "{refused}");
        }
    }
    assert!(context("{\"id\":\"9007199254740993\"}").is_ok());
}

#[test]
fn a_whole_number_is_an_int_however_it_is_written() {
    for (number, int) in [
        ("3", 3),
        ("3.0", 3),
        ("3e0", 3),
        ("0.3e1", 3),
        ("-0", 0),
        ("-0.0", 0),
        ("9007199254740991.0", 9_007_199_254_740_991_i64),
    ] {
        let context = context(&format!("{{\"a\":{number},\"list\":[7,8,9,10]}}")).expect(number);
        assert_eq!(context.as_map()["a"], Json::from(int), "{number}");
        assert!(
            holds(&format!("context.a == {int} && context.a + 0 == {int} && context.a in [{int}.0]"), &context),
            "{number}"
        );
    }
    let index = context("{\"a\":3.0,\"list\":[7,8,9,10]}").expect("exact");
    assert!(holds("context.list[context.a] == 10 && 10 / context.a == 3 && context.a % 2 == 1", &index));
    let half = context("{\"a\":2.5}").expect("exact");
    assert!(holds("context.a > 2 && context.a * 2.0 == 5 && string(int(context.a)) == '2'", &half));
}

/// Whole numbers, most of them near a bound of some type.
fn whole() -> impl Strategy<Value = i128> {
    let near = |center: i128| (-3_i128..=3).prop_map(move |it| center + it);
    let centers =
        [0, 1 << 31, 1 << 32, INEXACT / 2, INEXACT, INEXACT * 2, i128::from(i64::MAX), i128::from(u64::MAX), 1 << 70];
    let near_one = proptest::sample::select(centers.to_vec()).prop_flat_map(near);
    let any = any::<i64>().prop_map(i128::from);
    prop_oneof![4 => near_one.clone(), 2 => near_one.prop_map(|it| -it), 1 => any]
}

fn written(number: i128, form: u8) -> String {
    match form {
        0 => number.to_string(),
        1 => format!("{number}.0"),
        2 => format!("{number}e0"),
        _ => format!("{number}.00E0"),
    }
}

proptest! {
    #[test]
    fn whole_numbers_are_compared_exactly_or_refused(a in whole(), b in whole(), forms in (0_u8..4, 0_u8..4)) {
        let text = format!("{{\"a\":{},\"b\":{}}}", written(a, forms.0), written(b, forms.1));
        let is_exact = a.abs() < INEXACT && b.abs() < INEXACT;
        match context(&text) {
            Ok(context) => {
                prop_assert!(is_exact, "{}", text);
                prop_assert_eq!(holds("context.a == context.b", &context), a == b, "{}", text);
                prop_assert_eq!(holds("context.a < context.b", &context), a < b, "{}", text);
                prop_assert_eq!(holds("context.a in [context.b]", &context), a == b, "{}", text);
                prop_assert!(holds(&format!("context.a == {a} && string(context.b) == '{b}'"), &context), "{}", text);
            }
            Err(error) => {
                prop_assert!(!is_exact, "{}: {}", text, error);
                prop_assert!(matches!(error, AttributesError::NotExact(_)), "{}: {}", text, error);
            }
        }
    }

    /// As the messages of remote procedure calls have them.
    #[test]
    fn a_double_is_itself_or_refused(a in any::<f64>().prop_filter("JSON has no others", |it| it.is_finite())) {
        let value = serde_json::json!({ "a": a });
        match Object::new(Root::Context, value) {
            Ok(context) => {
                prop_assert!(a.abs() < 9_007_199_254_740_992.0);
                prop_assert_eq!(context.as_map()["a"].as_f64(), Some(a));
            }
            Err(error) => prop_assert!(a.abs() >= 9_007_199_254_740_992.0, "{}: {}", a, error),
        }
    }
}
