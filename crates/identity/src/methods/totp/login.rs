//! A code of an authenticator app as the second factor of a login.

use async_trait::async_trait;
use database::WriteTx;

use crate::components::attempts::Target;
use crate::domain::message::Message;
use crate::domain::{Aal, AuthenticationMethod, CredentialType};
use crate::flows::errors::StepError;
use crate::flows::login::step::{Effects, LoginStep, Proof, Redeem, Redeeming, Step, missing};

use super::key::Key;
use super::{messages, storage, url_of};

pub(super) async fn login(step: LoginStep<'_>) -> Result<Step, StepError> {
    let (service, cx) = (step.service, step.cx);
    let current = step.require_second_factor(service.flow_policy.methods().totp.enabled)?;
    step.flow.submitted_method = Some(CredentialType::Totp);
    step.flow.transient_payload = step.submission.transient_payload();
    let code = step.submission.text("totp_code").ok_or_else(|| missing("totp_code"))?;
    let identity = current.identity.clone();
    let url = url_of(&identity).ok_or_else(|| StepError::general(messages::no_device()))?;
    let target = Target::SecondFactor(identity.id);
    let guess = service.attempts.admit(cx, step.caller, &target, false).await?;
    let key = Key::parse(url);
    if key.is_none() {
        tracing::warn!(request_id = %cx.request_id, identity = %identity.id, "the stored TOTP URL has no usable secret");
    }
    if guess.is_ignored() {
        // The session identifies the user: there is no account to hide.
        return Err(service.attempts.no_guess_left().into());
    }
    let Some(used) = key.and_then(|key| key.step_of(code, cx.now)) else {
        step.count_failed_guess(guess, Some(identity.id), "the authentication code is wrong").await?;
        return Err(StepError::general(messages::code_invalid()));
    };
    step.flow.active = Some(CredentialType::Totp);
    let method = AuthenticationMethod::new(CredentialType::Totp, Aal::Aal2, cx.now);
    let effects =
        Effects { redeems: Some(Box::new(UsedStep(used))), familiar: guess.familiar.clone(), ..Effects::default() };
    Ok(Step::Proved(Box::new(Proof { identity, method, effects })))
}

/// The step of the submitted code.
struct UsedStep(i64);

#[async_trait]
impl Redeem for UsedStep {
    async fn redeem(&self, tx: &mut WriteTx, of: Redeeming<'_>) -> Result<bool, database::Error> {
        storage::use_step(tx, of.person, self.0).await
    }

    fn refusal(&self) -> Message {
        messages::code_invalid()
    }
}
