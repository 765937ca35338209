//! Translates regular expressions from the syntax of the replaced program (RE2) to that of JSON Schema (ECMA 262).
//!
//! Invariants: a valid ECMA 262 expression keeps its meaning. Syntax that ECMA 262 cannot express is left unchanged,
//! so that compiling the schema fails with an error about it.

use std::collections::HashMap;

use serde_json::Value;

/// The document with every `pattern` translated to ECMA 262. `written` receives the original texts of those that changed.
pub(super) fn translated(document: &Value, written: &mut HashMap<String, String>) -> Value {
    match document {
        Value::Object(members) => {
            let member = |(key, value): (&String, &Value)| {
                let value = match value {
                    Value::String(pattern) if key == "pattern" => {
                        let translated = to_ecma(pattern);
                        if translated != *pattern {
                            written.insert(translated.clone(), pattern.clone());
                        }
                        Value::String(translated)
                    }
                    other => translated(other, written),
                };
                (key.clone(), value)
            };
            Value::Object(members.iter().map(member).collect())
        }
        Value::Array(items) => items.iter().map(|item| translated(item, written)).collect(),
        other => other.clone(),
    }
}

fn to_ecma(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let (flags, mut rest) = leading_flags(pattern);
    if let Some(flags) = flags {
        out.push_str("(?");
        out.push_str(flags);
        out.push(':');
    }
    while let Some(c) = rest.chars().next() {
        if let Some(literal) = rest.strip_prefix("\\Q") {
            let (literal, after) = literal.split_once("\\E").unwrap_or((literal, ""));
            literal.chars().for_each(|c| push_literal(&mut out, c));
            rest = after;
        } else if let Some(after) = rest.strip_prefix("\\A") {
            out.push('^');
            rest = after;
        } else if let Some(after) = rest.strip_prefix("\\z") {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix("(?P<") {
            out.push_str("(?<");
            rest = after;
        } else if c == '\\' {
            rest = push_escape(&mut out, rest);
        } else if c == '[' {
            rest = push_class(&mut out, rest);
        } else if c == '{' {
            let end = quantifier_end(rest);
            if end == 0 {
                out.push('\\');
            }
            let (text, after) = rest.split_at(end.max(1));
            out.push_str(text);
            rest = after;
        } else {
            if c == '}' || c == ']' {
                out.push('\\');
            }
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    if flags.is_some() {
        out.push(')');
    }
    out
}

/// The flags of a leading `(?i)`, which ECMA 262 supports only for a group.
fn leading_flags(pattern: &str) -> (Option<&str>, &str) {
    let found = pattern.strip_prefix("(?").and_then(|rest| rest.split_once(')'));
    match found {
        Some((flags, rest)) if !flags.is_empty() && flags.chars().all(|c| "ims".contains(c)) => (Some(flags), rest),
        _ => (None, pattern),
    }
}

fn push_literal(out: &mut String, c: char) {
    if "\\^$.|?*+()[]{}/".contains(c) {
        out.push('\\');
    }
    out.push(c);
}

/// Copies an escape sequence and returns the rest.
fn push_escape<'p>(out: &mut String, rest: &'p str) -> &'p str {
    let mut length: usize = rest.chars().take(2).map(char::len_utf8).sum();
    let has_braces = rest[1..].starts_with(['p', 'P', 'u', 'x']) && rest[length..].starts_with('{');
    if let Some(end) = rest.find('}').filter(|_| has_braces) {
        length = end + 1;
    }
    let (escape, after) = rest.split_at(length);
    out.push_str(escape);
    after
}

/// The length of a leading `{2}`, `{2,}` or `{2,3}`; 0 for a literal brace.
fn quantifier_end(rest: &str) -> usize {
    let Some((inner, _)) = rest[1..].split_once('}') else { return 0 };
    let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
    let is_number = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if !least.is_empty() && is_number(least) && is_number(most) { inner.len() + 2 } else { 0 }
}

/// Copies a bracketed class and returns the rest.
fn push_class<'p>(out: &mut String, class: &'p str) -> &'p str {
    out.push('[');
    let mut rest = &class[1..];
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
    }
    let (mut is_first, mut follows_set) = (true, false);
    while let Some(c) = rest.chars().next() {
        let is_set = |text: &str| {
            let mut chars = text.chars();
            chars.next() == Some('\\') && chars.next().is_some_and(|c| "dDwWsSpP".contains(c))
        };
        if c == ']' && !is_first {
            out.push(']');
            return &rest[1..];
        }
        is_first = false;
        if let Some((set, after)) = posix_set(rest) {
            out.push_str(set);
            (rest, follows_set) = (after, true);
        } else if c == '\\' {
            follows_set = is_set(rest);
            rest = push_escape(out, rest);
        } else {
            // A dash beside a set of characters is a literal, not a range.
            if c == ']' || (c == '-' && (follows_set || is_set(&rest[1..]))) {
                out.push('\\');
            }
            out.push(c);
            (rest, follows_set) = (&rest[c.len_utf8()..], false);
        }
    }
    rest
}

fn posix_set(rest: &str) -> Option<(&'static str, &str)> {
    const SETS: [(&str, &str); 10] = [
        ("[:alpha:]", "a-zA-Z"),
        ("[:digit:]", "0-9"),
        ("[:alnum:]", "a-zA-Z0-9"),
        ("[:lower:]", "a-z"),
        ("[:upper:]", "A-Z"),
        ("[:xdigit:]", "0-9a-fA-F"),
        ("[:word:]", "0-9A-Za-z_"),
        ("[:space:]", "\\t\\n\\v\\f\\r "),
        ("[:blank:]", "\\t "),
        ("[:punct:]", "!-\\/:-@\\[-`\\{-~"),
    ];
    SETS.iter().find_map(|(name, set)| Some((*set, rest.strip_prefix(name)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syntax_of_re2_is_translated_to_ecma() {
        for (written, expected) in [
            ("(?i)^abc$", "(?i:^abc$)"),
            (r"^[\w-.]+@([\w-]+\.)+[\w-]{2,4}$", r"^[\w\-.]+@([\w\-]+\.)+[\w\-]{2,4}$"),
            (r"^[.-\w]$", r"^[.\-\w]$"),
            ("^{?[a-z]+}?$", r"^\{?[a-z]+\}?$"),
            (r"^\Qa.b\E+", r"^a\.b+"),
            ("^[[:alpha:]_]+$", "^[a-zA-Z_]+$"),
            ("[]a]", r"[\]a]"),
            (r"\A(?P<name>x)\z", "^(?<name>x)$"),
        ] {
            assert_eq!(to_ecma(written), expected, "{written}");
        }
    }

    #[test]
    fn ecma_expressions_are_not_changed() {
        for pattern in [
            r"^\+[1-9]\d{6,14}$",
            r"^[^\s@]+@[^\s@]+\.[^\s@]{2,}$",
            r"^\p{L}+$",
            r"\u{1F600}|\x41",
            "^(?:a|b){2}[a-z-9]?$",
            "^[a-z0-9_-]{3,16}$",
            r"^\/?[^\/]*\]\}$",
        ] {
            assert_eq!(to_ecma(pattern), pattern);
        }
    }
}
