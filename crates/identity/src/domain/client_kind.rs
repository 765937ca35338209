//! Who is at the other end of a flow, as `Accept` and `Content-Type` tell it.
//!
//! A *browser* follows redirects and keeps cookies, a *single-page application* is a browser that wants JSON, and a
//! *native* client has no cookies at all: it holds a session token. The first two share the flow type `browser`.

use serde::{Deserialize, Serialize};

/// What a flow was begun as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FlowType {
    Browser,
    Api,
}

impl FlowType {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Api => "api",
        }
    }
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    Html,
    Json,
}

impl Wants {
    /// Negotiates between `text/html` (the default) and `application/json`, as flow beginnings and endings do.
    pub fn strictly(accept: Option<&str>) -> Self {
        Self::negotiate(accept, &["text/html", "application/json"])
    }

    /// As on submissions: JSON also for a client that sends `application/json` without parameters.
    pub fn loosely(accept: Option<&str>, content_type: Option<&str>) -> Self {
        if content_type == Some("application/json") {
            return Self::Json;
        }
        Self::negotiate(accept, &["text/html", "text/*", "*/*", "application/json"])
    }

    /// The offer that some entry of `accept` names with the highest quality; the more specific entry and then the
    /// earlier offer win a tie (RFC 9110 section 12.5.1).
    fn negotiate(accept: Option<&str>, offers: &[&'static str]) -> Self {
        let Some(accept) = accept else { return Self::Html };
        let mut best = (0_u16, 0_u8, "text/html");
        for offer in offers {
            for entry in accept.split(',') {
                let mut parts = entry.split(';').map(str::trim);
                let range = parts.next().unwrap_or_default();
                let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, thousandths);
                let Some(specificity) = matching(range, offer) else { continue };
                if (quality, specificity) > (best.0, best.1) && quality > 0 {
                    best = (quality, specificity, offer);
                }
            }
        }
        if best.2 == "application/json" { Self::Json } else { Self::Html }
    }
}

fn thousandths(quality: &str) -> u16 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let digits: String = format!("{fraction:0<3}").chars().take(3).collect();
    let whole: u16 = whole.parse().unwrap_or(0);
    (whole.min(1) * 1000 + digits.parse::<u16>().unwrap_or(0)).min(1000)
}

/// How exactly a media range names an offer: 3 for the same type, 2 for `type/*`, 1 for `*/*`.
fn matching(range: &str, offer: &str) -> Option<u8> {
    if range == "*/*" {
        return Some(1);
    }
    let (range_type, subtype) = range.split_once('/')?;
    if subtype == "*" {
        let (offer_type, _) = offer.split_once('/')?;
        return range_type.eq_ignore_ascii_case(offer_type).then_some(2);
    }
    range.eq_ignore_ascii_case(offer).then_some(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_from_programs_by_accept() {
        let chrome = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        assert_eq!(Wants::loosely(Some(chrome), None), Wants::Html);
        assert_eq!(Wants::loosely(Some("*/*"), None), Wants::Html);
        assert_eq!(Wants::loosely(None, None), Wants::Html);
        assert_eq!(Wants::loosely(Some("application/json"), None), Wants::Json);
        assert_eq!(Wants::loosely(Some("application/json, text/plain, */*"), None), Wants::Json);
        assert_eq!(Wants::loosely(Some("text/html;q=0.5, application/json;q=0.9"), None), Wants::Json);
    }

    #[test]
    fn a_json_body_asks_for_json_except_at_the_ends_of_a_flow() {
        assert_eq!(Wants::loosely(Some("*/*"), Some("application/json")), Wants::Json);
        assert_eq!(Wants::loosely(Some("*/*"), Some("application/json; charset=utf-8")), Wants::Html);
        assert_eq!(Wants::strictly(Some("*/*")), Wants::Html);
        assert_eq!(Wants::strictly(Some("application/json")), Wants::Json);
    }
}
