//! Asks the identity service about the person who answered a login challenge: are they still signed in with this browser, and
//! which claims does it have about them?

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
    /// The person of the login; this is what `whoami` answers.
    SamePerson(Arc<Value>),
    /// The login does not rest on the identity service, or that lives on another host, whose cookies do not come here.
    Unknown,
    /// Somebody else, or nobody any more.
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

    /// What tokens of this scope may say about the person, where our own page asks for consent; an application of the
    /// operator's chooses the claims itself. Nothing was written before, so the visit may be repeated after an outage.
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
            // Nothing is said about somebody else.
            Ok(SignedIn::Unknown | SignedIn::Otherwise) => Ok(PersonClaims::default()),
            Err(error) => Err(identity_unavailable(cx, &error)),
        }
    }
}

/// Without an answer nobody is taken for anybody.
pub fn identity_unavailable(cx: &Context, error: &Unavailable) -> Refusal {
    tracing::warn!(request_id = %cx.request_id, error = error as &dyn std::error::Error, "no answer about the session");
    Refusal::to_person(ErrorCode::TemporarilyUnavailable, "")
}
