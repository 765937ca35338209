//! Base64, digests and JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gotmpl::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::Function;
use crate::Outcome;
use crate::arguments::{exactly, strings, text, wrong};
use crate::json::{Style, value_of, written};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("b64dec", |given| {
        let [it] = strings("b64dec", given)?;
        // Sprig returns the text of the error.
        Ok(text(decode(it.as_bytes()).map_or_else(
            |at| format!("illegal base64 data at input byte {at}"),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        )))
    }),
    ("b64enc", |given| {
        let [it] = strings("b64enc", given)?;
        Ok(text(STANDARD.encode(it)))
    }),
    ("fromJson", |given| {
        let [it] = strings("fromJson", given)?;
        Ok(serde_json::from_str(it).map_or(Value::Nil, |json| value_of(&json)))
    }),
    ("mustFromJson", |given| {
        let [it] = strings("mustFromJson", given)?;
        serde_json::from_str(it).map(|json| value_of(&json)).map_err(|error| wrong(format!("mustFromJson: {error}")))
    }),
    ("mustToJson", |given| must_write("mustToJson", given, Style::Escaped)),
    ("mustToPrettyJson", |given| must_write("mustToPrettyJson", given, Style::Pretty)),
    ("mustToRawJson", |given| must_write("mustToRawJson", given, Style::Raw)),
    ("sha1sum", |given| digest("sha1sum", given, |it| hex::encode(Sha1::digest(it)))),
    ("sha256sum", |given| digest("sha256sum", given, |it| hex::encode(Sha256::digest(it)))),
    ("sha512sum", |given| digest("sha512sum", given, |it| hex::encode(Sha512::digest(it)))),
    ("toJson", |given| write("toJson", given, Style::Escaped)),
    ("toPrettyJson", |given| write("toPrettyJson", given, Style::Pretty)),
    ("toRawJson", |given| must_write("toRawJson", given, Style::Raw)),
];

/// A value that JSON cannot represent becomes the empty string.
fn write(name: &str, given: &[Value], style: Style) -> Outcome {
    let [value] = exactly(name, given)?;
    Ok(text(written(value, style).unwrap_or_default()))
}

fn must_write(name: &str, given: &[Value], style: Style) -> Outcome {
    let [value] = exactly(name, given)?;
    written(value, style).map(text).map_err(|_| wrong(format!("{name}: JSON cannot represent this value")))
}

fn digest(name: &str, given: &[Value], digest: impl Fn(&[u8]) -> String) -> Outcome {
    let [it] = strings(name, given)?;
    Ok(text(digest(it.as_bytes())))
}

/// Base64 with padding, as in Go: line breaks are ignored. The error is the offset that Go reports.
fn decode(source: &[u8]) -> Result<Vec<u8>, usize> {
    let is_break = |byte: u8| matches!(byte, b'\r' | b'\n');
    let mut decoded = Vec::with_capacity(source.len() / 4 * 3);
    let mut at = 0;
    let mut quantum = [0_u8; 4];
    loop {
        let mut filled = 0;
        while filled < 4 {
            let Some(byte) = source.get(at).copied() else {
                return if filled == 0 { Ok(decoded) } else { Err(at - filled) };
            };
            at += 1;
            if let Some(value) = sextet(byte) {
                quantum[filled] = value;
                filled += 1;
            } else if byte == b'=' {
                padding(source, &mut at, filled)?;
                // Remaining bits are ignored.
                let bytes = [quantum[0] << 2 | quantum[1] >> 4, quantum[1] << 4 | quantum[2] >> 2];
                decoded.extend_from_slice(&bytes[..filled - 1]);
                return Ok(decoded);
            } else if !is_break(byte) {
                return Err(at - 1);
            }
        }
        let [a, b, c, d] = quantum;
        decoded.extend([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
        quantum = [0; 4];
    }
}

/// The text after the first `=`, which is located before `at`.
fn padding(source: &[u8], at: &mut usize, filled: usize) -> Result<(), usize> {
    let skip_breaks = |at: &mut usize| {
        while source.get(*at).is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
            *at += 1;
        }
    };
    match filled {
        0 | 1 => return Err(*at - 1),
        2 => {
            skip_breaks(at);
            match source.get(*at) {
                None => return Err(source.len()),
                Some(b'=') => *at += 1,
                Some(_) => return Err(*at - 1),
            }
        }
        _ => {}
    }
    skip_breaks(at);
    if *at < source.len() { Err(*at) } else { Ok(()) }
}

const fn sextet(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}
