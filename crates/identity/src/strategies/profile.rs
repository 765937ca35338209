//! The traits as a form: asked for at registration, shown and changed in the settings, carried along unseen in between.

use serde_json::Value;

use crate::domain::form::{FieldKind, FieldRule, FieldRules, ItemKind, leaves};
use crate::domain::message::{label, registration};
use crate::domain::traits_schema::{InputType, Kind, TraitField, TraitsSchema};
use crate::domain::ui::Ui;
use crate::domain::ui_node::{Choice, Group, InputKind, Node};

/// How many inputs a form has for what is in lists: more than a person reads, and less than a request may have fields.
const MAX_ITEMS: usize = 100;

/// The names of the trait nodes in the order of the schema.
pub(crate) fn names(schema: &TraitsSchema) -> Vec<String> {
    schema.inputs().iter().map(|field| field.name.clone()).collect()
}

/// How the texts of a form become the values that the schema wants.
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

/// The traits as inputs, filled with what is known of them. A list has an input for each item, and then one for another item;
/// one for which there is no room has none.
pub(crate) fn nodes(schema: &TraitsSchema, group: Group, traits: &Value) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut room = MAX_ITEMS;
    for field in schema.inputs() {
        let value = value_at(traits, &field.name);
        let mut node = node(field, group);
        match value {
            Some(Value::Array(items)) if field.is_list && items.len() > room => {}
            Some(Value::Array(items)) if field.is_list => {
                room -= items.len();
                let mut another = node.clone();
                if let Some(input) = another.as_input_mut() {
                    input.required &= items.is_empty();
                }
                for (index, item) in items.iter().enumerate() {
                    let mut node = node.clone().change(|input| {
                        input.name = format!("{}.{index}", field.name);
                        input.required = false;
                    });
                    node.set_value(item.clone());
                    nodes.push(node);
                }
                nodes.push(another);
            }
            Some(value) if !field.is_list => {
                node.set_value(value.clone());
                nodes.push(node);
            }
            _ => nodes.push(node),
        }
    }
    nodes
}

/// Keeps what was typed in the form.
pub(crate) fn fill_in(ui: &mut Ui, schema: &TraitsSchema, group: Group, traits: &Value) {
    let is_trait = |node: &&Node| node.name().starts_with("traits.");
    let is_unseen = |node: &Node| node.as_input().is_some_and(|input| input.kind == InputKind::Hidden);
    let carries = ui.nodes.iter().filter(is_trait).all(is_unseen);
    for (name, value) in leaves("traits", traits).into_iter().filter(|(_, value)| !value.is_array()) {
        ui.set_value(&name, value);
    }
    let sent: Vec<&str> = schema
        .inputs()
        .iter()
        .filter(|field| field.is_list && value_at(traits, &field.name).is_some())
        .map(|field| field.name.as_str())
        .collect();
    let is_of_sent = |name: &str| sent.iter().any(|list| belongs_to(list, name));
    ui.nodes.retain(|node| !is_of_sent(node.name()));
    let items = if carries { Vec::new() } else { nodes(schema, group, traits) };
    for node in items.into_iter().filter(|node| is_of_sent(node.name())) {
        ui.nodes.append(node);
    }
    for node in items_as_hidden(group, traits) {
        if carries || !is_of_sent(node.name()) {
            ui.nodes.upsert(node);
        }
    }
}

/// Whether `name` is that of a list or of something in it.
fn belongs_to(list: &str, name: &str) -> bool {
    name.strip_prefix(list).is_some_and(|below| below.is_empty() || below.starts_with('.'))
}

/// The kind of the input that asks for a trait, or for an item of a list.
pub(crate) fn kind_of(schema: &TraitsSchema, name: &str) -> InputKind {
    let asks_for = |field: &&TraitField| field.name == name || (field.is_list && belongs_to(&field.name, name));
    schema.inputs().iter().find(asks_for).map_or(InputKind::Text, |field| input_kind(field.input_type))
}

/// The traits as hidden inputs, for steps in which they are no longer asked for.
pub(crate) fn hidden_nodes(schema: &TraitsSchema, traits: &Value) -> Vec<Node> {
    let mut nodes: Vec<Node> = schema
        .fields()
        .iter()
        .map(|field| {
            let mut node = node(field, Group::Default);
            if let Some(value) = value_at(traits, &field.name) {
                node.set_value(value.clone());
            }
            if let Some(input) = node.as_input_mut() {
                input.kind = InputKind::Hidden;
                input.autocomplete = None;
            }
            node
        })
        .collect();
    nodes.extend(items_as_hidden(Group::Default, traits));
    nodes
}

/// What is in lists travels unseen, because a trait that is not sent is taken away.
fn items_as_hidden(group: Group, traits: &Value) -> Vec<Node> {
    let mut nodes = Vec::new();
    for (name, list) in lists(traits) {
        let mut items = Vec::new();
        append_items(group, &name, list, &mut items);
        // A list is there as a whole or not at all: half of one would replace it.
        if nodes.len() + items.len() <= MAX_ITEMS {
            nodes.extend(items);
        }
    }
    nodes
}

fn lists(traits: &Value) -> impl Iterator<Item = (String, Vec<Value>)> {
    leaves("traits", traits).into_iter().filter_map(|(name, value)| match value {
        Value::Array(items) if !items.is_empty() => Some((name, items)),
        _ => None,
    })
}

/// Puts the lists that no node of the form stands for, because they are too long, back into what was sent.
pub(crate) fn keep_unasked(ui: &Ui, before: &Value, traits: &mut Value) {
    for (name, items) in lists(before) {
        if value_at(traits, &name).is_some() || ui.nodes.iter().any(|node| belongs_to(&name, node.name())) {
            continue;
        }
        let place = name.split('.').skip(1).try_fold(&mut *traits, |place, key| {
            if place.is_null() {
                *place = Value::Object(serde_json::Map::new());
            }
            Some(place.as_object_mut()?.entry(key).or_insert(Value::Null))
        });
        if let Some(place) = place {
            *place = Value::Array(items);
        }
    }
}

fn append_items(group: Group, list: &str, items: Vec<Value>, nodes: &mut Vec<Node>) {
    for (index, item) in items.into_iter().enumerate() {
        for (name, value) in leaves(&format!("{list}.{index}"), &item) {
            match value {
                _ if nodes.len() > MAX_ITEMS => return,
                Value::Array(items) => append_items(group, &name, items, nodes),
                value => nodes.push(Node::hidden(group, name, value)),
            }
        }
    }
}

/// The button of the first step of a registration.
pub(crate) fn registration_form(ui: &mut Ui) {
    ui.nodes.append(Node::submit(Group::Profile, "method", "profile", registration::sign_up()));
}

/// The button back to the first step.
pub(crate) fn back_button(ui: &mut Ui) {
    ui.nodes.append(Node::submit(Group::Profile, "screen", "previous", registration::back()));
}

pub(crate) fn settings_form(ui: &mut Ui, schema: &TraitsSchema, traits: &Value) {
    for node in nodes(schema, Group::Profile, traits) {
        ui.nodes.upsert(node);
    }
    for node in items_as_hidden(Group::Profile, traits) {
        if ui.nodes.find(node.name()).is_none() {
            ui.nodes.append(node);
        }
    }
    ui.nodes.append(Node::submit(Group::Profile, "method", "profile", label::save()));
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
fn value_at<'v>(traits: &'v Value, name: &str) -> Option<&'v Value> {
    name.split('.').skip(1).try_fold(traits, |value, key| value.get(key)).filter(|value| !value.is_null())
}
