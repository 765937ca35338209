//! The arguments of a function, with the type checks of Go.

use std::sync::Arc;

use gotmpl::{TemplateError, Value};

/// Exactly `N` arguments.
///
/// # Errors
/// The number of arguments differs.
pub fn exactly<'a, const N: usize>(name: &str, given: &'a [Value]) -> Result<&'a [Value; N], TemplateError> {
    given.try_into().map_err(|_| TemplateError::ArgCount { name: name.to_owned(), expected: N, got: given.len() })
}

/// A failure of a function.
pub fn wrong(message: impl Into<String>) -> TemplateError {
    TemplateError::Exec(message.into())
}

/// A string as a value.
pub fn text(text: impl AsRef<str>) -> Value {
    Value::String(Arc::from(text.as_ref()))
}

pub(crate) fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::List(items.into_iter().collect())
}

fn mismatch(name: &str, expected: &str, got: &Value) -> TemplateError {
    wrong(format!("{name}: expected {expected}, got {}", got.type_name()))
}

pub(crate) fn string<'a>(name: &str, value: &'a Value) -> Result<&'a str, TemplateError> {
    match value {
        Value::String(text) => Ok(text),
        Value::Safe { s, .. } => Ok(s),
        other => Err(mismatch(name, "a string", other)),
    }
}

/// Exactly `N` strings.
pub(crate) fn strings<'a, const N: usize>(name: &str, given: &'a [Value]) -> Result<[&'a str; N], TemplateError> {
    let mut texts = [""; N];
    for (text, value) in texts.iter_mut().zip(exactly::<N>(name, given)?) {
        *text = string(name, value)?;
    }
    Ok(texts)
}

/// An argument of the type `int`; floats are rejected, even whole ones.
pub(crate) fn int(name: &str, value: &Value) -> Result<i64, TemplateError> {
    match value {
        Value::Int(number) => Ok(*number),
        Value::Uint(number) => i64::try_from(*number).map_err(|_| mismatch(name, "an int", value)),
        other => Err(mismatch(name, "an int", other)),
    }
}

pub(crate) fn boolean(name: &str, value: &Value) -> Result<bool, TemplateError> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        other => Err(mismatch(name, "a bool", other)),
    }
}

pub(crate) fn items<'a>(name: &str, value: &'a Value) -> Result<&'a [Value], TemplateError> {
    match value {
        Value::List(items) => Ok(items),
        other => Err(mismatch(name, "a list", other)),
    }
}

pub(crate) fn members<'a>(
    name: &str,
    value: &'a Value,
) -> Result<&'a std::collections::BTreeMap<Arc<str>, Value>, TemplateError> {
    match value {
        Value::Map(members) => Ok(members),
        other => Err(mismatch(name, "a dictionary", other)),
    }
}
