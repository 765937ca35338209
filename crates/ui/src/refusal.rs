//! The page of a request that is refused before a service handles it: an unknown address, a method that is not allowed, a body
//! that is too large, too many requests. It explains what happened and what to do, and shows no part of the request.

use askama::Template;
use http::StatusCode;

use crate::{Page, PageLink, Strings};

#[derive(Clone, Debug, Template)]
#[template(path = "refusal.html")]
pub struct RefusalPage {
    strings: &'static Strings,
    pub title: &'static str,
    pub advice: &'static str,
    status: u16,
    /// Identifies the request for support. The server generates it; it is not part of the request.
    request_id: Option<String>,
    start: Option<PageLink>,
}

impl RefusalPage {
    /// `None` for a status that has no such page. `start` is the address of the start page.
    pub fn new(
        status: StatusCode,
        strings: &'static Strings,
        start: Option<&str>,
        request_id: Option<String>,
    ) -> Option<Self> {
        let (title, advice) = match status {
            StatusCode::BAD_REQUEST | StatusCode::URI_TOO_LONG => {
                (strings.refused_address, strings.refused_address_advice)
            }
            StatusCode::FORBIDDEN => (strings.refused_forbidden, strings.refused_forbidden_advice),
            StatusCode::NOT_FOUND => (strings.refused_page_missing, strings.refused_page_missing_advice),
            StatusCode::METHOD_NOT_ALLOWED => (strings.refused_method, strings.refused_method_advice),
            StatusCode::PAYLOAD_TOO_LARGE => (strings.refused_too_large, strings.refused_too_large_advice),
            StatusCode::TOO_MANY_REQUESTS => (strings.refused_too_many, strings.refused_too_many_advice),
            StatusCode::INTERNAL_SERVER_ERROR | StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE => {
                (strings.refused_unavailable, strings.refused_unavailable_advice)
            }
            _ => return None,
        };
        let start = start.map(|href| PageLink::new(strings.to_start, href));
        Some(Self { strings, title, advice, status: status.as_u16(), request_id, start })
    }

    /// The layout of this page.
    pub fn page(&self) -> Page<'static> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Page { status, ..Page::titled(self.title) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;

    #[test]
    fn every_refusal_says_what_happened_and_what_to_do() {
        for &language in Language::all() {
            let strings = Strings::of(language);
            let mut titles = Vec::new();
            for status in [400, 403, 404, 405, 413, 429, 503] {
                let status = StatusCode::from_u16(status).unwrap();
                let page = RefusalPage::new(status, strings, Some("/start?a=1&b=2"), None).unwrap();
                let html = page.render().unwrap();
                assert!(html.contains("href=\"/start?a=1&#38;b=2\"") && html.contains(status.as_str()), "{html}");
                assert!(!page.advice.is_empty() && page.page().status == status);
                titles.push(page.title);
            }
            titles.sort_unstable();
            titles.dedup();
            assert_eq!(titles.len(), 7, "{titles:?}");
        }
    }

    #[test]
    fn other_statuses_have_no_page() {
        for status in [StatusCode::OK, StatusCode::UNAUTHORIZED, StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY]
        {
            assert!(RefusalPage::new(status, Strings::of(Language::english()), None, None).is_none(), "{status}");
        }
    }
}
