//! Numbers: sprig's conversions, and integer arithmetic that wraps as in Go.

use gotmpl::Value;

use super::Function;
use crate::arguments::{exactly, int, list, strings, text, wrong};
use crate::{Outcome, TemplateError};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("add", |given| Ok(Value::Int(given.iter().fold(0, |sum, it| sum.wrapping_add(whole(it)))))),
    ("add1", |given| Ok(Value::Int(single("add1", given)?.wrapping_add(1)))),
    ("atoi", |given| {
        let [it] = strings("atoi", given)?;
        Ok(Value::Int(decimal(it)))
    }),
    ("biggest", |given| chosen("biggest", given, i64::max)),
    ("ceil", |given| Ok(Value::Float(float(&exactly::<1>("ceil", given)?[0]).ceil()))),
    ("div", |given| divide("div", given, i64::wrapping_div)),
    ("float64", |given| Ok(Value::Float(float(&exactly::<1>("float64", given)?[0])))),
    ("floor", |given| Ok(Value::Float(float(&exactly::<1>("floor", given)?[0]).floor()))),
    ("int", |given| single("int", given).map(Value::Int)),
    ("int64", |given| single("int64", given).map(Value::Int)),
    ("max", |given| chosen("max", given, i64::max)),
    ("min", |given| chosen("min", given, i64::min)),
    ("mod", |given| divide("mod", given, i64::wrapping_rem)),
    ("mul", |given| {
        let (first, rest) = given.split_first().ok_or_else(|| wrong("mul: the numbers are missing"))?;
        Ok(Value::Int(rest.iter().fold(whole(first), |product, it| product.wrapping_mul(whole(it)))))
    }),
    ("seq", seq),
    ("sub", |given| {
        let [a, b] = exactly("sub", given)?;
        Ok(Value::Int(whole(a).wrapping_sub(whole(b))))
    }),
    ("until", |given| {
        let [end] = exactly("until", given)?;
        let end = int("until", end)?;
        steps("until", 0, end, if end < 0 { -1 } else { 1 }).map(numbers)
    }),
    ("untilStep", |given| {
        let [start, end, step] = exactly("untilStep", given)?;
        let [start, end, step] = [int("untilStep", start)?, int("untilStep", end)?, int("untilStep", step)?];
        steps("untilStep", start, end, step).map(numbers)
    }),
];

/// The most items of a generated list.
const MOST_ITEMS: usize = 100_000;

fn single(name: &str, given: &[Value]) -> Result<i64, TemplateError> {
    let [value] = exactly(name, given)?;
    Ok(whole(value))
}

fn chosen(name: &str, given: &[Value], choose: fn(i64, i64) -> i64) -> Outcome {
    let numbers = given.iter().map(whole);
    numbers.reduce(choose).map(Value::Int).ok_or_else(|| wrong(format!("{name}: the numbers are missing")))
}

fn divide(name: &str, given: &[Value], make: fn(i64, i64) -> i64) -> Outcome {
    let [a, b] = exactly(name, given)?;
    match whole(b) {
        0 => Err(wrong(format!("{name}: division by zero"))),
        divisor => Ok(Value::Int(make(whole(a), divisor))),
    }
}

/// A value that is not a number is zero.
pub(super) fn whole(value: &Value) -> i64 {
    match value {
        Value::Bool(flag) => i64::from(*flag),
        Value::Int(number) => *number,
        Value::Uint(number) => number.cast_signed(),
        Value::Float(number) => cut(*number),
        Value::String(text) => with_prefix(text),
        _ => 0,
    }
}

/// Truncates a float. A value out of range becomes the minimum, as on common processors.
fn cut(number: f64) -> i64 {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    #[expect(clippy::cast_possible_truncation, reason = "the fraction is truncated, and the range was checked")]
    if (-BEYOND..BEYOND).contains(&number) { number as i64 } else { i64::MIN }
}

/// `strconv.ParseInt` with base 0, after removing zeros behind the decimal point. A value that is not a number is zero.
fn with_prefix(it: &str) -> i64 {
    let it = without_zero_fraction(it);
    let (sign, digits) = match it.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", it.strip_prefix('+').unwrap_or(it)),
    };
    let lower = digits.to_ascii_lowercase();
    let (digits, base, has_prefix) = match (lower.get(..2), lower.get(..1)) {
        (Some("0x"), _) => (&lower[2..], 16, true),
        (Some("0b"), _) => (&lower[2..], 2, true),
        (Some("0o"), _) => (&lower[2..], 8, true),
        (_, Some("0")) if lower.len() > 1 => (&lower[1..], 8, true),
        _ => (lower.as_str(), 10, false),
    };
    let is_spaced = !digits.ends_with('_') && !digits.contains("__") && (has_prefix || !digits.starts_with('_'));
    if !is_spaced || digits.starts_with(['+', '-']) {
        return 0;
    }
    i64::from_str_radix(&format!("{sign}{}", digits.replace('_', "")), base).unwrap_or_default()
}

fn without_zero_fraction(it: &str) -> &str {
    match it.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() && fraction.bytes().all(|digit| digit == b'0') => whole,
        _ => it,
    }
}

/// `strconv.Atoi`: a value out of range saturates, a value that is not a number is zero.
fn decimal(it: &str) -> i64 {
    let digits = it.strip_prefix(['+', '-']).unwrap_or(it);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return 0;
    }
    let beyond = if it.starts_with('-') { i64::MIN } else { i64::MAX };
    it.parse().unwrap_or(beyond)
}

fn float(value: &Value) -> f64 {
    match value {
        Value::Float(number) => *number,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::String(text) => {
            let is_spaced = !text.starts_with('_') && !text.ends_with('_') && !text.contains("__");
            let number = if is_spaced { text.replace('_', "").parse().unwrap_or_default() } else { 0.0 };
            // A number that is too large is invalid, unlike `inf`.
            if f64::is_infinite(number) && text.contains(|it: char| it.is_ascii_digit()) { 0.0 } else { number }
        }
        other => other.as_float().unwrap_or_default(),
    }
}

fn steps(name: &str, start: i64, end: i64, step: i64) -> Result<Vec<i64>, TemplateError> {
    let mut numbers = Vec::new();
    let mut next = start;
    while (step > 0 && next < end) || (step < 0 && next > end) {
        if numbers.len() == MOST_ITEMS {
            return Err(wrong(format!("{name}: there are too many numbers")));
        }
        numbers.push(next);
        let Some(after) = next.checked_add(step) else { break };
        next = after;
    }
    Ok(numbers)
}

fn numbers(numbers: Vec<i64>) -> Value {
    list(numbers.into_iter().map(Value::Int))
}

/// Like the program `seq`: the numbers of an inclusive range, separated by spaces.
fn seq(given: &[Value]) -> Outcome {
    let given: Vec<i64> = given.iter().map(|value| int("seq", value)).collect::<Result<_, _>>()?;
    let towards = |start: i64, end: i64| if end < start { -1 } else { 1 };
    let (start, end, step) = match given.as_slice() {
        [end] => (1, *end, towards(1, *end)),
        [start, end] => (*start, *end, towards(*start, *end)),
        [start, step, end] => (*start, *end, *step),
        _ => return Ok(text("")),
    };
    let is_endless = step == 0 || (step > 0) != (end >= start) && end != start;
    if is_endless {
        return Ok(text(""));
    }
    let numbers = steps("seq", start, end.saturating_add(step.signum()), step)?;
    Ok(text(numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(" ")))
}
