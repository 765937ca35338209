//! The keys of a configuration section, derived from the type that reads it: names, descriptions and defaults.
//!
//! A section is a struct with `#[derive(Deserialize, JsonSchema)]`. The doc comment of a field is the description of its key,
//! and a default is shown when its type is `Serialize`.
//!
//! Invariant: every key is a field.

pub mod values;

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// The JSON schema of a section, without references.
pub fn schema_of<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<T>()
}

/// The description and the default of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Key {
    pub description: Option<String>,
    pub default: Option<Value>,
}

/// The keys of a section by their dotted paths; `*` stands for a free name or an index of a list. A key whose value has no
/// known structure represents everything below it; a key that has keys below it represents only itself.
#[derive(Clone, Debug, Default)]
pub struct Keys(BTreeMap<String, Key>);

impl Keys {
    pub fn of(schema: &Schema) -> Self {
        let mut keys = Self::default();
        keys.add("", schema);
        keys
    }

    /// Adds the keys of another type below `prefix`.
    pub fn add(&mut self, prefix: &str, schema: &Schema) {
        let mut path: Vec<String> = prefix.split('.').filter(|step| !step.is_empty()).map(str::to_owned).collect();
        self.walk(schema.as_value(), &mut path, None);
    }

    pub fn insert(&mut self, path: &str, key: Key) {
        self.0.insert(path.to_owned(), key);
    }

    /// Adds those of `others` whose path is wanted.
    pub fn extend(&mut self, others: Self, is_wanted: impl Fn(&str) -> bool) {
        self.0.extend(others.0.into_iter().filter(|(path, _)| is_wanted(path)));
    }

    /// Whether one of the keys is `path`, or a key above it. Only a `*` matches a `*` in `path`.
    pub fn contain(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    /// The key that [`Keys::contain`] finds, with its path.
    pub fn find(&self, path: &str) -> Option<(&str, &Key)> {
        let length = path.split('.').count();
        let is_found =
            |pattern: &str| covers(pattern, path) && (pattern.split('.').count() == length || !self.has_below(pattern));
        self.iter().find(|(pattern, _)| is_found(pattern))
    }

    fn has_below(&self, path: &str) -> bool {
        let below = format!("{path}.");
        self.0.range(below.clone()..).next().is_some_and(|(next, _)| next.starts_with(&below))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Key)> {
        self.0.iter().map(|(path, key)| (path.as_str(), key))
    }

    /// `above` is the description of the parent key, which also describes the values of a map and the tag of an enum.
    fn walk(&mut self, node: &Value, path: &mut Vec<String>, above: Option<&str>) {
        let alternatives = alternatives(node);
        let mut below: Vec<(String, &Value)> = Vec::new();
        for object in alternatives.iter().filter_map(|it| it.as_object()) {
            let named = object.get("properties").and_then(Value::as_object).into_iter().flatten();
            below.extend(named.map(|(name, node)| (name.clone(), node)));
            below.extend(object.get("additionalProperties").filter(|it| it.is_object()).map(|it| ("*".to_owned(), it)));
            let items = object.get("items").filter(|items| alternatives_have_keys(items));
            below.extend(items.map(|items| ("*".to_owned(), items)));
        }
        let own = node.get("description").and_then(Value::as_str);
        // A key whose value may be a text or an object is a key itself and has keys below it.
        let plain = alternatives.iter().find(|it| !below.is_empty() && is_plain(it));
        if (below.is_empty() || plain.is_some()) && !path.is_empty() {
            let is_described_above = path.last().is_some_and(|step| step == "*") || node.get("const").is_some();
            let of_plain = plain.and_then(|it| it.get("description")).and_then(Value::as_str);
            let description = of_plain.or(own).or(above.filter(|_| is_described_above)).map(joined_lines);
            let default = node.get("default").filter(|default| !default.is_null()).cloned();
            self.0.insert(path.join("."), Key { description, default });
        }
        for (step, node) in below {
            path.push(step);
            self.walk(node, path, own.or(above));
            path.pop();
        }
    }
}

/// Whether `pattern`, in which `*` stands for one step, is `path` or a key above it.
pub fn covers(pattern: &str, path: &str) -> bool {
    let mut steps = path.split('.');
    pattern.split('.').all(|wanted| steps.next().is_some_and(|step| wanted == "*" || wanted == step))
}

/// The node and all schemas that it combines, without `null`.
fn alternatives(node: &Value) -> Vec<&Value> {
    let mut found = vec![node];
    for combination in ["allOf", "anyOf", "oneOf"] {
        for node in node.get(combination).and_then(Value::as_array).into_iter().flatten() {
            found.extend(alternatives(node));
        }
    }
    found
}

/// Whether a value has no keys.
fn is_plain(node: &Value) -> bool {
    node.get("type").and_then(Value::as_str).is_some_and(|it| ["string", "integer", "number", "boolean"].contains(&it))
}

fn alternatives_have_keys(node: &Value) -> bool {
    let has_keys = |node: &&Value| {
        node.get("properties").is_some() || node.get("additionalProperties").is_some_and(Value::is_object)
    };
    alternatives(node).iter().any(has_keys)
}

/// Joins the lines of a doc comment, because a description is one paragraph.
fn joined_lines(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
