//! The consent page: the client, the requested permissions, and the redirect destination. Both buttons have the same
//! weight.

use askama::Template;
use axum::response::Response;
use base::Context;
use ui::components::{Button, ButtonKind, Checkbox, Hidden};
use ui::{OutsideText, Page};
use url::Url;

use super::texts::Texts;
use crate::OAuth;
use crate::domain::client::Client;
use crate::operations::consent_requests::ConsentChallenge;

/// Where the page is.
pub(crate) const PATH: &str = "/oauth2/consent";

#[derive(Template)]
#[template(path = "pages/consent.html")]
pub(super) struct ConsentPage<'a> {
    pub texts: &'static Texts,
    pub client_name: OutsideText,
    pub signed_in_as: Option<String>,
    /// The requested permissions, one per scope.
    pub permissions: Vec<Permission<'a>>,
    pub audience: &'a [String],
    /// The host of the redirect destination.
    pub destination: String,
    pub terms: Option<&'a str>,
    pub privacy: Option<&'a str>,
    pub action: String,
    pub values: [Hidden; 2],
    pub remember: Option<Checkbox>,
    pub allow: Button,
    pub deny: Button,
}

pub(super) struct Permission<'a> {
    pub text: &'static str,
    /// The scope itself, when it has no description.
    pub scope: Option<&'a str>,
}

pub(crate) fn respond(
    oauth: &OAuth,
    cx: &Context,
    query: Option<&str>,
    challenge: &str,
    found: &ConsentChallenge,
    signed_in_as: Option<String>,
) -> Response {
    let texts = Texts::of(oauth.ui.language(cx.locale));
    let metadata = &found.client.metadata;
    let web_uri = |uri: &'_ String| (!uri.is_empty()).then_some(()).map(|()| uri.clone());
    let (terms, privacy) = (web_uri(&metadata.tos_uri), web_uri(&metadata.policy_uri));
    let page = ConsentPage {
        texts,
        client_name: client_name(&found.client),
        signed_in_as,
        permissions: permissions(texts, found.request.scope.as_slice()),
        audience: &found.request.audience,
        destination: destination(&found.request.target.redirect_uri),
        terms: terms.as_deref(),
        privacy: privacy.as_deref(),
        action: oauth.config.public_url(PATH),
        values: [Hidden::new("consent_challenge", challenge), Hidden::new("csrf", found.consent.csrf.as_str())],
        remember: found.consent.flow.may_skip_consent.then(|| remember_box(texts)),
        allow: Button::submit(texts.allow).sending("decision", "allow"),
        deny: Button::submit(texts.deny).sending("decision", "deny").of_kind(ButtonKind::Secondary),
    };
    super::render(oauth, cx, Page::titled(texts.consent_title).asked_with(query), &page)
}

/// The client chose its name, so the name is limited in length and cannot affect the surrounding sentence.
pub(super) fn client_name(client: &Client) -> OutsideText {
    let name = |text: &str| OutsideText::new(text, OutsideText::NAME);
    name(client.display_name()).or_else(|| name(client.id.as_str())).unwrap_or_else(OutsideText::nobody)
}

pub(super) fn permissions<'a>(texts: &'static Texts, scope: &'a [String]) -> Vec<Permission<'a>> {
    let mut permissions: Vec<Permission<'a>> = Vec::new();
    for scope in scope {
        let permission = match texts.scope(scope) {
            Some(text) => Permission { text, scope: None },
            None => Permission { text: texts.scope_other, scope: Some(scope) },
        };
        // `offline` and `offline_access` are one permission.
        if permission.scope.is_some() || permissions.iter().all(|known| known.text != permission.text) {
            permissions.push(permission);
        }
    }
    permissions
}

pub(super) fn remember_box(texts: &'static Texts) -> Checkbox {
    Checkbox {
        id: "remember".to_owned(),
        name: "remember".to_owned(),
        label: texts.remember.to_owned(),
        value: "true".to_owned(),
        hint: Some(texts.remember_hint.to_owned()),
        ..Checkbox::default()
    }
}

/// The part of a redirect URI that a user can check.
pub(super) fn destination(redirect_uri: &str) -> String {
    match Url::parse(redirect_uri) {
        Ok(url) => match url.host_str() {
            Some(host) => host.to_owned(),
            None => format!("{}:", url.scheme()),
        },
        Err(_) => redirect_uri.to_owned(),
    }
}
