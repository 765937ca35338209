//! Texts: trimming, casing, searching, encoding, JSON.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use gotmpl::Value;
use sha2::{Digest, Sha256};

use super::super::context::json_to_value;
use super::{Function, Outcome, arguments, numbers, printed, text, wrong};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("abbrev", |given| abbreviate("abbrev", given)),
    ("b64dec", |given| decode(given, &STANDARD)),
    ("b64enc", |given| one("b64enc", given, |it| STANDARD.encode(it))),
    ("b64urlenc", |given| one("b64urlenc", given, |it| URL_SAFE.encode(it))),
    ("cat", cat),
    ("contains", |given| test("contains", given, |part, whole| whole.contains(part))),
    ("fromJson", from_json),
    ("hasPrefix", |given| test("hasPrefix", given, |part, whole| whole.starts_with(part))),
    ("hasSuffix", |given| test("hasSuffix", given, |part, whole| whole.ends_with(part))),
    ("indent", |given| indent("indent", given, "")),
    ("lower", |given| one("lower", given, str::to_lowercase)),
    ("nindent", |given| indent("nindent", given, "\n")),
    ("nospace", |given| one("nospace", given, |it| it.split_whitespace().collect())),
    ("quote", |given| quote(given, '"')),
    ("regexFind", |given| regex(given, |regex, subject| text(regex.find(subject).map_or("", |found| found.as_str())))),
    ("regexMatch", |given| regex(given, |regex, subject| Value::Bool(regex.is_match(subject)))),
    ("regexReplaceAll", regex_replace),
    ("repeat", repeat),
    ("replace", replace),
    ("sha256sum", |given| one("sha256sum", given, |it| hex(&Sha256::digest(it)))),
    ("squote", |given| quote(given, '\'')),
    ("substr", substring),
    ("title", |given| one("title", given, title)),
    ("toJson", |given| to_json(given, false)),
    ("toPrettyJson", |given| to_json(given, true)),
    ("toString", |given| one("toString", given, str::to_owned)),
    ("trim", |given| one("trim", given, |it| it.trim().to_owned())),
    ("trimAll", |given| two("trimAll", given, |set, it| it.trim_matches(|c| set.contains(c)).to_owned())),
    ("trimPrefix", |given| two("trimPrefix", given, |fix, it| it.strip_prefix(fix).unwrap_or(it).to_owned())),
    ("trimSuffix", |given| two("trimSuffix", given, |fix, it| it.strip_suffix(fix).unwrap_or(it).to_owned())),
    ("trunc", truncate),
    ("untitle", |given| one("untitle", given, untitle)),
    ("upper", |given| one("upper", given, str::to_uppercase)),
    ("urlPathEscape", |given| one("urlPathEscape", given, path_escape)),
];

/// No function makes a text longer than this.
const LONGEST: usize = 1 << 20;

fn one(name: &str, given: &[Value], make: impl Fn(&str) -> String) -> Outcome {
    let [value] = arguments(name, given)?;
    Ok(text(make(&printed(value))))
}

fn two(name: &str, given: &[Value], make: impl Fn(&str, &str) -> String) -> Outcome {
    let [first, second] = arguments(name, given)?;
    Ok(text(make(&printed(first), &printed(second))))
}

fn test(name: &str, given: &[Value], holds: impl Fn(&str, &str) -> bool) -> Outcome {
    let [first, second] = arguments(name, given)?;
    Ok(Value::Bool(holds(&printed(first), &printed(second))))
}

fn decode(given: &[Value], engine: &impl base64::Engine) -> Outcome {
    let [value] = arguments("b64dec", given)?;
    let bytes = engine.decode(printed(value)).map_err(|error| wrong(format!("b64dec: {error}")))?;
    Ok(text(String::from_utf8_lossy(&bytes)))
}

#[expect(clippy::unnecessary_wraps, reason = "every function of the table answers alike")]
fn cat(given: &[Value]) -> Outcome {
    let words: Vec<String> = given.iter().filter(|value| !matches!(value, Value::Nil)).map(printed).collect();
    Ok(text(words.join(" ")))
}

#[expect(clippy::unnecessary_wraps, reason = "every function of the table answers alike")]
fn quote(given: &[Value], mark: char) -> Outcome {
    let quoted: Vec<String> = given
        .iter()
        .filter(|value| !matches!(value, Value::Nil))
        .map(|value| match mark {
            '"' => go_quoted(&printed(value)),
            _ => format!("{mark}{}{mark}", printed(value)),
        })
        .collect();
    Ok(text(quoted.join(" ")))
}

/// `%q` of Go.
fn go_quoted(it: &str) -> String {
    let mut quoted = String::from("\"");
    for character in it.chars() {
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
            _ if character.is_ascii_control() => quoted.extend(["\\x", &hex(&[character as u8])]),
            '\'' => quoted.push('\''),
            _ if is_printable(character) => quoted.push(character),
            _ if character <= '\u{ffff}' => quoted.extend(["\\u", &format!("{:04x}", u32::from(character))]),
            _ => quoted.extend(["\\U", &format!("{:08x}", u32::from(character))]),
        }
    }
    quoted.push('"');
    quoted
}

/// Letters, marks, numbers, punctuation, symbols and the space (`unicode.IsPrint`): what Rust writes as itself too. A mark
/// counts when it follows something.
fn is_printable(character: char) -> bool {
    let after_letter = ['a', character].iter().collect::<String>();
    after_letter.escape_debug().eq(after_letter.chars())
}

fn indent(name: &str, given: &[Value], before: &str) -> Outcome {
    let [width, it] = arguments(name, given)?;
    let width = length(width)?;
    let padding = " ".repeat(width);
    Ok(text(format!("{before}{padding}{}", printed(it).replace('\n', &format!("\n{padding}")))))
}

fn length(value: &Value) -> Result<usize, gotmpl::TemplateError> {
    numbers::to_i64(value)
        .and_then(|length| usize::try_from(length).ok())
        .filter(|length| *length <= LONGEST)
        .ok_or_else(|| wrong("the length is not a small number"))
}

fn repeat(given: &[Value]) -> Outcome {
    let [count, it] = arguments("repeat", given)?;
    let (count, it) = (length(count)?, printed(it));
    if count.saturating_mul(it.len()) > LONGEST {
        return Err(wrong("repeat: the text would be too long"));
    }
    Ok(text(it.repeat(count)))
}

fn replace(given: &[Value]) -> Outcome {
    let [old, new, it] = arguments("replace", given)?;
    Ok(text(printed(it).replace(&printed(old), &printed(new))))
}

fn truncate(given: &[Value]) -> Outcome {
    let [length, it] = arguments("trunc", given)?;
    let it = printed(it);
    let length = numbers::to_i64(length).ok_or_else(|| wrong("trunc: the length is not a number"))?;
    let count = usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX);
    let characters = it.chars().count();
    Ok(text(if length < 0 {
        it.chars().skip(characters.saturating_sub(count)).collect::<String>()
    } else {
        it.chars().take(count).collect()
    }))
}

fn substring(given: &[Value]) -> Outcome {
    let [start, end, it] = arguments("substr", given)?;
    let (start, end) = (numbers::to_i64(start).unwrap_or_default(), numbers::to_i64(end).unwrap_or_default());
    let it = printed(it);
    let characters = it.chars().count();
    let place = |at: i64| usize::try_from(at).map_or(0, |at| at.min(characters));
    let end = if end < 0 { characters } else { place(end) };
    Ok(text(it.chars().take(end).skip(place(start)).collect::<String>()))
}

fn abbreviate(name: &str, given: &[Value]) -> Outcome {
    let [width, it] = arguments(name, given)?;
    let (width, it) = (length(width)?, printed(it));
    if width < 4 || it.chars().count() <= width {
        return Ok(text(it));
    }
    Ok(text(it.chars().take(width - 3).chain("...".chars()).collect::<String>()))
}

/// Go's `strings.Title`: a word begins after any ASCII character except letters, digits and the underscore, and after
/// white space.
fn title(it: &str) -> String {
    let separates = |character: char| match character {
        '_' => false,
        _ if character.is_ascii() => !character.is_ascii_alphanumeric(),
        _ => character.is_whitespace(),
    };
    let mut after_separator = true;
    it.chars()
        .flat_map(|character| {
            let upper = std::mem::replace(&mut after_separator, separates(character));
            if upper { character.to_uppercase().collect::<Vec<_>>() } else { vec![character] }
        })
        .collect()
}

fn untitle(it: &str) -> String {
    let mut after_space = true;
    it.chars()
        .flat_map(|character| {
            let lower = std::mem::replace(&mut after_space, character.is_whitespace());
            if lower { character.to_lowercase().collect::<Vec<_>>() } else { vec![character] }
        })
        .collect()
}

fn path_escape(it: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~')
        .remove(b'$')
        .remove(b'&')
        .remove(b'+')
        .remove(b':')
        .remove(b'=')
        .remove(b'@');
    percent_encoding::utf8_percent_encode(it, KEPT).to_string()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn regex(given: &[Value], make: impl Fn(&regex::Regex, &str) -> Value) -> Outcome {
    let [pattern, subject] = arguments("regexMatch", given)?;
    Ok(make(&compiled(&printed(pattern))?, &printed(subject)))
}

fn regex_replace(given: &[Value]) -> Outcome {
    let [pattern, subject, replacement] = arguments("regexReplaceAll", given)?;
    let replaced = compiled(&printed(pattern))?.replace_all(&printed(subject), printed(replacement)).into_owned();
    Ok(text(replaced))
}

fn compiled(pattern: &str) -> Result<regex::Regex, gotmpl::TemplateError> {
    regex::RegexBuilder::new(pattern).size_limit(1 << 18).build().map_err(|error| wrong(error.to_string()))
}

/// Go writes `<`, `>`, `&` and the two line separators as escapes.
fn to_json(given: &[Value], pretty: bool) -> Outcome {
    let [value] = arguments("toJson", given)?;
    let json = value_to_json(value);
    let written = if pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) }
        .map_err(|error| wrong(error.to_string()))?;
    let mut escaped = String::with_capacity(written.len());
    for character in written.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                escaped.extend(["\\u", &format!("{:04x}", u32::from(character))]);
            }
            _ => escaped.push(character),
        }
    }
    Ok(text(escaped))
}

fn from_json(given: &[Value]) -> Outcome {
    let [value] = arguments("fromJson", given)?;
    let json = serde_json::from_str(&printed(value)).unwrap_or(serde_json::Value::Null);
    Ok(json_to_value(&json))
}

fn value_to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Bool(flag) => (*flag).into(),
        Value::Int(number) => (*number).into(),
        Value::Uint(number) => (*number).into(),
        Value::Float(number) => numbers::float_to_json(*number),
        Value::String(it) => it.as_ref().into(),
        Value::List(items) => items.iter().map(value_to_json).collect(),
        Value::Map(members) => members
            .iter()
            .map(|(name, value)| (name.to_string(), value_to_json(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        _ => serde_json::Value::Null,
    }
}

pub(super) fn split(given: &[Value]) -> Outcome {
    let [separator, it] = arguments("splitList", given)?;
    let (separator, it) = (printed(separator), printed(it));
    if separator.is_empty() {
        return Ok(Value::List(it.chars().map(|character| text(character.to_string())).collect()));
    }
    Ok(Value::List(it.split(separator.as_str()).map(text).collect::<Arc<[Value]>>()))
}
