//! Defaults, choices and types.

use gotmpl::Value;

use super::Function;
use crate::Outcome;
use crate::arguments::{boolean, exactly, string, strings, text, wrong};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("all", |given| Ok(Value::Bool(given.iter().all(Value::is_truthy)))),
    ("any", |given| Ok(Value::Bool(given.iter().any(Value::is_truthy)))),
    ("coalesce", |given| Ok(given.iter().find(|value| value.is_truthy()).cloned().unwrap_or(Value::Nil))),
    ("deepEqual", |given| {
        let [one, other] = exactly("deepEqual", given)?;
        Ok(Value::Bool(one == other))
    }),
    ("default", default),
    ("empty", |given| Ok(Value::Bool(!exactly::<1>("empty", given)?[0].is_truthy()))),
    ("fail", |given| {
        let [message] = strings("fail", given)?;
        Err(wrong(message))
    }),
    ("kindIs", |given| {
        let [kind, value] = exactly("kindIs", given)?;
        Ok(Value::Bool(kind_of(value) == string("kindIs", kind)?))
    }),
    ("kindOf", |given| Ok(text(kind_of(&exactly::<1>("kindOf", given)?[0])))),
    ("ternary", |given| {
        let [yes, no, test] = exactly("ternary", given)?;
        Ok(if boolean("ternary", test)? { yes.clone() } else { no.clone() })
    }),
    ("typeIs", |given| {
        let [name, value] = exactly("typeIs", given)?;
        Ok(Value::Bool(type_of(value) == string("typeIs", name)?))
    }),
    ("typeOf", |given| Ok(text(type_of(&exactly::<1>("typeOf", given)?[0])))),
];

/// `default "x" .Value`: the value, or the default if the value is empty.
fn default(given: &[Value]) -> Outcome {
    let (default, values) = given.split_first().ok_or_else(|| wrong("default: the default is missing"))?;
    Ok(values.first().filter(|value| value.is_truthy()).unwrap_or(default).clone())
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Nil => "invalid",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Uint(_) => "uint64",
        Value::Float(_) => "float64",
        Value::List(_) => "slice",
        Value::Map(_) => "map",
        Value::Function(_) => "func",
        Value::String(_) | Value::Safe { .. } => "string",
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Nil => "<nil>",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
        other => kind_of(other),
    }
}
