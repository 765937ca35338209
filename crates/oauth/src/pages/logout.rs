//! The logout pages. The first one asks for confirmation, because any site could contain a logout link; the last one
//! notifies the clients and redirects.

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use base::Context;
use ui::components::{Button, ButtonKind, Hidden};
use ui::{OutsideText, Page};
use url::Url;

use super::consent::client_name;
use super::texts::Texts;
use crate::OAuth;
use crate::domain::client::Client;

/// Where the page that asks whether to sign out is.
pub(crate) const PATH: &str = "/oauth2/logout";

#[derive(Template)]
#[template(path = "pages/logout.html")]
pub(super) struct LogoutPage {
    pub texts: &'static Texts,
    pub client_name: Option<OutsideText>,
    pub action: String,
    pub challenge: Hidden,
    pub sign_out: Button,
    pub stay: Button,
}

/// A page with a title and a text.
#[derive(Template)]
#[template(path = "pages/notice.html")]
pub(super) struct Notice {
    pub title: &'static str,
    pub text: &'static str,
}

#[derive(Template)]
#[template(path = "pages/front_channel_logout.html")]
pub(super) struct FrontChannelLogout<'a> {
    pub texts: &'static Texts,
    pub pages: &'a [String],
    pub redirect_to: &'a str,
}

pub(crate) fn question(
    oauth: &OAuth,
    cx: &Context,
    query: Option<&str>,
    challenge: &str,
    client: Option<&Client>,
) -> Response {
    let texts = Texts::of(oauth.ui.language(cx.locale));
    let page = LogoutPage {
        texts,
        client_name: client.map(client_name),
        action: oauth.config.public_url(PATH),
        challenge: Hidden::new("logout_challenge", challenge),
        sign_out: Button::submit(texts.sign_out).sending("decision", "sign_out"),
        stay: Button::submit(texts.stay).sending("decision", "stay").of_kind(ButtonKind::Secondary),
    };
    super::render(oauth, cx, Page::titled(texts.logout_title).asked_with(query), &page)
}

pub(crate) fn stayed(oauth: &OAuth, cx: &Context) -> Response {
    let texts = Texts::of(oauth.ui.language(cx.locale));
    let notice = Notice { title: texts.stayed_title, text: texts.stayed_intro };
    super::render(oauth, cx, Page::titled(texts.stayed_title), &notice)
}

pub(crate) fn signed_out(oauth: &OAuth, cx: &Context, query: Option<&str>) -> Response {
    let texts = Texts::of(oauth.ui.language(cx.locale));
    let notice = Notice { title: texts.signed_out_title, text: texts.signed_out_intro };
    super::render(oauth, cx, Page::titled(texts.signed_out_title).asked_with(query), &notice)
}

/// Loads the clients' pages, then continues (OpenID Connect Front-Channel Logout section 2). It continues without script:
/// the frames load during the browser's delay.
pub(crate) fn front_channel(oauth: &OAuth, cx: &Context, pages: &[String], redirect_to: &str) -> Response {
    const WAIT_SECONDS: u32 = 3;
    let texts = Texts::of(oauth.ui.language(cx.locale));
    let page = FrontChannelLogout { texts, pages, redirect_to };
    let mut response = super::render(oauth, cx, Page::titled(texts.signing_out_title), &page);
    let headers = response.headers_mut();
    if let Ok(refresh) = HeaderValue::try_from(format!("{WAIT_SECONDS};url={redirect_to}")) {
        headers.insert(header::REFRESH, refresh);
    }
    // The policy of all pages, extended by the frames only.
    let policy = headers.get(header::CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok());
    let policy = format!("{}; frame-src {}", policy.unwrap_or("default-src 'none'"), frame_sources(pages));
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn frame_sources(pages: &[String]) -> String {
    let origins = pages.iter().filter_map(|page| Url::parse(page).ok()).map(|url| url.origin().ascii_serialization());
    let mut origins: Vec<String> = origins.collect();
    origins.sort();
    origins.dedup();
    origins.join(" ")
}
