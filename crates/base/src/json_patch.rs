//! JSON Patch (RFC 6902) for the admin APIs. A library applies the operations; this module adds two extensions that clients of
//! the replaced systems rely on, and limits for documents of clients:
//! - `add` and `replace` create missing parents, and `replace` of a missing member adds it.
//! - No step may produce a document that nests deeper than [`MAX_NESTING`], or that grew by copying beyond a megabyte.

use json_patch::jsonptr::{Pointer, PointerBuf};
use json_patch::{
    AddOperation, CopyOperation, MoveOperation, PatchErrorKind, RemoveOperation, ReplaceOperation, TestOperation,
};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::{MAX_NESTING, is_nested_too_deep};

/// The size of the largest document that copying may produce.
const MAX_COPIED_BYTES: usize = 1 << 20;

/// One step of a patch.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct PatchOperation(json_patch::PatchOperation);

/// A step as it is written. It is deserialized first, so that an error names its member.
#[derive(Deserialize)]
struct Written {
    op: String,
    path: String,
    from: Option<String>,
    #[serde(default, deserialize_with = "even_null")]
    value: Option<Value>,
}

/// Distinguishes a value that is null from a missing one.
fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl TryFrom<Written> for PatchOperation {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        use json_patch::PatchOperation as Operation;

        let Written { op, path, from, value } = written;
        let path = pointer("path", path)?;
        let value = || value.ok_or_else(|| format!("value: required by \"{op}\""));
        let from = || pointer("from", from.ok_or_else(|| format!("from: required by \"{op}\""))?);
        Ok(Self(match op.as_str() {
            "add" => Operation::Add(AddOperation { value: value()?, path }),
            "remove" => Operation::Remove(RemoveOperation { path }),
            "replace" => Operation::Replace(ReplaceOperation { value: value()?, path }),
            "move" => Operation::Move(MoveOperation { from: from()?, path }),
            "copy" => Operation::Copy(CopyOperation { from: from()?, path }),
            "test" => Operation::Test(TestOperation { value: value()?, path }),
            _ => return Err(format!("op: \"{op}\" is not one of add, remove, replace, move, copy and test")),
        }))
    }
}

fn pointer(member: &str, text: String) -> Result<PointerBuf, String> {
    PointerBuf::parse(text).map_err(|error| format!("{member}: \"{}\" is not a JSON pointer", error.subject()))
}

/// Why a step failed; `index` counts the steps from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    #[error("{index}.path: no value exists at \"{path}\"")]
    NothingAtPath { index: usize, path: String },
    #[error("{index}.from: no value exists to put at \"{path}\"")]
    NothingAtFrom { index: usize, path: String },
    #[error("{index}.value: the value at \"{path}\" is different")]
    TestFailed { index: usize, path: String },
    #[error("{index}.path: \"{path}\" is inside the moved value")]
    IntoItself { index: usize, path: String },
    #[error("{index}: the document would be longer than {MAX_COPIED_BYTES} bytes")]
    TooLarge { index: usize },
    #[error("{index}.path: nested deeper than {MAX_NESTING} levels")]
    TooDeep { index: usize },
}

impl PatchOperation {
    /// The name of the operation, as in `op`.
    pub fn name(&self) -> &'static str {
        match self.0 {
            json_patch::PatchOperation::Add(_) => "add",
            json_patch::PatchOperation::Remove(_) => "remove",
            json_patch::PatchOperation::Replace(_) => "replace",
            json_patch::PatchOperation::Move(_) => "move",
            json_patch::PatchOperation::Copy(_) => "copy",
            json_patch::PatchOperation::Test(_) => "test",
        }
    }

    pub fn path(&self) -> &str {
        self.0.path().as_str()
    }

    /// The decoded names and indexes of `path`, from the top.
    pub fn steps(&self) -> Vec<String> {
        self.0.path().tokens().map(|token| token.decoded().into_owned()).collect()
    }

    /// The source path of `move` and `copy`.
    pub fn from(&self) -> Option<&str> {
        match &self.0 {
            json_patch::PatchOperation::Move(operation) => Some(operation.from.as_str()),
            json_patch::PatchOperation::Copy(operation) => Some(operation.from.as_str()),
            _ => None,
        }
    }
}

/// Applies the steps in order. If one fails, the document is in an undefined state.
pub fn apply(document: &mut Value, patch: &[PatchOperation]) -> Result<(), PatchError> {
    for (index, PatchOperation(operation)) in patch.iter().enumerate() {
        apply_one(document, operation, index)?;
    }
    Ok(())
}

fn apply_one(document: &mut Value, operation: &json_patch::PatchOperation, index: usize) -> Result<(), PatchError> {
    use json_patch::PatchOperation as Operation;

    let path = operation.path();
    if path.count() > MAX_NESTING {
        return Err(PatchError::TooDeep { index });
    }
    let added = match operation {
        Operation::Replace(ReplaceOperation { path, value }) if lacks_member(make_parent(document, path), path) => {
            Some(Operation::Add(AddOperation { path: path.clone(), value: value.clone() }))
        }
        Operation::Add(AddOperation { path, .. }) => {
            make_parent(document, path);
            None
        }
        _ => None,
    };
    let operation = added.as_ref().unwrap_or(operation);
    json_patch::patch_unsafe(document, std::slice::from_ref(operation)).map_err(|error| {
        let path = path.as_str().to_owned();
        match error.kind {
            PatchErrorKind::TestFailed => PatchError::TestFailed { index, path },
            PatchErrorKind::InvalidFromPointer => PatchError::NothingAtFrom { index, path },
            PatchErrorKind::CannotMoveInsideItself => PatchError::IntoItself { index, path },
            _ => PatchError::NothingAtPath { index, path },
        }
    })?;
    // Checked after each step, because the next one could copy the document into itself; and before the size, which is computed
    // recursively.
    if is_nested_too_deep(document) {
        return Err(PatchError::TooDeep { index });
    }
    if matches!(operation, Operation::Copy(_)) && document.to_string().len() > MAX_COPIED_BYTES {
        return Err(PatchError::TooLarge { index });
    }
    Ok(())
}

/// The parent of the value at `path`; missing and null parents become objects. `None` if a parent is neither an object nor a
/// list.
fn make_parent<'v>(document: &'v mut Value, path: &Pointer) -> Option<&'v mut Value> {
    let parent = path.parent()?.tokens().try_fold(document, |value, token| {
        if value.is_null() {
            *value = Value::Object(Map::new());
        }
        match value {
            Value::Object(members) => Some(members.entry(token.decoded()).or_insert(Value::Null)),
            Value::Array(items) => {
                let at = token.to_index().ok()?.for_len(items.len()).ok()?;
                items.get_mut(at)
            }
            _ => None,
        }
    })?;
    if parent.is_null() {
        *parent = Value::Object(Map::new());
    }
    Some(parent)
}

fn lacks_member(parent: Option<&mut Value>, path: &Pointer) -> bool {
    match (parent, path.last()) {
        (Some(Value::Object(members)), Some(last)) => !members.contains_key(last.decoded().as_ref()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(patch: Value) -> Result<Vec<PatchOperation>, serde_json::Error> {
        serde_json::from_value(patch)
    }

    fn patched(mut document: Value, patch: Value) -> Result<Value, PatchError> {
        apply(&mut document, &read(patch).unwrap())?;
        Ok(document)
    }

    #[test]
    fn the_operations_follow_the_rfc() {
        let document = json!({"foo": ["bar", "baz"], "/": 9, "~1": 10});
        let steps = json!([
            {"op": "add", "path": "/foo/1", "value": "qux"},
            {"op": "add", "path": "/foo/-", "value": null},
            {"op": "remove", "path": "/foo/0"},
            {"op": "replace", "path": "/foo/0", "value": {"a": 1}},
            {"op": "test", "path": "/~01", "value": 10},
            {"op": "move", "from": "/foo/0/a", "path": "/a~1b"},
            {"op": "copy", "from": "/a~1b", "path": "/c"},
        ]);
        let expected = json!({"foo": [{}, "baz", null], "/": 9, "~1": 10, "a/b": 1, "c": 1});
        assert_eq!(patched(document, steps), Ok(expected));
    }

    #[test]
    fn missing_parents_and_members_are_created() {
        let steps = json!([
            {"op": "replace", "path": "/traits/new", "value": 1},
            {"op": "add", "path": "/metadata/a~1b/c", "value": true},
            {"op": "replace", "path": "/fresh/one", "value": 2},
        ]);
        let expected = json!({"traits": {"new": 1}, "metadata": {"a/b": {"c": true}}, "fresh": {"one": 2}});
        assert_eq!(patched(json!({"traits": {}, "metadata": null}), steps), Ok(expected));
    }

    #[test]
    fn impossible_steps_are_refused_with_their_index() {
        let document = || json!({"a": [1, 2], "b": {}, "c": "text"});
        let refused = |step: Value| {
            let first = json!({"op": "test", "path": "/b", "value": {}});
            patched(document(), json!([first, step])).unwrap_err().to_string()
        };
        let missing = |path: &str| format!("1.path: no value exists at \"{path}\"");
        assert_eq!(refused(json!({"op": "remove", "path": "/x"})), missing("/x"));
        assert_eq!(refused(json!({"op": "remove", "path": "/a/01"})), missing("/a/01"));
        assert_eq!(refused(json!({"op": "remove", "path": "/a/2"})), missing("/a/2"));
        assert_eq!(refused(json!({"op": "add", "path": "/a/3", "value": 1})), missing("/a/3"));
        assert_eq!(refused(json!({"op": "replace", "path": "/a/2", "value": 1})), missing("/a/2"));
        assert_eq!(refused(json!({"op": "add", "path": "/c/d", "value": 1})), missing("/c/d"));
        assert_eq!(
            refused(json!({"op": "copy", "from": "/x", "path": "/y"})),
            "1.from: no value exists to put at \"/y\""
        );
        assert_eq!(
            refused(json!({"op": "test", "path": "/c", "value": 2})),
            "1.value: the value at \"/c\" is different"
        );
        assert_eq!(
            refused(json!({"op": "move", "from": "/b", "path": "/b/c"})),
            "1.path: \"/b/c\" is inside the moved value"
        );
    }

    #[test]
    fn a_malformed_operation_is_refused_with_its_reason() {
        for (step, reason) in [
            (json!({"op": "add", "path": "/a"}), "value: required by \"add\""),
            (json!({"op": "move", "path": "/a"}), "from: required by \"move\""),
            (json!({"op": "remove", "path": "a"}), "path: \"a\" is not a JSON pointer"),
            (json!({"op": "remove", "path": "/~2"}), "path: \"/~2\" is not a JSON pointer"),
            (json!({"op": "copy", "path": "/a", "from": "b"}), "from: \"b\" is not a JSON pointer"),
            (json!({"op": "Add", "path": "/a"}), "op: \"Add\" is not one of"),
        ] {
            let error = read(json!([step])).unwrap_err().to_string();
            assert!(error.starts_with(reason), "{error}");
        }
    }

    #[test]
    fn no_patch_produces_a_document_beyond_the_bounds_of_a_body() {
        // Each step copies the whole document to the end of its chain of members.
        let chains = [1, 3, 7, 15, 31, 63];
        let copies: Vec<Value> =
            chains.iter().map(|chain| json!({"op": "copy", "from": "", "path": "/a".repeat(chain + 1)})).collect();
        assert!(matches!(patched(json!({"a": {}}), Value::Array(copies)), Err(PatchError::TooDeep { .. })));
        let step = |times: usize| json!({"op": "add", "path": "/a".repeat(times + 1), "value": {"a": {}}});
        let near = MAX_NESTING - 4;
        assert!(patched(json!({}), json!([step(near)])).is_ok());
        assert_eq!(patched(json!({}), json!([step(near), step(near + 2)])), Err(PatchError::TooDeep { index: 1 }));
        assert_eq!(patched(json!({}), json!([step(1_000_000)])), Err(PatchError::TooDeep { index: 0 }));
        let copies: Vec<_> = (0..64).map(|n| json!({"op": "copy", "from": "", "path": format!("/{n}")})).collect();
        let doubled = patched(json!({"a": "x".repeat(1000)}), json!(copies));
        assert!(matches!(doubled, Err(PatchError::TooLarge { .. })));
    }
}
