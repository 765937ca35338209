//! The cookies that bind a flow to its browser: one for the login, one for consent, one for the remembered login. Values
//! are sealed, each for its own purpose, so that other sites cannot forge them.

use std::time::Duration;

use axum::http::HeaderMap;
use base::seal::Purpose;
use base::{Context, Sealer, Secret};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use web::cookies::{self, SetCookie};

use crate::OAuth;
use crate::config::{Config, SameSite};
use crate::domain::client::ClientId;
use crate::domain::login_session::LoginSessionId;
use crate::operations::redeem_login::SessionCookie;
use crate::operations::start_authorization::Browser;

const LOGIN_CSRF: Purpose = Purpose("oauth login csrf cookie");
const CONSENT_CSRF: Purpose = Purpose("oauth consent csrf cookie");
const SESSION: Purpose = Purpose("oauth session cookie");

/// Reads and makes the cookies.
pub(crate) struct BrowserCookies<'a> {
    config: &'a Config,
    sealer: &'a Sealer,
}

impl<'a> BrowserCookies<'a> {
    pub(crate) fn of(oauth: &'a OAuth) -> Self {
        Self { config: &oauth.config, sealer: &oauth.sealer }
    }

    /// Reads what the browser brings for `client`. A cookie that is not ours is no cookie.
    pub(crate) fn read(&self, cx: &Context, headers: &HeaderMap, client: Option<&str>) -> Browser {
        let names = &self.config.serve.cookies.names;
        let text = |purpose, name: &str| {
            let value = cookies::get(headers, name)?;
            String::from_utf8(self.sealer.open_text(purpose, cx.tenant, value).ok()?).ok()
        };
        let session = cookies::get(headers, &self.name(&names.session))
            .and_then(|value| self.sealer.open_text(SESSION, cx.tenant, value).ok())
            .and_then(|bytes| Uuid::from_slice(&bytes).ok());
        Browser {
            login_csrf: client.and_then(|id| text(LOGIN_CSRF, &self.client_name(&names.login_csrf, id))),
            consent_csrf: client.and_then(|id| text(CONSENT_CSRF, &self.client_name(&names.consent_csrf, id))),
            session: session.map(LoginSessionId::from_uuid),
            cookies: all_cookies(headers),
        }
    }

    pub(crate) fn login_csrf(&self, cx: &Context, client: &ClientId, value: &str) -> SetCookie {
        let name = self.client_name(&self.config.serve.cookies.names.login_csrf, client.as_str());
        let value = self.sealer.seal_text(LOGIN_CSRF, cx.tenant, value.as_bytes());
        self.cookie(SetCookie::new(name, value)).max_age(Some(self.config.challenge_lifetime()))
    }

    pub(crate) fn consent_csrf(&self, cx: &Context, client: &ClientId, value: &str) -> SetCookie {
        let name = self.client_name(&self.config.serve.cookies.names.consent_csrf, client.as_str());
        let value = self.sealer.seal_text(CONSENT_CSRF, cx.tenant, value.as_bytes());
        self.cookie(SetCookie::new(name, value)).max_age(Some(self.config.challenge_lifetime()))
    }

    pub(crate) fn session(&self, cx: &Context, change: SessionCookie) -> Option<SetCookie> {
        let cookies = &self.config.serve.cookies;
        let name = self.name(&cookies.names.session);
        let (cookie, max_age) = match change {
            SessionCookie::Keep => return None,
            SessionCookie::Clear => (SetCookie::removal(name), Duration::ZERO),
            SessionCookie::Set { session, max_age } => {
                let value = self.sealer.seal_text(SESSION, cx.tenant, session.as_uuid().as_bytes());
                (SetCookie::new(name, value), max_age)
            }
        };
        Some(self.cookie(cookie).path(&cookies.paths.session).max_age(Some(max_age)))
    }

    fn cookie(&self, cookie: SetCookie) -> SetCookie {
        let config = self.config;
        let same_site = match config.serve.cookies.same_site_mode {
            SameSite::Strict => cookies::SameSite::Strict,
            SameSite::Lax => cookies::SameSite::Lax,
            SameSite::None => cookies::SameSite::None,
        };
        // Over plain HTTP a browser would not return a `Secure` cookie.
        let secure = config.serve.cookies.secure || config.public_url("").starts_with("https:");
        cookie.domain(config.serve.cookies.domain.clone()).secure(secure).same_site(same_site)
    }

    fn name(&self, configured: &str) -> String {
        if self.config.dev { format!("{configured}_dev") } else { configured.to_owned() }
    }

    /// One cookie per client, so that concurrent logins do not interfere.
    fn client_name(&self, configured: &str, client: &str) -> String {
        let digest = Sha256::digest(client.as_bytes());
        let number = digest.iter().take(4).fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
        format!("{}_{number}", self.name(configured))
    }
}

fn all_cookies(headers: &HeaderMap) -> Option<Secret<String>> {
    web::cookies::joined(headers).map(Secret::new)
}
