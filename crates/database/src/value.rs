//! The encoding of each scalar type on both engines.
//!
//! | Rust | column | SQLite | PostgreSQL |
//! | --- | --- | --- | --- |
//! | `bool` | `boolean` | 0 or 1 | `boolean` |
//! | `i32`, `i64` | `integer`, `bigint` | integer | `int4`, `int8` |
//! | [`Timestamp`] | `bigint` | microseconds since 1970 | the same |
//! | `String`, JSON | `text` | text | text |
//! | bytes, [`TokenDigest`] | `bytea` | blob | `bytea` |
//! | [`Uuid`] | `uuid` | blob of 16 bytes | `uuid` |
//! | `&[Uuid]` | none: a parameter to choose rows by | JSON array of hexadecimal texts | `uuid[]` |

use std::borrow::Cow;

use base::{Timestamp, TokenDigest};
use uuid::Uuid;

/// A parameter of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
    Uuid(Uuid),
    Uuids(Cow<'a, [Uuid]>),
}

/// A value of a row.
pub type OwnedValue = Value<'static>;

impl Value<'_> {
    /// The same value without borrows.
    pub(crate) fn to_owned(&self) -> OwnedValue {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(it) => Value::Boolean(*it),
            Self::Integer(it) => Value::Integer(*it),
            Self::Text(it) => Value::Text(Cow::Owned(it.clone().into_owned())),
            Self::Bytes(it) => Value::Bytes(Cow::Owned(it.clone().into_owned())),
            Self::Uuid(it) => Value::Uuid(*it),
            Self::Uuids(it) => Value::Uuids(Cow::Owned(it.clone().into_owned())),
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Uuid(_) => "a UUID",
            Self::Uuids(_) => "UUIDs",
        }
    }
}

/// Builds the values of a statement: `values![digest, cx.now, "text", Some(5)]`.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { [$($crate::Value::from($value)),*] };
}

macro_rules! values_from {
    ($($type:ty => |$value:ident| $convert:expr;)+) => {$(
        impl<'a> From<$type> for Value<'a> {
            fn from($value: $type) -> Self {
                $convert
            }
        }
    )+};
}

values_from! {
    bool => |it| Value::Boolean(it);
    &'a bool => |it| Value::Boolean(*it);
    i32 => |it| Value::Integer(i64::from(it));
    i64 => |it| Value::Integer(it);
    u32 => |it| Value::Integer(i64::from(it));
    &'a i32 => |it| Value::Integer(i64::from(*it));
    &'a i64 => |it| Value::Integer(*it);
    &'a str => |it| Value::Text(Cow::Borrowed(it));
    &'a String => |it| Value::Text(Cow::Borrowed(it));
    String => |it| Value::Text(Cow::Owned(it));
    Cow<'a, str> => |it| Value::Text(it);
    &'a [u8] => |it| Value::Bytes(Cow::Borrowed(it));
    &'a Vec<u8> => |it| Value::Bytes(Cow::Borrowed(it));
    Vec<u8> => |it| Value::Bytes(Cow::Owned(it));
    &'a TokenDigest => |it| Value::Bytes(Cow::Borrowed(it.as_bytes()));
    TokenDigest => |it| Value::Bytes(Cow::Owned(it.as_bytes().to_vec()));
    Uuid => |it| Value::Uuid(it);
    &'a Uuid => |it| Value::Uuid(*it);
    &'a [Uuid] => |it| Value::Uuids(Cow::Borrowed(it));
    &'a Vec<Uuid> => |it| Value::Uuids(Cow::Borrowed(it));
    Timestamp => |it| Value::Integer(it.unix_micros());
    &'a Timestamp => |it| Value::Integer(it.unix_micros());
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Value::Bytes(Cow::Borrowed(value))
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// A Rust type that a column can be read as.
pub trait FromValue: Sized {
    /// The value, or `None` when the column has another type.
    fn from_value(value: OwnedValue) -> Option<Self>;
}

impl FromValue for bool {
    fn from_value(value: OwnedValue) -> Option<Self> {
        match value {
            Value::Boolean(it) => Some(it),
            Value::Integer(0) => Some(false),
            Value::Integer(1) => Some(true),
            _ => None,
        }
    }
}

impl FromValue for i64 {
    fn from_value(value: OwnedValue) -> Option<Self> {
        match value {
            Value::Integer(it) => Some(it),
            _ => None,
        }
    }
}

impl FromValue for i32 {
    fn from_value(value: OwnedValue) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }
}

impl FromValue for u32 {
    fn from_value(value: OwnedValue) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }
}

impl FromValue for Timestamp {
    fn from_value(value: OwnedValue) -> Option<Self> {
        i64::from_value(value).map(Self::from_unix_micros)
    }
}

impl FromValue for String {
    fn from_value(value: OwnedValue) -> Option<Self> {
        match value {
            Value::Text(it) => Some(it.into_owned()),
            _ => None,
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: OwnedValue) -> Option<Self> {
        match value {
            Value::Bytes(it) => Some(it.into_owned()),
            _ => None,
        }
    }
}

impl FromValue for TokenDigest {
    fn from_value(value: OwnedValue) -> Option<Self> {
        <[u8; 32]>::try_from(Vec::from_value(value)?).ok().map(Self::from_bytes)
    }
}

impl FromValue for Uuid {
    fn from_value(value: OwnedValue) -> Option<Self> {
        match value {
            Value::Uuid(it) => Some(it),
            Value::Bytes(it) => Self::from_slice(&it).ok(),
            _ => None,
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: OwnedValue) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            it => T::from_value(it).map(Some),
        }
    }
}
