//! The reasons why traits are rejected, per trait, with the message id and context that clients translate by.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq)]
pub struct TraitError {
    /// A JSON pointer into `{"traits": ..}`, for instance `/traits/email`.
    pub pointer: String,
    pub problem: TraitProblem,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TraitProblem {
    Missing { property: String },
    TooShort { min: u64, actual: u64 },
    TooLong { max: u64, actual: u64 },
    Pattern { pattern: String },
    BelowMinimum { minimum: Value, actual: Value },
    NotAboveMinimum { minimum: Value, actual: Value },
    AboveMaximum { maximum: Value, actual: Value },
    NotBelowMaximum { maximum: Value, actual: Value },
    NotMultiple { base: Value, actual: Value },
    TooManyItems { max: u64, actual: u64 },
    TooFewItems { min: u64, actual: u64 },
    EqualItems { first: usize, second: usize },
    WrongType { allowed: Vec<String>, actual: &'static str },
    NotTheConstant { expected: Value },
    Email { value: String },
    Telephone { value: String },
    Other { reason: String },
}

impl TraitProblem {
    /// The id of the validation message.
    pub const fn message_id(&self) -> u32 {
        match self {
            Self::Missing { .. } => 4_000_002,
            Self::TooShort { .. } => 4_000_003,
            Self::Pattern { .. } => 4_000_004,
            Self::TooLong { .. } => 4_000_017,
            Self::BelowMinimum { .. } => 4_000_018,
            Self::NotAboveMinimum { .. } => 4_000_019,
            Self::AboveMaximum { .. } => 4_000_020,
            Self::NotBelowMaximum { .. } => 4_000_021,
            Self::NotMultiple { .. } => 4_000_022,
            Self::TooManyItems { .. } => 4_000_023,
            Self::TooFewItems { .. } => 4_000_024,
            Self::EqualItems { .. } => 4_000_025,
            Self::WrongType { .. } => 4_000_026,
            Self::NotTheConstant { .. } => 4_000_029,
            Self::Email { .. } => 4_000_040,
            Self::Telephone { .. } => 4_000_041,
            Self::Other { .. } => 4_000_001,
        }
    }

    /// The order of this problem among several of one value. It is the order of the wire contract, independent of the order
    /// of the schema.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::WrongType { .. } => 0,
            Self::NotTheConstant { .. } => 1,
            Self::Other { .. } => 2,
            Self::Email { .. } | Self::Telephone { .. } => 3,
            Self::Missing { .. } => 4,
            Self::TooFewItems { .. } => 5,
            Self::TooManyItems { .. } => 6,
            Self::EqualItems { .. } => 7,
            Self::TooShort { .. } => 8,
            Self::TooLong { .. } => 9,
            Self::Pattern { .. } => 10,
            Self::BelowMinimum { .. } => 11,
            Self::NotAboveMinimum { .. } => 12,
            Self::AboveMaximum { .. } => 13,
            Self::NotBelowMaximum { .. } => 14,
            Self::NotMultiple { .. } => 15,
        }
    }

    /// The context of the validation message.
    pub fn context(&self) -> Value {
        match self {
            Self::Missing { property } => json!({ "property": property }),
            Self::TooShort { min, actual } => json!({ "min_length": min, "actual_length": actual }),
            Self::TooLong { max, actual } => json!({ "max_length": max, "actual_length": actual }),
            Self::Pattern { pattern } => json!({ "pattern": pattern }),
            Self::BelowMinimum { minimum, actual } | Self::NotAboveMinimum { minimum, actual } => {
                json!({ "minimum": minimum, "actual": actual })
            }
            Self::AboveMaximum { maximum, actual } | Self::NotBelowMaximum { maximum, actual } => {
                json!({ "maximum": maximum, "actual": actual })
            }
            Self::NotMultiple { base, actual } => json!({ "base": base, "actual": actual }),
            Self::TooManyItems { max, actual } => json!({ "max_items": max, "actual_items": actual }),
            Self::TooFewItems { min, actual } => json!({ "min_items": min, "actual_items": actual }),
            Self::EqualItems { first, second } => json!({ "index_a": first, "index_b": second }),
            Self::WrongType { allowed, actual } => json!({ "allowed_types": allowed, "actual_type": actual }),
            Self::NotTheConstant { expected } => json!({ "expected": expected }),
            Self::Email { value } | Self::Telephone { value } => json!({ "value": value }),
            Self::Other { reason } => json!({ "reason": reason }),
        }
    }

    /// The problem as a sentence, for the admin API and as the English text of the message.
    pub fn reason(&self) -> String {
        match self {
            Self::Missing { property } => format!("Property {property} is missing."),
            Self::TooShort { min, actual } => format!("The text must have {min} characters or more, but has {actual}."),
            Self::TooLong { max, actual } => format!("The text must have {max} characters or fewer, but has {actual}."),
            Self::Pattern { pattern } => format!("The text does not match the pattern \"{pattern}\"."),
            Self::BelowMinimum { minimum, actual } => format!("The number must be {minimum} or more, but is {actual}."),
            Self::NotAboveMinimum { minimum, actual } => {
                format!("The number must be more than {minimum}, but is {actual}.")
            }
            Self::AboveMaximum { maximum, actual } => format!("The number must be {maximum} or less, but is {actual}."),
            Self::NotBelowMaximum { maximum, actual } => {
                format!("The number must be less than {maximum}, but is {actual}.")
            }
            Self::NotMultiple { base, actual } => format!("{actual} is not a multiple of {base}."),
            Self::TooManyItems { max, actual } => format!("The list may hold {max} items, but has {actual}."),
            Self::TooFewItems { min, actual } => format!("The list must hold {min} items or more, but has {actual}."),
            Self::EqualItems { first, second } => format!("The items {first} and {second} of the list are equal."),
            Self::WrongType { allowed, actual } => {
                format!("The value must be of type {}, but is {actual}.", allowed.join(" or "))
            }
            Self::NotTheConstant { expected } => format!("The value must be {expected}."),
            Self::Email { value } => format!("\"{value}\" is not a valid email address."),
            Self::Telephone { value } => format!("\"{value}\" is not a valid telephone number in international form."),
            Self::Other { reason } => reason.clone(),
        }
    }
}

/// Splits one error into errors that a user can fix: the causes inside alternatives are reported one by one.
pub(super) fn collect(error: &ValidationError<'_>, into: &mut Vec<TraitError>) {
    let before = into.len();
    if let ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } = error.kind() {
        for cause in context.iter().flatten() {
            collect(cause, into);
        }
    }
    if into.len() > before {
        return;
    }
    let mut pointer = error.instance_path().as_str().to_owned();
    if let ValidationErrorKind::Required { property } = error.kind() {
        let name = property.as_str().unwrap_or_default();
        pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
    }
    let found = TraitError { pointer, problem: problem(error) };
    if !into.contains(&found) {
        into.push(found);
    }
}

fn problem(error: &ValidationError<'_>) -> TraitProblem {
    let instance = error.instance();
    let actual = || instance.clone().into_owned();
    let characters = || instance.as_str().map_or(0, |text| text.chars().count() as u64);
    let items = || instance.as_array().map_or(0, |items| items.len() as u64);
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            TraitProblem::Missing { property: property.as_str().unwrap_or_default().to_owned() }
        }
        ValidationErrorKind::MinLength { limit } => TraitProblem::TooShort { min: *limit, actual: characters() },
        ValidationErrorKind::MaxLength { limit } => TraitProblem::TooLong { max: *limit, actual: characters() },
        ValidationErrorKind::Pattern { pattern } => TraitProblem::Pattern { pattern: pattern.clone() },
        ValidationErrorKind::Minimum { limit } => {
            TraitProblem::BelowMinimum { minimum: limit.clone(), actual: actual() }
        }
        ValidationErrorKind::ExclusiveMinimum { limit } => {
            TraitProblem::NotAboveMinimum { minimum: limit.clone(), actual: actual() }
        }
        ValidationErrorKind::Maximum { limit } => {
            TraitProblem::AboveMaximum { maximum: limit.clone(), actual: actual() }
        }
        ValidationErrorKind::ExclusiveMaximum { limit } => {
            TraitProblem::NotBelowMaximum { maximum: limit.clone(), actual: actual() }
        }
        ValidationErrorKind::MultipleOf { multiple_of } => {
            TraitProblem::NotMultiple { base: json!(multiple_of), actual: actual() }
        }
        ValidationErrorKind::MaxItems { limit } => TraitProblem::TooManyItems { max: *limit, actual: items() },
        ValidationErrorKind::MinItems { limit } => TraitProblem::TooFewItems { min: *limit, actual: items() },
        ValidationErrorKind::UniqueItems => {
            let (first, second) = equal_items(instance);
            TraitProblem::EqualItems { first, second }
        }
        ValidationErrorKind::Type { kind } => {
            let allowed = match kind {
                TypeKind::Single(one) => vec![one.to_string()],
                TypeKind::Multiple(several) => several.iter().map(|one| one.to_string()).collect(),
            };
            TraitProblem::WrongType { allowed, actual: type_name(instance) }
        }
        ValidationErrorKind::Constant { expected_value } => {
            TraitProblem::NotTheConstant { expected: Value::clone(expected_value) }
        }
        ValidationErrorKind::Format { format } => match (format.as_str(), instance.as_str()) {
            ("email" | "email_loose" | "idn-email", Some(value)) => TraitProblem::Email { value: value.to_owned() },
            ("tel", Some(value)) => TraitProblem::Telephone { value: value.to_owned() },
            _ => TraitProblem::Other { reason: error.to_string() },
        },
        _ => TraitProblem::Other { reason: error.to_string() },
    }
}

fn equal_items(instance: &Value) -> (usize, usize) {
    let items = instance.as_array().map_or(&[][..], Vec::as_slice);
    for (second, item) in items.iter().enumerate() {
        if let Some(first) = items[..second].iter().position(|earlier| earlier == item) {
            return (first, second);
        }
    }
    (0, 0)
}

const fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
