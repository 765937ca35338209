//! Bounds of JSON in requests: the depth of nesting, the number of values, and no character U+0000 in a text, which PostgreSQL
//! cannot store.

use base::bounds::{BodyBounds, DOCUMENT};
use base::{MAX_NESTING, holds_nul};
use serde_json::Value;

/// The bounds of the route of `request`.
pub fn of_request<B>(request: &http::Request<B>) -> BodyBounds {
    request.extensions().get::<BodyBounds>().copied().unwrap_or(DOCUMENT)
}

/// Why well-formed JSON is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OutOfBounds {
    TooDeep,
    /// More values and member names than this.
    TooMany(usize),
    /// At this path.
    Zero(String),
}

/// Scans the bytes once. Syntax is not checked here: the parser refuses what is not JSON.
///
/// Values are counted by their separators, before any of them is decoded, because a decoded value takes up to a hundred times
/// the memory of its text.
pub(super) fn check(body: &[u8], max_values: usize) -> Result<(), OutOfBounds> {
    let mut depth = 0_usize;
    let mut values = 1_usize;
    let mut holds_zero = false;
    let mut bytes = body.iter();
    let mut in_text = false;
    while let Some(byte) = bytes.next() {
        match (in_text, byte) {
            (_, b'"') => in_text = !in_text,
            (true, b'\\') => {
                let rest = bytes.as_slice();
                holds_zero |= rest.starts_with(b"u0000");
                // An escaped character, such as a quotation mark, does not end the text.
                bytes.next();
            }
            (false, b'[' | b'{') => {
                depth += 1;
                values += 1;
                if depth > MAX_NESTING {
                    return Err(OutOfBounds::TooDeep);
                }
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            (false, b',' | b':') => values += 1,
            _ => {}
        }
        if values > max_values {
            return Err(OutOfBounds::TooMany(max_values));
        }
    }
    if !holds_zero {
        return Ok(());
    }
    // This is rare and always an attack or an error: a second pass finds the path.
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    match zero_in(&value) {
        Some(path) => Err(OutOfBounds::Zero(if path.is_empty() { ".".to_owned() } else { path })),
        None => Ok(()),
    }
}

/// The path of the first text that contains U+0000, in the notation of the other faults: `traits.emails[0]`.
fn zero_in(value: &Value) -> Option<String> {
    let beneath = |step: String, inner: &Value| {
        let path = zero_in(inner)?;
        let is_joined = path.is_empty() || path.starts_with('[');
        Some(if is_joined { format!("{step}{path}") } else { format!("{step}.{path}") })
    };
    match value {
        Value::String(text) => holds_nul(text).then(String::new),
        Value::Array(items) => items.iter().enumerate().find_map(|(index, item)| beneath(format!("[{index}]"), item)),
        // A name that contains U+0000 is a fault of the object that has it.
        Value::Object(members) => {
            members.iter().find_map(
                |(name, member)| {
                    if holds_nul(name) { Some(String::new()) } else { beneath(name.clone(), member) }
                },
            )
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8]) -> Result<(), OutOfBounds> {
        super::check(body, 10_000)
    }

    fn nested(depth: usize) -> String {
        format!("{}{}", "[".repeat(depth), "]".repeat(depth))
    }

    #[test]
    fn json_nests_64_levels_at_most() {
        assert_eq!(check(nested(MAX_NESTING).as_bytes()), Ok(()));
        assert_eq!(check(nested(MAX_NESTING + 1).as_bytes()), Err(OutOfBounds::TooDeep));
        assert_eq!(check("{\"a\":".repeat(1_000_000).as_bytes()), Err(OutOfBounds::TooDeep));
        let wide = format!("[{}[]]", "[],".repeat(1_000));
        assert_eq!(check(wide.as_bytes()), Ok(()));
        let text = format!("{{\"a\":\"{}\\\"{}\"}}", "[".repeat(100), "{".repeat(100));
        assert_eq!(check(text.as_bytes()), Ok(()), "brackets in a text nest nothing");
    }

    #[test]
    fn values_and_names_are_counted() {
        let check = |body: &str| super::check(body.as_bytes(), 5);
        assert_eq!(check(r#"{"a":[1,2]}"#), Ok(()));
        assert_eq!(check(r#"{"a":[1,2,3]}"#), Err(OutOfBounds::TooMany(5)));
        assert_eq!(check("[1,2,3,4,5]"), Err(OutOfBounds::TooMany(5)));
        assert_eq!(check(r#""[,,,,,,,,:::::""#), Ok(()), "a text is one value");
    }

    #[test]
    fn a_zero_is_named_by_its_path() {
        let place = |body: &str| match check(body.as_bytes()) {
            Err(OutOfBounds::Zero(path)) => path,
            other => format!("{other:?}"),
        };
        assert_eq!(place(r#"{"traits":{"emails":["a","b\u0000"]}}"#), "traits.emails[1]");
        assert_eq!(place(r#"[{"a":"\u0000"}]"#), "[0].a");
        assert_eq!(place(r#"{"a":{"\u0000":1}}"#), "a");
        assert_eq!(place(r#""\u0000""#), ".");
        assert_eq!(place(r#"{"a":"\\u0000"}"#), "Ok(())", "a backslash, escaped, and five characters");
        assert_eq!(place(r#"{"a":"\u0000"#), "Ok(())", "not JSON: the parser refuses it");
    }
}
