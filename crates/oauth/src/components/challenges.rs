//! Challenges: the sealed values by which the browser carries a pending login, consent or logout to an application, which
//! opens them here. A verifier brings the decision back.
//!
//! Invariants: a challenge counts only before its time is over, and a verifier only in the browser that began the
//! flow. Whether a challenge was redeemed is decided by rows ([`OneTime`]); what is remembered here is only shown.

use std::time::Duration;

use base::{Context, Sealer, Timestamp};
use database::Database;
use oauth_types::ErrorCode;

use super::UnusedChallenges;
use crate::domain::authorization_request::{AuthorizationRequest, Refusal};
use crate::domain::consent::ConsentFlow;
use crate::domain::login_challenge::AuthorizationFlow;
use crate::domain::logout::LogoutFlow;
use crate::domain::one_time::OneTime;
use crate::domain::sealed::{NotOurs, SealedValue};

#[derive(Debug, thiserror::Error)]
pub enum ChallengeError {
    /// Not one of ours, or sealed for something else.
    #[error("there is no such challenge")]
    Unknown,
    #[error("the challenge has expired")]
    Expired,
    /// It was redeemed before; the browser may begin anew.
    #[error("the challenge was used before")]
    Used { redirect_to: String },
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Database(#[from] database::Error),
}

pub(crate) struct Challenges {
    sealer: Sealer,
    /// How long a sign-in may take from its beginning to the code.
    lifetime: Duration,
    unused: UnusedChallenges,
}

impl Challenges {
    pub(crate) fn new(database: Database, sealer: Sealer, lifetime: Duration) -> Self {
        Self { sealer, lifetime, unused: UnusedChallenges::new(database) }
    }

    pub(crate) fn open_login(&self, cx: &Context, challenge: &str) -> Result<AuthorizationFlow, ChallengeError> {
        let flow: AuthorizationFlow = self.open(cx, challenge)?;
        check_time(cx, flow.expires_at(self.lifetime))?;
        Ok(flow)
    }

    pub(crate) fn open_consent(
        &self,
        cx: &Context,
        challenge: &str,
    ) -> Result<(ConsentFlow, AuthorizationRequest), ChallengeError> {
        let consent: ConsentFlow = self.open(cx, challenge)?;
        check_time(cx, consent.flow.expires_at(self.lifetime))?;
        let request = consent.flow.request().map_err(|_| ChallengeError::Unknown)?;
        Ok((consent, request))
    }

    pub(crate) fn open_logout(&self, cx: &Context, challenge: &str) -> Result<LogoutFlow, ChallengeError> {
        let flow: LogoutFlow = self.open(cx, challenge)?;
        check_time(cx, flow.expires_at(self.lifetime))?;
        Ok(flow)
    }

    fn open<T: SealedValue>(&self, cx: &Context, challenge: &str) -> Result<T, ChallengeError> {
        T::open(&self.sealer, cx.tenant, challenge).map_err(|NotOurs| ChallengeError::Unknown)
    }

    pub(crate) fn seal(&self, cx: &Context, value: &impl SealedValue) -> String {
        value.seal(&self.sealer, cx.tenant)
    }

    /// A verifier, whose time and browser are still to be checked.
    pub(crate) fn open_verifier<T: SealedValue>(&self, cx: &Context, verifier: &str) -> Result<T, NotOurs> {
        T::open(&self.sealer, cx.tenant, verifier)
    }

    /// A verifier counts only in time, and only in the browser that the flow began in.
    pub(crate) fn check_return(
        &self,
        cx: &Context,
        flow: &AuthorizationFlow,
        brought: Option<&str>,
        expected: &str,
    ) -> Result<(), Refusal> {
        if cx.now >= flow.expires_at(self.lifetime) {
            let hint = "The sign-in took too long: start again.";
            return Err(Refusal::to_person(ErrorCode::RequestUnauthorized, hint));
        }
        let same = brought.is_some_and(|brought| base::Secret::new(expected.to_owned()).matches(brought));
        if !same {
            let hint = "The browser did not begin this sign-in, or it does not keep cookies.";
            return Err(Refusal::to_person(ErrorCode::RequestForbidden, hint));
        }
        Ok(())
    }

    pub(crate) fn login_once(&self, flow: &AuthorizationFlow) -> OneTime {
        OneTime::of_login(flow, self.lifetime)
    }

    pub(crate) fn consent_once(&self, flow: &AuthorizationFlow) -> OneTime {
        OneTime::of_consent(flow, self.lifetime)
    }

    /// Remembers a challenge that was made just now.
    pub(crate) fn note_unused(&self, cx: &Context, challenge: &OneTime) {
        self.unused.insert(cx.tenant, challenge);
    }

    pub(crate) async fn is_unused(&self, cx: &Context, challenge: &OneTime) -> Result<bool, database::Error> {
        self.unused.contains(cx.tenant, challenge).await
    }
}

fn check_time(cx: &Context, expires_at: Timestamp) -> Result<(), ChallengeError> {
    if cx.now >= expires_at { Err(ChallengeError::Expired) } else { Ok(()) }
}
