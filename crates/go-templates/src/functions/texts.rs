//! Strings: trimming, cutting, searching, repeating. Offsets and lengths count bytes, as in Go; a character that is cut in
//! two becomes U+FFFD, which is how Go's output is displayed.

use gotmpl::Value;

use super::Function;
use crate::arguments::{exactly, int, string, strings, text, wrong};
use crate::printing::{printed, quoted};
use crate::template::MOST_TEXT;
use crate::{Outcome, TemplateError};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("abbrev", |given| {
        let [width, it] = exactly("abbrev", given)?;
        let (width, it) = (int("abbrev", width)?, string("abbrev", it)?);
        Ok(match usize::try_from(width) {
            Ok(width) if width >= 4 => abbreviated(it, 0, width),
            _ => text(it),
        })
    }),
    ("abbrevboth", |given| {
        let [left, right, it] = exactly("abbrevboth", given)?;
        let (left, right, it) = (int("abbrevboth", left)?, int("abbrevboth", right)?, string("abbrevboth", it)?);
        if right < 4 || left > 0 && right < 7 {
            return Ok(text(it));
        }
        Ok(abbreviated(it, usize::try_from(left).unwrap_or(0), usize::try_from(right).unwrap_or(0)))
    }),
    ("cat", |given| {
        let words: Vec<String> = given.iter().filter(|value| !matches!(value, Value::Nil)).map(printed).collect();
        bounded(words.join(" "))
    }),
    ("contains", |given| {
        let [part, whole] = strings("contains", given)?;
        Ok(Value::Bool(whole.contains(part)))
    }),
    ("hasPrefix", |given| {
        let [part, whole] = strings("hasPrefix", given)?;
        Ok(Value::Bool(whole.starts_with(part)))
    }),
    ("hasSuffix", |given| {
        let [part, whole] = strings("hasSuffix", given)?;
        Ok(Value::Bool(whole.ends_with(part)))
    }),
    ("indent", |given| indented("indent", given, "")),
    ("nindent", |given| indented("nindent", given, "\n")),
    ("nospace", |given| {
        let [it] = strings("nospace", given)?;
        Ok(text(it.split_whitespace().collect::<String>()))
    }),
    ("plural", |given| {
        let [one, many, count] = exactly("plural", given)?;
        let (one, many) = (string("plural", one)?, string("plural", many)?);
        Ok(text(if int("plural", count)? == 1 { one } else { many }))
    }),
    ("quote", |given| joined(given, |it| quoted(&it))),
    ("repeat", |given| {
        let [count, it] = exactly("repeat", given)?;
        let (count, it) = (length("repeat", count)?, string("repeat", it)?);
        if count.saturating_mul(it.len()) > MOST_TEXT {
            return Err(too_long());
        }
        Ok(text(it.repeat(count)))
    }),
    ("replace", |given| {
        let [old, new, it] = strings("replace", given)?;
        if it.len().saturating_add(1).saturating_mul(new.len()) > MOST_TEXT.saturating_mul(4) {
            return Err(too_long());
        }
        bounded(it.replace(old, new))
    }),
    ("squote", |given| joined(given, |it| format!("'{it}'"))),
    ("substr", |given| {
        let [start, end, it] = exactly("substr", given)?;
        let (start, end, it) = (int("substr", start)?, int("substr", end)?, string("substr", it)?);
        let end = usize::try_from(end).ok();
        let part = match usize::try_from(start) {
            Err(_) => it.as_bytes().get(..end.unwrap_or(usize::MAX)),
            Ok(start) => match end.filter(|end| *end <= it.len()) {
                Some(end) => it.as_bytes().get(start..end),
                None => it.as_bytes().get(start..),
            },
        };
        part.map(bytes).ok_or_else(|| wrong("substr: the bounds are outside the text"))
    }),
    ("toString", |given| Ok(text(printed(&exactly::<1>("toString", given)?[0])))),
    ("trim", |given| {
        let [it] = strings("trim", given)?;
        Ok(text(it.trim()))
    }),
    ("trimAll", |given| trimmed("trimAll", given)),
    ("trimall", |given| trimmed("trimall", given)),
    ("trimPrefix", |given| {
        let [prefix, it] = strings("trimPrefix", given)?;
        Ok(text(it.strip_prefix(prefix).unwrap_or(it)))
    }),
    ("trimSuffix", |given| {
        let [suffix, it] = strings("trimSuffix", given)?;
        Ok(text(it.strip_suffix(suffix).unwrap_or(it)))
    }),
    ("trunc", |given| {
        let [count, it] = exactly("trunc", given)?;
        let (count, it) = (int("trunc", count)?, string("trunc", it)?);
        let many = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        if many >= it.len() {
            return Ok(text(it));
        }
        Ok(bytes(if count < 0 { &it.as_bytes()[it.len() - many..] } else { &it.as_bytes()[..many] }))
    }),
];

fn too_long() -> TemplateError {
    wrong("the text is too long")
}

pub(super) fn bounded(it: String) -> Outcome {
    if it.len() > MOST_TEXT { Err(too_long()) } else { Ok(text(it)) }
}

fn bytes(bytes: &[u8]) -> Value {
    text(String::from_utf8_lossy(bytes))
}

/// A length that is neither negative nor excessive.
fn length(name: &str, value: &Value) -> Result<usize, TemplateError> {
    let length = usize::try_from(int(name, value)?).map_err(|_| wrong(format!("{name}: the number is negative")))?;
    if length > MOST_TEXT { Err(too_long()) } else { Ok(length) }
}

fn joined(given: &[Value], show: impl Fn(String) -> String) -> Outcome {
    let shown = given.iter().filter(|value| !matches!(value, Value::Nil)).map(|value| show(printed(value)));
    bounded(shown.collect::<Vec<_>>().join(" "))
}

fn indented(name: &str, given: &[Value], before: &str) -> Outcome {
    let [width, it] = exactly(name, given)?;
    let (width, it) = (length(name, width)?, string(name, it)?);
    let lines = it.bytes().filter(|byte| *byte == b'\n').count() + 1;
    if lines.saturating_mul(width) > MOST_TEXT {
        return Err(too_long());
    }
    let padding = " ".repeat(width);
    bounded(format!("{before}{padding}{}", it.replace('\n', &format!("\n{padding}"))))
}

fn trimmed(name: &str, given: &[Value]) -> Outcome {
    let [set, it] = strings(name, given)?;
    Ok(text(it.trim_matches(|character| set.contains(character))))
}

/// At most `width` bytes from `offset` on, with dots for omitted text.
fn abbreviated(it: &str, offset: usize, width: usize) -> Value {
    const DOTS: &[u8] = b"...";
    let all = it.as_bytes();
    if all.len() <= width {
        return text(it);
    }
    let mut offset = offset.min(all.len());
    if all.len() - offset < width - 3 {
        offset = all.len() - (width - 3);
    }
    if offset <= 4 {
        return bytes(&[&all[..width - 3], DOTS].concat());
    }
    if offset + width - 3 < all.len() {
        let rest = &all[offset..];
        return bytes(&[DOTS, &rest[..width - 6], DOTS].concat());
    }
    bytes(&[DOTS, &all[all.len() - (width - 3)..]].concat())
}
