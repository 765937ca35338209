//! The log formats.

use std::fmt::Write as _;

use base::Timestamp;
use serde_json::{Map, Value};
use tracing::Level;

use crate::{LogFormat, ServiceName};

pub(super) struct Line<'a> {
    pub(super) service: ServiceName,
    pub(super) at: Timestamp,
    pub(super) level: Level,
    pub(super) target: &'a str,
    pub(super) message: String,
    pub(super) fields: Map<String, Value>,
}

impl Line<'_> {
    pub(super) fn write(self, format: LogFormat, colours: bool) -> String {
        match format {
            LogFormat::Text => self.text(colours),
            LogFormat::Json => finish(serde_json::to_string(&self.object())),
            LogFormat::JsonPretty => finish(serde_json::to_string_pretty(&self.object())),
            LogFormat::Gelf => finish(serde_json::to_string(&self.gelf())),
        }
    }

    fn text(&self, colours: bool) -> String {
        let (colour, faint, plain) = if colours { (colour(self.level), "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
        let mut line = String::with_capacity(160);
        // Writing to a string cannot fail.
        let _ = write!(line, "{faint}{}{plain} {colour}{:<5}{plain} {}", self.at, self.level, OneLine(&self.message));
        for (name, value) in &self.fields {
            let _ = match value {
                Value::String(text) if is_bare(text) => write!(line, " {faint}{name}={plain}{text}"),
                other => write!(line, " {faint}{name}={plain}{}", OneLine(&other.to_string())),
            };
        }
        line.push('\n');
        line
    }

    fn object(self) -> Value {
        let mut object = Map::new();
        object.insert("time".to_owned(), self.at.to_string().into());
        object.insert("level".to_owned(), level_name(self.level).into());
        object.insert("msg".to_owned(), self.message.into());
        object.insert("audience".to_owned(), "application".into());
        object.insert("service_name".to_owned(), self.service.name.into());
        object.insert("service_version".to_owned(), self.service.version.into());
        object.insert("target".to_owned(), self.target.into());
        for (name, value) in self.fields {
            nest(&mut object, &name, value);
        }
        Value::Object(object)
    }

    fn gelf(self) -> Value {
        let seconds = self.at.unix_micros() / 1_000_000;
        let fraction = self.at.unix_micros().rem_euclid(1_000_000);
        let mut object = Map::new();
        object.insert("version".to_owned(), "1.1".into());
        object.insert("host".to_owned(), self.service.name.into());
        object.insert("short_message".to_owned(), self.message.into());
        let timestamp = format!("{seconds}.{fraction:06}").parse().map_or(Value::Null, |at: f64| at.into());
        object.insert("timestamp".to_owned(), timestamp);
        object.insert("level".to_owned(), syslog(self.level).into());
        object.insert("_target".to_owned(), self.target.into());
        for (name, value) in self.fields {
            // GELF supports text and numbers, and reserves `_id`.
            let value = match value {
                Value::String(_) | Value::Number(_) => value,
                other => other.to_string().into(),
            };
            object.insert(format!("_{}", if name == "id" { "event_id" } else { &name }), value);
        }
        Value::Object(object)
    }
}

fn finish(text: Result<String, serde_json::Error>) -> String {
    let mut text = text.unwrap_or_default();
    text.push('\n');
    text
}

/// Puts `a.b` into the object `a`. An existing plain value takes precedence.
fn nest(object: &mut Map<String, Value>, name: &str, value: Value) {
    let Some((outer, inner)) = name.split_once('.') else {
        object.insert(name.to_owned(), value);
        return;
    };
    let slot = object.entry(outer).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(inside) = slot {
        nest(inside, inner, value);
    }
}

/// Control characters, line and paragraph separators, and what changes the direction or has no width.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Whether a text needs no quotes, because no part of it can be mistaken for another field or line.
fn is_bare(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| !is_unseen(c) && !c.is_whitespace() && c != '"' && c != '=')
}

/// A text without line breaks, terminal codes or invisible characters, so that a value cannot forge another line or field.
struct OneLine<'a>(&'a str);

impl std::fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            if is_unseen(c) { write!(f, "{}", c.escape_default())? } else { f.write_char(c)? }
        }
        Ok(())
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warning",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

fn syslog(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG => "\x1b[34m",
        Level::TRACE => "\x1b[35m",
    }
}
