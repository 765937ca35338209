//! The functions of rule templates that the gateway adds to those of Go and sprig (`go-templates`).

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use go_templates::{Function, Outcome, displayed, exactly, member, printed, text, wrong};
use gotmpl::{FuncMap, TemplateError, Value, ValueFunc};
use percent_encoding::utf8_percent_encode;

use super::context::canonical_header_name;
use super::marks::display_marked;
use super::request_url::PATH_SEGMENT;
use super::rewrite::{
    DISPLAY, DISPLAY_MARKED, HEADER_GET, HEADER_VALUES, MEMBER, QUERY_GET, QUERY_HAS, QUERY_VALUES, VALUES_GET,
};

const OWN: &[(&str, Function)] = &[
    ("b64urlenc", |given| {
        let [value] = exactly("b64urlenc", given)?;
        Ok(text(URL_SAFE.encode(printed_or_empty(value))))
    }),
    ("print", |given| {
        let [value] = exactly("print", given)?;
        Ok(text(printed_or_empty(value)))
    }),
    ("printIndex", print_index),
    ("urlPathEscape", |given| {
        let [value] = exactly("urlPathEscape", given)?;
        Ok(text(utf8_percent_encode(&printed_or_empty(value), PATH_SEGMENT).to_string()))
    }),
    (DISPLAY, |given| {
        let [value] = exactly("display", given)?;
        Ok(displayed(value))
    }),
    (DISPLAY_MARKED, display_marked),
    (HEADER_GET, |arguments| first_value(arguments, true)),
    (HEADER_VALUES, |arguments| all_values(arguments, true)),
    (MEMBER, |given| {
        let (value, names) = given.split_first().ok_or_else(|| wrong("a member of nothing"))?;
        names.iter().try_fold(value.clone(), |value, name| member(&value, &printed(name)))
    }),
    (QUERY_GET, |arguments| first_value(arguments, false)),
    (QUERY_HAS, |arguments| Ok(Value::Bool(values_of(arguments, false)?.is_some()))),
    (VALUES_GET, |arguments| match first_value(arguments, false)? {
        Value::String(it) if it.is_empty() => first_value(arguments, true),
        found => Ok(found),
    }),
    (QUERY_VALUES, |arguments| all_values(arguments, false)),
];

static ALL: LazyLock<FuncMap> = LazyLock::new(|| {
    let mut all = go_templates::functions();
    all.extend(OWN.iter().map(|(name, function)| ((*name).to_owned(), Arc::new(*function) as ValueFunc)));
    all
});

pub(super) fn all() -> FuncMap {
    ALL.clone()
}

pub(super) fn is_known(name: &str) -> bool {
    go_templates::is_known(name) || ALL.contains_key(name)
}

/// A value in its default format. Unlike Go's `print`, Oathkeeper's takes one value, and nil is the empty string.
pub(super) fn printed_or_empty(value: &Value) -> String {
    if matches!(value, Value::Nil) { String::new() } else { printed(value) }
}

/// An element of a list, or the empty string when it does not exist.
fn print_index(given: &[Value]) -> Outcome {
    let [list, index] = exactly("printIndex", given)?;
    let index = match index {
        Value::Int(index) => usize::try_from(*index).ok(),
        Value::Uint(index) => usize::try_from(*index).ok(),
        other => return Err(wrong(format!("printIndex: expected an int, got {}", other.type_name()))),
    };
    let element = match (list, index) {
        (Value::List(items), Some(index)) => items.get(index),
        _ => None,
    };
    Ok(text(element.map(printed).unwrap_or_default()))
}

fn values_of(given: &[Value], is_header: bool) -> Result<Option<&Value>, TemplateError> {
    let [fields, name] = exactly("Get", given)?;
    let name = printed_or_empty(name);
    match fields {
        Value::Nil => Ok(None),
        Value::Map(fields) if is_header => Ok(fields.get(canonical_header_name(&name).as_str())),
        Value::Map(fields) => Ok(fields.get(name.as_str())),
        other => Err(wrong(format!("can't call method Get on {}", other.type_name()))),
    }
}

fn first_value(given: &[Value], is_header: bool) -> Outcome {
    Ok(match values_of(given, is_header)? {
        Some(Value::List(values)) => values.first().cloned().unwrap_or_else(|| text("")),
        Some(other) => text(printed(other)),
        None => text(""),
    })
}

fn all_values(given: &[Value], is_header: bool) -> Outcome {
    Ok(values_of(given, is_header)?.cloned().unwrap_or_else(|| Value::List(Arc::from([]))))
}
