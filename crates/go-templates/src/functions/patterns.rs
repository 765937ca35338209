//! Regular expressions in Go's syntax: `\d`, `\w`, `\s` and `\b` are ASCII only, and classes have no set operations.

use gotmpl::Value;
use regex::{NoExpand, Regex, RegexBuilder};

use super::Function;
use super::texts::bounded;
use crate::arguments::{exactly, int, list, string, strings, text, wrong};
use crate::{Outcome, TemplateError};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("mustRegexMatch", |given| {
        let [pattern, it] = strings("mustRegexMatch", given)?;
        Ok(Value::Bool(compiled(pattern)?.is_match(it)))
    }),
    ("regexFind", |given| {
        let [pattern, it] = strings("regexFind", given)?;
        Ok(text(compiled(pattern)?.find(it).map_or("", |found| found.as_str())))
    }),
    ("regexFindAll", |given| {
        let [pattern, it, most] = exactly("regexFindAll", given)?;
        let (pattern, it) = (compiled(string("regexFindAll", pattern)?)?, string("regexFindAll", it)?);
        let most = usize::try_from(int("regexFindAll", most)?).unwrap_or(usize::MAX);
        let found: Vec<Value> = pattern.find_iter(it).take(most).map(|found| text(found.as_str())).collect();
        Ok(list(found))
    }),
    ("regexMatch", |given| {
        let [pattern, it] = strings("regexMatch", given)?;
        Ok(Value::Bool(compiled(pattern).is_ok_and(|pattern| pattern.is_match(it))))
    }),
    ("regexQuoteMeta", |given| {
        let [it] = strings("regexQuoteMeta", given)?;
        let escape = |character: char| r"\.+*?()|[]{}^$".contains(character).then_some('\\');
        Ok(text(it.chars().flat_map(|it| escape(it).into_iter().chain([it])).collect::<String>()))
    }),
    ("regexReplaceAll", |given| {
        let [pattern, it, replacement] = strings("regexReplaceAll", given)?;
        replace(pattern, it, replacement.len(), |pattern| pattern.replace_all(it, replacement).into_owned())
    }),
    ("regexReplaceAllLiteral", |given| {
        let [pattern, it, new] = strings("regexReplaceAllLiteral", given)?;
        replace(pattern, it, new.len(), |pattern| pattern.replace_all(it, NoExpand(new)).into_owned())
    }),
    ("regexSplit", |given| {
        let [pattern, it, most] = exactly("regexSplit", given)?;
        let (pattern, it) = (string("regexSplit", pattern)?, string("regexSplit", it)?);
        Ok(list(split(&compiled(pattern)?, it, int("regexSplit", most)?).into_iter().map(text)))
    }),
];

fn replace(pattern: &str, it: &str, replacement: usize, make: impl FnOnce(&Regex) -> String) -> Outcome {
    if it.len().saturating_add(1).saturating_mul(replacement) > 64 << 20 {
        return Err(wrong("the text is too long"));
    }
    bounded(make(&compiled(pattern)?))
}

/// `regexp.Split`: at most the given number of parts, or all if it is negative.
fn split<'a>(pattern: &Regex, it: &'a str, most: i64) -> Vec<&'a str> {
    let Ok(most) = usize::try_from(if most < 0 { i64::MAX } else { most }) else { return Vec::new() };
    if most == 0 {
        return Vec::new();
    }
    if !pattern.as_str().is_empty() && it.is_empty() {
        return vec![""];
    }
    let (mut parts, mut begin, mut end) = (Vec::new(), 0, 0);
    for found in pattern.find_iter(it) {
        if parts.len() + 1 == most {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.push(&it[begin..end]);
        }
        begin = found.end();
    }
    if end != it.len() {
        parts.push(&it[begin..]);
    }
    parts
}

fn compiled(pattern: &str) -> Result<Regex, TemplateError> {
    RegexBuilder::new(&in_rust(pattern)).size_limit(1 << 18).build().map_err(|error| wrong(error.to_string()))
}

/// The same pattern in Rust's syntax.
fn in_rust(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern.chars().peekable();
    let mut class: Option<usize> = None;
    while let Some(character) = rest.next() {
        match (character, class) {
            ('\\', _) => escape(&mut out, &mut rest, class.is_some()),
            ('[', None) => {
                out.push('[');
                class = Some(out.len());
                if rest.next_if_eq(&'^').is_some() {
                    out.push('^');
                    class = Some(out.len());
                }
            }
            ('[', Some(_)) if rest.peek() == Some(&':') => {
                out.push('[');
                for inner in rest.by_ref() {
                    out.push(inner);
                    if inner == ']' {
                        break;
                    }
                }
            }
            // These characters are literal inside a class.
            ('[' | '&' | '~', Some(_)) => out.extend(['\\', character]),
            (']', Some(start)) if out.len() > start => {
                out.push(']');
                class = None;
            }
            (']', Some(_)) => out.push_str("\\]"),
            (other, _) => out.push(other),
        }
    }
    out
}

fn escape(out: &mut String, rest: &mut std::iter::Peekable<std::str::Chars<'_>>, is_class: bool) {
    let Some(escaped) = rest.next() else {
        out.push('\\');
        return;
    };
    let set = match escaped {
        'd' | 'D' => "0-9",
        's' | 'S' => r"\t\n\f\r ",
        'w' | 'W' => "0-9A-Za-z_",
        'b' | 'B' if !is_class => {
            out.push_str(if escaped == 'b' { r"(?-u:\b)" } else { r"(?-u:\B)" });
            return;
        }
        'Q' => {
            let mut literal: String = rest.by_ref().collect();
            let after = literal.find(r"\E").map(|at| literal.split_off(at));
            out.push_str(&regex::escape(&literal));
            out.push_str(&after.map_or(String::new(), |after| in_rust(&after[2..])));
            return;
        }
        other => {
            out.extend(['\\', other]);
            return;
        }
    };
    match (is_class, escaped.is_uppercase()) {
        (true, false) => out.push_str(set),
        (_, true) => out.extend(["[^", set, "]"]),
        (false, false) => out.extend(["[", set, "]"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_go() {
        for (pattern, it, matches) in [
            (r"^\d$", "٣", false),
            (r"^\D$", "٣", true),
            (r"^[\d-]+$", "1-2", true),
            (r"^[^\d]$", "٣", true),
            (r"^\w$", "é", false),
            (r"^\s$", "\u{a0}", false),
            (r"é\bx", "éx", true),
            (r"^[a&&b]+$", "&", true),
            (r"^[[a]+$", "[", true),
            (r"^[]a]+$", "]", true),
            (r"^[^]a]+$", "b", true),
            (r"^[[:alpha:]_]+$", "a_", true),
            (r"^\Qa.b\E$", "a.b", true),
            (r"^\Qa.b\E$", "axb", false),
            (r"(?i)^É$", "é", true),
            (r"^\pL+$", "é", true),
            (r"^.$", "日", true),
        ] {
            assert_eq!(compiled(pattern).unwrap().is_match(it), matches, "{pattern} {it}: {}", in_rust(pattern));
        }
        assert!(compiled("(").is_err() && compiled(r"a\").is_err() && compiled(&"a{1000}".repeat(100)).is_err());
    }
}
