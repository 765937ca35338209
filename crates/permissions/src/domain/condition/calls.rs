//! The functions of conditions.
//!
//! Specification: the CEL language definition, section "List of Standard Definitions".

use base::{GoDuration, Timestamp};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use super::ConditionError;
use super::arithmetic::value_error;
use super::expression::Function;
use super::meter::{Evaluated, Meter, type_error};
use super::value::Value;

/// The seconds of `2026-11-22T10:20:30Z`.
const SECONDS: std::ops::Range<usize> = 17..19;

pub(super) fn call<'a>(meter: &mut Meter, at: usize, function: Function, arguments: &[Value<'a>]) -> Evaluated<'a> {
    for argument in arguments {
        if let Value::Text(text) = argument {
            meter.charge_bytes(text.as_str().len())?;
        }
    }
    match (function, arguments) {
        (Function::Size, [value]) => size(at, value),
        (Function::Contains, [Value::Text(text), Value::Text(part)]) => {
            Ok(Value::Bool(text.as_str().contains(part.as_str())))
        }
        (Function::StartsWith, [Value::Text(text), Value::Text(part)]) => {
            Ok(Value::Bool(text.as_str().starts_with(part.as_str())))
        }
        (Function::EndsWith, [Value::Text(text), Value::Text(part)]) => {
            Ok(Value::Bool(text.as_str().ends_with(part.as_str())))
        }
        (Function::ToInt, [value]) => to_int(at, value),
        (Function::ToUint, [value]) => to_uint(at, value),
        (Function::ToDouble, [value]) => to_double(at, value),
        (Function::ToText, [value]) => to_text(at, value),
        (Function::ToTimestamp, [value]) => to_timestamp(at, value),
        (Function::ToDuration, [value]) => to_duration(at, value),
        (_, [Value::Timestamp(time)]) => Ok(Value::Int(component(at, function, *time, UtcOffset::UTC)?)),
        (_, [Value::Timestamp(time), Value::Text(zone)]) => {
            let offset = offset(zone.as_str()).ok_or_else(|| {
                value_error(at, "a time zone is `UTC` or an offset such as `+02:00`; names of places are not supported")
            })?;
            Ok(Value::Int(component(at, function, *time, offset)?))
        }
        (Function::Hours, [Value::Duration(micros)]) => Ok(Value::Int(micros / 3_600_000_000)),
        (Function::Minutes, [Value::Duration(micros)]) => Ok(Value::Int(micros / 60_000_000)),
        (Function::Seconds, [Value::Duration(micros)]) => Ok(Value::Int(micros / 1_000_000)),
        _ => Err(unaccepted(at, arguments)),
    }
}

fn unaccepted(at: usize, arguments: &[Value<'_>]) -> ConditionError {
    let kinds = arguments.iter().map(Value::kind).collect::<Vec<_>>().join(", ");
    type_error(at, format!("the function does not accept ({kinds})"))
}

fn int<'a>(at: usize, value: Option<i64>) -> Evaluated<'a> {
    value.map(Value::Int).ok_or_else(|| value_error(at, "not an int"))
}

fn size<'a>(at: usize, value: &Value<'a>) -> Evaluated<'a> {
    let size = match (value, value.length()) {
        (Value::Text(text), _) => text.as_str().chars().count(),
        (Value::Object(members), _) => members.len(),
        (_, Some(length)) => length,
        (_, None) => return Err(unaccepted(at, std::slice::from_ref(value))),
    };
    int(at, i64::try_from(size).ok())
}

/// The whole part of a double, if `within` it.
fn whole(value: f64, within: std::ops::Range<f64>) -> Option<i128> {
    #[expect(clippy::cast_possible_truncation, reason = "within the range, which is one of 64 bits")]
    within.contains(&value).then(|| value.trunc() as i128)
}

fn to_int<'a>(at: usize, value: &Value<'a>) -> Evaluated<'a> {
    match value {
        Value::Int(value) => Ok(Value::Int(*value)),
        Value::Uint(value) => int(at, i64::try_from(*value).ok()),
        Value::Double(value) => {
            const LIMIT: f64 = 9_223_372_036_854_775_808.0;
            int(at, whole(*value, -LIMIT..LIMIT).and_then(|it| i64::try_from(it).ok()))
        }
        Value::Text(text) => int(at, text.as_str().parse().ok()),
        Value::Timestamp(time) => Ok(Value::Int(time.unix_seconds())),
        other => Err(unaccepted(at, std::slice::from_ref(other))),
    }
}

fn to_uint<'a>(at: usize, value: &Value<'a>) -> Evaluated<'a> {
    let result = match value {
        Value::Int(value) => u64::try_from(*value).ok(),
        Value::Uint(value) => Some(*value),
        Value::Double(value) => whole(*value, 0.0..18_446_744_073_709_551_616.0).and_then(|it| u64::try_from(it).ok()),
        Value::Text(text) => text.as_str().parse().ok(),
        other => return Err(unaccepted(at, std::slice::from_ref(other))),
    };
    result.map(Value::Uint).ok_or_else(|| value_error(at, "not an uint"))
}

#[expect(clippy::cast_precision_loss, reason = "CEL rounds to the nearest double")]
fn to_double<'a>(at: usize, value: &Value<'a>) -> Evaluated<'a> {
    match value {
        Value::Int(value) => Ok(Value::Double(*value as f64)),
        Value::Uint(value) => Ok(Value::Double(*value as f64)),
        Value::Double(value) => Ok(Value::Double(*value)),
        Value::Text(text) => text.as_str().parse().map(Value::Double).map_err(|_| value_error(at, "not a double")),
        other => Err(unaccepted(at, std::slice::from_ref(other))),
    }
}

fn to_text<'a>(at: usize, value: &Value<'a>) -> Evaluated<'a> {
    match value {
        Value::Text(_) => Ok(value.clone()),
        Value::Bool(value) => Ok(Value::text(if *value { "true" } else { "false" })),
        Value::Int(value) => Ok(Value::owned(&value.to_string())),
        Value::Uint(value) => Ok(Value::owned(&value.to_string())),
        Value::Timestamp(time) => Ok(Value::owned(&time.to_string())),
        other => Err(unaccepted(at, std::slice::from_ref(other))),
    }
}

fn to_timestamp<'a>(at: usize, value: &Value<'a>) -> Evaluated<'a> {
    match value {
        Value::Timestamp(time) => Ok(Value::Timestamp(*time)),
        Value::Int(seconds) => {
            let time = seconds.checked_mul(1_000_000).and_then(Value::timestamp);
            time.ok_or_else(|| value_error(at, "not a timestamp: the years are 1 to 9999"))
        }
        Value::Text(text) => parse_timestamp(text.as_str()).ok_or_else(|| {
            value_error(
                at,
                "not a timestamp; write it as 2026-11-22T10:20:30Z, in the years 1 to 9999 and without leap seconds",
            )
        }),
        other => Err(unaccepted(at, std::slice::from_ref(other))),
    }
}

/// RFC 3339 without its leap seconds, which CEL does not have.
fn parse_timestamp<'a>(text: &str) -> Option<Value<'a>> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let has_leap_second = text.get(SECONDS) == Some("60");
    let micros = i64::try_from(time.unix_timestamp_nanos().div_euclid(1_000)).ok()?;
    if has_leap_second { None } else { Value::timestamp(micros) }
}

fn to_duration<'a>(at: usize, value: &Value<'a>) -> Evaluated<'a> {
    let text = match value {
        Value::Duration(micros) => return Ok(Value::Duration(*micros)),
        Value::Text(text) => text.as_str(),
        other => return Err(unaccepted(at, std::slice::from_ref(other))),
    };
    let (sign, magnitude) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let duration = if magnitude.starts_with('+') && sign < 0 { None } else { magnitude.parse::<GoDuration>().ok() };
    let micros = duration.and_then(|it| i64::try_from(it.get().as_micros()).ok());
    micros
        .map(|it| Value::Duration(sign * it))
        .ok_or_else(|| value_error(at, "not a duration; write it as 90s or 1h30m"))
}

fn component(at: usize, function: Function, time: Timestamp, offset: UtcOffset) -> Result<i64, ConditionError> {
    let out_of_range = || value_error(at, "the time is out of range");
    let time =
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(time.unix_micros()) * 1000).map_err(|_| out_of_range())?;
    let time = time.checked_to_offset(offset).ok_or_else(out_of_range)?;
    Ok(match function {
        Function::FullYear => i64::from(time.year()),
        // CEL counts months and days from zero, except `getDate`.
        Function::Month => i64::from(u8::from(time.month())) - 1,
        Function::Date => i64::from(time.day()),
        Function::DayOfMonth => i64::from(time.day()) - 1,
        Function::DayOfWeek => i64::from(time.weekday().number_days_from_sunday()),
        Function::DayOfYear => i64::from(time.ordinal()) - 1,
        Function::Hours => i64::from(time.hour()),
        Function::Minutes => i64::from(time.minute()),
        Function::Seconds => i64::from(time.second()),
        Function::Milliseconds => i64::from(time.millisecond()),
        _ => return Err(type_error(at, "the function does not accept a timestamp".to_owned())),
    })
}

/// `UTC`, or hours and minutes with or without a sign.
fn offset(text: &str) -> Option<UtcOffset> {
    if text == "UTC" {
        return Some(UtcOffset::UTC);
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |text: &str, limit: i8| {
        let digits = text.len() == 2 && text.bytes().all(|it| it.is_ascii_digit());
        text.parse::<i8>().ok().filter(|it| digits && *it < limit)
    };
    UtcOffset::from_hms(sign * number(hours, 24)?, sign * number(minutes, 60)?, 0).ok()
}
