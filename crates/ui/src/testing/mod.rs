//! Compares the files of texts with each other, and with the names in the code. For tests, so that a missing text, or one with
//! other values than the code provides, is found before a person sees it.

use std::collections::{BTreeMap, BTreeSet};

use crate::language::{LanguageError, Texts};
use crate::{Strings, TextName, moment};

/// The texts of English, which every other language is compared with.
pub const ENGLISH: &str = include_str!("../../locales/en.ftl");

/// Texts that the code does not name individually: it reads them by their prefix.
const READ_BY_PREFIX: [&str; 3] = ["language-", "message-", "trait-"];

/// The values of the text of a moment.
const MOMENT_VALUES: &[&str] = &["year", "month", "day", "padded_month", "padded_day", "time"];

/// The names of the texts that this crate uses.
pub fn text_names() -> Vec<TextName> {
    let mut names = Strings::names();
    names.push(TextName { key: moment::NAME.to_owned(), values: MOMENT_VALUES });
    names
}

/// The problems of a translation, one line per text: it is missing, English does not have it, or its values differ.
pub fn problems_of_translation(tag: &str, source: &str, english: &str) -> Vec<String> {
    let (english, _) = Texts::read("en", english);
    let (translation, problems) = Texts::read(tag, source);
    let mut found: Vec<String> = problems.iter().map(LanguageError::to_string).collect();
    for (key, values) in &english.values {
        match translation.values.get(key) {
            None => found.push(format!("{key}: missing")),
            Some(its) => found.extend(difference(key, its, values)),
        }
    }
    found.extend(superfluous(&translation.values, |key| english.values.contains_key(key), "English does not have it"));
    found.extend(translation.failures);
    found
}

/// The differences between the names in the code and the English texts.
pub fn problems_of_names(names: &[TextName], english: &str) -> Vec<String> {
    let (english, problems) = Texts::read("en", english);
    let mut found: Vec<String> = problems.iter().map(LanguageError::to_string).collect();
    let known: BTreeSet<&str> = names.iter().map(|name| name.key.as_str()).collect();
    for name in names {
        match english.values.get(&name.key) {
            None => found.push(format!("{}: missing", name.key)),
            Some(its) => {
                let given = name.values.iter().map(|value| (*value).to_owned()).collect();
                found.extend(difference(&name.key, its, &given));
            }
        }
    }
    let is_read = |key: &str| known.contains(key) || READ_BY_PREFIX.iter().any(|prefix| key.starts_with(prefix));
    found.extend(superfluous(&english.values, is_read, "no code uses it"));
    found.extend(english.failures);
    found
}

/// Describes how the values of a text differ from the required ones. A date may omit some of its values.
fn difference(key: &str, its: &BTreeSet<String>, expected: &BTreeSet<String>) -> Option<String> {
    let of_moment: BTreeSet<String> = MOMENT_VALUES.iter().map(|value| (*value).to_owned()).collect();
    let (fits, expected) =
        if key == moment::NAME { (its.is_subset(&of_moment), &of_moment) } else { (its == expected, expected) };
    let names = |values: &BTreeSet<String>| values.iter().map(|it| format!("${it}")).collect::<Vec<_>>().join(" ");
    (!fits).then(|| format!("{key}: its values are `{}`, expected `{}`", names(its), names(expected)))
}

fn superfluous(
    values: &BTreeMap<String, BTreeSet<String>>,
    is_known: impl Fn(&str) -> bool,
    reason: &str,
) -> Vec<String> {
    values.keys().filter(|key| !is_known(key)).map(|key| format!("{key}: superfluous, {reason}")).collect()
}

#[cfg(test)]
mod tests;
