//! Upper and lower case, one character at a time as in Go: no character becomes two.

use gotmpl::Value;

use super::Function;
use crate::Outcome;
use crate::arguments::{strings, text};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("lower", |given| mapped("lower", given, |it| it.chars().map(lower).collect())),
    ("swapcase", |given| mapped("swapcase", given, swap_case)),
    ("title", |given| mapped("title", given, title_case)),
    ("untitle", |given| mapped("untitle", given, untitle)),
    ("upper", |given| mapped("upper", given, |it| it.chars().map(upper).collect())),
];

fn mapped(name: &str, given: &[Value], map: impl Fn(&str) -> String) -> Outcome {
    let [it] = strings(name, given)?;
    Ok(text(map(it)))
}

/// Characters with a simple mapping besides a longer one: Greek letters with iota subscript, whose cases are eight code
/// points apart.
fn upper(character: char) -> char {
    match character {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => shifted(character, 8),
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => shifted(character, 9),
        other => only(other, other.to_uppercase()),
    }
}

fn lower(character: char) -> char {
    // The dotted capital I.
    if character == '\u{130}' { 'i' } else { only(character, character.to_lowercase()) }
}

/// The titlecase form of a character. Digraphs have their own.
fn title(character: char) -> char {
    match character {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        // Georgian has no titlecase.
        '\u{10d0}'..='\u{10ff}' => character,
        other => upper(other),
    }
}

fn shifted(character: char, by: u32) -> char {
    char::from_u32(u32::from(character) + by).unwrap_or(character)
}

fn only(character: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => character,
    }
}

/// `strings.Title`: a word begins after any ASCII character except letters, digits and the underscore, and after white
/// space.
fn title_case(it: &str) -> String {
    let separates = |character: char| match character {
        '_' => false,
        _ if character.is_ascii() => !character.is_ascii_alphanumeric(),
        _ => !character.is_alphanumeric() && character.is_whitespace(),
    };
    let mut after_separator = true;
    it.chars()
        .map(|character| {
            let begins = std::mem::replace(&mut after_separator, separates(character));
            if begins { title(character) } else { character }
        })
        .collect()
}

/// Lowercases the first letter of each word; words are separated by white space.
fn untitle(it: &str) -> String {
    let mut after_space = true;
    it.chars()
        .map(|character| {
            let begins = std::mem::replace(&mut after_space, character.is_whitespace());
            if begins { lower(character) } else { character }
        })
        .collect()
}

/// Swaps the case; lowercase letters at the beginning of a word become titlecase.
fn swap_case(it: &str) -> String {
    let mut after_space = true;
    it.chars()
        .map(|character| {
            let begins = std::mem::replace(&mut after_space, character.is_whitespace());
            if character.is_uppercase() || is_title(character) {
                lower(character)
            } else if character.is_lowercase() && begins {
                title(character)
            } else if character.is_lowercase() {
                upper(character)
            } else {
                character
            }
        })
        .collect()
}

const fn is_title(character: char) -> bool {
    matches!(character, '\u{1c5}' | '\u{1c8}' | '\u{1cb}' | '\u{1f2}')
}
