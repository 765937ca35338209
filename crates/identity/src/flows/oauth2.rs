//! The OAuth2 login request that a flow answers: fetched when the flow begins, accepted when it ends.

use base::Context;
use contracts::{AcceptLogin, LoginRequest, LoginRequestError, LoginRequests};
use serde_json::Value;
use std::sync::Arc;

use crate::Identity;
use crate::domain::flow::OAuth2Request;
use crate::domain::{self, Session};

use super::errors::{LoginChallengeError, SecondFactorRequired};
use super::visitor::Visitor;
use crate::components::sessions::Current;

/// A login challenge and its login request.
#[expect(clippy::struct_field_names, reason = "`challenge` is the protocol's name for the value")]
pub(crate) struct Challenge {
    pub challenge: String,
    pub request: LoginRequest,
    /// The login request as the self-service API returns it.
    pub wire: Value,
}

impl Challenge {
    /// The part that a flow stores.
    pub(crate) fn to_flow(&self) -> OAuth2Request {
        OAuth2Request { challenge: self.challenge.clone(), request: self.wire.clone() }
    }

    /// Whether this session can answer the request without a new sign-in.
    pub(crate) fn is_for(&self, current: &Current) -> bool {
        let subject = current.session.identity_id.to_string();
        self.request.skip && (self.request.subject.is_empty() || self.request.subject == subject)
    }
}

impl Identity {
    fn login_requests(&self) -> Result<&Arc<dyn LoginRequests>, LoginChallengeError> {
        self.login_requests.get().ok_or(LoginChallengeError::NotConfigured)
    }

    /// The challenge in the query of the request, with its login request from the authorization server.
    pub(crate) async fn login_challenge(
        &self,
        cx: &Context,
        visitor: &Visitor,
    ) -> Result<Option<Challenge>, LoginChallengeError> {
        let Some(challenge) = visitor.raw_query("login_challenge") else { return Ok(None) };
        if challenge.is_empty() {
            return Err(LoginChallengeError::Empty);
        }
        let request = self.login_requests()?.get(cx, &challenge).await?;
        let wire = serde_json::to_value(&request).unwrap_or_default();
        Ok(Some(Challenge { challenge, request, wire }))
    }

    /// Accepts the login with this session; returns where the browser continues. A session without the second factor
    /// that `whoami` requires is not accepted.
    pub(crate) async fn accept_login(
        &self,
        cx: &Context,
        oauth2: &OAuth2Request,
        session: &Session,
        person: &domain::Identity,
    ) -> Result<String, LoginChallengeError> {
        if !self.session_policy.whoami_required_aal().is_met(session.aal, person.available_aal) {
            let redirect_browser_to = self.urls.second_factor_for(&oauth2.challenge);
            return Err(SecondFactorRequired { redirect_browser_to }.into());
        }
        let login = AcceptLogin {
            subject: session.identity_id.to_string(),
            identity_provider_session_id: Some(session.id.to_string()),
            remember: self.session_policy.cookie_is_persistent(),
            remember_for: i64::try_from(self.session_policy.lifespan().as_secs()).unwrap_or(i64::MAX),
            acr: session.aal.as_str().to_owned(),
            amr: session.authentication_method_references().into_iter().map(str::to_owned).collect(),
            ..AcceptLogin::default()
        };
        Ok(self.login_requests()?.accept(cx, &oauth2.challenge, login).await?)
    }

    /// Accepts the login in which a recovery began; returns where the browser continues. `None` if the login has ended:
    /// the recovery then ends without it.
    pub(crate) async fn go_on_with_login(
        &self,
        cx: &Context,
        oauth2: &OAuth2Request,
        session: &Session,
        person: &domain::Identity,
    ) -> Result<Option<String>, LoginChallengeError> {
        match self.accept_login(cx, oauth2, session, person).await {
            Ok(url) => Ok(Some(url)),
            Err(LoginChallengeError::Request(LoginRequestError::Unknown | LoginRequestError::Refused(_))) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Accepts the login with the current session; returns where the browser continues: at a second factor if one is
    /// required.
    pub(crate) async fn skip_login(
        &self,
        cx: &Context,
        oauth2: &OAuth2Request,
        current: &Current,
    ) -> Result<String, LoginChallengeError> {
        match self.accept_login(cx, oauth2, &current.session, &current.identity).await {
            Err(LoginChallengeError::SecondFactor(SecondFactorRequired { redirect_browser_to })) => {
                Ok(redirect_browser_to)
            }
            other => other,
        }
    }
}
