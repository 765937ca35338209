//! The browser returns from a login or consent application that rejected the request: the client is informed, once.

use base::Context;
use oauth_types::ErrorCode;

use crate::OAuth;
use crate::domain::authorization_request::Refusal;
use crate::domain::event::Event;
use crate::domain::login_challenge::AuthorizationFlow;
use crate::domain::one_time::OneTime;
use crate::domain::rejection::Rejection;
use crate::storage::challenges;

/// The rejected request.
#[derive(Debug)]
pub(super) struct Rejected<'a> {
    pub step: RejectedStep,
    /// The subject, if already known.
    pub subject: &'a str,
    pub flow: &'a AuthorizationFlow,
    pub challenge: OneTime,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum RejectedStep {
    Login,
    Consent,
}

impl OAuth {
    /// Returns the error for the client.
    pub(super) async fn redeem_rejection(
        &self,
        cx: &Context,
        rejected: Rejected<'_>,
        rejection: &Rejection,
    ) -> Result<Refusal, database::Error> {
        let Rejected { step, subject, flow, challenge } = rejected;
        let mut tx = self.database.write(cx.tenant).await?;
        // A challenge that was accepted and redeemed cannot be rejected afterwards.
        if challenges::is_redeemed(&mut tx, &challenge).await? || !challenges::mark(&mut tx, &challenge).await? {
            return Ok(Refusal::to_person(ErrorCode::AccessDenied, "This request was answered before."));
        }
        let (client_id, consent_request_id, reason) = (&flow.client_id, flow.id, rejection.error.as_str());
        let event = match step {
            RejectedStep::Login => Event::LoginRejected { subject, client_id, consent_request_id, reason },
            RejectedStep::Consent => Event::ConsentRejected { subject, client_id, consent_request_id, reason },
        };
        jobs::append(&mut tx, cx, &[event]).await?;
        tx.commit().await?;
        Ok(Refusal::rejected(&flow.target, rejection))
    }
}
