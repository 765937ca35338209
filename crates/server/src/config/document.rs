//! Configuration as an untyped tree of values: merging, setting a key, listing leaves.

use serde_json::{Map, Value};
pub(super) use service::configuration::values::{get, leaves};

/// The largest array index that an environment variable can set.
const INDEX_LIMIT: usize = 256;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// Merges `over` into `under`: objects are merged key by key, anything else is replaced.
pub(super) fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                match under.get_mut(&key) {
                    Some(known) => merge(known, value),
                    None => {
                        under.insert(key, value);
                    }
                }
            }
        }
        (under, over) => *under = over,
    }
}

/// Fills in from `under` what is missing in `over`.
pub(super) fn fill(over: &mut Value, under: &Value) {
    let (Value::Object(over), Value::Object(under)) = (over, under) else { return };
    for (key, value) in under {
        match over.get_mut(key) {
            Some(known) => fill(known, value),
            None => {
                over.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Sets `value` at `path` and creates the objects and arrays on the way. `false` when an index is too large.
pub(super) fn set(document: &mut Value, path: &[Step], value: Value) -> bool {
    let mut place = document;
    for step in path {
        match step {
            Step::Key(key) => {
                if !place.is_object() {
                    *place = Value::Object(Map::new());
                }
                let Value::Object(object) = place else { return false };
                place = object.entry(key.clone()).or_insert(Value::Null);
            }
            Step::Index(index) => {
                if *index >= INDEX_LIMIT {
                    return false;
                }
                if !place.is_array() {
                    *place = Value::Array(Vec::new());
                }
                let Value::Array(items) = place else { return false };
                if items.len() <= *index {
                    items.resize(index + 1, Value::Null);
                }
                let Some(item) = items.get_mut(*index) else { return false };
                place = item;
            }
        }
    }
    *place = value;
    true
}

/// Sets `value` at a dotted path of keys unless a value exists there.
pub(super) fn set_default(document: &mut Value, path: &str, value: Value) {
    if get(document, path).is_none() {
        let steps: Vec<Step> = path.split('.').map(|key| Step::Key(key.to_owned())).collect();
        set(document, &steps, value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn later_values_win_and_other_members_stay() {
        let mut document = json!({"a": {"b": 1, "c": [1, 2]}});
        merge(&mut document, json!({"a": {"c": [3]}, "d": null}));
        assert_eq!(document, json!({"a": {"b": 1, "c": [3]}, "d": null}));
        fill(&mut document, &json!({"a": {"b": 9, "e": 5}}));
        assert_eq!(document, json!({"a": {"b": 1, "c": [3], "e": 5}, "d": null}));
    }

    #[test]
    fn arrays_grow_to_the_index_that_is_set_up_to_a_limit() {
        let mut document = json!({});
        let path = |index| [Step::Key("a".into()), Step::Index(index), Step::Key("id".into())];
        assert!(set(&mut document, &path(1), json!("x")));
        assert_eq!(document, json!({"a": [null, {"id": "x"}]}));
        assert!(!set(&mut document, &path(usize::MAX), json!("x")));
    }

    #[test]
    fn leaves_are_named_by_their_paths() {
        let document = json!({"a": {"b": [1, 2]}, "c": [{"d": true}]});
        assert_eq!(leaves(&document), ["a.b", "c.0.d"]);
    }
}
