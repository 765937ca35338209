//! The sample application of `kleis demo`: a relying party that signs people in with OpenID Connect, and an API that the
//! gateway guards.
//!
//! What always holds:
//! - The relying party is an ordinary client: it speaks to Kleis over HTTP through a public OpenID Connect library, and
//!   knows nothing that any other client would not.
//! - The API trusts the headers that the gateway writes, and asks nobody.
//! - Its sessions live in memory and are few: it is a sample.

mod api;
mod oidc;
mod pages;
mod relying_party;
mod texts;
mod visits;

use base::{Clock, Rng, Secret};
use serde_json::{Value, json};
use url::Url;

pub(crate) use api::router as api_router;
pub(crate) use relying_party::router as relying_party_router;

/// The names of the texts of the sample application.
#[cfg(test)]
pub(crate) fn text_names() -> Vec<ui::TextName> {
    texts::Texts::names()
}

/// What the relying party is told about the world.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The provider, as its tokens name it.
    pub(crate) issuer: Url,
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret<String>,
    /// Where the relying party is reached, without a path.
    pub(crate) base_url: Url,
    /// The gateway's address of the sample API.
    pub(crate) api_url: Url,
    /// Where people manage their account.
    pub(crate) account_url: Url,
}

/// The tools that the server hands down.
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

    /// A page of the relying party.
    pub(crate) fn at(&self, path: &str) -> Url {
        let mut url = self.base_url.clone();
        url.set_path(path);
        url.set_query(None);
        url
    }

    /// The client as it is registered at the provider.
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

    /// The gateway's rule for the sample API: let in who has a session or an access token, and say who it is.
    pub(crate) fn access_rule(&self, upstream: &Url) -> Value {
        // Whichever name of this machine a visitor types.
        let names = r"<localhost|127\.0\.0\.1|\[::1\]>";
        let port = self.api_url.port_or_known_default().unwrap_or_default();
        json!({
            "id": "demo-api",
            "match": { "url": format!("http://{names}:{port}/<.*>"), "methods": ["GET", "POST"] },
            "upstream": { "url": upstream },
            "authenticators": [{ "handler": "cookie_session" }, { "handler": "oauth2_introspection" }],
            "authorizer": { "handler": "allow" },
            "mutators": [{ "handler": "header", "config": { "headers": { "X-User": "{{ print .Subject }}" } } }],
        })
    }
}
