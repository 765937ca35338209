//! Lists.

use gotmpl::Value;

use super::Function;
use super::numbers::whole;
use crate::arguments::{exactly, int, items, list, string, strings, text, wrong};
use crate::printing::printed;
use crate::{Outcome, TemplateError};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("append", |given| appended("append", given)),
    ("chunk", |given| {
        let [size, value] = exactly("chunk", given)?;
        let size = int("chunk", size)?;
        let size =
            usize::try_from(size).ok().filter(|size| *size > 0).ok_or_else(|| wrong("chunk: the size is zero"))?;
        Ok(list(items("chunk", value)?.chunks(size).map(|part| list(part.iter().cloned()))))
    }),
    ("compact", |given| {
        let kept = items("compact", one("compact", given)?)?.iter().filter(|item| item.is_truthy());
        Ok(list(kept.cloned()))
    }),
    ("concat", |given| {
        let lists = given.iter().map(|value| items("concat", value)).collect::<Result<Vec<_>, _>>()?;
        Ok(list(lists.into_iter().flatten().cloned()))
    }),
    ("first", |given| Ok(items("first", one("first", given)?)?.first().cloned().unwrap_or(Value::Nil))),
    ("has", |given| {
        let [item, value] = exactly("has", given)?;
        Ok(Value::Bool(!matches!(value, Value::Nil) && items("has", value)?.contains(item)))
    }),
    ("initial", |given| {
        let all = items("initial", one("initial", given)?)?;
        Ok(list(all.iter().take(all.len().saturating_sub(1)).cloned()))
    }),
    ("join", |given| {
        let [separator, value] = exactly("join", given)?;
        let separator = string("join", separator)?;
        Ok(text(texts_of(value).join(separator)))
    }),
    ("last", |given| Ok(items("last", one("last", given)?)?.last().cloned().unwrap_or(Value::Nil))),
    ("list", |given| Ok(list(given.iter().cloned()))),
    ("prepend", |given| {
        let [value, item] = exactly("prepend", given)?;
        Ok(list([item.clone()].into_iter().chain(items("prepend", value)?.iter().cloned())))
    }),
    ("push", |given| appended("push", given)),
    ("rest", |given| Ok(list(items("rest", one("rest", given)?)?.iter().skip(1).cloned()))),
    ("reverse", |given| Ok(list(items("reverse", one("reverse", given)?)?.iter().rev().cloned()))),
    ("slice", slice),
    ("sortAlpha", |given| {
        let mut texts = texts_of_list(one("sortAlpha", given)?);
        texts.sort_unstable();
        Ok(list(texts.iter().map(text)))
    }),
    ("splitList", |given| {
        let [separator, it] = strings("splitList", given)?;
        Ok(list(split(it, separator).map(text)))
    }),
    ("toStrings", |given| Ok(list(texts_of(one("toStrings", given)?).iter().map(text)))),
    ("tuple", |given| Ok(list(given.iter().cloned()))),
    ("uniq", |given| {
        let all = items("uniq", one("uniq", given)?)?;
        if all.len() > MOST_COMPARED {
            return Err(wrong(format!("uniq: the list has more than {MOST_COMPARED} items")));
        }
        let mut unique: Vec<Value> = Vec::new();
        for item in all {
            if !unique.contains(item) {
                unique.push(item.clone());
            }
        }
        Ok(list(unique))
    }),
    ("without", |given| {
        let (value, unwanted) = given.split_first().ok_or_else(|| wrong("without: the list is missing"))?;
        let kept = items("without", value)?.iter().filter(|item| !unwanted.contains(item));
        Ok(list(kept.cloned()))
    }),
];

/// Comparing all pairs of items takes quadratic time.
const MOST_COMPARED: usize = 4096;

fn one<'a>(name: &str, given: &'a [Value]) -> Result<&'a Value, TemplateError> {
    exactly::<1>(name, given).map(|[value]| value)
}

fn appended(name: &str, given: &[Value]) -> Outcome {
    let [value, item] = exactly(name, given)?;
    Ok(list(items(name, value)?.iter().cloned().chain([item.clone()])))
}

/// The items as strings, without nil ones. A value that is not a list becomes a list with one item.
fn texts_of(value: &Value) -> Vec<String> {
    match value {
        Value::List(items) => items.iter().filter(|it| !matches!(it, Value::Nil)).map(printed).collect(),
        Value::Nil => Vec::new(),
        other => vec![printed(other)],
    }
}

fn texts_of_list(value: &Value) -> Vec<String> {
    match value {
        Value::List(_) => texts_of(value),
        other => vec![printed(other)],
    }
}

/// `strings.Split`: without a separator, one part per character.
pub(super) fn split<'a>(it: &'a str, separator: &'a str) -> Box<dyn Iterator<Item = &'a str> + 'a> {
    if separator.is_empty() {
        return Box::new(it.char_indices().map(|(at, character)| &it[at..at + character.len_utf8()]));
    }
    Box::new(it.split(separator))
}

/// `slice list from to`; one or both of the bounds may be omitted.
fn slice(given: &[Value]) -> Outcome {
    let (value, bounds) = given.split_first().ok_or_else(|| wrong("slice: the list is missing"))?;
    let all = items("slice", value)?;
    if all.is_empty() {
        return Ok(Value::Nil);
    }
    let bound = |place: usize, otherwise: usize| match bounds.get(place) {
        Some(value) => usize::try_from(whole(value)).map_err(|_| wrong("slice: a bound is negative")),
        None => Ok(otherwise),
    };
    let (from, to) = (bound(0, 0)?, bound(1, all.len())?);
    let part = all.get(from..to).ok_or_else(|| wrong("slice: the bounds are outside the list"))?;
    Ok(list(part.iter().cloned()))
}
