//! The sample application of `kleis demo`: a relying party that signs users in with OpenID Connect, and an API behind the
//! gateway.
//!
//! Invariants:
//! - The relying party is an ordinary client: it uses Kleis over HTTP through a public OpenID Connect library and no internal
//!   interface.
//! - A document is opened through the gateway, whose rule asks the permission service; the application never decides.
//! - The API trusts the headers that the gateway sets and calls no other service.
//! - Sessions are kept in memory, and their number is small: it is a sample.

mod api;
mod design;
mod documents;
mod home;
mod oidc;
mod pages;
mod relying_party;
mod texts;
mod visits;

use base::{Clock, Rng, Secret};
use serde_json::{Value, json};
use url::Url;

pub(crate) use api::router as api_router;
pub(crate) use documents::{Apis, MODEL};
pub(crate) use relying_party::router as relying_party_router;

/// The names of the texts of the sample application.
#[cfg(test)]
pub(crate) fn text_names() -> Vec<ui::TextName> {
    texts::Texts::names()
}

/// The settings of the relying party.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The issuer of the provider, as in its tokens.
    pub(crate) issuer: Url,
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret<String>,
    /// The URL of the relying party, without a path.
    pub(crate) base_url: Url,
    /// The URL of the sample API at the gateway.
    pub(crate) api_url: Url,
    /// The URL of the account page.
    pub(crate) account_url: Url,
}

/// The dependencies that the server provides.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    pub(crate) http: web::outbound::Client,
    pub(crate) clock: Clock,
    pub(crate) rng: Rng,
}

impl Settings {
    pub(crate) fn redirect_uri(&self) -> Url {
        self.at("/callback")
    }

    /// The URL of a page of the relying party.
    pub(crate) fn at(&self, path: &str) -> Url {
        let mut url = self.base_url.clone();
        url.set_path(path);
        url.set_query(None);
        url
    }

    /// The registration of the client at the provider.
    pub(crate) fn client_registration(&self) -> Value {
        json!({
            "client_id": self.client_id,
            "client_secret": self.client_secret.expose(),
            "client_name": "Sample app",
            "redirect_uris": [self.redirect_uri()],
            "post_logout_redirect_uris": [self.at("/signed-out")],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "scope": "openid profile email offline_access",
            "token_endpoint_auth_method": "client_secret_basic",
        })
    }

    /// The gateway's rules for the sample API: they accept requests with a session or an access token and add the subject. Below
    /// `/documents/` the subject needs a permission on the document.
    pub(crate) fn access_rules(&self, upstream: &Url) -> Value {
        let document = json!({ "handler": "permission", "config": {
            "namespace": "Document",
            "object": "{{ printIndex .MatchContext.RegexpCaptureGroups 1 }}",
            "relation": "read",
            "subject_namespace": "User",
        } });
        json!([
            self.access_rule("demo-api", "<(?!documents/).*>", upstream, &json!({ "handler": "allow" })),
            self.access_rule("demo-documents", "documents/<[^/]+>", upstream, &document),
        ])
    }

    fn access_rule(&self, id: &str, path: &str, upstream: &Url, authorizer: &Value) -> Value {
        // All names of this machine that a visitor may type.
        let names = r"<localhost|127\.0\.0\.1|\[::1\]>";
        let port = self.api_url.port_or_known_default().unwrap_or_default();
        json!({
            "id": id,
            "match": { "url": format!("http://{names}:{port}/{path}"), "methods": ["GET", "POST"] },
            "upstream": { "url": upstream },
            "authenticators": [{ "handler": "cookie_session" }, { "handler": "oauth2_introspection" }],
            "authorizer": authorizer,
            "mutators": [{ "handler": "header", "config": { "headers": { "X-User": "{{ print .Subject }}" } } }],
        })
    }
}
