//! The operations of the consent application on a consent challenge: read, accept, reject. None of them writes a row.

use std::sync::Arc;

use base::Context;

use crate::OAuth;
use crate::components::challenges::ChallengeError;
use crate::domain::authorization_request::AuthorizationRequest;
use crate::domain::client::Client;
use crate::domain::consent::{self, AcceptConsent, AcceptedConsent, ConsentFlow, ConsentVerifier};
use crate::domain::login_challenge::Decision;
use crate::domain::rejection::Rejection;

/// An opened consent challenge.
#[derive(Debug)]
pub struct ConsentChallenge {
    pub consent: ConsentFlow,
    pub request: AuthorizationRequest,
    pub client: Arc<Client>,
    pub request_url: String,
}

impl OAuth {
    pub async fn get_consent_request(&self, cx: &Context, challenge: &str) -> Result<ConsentChallenge, ChallengeError> {
        let (consent, request) = self.challenges.open_consent(cx, challenge)?;
        let request_url = self.config.authorization_url(&consent.flow.query);
        let client = self.clients.find(cx.tenant, &consent.flow.client_id).await?.ok_or(ChallengeError::Unknown)?;
        if !self.challenges.is_unused(cx, &self.challenges.consent_once(&consent.flow)).await? {
            return Err(ChallengeError::Used { redirect_to: request_url });
        }
        Ok(ConsentChallenge { consent, request, client, request_url })
    }

    /// Returns the redirect URL.
    pub fn accept_consent_request(
        &self,
        cx: &Context,
        challenge: &str,
        answer: AcceptConsent,
    ) -> Result<String, ChallengeError> {
        let (consent, request) = self.challenges.open_consent(cx, challenge)?;
        let mut accepted = consent::accept(&request, answer, cx.now)
            .map_err(|refusal| ChallengeError::Refused(refusal.to_string()))?;
        if accepted.context.is_none() {
            accepted.context.clone_from(&consent.login.context);
        }
        Ok(self.consent_verifier_url(cx, consent, Decision::Accepted(accepted)))
    }

    /// For the built-in consent page: all or nothing.
    pub fn accept_whole_consent_request(
        &self,
        cx: &Context,
        challenge: &str,
        remember: bool,
    ) -> Result<String, ChallengeError> {
        let (consent, request) = self.challenges.open_consent(cx, challenge)?;
        let accepted = Self::built_in_consent(&request, &consent, remember, cx.now);
        Ok(self.consent_verifier_url(cx, consent, Decision::Accepted(accepted)))
    }

    /// Returns the redirect URL.
    pub fn reject_consent_request(
        &self,
        cx: &Context,
        challenge: &str,
        rejection: Rejection,
    ) -> Result<String, ChallengeError> {
        let (consent, _) = self.challenges.open_consent(cx, challenge)?;
        Ok(self.consent_verifier_url(cx, consent, Decision::Rejected(rejection)))
    }

    fn consent_verifier_url(&self, cx: &Context, consent: ConsentFlow, decision: Decision<AcceptedConsent>) -> String {
        let client_id = consent.flow.client_id.clone();
        let verifier = self.challenges.seal(cx, &ConsentVerifier { consent, decision });
        self.config.verifier_url(&client_id, "consent_verifier", &verifier)
    }
}
