//! JSON as Go's `encoding/json` reads and writes it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use gotmpl::Value;
use serde_json::Value as Json;

use crate::arguments::text;

/// JSON as decoded by Go: every number is a float64.
pub fn value_of(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => Value::Float(number.as_f64().unwrap_or_default()),
        Json::String(string) => text(string),
        Json::Array(items) => Value::List(items.iter().map(value_of).collect()),
        Json::Object(members) => {
            let members = members.iter().map(|(name, value)| (Arc::from(name.as_str()), value_of(value)));
            Value::Map(Arc::new(members.collect::<BTreeMap<Arc<str>, Value>>()))
        }
    }
}

/// The output format of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `<`, `>` and `&` are escaped, so that HTML and scripts can contain it.
    Escaped,
    /// The same, indented over several lines.
    Pretty,
    /// `<`, `>` and `&` are not escaped.
    Raw,
}

/// A value that JSON cannot represent.
pub(crate) struct Unsupported;

pub(crate) fn written(value: &Value, style: Style) -> Result<String, Unsupported> {
    let mut writer = Writer { out: String::new(), style, depth: 0 };
    writer.value(value)?;
    Ok(writer.out)
}

struct Writer {
    out: String,
    style: Style,
    depth: usize,
}

impl Writer {
    fn value(&mut self, value: &Value) -> Result<(), Unsupported> {
        match value {
            Value::Nil => self.out.push_str("null"),
            Value::Bool(flag) => self.out.push_str(if *flag { "true" } else { "false" }),
            Value::Int(number) => self.out.push_str(&number.to_string()),
            Value::Uint(number) => self.out.push_str(&number.to_string()),
            Value::Float(number) => self.out.push_str(&float(*number)?),
            Value::String(text) => self.string(text),
            Value::Safe { s, .. } => self.string(s),
            Value::List(items) => {
                self.enclosed('[', ']', items.iter(), Self::value)?;
            }
            Value::Map(members) => self.enclosed('{', '}', members.iter(), |writer, (name, value)| {
                writer.string(name);
                writer.out.push_str(if writer.style == Style::Pretty { ": " } else { ":" });
                writer.value(value)
            })?,
            // The fields of an object.
            Value::Function(object) => match object(&[Value::Nil]) {
                Ok(fields @ Value::Map(_)) => self.value(&fields)?,
                _ => return Err(Unsupported),
            },
        }
        Ok(())
    }

    fn enclosed<T>(
        &mut self,
        open: char,
        close: char,
        items: impl ExactSizeIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> Result<(), Unsupported>,
    ) -> Result<(), Unsupported> {
        let is_empty = items.len() == 0;
        self.out.push(open);
        self.depth += 1;
        for (place, item) in items.enumerate() {
            if place > 0 {
                self.out.push(',');
            }
            self.new_line();
            write(self, item)?;
        }
        self.depth -= 1;
        if !is_empty {
            self.new_line();
        }
        self.out.push(close);
        Ok(())
    }

    fn new_line(&mut self) {
        if self.style == Style::Pretty {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", self.depth));
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for character in text.chars() {
            match character {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                '<' | '>' | '&' if self.style == Style::Raw => self.out.push(character),
                '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    let _ = write!(self.out, "\\u{:04x}", u32::from(character));
                }
                _ => self.out.push(character),
            }
        }
        self.out.push('"');
    }
}

/// Digits without an exponent, except for very large and very small numbers.
fn float(number: f64) -> Result<String, Unsupported> {
    if !number.is_finite() {
        return Err(Unsupported);
    }
    let size = number.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return Ok(format!("{number}"));
    }
    let scientific = format!("{number:e}");
    Ok(if size >= 1e21 { scientific.replace('e', "e+") } else { scientific })
}
