//! `cookie_session`: finds the session of the request's cookies through the identity service.

use http::HeaderValue;
use http::header::COOKIE;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use web::cookies::SetCookie;

use super::session_check::{self, Asker, Checked, Presented, SessionCheck};
use super::{Answer, Authenticator, Definition, Inbound, Outcome, Services};
use crate::pipeline::settings;

const NAME: &str = "cookie_session";

pub(super) const HANDLER: Definition<dyn Authenticator, Services> =
    Definition::sharing::<Settings, session_check::Settings>(NAME, |settings, services| {
        Ok(Box::new(CookieSession::compile(settings, services)?))
    });

#[derive(Debug)]
struct CookieSession {
    check: SessionCheck,
    only: Vec<String>,
    /// The `Set-Cookie` fields that delete the cookies of `only`.
    forget: Vec<HeaderValue>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// The names of the cookies that this authenticator handles. Without names it handles every request with cookies.
    only: Vec<String>,
    /// Whether the response deletes the cookies in `only` when their session is invalid.
    clear_invalid_cookies: bool,
    /// The domain of the cookies that are deleted.
    clear_cookie_domain: Option<String>,
}

impl CookieSession {
    fn compile(settings: Value, services: &Services) -> Result<Self, String> {
        let (settings, check): (Settings, session_check::Settings) = settings::read_both(settings)?;
        let asker = Asker { name: NAME, credential: COOKIE, subject_from: "subject" };
        let check = SessionCheck::compile(asker, &check, services)?;
        if settings.clear_invalid_cookies && settings.only.is_empty() {
            return Err("has `clear_invalid_cookies` without cookie names in `only`".to_owned());
        }
        let forget = if settings.clear_invalid_cookies { settings.only.as_slice() } else { &[] };
        let forget = forget
            .iter()
            .map(|name| {
                // Browsers require `Secure` for cookies with these prefixes.
                let is_secure = name.starts_with("__Host-") || name.starts_with("__Secure-");
                let removal = SetCookie::removal(name.clone()).domain(settings.clear_cookie_domain.clone());
                removal.secure(is_secure).header()
            })
            .collect();
        Ok(Self { check, only: settings.only, forget })
    }

    async fn outcome(&self, inbound: &Inbound<'_>, services: &Services) -> Outcome {
        if !self.is_responsible(inbound) {
            return Outcome::NotResponsible;
        }
        match self.check.ask(inbound, services, Presented::AsSent).await {
            Checked::Invalid(mut failure) => {
                failure.set_cookies.extend(self.forget.iter().cloned());
                Outcome::Invalid(failure)
            }
            // An incomplete session exists: keep its cookie.
            other => other.outcome(),
        }
    }

    fn is_responsible(&self, inbound: &Inbound<'_>) -> bool {
        let mut cookies = web::cookies::all(inbound.headers);
        if self.only.is_empty() {
            return cookies.next().is_some();
        }
        cookies.any(|(name, _)| self.only.iter().any(|only| only == name))
    }
}

impl Authenticator for CookieSession {
    fn authenticate<'a>(&'a self, inbound: &'a Inbound<'a>, services: &'a Services) -> Answer<'a, Outcome> {
        Answer::pending(self.outcome(inbound, services))
    }
}
