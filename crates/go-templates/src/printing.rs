//! Go's formatting of values: `%v`, and `%q` of strings.

use std::fmt::Write as _;

use gotmpl::Value;

use crate::arguments::text;

/// A value as `%v` prints it.
pub fn printed(value: &Value) -> String {
    match value {
        Value::Float(number) => float(*number),
        Value::List(items) => format!("[{}]", items.iter().map(printed).collect::<Vec<_>>().join(" ")),
        Value::Map(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{name}:{}", printed(value))).collect();
            format!("map[{}]", members.join(" "))
        }
        // An object.
        Value::Function(object) => object(&[]).map_or_else(|_| value.to_string(), |text| text.to_string()),
        other => other.to_string(),
    }
}

/// The output of an action: numbers, objects and values that contain them become strings. Nil stays nil, which the engine prints
/// as Go does.
pub fn displayed(value: &Value) -> Value {
    match value {
        Value::Float(_) | Value::List(_) | Value::Map(_) | Value::Function(_) => text(printed(value)),
        other => other.clone(),
    }
}

/// The shortest representation, with an exponent from a million on and below a ten-thousandth (`strconv`, format `g`).
fn float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return format!("{number}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// A string as `%q` prints it.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        let code = u32::from(character);
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            _ if character.is_ascii_control() => {
                let _ = write!(quoted, "\\x{code:02x}");
            }
            _ if is_printable(character) => quoted.push(character),
            _ if code <= 0xffff => {
                let _ = write!(quoted, "\\u{code:04x}");
            }
            _ => {
                let _ = write!(quoted, "\\U{code:08x}");
            }
        }
    }
    quoted.push('"');
    quoted
}

/// Letters, marks, numbers, punctuation, symbols and the space (`unicode.IsPrint`): the characters that Rust does not
/// escape either. A mark needs a preceding character.
pub(crate) fn is_printable(character: char) -> bool {
    if character == '\'' || character == ' ' {
        return true;
    }
    let after_letter: String = ['a', character].iter().collect();
    !character.is_whitespace() && after_letter.escape_debug().eq(after_letter.chars())
}
