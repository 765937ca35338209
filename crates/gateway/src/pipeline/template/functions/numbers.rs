//! Numbers: conversions as lenient as sprig's, and whole-number arithmetic that wraps as Go's does.

use gotmpl::Value;

use super::{Function, Outcome, arguments, wrong};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("add", |given| Ok(Value::Int(given.iter().fold(0, |sum, it| sum.wrapping_add(whole(it)))))),
    ("add1", |given| single("add1", given, |it| it.wrapping_add(1))),
    ("atoi", |given| single("atoi", given, |it| it)),
    ("div", |given| divide("div", given, i64::wrapping_div)),
    ("float64", |given| Ok(Value::Float(float(&arguments::<1>("float64", given)?[0])))),
    ("int", |given| single("int", given, |it| it)),
    ("int64", |given| single("int64", given, |it| it)),
    ("max", |given| Ok(Value::Int(given.iter().map(whole).max().unwrap_or_default()))),
    ("min", |given| Ok(Value::Int(given.iter().map(whole).min().unwrap_or_default()))),
    ("mod", |given| divide("mod", given, i64::wrapping_rem)),
    ("mul", |given| Ok(Value::Int(given.iter().fold(1, |product, it| product.wrapping_mul(whole(it)))))),
    ("sub", |given| {
        let [a, b] = arguments("sub", given)?;
        Ok(Value::Int(whole(a).wrapping_sub(whole(b))))
    }),
];

fn single(name: &str, given: &[Value], make: impl Fn(i64) -> i64) -> Outcome {
    let [value] = arguments(name, given)?;
    Ok(Value::Int(make(whole(value))))
}

fn divide(name: &str, given: &[Value], make: impl Fn(i64, i64) -> i64) -> Outcome {
    let [a, b] = arguments(name, given)?;
    match whole(b) {
        0 => Err(wrong(format!("{name}: division by zero"))),
        divisor => Ok(Value::Int(make(whole(a), divisor))),
    }
}

fn whole(value: &Value) -> i64 {
    to_i64(value).unwrap_or_default()
}

/// What is no number is `None`.
pub(super) fn to_i64(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(flag) => Some(i64::from(*flag)),
        Value::Int(number) => Some(*number),
        Value::Uint(number) => i64::try_from(*number).ok(),
        Value::Float(number) => Some(truncated(*number)),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| text.parse::<f64>().ok().map(truncated))
        }
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a conversion that saturates is what is meant")]
const fn truncated(number: f64) -> i64 {
    number as i64
}

fn float(value: &Value) -> f64 {
    match value {
        Value::Float(number) => *number,
        Value::String(text) => text.trim().parse().unwrap_or_default(),
        other => {
            other.as_float().or_else(|| to_i64(other).and_then(|it| it.to_string().parse().ok())).unwrap_or_default()
        }
    }
}

/// The shortest digits, with an exponent from a million on and below a ten-thousandth (`strconv`, format `g`).
pub(super) fn float_in_go(number: f64) -> String {
    if !number.is_finite() {
        return if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        }
        .to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return format!("{number}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// Go writes a float without a fraction as a whole number.
pub(super) fn float_to_json(number: f64) -> serde_json::Value {
    if number.fract() == 0.0 && number.abs() < 9.2e18 {
        return truncated(number).into();
    }
    serde_json::Number::from_f64(number).map_or(serde_json::Value::Null, serde_json::Value::Number)
}
