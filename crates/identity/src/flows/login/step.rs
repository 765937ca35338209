//! One submission to a login: what a method is given, and what it answers.

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
use crate::flows::error::{FlowError, SubmitError};
use crate::flows::events;
use crate::flows::submission::Submission;
use crate::storage;

/// What a method is given.
pub(crate) struct LoginStep<'a> {
    pub service: &'a Identity,
    pub cx: &'a Context,
    pub caller: &'a Caller,
    pub flow: &'a mut Flow<Login>,
    /// The session that the flow refreshes or raises, if any.
    pub current: Option<&'a Current>,
    pub submission: &'a Submission,
}

/// What a method made of it.
pub(crate) enum Step {
    Proved(Box<Proof>),
    /// The form has changed, was stored, and waits for the next submission.
    Form,
}

/// Somebody proved to be this person.
pub(crate) struct Proof {
    pub identity: domain::Identity,
    pub method: AuthenticationMethod,
    pub effects: Effects,
}

/// What is to be written because of a proof, in the transaction that issues the session.
#[derive(Default)]
pub(crate) struct Effects {
    /// A proof that works once.
    pub redeems: Option<Box<dyn Redeem>>,
    /// The password's credential with a hash under today's parameters.
    pub rehashed: Option<Credential>,
    pub verified: Option<(Via, String)>,
    /// What the person is familiar with already.
    pub familiar: FamiliarClients,
    /// What the submission gave for the messages that follow.
    pub transient_payload: Option<Value>,
}

/// A proof that works once. Two requests may bring it at the same time: only one of them redeems it.
#[async_trait]
pub(crate) trait Redeem: Send + Sync {
    /// `false` when another request redeemed it meanwhile: nothing may be committed.
    async fn redeem(&self, tx: &mut WriteTx, of: Redeeming<'_>) -> Result<bool, database::Error>;

    /// What is said when it was redeemed already.
    fn refusal(&self) -> Message;
}

/// Whose proof is redeemed.
#[derive(Clone, Copy)]
pub(crate) struct Redeeming<'a> {
    pub service: &'a Identity,
    pub cx: &'a Context,
    pub person: IdentityId,
}

impl<'a> LoginStep<'a> {
    /// Refuses a method that is off, or is no first factor where a second one is asked for.
    pub(crate) fn require_first_factor(&self, is_enabled: bool) -> Result<(), SubmitError> {
        if !is_enabled {
            return Err(FlowError::MethodDisabled.into());
        }
        if self.flow.details.requested_aal > Aal::Aal1 {
            return Err(SubmitError::general(message::flow::no_login_strategy()));
        }
        Ok(())
    }

    /// Refuses a method that is off, or is asked for where no second factor is. Answers who is to prove it.
    pub(crate) fn require_second_factor(&self, is_enabled: bool) -> Result<&'a Current, SubmitError> {
        if !is_enabled {
            return Err(FlowError::MethodDisabled.into());
        }
        match self.current {
            Some(current) if self.flow.details.requested_aal > Aal::Aal1 => Ok(current),
            Some(_) | None => Err(SubmitError::general(message::flow::no_login_strategy())),
        }
    }

    /// The session's person with the credentials.
    pub(crate) async fn person_of(&self, current: &Current) -> Result<domain::Identity, SubmitError> {
        Ok(self.service.person_of(self.cx, current).await?.ok_or(FlowError::SessionInactive)?)
    }

    /// Counts a guess that is wrong, and records it when it was checked and somebody's. A flow that knows its person
    /// records every refusal itself.
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
        // From here on the rows count it.
        drop(guess);
        Ok(())
    }
}

impl Effects {
    /// Writes them. Answers whether the address of the proof was proved for the first time.
    pub(crate) async fn write(&self, tx: &mut WriteTx, of: Redeeming<'_>) -> Result<bool, SubmitError> {
        if let Some(proof) = &self.redeems
            && !proof.redeem(tx, of).await?
        {
            return Err(SubmitError::general(proof.refusal()));
        }
        let Redeeming { service, cx, person } = of;
        if let Some(credential) = &self.rehashed {
            // `false` when the credential was deleted meanwhile: there is no hash to replace.
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

/// The refusal of a member that is missing.
pub(crate) fn missing(name: &str) -> SubmitError {
    SubmitError::at(name, message::validation::missing(name))
}
