//! Signing in with a code that is sent to an address of the account.

use base::Context;
use serde_json::{Value, json};

use crate::Identity;
use crate::domain::code::CodePurpose;
use crate::domain::flow::{Flow, FlowState, Login, Sent};
use crate::domain::identifier::normalize;
use crate::domain::message::{flow as flow_messages, login as messages, validation};
use crate::domain::session::AuthenticationMethod;
use crate::domain::{self, Aal, CredentialType, Via};
use crate::flows::attempts::Caller;
use crate::flows::codes::{Judged, Recipient};
use crate::flows::current::Current;
use crate::flows::error::SubmitError;
use crate::flows::submission::Submission;
use crate::storage;
use crate::strategies::code;

use super::submit::{Effects, Proof, Step, missing};

impl Identity {
    pub(super) async fn login_by_code(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: &mut Flow<Login>,
        current: Option<&Current>,
        submission: &Submission,
    ) -> Result<Step, SubmitError> {
        let methods = self.methods();
        let is_second = flow.details.requested_aal > Aal::Aal1;
        let second = match current {
            Some(current) if is_second && methods.code_second_factor => Some(current),
            Some(_) | None if is_second => {
                return Err(SubmitError::general(flow_messages::no_login_strategy()));
            }
            Some(_) | None => {
                Self::require_first_factor(flow, methods.code_sign_in)?;
                None
            }
        };
        flow.submitted_method = Some(CredentialType::Code);
        flow.transient_payload = submission.transient_payload();
        let given = submission.text("address").or_else(|| submission.text("identifier")).map(str::to_owned);
        let resend = submission.text("resend") == Some("code");
        match submission.text("code") {
            Some(guess) if !resend && flow.state == FlowState::SentEmail => {
                self.redeem_login_code(cx, caller, flow, current, guess).await
            }
            Some(_) | None => {
                let identifier = given.or_else(|| flow.details.code_identifier.clone());
                let identifier = identifier.ok_or_else(|| missing("identifier"))?;
                flow.ui.set_value("identifier", identifier.clone().into());
                if let (Some(current), None) = (current, second) {
                    let person = self.person_by_code(cx, &identifier).await?;
                    if person.is_some_and(|(person, _, _)| person.id != current.session.identity_id) {
                        return Err(SubmitError::general(validation::no_code_sign_in()));
                    }
                }
                self.send_login_code(cx, caller, flow, &identifier, second, submission.transient_payload()).await?;
                Ok(Step::Form)
            }
        }
    }

    /// Sends a code and changes the form to ask for it. With accounts hidden, somebody unknown is answered the same.
    /// As a second factor it goes to an address of the person who is signed in.
    #[expect(clippy::too_many_arguments, reason = "the parts of one step, each from another place")]
    pub(super) async fn send_login_code(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: &mut Flow<Login>,
        identifier: &str,
        second: Option<&Current>,
        transient_payload: Option<Value>,
    ) -> Result<(), SubmitError> {
        let found = match second {
            Some(current) => Some(self.second_factor_address(cx, current, identifier).await?),
            None => self.person_by_code(cx, identifier).await?,
        };
        if found.is_none() && !self.hides_accounts() {
            self.count_taken(cx).await?;
            return Err(SubmitError::general(validation::no_code_sign_in()));
        }
        let is_known = flow.details.refresh || second.is_some();
        let message = if is_known { messages::code_sent_to_your_address() } else { messages::code_sent() };
        let mut sent = flow.clone();
        sent.ui.clear_messages();
        code::login_sent_form(&mut sent.ui, identifier, flow.flow_type, message);
        sent.state = FlowState::SentEmail;
        sent.sent = Some(Sent { to: identifier.to_owned(), at: cx.now });
        sent.active = Some(CredentialType::Code);
        sent.details.code_identifier = Some(identifier.to_owned());

        let normalized = normalize(CredentialType::Code, identifier);
        let (person, via, address) = match &found {
            Some((person, via, address)) => (Some(person), *via, address),
            None => (None, Via::of(identifier), &normalized),
        };
        let recipient = Recipient { person, via, address, is_holders: false, caller, is_asked_for: true };
        let mut tx = self.database.write(cx.tenant).await?;
        let extra = json!({ "transient_payload": transient_payload });
        storage::flows::update(&mut tx, &mut sent).await?;
        self.send_code(&mut tx, cx, CodePurpose::Login, &sent, &recipient, Some(&extra)).await?;
        tx.commit().await?;
        *flow = sent;
        Ok(())
    }

    /// The addresses that a second factor can be sent to.
    pub(super) async fn second_factor_addresses(
        &self,
        cx: &Context,
        current: &Current,
    ) -> Result<Vec<(Via, String)>, database::Error> {
        let mut tx = self.database.read(cx.tenant);
        let person = storage::identities::find_whole(&mut tx, self.vault(cx), current.session.identity_id).await?;
        let credential = person.as_ref().and_then(|person| person.credential(CredentialType::Code));
        let addresses = credential.map(domain::Credential::code_addresses).unwrap_or_default();
        if addresses.is_empty() && self.sends_codes_to_verifiable_addresses() {
            let verifiable = current.identity.verifiable_addresses.iter();
            return Ok(verifiable.map(|address| (address.via, address.value.clone())).collect());
        }
        Ok(addresses)
    }

    async fn second_factor_address(
        &self,
        cx: &Context,
        current: &Current,
        identifier: &str,
    ) -> Result<(domain::Identity, Via, String), SubmitError> {
        let normalized = normalize(CredentialType::Code, identifier);
        let addresses = self.second_factor_addresses(cx, current).await?;
        let found = addresses.into_iter().find(|(_, address)| *address == normalized);
        let (via, address) = found.ok_or_else(|| SubmitError::general(flow_messages::address_unknown()))?;
        Ok((current.identity.clone(), via, address))
    }

    async fn redeem_login_code(
        &self,
        cx: &Context,
        caller: &Caller,
        flow: &mut Flow<Login>,
        current: Option<&Current>,
        guess: &str,
    ) -> Result<Step, SubmitError> {
        let named = normalize(CredentialType::Code, flow.details.code_identifier.as_deref().unwrap_or_default());
        let (code, familiar) = match self.judge_code(cx, caller, flow.id, CodePurpose::Login, &named, guess).await? {
            Judged::Right { code, familiar } => (code, familiar),
            Judged::Wrong => return Err(SubmitError::general(flow_messages::login_code_invalid())),
            Judged::Exhausted => return Err(SubmitError::general(validation::code_exhausted())),
        };
        let mut tx = self.database.read(cx.tenant);
        let person = match code.identity_id {
            Some(id) => storage::identities::find_whole(&mut tx, self.vault(cx), id).await?,
            None => None,
        };
        // The person may have given the address up since the code was sent: then another reads what arrives there.
        let Some(identity) = person.filter(|person| self.signs_in_by_code(person, code.via, &code.address)) else {
            return Err(SubmitError::general(flow_messages::login_code_invalid()));
        };
        if current.is_some_and(|current| current.session.identity_id != identity.id) {
            return Err(SubmitError::general(validation::no_code_sign_in()));
        }
        let method = AuthenticationMethod::new(CredentialType::Code, flow.details.requested_aal, cx.now);
        let effects = Effects {
            redeem_code: Some(code.id),
            verified: Some((code.via, code.address.clone())),
            familiar,
            ..Effects::default()
        };
        Ok(Step::Proved(Box::new(Proof { identity, method, effects })))
    }

    /// Whether a code that was sent to this address is a proof for this person, who was read with all credentials.
    fn signs_in_by_code(&self, person: &domain::Identity, via: Via, address: &str) -> bool {
        let of_code =
            person.credential(CredentialType::Code).map(domain::Credential::code_addresses).unwrap_or_default();
        of_code.iter().any(|(known, value)| *known == via && value == address)
            || (self.sends_codes_to_verifiable_addresses() && person.verifiable_address(via, address).is_some())
    }

    /// Who can sign in with a code at this address.
    async fn person_by_code(
        &self,
        cx: &Context,
        identifier: &str,
    ) -> Result<Option<(domain::Identity, Via, String)>, database::Error> {
        let normalized = normalize(CredentialType::Code, identifier);
        let mut tx = self.database.read(cx.tenant);
        let found =
            storage::identities::find_by_identifier(&mut tx, self.vault(cx), CredentialType::Code, &normalized).await?;
        if let Some(person) = found {
            let addresses = person.credential(CredentialType::Code).map(domain::Credential::code_addresses);
            let address = addresses.unwrap_or_default().into_iter().find(|(_, address)| *address == normalized);
            return Ok(address.filter(|_| person.is_active()).map(|(via, address)| (person, via, address)));
        }
        if !self.sends_codes_to_verifiable_addresses() {
            return Ok(None);
        }
        let Some((address, owner)) =
            storage::identities::find_verifiable(&mut tx, Via::of(&normalized), &normalized).await?
        else {
            return Ok(None);
        };
        let person = storage::identities::find(&mut tx, owner).await?.filter(domain::Identity::is_active);
        Ok(person.map(|person| (person, address.via, address.value)))
    }
}
