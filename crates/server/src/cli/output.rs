//! The output of commands: tables for people, JSON for programs.

use std::io::Write as _;
use std::process::ExitCode;

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};

/// A table for people, JSON for programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    #[default]
    #[value(alias = "default")]
    Table,
    #[value(alias = "json-pretty")]
    Json,
}

/// Prints rows: as a table of `columns`, or as JSON.
pub(super) fn rows(format: Format, columns: &[&str], rows: &[Value]) -> anyhow::Result<()> {
    if format == Format::Json {
        return json(&Value::from(rows));
    }
    if rows.is_empty() {
        eprintln!("there are none");
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(columns.iter().map(|column| column.to_uppercase().replace('_', " ")));
    for row in rows {
        table.add_row(columns.iter().map(|column| cell(row.get(*column).unwrap_or(&Value::Null))));
    }
    line(&table.to_string())
}

/// Prints one object: as a list of its `columns`, or as JSON.
pub(super) fn one(format: Format, columns: &[&str], thing: &Value) -> anyhow::Result<()> {
    if format == Format::Json {
        return json(thing);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    for column in columns {
        match thing.get(*column) {
            // Members without a value are omitted, because there can be many.
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text.is_empty() => {}
            Some(Value::Array(items)) if items.is_empty() => {}
            Some(Value::Object(members)) if members.is_empty() => {}
            Some(value) => {
                table.add_row([column.to_uppercase().replace('_', " "), cell(value)]);
            }
        }
    }
    line(&table.to_string())
}

pub(super) fn json(value: &Value) -> anyhow::Result<()> {
    line(&serde_json::to_string_pretty(value)?)
}

pub(super) fn raw(bytes: &[u8]) -> anyhow::Result<()> {
    match std::io::stdout().lock().write_all(bytes) {
        // The reader closed the pipe (`| head`), which is not an error.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

pub(super) fn line(text: &str) -> anyhow::Result<()> {
    raw(format!("{text}\n").as_bytes())
}

/// A value for display. What cannot be seen is replaced, because values of other people must not control the terminal, nor look like
/// other values.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => to_the_second(text),
        Value::Object(members) if members.values().all(|member| !member.is_object() && !member.is_array()) => {
            members.iter().map(|(name, member)| format!("{name}: {}", cell(member))).collect::<Vec<_>>().join(", ")
        }
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    };
    visible(&text)
}

/// A text for display in one line. Control and format characters are replaced, such as U+202E, which reverses what follows it.
pub(super) fn visible(text: &str) -> String {
    text.chars().map(|c| if is_visible(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

fn is_visible(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_control();
    }
    // The standard library escapes exactly what has no glyph: controls, formats, separators, unassigned and private characters. A
    // mark that combines with the letter before it is escaped only without one.
    ['a', c].iter().collect::<String>().escape_debug().count() == 2
}

/// A number with its noun.
pub(super) fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// A time without fractions of a second; any other text unchanged.
fn to_the_second(text: &str) -> String {
    let parts = text.strip_suffix('Z').and_then(|text| text.split_once('.'));
    let parts = parts.filter(|(_, fraction)| fraction.bytes().all(|it| it.is_ascii_digit()));
    match parts {
        Some((time, _)) if time.len() == 19 && time.as_bytes()[10] == b'T' => format!("{time}Z"),
        Some(_) | None => text.to_owned(),
    }
}

pub(super) fn version(format: Format) -> anyhow::Result<ExitCode> {
    let thing = json!({
        "version": crate::VERSION,
        "commit": option_env!("KLEIS_COMMIT").unwrap_or("unknown"),
        "build_time": option_env!("KLEIS_BUILD_TIME").unwrap_or("unknown"),
    });
    one(format, &["version", "commit", "build_time"], &thing)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_cannot_steer_the_terminal() {
        assert_eq!(cell(&json!("a\u{1b}[2Jb\nc")), "a\u{fffd}[2Jb\u{fffd}c");
        assert_eq!(cell(&json!(["openid", "offline"])), "openid offline");
        assert_eq!(cell(&json!({"email": "a@b\u{7}", "age": 7})), "email: a@b\u{fffd}, age: 7");
        assert_eq!(cell(&json!({"name": {"first": "Ada"}})), r#"{"name":{"first":"Ada"}}"#);
    }

    #[test]
    fn a_cell_shows_every_character_that_a_text_has() {
        // Directions, joiners, spaces without width, tags, separators of lines and paragraphs, and characters without a meaning.
        let hidden = "\u{202e}\u{202a}\u{2066}\u{200f}\u{61c}\u{200b}\u{200d}\u{feff}\u{ad}\u{2028}\u{2029}\u{e0041}\u{85}\u{e000}\u{378}";
        for c in hidden.chars() {
            assert_eq!(cell(&json!(format!("Doc:{c}x"))), "Doc:\u{fffd}x", "{:x}", u32::from(c));
            assert_eq!(cell(&json!({"a": {"b": c.to_string()}})), r#"{"a":{"b":"�"}}"#, "{:x}", u32::from(c));
            assert_eq!(cell(&json!([c.to_string()])), "\u{fffd}");
        }
        for text in ["Zoë", "Zoe\u{308}", "עדה", "आदा", "艾达", "👩", "\"'\\", "a b"] {
            assert_eq!(cell(&json!(text)), text);
        }
    }

    #[test]
    fn times_are_shown_to_the_second() {
        assert_eq!(cell(&json!("2026-11-25T02:45:35.435061Z")), "2026-11-25T02:45:35Z");
        assert_eq!(cell(&json!("2026-11-25T02:45:35Z")), "2026-11-25T02:45:35Z");
        assert_eq!(cell(&json!("1.2Z")), "1.2Z");
    }
}
