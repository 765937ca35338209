//! Submissions, decoded in the same way from JSON and from forms.
//!
//! A form names the members of objects by dotted paths (`traits.name.first`) and lists by repetition or by numbers
//! (`traits.emails.0`). Its values are text. Values that the identity schema declares as numbers or booleans are converted.

use std::collections::BTreeMap;

use base::bounds::PARAMETERS;
use serde_json::{Map, Number, Value};

/// The kind of value that the identity schema declares for a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    Text,
    Integer,
    Number,
    Boolean,
    /// A list, sent as one field for each item.
    List(ItemKind),
}

/// The kind of the items of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    Text,
    Integer,
    Number,
    Boolean,
}

/// One field of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldRule {
    pub kind: FieldKind,
    pub required: bool,
}

/// The fields of a schema, by dotted path. The items of lists are under `#`, as in `traits.emails.#`.
pub type FieldRules = BTreeMap<String, FieldRule>;

/// The maximum depth of a path, far beyond any legitimate form. The number of fields is limited for all forms.
const MAX_DEPTH: usize = 32;
const MAX_INDEX: usize = 500;
/// How many items a form may leave out in all of its lists together: `a.499.499=x` sets one value and leaves out 998.
const MAX_GAPS: usize = 2000;

/// The form cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    #[error("the form has too many fields")]
    TooManyFields,
    #[error("the lists of the form leave out more than {MAX_GAPS} items")]
    TooManyGaps,
    #[error("the field `{0}` is nested too deeply")]
    TooDeep(String),
    #[error("the field `{0}` contradicts another field")]
    Contradiction(String),
    /// The body has no supported format.
    #[error("{0}")]
    Unreadable(String),
}

/// Decodes the fields of a form, in the order in which they were sent.
pub fn decode(fields: &[(String, String)], rules: &FieldRules) -> Result<Map<String, Value>, FormError> {
    if fields.len() > PARAMETERS {
        return Err(FormError::TooManyFields);
    }
    let mut grouped: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut urls: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, value) in fields {
        let place = *urls.entry(name).or_insert_with(|| {
            grouped.push((name, Vec::new()));
            grouped.len() - 1
        });
        grouped[place].1.push(value);
    }
    let mut root = Value::Object(Map::new());
    let mut gaps = MAX_GAPS;
    for (name, values) in grouped {
        if let Some(value) = convert(name, &values, rules) {
            insert(&mut root, name, value, &mut gaps)?;
        }
    }
    close_gaps(&mut root);
    match root {
        Value::Object(members) => Ok(members),
        _ => Ok(Map::new()),
    }
}

fn convert(name: &str, values: &[&str], rules: &FieldRules) -> Option<Value> {
    let last = values.last().copied().unwrap_or_default();
    let rule = rules.get(name).or_else(|| rules.get(&without_indexes(name))).copied();
    match rule {
        // An unchecked checkbox sends nothing, so forms put a hidden `false` before it: the last value counts.
        Some(FieldRule { kind: FieldKind::Boolean, required }) => match last {
            "" if required => Some(Value::Bool(false)),
            "" => None,
            text => Some(boolean(text)),
        },
        Some(FieldRule { kind: FieldKind::Integer | FieldKind::Number, required }) => match last {
            "" if required => Some(Value::Number(Number::from(0))),
            "" => None,
            text => Some(number(text)),
        },
        Some(FieldRule { kind: FieldKind::List(kind), .. }) => {
            let given = values.iter().filter(|value| !value.is_empty());
            let items: Vec<Value> = given.map(|value| item(value, kind)).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Some(FieldRule { kind: FieldKind::Text, required }) => {
            (required || !last.is_empty()).then(|| Value::from(last))
        }
        None if name.starts_with("traits.") && last.is_empty() => None,
        None => Some(Value::from(last)),
    }
}

/// The rule of `traits.emails.0` is that of `traits.emails.#`.
fn without_indexes(name: &str) -> String {
    let is_index = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    name.split('.').map(|part| if is_index(part) { "#" } else { part }).collect::<Vec<_>>().join(".")
}

fn item(text: &str, kind: ItemKind) -> Value {
    match kind {
        ItemKind::Text => Value::from(text),
        ItemKind::Integer | ItemKind::Number => number(text),
        ItemKind::Boolean => boolean(text),
    }
}

/// A boolean; any other text is left for the schema to reject.
fn boolean(text: &str) -> Value {
    match text {
        "true" | "on" | "1" => Value::Bool(true),
        "false" | "off" | "0" => Value::Bool(false),
        other => Value::from(other),
    }
}

/// Numbered items keep their order; missing numbers leave no gap in the list.
fn close_gaps(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().for_each(close_gaps);
        }
        Value::Object(members) => members.values_mut().for_each(close_gaps),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A number; any other text is left for the schema to reject.
fn number(text: &str) -> Value {
    if let Ok(integer) = text.parse::<i64>() {
        return Value::from(integer);
    }
    text.parse::<f64>().ok().and_then(Number::from_f64).map_or_else(|| Value::from(text), Value::Number)
}

fn insert(root: &mut Value, name: &str, value: Value, gaps: &mut usize) -> Result<(), FormError> {
    let contradiction = || FormError::Contradiction(name.to_owned());
    let mut place = root;
    let segments: Vec<&str> = name.split('.').collect();
    if segments.len() > MAX_DEPTH {
        return Err(FormError::TooDeep(name.to_owned()));
    }
    for (depth, segment) in segments.iter().enumerate() {
        let index = segment.parse::<usize>().ok().filter(|index| *index < MAX_INDEX && depth > 0);
        if place.is_null() {
            *place = if index.is_some() { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
        }
        place = match (place, index) {
            (Value::Array(items), Some(index)) => {
                let left_out = index.saturating_sub(items.len());
                *gaps = gaps.checked_sub(left_out).ok_or(FormError::TooManyGaps)?;
                while items.len() <= index {
                    items.push(Value::Null);
                }
                &mut items[index]
            }
            (Value::Object(members), _) => members.entry((*segment).to_owned()).or_insert(Value::Null),
            _ => return Err(contradiction()),
        };
    }
    if !place.is_null() {
        return Err(contradiction());
    }
    *place = value;
    Ok(())
}

/// Every leaf of `traits` with its dotted path: the values of hidden and prefilled trait nodes.
pub fn leaves(prefix: &str, value: &Value) -> Vec<(String, Value)> {
    match value {
        Value::Object(members) => {
            members.iter().flat_map(|(key, member)| leaves(&format!("{prefix}.{key}"), member)).collect()
        }
        other => vec![(prefix.to_owned(), other.clone())],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn rules(list: &[(&str, FieldKind, bool)]) -> FieldRules {
        list.iter()
            .map(|(name, kind, required)| ((*name).to_owned(), FieldRule { kind: *kind, required: *required }))
            .collect()
    }

    #[test]
    fn dotted_paths_become_objects_and_lists() {
        let form = fields(&[
            ("method", "password"),
            ("traits.name.first", "Ada"),
            ("traits.name.last", "Lovelace"),
            ("traits.emails.0", "a@x"),
            ("traits.emails.1", "b@x"),
        ]);
        assert_eq!(
            Value::Object(decode(&form, &FieldRules::new()).unwrap()),
            json!({"method": "password", "traits": {"name": {"first": "Ada", "last": "Lovelace"}, "emails": ["a@x", "b@x"]}})
        );
    }

    #[test]
    fn values_follow_the_schema() {
        let rules = rules(&[
            ("traits.age", FieldKind::Integer, false),
            ("traits.height", FieldKind::Number, true),
            ("traits.terms", FieldKind::Boolean, true),
            ("traits.news", FieldKind::Boolean, false),
            ("traits.nick", FieldKind::Text, false),
            ("traits.tags", FieldKind::List(ItemKind::Text), false),
            ("traits.sizes", FieldKind::List(ItemKind::Integer), false),
            ("traits.votes.#", FieldKind::Boolean, false),
        ]);
        let form = fields(&[
            ("traits.age", "42"),
            ("traits.height", ""),
            ("traits.terms", "false"),
            ("traits.terms", "true"),
            ("traits.news", ""),
            ("traits.nick", ""),
            ("traits.tags", "a"),
            ("traits.tags", "b"),
            ("traits.sizes", "7"),
            ("traits.votes.2", "true"),
            ("traits.votes.0", "false"),
            ("traits.votes.1", ""),
        ]);
        assert_eq!(
            decode(&form, &rules).unwrap()["traits"],
            json!({"age": 42, "height": 0, "terms": true, "tags": ["a", "b"], "sizes": [7], "votes": [false, true]})
        );
        let odd = decode(&fields(&[("traits.age", "many")]), &rules).unwrap();
        assert_eq!(odd["traits"]["age"], "many", "the schema rejects it");
    }

    #[test]
    fn malicious_forms_are_rejected() {
        let deep = "a.".repeat(100);
        assert!(matches!(decode(&fields(&[(&deep, "x")]), &FieldRules::new()), Err(FormError::TooDeep(_))));
        let twice = fields(&[("traits", "x"), ("traits.name", "y")]);
        assert!(matches!(decode(&twice, &FieldRules::new()), Err(FormError::Contradiction(_))));
        let many: Vec<_> = (0..3000).map(|n| (n.to_string(), String::new())).collect();
        assert_eq!(decode(&many, &FieldRules::new()), Err(FormError::TooManyFields));
        let gaps: Vec<_> = (0..100).map(|n| (format!("a{n}{}", ".499".repeat(30)), "x".to_owned())).collect();
        assert_eq!(decode(&gaps, &FieldRules::new()), Err(FormError::TooManyGaps), "1.5 million empty items");
        let far = decode(&fields(&[("traits.list.99999999", "x")]), &FieldRules::new()).unwrap();
        assert_eq!(far["traits"]["list"]["99999999"], "x", "an excessive index is a member name");
    }

    #[test]
    fn leaves_contain_every_scalar() {
        assert_eq!(
            leaves("traits", &json!({"email": "a@x", "name": {"first": "Ada"}})),
            [("traits.email".to_owned(), json!("a@x")), ("traits.name.first".to_owned(), json!("Ada"))]
        );
    }
}
