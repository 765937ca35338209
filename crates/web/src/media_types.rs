//! Content negotiation between a page and JSON (RFC 9110 section 12.5.1).
//!
//! Invariant: a program gets JSON. Only a request that looks like a browser navigation or a form submission in every respect
//! gets a page, because some HTTP libraries accept HTML without wanting it.

use http::HeaderMap;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use mediatype::names::{APPLICATION, HTML, JSON, TEXT};
use mediatype::{MediaType, Name, ReadParams as _};

/// Of more entries the first ones count.
const MAX_ENTRIES: usize = 64;

/// `*`, which stands for any type.
pub const WILDCARD: Name<'_> = Name::new_unchecked("*");
const QUALITY: Name<'_> = Name::new_unchecked("q");

/// The type of a body, in lower case and without its parameters; empty when the header is missing.
pub fn of_body(headers: &HeaderMap) -> String {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The media types or ranges of a header, in order.
pub fn listed(header: &str) -> impl Iterator<Item = MediaType<'_>> {
    header.split(',').take(MAX_ENTRIES).filter_map(|entry| read(entry.trim()))
}

fn read(entry: &str) -> Option<MediaType<'_>> {
    let without_parameters = || MediaType::parse(entry.split(';').next().unwrap_or_default().trim_end());
    MediaType::parse(entry).or_else(|_| without_parameters()).ok()
}

/// How exactly a range names a type: 3 for the type itself, 2 for `type/*`, 1 for `*/*`, 0 when it does not cover it.
pub fn specificity(range: &MediaType<'_>, media_type: &MediaType<'_>) -> u8 {
    if range.essence() == media_type.essence() {
        3
    } else if range.subty != WILDCARD {
        0
    } else if range.ty == media_type.ty {
        2
    } else {
        u8::from(range.ty == WILDCARD)
    }
}

/// Whether the request is a navigation of a browser.
pub fn is_navigation(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // Fetch Metadata identifies scripts that read the answer, in browsers that send these headers.
    let may_navigate = text("sec-fetch-mode").is_none_or(|mode| mode == "navigate");
    let is_program = headers.contains_key(AUTHORIZATION)
        || headers.contains_key("x-session-token")
        || headers.contains_key("x-requested-with")
        || text(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.contains("json"));
    may_navigate && !is_program && text(ACCEPT.as_str()).is_some_and(prefers_html)
}

/// Whether `text/html` is listed and preferred to JSON.
pub fn prefers_html(accept: &str) -> bool {
    let html = quality(accept, &MediaType::new(TEXT, HTML));
    let json = quality(accept, &MediaType::new(APPLICATION, JSON));
    let is_wanted = html.is_named && html.thousandths > 0;
    // `text/html, */*` prefers the page and accepts anything else.
    is_wanted && (html.thousandths > json.thousandths || (html.thousandths == json.thousandths && !json.is_named))
}

#[derive(Clone, Copy, Debug)]
struct Quality {
    thousandths: u16,
    /// Listed by its type, not only by `*/*`.
    is_named: bool,
}

/// The weight of the most specific range that covers `media_type`; the first of equally specific ranges counts.
fn quality(accept: &str, media_type: &MediaType<'_>) -> Quality {
    let mut best = (0_u8, 0_u16);
    for range in listed(accept) {
        let specificity = specificity(&range, media_type);
        if specificity > best.0 {
            let weight = range.params().find(|(name, _)| *name == QUALITY);
            best = (specificity, weight.map_or(1000, |(_, weight)| thousandths(weight.as_str())));
        }
    }
    Quality { thousandths: best.1, is_named: best.0 > 1 }
}

fn thousandths(weight: &str) -> u16 {
    weight.parse::<f32>().map_or(0, |weight| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
        let thousandths = (weight.clamp(0.0, 1.0) * 1000.0).round() as u16;
        thousandths
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    const CHROME: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

    #[test]
    fn quality_values_are_respected() {
        for (accept, expected) in [
            (CHROME, true),
            ("text/html", true),
            ("text/*, application/json;q=0.5", true),
            ("text/html, */*", true),
            ("text/html;q=0.9, application/json;q=0.8", true),
            ("text/html;q=0", false),
            ("text/html;q=0, */*", false),
            ("text/html;q=0.5, application/json;q=0.9", false),
            ("text/html, application/json", false),
            ("application/json, text/plain, */*", false),
            ("*/*", false),
            ("", false),
            ("text/html;q=x", false),
            ("TEXT/HTML ; q=0.9, application/json; Q=0.8", true),
            ("text/html;level, application/json;q=0.5", true),
            ("html, application/json", false),
        ] {
            assert_eq!(prefers_html(accept), expected, "{accept}");
        }
    }

    #[test]
    fn a_program_that_accepts_html_is_not_a_browser() {
        let headers = |more: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(CHROME))]);
            for (name, value) in more {
                headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            is_navigation(&headers)
        };
        assert!(headers(&[]) && headers(&[("sec-fetch-mode", "navigate")]));
        assert!(headers(&[("content-type", "application/x-www-form-urlencoded")]));
        for program in [
            ("sec-fetch-mode", "cors"),
            ("authorization", "Basic Yg=="),
            ("x-session-token", "ory_st_x"),
            ("x-requested-with", "XMLHttpRequest"),
            ("content-type", "application/json; charset=utf-8"),
        ] {
            assert!(!headers(&[program]), "{program:?}");
        }
        assert!(!is_navigation(&HeaderMap::new()));
    }

    #[test]
    fn a_malformed_parameter_does_not_invalidate_the_media_type() {
        let listed = |header| listed(header).map(|it| it.essence().to_string()).collect::<Vec<_>>();
        assert_eq!(listed("text/html;level=1, application/xhtml+xml"), ["text/html", "application/xhtml+xml"]);
        assert_eq!(listed("multipart/form-data; boundary=a b=c/d"), ["multipart/form-data"]);
        assert_eq!(listed(", x, a/b;"), ["a/b"]);
        let body = |value| of_body(&HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))]));
        assert_eq!(body("Application/JSON ; charset"), "application/json");
        assert_eq!(of_body(&HeaderMap::new()), "");
    }
}
