//! JSON Patch (RFC 6902) as the admin APIs take it. The library carries the operations out; what is added here are two
//! liberties that clients of the replaced systems rely on, and the limits that a document from outside has:
//! - `add` and `replace` make the parents that are missing, and `replace` of a member that is missing adds it.
//! - No step leaves a document that nests deeper than [`MAX_NESTING`], or that grew by copying past a megabyte.

use json_patch::jsonptr::{Pointer, PointerBuf};
use json_patch::{
    AddOperation, CopyOperation, MoveOperation, PatchErrorKind, RemoveOperation, ReplaceOperation, TestOperation,
};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::{MAX_NESTING, is_nested_too_deep};

/// The longest document that copying may build.
const MAX_COPIED_BYTES: usize = 1 << 20;

/// One step of a patch.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct PatchOperation(json_patch::PatchOperation);

/// A step as it is written. Read so, the member that is wrong is named.
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
        use json_patch::PatchOperation as Operation;

        let Written { op, path, from, value } = written;
        let path = pointer("path", path)?;
        let value = || value.ok_or_else(|| format!("value: \"{op}\" needs it"));
        let from = || pointer("from", from.ok_or_else(|| format!("from: \"{op}\" needs it"))?);
        Ok(Self(match op.as_str() {
            "add" => Operation::Add(AddOperation { value: value()?, path }),
            "remove" => Operation::Remove(RemoveOperation { path }),
            "replace" => Operation::Replace(ReplaceOperation { value: value()?, path }),
            "move" => Operation::Move(MoveOperation { from: from()?, path }),
            "copy" => Operation::Copy(CopyOperation { from: from()?, path }),
            "test" => Operation::Test(TestOperation { value: value()?, path }),
            _ => return Err(format!("op: \"{op}\" is none of add, remove, replace, move, copy and test")),
        }))
    }
}

fn pointer(member: &str, text: String) -> Result<PointerBuf, String> {
    PointerBuf::parse(text).map_err(|error| format!("{member}: \"{}\" is no JSON pointer", error.subject()))
}

/// Why a step cannot be carried out; `index` counts the steps from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    #[error("{index}.path: there is nothing at \"{path}\"")]
    NothingAtPath { index: usize, path: String },
    #[error("{index}.from: there is nothing to take for \"{path}\"")]
    NothingAtFrom { index: usize, path: String },
    #[error("{index}.value: something else stands at \"{path}\"")]
    TestFailed { index: usize, path: String },
    #[error("{index}.path: \"{path}\" lies in what is to be moved")]
    IntoItself { index: usize, path: String },
    #[error("{index}: the document would be longer than {MAX_COPIED_BYTES} bytes")]
    TooLarge { index: usize },
    #[error("{index}.path: it leads deeper than {MAX_NESTING} levels")]
    TooDeep { index: usize },
}

impl PatchOperation {
    /// `op` as it is written.
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

    /// Where a value is taken from.
    pub fn from(&self) -> Option<&str> {
        match &self.0 {
            json_patch::PatchOperation::Move(operation) => Some(operation.from.as_str()),
            json_patch::PatchOperation::Copy(operation) => Some(operation.from.as_str()),
            _ => None,
        }
    }
}

/// Carries the steps out in order. When one fails, the document is worth nothing.
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
    // After each step, because the next one could put the document into itself once more; and first, because the size is
    // counted by walking down.
    if is_nested_too_deep(document) {
        return Err(PatchError::TooDeep { index });
    }
    if matches!(operation, Operation::Copy(_)) && document.to_string().len() > MAX_COPIED_BYTES {
        return Err(PatchError::TooLarge { index });
    }
    Ok(())
}

/// The value that holds what `path` leads to; missing and null ones on the way become objects. `None` where no object or
/// list could be.
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
    fn the_operations_do_what_the_rfc_says() {
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
    fn missing_parents_and_members_are_made() {
        let steps = json!([
            {"op": "replace", "path": "/traits/new", "value": 1},
            {"op": "add", "path": "/metadata/a~1b/c", "value": true},
            {"op": "replace", "path": "/fresh/one", "value": 2},
        ]);
        let expected = json!({"traits": {"new": 1}, "metadata": {"a/b": {"c": true}}, "fresh": {"one": 2}});
        assert_eq!(patched(json!({"traits": {}, "metadata": null}), steps), Ok(expected));
    }

    #[test]
    fn impossible_steps_are_named() {
        let document = || json!({"a": [1, 2], "b": {}, "c": "text"});
        let refused = |step: Value| {
            let first = json!({"op": "test", "path": "/b", "value": {}});
            patched(document(), json!([first, step])).unwrap_err().to_string()
        };
        let missing = |path: &str| format!("1.path: there is nothing at \"{path}\"");
        assert_eq!(refused(json!({"op": "remove", "path": "/x"})), missing("/x"));
        assert_eq!(refused(json!({"op": "remove", "path": "/a/01"})), missing("/a/01"));
        assert_eq!(refused(json!({"op": "remove", "path": "/a/2"})), missing("/a/2"));
        assert_eq!(refused(json!({"op": "add", "path": "/a/3", "value": 1})), missing("/a/3"));
        assert_eq!(refused(json!({"op": "replace", "path": "/a/2", "value": 1})), missing("/a/2"));
        assert_eq!(refused(json!({"op": "add", "path": "/c/d", "value": 1})), missing("/c/d"));
        assert_eq!(
            refused(json!({"op": "copy", "from": "/x", "path": "/y"})),
            "1.from: there is nothing to take for \"/y\""
        );
        assert_eq!(
            refused(json!({"op": "test", "path": "/c", "value": 2})),
            "1.value: something else stands at \"/c\""
        );
        assert_eq!(
            refused(json!({"op": "move", "from": "/b", "path": "/b/c"})),
            "1.path: \"/b/c\" lies in what is to be moved"
        );
    }

    #[test]
    fn a_malformed_operation_is_refused_with_its_reason() {
        for (step, told) in [
            (json!({"op": "add", "path": "/a"}), "value: \"add\" needs it"),
            (json!({"op": "move", "path": "/a"}), "from: \"move\" needs it"),
            (json!({"op": "remove", "path": "a"}), "path: \"a\" is no JSON pointer"),
            (json!({"op": "remove", "path": "/~2"}), "path: \"/~2\" is no JSON pointer"),
            (json!({"op": "copy", "path": "/a", "from": "b"}), "from: \"b\" is no JSON pointer"),
            (json!({"op": "Add", "path": "/a"}), "op: \"Add\" is none of"),
        ] {
            let error = read(json!([step])).unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
    }

    #[test]
    fn no_patch_builds_what_no_body_may_bring() {
        // Each puts the whole document where its chain of members ends.
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
