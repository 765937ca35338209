//! The normalization of a request path (RFC 3986 sections 2.3, 5.2.4 and 6.2.2).
//!
//! Invariants of a [`RequestPath`]:
//! - `decoded()` is exactly the percent-decoding of `forwarded()`: rules match the first, the upstream receives the
//!   second, so the gateway forwards only what it matched.
//! - Normalization is idempotent.
//! - An ambiguous path is rejected: an encoded slash or backslash, a control character, bytes that are not UTF-8, a
//!   double encoding of a structural character, a dot segment with parameters (`..;`), a dot segment after an empty
//!   segment or after one of parameters only, a path that leads above the root.
//!
//! Path parameters (`/a;v=1`) are the exception: whether they are part of the name depends on the upstream. Java servlet
//! containers remove them before they choose a handler, other servers keep them. [`without_parameters`] gives the second
//! interpretation; `operations/decide.rs` compares the rules that both select.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// A normalized path: no dot segments, no empty segments, no trailing slash except for the root. Whether the client sent a
/// trailing slash is kept separately. A path in normal form is borrowed, not copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestPath<'a> {
    forwarded: Cow<'a, str>,
    /// `None` when nothing in `forwarded` is percent-encoded.
    decoded: Option<String>,
    trailing_slash: bool,
}

/// Why a path is rejected with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PathError {
    #[error("the path does not begin with a slash")]
    NotAbsolute,
    #[error("the path contains a percent sign that is not followed by two hexadecimal digits")]
    BrokenEncoding,
    #[error("the path contains a control character")]
    ControlCharacter,
    #[error("the path contains an encoded slash")]
    EncodedSlash,
    #[error("the path contains a backslash")]
    Backslash,
    #[error("the path is not valid UTF-8 after decoding")]
    NotUtf8,
    #[error("the path contains a structural character that is encoded twice")]
    EncodedTwice,
    #[error("the path contains a dot segment that servers read in different ways")]
    AmbiguousDotSegment,
    #[error("the path leads above its root")]
    AboveRoot,
    #[error("the path contains a segment of parameters only, which servers read in different ways")]
    EmptySegmentWithParameters,
    #[error("the path contains semicolons of which some are encoded, so that servers see different parameters")]
    MixedSemicolons,
}

impl<'a> RequestPath<'a> {
    /// Normalizes the path of a request target as received, without the query.
    pub(crate) fn parse(raw: &'a str) -> Result<Self, PathError> {
        if is_plain(raw) {
            let trailing_slash = raw.len() > 1 && raw.ends_with('/');
            let forwarded = if trailing_slash { &raw[..raw.len() - 1] } else { raw };
            return Ok(Self { forwarded: Cow::Borrowed(forwarded), decoded: None, trailing_slash });
        }
        let canonical = canonical_octets(raw)?;
        let (forwarded, trailing_slash) = resolve_segments(&canonical)?;
        let decoded = forwarded
            .contains('%')
            .then(|| percent_decode_str(&forwarded).decode_utf8().map(Cow::into_owned))
            .transpose()
            .map_err(|_| PathError::NotUtf8)?;
        if decoded.as_deref().is_some_and(is_encoded_twice) {
            return Err(PathError::EncodedTwice);
        }
        Ok(Self { forwarded: Cow::Owned(forwarded), decoded, trailing_slash })
    }

    /// The path of a URL that has none, such as `http://host`.
    pub(crate) const fn absent() -> Self {
        Self { forwarded: Cow::Borrowed(""), decoded: None, trailing_slash: false }
    }

    /// Whether the path is percent-encoded somewhere, so that the forwarded path differs from the matched one.
    pub(crate) const fn is_encoded(&self) -> bool {
        self.decoded.is_some()
    }

    /// For rules and templates.
    pub(crate) fn decoded(&self) -> &str {
        self.decoded.as_deref().unwrap_or(&self.forwarded)
    }

    /// For the upstream.
    pub(crate) fn forwarded(&self) -> &str {
        &self.forwarded
    }

    /// Whether the client's path ended in a slash, which normalization removes.
    pub(crate) const fn had_trailing_slash(&self) -> bool {
        self.trailing_slash
    }
}

/// The decoded path as seen by servers that remove path parameters: each segment is cut at its first `;`. `None` without
/// parameters. A last segment of parameters only is a trailing slash; elsewhere it is rejected, because servers disagree on
/// the meaning of an empty segment. Some servers remove parameters before they decode the path and some after, so `;` and
/// `%3B` in one path are rejected as well.
pub(crate) fn without_parameters(decoded: &str, forwarded: &str) -> Result<Option<String>, PathError> {
    if !decoded.contains(';') {
        return Ok(None);
    }
    if forwarded.contains(';') && forwarded.contains("%3B") {
        return Err(PathError::MixedSemicolons);
    }
    let mut shorter = String::with_capacity(decoded.len());
    let mut segments = decoded.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match name_of(segment, &[";"]) {
            "" if segments.peek().is_some() => return Err(PathError::EmptySegmentWithParameters),
            "" if !shorter.is_empty() => {}
            name => shorter.extend(["/", name]),
        }
    }
    Ok(Some(shorter))
}

/// The segment without its parameters.
fn name_of<'a>(segment: &'a str, separators: &[&str]) -> &'a str {
    let ends = separators.iter().filter_map(|separator| segment.find(separator));
    ends.min().map_or(segment, |end| &segment[..end])
}

/// Whether the path is in normal form except for a trailing slash: true for nearly every request.
fn is_plain(raw: &str) -> bool {
    let mut previous = 0;
    for (index, &byte) in raw.as_bytes().iter().enumerate() {
        let plain = match byte {
            // Segments that are empty or begin with a dot need a closer look.
            b'/' | b'.' => previous != b'/',
            _ => is_path_character(byte),
        };
        if !plain || (index == 0 && byte != b'/') {
            return false;
        }
        previous = byte;
    }
    !raw.is_empty()
}

/// RFC 3986 section 3.3: `pchar` without percent-encoding.
const fn is_path_character(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@')
}

/// RFC 3986 section 2.3.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Section 6.2.2.2: unreserved characters are decoded, every other encoding is kept (a reserved character and its encoding
/// differ), and characters that are not allowed in a path are encoded.
fn canonical_octets(raw: &str) -> Result<String, PathError> {
    let bytes = raw.as_bytes();
    if bytes.first() != Some(&b'/') {
        return Err(PathError::NotAbsolute);
    }
    let mut canonical = String::with_capacity(raw.len() + 8);
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        if byte == b'%' {
            let octet = bytes.get(index + 1..index + 3).and_then(hex_octet).ok_or(PathError::BrokenEncoding)?;
            match octet {
                b'/' => return Err(PathError::EncodedSlash),
                b'\\' => return Err(PathError::Backslash),
                _ if octet.is_ascii_control() => return Err(PathError::ControlCharacter),
                _ if is_unreserved(octet) => canonical.push(char::from(octet)),
                _ => push_encoded(&mut canonical, octet),
            }
            index += 3;
            continue;
        }
        match byte {
            b'\\' => return Err(PathError::Backslash),
            _ if byte.is_ascii_control() => return Err(PathError::ControlCharacter),
            b'/' => canonical.push('/'),
            _ if is_path_character(byte) => canonical.push(char::from(byte)),
            _ => push_encoded(&mut canonical, byte),
        }
        index += 1;
    }
    Ok(canonical)
}

fn push_encoded(text: &mut String, octet: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    text.push('%');
    text.push(char::from(DIGITS[usize::from(octet >> 4)]));
    text.push(char::from(DIGITS[usize::from(octet & 15)]));
}

fn hex_octet(digits: &[u8]) -> Option<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some(value(*digits.first()?)? << 4 | value(*digits.get(1)?)?)
}

/// Section 5.2.4; also merges empty segments. Returns whether the path ended in a slash.
fn resolve_segments(canonical: &str) -> Result<(String, bool), PathError> {
    let mut segments: Vec<&str> = Vec::new();
    let mut saw_empty = false;
    let mut ends_in_slash = false;
    let mut remaining = canonical[1..].split('/').peekable();
    while let Some(segment) = remaining.next() {
        let is_last = remaining.peek().is_none();
        ends_in_slash = is_last && matches!(segment, "" | "." | "..");
        match segment {
            "" => saw_empty |= !is_last,
            "." => {}
            // Servers disagree on whether `/a//../b` is `/a/b` or `/b`.
            ".." if saw_empty => return Err(PathError::AmbiguousDotSegment),
            ".." => {
                segments.pop().ok_or(PathError::AboveRoot)?;
            }
            _ if is_dot_segment_with_suffix(segment) => return Err(PathError::AmbiguousDotSegment),
            _ => {
                // Without parameters `;v=1` is empty too.
                saw_empty |= name_of(segment, &[";", "%3B"]).is_empty();
                segments.push(segment);
            }
        }
    }
    let mut forwarded = String::with_capacity(canonical.len());
    for segment in &segments {
        forwarded.push('/');
        forwarded.push_str(segment);
    }
    let trailing_slash = ends_in_slash && !forwarded.is_empty();
    if forwarded.is_empty() {
        forwarded.push('/');
    }
    Ok((forwarded, trailing_slash))
}

/// `..;x`, `.;`, `..%3B` and dots followed by blanks: some servers drop the suffix and see a dot segment.
fn is_dot_segment_with_suffix(segment: &str) -> bool {
    let after_dots = segment.trim_start_matches('.');
    let dots = segment.len() - after_dots.len();
    (dots == 1 || dots == 2) && [";", "%3B", "%20", "%C2%A0"].iter().any(|suffix| after_dots.starts_with(suffix))
}

/// Whether decoding the decoded path again would produce a structural character.
fn is_encoded_twice(decoded: &str) -> bool {
    let bytes = decoded.as_bytes();
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%').any(|(index, _)| {
        bytes
            .get(index + 1..index + 3)
            .and_then(hex_octet)
            .is_some_and(|octet| matches!(octet, b'.' | b'/' | b'\\' | b'%' | b';') || octet.is_ascii_control())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn forwarded(raw: &str) -> Result<String, PathError> {
        RequestPath::parse(raw).map(|path| path.forwarded().to_owned())
    }

    #[test]
    fn ordinary_paths_stay_as_they_are() {
        for raw in ["/", "/a", "/a/b.c", "/a;v=1/b", "/@user:x/~me", "/a.b/..c/d..", "/%E2%82%AC", "/a%20b", "/100%25"]
        {
            assert_eq!(forwarded(raw).as_deref(), Ok(raw));
        }
    }

    #[test]
    fn equal_paths_have_one_form() {
        for (raw, expected) in [
            ("/a/", "/a"),
            ("/a//b", "/a/b"),
            ("/a/./b", "/a/b"),
            ("/a/../b", "/b"),
            ("/a/%2e%2e/b", "/b"),
            ("/a/.%2E/b", "/b"),
            ("/a/%2e/b", "/a/b"),
            ("/%61dmin", "/admin"),
            ("/%7Euser", "/~user"),
            ("/a%e2%82%ac", "/a%E2%82%AC"),
            ("/a\"b", "/a%22b"),
            ("/a/..", "/"),
            ("/a/b/..", "/a"),
            ("//", "/"),
        ] {
            assert_eq!(forwarded(raw).as_deref(), Ok(expected), "{raw}");
        }
    }

    #[test]
    fn ambiguous_paths_are_rejected() {
        for (raw, expected) in [
            ("", PathError::NotAbsolute),
            ("*", PathError::NotAbsolute),
            ("a/b", PathError::NotAbsolute),
            ("/..", PathError::AboveRoot),
            ("/a/../../b", PathError::AboveRoot),
            ("/%2e%2e/b", PathError::AboveRoot),
            ("/a/..%2fb", PathError::EncodedSlash),
            ("/a%2Fb", PathError::EncodedSlash),
            ("/a\\b", PathError::Backslash),
            ("/a%5cb", PathError::Backslash),
            ("/a/..\\b", PathError::Backslash),
            ("/a%00b", PathError::ControlCharacter),
            ("/a%0d%0ab", PathError::ControlCharacter),
            ("/a%7Fb", PathError::ControlCharacter),
            ("/a/..;/b", PathError::AmbiguousDotSegment),
            ("/a/.;x/b", PathError::AmbiguousDotSegment),
            ("/a/..%3bx/b", PathError::AmbiguousDotSegment),
            ("/a/..%20/b", PathError::AmbiguousDotSegment),
            ("/a//../b", PathError::AmbiguousDotSegment),
            ("/a/;/../b", PathError::AmbiguousDotSegment),
            ("/a/;x=1/../b", PathError::AmbiguousDotSegment),
            ("/a/%3bx/../b", PathError::AmbiguousDotSegment),
            ("/a/;/c/../../b", PathError::AmbiguousDotSegment),
            ("/a%ff", PathError::NotUtf8),
            ("/%c0%ae%c0%ae/b", PathError::NotUtf8),
            ("/a%", PathError::BrokenEncoding),
            ("/a%2", PathError::BrokenEncoding),
            ("/a%zz", PathError::BrokenEncoding),
            ("/a%+1", PathError::BrokenEncoding),
            ("/%252e%252e/b", PathError::EncodedTwice),
            ("/a%252fb", PathError::EncodedTwice),
            ("/a%25%32%66b", PathError::EncodedTwice),
            ("/a%2500", PathError::EncodedTwice),
        ] {
            assert_eq!(forwarded(raw), Err(expected), "{raw}");
        }
    }

    #[test]
    fn a_trailing_slash_is_recorded() {
        assert!(RequestPath::parse("/a/").unwrap().had_trailing_slash());
        assert!(RequestPath::parse("/a/b/..").unwrap().had_trailing_slash());
        assert!(!RequestPath::parse("/").unwrap().had_trailing_slash());
        assert!(!RequestPath::parse("/a").unwrap().had_trailing_slash());
    }

    #[test]
    fn parameters_are_cut_off_each_segment() {
        let shorter = |raw: &str| {
            let path = RequestPath::parse(raw).unwrap();
            without_parameters(path.decoded(), path.forwarded())
        };
        for (raw, expected) in [
            ("/a/b", None),
            ("/a;v=1/b", Some("/a/b")),
            ("/a%3bv=1/b%3B", Some("/a/b")),
            ("/a;b;c/d;e=f;g", Some("/a/d")),
            ("/a;x/../b;y", Some("/b")),
            ("/a/;jsessionid=1", Some("/a")),
            ("/;jsessionid=1", Some("/")),
            ("/;", Some("/")),
            ("/a;", Some("/a")),
        ] {
            assert_eq!(shorter(raw), Ok(expected.map(str::to_owned)), "{raw}");
        }
        assert_eq!(shorter("/a;v=1/b%3Bw"), Err(PathError::MixedSemicolons));
        for raw in ["/;/a", "/;v=1/a", "/a/%3b/b", "/a/;x/b;y"] {
            assert_eq!(shorter(raw), Err(PathError::EmptySegmentWithParameters), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn a_path_without_its_parameters_is_in_normal_form(raw in "(/|/a|\\.|;|%3b|=|b|%2e|%41|é){0,12}") {
            if let Ok(path) = RequestPath::parse(&format!("/{raw}"))
                && let Ok(Some(shorter)) = without_parameters(path.decoded(), path.forwarded())
            {
                prop_assert!(!shorter.contains(';'));
                let again = RequestPath::parse(&shorter).unwrap();
                prop_assert_eq!(again.decoded(), shorter.as_str());
            }
        }

        #[test]
        fn what_is_forwarded_decodes_to_what_is_matched(
            raw in "(/|/a|\\.|\\.\\.|;|%2e|%2F|%25|%5c|%41|%e2%82%ac|%00|%ff|b|~|//|\\\\|\"|%3b|%20| |é){0,12}"
        ) {
            if let Ok(path) = RequestPath::parse(&format!("/{raw}")) {
                let decoded = percent_decode_str(path.forwarded()).decode_utf8().unwrap();
                prop_assert_eq!(decoded, path.decoded());
                let again = RequestPath::parse(path.forwarded()).unwrap();
                prop_assert_eq!(again.forwarded(), path.forwarded());
                prop_assert_eq!(again.decoded(), path.decoded());
                let segments = || path.decoded().split('/').skip(1);
                prop_assert!(!segments().any(|segment| matches!(segment, "." | "..")));
                prop_assert!(path.decoded() == "/" || !segments().any(str::is_empty));
                prop_assert!(!path.decoded().contains('\\'));
            }
        }
    }
}
