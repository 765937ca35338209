//! The kind of client of a flow, from `Accept` and `Content-Type`.
//!
//! A *browser* follows redirects and keeps cookies. A *single-page application* is a browser that expects JSON. A *native*
//! client has no cookies; it holds a session token. The first two share the flow type `browser`.

use serde::{Deserialize, Serialize};

/// The type that a flow was initialized with.
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

/// The format of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    Html,
    Json,
}

impl Wants {
    /// Negotiates between `text/html` (the default) and `application/json`, as initialization and completion of flows do.
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

    /// The offer with the highest quality. The most specific entry that matches an offer gives its quality. Ties go to the
    /// more specific entry, then to the earlier offer (RFC 9110 section 12.5.1). The result is HTML when nothing matches,
    /// unless HTML is excluded.
    fn negotiate(accept: Option<&str>, offers: &[&'static str]) -> Self {
        let Some(accept) = accept else { return Self::Html };
        let mut best = (0_u16, 0_u8, "text/html");
        let mut is_html_excluded = false;
        for offer in offers {
            let entries = accept.split(',').filter_map(|entry| {
                let mut parts = entry.split(';').map(str::trim);
                let specificity = matching(parts.next().unwrap_or_default(), offer)?;
                let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
                Some((specificity, quality.map_or(1000, thousandths)))
            });
            // The first of equal entries counts.
            let named = entries.fold(None, |best: Option<(u8, u16)>, entry| match best {
                Some(best) if best.0 >= entry.0 => Some(best),
                Some(_) | None => Some(entry),
            });
            let Some((specificity, quality)) = named else { continue };
            is_html_excluded |= *offer == "text/html" && quality == 0;
            if quality > 0 && (quality, specificity) > (best.0, best.1) {
                best = (quality, specificity, offer);
            }
        }
        let is_json = best.2 == "application/json" || (best.0 == 0 && is_html_excluded);
        if is_json { Self::Json } else { Self::Html }
    }
}

fn thousandths(quality: &str) -> u16 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let digits: String = format!("{fraction:0<3}").chars().take(3).collect();
    let whole: u16 = whole.parse().unwrap_or(0);
    (whole.min(1) * 1000 + digits.parse::<u16>().unwrap_or(0)).min(1000)
}

/// How exactly a media range matches an offer: 3 for the same type, 2 for `type/*`, 1 for `*/*`.
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
    fn accept_distinguishes_browsers_from_programs() {
        let chrome = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        assert_eq!(Wants::loosely(Some(chrome), None), Wants::Html);
        assert_eq!(Wants::loosely(Some("*/*"), None), Wants::Html);
        assert_eq!(Wants::loosely(None, None), Wants::Html);
        assert_eq!(Wants::loosely(Some("application/json"), None), Wants::Json);
        assert_eq!(Wants::loosely(Some("application/json, text/plain, */*"), None), Wants::Json);
        assert_eq!(Wants::loosely(Some("text/html;q=0.5, application/json;q=0.9"), None), Wants::Json);
    }

    #[test]
    fn quality_values_are_applied() {
        let both = |accept| (Wants::strictly(Some(accept)), Wants::loosely(Some(accept), None));
        for accept in [
            "text/html;q=0",
            "text/html;q=0, application/json",
            "text/html; q=0.0,application/json;q=0.1",
            "text/html;Q=0",
        ] {
            assert_eq!(both(accept), (Wants::Json, Wants::Json), "{accept}");
        }
        for accept in ["application/json;q=0", "text/html;q=0.1, application/json;q=0", "application/json;q=0, */*"] {
            assert_eq!(both(accept), (Wants::Html, Wants::Html), "{accept}");
        }
        assert_eq!(Wants::strictly(Some("text/html;q=0, */*")), Wants::Json);
    }

    #[test]
    fn a_json_body_requests_json_except_at_the_start_and_end_of_a_flow() {
        assert_eq!(Wants::loosely(Some("*/*"), Some("application/json")), Wants::Json);
        assert_eq!(Wants::loosely(Some("*/*"), Some("application/json; charset=utf-8")), Wants::Html);
        assert_eq!(Wants::strictly(Some("*/*")), Wants::Html);
        assert_eq!(Wants::strictly(Some("application/json")), Wants::Json);
    }
}
