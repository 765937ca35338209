//! The functions of templates: the gateway's own, and those of sprig that depend on their arguments alone.

mod lists;
mod numbers;
mod texts;

use std::sync::{Arc, LazyLock};

use gotmpl::{FuncMap, TemplateError, Value, ValueFunc};

use super::context::canonical_header_name;
use super::json::display_marked;
use super::rewrite::{DISPLAY, DISPLAY_MARKED, HEADER_GET, HEADER_VALUES, QUERY_GET, QUERY_VALUES, VALUES_GET};

pub(super) type Outcome = Result<Value, TemplateError>;
pub(super) type Function = fn(&[Value]) -> Outcome;

/// The functions that the template engine brings along.
const BUILT_IN: &[&str] = &[
    "and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or", "printf", "println",
    "slice", "urlquery",
];

const OWN: &[(&str, Function)] = &[
    ("print", print),
    ("printIndex", print_index),
    (DISPLAY, display),
    (DISPLAY_MARKED, display_marked),
    (HEADER_GET, |arguments| first_value(arguments, true)),
    (HEADER_VALUES, |arguments| all_values(arguments, true)),
    (QUERY_GET, |arguments| first_value(arguments, false)),
    (VALUES_GET, |arguments| match first_value(arguments, false)? {
        Value::String(it) if it.is_empty() => first_value(arguments, true),
        found => Ok(found),
    }),
    (QUERY_VALUES, |arguments| all_values(arguments, false)),
];

static ALL: LazyLock<FuncMap> = LazyLock::new(|| {
    [OWN, texts::FUNCTIONS, numbers::FUNCTIONS, lists::FUNCTIONS]
        .into_iter()
        .flatten()
        .map(|(name, function)| ((*name).to_owned(), Arc::new(*function) as ValueFunc))
        .collect()
});

pub(super) fn all() -> FuncMap {
    ALL.clone()
}

pub(super) fn is_known(name: &str) -> bool {
    BUILT_IN.contains(&name) || ALL.contains_key(name)
}

/// What to tell someone who misses a function of sprig's that is left out on purpose.
pub(super) fn why_absent(name: &str) -> &'static str {
    match name {
        "env" | "expandenv" => ": templates cannot read the environment",
        "now" | "date" | "ago" | "htmlDate" | "dateInZone" => ": templates cannot read the clock",
        "uuidv4" | "randAlphaNum" | "randAlpha" | "randNumeric" | "randAscii" | "randBytes" | "randInt" | "shuffle"
        | "genPrivateKey" | "genCA" | "genSelfSignedCert" | "genSignedCert" => {
            ": templates give the same text each time"
        }
        "getHostByName" => ": templates cannot use the network",
        "osBase" | "osDir" | "osExt" | "osClean" | "osIsAbs" => ": templates know no files",
        _ => "",
    }
}

pub(super) fn wrong(message: impl Into<String>) -> TemplateError {
    TemplateError::Exec(message.into())
}

pub(super) fn text(text: impl AsRef<str>) -> Value {
    Value::String(Arc::from(text.as_ref()))
}

/// A value as Go's `%v` prints it, nil as nothing.
pub(super) fn printed(value: &Value) -> String {
    match value {
        Value::Nil => String::new(),
        other => in_go(other),
    }
}

fn in_go(value: &Value) -> String {
    match value {
        Value::Float(number) => numbers::float_in_go(*number),
        Value::List(items) => format!("[{}]", items.iter().map(in_go).collect::<Vec<_>>().join(" ")),
        Value::Map(members) => {
            let members: Vec<String> = members.iter().map(|(name, value)| format!("{name}:{}", in_go(value))).collect();
            format!("map[{}]", members.join(" "))
        }
        other => other.to_string(),
    }
}

/// What an action prints. Nil stays nil, which the engine prints as Go does.
fn display(given: &[Value]) -> Outcome {
    let [value] = arguments("display", given)?;
    Ok(match value {
        Value::Float(_) | Value::List(_) | Value::Map(_) => text(in_go(value)),
        other => other.clone(),
    })
}

/// Exactly `N` arguments.
pub(super) fn arguments<'a, const N: usize>(name: &str, given: &'a [Value]) -> Result<&'a [Value; N], TemplateError> {
    given.try_into().map_err(|_| TemplateError::ArgCount { name: name.to_owned(), expected: N, got: given.len() })
}

/// One value in its default form. Unlike Go's own `print`, nil is the empty text.
fn print(given: &[Value]) -> Outcome {
    let [value] = arguments("print", given)?;
    Ok(text(printed(value)))
}

/// An element of a list, or the empty text when there is none.
fn print_index(given: &[Value]) -> Outcome {
    let [list, index] = arguments("printIndex", given)?;
    let element = match (list, numbers::to_i64(index)) {
        (Value::List(items), Some(index)) => usize::try_from(index).ok().and_then(|index| items.get(index)),
        _ => None,
    };
    Ok(text(element.map(printed).unwrap_or_default()))
}

fn values_of(given: &[Value], is_header: bool) -> Result<Option<&Value>, TemplateError> {
    let [fields, name] = arguments("Get", given)?;
    let name = printed(name);
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
