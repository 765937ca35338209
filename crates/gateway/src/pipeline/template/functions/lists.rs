//! Defaults, lists and dictionaries.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::Value;

use super::{Function, Outcome, arguments, printed, text, texts, wrong};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("append", |given| {
        let [items, item] = arguments("append", given)?;
        Ok(list(elements(items).into_iter().chain([item.clone()])))
    }),
    ("coalesce", |given| Ok(given.iter().find(|value| value.is_truthy()).cloned().unwrap_or(Value::Nil))),
    ("compact", |given| Ok(list(elements(single("compact", given)?).into_iter().filter(Value::is_truthy)))),
    ("concat", |given| Ok(list(given.iter().flat_map(elements)))),
    ("default", default),
    ("dict", dictionary),
    ("empty", |given| Ok(Value::Bool(!single("empty", given)?.is_truthy()))),
    ("first", |given| Ok(elements(single("first", given)?).first().cloned().unwrap_or(Value::Nil))),
    ("get", |given| {
        let [members, name] = arguments("get", given)?;
        Ok(member(members, name).unwrap_or_else(|| text("")))
    }),
    ("has", |given| {
        let [item, items] = arguments("has", given)?;
        Ok(Value::Bool(elements(items).contains(item)))
    }),
    ("hasKey", |given| {
        let [members, name] = arguments("hasKey", given)?;
        Ok(Value::Bool(member(members, name).is_some()))
    }),
    ("initial", |given| {
        let mut items = elements(single("initial", given)?);
        items.pop();
        Ok(list(items))
    }),
    ("join", join),
    ("keys", |given| match single("keys", given)? {
        Value::Map(members) => Ok(list(members.keys().map(text))),
        _ => Err(wrong("keys: not a dictionary")),
    }),
    ("kindIs", |given| {
        let [kind, value] = arguments("kindIs", given)?;
        Ok(Value::Bool(kind_of(value) == printed(kind)))
    }),
    ("kindOf", |given| Ok(text(kind_of(single("kindOf", given)?)))),
    ("last", |given| Ok(elements(single("last", given)?).pop().unwrap_or(Value::Nil))),
    ("list", |given| Ok(list(given.iter().cloned()))),
    ("prepend", |given| {
        let [items, item] = arguments("prepend", given)?;
        Ok(list([item.clone()].into_iter().chain(elements(items))))
    }),
    ("rest", |given| Ok(list(elements(single("rest", given)?).into_iter().skip(1)))),
    ("reverse", |given| Ok(list(elements(single("reverse", given)?).into_iter().rev()))),
    ("sortAlpha", |given| {
        let mut texts: Vec<String> = elements(single("sortAlpha", given)?).iter().map(printed).collect();
        texts.sort();
        Ok(list(texts.iter().map(text)))
    }),
    ("splitList", texts::split),
    ("ternary", |given| {
        let [yes, no, test] = arguments("ternary", given)?;
        Ok(if test.is_truthy() { yes.clone() } else { no.clone() })
    }),
    ("toStrings", |given| Ok(list(elements(single("toStrings", given)?).iter().map(|item| text(printed(item)))))),
    ("uniq", |given| {
        let mut unique: Vec<Value> = Vec::new();
        for item in elements(single("uniq", given)?) {
            if !unique.contains(&item) {
                unique.push(item);
            }
        }
        Ok(list(unique))
    }),
    ("values", |given| match single("values", given)? {
        Value::Map(members) => Ok(list(members.values().cloned())),
        _ => Err(wrong("values: not a dictionary")),
    }),
    ("without", |given| {
        let (items, unwanted) = given.split_first().ok_or_else(|| wrong("without: no list"))?;
        Ok(list(elements(items).into_iter().filter(|item| !unwanted.contains(item))))
    }),
];

fn single<'a>(name: &str, given: &'a [Value]) -> Result<&'a Value, gotmpl::TemplateError> {
    arguments::<1>(name, given).map(|[value]| value)
}

fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::List(items.into_iter().collect())
}

/// The items of a list; nothing is an empty list, anything else a list of itself.
fn elements(value: &Value) -> Vec<Value> {
    match value {
        Value::List(items) => items.to_vec(),
        Value::Nil => Vec::new(),
        other => vec![other.clone()],
    }
}

fn member(members: &Value, name: &Value) -> Option<Value> {
    match members {
        Value::Map(members) => members.get(printed(name).as_str()).cloned(),
        _ => None,
    }
}

/// `default "x" .Value`; without a value the default.
fn default(given: &[Value]) -> Outcome {
    match given {
        [fallback] => Ok(fallback.clone()),
        [fallback, value] => Ok(if value.is_truthy() { value.clone() } else { fallback.clone() }),
        _ => Err(wrong("default takes a default and a value")),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every function of the table answers alike")]
fn dictionary(given: &[Value]) -> Outcome {
    let members: BTreeMap<Arc<str>, Value> = given
        .chunks(2)
        .map(|pair| (Arc::from(printed(&pair[0])), pair.get(1).cloned().unwrap_or_else(|| text(""))))
        .collect();
    Ok(Value::Map(Arc::new(members)))
}

fn join(given: &[Value]) -> Outcome {
    let [separator, items] = arguments("join", given)?;
    let texts: Vec<String> = elements(items).iter().filter(|it| !matches!(it, Value::Nil)).map(printed).collect();
    Ok(text(texts.join(&printed(separator))))
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
        _ => "string",
    }
}
