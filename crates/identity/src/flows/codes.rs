//! Sending and judging one-time codes, for every flow that uses them.

use base::Context;
use database::WriteTx;
use serde_json::{Value, json};

use crate::Identity;
use crate::courier::{self, Template};
use crate::domain::code::{self, Code, CodeId, CodePurpose, Guess};
use crate::domain::flow::{Details, Flow, FlowId, FlowKind, endpoint};
use crate::domain::{self, Via};
use crate::storage;

use super::attempts::Counted;
use super::error::FlowError;

/// What is said when a flow's guesses are used up.
pub(super) const EXHAUSTED: &str = "This code was tried too many times. Ask for a new one.";

/// Where a code goes. `person` is `None` when nobody here has the address: everything but the mail happens all the same.
pub(super) struct Recipient<'a> {
    pub person: Option<&'a domain::Identity>,
    pub via: Via,
    pub address: &'a str,
}

/// What a guess came to.
pub(super) enum Judged {
    Right {
        code: Box<Code>,
        counted: Counted,
    },
    Wrong,
    /// No more guesses in this flow.
    Exhausted,
}

impl Identity {
    /// Makes a code the only open one of its flow and queues the message that carries it.
    #[expect(clippy::too_many_arguments, reason = "the parts of one step, each from another place")]
    pub(super) async fn send_code<D: Details>(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        purpose: CodePurpose,
        flow: &Flow<D>,
        recipient: &Recipient<'_>,
        extra: Option<&Value>,
    ) -> Result<(), FlowError> {
        let plain = code::generate(&self.rng);
        let attempts = storage::codes::attempts(tx, flow.id, purpose).await?;
        storage::codes::delete_open(tx, flow.id, purpose).await?;
        let code = Code {
            id: CodeId::generate(&self.rng),
            purpose,
            flow_id: flow.id,
            sealed: self.sealer.seal(storage::codes::SEALED, cx.tenant, plain.expose().as_bytes()),
            identity_id: recipient.person.map(|person| person.id),
            via: recipient.via,
            address: recipient.address.to_owned(),
            attempts,
            created_at: cx.now,
            expires_at: cx.now.plus(self.code_lifespan()),
        };
        storage::codes::insert(tx, &code).await?;
        let is_known = recipient.person.is_some() || purpose == CodePurpose::Registration;
        if !is_known && !self.notifies_strangers(purpose) {
            return Ok(());
        }
        if !self.may_send_to(cx, tx, recipient.address).await? {
            tracing::warn!(request_id = %cx.request_id, "an address is left alone: it was sent too many codes");
            return Ok(());
        }
        let mut data = json!({
            "to": recipient.address,
            "request_url": flow.request_url,
            "expires_in_minutes": self.code_lifespan().as_secs() / 60,
            "transient_payload": extra.and_then(|extra| extra.get("transient_payload")).cloned().unwrap_or_else(|| json!({})),
        });
        if is_known {
            let identity = recipient.person.map(mail_identity);
            data["identity"] = json!(identity);
            data["traits"] = extra.and_then(|extra| extra.get("traits")).cloned().unwrap_or_default();
            data[code_key(purpose)] = json!(plain.expose());
            if purpose == CodePurpose::Verification {
                let mut url = endpoint(self.public_url(), "self-service/verification");
                url.query_pairs_mut().append_pair("flow", &flow.id.to_string()).append_pair("code", plain.expose());
                data["verification_url"] = json!(url);
            }
        }
        courier::queue(self, tx, cx, template(purpose, is_known), recipient.via, recipient.address, data).await?;
        Ok(())
    }

    /// Compares a guess with the open codes of a flow. The guess is counted first.
    pub(super) async fn judge_code(
        &self,
        cx: &Context,
        flow: FlowId,
        purpose: CodePurpose,
        guess: &str,
    ) -> Result<Judged, FlowError> {
        let counted = self.count_code_guess(cx).await?;
        let mut tx = self.database.write(cx.tenant).await?;
        let may_try = storage::codes::count_attempt(&mut tx, flow, purpose, self.code_max_submissions()).await?;
        let codes = storage::codes::open(&mut tx, flow, purpose).await?;
        tx.commit().await?;
        if !may_try {
            return Ok(if codes.is_empty() { Judged::Wrong } else { Judged::Exhausted });
        }
        let unseal = |code: &Code| self.sealer.open(storage::codes::SEALED, cx.tenant, &code.sealed).ok();
        match code::compare(guess, codes, cx.now, unseal) {
            Guess::Right(code) => Ok(Judged::Right { code, counted }),
            Guess::Wrong | Guess::Expired => Ok(Judged::Wrong),
        }
    }

    /// Whether somebody unknown is told that her address was tried.
    fn notifies_strangers(&self, purpose: CodePurpose) -> bool {
        match purpose {
            CodePurpose::Recovery => self.notifies_unknown_recipients(FlowKind::Recovery),
            CodePurpose::Verification => self.notifies_unknown_recipients(FlowKind::Verification),
            CodePurpose::Login | CodePurpose::Registration => false,
        }
    }
}

/// What a template may know of a person.
fn mail_identity(person: &domain::Identity) -> Value {
    json!({
        "id": person.id,
        "schema_id": person.schema_id,
        "state": person.state.as_str(),
        "traits": person.traits,
        "metadata_public": person.metadata_public,
    })
}

const fn template(purpose: CodePurpose, is_known: bool) -> Template {
    match (purpose, is_known) {
        (CodePurpose::Login, _) => Template::LoginCodeValid,
        (CodePurpose::Registration, _) => Template::RegistrationCodeValid,
        (CodePurpose::Recovery, true) => Template::RecoveryCodeValid,
        (CodePurpose::Recovery, false) => Template::RecoveryCodeInvalid,
        (CodePurpose::Verification, true) => Template::VerificationCodeValid,
        (CodePurpose::Verification, false) => Template::VerificationCodeInvalid,
    }
}

const fn code_key(purpose: CodePurpose) -> &'static str {
    match purpose {
        CodePurpose::Login => "login_code",
        CodePurpose::Registration => "registration_code",
        CodePurpose::Recovery => "recovery_code",
        CodePurpose::Verification => "verification_code",
    }
}
