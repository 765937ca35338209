//! Reduces a schema to the part that a document uses. Compiling a whole schema takes megabytes, most of them for keys that the
//! document does not have. The reduced schema checks this document, and no other, exactly as the whole schema does.

use serde_json::{Map, Value};

/// Deeper than the references of any of our schemas; it stops cycles.
const DEPTH: usize = 64;

/// Keywords with one schema that applies to the same value.
const BRANCH: [&str; 4] = ["if", "then", "else", "not"];
/// Keywords with several such schemas.
const BRANCHES: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Definitions are copied to the places that refer to them.
const DEFINITIONS: [&str; 2] = ["definitions", "$defs"];

/// The part of `schema` that concerns `value`.
pub(super) fn pruned(schema: &Value, value: &Value) -> Value {
    Pruner { root: schema }.at(schema, &[value], 0)
}

struct Pruner<'a> {
    root: &'a Value,
}

impl<'a> Pruner<'a> {
    /// The part of `node` that concerns `values`, all of which are at the same path.
    fn at(&self, node: &'a Value, values: &[&Value], depth: usize) -> Value {
        let Value::Object(keywords) = node else { return node.clone() };
        if let Some(target) = self.target(keywords).filter(|_| depth < DEPTH) {
            // A reference replaces all other keywords (JSON Schema draft 7, section 8.3).
            return self.at(target, values, depth + 1);
        }
        let mut kept = Map::new();
        for (keyword, content) in keywords {
            let content = match keyword.as_str() {
                name if DEFINITIONS.contains(&name) => continue,
                name if BRANCH.contains(&name) => self.at(content, values, depth + 1),
                name if BRANCHES.contains(&name) => self.each(content, values, depth + 1),
                "properties" => self.properties(content, values, depth + 1),
                "patternProperties" => self.patterns(content, values, depth + 1),
                "additionalProperties" => self.at(content, &members(values), depth + 1),
                "items" if content.is_object() => self.at(content, &items(values), depth + 1),
                _ => content.clone(),
            };
            kept.insert(keyword.clone(), content);
        }
        Value::Object(kept)
    }

    fn target(&self, keywords: &'a Map<String, Value>) -> Option<&'a Value> {
        self.root.pointer(keywords.get("$ref")?.as_str()?.strip_prefix('#')?)
    }

    fn each(&self, branches: &'a Value, values: &[&Value], depth: usize) -> Value {
        branches.as_array().into_iter().flatten().map(|branch| self.at(branch, values, depth)).collect()
    }

    /// A property that no value has is kept as a name without a schema.
    fn properties(&self, properties: &'a Value, values: &[&Value], depth: usize) -> Value {
        let kept = properties.as_object().into_iter().flatten().map(|(name, node)| {
            let those: Vec<&Value> = values.iter().filter_map(|value| value.get(name)).collect();
            let node = if those.is_empty() { Value::Bool(true) } else { self.at(node, &those, depth) };
            (name.clone(), node)
        });
        Value::Object(kept.collect())
    }

    fn patterns(&self, patterns: &'a Value, values: &[&Value], depth: usize) -> Value {
        let members = members(values);
        let kept = patterns.as_object().into_iter().flatten();
        Value::Object(kept.map(|(pattern, node)| (pattern.clone(), self.at(node, &members, depth))).collect())
    }
}

/// The members of those values that are objects.
fn members<'v>(values: &[&'v Value]) -> Vec<&'v Value> {
    values.iter().filter_map(|value| value.as_object()).flat_map(Map::values).collect()
}

fn items<'v>(values: &[&'v Value]) -> Vec<&'v Value> {
    values.iter().filter_map(|value| value.as_array()).flatten().collect()
}

#[cfg(test)]
mod tests {
    use jsonschema::{Draft, Validator};
    use serde_json::json;

    use super::super::Schema;
    use super::*;
    use crate::config::Service;

    fn compiled(schema: &Value) -> Validator {
        jsonschema::options().with_draft(Draft::Draft7).build(schema).unwrap()
    }

    fn errors(validator: &Validator, value: &Value) -> Vec<String> {
        let mut errors: Vec<String> =
            validator.iter_errors(value).map(|error| format!("{} {error}", error.instance_path())).collect();
        errors.sort();
        errors
    }

    /// A document with `value` at a path whose stars are names.
    fn document(path: &str, value: Value) -> Value {
        path.rsplit('.').fold(value, |value, step| json!({ step.replace('*', "any"): value }))
    }

    #[test]
    fn a_pruned_schema_accepts_and_refuses_the_same_documents() {
        for service in Service::ALL {
            let schema = Schema::of(service).unwrap();
            let whole = compiled(&schema.document);
            for (number, path) in schema.leaves().into_iter().enumerate() {
                let wrong =
                    [json!(true), json!(-1.5), json!("x"), json!([{ "id": 7 }]), json!({ "no_such_key": null })];
                let value = document(&path, wrong[number % wrong.len()].clone());
                let left = compiled(&pruned(&schema.document, &value));
                assert_eq!(errors(&left, &value), errors(&whole, &value), "{service}.{path}");
            }
        }
    }

    #[test]
    fn a_property_that_no_value_has_keeps_only_its_name() {
        let schema = json!({
            "properties": { "a": { "$ref": "#/definitions/a" }, "b": { "type": "string" } },
            "additionalProperties": false, "definitions": { "a": { "items": { "properties": { "c": {}, "d": { "type": "object" } } } } },
        });
        let left = pruned(&schema, &json!({ "a": [{ "c": 1 }] }));
        let wanted = json!({
            "properties": { "a": { "items": { "properties": { "c": {}, "d": true } } }, "b": true },
            "additionalProperties": false,
        });
        assert_eq!(left, wanted);
    }
}
