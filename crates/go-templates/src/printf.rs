//! `printf`: the format verbs of Go's `fmt`.
//!
//! Invariant: an invalid format does not fail; as in Go, the output describes the mistake.

use std::fmt::Write as _;

use gotmpl::{TemplateError, Value};

use crate::arguments::wrong;
use crate::printing::{is_printable, printed, quoted};

/// The maximum of a width or a precision.
const WIDEST: usize = 1 << 16;

#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "the flags of a verb")]
struct Spec {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

struct Arguments<'a> {
    values: &'a [Value],
    next: usize,
    /// Whether an argument was selected by its index: then unused arguments are not reported.
    is_reordered: bool,
    is_bad_index: bool,
}

pub(crate) fn formatted(format: &str, values: &[Value]) -> Result<String, TemplateError> {
    let mut out = String::with_capacity(format.len() + 16);
    let mut arguments = Arguments { values, next: 0, is_reordered: false, is_bad_index: false };
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        rest = directive(after, &mut arguments, &mut out)?;
    }
    out.push_str(rest);
    let left = values.get(arguments.next..).unwrap_or_default();
    if !arguments.is_reordered && !left.is_empty() {
        let shown: Vec<String> = left.iter().map(typed).collect();
        let _ = write!(out, "%!(EXTRA {})", shown.join(", "));
    }
    Ok(out)
}

/// Formats one verb, and returns the rest of the format.
fn directive<'f>(mut rest: &'f str, arguments: &mut Arguments<'_>, out: &mut String) -> Result<&'f str, TemplateError> {
    let mut spec = Spec::default();
    arguments.is_bad_index = false;
    while let Some(flag @ ('-' | '+' | '#' | ' ' | '0')) = rest.chars().next() {
        match flag {
            '-' => spec.minus = true,
            '+' => spec.plus = true,
            '#' => spec.sharp = true,
            ' ' => spec.space = true,
            _ => spec.zero = true,
        }
        rest = &rest[1..];
    }
    rest = arguments.index(rest);
    if let Some(after) = rest.strip_prefix('*') {
        rest = after;
        match arguments.take().and_then(size) {
            Some(width) => {
                spec.minus |= width < 0;
                spec.width = Some(width.unsigned_abs());
            }
            None => out.push_str("%!(BADWIDTH)"),
        }
    } else {
        (spec.width, rest) = number(rest);
    }
    if let Some(after) = rest.strip_prefix('.') {
        rest = arguments.index(after);
        if let Some(after) = rest.strip_prefix('*') {
            rest = after;
            match arguments.take().and_then(size) {
                Some(precision) => spec.precision = usize::try_from(precision).ok(),
                None => out.push_str("%!(BADPREC)"),
            }
        } else {
            let (precision, after) = number(rest);
            (spec.precision, rest) = (Some(precision.unwrap_or(0)), after);
        }
    }
    rest = arguments.index(rest);
    if spec.width.max(spec.precision).is_some_and(|size| size > WIDEST) {
        return Err(wrong("printf: the width is too large"));
    }
    let Some(verb) = rest.chars().next() else {
        out.push_str("%!(NOVERB)");
        return Ok(rest);
    };
    match verb {
        '%' => out.push('%'),
        _ if arguments.is_bad_index => {
            let _ = write!(out, "%!{verb}(BADINDEX)");
        }
        _ => match arguments.take() {
            Some(value) => value_in(verb, spec, value, false, out),
            None => {
                let _ = write!(out, "%!{verb}(MISSING)");
            }
        },
    }
    Ok(&rest[verb.len_utf8()..])
}

impl<'a> Arguments<'a> {
    fn take(&mut self) -> Option<&'a Value> {
        let value = self.values.get(self.next)?;
        self.next += 1;
        Some(value)
    }

    /// `[3]` selects the third argument.
    fn index<'f>(&mut self, rest: &'f str) -> &'f str {
        let Some(inner) = rest.strip_prefix('[') else { return rest };
        self.is_reordered = true;
        let Some((digits, after)) = inner.split_once(']') else {
            self.is_bad_index = true;
            return inner;
        };
        match digits.parse::<usize>() {
            Ok(place) if (1..=self.values.len()).contains(&place) => self.next = place - 1,
            _ => self.is_bad_index = true,
        }
        after
    }
}

fn number(rest: &str) -> (Option<usize>, &str) {
    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, after) = rest.split_at(end);
    ((end > 0).then(|| digits.parse().unwrap_or(usize::MAX)), after)
}

fn size(value: &Value) -> Option<isize> {
    match value {
        Value::Int(number) => isize::try_from(*number).ok(),
        _ => None,
    }
}

/// `int=3`.
fn typed(value: &Value) -> String {
    match value {
        Value::Nil => "<nil>".to_owned(),
        other => format!("{}={}", type_name(other), printed(other)),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Nil => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Uint(_) => "uint64",
        Value::Float(_) => "float64",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
        Value::Function(_) => "func()",
        Value::String(_) | Value::Safe { .. } => "string",
    }
}

fn value_in(verb: char, spec: Spec, value: &Value, is_inner: bool, out: &mut String) {
    let bad = |out: &mut String| {
        let _ = write!(out, "%!{verb}({}", type_name(value));
        if !matches!(value, Value::Nil) {
            out.push('=');
            value_in('v', spec, value, false, out);
        }
        out.push(')');
    };
    // Unlike other verbs, `%+v` prints no plus sign.
    let spec = Spec { plus: spec.plus && verb != 'v', ..spec };
    match (value, verb) {
        (value, 'T') if !is_inner => padded(type_name(value), spec, out),
        (Value::Nil, 'v') => padded("<nil>", spec, out),
        (Value::Nil, _) if is_inner => padded("<nil>", spec, out),
        (Value::Bool(flag), 't' | 'v') => padded(if *flag { "true" } else { "false" }, spec, out),
        (Value::Int(number), _) => {
            if !integer(verb, spec, number.unsigned_abs(), *number < 0, out) {
                bad(out);
            }
        }
        (Value::Uint(number), _) => {
            if !integer(verb, spec, *number, false, out) {
                bad(out);
            }
        }
        (Value::Float(number), 'v' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G') => float(verb, spec, *number, out),
        (Value::String(text), 'v' | 's' | 'x' | 'X' | 'q') => string(verb, spec, text, out),
        (Value::Safe { s, .. }, 'v' | 's' | 'x' | 'X' | 'q') => string(verb, spec, s, out),
        (Value::Function(_), 'v' | 's' | 'x' | 'X' | 'q') => string(verb, spec, &printed(value), out),
        (Value::List(items), _) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(' ');
                }
                value_in(verb, spec, item, true, out);
            }
            out.push(']');
        }
        (Value::Map(members), _) => {
            out.push_str("map[");
            for (place, (name, member)) in members.iter().enumerate() {
                if place > 0 {
                    out.push(' ');
                }
                value_in(verb, spec, &Value::String(name.clone()), true, out);
                out.push(':');
                value_in(verb, spec, member, true, out);
            }
            out.push(']');
        }
        _ => bad(out),
    }
}

/// Pads with spaces or zeros.
fn padded(text: &str, spec: Spec, out: &mut String) {
    let missing = spec.width.unwrap_or(0).saturating_sub(text.chars().count());
    let spaces = if spec.zero && !spec.minus { "0" } else { " " }.repeat(missing);
    if spec.minus { out.extend([text, &spaces]) } else { out.extend([&spaces, text]) }
}

/// Pads a number, with zeros after its sign if requested.
fn padded_number(sign: &str, digits: &str, spec: Spec, out: &mut String) {
    if spec.zero && !spec.minus {
        let missing = spec.width.unwrap_or(0).saturating_sub(sign.len() + digits.chars().count());
        out.extend([sign, &"0".repeat(missing), digits]);
    } else {
        padded(&format!("{sign}{digits}"), spec, out);
    }
}

fn sign_of(is_negative: bool, spec: Spec) -> &'static str {
    match (is_negative, spec.plus, spec.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    }
}

/// Whether the verb is valid for integers.
fn integer(verb: char, spec: Spec, size: u64, is_negative: bool, out: &mut String) -> bool {
    let character = || u32::try_from(size).ok().filter(|_| !is_negative).and_then(char::from_u32);
    let digits = match verb {
        'v' | 'd' => size.to_string(),
        'b' => format!("{size:b}"),
        'o' | 'O' => format!("{size:o}"),
        'x' => format!("{size:x}"),
        'X' => format!("{size:X}"),
        'c' => {
            padded(character().unwrap_or('\u{fffd}').encode_utf8(&mut [0; 4]), spec, out);
            return true;
        }
        'q' => {
            let inner = quoted(character().unwrap_or('\u{fffd}').encode_utf8(&mut [0; 4]));
            let inner = inner[1..inner.len() - 1].replace("\\\"", "\"").replace('\'', "\\'");
            padded(&format!("'{inner}'"), spec, out);
            return true;
        }
        'U' => {
            let shown = character().filter(|it| spec.sharp && is_printable(*it));
            let shown = shown.map(|it| format!(" '{it}'")).unwrap_or_default();
            padded(&format!("U+{size:04X}{shown}"), spec, out);
            return true;
        }
        _ => return false,
    };
    let prefix = match (verb, spec.sharp) {
        ('O', _) => "0o",
        ('x', true) => "0x",
        ('X', true) => "0X",
        ('b', true) => "0b",
        ('o', true) if !digits.starts_with('0') => "0",
        _ => "",
    };
    let digits = match spec.precision {
        Some(0) if size == 0 => String::new(),
        Some(precision) => format!("{digits:0>precision$}"),
        None => digits,
    };
    // A precision disables zero padding.
    let spec = Spec { zero: spec.zero && spec.precision.is_none(), ..spec };
    padded_number(&format!("{}{prefix}", sign_of(is_negative, spec)), &digits, spec, out);
    true
}

fn float(verb: char, spec: Spec, number: f64, out: &mut String) {
    let sign = sign_of(number.is_sign_negative() && !number.is_nan(), spec);
    if !number.is_finite() {
        let sign = if number.is_nan() || !sign.is_empty() { sign } else { "+" };
        let name = if number.is_nan() { "NaN" } else { "Inf" };
        return padded(&format!("{sign}{name}"), Spec { zero: false, ..spec }, out);
    }
    let size = number.abs();
    let digits = match verb {
        'e' | 'E' => with_exponent(&format!("{size:.*e}", spec.precision.unwrap_or(6))),
        'f' | 'F' => format!("{size:.*}", spec.precision.unwrap_or(6)),
        _ => shortest(size, spec.precision),
    };
    let digits = if verb.is_ascii_uppercase() { digits.to_uppercase() } else { digits };
    padded_number(sign, &digits, spec, out);
}

/// Rust prints `1e5`, Go prints `1e+05`.
fn with_exponent(text: &str) -> String {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, size) = exponent.strip_prefix('-').map_or(('+', exponent), |size| ('-', size));
    format!("{digits}e{sign}{size:0>2}")
}

/// `%g`: with an exponent if it is small or not less than the precision.
fn shortest(size: f64, precision: Option<usize>) -> String {
    let Some(precision) = precision else { return printed(&Value::Float(size)) };
    let precision = precision.max(1);
    let scientific = format!("{size:.*e}", precision - 1);
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    let limit = i32::try_from(precision).unwrap_or(i32::MAX);
    if exponent < -4 || exponent >= limit {
        return with_exponent(&format!("{digits}e{exponent}"));
    }
    let places = usize::try_from(limit - 1 - exponent).unwrap_or(0);
    let fixed = format!("{size:.places$}");
    if fixed.contains('.') { fixed.trim_end_matches('0').trim_end_matches('.').to_owned() } else { fixed }
}

fn string(verb: char, spec: Spec, text: &str, out: &mut String) {
    let cut: String = match spec.precision {
        Some(precision) if !matches!(verb, 'x' | 'X') => text.chars().take(precision).collect(),
        _ => text.to_owned(),
    };
    match verb {
        'x' | 'X' => {
            let bytes = &text.as_bytes()[..spec.precision.unwrap_or(text.len()).min(text.len())];
            let prefix = if spec.sharp { "0x" } else { "" };
            let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let hex = match (spec.space, pairs.is_empty()) {
                (_, true) => String::new(),
                (true, _) => pairs.iter().map(|pair| format!("{prefix}{pair}")).collect::<Vec<_>>().join(" "),
                (false, _) => format!("{prefix}{}", pairs.concat()),
            };
            padded(&if verb == 'X' { hex.to_uppercase() } else { hex }, spec, out);
        }
        'q' if spec.sharp && cut.chars().all(|it| it != '`' && (it == '\t' || is_printable(it))) => {
            padded(&format!("`{cut}`"), spec, out);
        }
        'q' => padded(&if spec.plus { ascii(&quoted(&cut)) } else { quoted(&cut) }, spec, out),
        'v' if spec.sharp => padded(&quoted(&cut), spec, out),
        _ => padded(&cut, spec, out),
    }
}

/// A quoted string with escapes for characters that are not ASCII.
fn ascii(quoted: &str) -> String {
    let escaped = |character: char| match u32::from(character) {
        code @ 0..=0x7f => char::from_u32(code).map(String::from).unwrap_or_default(),
        code @ 0x80..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    };
    quoted.chars().map(escaped).collect()
}
