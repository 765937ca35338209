//! JSON Patch (RFC 6902) as the admin API takes it: `add`, `remove` and `replace` alone. A missing parent is made, and
//! `replace` of what is missing adds it, because that is what callers have come to rely on.

use base::{MAX_NESTING, is_nested_too_deep};
use serde::Deserialize;
use serde_json::{Map, Value};

/// One step of a patch.
#[derive(Clone, Debug, Deserialize)]
pub struct Operation {
    pub op: String,
    pub path: String,
    #[serde(default)]
    pub value: Option<Value>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    #[error("{index}.op: unsupported operation \"{op}\"")]
    UnsupportedOperation { index: usize, op: String },
    #[error("{index}.path: \"{path}\" is no JSON pointer")]
    InvalidPath { index: usize, path: String },
    #[error("{index}.path: \"{path}\" may not be patched")]
    Denied { index: usize, path: String },
    #[error("{index}.value: missing")]
    MissingValue { index: usize },
    #[error("{index}.path: \"{path}\" does not exist")]
    NotFound { index: usize, path: String },
    #[error("{index}.path: it leads deeper than {MAX_NESTING} levels")]
    TooDeep { index: usize },
}

/// Applies the steps in order. `denied` are patterns of paths: `**` stands for everything below, case does not count.
pub fn apply(document: &mut Value, operations: &[Operation], denied: &[&str]) -> Result<(), PatchError> {
    for (index, operation) in operations.iter().enumerate() {
        let path = operation.path.clone();
        if !matches!(operation.op.as_str(), "add" | "remove" | "replace") {
            return Err(PatchError::UnsupportedOperation { index, op: operation.op.clone() });
        }
        let segments = segments(&path).ok_or_else(|| PatchError::InvalidPath { index, path: path.clone() })?;
        let Some((last, parents)) = segments.split_last() else {
            return Err(PatchError::Denied { index, path });
        };
        if segments.len() > MAX_NESTING {
            return Err(PatchError::TooDeep { index });
        }
        if denied.iter().any(|pattern| matches(pattern, &segments)) {
            return Err(PatchError::Denied { index, path });
        }
        let done = if operation.op == "remove" {
            find(document, parents).is_some_and(|parent| remove(parent, last))
        } else {
            let value = operation.value.clone().ok_or(PatchError::MissingValue { index })?;
            let parent = make(document, parents);
            parent.is_some_and(|parent| set(parent, last, value, operation.op == "replace"))
        };
        if !done {
            return Err(PatchError::NotFound { index, path });
        }
        // After each step: the next one could put this into itself once more.
        if is_nested_too_deep(document) {
            return Err(PatchError::TooDeep { index });
        }
    }
    Ok(())
}

/// RFC 6901: `~1` is a slash, `~0` a tilde.
fn segments(path: &str) -> Option<Vec<String>> {
    if path.is_empty() {
        return Some(Vec::new());
    }
    let rest = path.strip_prefix('/')?;
    Some(rest.split('/').map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect())
}

fn matches(pattern: &str, segments: &[String]) -> bool {
    let mut patterns = pattern.trim_start_matches('/').split('/');
    let mut segments = segments.iter();
    loop {
        match (patterns.next(), segments.next()) {
            (Some("**"), _) | (None, None) => return true,
            (Some(pattern), Some(segment)) if pattern.eq_ignore_ascii_case(segment) => {}
            _ => return false,
        }
    }
}

fn index(segment: &str) -> Option<usize> {
    let canonical = segment == "0" || !segment.starts_with('0');
    (canonical && segment.bytes().all(|b| b.is_ascii_digit())).then(|| segment.parse().ok()).flatten()
}

fn find<'v>(document: &'v mut Value, path: &[String]) -> Option<&'v mut Value> {
    path.iter().try_fold(document, |value, segment| match value {
        Value::Object(object) => object.get_mut(segment),
        Value::Array(items) => items.get_mut(index(segment)?),
        _ => None,
    })
}

/// As [`find`], making the objects that are missing.
fn make<'v>(document: &'v mut Value, path: &[String]) -> Option<&'v mut Value> {
    path.iter().try_fold(document, |value, segment| {
        if value.is_null() {
            *value = Value::Object(Map::new());
        }
        match value {
            Value::Object(object) => Some(object.entry(segment.clone()).or_insert(Value::Null)),
            Value::Array(items) => items.get_mut(index(segment)?),
            _ => None,
        }
    })
}

fn set(parent: &mut Value, last: &str, value: Value, replaces: bool) -> bool {
    if parent.is_null() {
        *parent = Value::Object(Map::new());
    }
    match parent {
        Value::Object(object) => {
            object.insert(last.to_owned(), value);
            true
        }
        Value::Array(items) if replaces => match index(last).and_then(|at| items.get_mut(at)) {
            Some(slot) => {
                *slot = value;
                true
            }
            None => false,
        },
        Value::Array(items) if last == "-" => {
            items.push(value);
            true
        }
        Value::Array(items) => match index(last) {
            Some(at) if at <= items.len() => {
                items.insert(at, value);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

fn remove(parent: &mut Value, last: &str) -> bool {
    match parent {
        // Order is kept: it is the schema's and the reader's.
        Value::Object(object) => object.shift_remove(last).is_some(),
        Value::Array(items) => match index(last) {
            Some(at) if at < items.len() => {
                items.remove(at);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn patched(document: Value, operations: Value) -> Result<Value, PatchError> {
        let mut document = document;
        let operations: Vec<Operation> = serde_json::from_value(operations).unwrap();
        apply(&mut document, &operations, &["/id", "/credentials", "/credentials/oidc/**"])?;
        Ok(document)
    }

    #[test]
    fn the_three_operations_do_what_the_rfc_says_and_a_little_more() {
        let document = json!({"traits": {"email": "a"}, "list": [1, 2], "metadata": null});
        let steps = json!([
            {"op": "replace", "path": "/traits/email", "value": "b"},
            {"op": "replace", "path": "/traits/new", "value": 1},
            {"op": "add", "path": "/metadata/a~1b/c", "value": true},
            {"op": "add", "path": "/list/1", "value": 9},
            {"op": "add", "path": "/list/-", "value": 3},
            {"op": "replace", "path": "/list/0", "value": 0},
            {"op": "remove", "path": "/list/2"},
        ]);
        let expected = json!({
            "traits": {"email": "b", "new": 1}, "list": [0, 9, 3], "metadata": {"a/b": {"c": true}},
        });
        assert_eq!(patched(document, steps), Ok(expected));
    }

    #[test]
    fn steps_cannot_build_what_no_step_may_bring() {
        let step = |times: usize| json!({"op": "add", "path": format!("/a{}", "/a".repeat(times)), "value": {"a": {}}});
        let near = MAX_NESTING - 4;
        assert!(patched(json!({}), json!([step(near)])).is_ok());
        let refused = patched(json!({}), json!([step(near), step(near + 2)]));
        assert_eq!(refused, Err(PatchError::TooDeep { index: 1 }));
    }

    #[test]
    fn what_may_not_be_patched_is_refused_in_any_case() {
        let try_path = |op: &str, path: &str| {
            patched(json!({"id": 1, "list": []}), json!([{"op": op, "path": path, "value": 2}])).unwrap_err()
        };
        for path in ["/id", "/ID", "/credentials", "/credentials/oidc/config", "/Credentials/OIDC", ""] {
            assert!(matches!(try_path("replace", path), PatchError::Denied { .. }), "{path}");
        }
        for op in ["move", "copy", "test", ""] {
            assert!(matches!(try_path(op, "/x"), PatchError::UnsupportedOperation { .. }), "{op}");
        }
        assert!(matches!(try_path("replace", "/list/0"), PatchError::NotFound { .. }));
        assert!(matches!(try_path("remove", "/nothing"), PatchError::NotFound { .. }));
        assert!(matches!(try_path("add", "id"), PatchError::InvalidPath { .. }));
        assert!(matches!(try_path("add", "/list/01"), PatchError::NotFound { .. }));
        let deep = |steps: usize| try_path("add", &"/a".repeat(steps));
        assert_eq!(deep(MAX_NESTING + 1), PatchError::TooDeep { index: 0 });
        assert_eq!(deep(1_000_000), PatchError::TooDeep { index: 0 });
        let no_value = patched(json!({}), json!([{"op": "add", "path": "/x"}]));
        assert_eq!(no_value, Err(PatchError::MissingValue { index: 0 }));
        assert!(
            patched(json!({}), json!([{"op": "add", "path": "/credentials/password/config/x", "value": 1}])).is_ok()
        );
    }
}
