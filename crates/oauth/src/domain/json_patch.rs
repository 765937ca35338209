//! JSON Patch (RFC 6902) over JSON Pointer (RFC 6901), applied to a whole document or not at all.
//!
//! One deliberate leniency, kept for clients of the systems that Kleis replaces: `replace` of a member that is missing adds
//! it.

use base::{MAX_NESTING, is_nested_too_deep};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The longest array that a patch may build, against patches that copy a document into itself.
const MAX_DOCUMENT_BYTES: usize = 1 << 20;

#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub enum PatchOperation {
    Add { path: String, value: Value },
    Remove { path: String },
    Replace { path: String, value: Value },
    Move { from: String, path: String },
    Copy { from: String, path: String },
    Test { path: String, value: Value },
}

/// An operation as it is written. Read so, a member of the wrong type is named.
#[derive(Deserialize)]
struct Written {
    op: String,
    path: String,
    from: Option<String>,
    #[serde(default, deserialize_with = "even_null")]
    value: Option<Value>,
}

/// A value that is null is a value.
fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl TryFrom<Written> for PatchOperation {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { op, path, from, value } = written;
        let value = || value.ok_or_else(|| format!("value: '{op}' needs it"));
        let from = || from.ok_or_else(|| format!("from: '{op}' needs it"));
        Ok(match op.as_str() {
            "add" => Self::Add { path, value: value()? },
            "remove" => Self::Remove { path },
            "replace" => Self::Replace { path, value: value()? },
            "move" => Self::Move { from: from()?, path },
            "copy" => Self::Copy { from: from()?, path },
            "test" => Self::Test { path, value: value()? },
            _ => return Err(format!("op: '{op}' is none of add, remove, replace, move, copy and test")),
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    #[error("path: '{0}' is not a JSON pointer")]
    Pointer(String),
    #[error("path: there is nothing at '{0}'")]
    Missing(String),
    #[error("the value at '{0}' is not the one that was tested for")]
    TestFailed(String),
    #[error("path: '{0}' cannot be moved into itself")]
    IntoItself(String),
    #[error("the patched document is too large")]
    TooLarge,
    #[error("the patched document is nested deeper than {MAX_NESTING} levels")]
    TooDeep,
}

impl PatchOperation {
    /// Every place that the operation reads or writes.
    pub fn pointers(&self) -> impl Iterator<Item = &str> {
        let (first, second) = match self {
            Self::Move { from, path } | Self::Copy { from, path } => (path, Some(from)),
            Self::Add { path, .. } | Self::Remove { path } | Self::Replace { path, .. } | Self::Test { path, .. } => {
                (path, None)
            }
        };
        std::iter::once(first.as_str()).chain(second.map(String::as_str))
    }
}

/// Applies the operations in order.
pub fn apply(mut document: Value, patch: &[PatchOperation]) -> Result<Value, PatchError> {
    for operation in patch {
        match operation {
            PatchOperation::Add { path, value } => add(&mut document, path, value.clone())?,
            PatchOperation::Remove { path } => drop(remove(&mut document, path)?),
            PatchOperation::Replace { path, value } => match document.pointer_mut(pointer(path)?) {
                Some(place) => *place = value.clone(),
                None => add(&mut document, path, value.clone())?,
            },
            PatchOperation::Move { from, path } => {
                if path.strip_prefix(from.as_str()).is_some_and(|rest| rest.starts_with('/')) {
                    return Err(PatchError::IntoItself(from.clone()));
                }
                let value = remove(&mut document, from)?;
                add(&mut document, path, value)?;
            }
            PatchOperation::Copy { from, path } => {
                let value = find(&document, from)?.clone();
                add(&mut document, path, value)?;
            }
            PatchOperation::Test { path, value } => {
                if find(&document, path)? != value {
                    return Err(PatchError::TestFailed(path.clone()));
                }
            }
        }
        // First, because the size is counted by walking down. A copy into itself doubles the depth.
        if is_nested_too_deep(&document) {
            return Err(PatchError::TooDeep);
        }
        if matches!(operation, PatchOperation::Copy { .. }) && document.to_string().len() > MAX_DOCUMENT_BYTES {
            return Err(PatchError::TooLarge);
        }
    }
    Ok(document)
}

fn pointer(text: &str) -> Result<&str, PatchError> {
    if text.is_empty() || text.starts_with('/') { Ok(text) } else { Err(PatchError::Pointer(text.to_owned())) }
}

fn find<'a>(document: &'a Value, path: &str) -> Result<&'a Value, PatchError> {
    document.pointer(pointer(path)?).ok_or_else(|| PatchError::Missing(path.to_owned()))
}

/// The container and the decoded last step of a path.
fn split<'a>(document: &'a mut Value, path: &str) -> Result<(&'a mut Value, String), PatchError> {
    let (parent, last) = pointer(path)?.rsplit_once('/').ok_or_else(|| PatchError::Pointer(path.to_owned()))?;
    let container = document.pointer_mut(parent).ok_or_else(|| PatchError::Missing(path.to_owned()))?;
    Ok((container, last.replace("~1", "/").replace("~0", "~")))
}

fn add(document: &mut Value, path: &str, value: Value) -> Result<(), PatchError> {
    if path.is_empty() {
        *document = value;
        return Ok(());
    }
    let missing = || PatchError::Missing(path.to_owned());
    match split(document, path)? {
        (Value::Object(members), name) => {
            members.insert(name, value);
        }
        (Value::Array(items), index) => {
            let index = if index == "-" { items.len() } else { array_index(&index).ok_or_else(missing)? };
            if index > items.len() {
                return Err(missing());
            }
            items.insert(index, value);
        }
        _ => return Err(missing()),
    }
    Ok(())
}

fn remove(document: &mut Value, path: &str) -> Result<Value, PatchError> {
    let missing = || PatchError::Missing(path.to_owned());
    match split(document, path)? {
        (Value::Object(members), name) => members.shift_remove(&name).ok_or_else(missing),
        (Value::Array(items), index) => {
            let index = array_index(&index).filter(|index| *index < items.len()).ok_or_else(missing)?;
            Ok(items.remove(index))
        }
        _ => Err(missing()),
    }
}

/// RFC 6901 section 4: no leading zeros, no signs.
fn array_index(text: &str) -> Option<usize> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(document: Value, patch: Value) -> Result<Value, PatchError> {
        apply(document, &serde_json::from_value::<Vec<PatchOperation>>(patch).unwrap())
    }

    #[test]
    fn copies_into_themselves_end_early() {
        // Each puts the whole document where its chain of members ends.
        let chains = [1, 3, 7, 15, 31, 63];
        let copies: Vec<Value> =
            chains.iter().map(|chain| json!({"op": "copy", "from": "", "path": "/a".repeat(chain + 1)})).collect();
        assert_eq!(patched(json!({"a": {}}), Value::Array(copies)), Err(PatchError::TooDeep));
    }

    #[test]
    fn the_examples_of_the_rfc_hold() {
        let cases = [
            (
                json!({"foo": "bar"}),
                json!([{"op": "add", "path": "/baz", "value": "qux"}]),
                json!({"foo": "bar", "baz": "qux"}),
            ),
            (
                json!({"foo": ["bar", "baz"]}),
                json!([{"op": "add", "path": "/foo/1", "value": "qux"}]),
                json!({"foo": ["bar", "qux", "baz"]}),
            ),
            (
                json!({"foo": ["bar", "qux", "baz"]}),
                json!([{"op": "remove", "path": "/foo/1"}]),
                json!({"foo": ["bar", "baz"]}),
            ),
            (json!({"baz": "qux"}), json!([{"op": "replace", "path": "/baz", "value": "boo"}]), json!({"baz": "boo"})),
            (
                json!({"foo": {"bar": 1}, "qux": {}}),
                json!([{"op": "move", "from": "/foo/bar", "path": "/qux/thud"}]),
                json!({"foo": {}, "qux": {"thud": 1}}),
            ),
            (
                json!({"/": 9, "~1": 10}),
                json!([{"op": "test", "path": "/~01", "value": 10}]),
                json!({"/": 9, "~1": 10}),
            ),
            (
                json!({"foo": ["bar"]}),
                json!([{"op": "add", "path": "/foo/-", "value": ["abc"]}]),
                json!({"foo": ["bar", ["abc"]]}),
            ),
            (json!({"a": 1}), json!([{"op": "copy", "from": "/a", "path": "/b"}]), json!({"a": 1, "b": 1})),
        ];
        for (document, patch, expected) in cases {
            assert_eq!(patched(document, patch.clone()), Ok(expected), "{patch}");
        }
    }

    #[test]
    fn impossible_operations_are_refused() {
        let missing = |path: &str| Err(PatchError::Missing(path.to_owned()));
        assert_eq!(patched(json!({}), json!([{"op": "remove", "path": "/a"}])), missing("/a"));
        assert_eq!(patched(json!({"a": [1]}), json!([{"op": "add", "path": "/a/2", "value": 1}])), missing("/a/2"));
        assert_eq!(patched(json!({"a": [1, 2]}), json!([{"op": "remove", "path": "/a/01"}])), missing("/a/01"));
        assert_eq!(patched(json!({}), json!([{"op": "add", "path": "/a/b", "value": 1}])), missing("/a/b"));
        let failed = patched(json!({"a": 1}), json!([{"op": "test", "path": "/a", "value": 2}]));
        assert_eq!(failed, Err(PatchError::TestFailed("/a".to_owned())));
        let moved = patched(json!({"a": {}}), json!([{"op": "move", "from": "/a", "path": "/a/b"}]));
        assert_eq!(moved, Err(PatchError::IntoItself("/a".to_owned())));
        let unrooted = patched(json!({}), json!([{"op": "add", "path": "a", "value": 1}]));
        assert_eq!(unrooted, Err(PatchError::Pointer("a".to_owned())));
    }

    #[test]
    fn replacing_what_is_missing_adds_it() {
        let patch = json!([{"op": "replace", "path": "/a", "value": 1}]);
        assert_eq!(patched(json!({}), patch), Ok(json!({"a": 1})));
    }

    #[test]
    fn a_document_cannot_be_doubled_for_ever() {
        let copies: Vec<_> = (0..64).map(|n| json!({"op": "copy", "from": "", "path": format!("/{n}")})).collect();
        assert_eq!(patched(json!({"a": "x".repeat(1000)}), json!(copies)), Err(PatchError::TooLarge));
    }
}
