//! The schemas of the configuration: its keys and their types. They are those of the replaced programs without their prose, so
//! that their files are checked in the same way, and one schema of our own for the whole process.
//!
//! A schema is compiled only when there is something to check, and only the part that concerns it ([`prune`]), so that a start
//! without configuration compiles none.

mod prune;

use std::cell::OnceCell;
use std::collections::BTreeMap;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::{Value, json};

use super::{Fault, Service};
use crate::spelling::nearest;

const ROOT: &str = include_str!("../schemas/root.json");

/// One schema, parsed.
pub(crate) struct Schema {
    document: Value,
    /// The path of the checked document within the configuration; empty for the root.
    prefix: &'static str,
}

impl Schema {
    fn root(services: &[Service]) -> Result<Self, Fault> {
        let mut root = Self::parse(ROOT, "")?;
        for service in services {
            root.document["properties"][service.name()] = json!({ "type": "object" });
        }
        Ok(root)
    }

    fn of(service: Service) -> Result<Self, Fault> {
        Self::parse(service.definition().configuration.schema, service.name())
    }

    fn parse(text: &str, prefix: &'static str) -> Result<Self, Fault> {
        let document = serde_json::from_str(text).map_err(|error| Fault::new(prefix, format!("schema: {error}")))?;
        Ok(Self { document, prefix })
    }

    /// Adds every fault of `value` to `faults`.
    pub(super) fn validate(&self, value: &Value, faults: &mut Vec<Fault>) {
        let compiled: Result<Validator, _> =
            jsonschema::options().with_draft(Draft::Draft7).build(&prune::pruned(&self.document, value));
        match compiled {
            Ok(validator) => validator.iter_errors(value).for_each(|error| self.explain(&error, faults)),
            Err(error) => faults.push(Fault::new(self.prefix, format!("schema: {error}"))),
        }
    }

    fn explain(&self, error: &ValidationError<'_>, faults: &mut Vec<Fault>) {
        let path = self.path_of(error);
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                for key in unexpected {
                    let renamed =
                        RENAMED.iter().find(|(old, _)| *old == key.as_str()).map(|(_, hint)| (*hint).to_owned());
                    let message = match (renamed, self.nearest(error, key)) {
                        (Some(hint), _) => format!("there is no such key; {hint}"),
                        (None, Some(known)) => format!("there is no such key; did you mean \"{known}\"?"),
                        (None, None) => "there is no such key".to_owned(),
                    };
                    faults.push(Fault::new(join(&path, key), message));
                }
            }
            ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
                match meant(context, error) {
                    None if is_a_hook(error) => faults.push(Fault::new(join(&path, "hook"), HOOKS)),
                    Some(_) if is_an_unknown_hook(error) => faults.push(Fault::new(join(&path, "hook"), HOOKS)),
                    Some(branch) => branch.iter().for_each(|error| self.explain(error, faults)),
                    None => faults.push(Fault::new(path, "does not match any of the allowed forms of this key")),
                }
            }
            kind => faults.push(Fault::new(path, message(kind))),
        }
    }

    fn path_of(&self, error: &ValidationError<'_>) -> String {
        let pointer = error.instance_path().as_str();
        let steps = pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
        steps.fold(self.prefix.to_owned(), |path, step| join(&path, &step))
    }

    /// The known key that is most similar to `key`, at the position of `error`.
    fn nearest(&self, error: &ValidationError<'_>, key: &str) -> Option<String> {
        let mut places = self.start();
        for step in error.instance_path().as_str().split('/').skip(1) {
            places = places.into_iter().flat_map(|place| place.child(step)).collect();
        }
        nearest(places.iter().flat_map(Place::keys).map(|(name, _)| name), key).map(str::to_owned)
    }

    /// The start of a walk through the schema.
    pub(super) fn start(&self) -> Vec<Place<'_>> {
        Place { root: &self.document, node: &self.document }.alternatives()
    }
}

impl Schema {
    /// The schema as a JSON document.
    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    /// The nodes at a dotted path; a star stands for any step. The path of the root is empty.
    pub(crate) fn places(&self, path: &str) -> Vec<Place<'_>> {
        path.split('.').filter(|step| !step.is_empty()).fold(self.start(), step_into)
    }

    /// Whether a dotted path exists; a star stands for any step.
    #[cfg(test)]
    pub(crate) fn knows(&self, path: &str) -> bool {
        let mut places = self.start();
        for step in path.split('.') {
            if places.iter().any(Place::takes_anything) {
                return true;
            }
            places = step_into(places, step);
        }
        !places.is_empty()
    }

    /// Every key that holds a value, as a dotted path with stars for free names and for items.
    #[cfg(test)]
    pub(super) fn leaves(&self) -> std::collections::BTreeSet<String> {
        let mut found = std::collections::BTreeSet::new();
        gather_leaves(&self.start(), &mut Vec::new(), &mut found);
        found
    }
}

fn step_into<'a>(places: Vec<Place<'a>>, step: &str) -> Vec<Place<'a>> {
    let mut below = Vec::new();
    for place in places {
        if step == "*" {
            below.extend(place.keys().map(|(_, it)| it).chain(place.any_key()).chain(place.items()));
        } else {
            below.extend(place.child(step));
        }
    }
    below.into_iter().flat_map(Place::expand).collect()
}

#[cfg(test)]
fn gather_leaves(places: &[Place<'_>], path: &mut Vec<String>, found: &mut std::collections::BTreeSet<String>) {
    let mut below: std::collections::BTreeMap<String, Vec<Place<'_>>> = std::collections::BTreeMap::new();
    for place in places {
        for (key, place) in place.keys() {
            below.entry(key.to_owned()).or_default().extend(place.expand());
        }
        let objects = place.items().into_iter().flat_map(Place::expand).filter(|item| item.keys().next().is_some());
        below.entry("*".to_owned()).or_default().extend(place.any_key().flat_map(Place::expand).chain(objects));
    }
    below.retain(|_, places| !places.is_empty());
    if below.is_empty() && !path.is_empty() {
        found.insert(path.join("."));
    }
    for (key, places) in below {
        path.push(key);
        gather_leaves(&places, path, found);
        path.pop();
    }
}

/// Keys of older versions of the replaced programs, and their replacements.
const RENAMED: &[(&str, &str)] = &[
    ("whitelisted_return_urls", "it is now called allowed_return_urls"),
    ("default_schema_url", "list the schema in identity.schemas, and name it in identity.default_schema_id"),
    ("logout_token_ttl", "logout tokens do not need it"),
    ("request_lifespan", "it is now called lifespan"),
];

const HOOKS: &str = "is not a hook that is allowed here; hooks are called web_hook, session, revoke_active_sessions, \
                     require_verified_address, show_verification_ui, verification";
/// The names of all hooks, of this program and of the replaced one.
const HOOK_NAMES: &[&str] = &[
    "web_hook",
    "session",
    "revoke_active_sessions",
    "require_verified_address",
    "show_verification_ui",
    "verification",
    "b2b_sso",
    "organization_selector",
    "two_step_registration",
    "verify_new_address",
    "notify_previous_addresses",
];

fn is_a_hook(error: &ValidationError<'_>) -> bool {
    error.instance().get("hook").is_some_and(Value::is_string)
}

fn is_an_unknown_hook(error: &ValidationError<'_>) -> bool {
    let name = error.instance().get("hook").and_then(Value::as_str);
    name.is_some_and(|name| !HOOK_NAMES.contains(&name))
}

/// The schemas that were used, each parsed once.
pub(crate) struct Schemas {
    root: OnceCell<Schema>,
    sections: BTreeMap<Service, OnceCell<Schema>>,
}

impl Schemas {
    pub(crate) fn new(services: &[Service]) -> Self {
        Self { root: OnceCell::new(), sections: services.iter().map(|service| (*service, OnceCell::new())).collect() }
    }

    pub(crate) fn services(&self) -> impl Iterator<Item = Service> {
        self.sections.keys().copied()
    }

    pub(crate) fn root(&self) -> Result<&Schema, Fault> {
        if let Some(schema) = self.root.get() {
            return Ok(schema);
        }
        let services: Vec<Service> = self.services().collect();
        let schema = Schema::root(&services)?;
        Ok(self.root.get_or_init(|| schema))
    }

    pub(crate) fn of(&self, service: Service) -> Result<&Schema, Fault> {
        let cell = self.sections.get(&service).ok_or_else(|| Fault::new(service.name(), "has no schema"))?;
        if let Some(schema) = cell.get() {
            return Ok(schema);
        }
        let schema = Schema::of(service)?;
        Ok(cell.get_or_init(|| schema))
    }
}

impl Default for Schemas {
    fn default() -> Self {
        Self::new(&Service::ALL)
    }
}

/// A node of a schema.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    root: &'a Value,
    node: &'a Value,
}

impl<'a> Place<'a> {
    /// This node and all nodes that it refers to or combines.
    fn alternatives(self) -> Vec<Self> {
        let mut found = Vec::new();
        self.gather(&mut found, 0);
        found
    }

    fn gather(self, found: &mut Vec<Self>, depth: usize) {
        // The references of these schemas are a few levels deep; the limit stops cycles.
        if depth > 16 {
            return;
        }
        if let Some(pointer) = self.node.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix('#')) {
            if let Some(node) = self.root.pointer(pointer) {
                Place { root: self.root, node }.gather(found, depth + 1);
            }
            return;
        }
        found.push(self);
        for combination in ["allOf", "anyOf", "oneOf"] {
            for node in self.node.get(combination).and_then(Value::as_array).into_iter().flatten() {
                Place { root: self.root, node }.gather(found, depth + 1);
            }
        }
        for branch in ["then", "else"] {
            if let Some(node) = self.node.get(branch) {
                Place { root: self.root, node }.gather(found, depth + 1);
            }
        }
    }

    /// The named keys of this object.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        let root = self.root;
        let properties = self.node.get("properties").and_then(Value::as_object).into_iter().flatten();
        properties.map(move |(name, node)| (name.as_str(), Place { root, node }))
    }

    /// The schema of other keys of this object, if it allows them.
    pub(super) fn any_key(&self) -> impl Iterator<Item = Self> + use<'a> {
        let root = self.root;
        let patterns = self.node.get("patternProperties").and_then(Value::as_object).into_iter().flatten();
        let others = self.node.get("additionalProperties").filter(|it| it.is_object());
        patterns.map(|(_, node)| node).chain(others).map(move |node| Place { root, node })
    }

    /// The schema of the items of this array.
    pub(crate) fn items(&self) -> Option<Self> {
        let node = self.node.get("items").filter(|it| it.is_object())?;
        Some(Place { root: self.root, node })
    }

    pub(crate) fn node(self) -> &'a Value {
        self.node
    }

    /// Whether this node accepts any content.
    #[cfg(test)]
    fn takes_anything(&self) -> bool {
        let is_object = self.types().any(|it| it == "object") && self.node.get("properties").is_none();
        let is_array = self.types().any(|it| it == "array") && self.node.get("items").is_none();
        is_object || is_array
    }

    /// The schemas of `step`, a key or an index.
    fn child(self, step: &str) -> Vec<Self> {
        let named: Vec<Self> = self.keys().filter(|(name, _)| *name == step).map(|(_, place)| place).collect();
        let items = self.items().filter(|_| step.parse::<usize>().is_ok());
        let found = if named.is_empty() { self.any_key().chain(items).collect() } else { named };
        found.into_iter().flat_map(Self::alternatives).collect()
    }

    pub(crate) fn expand(self) -> Vec<Self> {
        self.alternatives()
    }

    /// The JSON types that this node accepts.
    pub(crate) fn types(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let types = self.node.get("type");
        let several = types.and_then(Value::as_array).into_iter().flatten();
        types.into_iter().chain(several).filter_map(Value::as_str)
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The branch of an alternative that the value was meant to match: one that it does not rule out by a constant (`enabled: true`
/// against `enabled: false`), and among several the one that matches most of the value.
fn meant<'a>(
    branches: &'a [Vec<ValidationError<'static>>],
    error: &ValidationError<'_>,
) -> Option<&'a [ValidationError<'static>]> {
    let depth = |error: &ValidationError<'_>| error.instance_path().as_str().matches('/').count();
    let reach = |branch: &[ValidationError<'_>]| branch.iter().map(depth).max().unwrap_or(0);
    let is_ruled_out = |branch: &[ValidationError<'_>]| {
        branch.iter().any(|error| matches!(error.kind(), ValidationErrorKind::Constant { .. }))
    };
    let open: Vec<&[ValidationError<'_>]> =
        branches.iter().map(Vec::as_slice).filter(|branch| !is_ruled_out(branch)).collect();
    match open.as_slice() {
        [only] => Some(only),
        several => several
            .iter()
            .copied()
            .max_by_key(|branch| (reach(branch), usize::MAX - branch.len()))
            .filter(|branch| reach(branch) > depth(error)),
    }
}

/// The message of a fault. It contains what is expected, never the value.
fn message(kind: &ValidationErrorKind) -> String {
    match kind {
        ValidationErrorKind::Type { kind: TypeKind::Single(one) } => format!("must be of type {one}"),
        ValidationErrorKind::Type { kind: TypeKind::Multiple(several) } => {
            let names: Vec<String> = several.iter().map(|one| one.to_string()).collect();
            format!("must be of type {}", names.join(" or "))
        }
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
            let names: Vec<String> = options.iter().map(Value::to_string).collect();
            format!("must be one of {}", names.join(", "))
        }
        ValidationErrorKind::Constant { expected_value } => format!("must be {expected_value}"),
        ValidationErrorKind::Required { property } => {
            format!("lacks the key \"{}\"", property.as_str().unwrap_or_default())
        }
        ValidationErrorKind::Format { format } if format == "uri" => "must be a URL; a file is file:///path".to_owned(),
        ValidationErrorKind::Format { format } => format!("must be a valid {format}"),
        ValidationErrorKind::Pattern { pattern } => expected_by(pattern),
        ValidationErrorKind::MinLength { limit } => format!("must have at least {limit} characters"),
        ValidationErrorKind::MaxLength { limit } => format!("must have at most {limit} characters"),
        ValidationErrorKind::Minimum { limit } => format!("must be at least {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("must be at most {limit}"),
        ValidationErrorKind::MinItems { limit } => format!("must have at least {limit} items"),
        ValidationErrorKind::MaxItems { limit } => format!("must have at most {limit} items"),
        ValidationErrorKind::UniqueItems => "must not repeat an item".to_owned(),
        ValidationErrorKind::PropertyNames { .. } => "has a key that is not allowed".to_owned(),
        other => format!("violates the rule \"{}\"", other.keyword()),
    }
}

/// What a pattern of the contract's schemas expects.
fn expected_by(pattern: &str) -> String {
    match pattern {
        "^smtps?://.*" => "must begin with smtp:// or smtps://".to_owned(),
        "^https?://" => "must begin with http:// or https://".to_owned(),
        "^(http|https|file|base64)://" => "must begin with http://, https://, file:// or base64://".to_owned(),
        pattern if pattern.contains("(ns|us|") => "must be a duration, for instance 10m or 1h30m".to_owned(),
        pattern => format!("must match {pattern}"),
    }
}

#[cfg(test)]
mod tests;
