//! The operations of the login application on a login challenge: read, accept, reject. None of them writes a row: a
//! decision comes back through the browser as a sealed verifier.

use std::sync::Arc;

use base::Context;

use crate::OAuth;
use crate::components::challenges::ChallengeError;
use crate::domain::client::Client;
use crate::domain::login_challenge::{
    AcceptLogin, AcceptedLogin, AuthorizationFlow, Decision, LoginAcceptance, LoginVerifier,
};
use crate::domain::rejection::Rejection;

/// An opened login challenge.
#[derive(Debug)]
pub struct LoginChallenge {
    pub flow: AuthorizationFlow,
    pub client: Arc<Client>,
    pub request_url: String,
}

impl OAuth {
    pub async fn get_login_request(&self, cx: &Context, challenge: &str) -> Result<LoginChallenge, ChallengeError> {
        let flow = self.challenges.open_login(cx, challenge)?;
        let request_url = self.config.authorization_url(&flow.query);
        let client = self.clients.find(cx.tenant, &flow.client_id).await?.ok_or(ChallengeError::Unknown)?;
        if !self.challenges.is_unused(cx, &self.challenges.login_once(&flow)).await? {
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
        let flow = self.challenges.open_login(cx, challenge)?;
        match flow.accept_login(answer, cx.now) {
            LoginAcceptance::Accepted(login) => Ok(self.login_verifier_url(cx, flow, Decision::Accepted(*login))),
            LoginAcceptance::SignInAgain => Ok(self.config.authorization_url(&flow.query_asking_for_login())),
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
        let flow = self.challenges.open_login(cx, challenge)?;
        Ok(self.login_verifier_url(cx, flow, Decision::Rejected(rejection)))
    }

    fn login_verifier_url(&self, cx: &Context, flow: AuthorizationFlow, decision: Decision<AcceptedLogin>) -> String {
        let client_id = flow.client_id.clone();
        let verifier = self.challenges.seal(cx, &LoginVerifier { flow, decision });
        self.config.verifier_url(&client_id, "login_verifier", &verifier)
    }
}
