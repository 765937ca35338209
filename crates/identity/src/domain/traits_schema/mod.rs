//! Traits schemas: the attributes of a user, as JSON Schema (draft 04, 06 or 07) with the keyword `ory.sh/kratos`, which
//! declares the use of a trait: as an identifier, an address to verify, or a recovery address.
//!
//! Invariants: create, update, registration and settings all call [`TraitsSchema::validate`], so stored traits are
//! valid under their schema. Regular expressions run in linear time. A schema fetches nothing while it validates, because
//! everything that it references was loaded when it was compiled.

mod error;
mod extension;
mod field;
mod meta;
mod pattern;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jsonschema::{PatternOptions, Retrieve, Uri, Validator};
use serde_json::{Map, Value};

pub use error::{TraitError, TraitProblem};
pub use extension::Extension;
pub use field::{InputType, Kind, TraitField};

use super::identifier::MAX_IDENTIFIER;
use super::{Via, identifier};

/// A compiled schema.
pub struct TraitsSchema {
    id: String,
    document: Arc<Value>,
    validator: Validator,
    fields: Vec<TraitField>,
    kinds: Vec<(String, Kind)>,
    /// The original texts of patterns that were translated for the validator.
    written: HashMap<String, String>,
}

/// The schema is invalid. The text contains the location.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    #[error("the identity schema is not a valid JSON Schema: {0}")]
    Invalid(String),
    #[error("{pointer}: {problem}")]
    Rule { pointer: String, problem: &'static str },
    #[error("{pointer}: unknown key \"{key}\" inside \"ory.sh/kratos\"")]
    UnknownKey { pointer: String, key: String },
    #[error("the reference \"{0}\" is circular")]
    Cycle(String),
    #[error("the reference \"{0}\" cannot be resolved")]
    Dangling(String),
}

/// The identifiers and addresses of one user, derived from their traits by the schema's `ory.sh/kratos` keywords. Values
/// are normalized and free of duplicates, in the order in which they occur.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Derived {
    pub password: Vec<String>,
    pub webauthn: Vec<String>,
    pub code: Vec<(Via, String)>,
    pub verifiable: Vec<(Via, String)>,
    pub recovery: Vec<(Via, String)>,
    pub totp_account_name: Option<String>,
    pub passkey_display_name: Option<String>,
}

impl TraitsSchema {
    /// Compiles a schema. `resources` holds every external document that it references, by URL.
    pub fn compile(id: &str, document: Value, resources: &HashMap<String, Value>) -> Result<Self, SchemaError> {
        meta::check(&document)?;
        let mut written = HashMap::new();
        let translated = pattern::translated(&document, &mut written);
        let loaded = resources.iter().map(|(url, it)| (url.clone(), pattern::translated(it, &mut written))).collect();
        let mut options = jsonschema::options()
            .with_retriever(Loaded(loaded))
            .with_pattern_options(PatternOptions::regex())
            .should_validate_formats(true)
            .with_format("email", identifier::is_email)
            .with_format("email_loose", identifier::is_international_email)
            .with_format("tel", |text: &str| identifier::e164(text).is_some())
            .with_format("no-validate", |_: &str| true);
        if document.get("$schema").is_none() {
            options = options.with_draft(jsonschema::Draft::Draft7);
        }
        let validator = options.build(&translated).map_err(|error| SchemaError::Invalid(error.to_string()))?;
        let (fields, kinds) = field::derive(&document, resources)?;
        Ok(Self { id: id.to_owned(), document: Arc::new(document), validator, fields, kinds, written })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// The original document, with the order of its keys.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// The traits that a form can contain, in the order of the schema.
    pub fn fields(&self) -> &[TraitField] {
        &self.fields
    }

    /// The JSON type of each scalar by its dotted path, where `#` stands for the items of a list (`traits.emails.#`). Values
    /// of a form are converted to it.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, Kind)> {
        self.kinds.iter().map(|(name, kind)| (name.as_str(), *kind))
    }

    /// Validates the traits and derives identifiers and addresses. Telephone numbers that the schema uses as addresses are
    /// normalized in place.
    pub fn validate(&self, traits: &mut Value) -> Result<Derived, Vec<TraitError>> {
        let mut instance = Map::new();
        instance.insert("traits".to_owned(), traits.clone());
        let instance = Value::Object(instance);
        let evaluation = self.validator.evaluate(&instance);
        if !evaluation.flag().valid {
            let mut errors = Vec::new();
            for error in self.validator.iter_errors(&instance) {
                error::collect(&error, &mut errors);
            }
            for error in &mut errors {
                if let TraitProblem::Pattern { pattern } = &mut error.problem
                    && let Some(written) = self.written.get(pattern.as_str())
                {
                    pattern.clone_from(written);
                }
            }
            errors.dedup();
            errors.sort_by_key(|error| error.problem.rank());
            return Err(errors);
        }
        let mut derived = Derived::default();
        let mut errors = Vec::new();
        let mut seen = BTreeSet::new();
        for entry in evaluation.iter_annotations() {
            let Some(keyword) = entry.annotations.value().get("ory.sh/kratos") else { continue };
            let pointer = entry.instance_location.as_str();
            // A schema that is reached over two branches reports the same trait twice.
            if !seen.insert((pointer.to_owned(), keyword.to_string())) {
                continue;
            }
            let extension = Extension::read(keyword);
            let format = entry.annotations.value().get("format").and_then(Value::as_str);
            let format = format.or_else(|| self.format_at(entry.schema_location)).unwrap_or_default();
            let Some(found) = instance.pointer(pointer) else { continue };
            let Some(text) = scalar_text(found) else { continue };
            if text.len() > MAX_IDENTIFIER {
                let problem = TraitProblem::TooLong { max: MAX_IDENTIFIER as u64, actual: text.len() as u64 };
                errors.push(TraitError { pointer: pointer.to_owned(), problem });
                continue;
            }
            extension.apply(pointer, &text, format, &mut derived, &mut errors);
            if extension.is_telephone()
                && let (Some(number), Some(slot)) =
                    (identifier::e164(&text), pointer.strip_prefix("/traits").and_then(|at| traits.pointer_mut(at)))
            {
                *slot = Value::String(number);
            }
        }
        if errors.is_empty() { Ok(derived) } else { Err(errors) }
    }

    fn format_at(&self, schema_location: &str) -> Option<&str> {
        self.document.pointer(schema_location)?.get("format")?.as_str()
    }
}

impl std::fmt::Debug for TraitsSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TraitsSchema").field("id", &self.id).finish_non_exhaustive()
    }
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The documents that were loaded before, and no others.
struct Loaded(HashMap<String, Value>);

impl Retrieve for Loaded {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        self.0.get(uri.as_str()).cloned().ok_or_else(|| format!("{uri} was not loaded").into())
    }
}

#[cfg(test)]
mod tests;
