//! Traits as form nodes: inputs at registration and in the settings, hidden fields in the steps between.

use serde_json::Value;

use crate::domain::form::{FieldKind, FieldRule, FieldRules, ItemKind, leaves};
use crate::domain::message::{label, registration};
use crate::domain::traits_schema::{InputType, Kind, TraitField, TraitsSchema};
use crate::domain::ui::Ui;
use crate::domain::ui_node::{Choice, Group, InputKind, Node};

/// The names of the trait nodes in the order of the schema.
pub(crate) fn names(schema: &TraitsSchema) -> Vec<String> {
    visible(schema).map(|field| field.name.clone()).collect()
}

/// The types that the schema gives to the fields of a form.
pub(crate) fn field_rules(schema: &TraitsSchema) -> FieldRules {
    let mut rules = FieldRules::new();
    for (name, kind) in schema.kinds() {
        rules.insert(name.to_owned(), FieldRule { kind: field_kind(kind), required: false });
        if let Some(list) = name.strip_suffix(".#") {
            rules.insert(list.to_owned(), FieldRule { kind: FieldKind::List(item_kind(kind)), required: false });
        }
    }
    for field in schema.fields() {
        rules.insert(field.name.clone(), FieldRule { kind: field_kind(field.kind), required: field.required });
    }
    rules
}

const fn field_kind(kind: Kind) -> FieldKind {
    match kind {
        Kind::String => FieldKind::Text,
        Kind::Number => FieldKind::Number,
        Kind::Integer => FieldKind::Integer,
        Kind::Boolean => FieldKind::Boolean,
    }
}

const fn item_kind(kind: Kind) -> ItemKind {
    match kind {
        Kind::String => ItemKind::Text,
        Kind::Number => ItemKind::Number,
        Kind::Integer => ItemKind::Integer,
        Kind::Boolean => ItemKind::Boolean,
    }
}

/// The traits as inputs, with their current values.
pub(crate) fn nodes(schema: &TraitsSchema, group: Group, traits: &Value) -> Vec<Node> {
    visible(schema)
        .map(|field| {
            let mut node = node(field, group);
            if let Some(value) = value_at(traits, &field.name) {
                node.set_value(value.clone());
            }
            node
        })
        .collect()
}

/// The traits as hidden inputs, for the steps that do not show them.
pub(crate) fn hidden_nodes(schema: &TraitsSchema, traits: &Value) -> Vec<Node> {
    let mut nodes = nodes(schema, Group::Default, traits);
    for node in &mut nodes {
        if let Some(input) = node.as_input_mut() {
            input.kind = InputKind::Hidden;
            input.autocomplete = None;
        }
    }
    // Values without an input, such as the items of a list, are included.
    for (name, value) in leaves("traits", traits) {
        let items: Vec<Value> = match value {
            Value::Array(items) => items,
            _ => continue,
        };
        for (index, item) in items.into_iter().enumerate().filter(|(_, item)| !item.is_object() && !item.is_array()) {
            nodes.push(Node::hidden(Group::Default, format!("{name}.{index}"), item));
        }
    }
    nodes
}

/// The button of the first step of a registration.
pub(crate) fn registration_form(ui: &mut Ui) {
    ui.nodes.append(Node::submit(Group::Profile, "method", "profile", registration::sign_up()));
}

/// The button back to the first step.
pub(crate) fn back_button(ui: &mut Ui) {
    ui.nodes.append(Node::submit(Group::Profile, "screen", "previous", registration::back()));
}

fn visible(schema: &TraitsSchema) -> impl Iterator<Item = &TraitField> {
    schema.fields().iter().filter(|field| !field.name.contains('#'))
}

fn node(field: &TraitField, group: Group) -> Node {
    let mut node = Node::input(group, field.name.clone(), input_kind(field.input_type)).change(|input| {
        input.required = field.required;
        input.disabled = field.disabled;
        input.autocomplete = field.autocomplete.map(str::to_owned);
        input.pattern.clone_from(&field.pattern);
        input.options = field.options.iter().map(|value| Choice { value: value.clone() }).collect();
    });
    if let Some(title) = field.title.as_deref().filter(|title| !title.is_empty()) {
        node = node.label(label::trait_title(title, &field.name));
    }
    node
}

const fn input_kind(input_type: InputType) -> InputKind {
    match input_type {
        InputType::Text => InputKind::Text,
        InputType::Password => InputKind::Password,
        InputType::Number => InputKind::Number,
        InputType::Checkbox => InputKind::Checkbox,
        InputType::Email => InputKind::Email,
        InputType::Tel => InputKind::Tel,
        InputType::Date => InputKind::Date,
        InputType::DatetimeLocal => InputKind::DateTimeLocal,
        InputType::Url => InputKind::Url,
    }
}

/// The value at a dotted path that begins with `traits`.
pub(crate) fn value_at<'v>(traits: &'v Value, name: &str) -> Option<&'v Value> {
    name.split('.').skip(1).try_fold(traits, |value, key| value.get(key)).filter(|value| !value.is_null())
}
