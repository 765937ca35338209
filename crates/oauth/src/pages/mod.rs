//! The built-in pages, for operators without their own applications: consent, logout, errors. They work without JavaScript.

use axum::body::Body;
use axum::response::Response;
use base::Context;
use url::Url;

use crate::OAuth;

pub(crate) mod consent;
pub(crate) mod error;
pub(crate) mod form_post;
pub(crate) mod logout;
pub(crate) mod texts;

#[cfg(test)]
mod tests;

/// A complete page with its security headers.
fn render(oauth: &OAuth, cx: &Context, page: ui::Page<'_>, body: &impl askama::Template) -> Response {
    let public = Url::parse(&oauth.config.public_url("/"));
    let path = public.as_ref().map_or("/", |url| url.path());
    oauth.ui.under(path).respond(cx.locale, page, body).map(Body::from)
}
