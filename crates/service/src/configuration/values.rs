//! Access to a section as an untyped tree of values.

use serde_json::Value;

/// The value at a dotted path of keys.
pub fn get<'a>(section: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(section, |value, key| value.get(key))
}

/// Like [`get`], for paths whose steps may be indexes of lists.
pub fn get_item<'a>(section: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(section, |value, step| match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        value => value.get(step),
    })
}

/// The text at a dotted path of keys.
pub fn text<'a>(section: &'a Value, path: &str) -> Option<&'a str> {
    get(section, path)?.as_str()
}

/// Whether the value at a dotted path of keys is `true`.
pub fn is_true(section: &Value, path: &str) -> bool {
    get(section, path).and_then(Value::as_bool) == Some(true)
}

/// The dotted paths of all leaves. A list of plain values is one leaf; a list of objects is traversed.
pub fn leaves(section: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(section, &mut String::new(), &mut found);
    found
}

fn walk(value: &Value, path: &mut String, found: &mut Vec<String>) {
    let mut enter = |key: &str, value: &Value| {
        let length = path.len();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(key);
        walk(value, path, found);
        path.truncate(length);
    };
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| enter(key, value)),
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().enumerate().for_each(|(index, value)| enter(&index.to_string(), value));
        }
        _ => found.push(path.clone()),
    }
}
