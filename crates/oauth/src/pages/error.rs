//! The error page of the authorization endpoint: an explanation for the user, and the error code and description for
//! developers.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use base::Context;
use ui::Page;

use super::texts::Texts;
use crate::OAuth;

#[derive(Template)]
#[template(path = "pages/error.html")]
pub(super) struct ErrorPage<'a> {
    pub texts: &'static Texts,
    pub explanation: &'static str,
    pub name: &'a str,
    pub description: &'a str,
    pub request_id: String,
}

pub(crate) fn respond(oauth: &OAuth, cx: &Context, status: StatusCode, name: &str, description: &str) -> Response {
    let texts = Texts::of(oauth.ui.language(cx.locale));
    let explanation = explanation(texts, status, name);
    let page = ErrorPage { texts, explanation, name, description, request_id: cx.request_id.to_string() };
    super::render(oauth, cx, Page { status, ..Page::titled(texts.error_title) }, &page)
}

pub(super) fn explanation(texts: &'static Texts, status: StatusCode, name: &str) -> &'static str {
    match name {
        "request_unauthorized" | "access_denied" => texts.error_expired,
        "request_forbidden" => texts.error_cookies,
        _ if status.is_server_error() => texts.error_ours,
        _ => texts.error_intro,
    }
}
