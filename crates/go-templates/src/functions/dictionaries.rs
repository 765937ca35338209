//! Dictionaries.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::Value;

use super::Function;
use super::lists::split;
use crate::arguments::{exactly, int, list, members, string, strings, text, wrong};
use crate::printing::printed;

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("deepCopy", |given| Ok(exactly::<1>("deepCopy", given)?[0].clone())),
    ("dict", |given| {
        // A key without a value gets an empty value.
        let value = |pair: &[Value]| pair.get(1).cloned().unwrap_or_else(|| text(""));
        Ok(map(given.chunks(2).map(|pair| (Arc::from(printed(&pair[0])), value(pair)))))
    }),
    ("get", |given| {
        let [value, name] = exactly("get", given)?;
        let found = members("get", value)?.get(string("get", name)?);
        Ok(found.cloned().unwrap_or_else(|| text("")))
    }),
    ("hasKey", |given| {
        let [value, name] = exactly("hasKey", given)?;
        Ok(Value::Bool(members("hasKey", value)?.contains_key(string("hasKey", name)?)))
    }),
    ("keys", |given| {
        let all = given.iter().map(|value| members("keys", value)).collect::<Result<Vec<_>, _>>()?;
        Ok(list(all.into_iter().flat_map(BTreeMap::keys).map(text)))
    }),
    ("omit", |given| {
        let (value, names) = named("omit", given)?;
        Ok(map(value
            .iter()
            .filter(|(name, _)| !names.contains(&&***name))
            .map(|(name, it)| (name.clone(), it.clone()))))
    }),
    ("pick", |given| {
        let (value, names) = named("pick", given)?;
        Ok(map(value.iter().filter(|(name, _)| names.contains(&&***name)).map(|(name, it)| (name.clone(), it.clone()))))
    }),
    ("pluck", |given| {
        let (name, values) = given.split_first().ok_or_else(|| wrong("pluck: the name is missing"))?;
        let name = string("pluck", name)?;
        let all = values.iter().map(|value| members("pluck", value)).collect::<Result<Vec<_>, _>>()?;
        Ok(list(all.into_iter().filter_map(|members| members.get(name)).cloned()))
    }),
    ("split", |given| {
        let [separator, it] = strings("split", given)?;
        Ok(numbered(split(it, separator)))
    }),
    ("splitn", |given| {
        let [separator, count, it] = exactly("splitn", given)?;
        let (separator, it) = (string("splitn", separator)?, string("splitn", it)?);
        let count = int("splitn", count)?;
        Ok(match usize::try_from(count) {
            Ok(count) if separator.is_empty() => {
                let rest = it.char_indices().nth(count.saturating_sub(1)).map_or(it.len(), |(at, _)| at);
                let (before, after) = it.split_at(if count == 0 { 0 } else { rest });
                let last = (count > 0 && !after.is_empty()).then_some(after);
                numbered(split(before, "").chain(last))
            }
            Ok(count) => numbered(it.splitn(count, separator)),
            Err(_) => numbered(split(it, separator)),
        })
    }),
    ("values", |given| {
        let [value] = exactly("values", given)?;
        Ok(list(members("values", value)?.values().cloned()))
    }),
];

fn map(members: impl Iterator<Item = (Arc<str>, Value)>) -> Value {
    Value::Map(Arc::new(members.collect::<BTreeMap<_, _>>()))
}

/// A dictionary, and the names of some of its members.
#[expect(clippy::type_complexity, reason = "the engine's type of a dictionary")]
fn named<'a>(
    name: &str,
    given: &'a [Value],
) -> Result<(&'a BTreeMap<Arc<str>, Value>, Vec<&'a str>), gotmpl::TemplateError> {
    let (value, names) = given.split_first().ok_or_else(|| wrong(format!("{name}: the dictionary is missing")))?;
    let names = names.iter().map(|it| string(name, it)).collect::<Result<_, _>>()?;
    Ok((members(name, value)?, names))
}

/// `_0`, `_1` and so on.
fn numbered<'a>(parts: impl Iterator<Item = &'a str>) -> Value {
    map(parts.enumerate().map(|(place, part)| (Arc::from(format!("_{place}")), text(part))))
}
