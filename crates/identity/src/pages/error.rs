//! The error page: what happened, what the user can do, and details for support.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};
use ui::{Page, PageLink, Strings};
use web::{Cx, RestError};

use crate::Identity;
use crate::flows::visitor::Visitor;

#[derive(Template)]
#[template(path = "pages/error.html")]
pub(super) struct ErrorPage {
    pub strings: &'static Strings,
    pub explanation: &'static str,
    pub status: u16,
    /// The texts of the API, for support.
    pub details: Vec<String>,
    pub start: PageLink,
}

impl ErrorPage {
    /// Reads the `error` member of a response body.
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

pub(super) async fn show(State(identity): State<Arc<Identity>>, Cx(cx): Cx, visitor: Visitor) -> Response {
    let error = match identity.kept_error(&cx, visitor.query("id").as_deref()).await {
        Ok(stored) => stored.error,
        // An unknown error id is itself an error, and is shown on this page.
        Err(error) => RestError::from(error).to_value().get("error").cloned().unwrap_or_else(|| json!({})),
    };
    let strings = identity.ui.localizer(cx.locale).strings();
    let page = ErrorPage::new(&error, strings, PageLink::new(strings.to_start, identity.own_page("welcome")));
    let frame = Page { status: page.status(), ..Page::titled(strings.error) };
    identity.page_response(&cx, frame.asked_with(visitor.request_url.query()), &page)
}
