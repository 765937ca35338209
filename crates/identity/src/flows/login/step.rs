//! One submission to a login: the input and output of a sign-in method.

use async_trait::async_trait;
use base::Context;
use database::WriteTx;
use serde_json::Value;

use crate::Identity;
use crate::components::attempts::{AdmittedGuess, Caller, FamiliarClients};
use crate::components::sessions::Current;
use crate::domain::flow::{Flow, Login};
use crate::domain::message::{self, Message};
use crate::domain::session::AuthenticationMethod;
use crate::domain::{self, Aal, Credential, IdentityId, Via};
use crate::flows::errors::{StepError, SubmitError};
use crate::flows::events;
use crate::flows::submission::Submission;
use crate::storage;

/// The input of a method.
pub(crate) struct LoginStep<'a> {
    pub service: &'a Identity,
    pub cx: &'a Context,
    pub caller: &'a Caller,
    pub flow: &'a mut Flow<Login>,
    /// The session that the flow refreshes or raises, if any.
    pub current: Option<&'a Current>,
    pub submission: &'a Submission,
}

/// The output of a method.
pub(crate) enum Step {
    Proved(Box<Proof>),
    /// The form has changed and was stored; the flow waits for the next submission.
    Form,
}

/// A successful proof of an identity.
pub(crate) struct Proof {
    pub identity: domain::Identity,
    pub method: AuthenticationMethod,
    pub effects: Effects,
}

/// The effects of a proof, written in the transaction that issues the session.
#[derive(Default)]
pub(crate) struct Effects {
    /// A one-time proof.
    pub redeems: Option<Box<dyn Redeem>>,
    /// The password credential, hashed with the current parameters.
    pub rehashed: Option<Credential>,
    pub verified: Option<(Via, String)>,
    /// The clients that are already familiar to the user.
    pub familiar: FamiliarClients,
    /// The payload of the submission, for message templates.
    pub transient_payload: Option<Value>,
}

/// A one-time proof. If two requests submit it at the same time, only one of them redeems it.
#[async_trait]
pub(crate) trait Redeem: Send + Sync {
    /// `false` if another request redeemed it in the meantime: nothing may be committed.
    async fn redeem(&self, tx: &mut WriteTx, of: Redeeming<'_>) -> Result<bool, database::Error>;

    /// The message if it was already redeemed.
    fn refusal(&self) -> Message;
}

/// The context of a redemption.
#[derive(Clone, Copy)]
pub(crate) struct Redeeming<'a> {
    pub service: &'a Identity,
    pub cx: &'a Context,
    pub person: IdentityId,
}

impl<'a> LoginStep<'a> {
    /// Rejects a disabled method, and a first factor where a second one is required.
    pub(crate) fn require_first_factor(&self, is_enabled: bool) -> Result<(), StepError> {
        if !is_enabled {
            return Err(SubmitError::MethodDisabled.into());
        }
        if self.flow.details.requested_aal > Aal::Aal1 {
            return Err(StepError::general(message::flow::no_login_strategy()));
        }
        Ok(())
    }

    /// Rejects a disabled method, and a second factor where none is required. Returns the session to raise.
    pub(crate) fn require_second_factor(&self, is_enabled: bool) -> Result<&'a Current, StepError> {
        if !is_enabled {
            return Err(SubmitError::MethodDisabled.into());
        }
        match self.current {
            Some(current) if self.flow.details.requested_aal > Aal::Aal1 => Ok(current),
            Some(_) | None => Err(StepError::general(message::flow::no_login_strategy())),
        }
    }

    /// Counts a wrong guess, and appends an event if it was checked and the account exists. A flow with a known user
    /// records every rejection itself.
    pub(crate) async fn count_failed_guess(
        &self,
        guess: AdmittedGuess,
        person: Option<IdentityId>,
        reason: &str,
    ) -> Result<(), database::Error> {
        let (service, cx) = (self.service, self.cx);
        let mut tx = service.database.write(cx.tenant).await?;
        service.attempts.count_failure(&mut tx, cx, &guess).await?;
        let knows_person = events::knows_person(self.flow);
        events::append_failed_guess(&mut tx, cx, self.flow, person.filter(|_| !knows_person), reason).await?;
        tx.commit().await?;
        // From here on the stored rows count it.
        drop(guess);
        Ok(())
    }
}

impl Effects {
    /// Writes the effects. Returns whether the proof verified its address for the first time.
    pub(crate) async fn write(&self, tx: &mut WriteTx, of: Redeeming<'_>) -> Result<bool, StepError> {
        if let Some(proof) = &self.redeems
            && !proof.redeem(tx, of).await?
        {
            return Err(StepError::general(proof.refusal()));
        }
        let Redeeming { service, cx, person } = of;
        if let Some(credential) = &self.rehashed {
            // `false` if the credential was deleted in the meantime: there is no hash to replace.
            let _is_written =
                storage::credentials::update_config(tx, service.tenant_sealer(cx), person, credential).await?;
        }
        let Some((via, address)) = &self.verified else { return Ok(false) };
        let found = storage::identities::find_verifiable(tx, *via, address).await?;
        match found.filter(|(address, owner)| *owner == person && !address.verified) {
            Some((address, _)) => Ok(storage::identities::mark_verified(tx, address.id, cx.now).await?),
            None => Ok(false),
        }
    }
}

/// The error for a missing member.
pub(crate) fn missing(name: &str) -> StepError {
    StepError::at(name, message::validation::missing(name))
}
