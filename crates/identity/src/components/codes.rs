//! Sending and checking one-time codes and links, for every flow that uses them.

use std::sync::Arc;
use std::time::Duration;

use base::{Context, PlainToken, Rng, Sealer};
use database::{Database, WriteTx};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::domain::attempt_limit::Counter;
use crate::domain::client_kind::FlowType;
use crate::domain::code::{self, AskedBy, Code, CodeId, CodePurpose, Guess};
use crate::domain::flow::{Beginning, Details, Flow, FlowId, FlowKind, FlowState, Recovery, endpoint};
use crate::domain::{self, CredentialType, IdentityId, Via};
use crate::storage;

use crate::components::language;

use super::courier::{Courier, Template};
use super::policy::{CodePolicy, FlowPolicy};
use super::urls::Urls;
use crate::components::attempts::{
    AttemptError, Attempts, Caller, CountedMessage, FamiliarClients, MessageAdmission, Target, TooManyAttempts,
};

/// The recipient of a code. `person` is `None` for an unknown address: all steps are performed except sending the mail.
pub(crate) struct Recipient<'a> {
    pub person: Option<&'a domain::Identity>,
    pub via: Via,
    pub address: &'a str,
    /// Set when the owner of the address receives a notice instead, by a mail that is counted in place of this one.
    pub is_owner_of_taken: bool,
    pub caller: &'a Caller,
    /// Whether the submission requests the message, or it merely follows from the submission.
    pub is_asked_for: bool,
}

/// The result of a guess.
pub(crate) enum CodeCheck {
    Right {
        code: Box<Code>,
        familiar: FamiliarClients,
    },
    Wrong,
    /// No guesses at this code are left.
    Exhausted,
}

/// The one-time codes and links of all flows.
pub(crate) struct Codes {
    pub(crate) database: Database,
    pub(crate) rng: Rng,
    pub(crate) sealer: Sealer,
    pub(crate) ui: ui::Ui,
    pub(crate) urls: Arc<Urls>,
    pub(crate) flows: Arc<FlowPolicy>,
    pub(crate) policy: Arc<CodePolicy>,
    pub(crate) attempts: Arc<Attempts>,
    pub(crate) courier: Arc<Courier>,
}

impl Codes {
    /// Queues a message with a code, in the transaction that wrote `flow`. The code becomes the only open one of its flow, and the
    /// only open one of the user that was requested by the same kind of caller. A withheld message leaves the earlier codes as they
    /// are.
    #[expect(clippy::too_many_arguments, reason = "each parameter has a different source")]
    pub(crate) async fn send<D: Details>(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        purpose: CodePurpose,
        flow: &Flow<D>,
        recipient: &Recipient<'_>,
        extra: Option<&Value>,
    ) -> Result<(), AttemptError> {
        let cx = &language::of_flow(&self.ui, cx, flow);
        let plain = code::generate(&self.rng, purpose);
        let lifespan = if purpose.is_link() { self.policy.link_lifespan() } else { self.policy.lifespan() };
        let asked_by = if recipient.is_owner_of_taken {
            AskedBy::Stranger
        } else {
            let message = CountedMessage {
                caller: recipient.caller,
                recipient: recipient.address,
                person: recipient.person.map(|person| person.id),
                is_asked_for: recipient.is_asked_for,
            };
            match self.attempts.count_message(tx, cx, &message).await? {
                MessageAdmission::Withheld => return Ok(()),
                MessageAdmission::ByFamiliar => AskedBy::Familiar,
                MessageAdmission::ByStranger => AskedBy::Stranger,
            }
        };
        let code = Code {
            id: CodeId::generate(&self.rng),
            purpose,
            flow_id: flow.id,
            at_rest: self.at_rest(cx, purpose, &plain),
            identity_id: recipient.person.map(|person| person.id),
            via: recipient.via,
            address: recipient.address.to_owned(),
            asked_by,
            attempts: 0,
            created_at: cx.now,
            expires_at: cx.now.plus(lifespan),
        };
        // The row of a flow with the first version was inserted in this transaction.
        if flow.version > 1 {
            storage::codes::delete_open(tx, flow.id, purpose).await?;
        }
        let has_link = self.sends_a_link_beside(purpose, recipient.via);
        // Done for unknown recipients too, so that timing does not reveal whether the account exists.
        let person = code.identity_id.unwrap_or(IdentityId::from_uuid(Uuid::nil()));
        let purposes = [purpose, if has_link { CodePurpose::RecoveryLink } else { purpose }];
        storage::codes::supersede_of_person(tx, person, purposes, asked_by).await?;
        storage::codes::insert(tx, &code).await?;
        let link = if has_link { Some(self.store_link_beside(tx, cx, flow, code).await?) } else { None };
        let is_known = recipient.person.is_some() || purpose == CodePurpose::Registration;
        let is_sent = is_known || self.notifies_strangers(purpose);
        let mut data = json!({
            "to": recipient.address,
            "request_url": flow.request_url,
            "expires_in_minutes": lifespan.as_secs() / 60,
            "transient_payload": extra.and_then(|extra| extra.get("transient_payload")).filter(|it| it.is_object()).cloned().unwrap_or_else(|| json!({})),
        });
        // A mail to an unknown address is rendered like any other, so that it takes as long, and discarded.
        let has_code = is_known || !is_sent;
        if has_code {
            let identity = recipient.person.map(mail_identity);
            data["identity"] = json!(identity);
            data["traits"] = extra.and_then(|extra| extra.get("traits")).cloned().unwrap_or_default();
            let (member, value) = self.mailed(flow, purpose, &plain);
            data[member] = json!(value);
            if let Some((flow, link)) = &link {
                data["recovery_url"] = json!(self.mailed_link(flow, link).as_str());
            }
            if purpose == CodePurpose::Verification {
                data["verification_url"] = json!(mailed_url(flow, self.urls.public(), ("code", &plain)));
            }
        }
        let template = template(purpose, has_code);
        if is_sent {
            self.courier.queue(tx, cx, template, recipient.via, recipient.address, data).await?;
        } else {
            self.courier.write(cx, template, recipient.via, recipient.address, data);
        }
        Ok(())
    }

    /// Whether a mail with a recovery code also contains a link, which works in any browser. A flood of requests
    /// exhausts the owner's message limit, and leaves only codes of flows that strangers began; with the link in the
    /// latest mail the owner can still recover the account.
    fn sends_a_link_beside(&self, purpose: CodePurpose, via: Via) -> bool {
        purpose == CodePurpose::Recovery && via == Via::Email && self.flows.methods().link.is_beside_recovery_code()
    }

    /// Creates a link beside a code. The link has its own flow, whose id is only in the mail: the flow of the code
    /// belongs to the client that requested it, which could end it or submit another address there.
    async fn store_link_beside<D: Details>(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        code_flow: &Flow<D>,
        code: Code,
    ) -> Result<(Flow<Recovery>, PlainToken), AttemptError> {
        let lifespan = self.policy.lifespan().min(self.policy.link_lifespan());
        let beginning = Beginning {
            flow_type: FlowType::Browser,
            request_url: &code_flow.request_url,
            lifespan,
            public_url: self.urls.public(),
            csrf: None,
        };
        let details = Recovery { address: Some(code.address.clone()), ..Recovery::default() };
        let mut flow = Flow::begin(&beginning, details, &self.rng, cx.now);
        flow.state = FlowState::SentEmail;
        flow.active = Some(CredentialType::Link);
        storage::flows::insert(tx, &flow).await?;
        let purpose = CodePurpose::RecoveryLink;
        let plain = code::generate(&self.rng, purpose);
        let link = Code {
            id: CodeId::generate(&self.rng),
            purpose,
            flow_id: flow.id,
            at_rest: self.at_rest(cx, purpose, &plain),
            expires_at: cx.now.plus(lifespan),
            ..code
        };
        storage::codes::insert(tx, &link).await?;
        Ok((flow, plain))
    }

    /// The stored form of a code.
    pub(crate) fn at_rest(&self, cx: &Context, purpose: CodePurpose, plain: &PlainToken) -> Vec<u8> {
        if purpose.is_link() {
            return plain.digest().as_bytes().to_vec();
        }
        self.sealer.seal(storage::codes::SEALED, cx.tenant, plain.expose().as_bytes())
    }

    /// The member of the template's model and its value: the code or the link.
    fn mailed<D: Details>(&self, flow: &Flow<D>, purpose: CodePurpose, plain: &PlainToken) -> (&'static str, String) {
        let url = || self.mailed_link(flow, plain).into();
        match purpose {
            CodePurpose::Login => ("login_code", plain.expose().to_owned()),
            CodePurpose::Registration => ("registration_code", plain.expose().to_owned()),
            CodePurpose::Recovery => ("recovery_code", plain.expose().to_owned()),
            CodePurpose::RecoveryLink => ("recovery_url", url()),
            CodePurpose::Verification => ("verification_code", plain.expose().to_owned()),
            CodePurpose::VerificationLink => ("verification_url", url()),
        }
    }

    /// The link that ends the flow when it is opened.
    pub(crate) fn mailed_link<D: Details>(&self, flow: &Flow<D>, token: &PlainToken) -> Url {
        mailed_url(flow, self.urls.links(), ("token", token))
    }

    /// Compares a guess with the open codes of a flow. `named` is the address that the flow sent to, or would have sent
    /// to. The first guess at a code is checked regardless of the attempts of others: no other client can submit it.
    #[expect(clippy::too_many_arguments, reason = "each parameter has a different source")]
    pub(crate) async fn check(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: FlowId,
        purpose: CodePurpose,
        named: &str,
        guess: &str,
    ) -> Result<CodeCheck, AttemptError> {
        let reserved = self.attempts.reserve(cx.tenant, &[Counter::code(flow, purpose)]);
        let in_flight = reserved.before(Counter::code(flow, purpose));
        let mut tx = self.database.read(cx.tenant);
        let codes = storage::codes::open(&mut tx, flow, purpose).await?;
        drop(tx);
        let open = |code: &Code| {
            if purpose.is_link() {
                return Some(code.at_rest.clone());
            }
            self.sealer.open(storage::codes::SEALED, cx.tenant, &code.at_rest).ok()
        };
        let guess = code::comparable(guess, purpose);
        if purpose.is_link() {
            // Long tokens cannot be guessed, so nothing is counted: opening an old link costs no attempt.
            return Ok(match code::compare(&guess, codes, cx.now, open) {
                Guess::Right(code) if code.identity_id.is_some() => {
                    CodeCheck::Right { code, familiar: FamiliarClients::default() }
                }
                Guess::Right(_) | Guess::Wrong | Guess::Expired => CodeCheck::Wrong,
            });
        }
        let tried = codes.iter().map(|code| code.attempts).max().unwrap_or(0);
        let is_sent = !codes.is_empty();
        let left = u32::try_from(self.policy.max_submissions().saturating_sub(tried)).unwrap_or(0);
        if is_sent && left == 0 {
            return Ok(CodeCheck::Exhausted);
        }
        if is_sent && in_flight >= left {
            return Err(TooManyAttempts { retry_after: Duration::from_secs(1) }.into());
        }
        let person = codes.first().and_then(|code| code.identity_id);
        // A code that an administrator created was not sent.
        let unnamed = person.map(|person| person.to_string());
        let sent_to = codes.first().map(|code| code.address.as_str()).filter(|address| !address.is_empty());
        let target = Target::Secret { name: sent_to.or(unnamed.as_deref()).unwrap_or(named), person };
        let is_first = is_sent && tried == 0 && in_flight == 0;
        let admitted = self.attempts.admit(cx, caller, &target, is_first).await?;
        let right = match code::compare(&guess, codes, cx.now, open) {
            Guess::Right(code) => Some(code),
            Guess::Wrong | Guess::Expired => None,
        };
        // A registration has no identity yet. In other flows a code without an identity is never accepted.
        let is_acceptable = |code: &Code| code.identity_id.is_some() || purpose == CodePurpose::Registration;
        if let Some(code) = right.filter(|code| is_acceptable(code) && !admitted.is_ignored()) {
            return Ok(CodeCheck::Right { code, familiar: admitted.familiar.clone() });
        }
        let mut tx = self.database.write(cx.tenant).await?;
        storage::codes::count_attempt(&mut tx, flow, purpose).await?;
        self.attempts.count_failure(&mut tx, cx, &admitted).await?;
        tx.commit().await?;
        Ok(CodeCheck::Wrong)
    }

    /// Whether the owner of an unknown address is notified of the attempt.
    fn notifies_strangers(&self, purpose: CodePurpose) -> bool {
        match purpose {
            CodePurpose::Recovery | CodePurpose::RecoveryLink => {
                self.flows.notifies_unknown_recipients(FlowKind::Recovery)
            }
            CodePurpose::Verification | CodePurpose::VerificationLink => {
                self.flows.notifies_unknown_recipients(FlowKind::Verification)
            }
            CodePurpose::Login | CodePurpose::Registration => false,
        }
    }
}

/// The parts of an identity that templates can access.
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
        (CodePurpose::RecoveryLink, true) => Template::RecoveryValid,
        (CodePurpose::RecoveryLink, false) => Template::RecoveryInvalid,
        (CodePurpose::Verification, true) => Template::VerificationCodeValid,
        (CodePurpose::Verification, false) => Template::VerificationCodeInvalid,
        (CodePurpose::VerificationLink, true) => Template::VerificationValid,
        (CodePurpose::VerificationLink, false) => Template::VerificationInvalid,
    }
}

fn mailed_url<D: Details>(flow: &Flow<D>, base: &Url, (name, value): (&str, &PlainToken)) -> Url {
    let mut url = endpoint(base, &format!("self-service/{}", D::KIND.as_str()));
    url.query_pairs_mut().append_pair("flow", &flow.id.to_string()).append_pair(name, value.expose());
    url
}
