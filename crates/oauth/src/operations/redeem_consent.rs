//! The browser comes back from the consent application: issues the code, or tells the client why not.

use base::Context;
use oauth_types::ErrorCode;

use super::answer_authorization::IssuedAuthorization;
use super::redeem_login::{RedeemError, unknown_client};
use super::start_authorization::Browser;
use crate::OAuth;
use crate::domain::authorization_request::Refusal;
use crate::domain::consent::ConsentVerifier;
use crate::domain::login_challenge::Decision;
use crate::domain::sealed::SealedValue;
use crate::storage::login_sessions;

impl OAuth {
    pub async fn redeem_consent(
        &self,
        cx: &Context,
        verifier: &str,
        browser: &Browser,
    ) -> Result<IssuedAuthorization, RedeemError> {
        let ConsentVerifier { consent, decision } = ConsentVerifier::open(self.sealer(), cx.tenant, verifier)
            .map_err(|_| Refusal::to_person(ErrorCode::AccessDenied, "The consent verifier is not valid."))?;
        // Before anything is written: a visit from the wrong browser must not use the verifier up.
        self.check_return(cx, &consent.flow, browser.consent_csrf.as_deref(), &consent.csrf)?;
        let accepted = match decision {
            Decision::Accepted(accepted) => accepted,
            Decision::Rejected(rejection) => return Err(Refusal::rejected(&consent.flow.target, &rejection).into()),
        };

        let client = self.clients().find(cx.tenant, &consent.flow.client_id).await?.ok_or_else(unknown_client)?;
        let mut tx = self.database().write(cx.tenant).await?;
        // Who signed out between login and consent is not signed in.
        let session = login_sessions::find(&mut tx, consent.flow.session_id).await?;
        if session.is_none_or(|session| session.subject != consent.login.subject || session.expires_at <= cx.now) {
            return Err(Refusal::to_client(&consent.flow.target, ErrorCode::LoginRequired.into()).into());
        }
        Ok(self.answer_authorization(cx, tx, client, &consent, accepted).await?)
    }
}
