//! Values of an evaluation. They borrow from the condition and the attributes; a clone costs nothing that grows with the value.

use std::cmp::Ordering;
use std::rc::Rc;

use base::Timestamp;
use serde_json::{Map, Value as Json};

#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Text<'a>),
    /// A list of the attributes.
    Array(&'a [Json]),
    /// A list that the evaluation made.
    List(Rc<Vec<Value<'a>>>),
    Object(&'a Map<String, Json>),
    Timestamp(Timestamp),
    /// In microseconds.
    Duration(i64),
}

/// 0001-01-01T00:00:00Z, in seconds: the first time of CEL, whose last one is that of [`Timestamp`] (`google.protobuf.Timestamp`).
const FIRST_TIME: i64 = -62_135_596_800;

#[derive(Clone, Debug)]
pub(super) enum Text<'a> {
    Borrowed(&'a str),
    Owned(Rc<str>),
}

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
        }
    }
}

impl<'a> Value<'a> {
    /// A whole number is an int; an [`Object`](super::Object) has no larger ones.
    pub(super) fn of(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => match number.as_i64() {
                Some(value) => Self::Int(value),
                None => Self::Double(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::text(text),
            Json::Array(elements) => Self::Array(elements),
            Json::Object(members) => Self::Object(members),
        }
    }

    pub(super) const fn text(text: &'a str) -> Self {
        Self::Text(Text::Borrowed(text))
    }

    pub(super) fn owned(text: &str) -> Self {
        Self::Text(Text::Owned(text.into()))
    }

    /// A timestamp, if CEL has it.
    pub(super) fn timestamp(micros: i64) -> Option<Self> {
        let range = FIRST_TIME * 1_000_000..=Timestamp::MAX.unix_micros();
        range.contains(&micros).then(|| Self::Timestamp(Timestamp::from_unix_micros(micros)))
    }

    /// The name of the type, in the words of CEL.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::Array(_) | Self::List(_) => "list",
            Self::Object(_) => "map",
            Self::Timestamp(_) => "timestamp",
            Self::Duration(_) => "duration",
        }
    }

    /// The number of elements of a list.
    pub(super) fn length(&self) -> Option<usize> {
        match self {
            Self::Array(elements) => Some(elements.len()),
            Self::List(elements) => Some(elements.len()),
            _ => None,
        }
    }

    pub(super) fn element(&self, index: usize) -> Option<Self> {
        match self {
            Self::Array(elements) => elements.get(index).map(Value::of),
            Self::List(elements) => elements.get(index).cloned(),
            _ => None,
        }
    }

    fn number(&self) -> Option<Number> {
        match self {
            Self::Int(value) => Some(Number::Integer(i128::from(*value))),
            Self::Uint(value) => Some(Number::Integer(i128::from(*value))),
            Self::Double(value) => Some(Number::Double(*value)),
            _ => None,
        }
    }

    /// Numbers of different types are compared by their values. NaN has no order.
    pub(super) fn order(&self, other: &Self) -> Result<Option<Ordering>, NotComparable> {
        if let (Some(left), Some(right)) = (self.number(), other.number()) {
            return Ok(left.order(right));
        }
        let order = match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
            (Self::Text(left), Self::Text(right)) => left.as_str().cmp(right.as_str()),
            (Self::Timestamp(left), Self::Timestamp(right)) => left.cmp(right),
            (Self::Duration(left), Self::Duration(right)) => left.cmp(right),
            _ => return Err(NotComparable),
        };
        Ok(Some(order))
    }
}

/// The types have no order.
pub(super) struct NotComparable;

enum Number {
    Integer(i128),
    Double(f64),
}

impl Number {
    fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => Some(left.cmp(&right)),
            (Self::Double(left), Self::Double(right)) => left.partial_cmp(&right),
            (Self::Integer(left), Self::Double(right)) => order_with_double(left, right),
            (Self::Double(left), Self::Integer(right)) => order_with_double(right, left).map(Ordering::reverse),
        }
    }
}

/// Exact, where a conversion of the integer to a double would round.
fn order_with_double(integer: i128, double: f64) -> Option<Ordering> {
    /// Larger than any integer of 64 bits.
    const LIMIT: f64 = 1e20;
    if double.is_nan() {
        return None;
    }
    if double.abs() > LIMIT {
        return Some(if double > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    #[expect(clippy::cast_possible_truncation, reason = "within LIMIT, and the fraction is compared after it")]
    let whole = double.trunc() as i128;
    Some(integer.cmp(&whole).then_with(|| {
        let fraction = double.fract();
        if fraction > 0.0 {
            Ordering::Less
        } else if fraction < 0.0 {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    }))
}
