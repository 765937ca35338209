//! The part of a schema that a document touches. Compiling a whole schema takes megabytes, most of them for keys that the
//! document does not have; what is left here checks the document, and no other, exactly as the whole would.

use serde_json::{Map, Value};

/// Deeper than any of our schemas refers; it keeps a reference to itself from running on.
const DEPTH: usize = 64;

/// Keywords with one schema for the same place of the document.
const BRANCH: [&str; 4] = ["if", "then", "else", "not"];
/// Keywords with several.
const BRANCHES: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Definitions are taken in where they are referred to.
const DEFINITIONS: [&str; 2] = ["definitions", "$defs"];

/// `schema` as far as it concerns `value`.
pub(super) fn pruned(schema: &Value, value: &Value) -> Value {
    Pruner { root: schema }.at(schema, &[value], 0)
}

struct Pruner<'a> {
    root: &'a Value,
}

impl<'a> Pruner<'a> {
    /// What `node` says about `values`, all of which stand at the same place.
    fn at(&self, node: &'a Value, values: &[&Value], depth: usize) -> Value {
        let Value::Object(keywords) = node else { return node.clone() };
        if let Some(target) = self.target(keywords).filter(|_| depth < DEPTH) {
            // Beside a reference nothing else counts (JSON Schema draft 7, section 8.3).
            return self.at(target, values, depth + 1);
        }
        let mut kept = Map::new();
        for (keyword, said) in keywords {
            let said = match keyword.as_str() {
                name if DEFINITIONS.contains(&name) => continue,
                name if BRANCH.contains(&name) => self.at(said, values, depth + 1),
                name if BRANCHES.contains(&name) => self.each(said, values, depth + 1),
                "properties" => self.properties(said, values, depth + 1),
                "patternProperties" => self.patterns(said, values, depth + 1),
                "additionalProperties" => self.at(said, &members(values), depth + 1),
                "items" if said.is_object() => self.at(said, &items(values), depth + 1),
                _ => said.clone(),
            };
            kept.insert(keyword.clone(), said);
        }
        Value::Object(kept)
    }

    fn target(&self, keywords: &'a Map<String, Value>) -> Option<&'a Value> {
        self.root.pointer(keywords.get("$ref")?.as_str()?.strip_prefix('#')?)
    }

    fn each(&self, branches: &'a Value, values: &[&Value], depth: usize) -> Value {
        branches.as_array().into_iter().flatten().map(|branch| self.at(branch, values, depth)).collect()
    }

    /// A property that no value has stays as a name alone: it is known, and checks nothing.
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

/// What stands under the keys of those values that have some.
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
    fn what_no_value_has_is_a_name_alone() {
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
