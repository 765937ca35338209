//! The browser returns from the consent application: issues the code, or sends the error to the client.

use base::Context;
use oauth_types::ErrorCode;

use super::answer_authorization::{Agreement, IssuedAuthorization};
use super::redeem_login::{RedeemError, unknown_client};
use super::redeem_rejection::{Rejected, RejectedStep};
use super::start_authorization::Browser;
use crate::OAuth;
use crate::domain::authorization_request::Refusal;
use crate::domain::consent::ConsentVerifier;
use crate::domain::login_challenge::Decision;

impl OAuth {
    pub async fn redeem_consent(
        &self,
        cx: &Context,
        verifier: &str,
        browser: &Browser,
    ) -> Result<IssuedAuthorization, RedeemError> {
        let ConsentVerifier { consent, decision } = self
            .challenges
            .open_verifier::<ConsentVerifier>(cx, verifier)
            .map_err(|_| Refusal::to_person(ErrorCode::AccessDenied, "The consent verifier is not valid."))?;
        // Before anything is written: a request from another browser must not use the verifier up.
        self.challenges.check_return(cx, &consent.flow, browser.consent_csrf.as_deref(), &consent.csrf)?;
        let accepted = match decision {
            Decision::Accepted(accepted) => accepted,
            Decision::Rejected(rejection) => {
                let rejected = Rejected {
                    step: RejectedStep::Consent,
                    subject: &consent.login.subject,
                    flow: &consent.flow,
                    challenge: self.challenges.consent_once(&consent.flow),
                };
                return Err(self.redeem_rejection(cx, rejected, &rejection).await?.into());
            }
        };

        let client = self.clients.find(cx.tenant, &consent.flow.client_id).await?.ok_or_else(unknown_client)?;
        let person = self.claims_of_person(cx, &consent.login, &accepted.scope, browser).await?;
        let tx = self.database.write(cx.tenant).await?;
        let agreement = Agreement { consent: &consent, accepted, person };
        Ok(self.answer_authorization(cx, tx, client, agreement).await?)
    }
}
