//! Operators that compute: checked, so that an overflow is an error.

use std::rc::Rc;

use super::ConditionError;
use super::expression::Operator;
use super::meter::{Evaluated, Meter, type_error};
use super::value::{Text, Value};

pub(super) fn no_operator(at: usize, operator: Operator, left: &Value<'_>, right: &Value<'_>) -> ConditionError {
    type_error(at, format!("`{}` does not accept {} and {}", operator.name(), left.kind(), right.kind()))
}

pub(super) fn value_error(at: usize, message: impl Into<String>) -> ConditionError {
    ConditionError::Value { at, message: message.into() }
}

fn overflow(at: usize) -> ConditionError {
    value_error(at, "the result is out of range")
}

pub(super) fn negate<'a>(at: usize, operand: &Value<'a>) -> Evaluated<'a> {
    match operand {
        Value::Int(value) => value.checked_neg().map(Value::Int).ok_or_else(|| overflow(at)),
        Value::Double(value) => Ok(Value::Double(-value)),
        other => Err(type_error(at, format!("`-` does not accept {}", other.kind()))),
    }
}

pub(super) fn binary<'a>(
    meter: &mut Meter,
    at: usize,
    operator: Operator,
    left: &Value<'a>,
    right: &Value<'a>,
) -> Evaluated<'a> {
    let divides = matches!(operator, Operator::Divide | Operator::Remainder);
    if divides && matches!(right, Value::Int(0) | Value::Uint(0)) && matches!(left, Value::Int(_) | Value::Uint(_)) {
        return Err(value_error(at, "division by zero"));
    }
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => {
            let result = match operator {
                Operator::Add => left.checked_add(*right),
                Operator::Subtract => left.checked_sub(*right),
                Operator::Multiply => left.checked_mul(*right),
                Operator::Divide => left.checked_div(*right),
                _ => left.checked_rem(*right),
            };
            result.map(Value::Int).ok_or_else(|| overflow(at))
        }
        (Value::Uint(left), Value::Uint(right)) => {
            let result = match operator {
                Operator::Add => left.checked_add(*right),
                Operator::Subtract => left.checked_sub(*right),
                Operator::Multiply => left.checked_mul(*right),
                Operator::Divide => left.checked_div(*right),
                _ => left.checked_rem(*right),
            };
            result.map(Value::Uint).ok_or_else(|| overflow(at))
        }
        (Value::Double(left), Value::Double(right)) if operator != Operator::Remainder => {
            Ok(Value::Double(match operator {
                Operator::Add => left + right,
                Operator::Subtract => left - right,
                Operator::Multiply => left * right,
                _ => left / right,
            }))
        }
        (Value::Text(left), Value::Text(right)) if operator == Operator::Add => concatenate(meter, left, right),
        (Value::Array(_) | Value::List(_), Value::Array(_) | Value::List(_)) if operator == Operator::Add => {
            join(meter, left, right)
        }
        _ => time(at, operator, left, right),
    }
}

fn concatenate<'a>(meter: &mut Meter, left: &Text<'a>, right: &Text<'a>) -> Evaluated<'a> {
    let (left, right) = (left.as_str(), right.as_str());
    meter.charge_bytes(left.len() + right.len())?;
    Ok(Value::owned(&[left, right].concat()))
}

fn join<'a>(meter: &mut Meter, left: &Value<'a>, right: &Value<'a>) -> Evaluated<'a> {
    let (length, other) = (left.length().unwrap_or(0), right.length().unwrap_or(0));
    meter.charge(2 * (length + other))?;
    let elements = (0..length).filter_map(|index| left.element(index));
    Ok(Value::List(Rc::new(elements.chain((0..other).filter_map(|index| right.element(index))).collect())))
}

fn time<'a>(at: usize, operator: Operator, left: &Value<'a>, right: &Value<'a>) -> Evaluated<'a> {
    let timestamp = |micros: Option<i64>| micros.and_then(Value::timestamp).ok_or_else(|| overflow(at));
    let duration = |micros: Option<i64>| micros.map(Value::Duration).ok_or_else(|| overflow(at));
    match (operator, left, right) {
        (Operator::Add, Value::Timestamp(time), Value::Duration(length))
        | (Operator::Add, Value::Duration(length), Value::Timestamp(time)) => {
            timestamp(time.unix_micros().checked_add(*length))
        }
        (Operator::Subtract, Value::Timestamp(time), Value::Duration(length)) => {
            timestamp(time.unix_micros().checked_sub(*length))
        }
        (Operator::Subtract, Value::Timestamp(left), Value::Timestamp(right)) => {
            duration(left.unix_micros().checked_sub(right.unix_micros()))
        }
        (Operator::Add, Value::Duration(left), Value::Duration(right)) => duration(left.checked_add(*right)),
        (Operator::Subtract, Value::Duration(left), Value::Duration(right)) => duration(left.checked_sub(*right)),
        _ => Err(no_operator(at, operator, left, right)),
    }
}
