//! The operations of the login application on a login challenge: read, accept, reject. None of them writes a row: a
//! decision comes back through the browser as a sealed verifier.

use std::sync::Arc;

use base::Context;

use crate::OAuth;
use crate::domain::client::{Client, ClientId};
use crate::domain::login_challenge::{
    AcceptLogin, AcceptedLogin, AuthorizationFlow, Decision, LoginAcceptance, LoginVerifier,
};
use crate::domain::one_time::OneTime;
use crate::domain::rejection::Rejection;
use crate::domain::sealed::SealedValue;

#[derive(Debug, thiserror::Error)]
pub enum ChallengeError {
    /// Not issued by this service, or sealed for another purpose.
    #[error("the challenge does not exist")]
    Unknown,
    #[error("the challenge has expired")]
    Expired,
    /// It was redeemed before; the browser may start again.
    #[error("the challenge was used before")]
    Used { redirect_to: String },
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// An opened login challenge.
#[derive(Debug)]
pub struct LoginChallenge {
    pub flow: AuthorizationFlow,
    pub client: Arc<Client>,
    pub request_url: String,
}

impl OAuth {
    pub async fn get_login_request(&self, cx: &Context, challenge: &str) -> Result<LoginChallenge, ChallengeError> {
        let flow = self.open_login_challenge(cx, challenge)?;
        let request_url = self.authorization_url(&flow.query);
        let client = self.clients().find(cx.tenant, &flow.client_id).await?.ok_or(ChallengeError::Unknown)?;
        let one_time = OneTime::of_login(&flow, self.challenge_lifetime());
        if !self.unused_challenges().contains(cx.tenant, &one_time).await? {
            return Err(ChallengeError::Used { redirect_to: request_url });
        }
        Ok(LoginChallenge { flow, client, request_url })
    }

    /// Returns the redirect URL.
    pub fn accept_login_request(
        &self,
        cx: &Context,
        challenge: &str,
        answer: AcceptLogin,
    ) -> Result<String, ChallengeError> {
        let flow = self.open_login_challenge(cx, challenge)?;
        match flow.accept_login(answer, cx.now) {
            LoginAcceptance::Accepted(login) => Ok(self.login_verifier_url(cx, flow, Decision::Accepted(*login))),
            LoginAcceptance::SignInAgain => Ok(self.authorization_url(&flow.query_asking_for_login())),
            LoginAcceptance::SubjectMissing => Err(ChallengeError::Refused("subject: must not be empty".to_owned())),
        }
    }

    /// Returns the redirect URL.
    pub fn reject_login_request(
        &self,
        cx: &Context,
        challenge: &str,
        rejection: Rejection,
    ) -> Result<String, ChallengeError> {
        let flow = self.open_login_challenge(cx, challenge)?;
        Ok(self.login_verifier_url(cx, flow, Decision::Rejected(rejection)))
    }

    fn open_login_challenge(&self, cx: &Context, challenge: &str) -> Result<AuthorizationFlow, ChallengeError> {
        let flow = AuthorizationFlow::open(self.sealer(), cx.tenant, challenge).map_err(|_| ChallengeError::Unknown)?;
        if cx.now >= flow.expires_at(self.challenge_lifetime()) {
            return Err(ChallengeError::Expired);
        }
        Ok(flow)
    }

    fn login_verifier_url(&self, cx: &Context, flow: AuthorizationFlow, decision: Decision<AcceptedLogin>) -> String {
        let client_id = flow.client_id.clone();
        let verifier = LoginVerifier { flow, decision }.seal(self.sealer(), cx.tenant);
        self.verifier_url(&client_id, "login_verifier", &verifier)
    }

    /// The authorization endpoint with a verifier. The verifier contains the whole request, so no other parameter is
    /// needed.
    pub(super) fn verifier_url(&self, client_id: &ClientId, name: &str, verifier: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("client_id", client_id.as_str()).append_pair(name, verifier);
        self.authorization_url(&query.finish())
    }
}
