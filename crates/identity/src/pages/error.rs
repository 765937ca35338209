//! The error page: what happened in the person's words, what she can do, and what support needs to find it.

use askama::Template;
use http::StatusCode;
use serde_json::Value;
use ui::{PageLink, Strings};

#[derive(Template)]
#[template(path = "pages/error.html")]
pub(super) struct ErrorPage {
    pub strings: &'static Strings,
    pub explanation: &'static str,
    pub status: u16,
    /// The machine's own words, for support.
    pub details: Vec<String>,
    pub start: PageLink,
}

impl ErrorPage {
    /// Reads the `error` member of an answer, as the wire has it.
    pub(super) fn new(error: &Value, strings: &'static Strings, start: PageLink) -> Self {
        let status = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
        let text = |member: &str| error.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
        let mut details: Vec<String> =
            [text("id"), text("message"), text("reason")].into_iter().flatten().map(str::to_owned).collect();
        details.dedup();
        Self { strings, explanation: explanation(text("id"), status, strings), status, details, start }
    }

    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

fn explanation(id: Option<&str>, status: u16, strings: &'static Strings) -> &'static str {
    match (id, status) {
        (Some("self_service_flow_expired" | "self_service_flow_replaced"), _) | (_, 410) => strings.error_expired,
        (Some("self_service_flow_disabled"), _) => strings.error_disabled,
        (Some("security_csrf_violation" | "security_identity_mismatch"), _) | (_, 403) => strings.error_forbidden,
        (_, 404) => strings.error_not_found,
        (_, 500..) => strings.error_unavailable,
        _ => strings.error_intro,
    }
}
