//! The form of the traits in the settings, and the values that it cannot send.

use serde_json::{Map, Value};

use crate::domain::message::label;
use crate::domain::traits_schema::TraitsSchema;
use crate::domain::ui::Ui;
use crate::domain::ui_node::{Group, Node};
use crate::flows::trait_nodes;

pub(super) fn settings_form(ui: &mut Ui, schema: &TraitsSchema, traits: &Value) {
    for node in trait_nodes::nodes(schema, Group::Profile, traits) {
        ui.nodes.upsert(node);
    }
    ui.nodes.append(Node::submit(Group::Profile, "method", "profile", label::save()));
}

/// Restores values that a form cannot send: lists, which have no input, and traits whose input is disabled. Members of the
/// submission are changed, even if they are empty.
pub(super) fn keep_unsent(schema: &TraitsSchema, before: &Value, traits: &mut Value) {
    if let (Value::Object(before), Value::Object(traits)) = (before, traits) {
        keep_members("traits", schema, before, traits);
    }
}

fn keep_members(path: &str, schema: &TraitsSchema, before: &Map<String, Value>, traits: &mut Map<String, Value>) {
    for (key, old) in before {
        let path = format!("{path}.{key}");
        match (old, traits.get_mut(key)) {
            (Value::Object(old), Some(Value::Object(sent))) => keep_members(&path, schema, old, sent),
            (Value::Object(old), None) => {
                let mut kept = Map::new();
                keep_members(&path, schema, old, &mut kept);
                if !kept.is_empty() {
                    traits.insert(key.clone(), kept.into());
                }
            }
            (_, Some(_)) => {}
            (old, None) => {
                let is_disabled = || schema.fields().iter().any(|field| field.disabled && field.name == path);
                if old.is_array() || is_disabled() {
                    traits.insert(key.clone(), old.clone());
                }
            }
        }
    }
}
