//! The attributes that a condition reads.
//!
//! Invariants:
//! - An [`Object`] is within [`MAX_ATTRIBUTES_BYTES`] and [`MAX_ATTRIBUTES_DEPTH`], so that recursion over it is bounded.
//! - A whole number is an `i64`, however it was written, and every other number is an `f64`. No whole number was rounded.

use std::sync::{Arc, LazyLock};

use base::Timestamp;
use serde_json::{Map, Number, Value as Json};

use super::{MAX_ATTRIBUTES_BYTES, MAX_ATTRIBUTES_DEPTH};

/// Where attributes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Root {
    Subject,
    Resource,
    Action,
    /// The circumstances of the request.
    Context,
    /// What is stored with the relation tuple.
    Tuple,
}

impl Root {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Resource => "resource",
            Self::Action => "action",
            Self::Context => "context",
            Self::Tuple => "tuple",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Subject, Self::Resource, Self::Action, Self::Context, Self::Tuple]
            .into_iter()
            .find(|it| it.name() == name)
    }
}

/// The attributes of one root, within the bounds. Cheap to clone: the items of a list share their defaults.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object(Arc<Map<String, Json>>);

/// Attributes exceed a bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttributesError {
    #[error("{0} must be a JSON object")]
    NotAnObject(&'static str),
    #[error("{0} is too large: the attributes exceed {MAX_ATTRIBUTES_BYTES} bytes here; send less")]
    TooLarge(String),
    #[error("{0} is nested too deep: attributes have at most {MAX_ATTRIBUTES_DEPTH} levels")]
    TooDeep(String),
    #[error("{0} is a number beyond 9007199254740991, which some clients and protocols round: send it as a string")]
    NotExact(String),
}

/// 2^53. A double of this size may stand for several whole numbers, and nobody knows which of them the client meant (RFC 7493
/// section 2.2). Messages of remote procedure calls have no other numbers than doubles.
const INEXACT: f64 = 9_007_199_254_740_992.0;

impl Object {
    /// The size is that of the names and the texts, and eight bytes for each value.
    pub fn new(root: Root, value: Json) -> Result<Self, AttributesError> {
        let Json::Object(mut object) = value else { return Err(AttributesError::NotAnObject(root.name())) };
        let mut left = MAX_ATTRIBUTES_BYTES;
        for (name, value) in &mut object {
            check(name.len(), value, 1, &mut left)
                .map_err(|error| error.below(&format!("{}.{}", root.name(), shown(name))))?;
        }
        Ok(Self(Arc::new(object)))
    }

    pub fn as_map(&self) -> &Map<String, Json> {
        &self.0
    }
}

impl AttributesError {
    /// The same error, seen from one level above.
    fn below(self, parent: &str) -> Self {
        match self {
            Self::NotAnObject(root) => Self::NotAnObject(root),
            Self::TooLarge(path) => Self::TooLarge(format!("{parent}{path}")),
            Self::TooDeep(path) => Self::TooDeep(format!("{parent}{path}")),
            Self::NotExact(path) => Self::NotExact(format!("{parent}{path}")),
        }
    }
}

/// A name in an error is cut, because it comes from outside.
fn shown(name: &str) -> &str {
    &name[..name.floor_char_boundary(64)]
}

/// The one form of a number: `3` and `3.0` are equal, and some protocols do not distinguish them.
fn exact(number: &Number) -> Option<Number> {
    let double = number.as_f64().filter(|double| double.abs() < INEXACT)?;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number in the range of the type")]
    let whole = (double.fract() == 0.0).then(|| Number::from(double as i64));
    whole.or_else(|| Some(number.clone()))
}

/// Checks a value, and brings its numbers into their one form.
fn check(name_length: usize, value: &mut Json, depth: usize, left: &mut usize) -> Result<(), AttributesError> {
    if depth > MAX_ATTRIBUTES_DEPTH {
        return Err(AttributesError::TooDeep(String::new()));
    }
    let size = name_length + 8 + value.as_str().map_or(0, str::len);
    *left = left.checked_sub(size).ok_or(AttributesError::TooLarge(String::new()))?;
    match value {
        Json::Array(elements) => {
            for (index, element) in elements.iter_mut().enumerate() {
                check(0, element, depth + 1, left).map_err(|error| error.below(&format!("[{index}]")))?;
            }
        }
        Json::Object(members) => {
            for (name, member) in members {
                check(name.len(), member, depth + 1, left)
                    .map_err(|error| error.below(&format!(".{}", shown(name))))?;
            }
        }
        Json::Number(number) => {
            *number = exact(number).ok_or(AttributesError::NotExact(String::new()))?;
        }
        Json::Null | Json::Bool(_) | Json::String(_) => {}
    }
    Ok(())
}

/// What one evaluation reads. An absent object is empty.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    /// The time of the request.
    pub now: Timestamp,
    pub subject: Option<&'a Object>,
    pub resource: Option<&'a Object>,
    pub action: Option<&'a Object>,
    pub context: Option<&'a Object>,
    pub tuple: Option<&'a Object>,
}

impl<'a> Attributes<'a> {
    pub const fn at(now: Timestamp) -> Self {
        Self { now, subject: None, resource: None, action: None, context: None, tuple: None }
    }

    pub(super) fn root(&self, root: Root) -> &'a Map<String, Json> {
        static EMPTY: LazyLock<Object> = LazyLock::new(Object::default);
        let object = match root {
            Root::Subject => self.subject,
            Root::Resource => self.resource,
            Root::Action => self.action,
            Root::Context => self.context,
            Root::Tuple => self.tuple,
        };
        match object {
            Some(object) => object.as_map(),
            None => EMPTY.as_map(),
        }
    }
}
