//! Go's own functions that differ from the engine's: printing, and escaping of the output.

use std::fmt::Write as _;

use gotmpl::{Value, html_escape, url_encode};

use super::Function;
use super::texts::bounded;
use crate::arguments::{string, text, wrong};
use crate::printf;
use crate::printing::{is_printable, printed};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("html", |given| bounded(html_escape(&joined(given)))),
    ("js", |given| bounded(script(&joined(given)))),
    ("print", |given| bounded(sprint(given))),
    ("printf", |given| {
        let (format, values) = given.split_first().ok_or_else(|| wrong("printf: the format is missing"))?;
        bounded(printf::formatted(string("printf", format)?, values)?)
    }),
    ("println", |given| bounded(given.iter().map(printed).collect::<Vec<_>>().join(" ") + "\n")),
    ("urlquery", |given| Ok(text(url_encode(&joined(given))))),
];

/// `fmt.Sprint`: a space between two values when neither is a string.
fn sprint(given: &[Value]) -> String {
    let is_text = |value: &Value| matches!(value, Value::String(_) | Value::Safe { .. });
    let mut out = String::new();
    for (place, value) in given.iter().enumerate() {
        if place > 0 && !is_text(value) && !is_text(&given[place - 1]) {
            out.push(' ');
        }
        out.push_str(&printed(value));
    }
    out
}

/// The input of the escaping functions.
fn joined(given: &[Value]) -> String {
    match given {
        [Value::String(text)] => text.to_string(),
        other => {
            let shown = |value: &Value| match value {
                Value::Nil => text("<no value>"),
                other => other.clone(),
            };
            sprint(&other.iter().map(shown).collect::<Vec<_>>())
        }
    }
}

/// `template.JSEscapeString`: safe inside a JavaScript string.
fn script(it: &str) -> String {
    let mut out = String::with_capacity(it.len());
    for character in it.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04X}", u32::from(character));
            }
            _ if character.is_ascii() || is_printable(character) => out.push(character),
            _ => {
                let _ = write!(out, "\\u{:04X}", u32::from(character));
            }
        }
    }
    out
}
