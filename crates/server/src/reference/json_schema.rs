//! `configuration.schema.json`: the schema of the configuration with descriptions and defaults, for editors.

use serde_json::{Map, Value, json};
use service::configuration::{Keys, schema_of};

use crate::config::keys::SectionKeys;
use crate::config::schema::Schemas;
use crate::config::shared::{Root, Shared};
use crate::config::{Fault, Service};

pub(super) fn document() -> Result<String, Fault> {
    let schemas = Schemas::default();
    let mut root = schemas.root()?.document().clone();
    let mut keys = Keys::of(&schema_of::<Shared>());
    keys.add("", &schema_of::<Root>());
    describe(&mut root, &keys);
    let mut sections = SectionKeys::default();
    for service in Service::ALL {
        let mut section = schemas.of(service)?.document().clone();
        describe(&mut section, sections.of(service));
        embed(&mut root, service.name(), section);
    }
    root["title"] = "Kleis".into();
    root["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    let text = serde_json::to_string_pretty(&root).map_err(|error| Fault::new("schema", error.to_string()))?;
    Ok(text + "\n")
}

/// Inserts the schema of a section into the root schema. The names of its definitions get the name of the section as a prefix.
fn embed(root: &mut Value, name: &str, mut section: Value) {
    if let Some(section) = section.as_object_mut() {
        section.remove("$schema");
        section.remove("$id");
    }
    rename_references(&mut section, name);
    for definitions in ["definitions", "$defs"] {
        let moved = section.as_object_mut().and_then(|it| it.remove(definitions));
        for (definition, schema) in moved.and_then(|it| it.as_object().cloned()).into_iter().flatten() {
            root["definitions"][format!("{name}.{definition}")] = schema;
        }
    }
    root["properties"][name] = section;
}

fn rename_references(node: &mut Value, name: &str) {
    match node {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get_mut("$ref") {
                for definitions in ["#/definitions/", "#/$defs/"] {
                    if let Some(definition) = reference.strip_prefix(definitions) {
                        *reference = format!("#/definitions/{name}.{definition}");
                        break;
                    }
                }
            }
            members.values_mut().for_each(|member| rename_references(member, name));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename_references(item, name)),
        _ => {}
    }
}

/// Writes the descriptions and defaults of `keys` into `schema`. A definition that several keys share has those of the first.
fn describe(schema: &mut Value, keys: &Keys) {
    let whole = schema.clone();
    for (path, key) in keys.iter() {
        let mut pointers = vec![String::new()];
        for step in path.split('.') {
            pointers = pointers.iter().flat_map(|pointer| below(&whole, pointer, step)).collect();
        }
        for pointer in pointers {
            let Some(Value::Object(node)) = schema.pointer_mut(&pointer) else { continue };
            if node.contains_key("description") {
                continue;
            }
            // In this draft a reference replaces all other keywords.
            if let Some(reference) = node.remove("$ref") {
                node.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
            }
            annotate(node, key.description.as_deref(), key.default.as_ref());
        }
    }
}

fn annotate(node: &mut Map<String, Value>, description: Option<&str>, default: Option<&Value>) {
    if let Some(description) = description {
        node.insert("description".to_owned(), description.into());
    }
    if let Some(default) = default {
        node.insert("default".to_owned(), default.clone());
    }
}

/// The pointers to the schemas of `step` below the schema at `pointer`.
fn below(schema: &Value, pointer: &str, step: &str) -> Vec<String> {
    let mut found = Vec::new();
    for pointer in alternatives(schema, pointer, 0) {
        let Some(node) = schema.pointer(&pointer) else { continue };
        let named = node.get("properties").and_then(Value::as_object);
        if let Some(named) = named
            && step != "*"
        {
            found.extend(named.contains_key(step).then(|| format!("{pointer}/properties/{}", escaped(step))));
        } else if step == "*" {
            found
                .extend(named.into_iter().flatten().map(|(name, _)| format!("{pointer}/properties/{}", escaped(name))));
            let free = ["additionalProperties", "items"].into_iter();
            found.extend(
                free.filter(|it| node.get(*it).is_some_and(Value::is_object)).map(|it| format!("{pointer}/{it}")),
            );
            let patterns = node.get("patternProperties").and_then(Value::as_object).into_iter().flatten();
            found.extend(patterns.map(|(name, _)| format!("{pointer}/patternProperties/{}", escaped(name))));
        }
    }
    found
}

fn escaped(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

/// The pointer, and those of everything that its schema refers to or combines.
fn alternatives(schema: &Value, pointer: &str, depth: usize) -> Vec<String> {
    let Some(node) = schema.pointer(pointer).filter(|_| depth < 16) else { return Vec::new() };
    let mut found = vec![pointer.to_owned()];
    let reference = node.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix('#'));
    found.extend(reference.into_iter().flat_map(|it| alternatives(schema, it, depth + 1)));
    for combination in ["allOf", "anyOf", "oneOf"] {
        let branches = node.get(combination).and_then(Value::as_array).map_or(0, Vec::len);
        for index in 0..branches {
            found.extend(alternatives(schema, &format!("{pointer}/{combination}/{index}"), depth + 1));
        }
    }
    for branch in ["then", "else"] {
        found.extend(alternatives(schema, &format!("{pointer}/{branch}"), depth + 1));
    }
    found
}
