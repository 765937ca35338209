//! The error page of the authorization endpoint: an explanation for the person, and the error code and description for
//! developers.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use base::Context;
use ui::Page;

use super::words::Words;
use crate::OAuth;

#[derive(Template)]
#[template(path = "pages/error.html")]
pub(super) struct ErrorPage<'a> {
    pub words: &'static Words,
    pub explanation: &'static str,
    pub name: &'a str,
    pub description: &'a str,
    pub request_id: String,
}

pub(crate) fn respond(oauth: &OAuth, cx: &Context, status: StatusCode, name: &str, description: &str) -> Response {
    let words = Words::of(oauth.ui().language(cx.locale));
    let explanation = explanation(words, status, name);
    let page = ErrorPage { words, explanation, name, description, request_id: cx.request_id.to_string() };
    oauth.page(cx, Page { status, ..Page::titled(words.error_title) }, &page)
}

pub(super) fn explanation(words: &'static Words, status: StatusCode, name: &str) -> &'static str {
    match name {
        "request_unauthorized" | "access_denied" => words.error_expired,
        "request_forbidden" => words.error_cookies,
        _ if status.is_server_error() => words.error_ours,
        _ => words.error_intro,
    }
}
