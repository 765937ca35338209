//! The file of a test, in YAML or JSON.

use std::fmt;

use base::{OfObjects, Timestamp};
use serde::de::{MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The file is not valid; the message has the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidTestFile(String);

/// The content of a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "keys and values")]
pub struct TestFile {
    /// The model as a text; instead of `model_files`.
    #[serde(default)]
    pub model: Option<String>,
    /// Files and folders of the model, relative to the folder of this file.
    #[serde(default)]
    pub model_files: Vec<String>,
    /// As `feature_flags.strict_mode` of the service.
    #[serde(default)]
    pub strict_mode: bool,
    /// As `write_validation` of the service.
    #[serde(default)]
    pub(super) write_validation: Validation,
    #[serde(default)]
    pub(super) limit: Limit,
    /// The time of all tests that have none of their own.
    #[serde(default)]
    pub(super) time: Option<Timestamp>,
    /// The tuples of all tests.
    #[serde(default)]
    pub(super) tuples: Vec<TupleEntry>,
    pub(super) tests: Vec<Test>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Validation {
    #[default]
    Strict,
    Lax,
}

/// As `limit` of the service.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys and values")]
pub(super) struct Limit {
    pub(super) max_read_depth: Option<u16>,
    pub(super) max_read_width: Option<u32>,
}

/// A tuple as text, or with a condition or an expiry.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub(super) struct TupleEntry {
    pub(super) tuple: String,
    pub(super) condition: Option<ConditionEntry>,
    pub(super) expires_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "keys and values")]
struct LongEntry {
    tuple: String,
    #[serde(default)]
    condition: Option<ConditionEntry>,
    #[serde(default)]
    expires_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "keys and values")]
pub(super) struct ConditionEntry {
    pub(super) name: String,
    #[serde(default)]
    pub(super) context: Map<String, Value>,
}

impl TryFrom<Value> for TupleEntry {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::String(tuple) => Ok(Self { tuple, condition: None, expires_at: None }),
            Value::Object(_) => {
                let OfObjects(LongEntry { tuple, condition, expires_at }) =
                    serde_json::from_value(value).map_err(|error| format!("a tuple: {error}"))?;
                Ok(Self { tuple, condition, expires_at })
            }
            _ => Err("a tuple is a text namespace:object#relation@subject, or an object with `tuple`".to_owned()),
        }
    }
}

/// Questions with the same attributes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "keys and values")]
pub(super) struct Test {
    pub(super) name: String,
    #[serde(default)]
    pub(super) time: Option<Timestamp>,
    /// The attributes of the request, for conditions.
    #[serde(default)]
    pub(super) context: Option<Value>,
    #[serde(default)]
    pub(super) subject: Option<Value>,
    #[serde(default)]
    pub(super) resource: Option<Value>,
    #[serde(default)]
    pub(super) action: Option<Value>,
    /// Tuples of this test alone. An equal tuple of the file is replaced.
    #[serde(default)]
    pub(super) tuples: Vec<TupleEntry>,
    #[serde(default)]
    pub(super) check: Checks,
    #[serde(default)]
    pub(super) list_objects: Vec<ObjectsEntry>,
    #[serde(default)]
    pub(super) list_subjects: Vec<SubjectsEntry>,
}

/// The answer of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub enum Expected {
    Allowed,
    Denied,
    /// The check must have no answer, for instance because an attribute is missing.
    Error,
}

impl TryFrom<Value> for Expected {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, &'static str> {
        match value {
            Value::Bool(true) => Ok(Self::Allowed),
            Value::Bool(false) => Ok(Self::Denied),
            Value::String(word) if word == "error" => Ok(Self::Error),
            _ => Err("the answer of a check must be true, false or error"),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Error => "an error",
        })
    }
}

/// Tuples and whether they hold, in the order of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Checks(pub(super) Vec<(String, Expected)>);

impl<'de> Deserialize<'de> for Checks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Checks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("relation tuples with their answers, such as `Doc:a#view@User:ada: true`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Checks, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Checks(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// The answer of a list.
#[derive(Clone, Debug)]
pub(super) enum ExpectedList {
    Names(Vec<String>),
    /// The list must be incomplete, for instance because an attribute is missing.
    Error,
}

impl<'de> Deserialize<'de> for ExpectedList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NamesOrError;
        impl<'de> Visitor<'de> for NamesOrError {
            type Value = ExpectedList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of names, or error")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<ExpectedList, E> {
                if word == "error" {
                    Ok(ExpectedList::Error)
                } else {
                    Err(E::invalid_value(Unexpected::Str(word), &self))
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<ExpectedList, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = sequence.next_element()? {
                    names.push(name);
                }
                Ok(ExpectedList::Names(names))
            }
        }
        deserializer.deserialize_any(NamesOrError)
    }
}

/// The objects of a namespace that a subject has a relation to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "keys and values")]
pub(super) struct ObjectsEntry {
    pub(super) subject: String,
    pub(super) relation: String,
    pub(super) namespace: String,
    pub(super) objects: ExpectedList,
}

/// The subjects of a type that have a relation to an object.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "keys and values")]
pub(super) struct SubjectsEntry {
    /// `namespace:object`.
    pub(super) object: String,
    pub(super) relation: String,
    /// `User` for objects, `Group#members` for subject sets; subject ids without it.
    #[serde(default)]
    pub(super) subject_type: Option<String>,
    pub(super) subjects: ExpectedList,
}

impl TestFile {
    /// Reads the text of a file.
    pub fn parse(text: &str) -> Result<Self, InvalidTestFile> {
        let options = serde_saphyr::options! { strict_booleans: true };
        let file: Self =
            serde_saphyr::from_str_with_options(text, options).map_err(|error| InvalidTestFile(error.to_string()))?;
        match (&file.model, file.model_files.is_empty()) {
            (None, true) => Err(InvalidTestFile("no model: add model_files, or model with the text".to_owned())),
            (Some(_), false) => Err(InvalidTestFile("model and model_files exclude each other: keep one".to_owned())),
            _ => Ok(file),
        }
    }
}
