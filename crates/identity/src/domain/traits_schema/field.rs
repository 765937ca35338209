//! The form fields of traits: their names in the order of the schema, their input types, and the JSON types that submitted
//! texts are converted to.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Extension, SchemaError};

/// An HTML input type, by its wire name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputType {
    Text,
    Password,
    Number,
    Checkbox,
    Email,
    Tel,
    Date,
    #[serde(rename = "datetime-local")]
    DatetimeLocal,
    Url,
}

/// The JSON type of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    String,
    Number,
    Integer,
    Boolean,
}

/// One trait that a form can contain.
#[derive(Clone, Debug, PartialEq)]
pub struct TraitField {
    /// The dotted path, for instance `traits.name.first`.
    pub name: String,
    pub title: Option<String>,
    pub kind: Kind,
    pub input_type: InputType,
    pub autocomplete: Option<&'static str>,
    pub pattern: Option<String>,
    pub options: Vec<Value>,
    pub required: bool,
    pub disabled: bool,
    pub extension: Extension,
}

/// The maximum number of options of a form field.
const MAX_OPTIONS: usize = 500;
/// The maximum nesting of a schema, more than realistic schemas have.
const MAX_DEPTH: usize = 32;

type Derived = (Vec<TraitField>, Vec<(String, Kind)>);

pub(super) fn derive(document: &Value, resources: &HashMap<String, Value>) -> Result<Derived, SchemaError> {
    let mut walker = Walker { document, resources, fields: Vec::new(), kinds: Vec::new(), refs: Vec::new() };
    if let Some(traits) = document.pointer("/properties/traits") {
        walker.walk(
            document,
            traits,
            &Place { name: "traits".to_owned(), required: true, in_array: false, depth: 0 },
        )?;
    }
    Ok((walker.fields, walker.kinds))
}

struct Walker<'s> {
    document: &'s Value,
    resources: &'s HashMap<String, Value>,
    fields: Vec<TraitField>,
    kinds: Vec<(String, Kind)>,
    refs: Vec<String>,
}

struct Place {
    name: String,
    required: bool,
    in_array: bool,
    depth: usize,
}

impl<'s> Walker<'s> {
    fn walk(&mut self, root: &'s Value, schema: &'s Value, place: &Place) -> Result<(), SchemaError> {
        if place.depth > MAX_DEPTH {
            return Err(SchemaError::Cycle(place.name.clone()));
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return self.follow(root, reference, place);
        }
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            let required: Vec<&str> = schema
                .get("required")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            for (key, property) in properties {
                let below = Place {
                    name: format!("{}.{key}", place.name),
                    required: required.contains(&key.as_str()),
                    in_array: place.in_array,
                    depth: place.depth + 1,
                };
                self.walk(root, property, &below)?;
            }
        }
        if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
            let below =
                Place { name: format!("{}.#", place.name), required: false, in_array: true, depth: place.depth + 1 };
            self.walk(root, items, &below)?;
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for branch in schema.get(keyword).and_then(Value::as_array).into_iter().flatten() {
                self.walk(root, branch, &Place { depth: place.depth + 1, ..place.copy() })?;
            }
        }
        for keyword in ["then", "else"] {
            if let Some(branch) = schema.get(keyword) {
                self.walk(root, branch, &Place { depth: place.depth + 1, ..place.copy() })?;
            }
        }
        self.scalar(schema, place);
        Ok(())
    }

    fn follow(&mut self, root: &'s Value, reference: &str, place: &Place) -> Result<(), SchemaError> {
        if self.refs.iter().any(|open| open == reference) {
            return Err(SchemaError::Cycle(reference.to_owned()));
        }
        let (address, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let own_id = self.document.get("$id").and_then(Value::as_str).unwrap_or_default();
        let base = if address.is_empty() {
            root
        } else if own_id.trim_end_matches('#') == address {
            self.document
        } else {
            self.resources.get(address).ok_or_else(|| SchemaError::Dangling(reference.to_owned()))?
        };
        let target = base.pointer(fragment).ok_or_else(|| SchemaError::Dangling(reference.to_owned()))?;
        self.refs.push(reference.to_owned());
        let result = self.walk(base, target, &Place { depth: place.depth + 1, ..place.copy() });
        self.refs.pop();
        result
    }

    fn scalar(&mut self, schema: &Value, place: &Place) {
        let named = match schema.get("type") {
            Some(Value::String(name)) => Some(name.as_str()),
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
            _ => None,
        };
        let kind = match named {
            Some("string") => Kind::String,
            Some("number") => Kind::Number,
            Some("integer") => Kind::Integer,
            Some("boolean") => Kind::Boolean,
            // Without a type, a trait is a field only if its other keywords are those of a scalar.
            None if schema.get("const").is_some_and(Value::is_boolean) => Kind::Boolean,
            None if schema.get("const").is_some_and(Value::is_number) => Kind::Number,
            None if schema.get("const").is_some_and(Value::is_string) => Kind::String,
            None if schema.get("enum").is_some() || schema.get("format").is_some() => Kind::String,
            Some(_) | None => return,
        };
        if self.kinds.iter().any(|(name, _)| *name == place.name) {
            return;
        }
        self.kinds.push((place.name.clone(), kind));
        if place.in_array {
            return;
        }
        let format = schema.get("format").and_then(Value::as_str);
        let last = place.name.rsplit('.').next();
        let (input_type, autocomplete) = input(kind, format, last == Some("password"));
        self.fields.push(TraitField {
            name: place.name.clone(),
            title: schema.get("title").and_then(Value::as_str).map(str::to_owned),
            kind,
            input_type,
            autocomplete,
            pattern: schema.get("pattern").and_then(Value::as_str).map(str::to_owned),
            options: schema
                .get("enum")
                .and_then(Value::as_array)
                .map(|values| values.iter().take(MAX_OPTIONS).cloned().collect())
                .unwrap_or_default(),
            required: place.required,
            disabled: schema.get("disableFormField").and_then(Value::as_bool).unwrap_or(false),
            extension: schema.get("ory.sh/kratos").map(Extension::read).unwrap_or_default(),
        });
    }
}

impl Place {
    fn copy(&self) -> Self {
        Self { name: self.name.clone(), required: self.required, in_array: self.in_array, depth: self.depth }
    }
}

fn input(kind: Kind, format: Option<&str>, named_password: bool) -> (InputType, Option<&'static str>) {
    let plain = match kind {
        Kind::Number | Kind::Integer => InputType::Number,
        Kind::Boolean => InputType::Checkbox,
        Kind::String if named_password => InputType::Password,
        Kind::String => InputType::Text,
    };
    match format {
        Some("date-time") => (InputType::DatetimeLocal, None),
        Some("email") => (InputType::Email, Some("email")),
        Some("tel") => (InputType::Tel, Some("tel")),
        Some("date") => (InputType::Date, None),
        Some("uri") => (InputType::Url, Some("url")),
        Some("regex") => (InputType::Text, None),
        _ => (plain, None),
    }
}
