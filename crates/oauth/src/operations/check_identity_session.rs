//! Checks the identity session of the user who accepted a login challenge: whether they are still signed in with this
//! browser, and which claims exist about them.

use std::sync::Arc;

use base::Context;
use contracts::{SessionCheck, SessionCredentials, Unavailable};
use oauth_types::{ErrorCode, ScopeSet};
use serde_json::Value;

use super::start_authorization::Browser;
use crate::OAuth;
use crate::domain::authorization_request::Refusal;
use crate::domain::login_challenge::AcceptedLogin;
use crate::domain::person_claims::PersonClaims;

/// Who is signed in at the identity service.
#[derive(Debug)]
pub enum SignedIn {
    /// The user of the login, with the response of `whoami`.
    SamePerson(Arc<Value>),
    /// The login is not based on the identity service, or the service is on another host, whose cookies are not sent here.
    Unknown,
    /// Another user is signed in, or none.
    Otherwise,
}

impl OAuth {
    pub async fn check_identity_session(
        &self,
        cx: &Context,
        login: &AcceptedLogin,
        browser: &Browser,
    ) -> Result<SignedIn, Unavailable> {
        let Some(sessions) = self.sessions.get().filter(|_| login.identity_provider_session_id.is_some()) else {
            return Ok(SignedIn::Unknown);
        };
        let cookie = browser.cookies.as_ref().map(|cookies| cookies.expose().clone());
        let credentials = SessionCredentials { cookie, ..SessionCredentials::default() };
        Ok(match sessions.check(cx, &credentials).await? {
            SessionCheck::Active(session) if session.identity_id.to_string() == login.subject => {
                SignedIn::SamePerson(session.whoami)
            }
            SessionCheck::Absent => SignedIn::Unknown,
            SessionCheck::Active(_) | SessionCheck::Invalid | SessionCheck::NeedsSecondFactor => SignedIn::Otherwise,
        })
    }

    /// The claims about the user for tokens with this scope, if consent is given on the built-in page; the operator's
    /// consent application chooses its own claims. Nothing has been written before, so the request may be repeated after an
    /// outage.
    pub(super) async fn claims_of_person(
        &self,
        cx: &Context,
        login: &AcceptedLogin,
        scope: &ScopeSet,
        browser: &Browser,
    ) -> Result<PersonClaims, Refusal> {
        if self.config.urls.consent.is_some() || !PersonClaims::are_asked_for(scope) {
            return Ok(PersonClaims::default());
        }
        match self.check_identity_session(cx, login, browser).await {
            Ok(SignedIn::SamePerson(whoami)) => Ok(PersonClaims::of(&whoami["identity"])),
            // Never issue claims about another user.
            Ok(SignedIn::Unknown | SignedIn::Otherwise) => Ok(PersonClaims::default()),
            Err(error) => Err(identity_unavailable(cx, &error)),
        }
    }
}

/// An outage never counts as a valid session.
pub fn identity_unavailable(cx: &Context, error: &Unavailable) -> Refusal {
    tracing::warn!(request_id = %cx.request_id, error = error as &dyn std::error::Error, "the identity session could not be checked");
    Refusal::to_person(ErrorCode::TemporarilyUnavailable, "")
}
