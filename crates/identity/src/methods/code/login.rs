//! Sign-in with a code that is sent to an address of the account.

use async_trait::async_trait;
use base::Context;
use database::WriteTx;
use serde_json::json;

use crate::Identity;
use crate::components::codes::{CodeCheck, Recipient};
use crate::components::sessions::Current;
use crate::domain::code::{CodeId, CodePurpose};
use crate::domain::flow::{FlowState, Sent};
use crate::domain::identifier::normalize;
use crate::domain::message::{Message, flow as flow_messages, login as messages, validation};
use crate::domain::session::AuthenticationMethod;
use crate::domain::{self, Aal, Credential, CredentialType, Via};
use crate::flows::errors::StepError;
use crate::flows::login::step::{Effects, LoginStep, Proof, Redeem, Redeeming, Step, missing};
use crate::storage;

use super::nodes;

pub(super) async fn login(mut step: LoginStep<'_>) -> Result<Step, StepError> {
    let submission = step.submission;
    let second = second_factor_of(&step)?;
    step.flow.submitted_method = Some(CredentialType::Code);
    step.flow.transient_payload = submission.transient_payload();
    let given = submission.text("address").or_else(|| submission.text("identifier")).map(str::to_owned);
    let resend = submission.text("resend") == Some("code");
    if let Some(guess) = submission.text("code").filter(|_| !resend && step.flow.state == FlowState::SentEmail) {
        return redeem(step, guess).await;
    }
    let identifier = given.or_else(|| step.flow.details.code_identifier.clone());
    let identifier = identifier.ok_or_else(|| missing("identifier"))?;
    step.flow.ui.set_value("identifier", identifier.clone().into());
    if let (Some(current), None) = (step.current, second) {
        let person = person_by_code(step.service, step.cx, &identifier).await?;
        if person.is_some_and(|(person, _, _)| person.id != current.session.identity_id) {
            return Err(StepError::general(validation::no_code_sign_in()));
        }
    }
    send(&mut step, &identifier, second).await?;
    Ok(Step::Form)
}

/// Sends a code without a request: to the only address of a second factor, or to the identifier that was just entered.
pub(super) async fn send_at_once(mut step: LoginStep<'_>) -> Result<bool, StepError> {
    if step.flow.details.requested_aal == Aal::Aal1 {
        let Some(identifier) = step.submission.text("identifier") else { return Ok(false) };
        send(&mut step, identifier, None).await?;
        return Ok(true);
    }
    let Some(current) = step.current else { return Ok(false) };
    let addresses = second_factor_addresses(step.service, &current.identity);
    let [(_, address)] = addresses.as_slice() else { return Ok(false) };
    send(&mut step, address, Some(current)).await?;
    Ok(true)
}

/// The session that needs this second factor; `None` for a first factor.
fn second_factor_of<'a>(step: &LoginStep<'a>) -> Result<Option<&'a Current>, StepError> {
    let method = &step.service.flow_policy.methods().code;
    let is_second = step.flow.details.requested_aal > Aal::Aal1;
    match step.current {
        Some(current) if is_second && method.mfa_enabled => Ok(Some(current)),
        Some(_) | None if is_second => Err(StepError::general(flow_messages::no_login_strategy())),
        Some(_) | None => step.require_first_factor(method.passwordless_enabled).map(|()| None),
    }
}

/// Sends a code and changes the form to ask for it. When accounts are hidden, the response for an unknown identifier is the
/// same. A second factor is sent to an address of the signed-in user.
async fn send(step: &mut LoginStep<'_>, identifier: &str, second: Option<&Current>) -> Result<(), StepError> {
    let (service, cx) = (step.service, step.cx);
    let found = match second {
        Some(current) => Some(second_factor_address(step, current, identifier)?),
        None => person_by_code(service, cx, identifier).await?,
    };
    if found.is_none() && !service.flow_policy.hides_accounts() {
        service.attempts.count_taken(cx).await?;
        return Err(StepError::general(validation::no_code_sign_in()));
    }
    let is_known = step.flow.details.refresh || second.is_some();
    let message = if is_known { messages::code_sent_to_your_address() } else { messages::code_sent() };
    let mut sent = step.flow.clone();
    sent.ui.clear_messages();
    nodes::login_sent_form(&mut sent.ui, identifier, sent.flow_type, message);
    sent.state = FlowState::SentEmail;
    sent.sent = Some(Sent { to: identifier.to_owned(), at: cx.now });
    sent.active = Some(CredentialType::Code);
    sent.details.code_identifier = Some(identifier.to_owned());

    let normalized = normalize(CredentialType::Code, identifier);
    let (person, via, address) = match &found {
        Some((person, via, address)) => (Some(person), *via, address),
        None => (None, Via::of(identifier), &normalized),
    };
    let recipient =
        Recipient { person, via, address, is_owner_of_taken: false, caller: step.caller, is_asked_for: true };
    let mut tx = service.database.write(cx.tenant).await?;
    let extra = json!({ "transient_payload": step.submission.transient_payload() });
    storage::flows::update(&mut tx, &mut sent).await?;
    service.codes.send(&mut tx, cx, CodePurpose::Login, &sent, &recipient, Some(&extra)).await?;
    tx.commit().await?;
    *step.flow = sent;
    Ok(())
}

/// The addresses that a second factor can be sent to. `person` must include the credentials.
pub(super) fn second_factor_addresses(service: &Identity, person: &domain::Identity) -> Vec<(Via, String)> {
    let addresses = person.credential(CredentialType::Code).map(Credential::code_addresses).unwrap_or_default();
    if addresses.is_empty() && service.code_policy.reaches_verifiable_addresses() {
        return person.verifiable_addresses.iter().map(|address| (address.via, address.value.clone())).collect();
    }
    addresses
}

fn second_factor_address(
    step: &LoginStep<'_>,
    current: &Current,
    identifier: &str,
) -> Result<(domain::Identity, Via, String), StepError> {
    let normalized = normalize(CredentialType::Code, identifier);
    let addresses = second_factor_addresses(step.service, &current.identity);
    let found = addresses.into_iter().find(|(_, address)| *address == normalized);
    let (via, address) = found.ok_or_else(|| StepError::general(flow_messages::address_unknown()))?;
    Ok((current.identity.clone(), via, address))
}

async fn redeem(step: LoginStep<'_>, guess: &str) -> Result<Step, StepError> {
    let (service, cx, flow) = (step.service, step.cx, step.flow);
    let named = normalize(CredentialType::Code, flow.details.code_identifier.as_deref().unwrap_or_default());
    let checked = service.codes.check(cx, step.caller, flow.id, CodePurpose::Login, &named, guess).await?;
    let (code, familiar) = match checked {
        CodeCheck::Right { code, familiar } => (code, familiar),
        CodeCheck::Wrong => return Err(StepError::general(flow_messages::login_code_invalid())),
        CodeCheck::Exhausted => return Err(StepError::general(validation::code_exhausted())),
    };
    let mut tx = service.database.read(cx.tenant);
    let person = match code.identity_id {
        Some(id) => storage::identities::find_whole(&mut tx, service.tenant_sealer(cx), id).await?,
        None => None,
    };
    // The user may have removed the address since the code was sent; somebody else may read its messages now.
    let Some(identity) = person.filter(|person| signs_in_by_code(service, person, code.via, &code.address)) else {
        return Err(StepError::general(flow_messages::login_code_invalid()));
    };
    if step.current.is_some_and(|current| current.session.identity_id != identity.id) {
        return Err(StepError::general(validation::no_code_sign_in()));
    }
    let method = AuthenticationMethod::new(CredentialType::Code, flow.details.requested_aal, cx.now);
    let effects = Effects {
        redeems: Some(Box::new(SentCode(code.id))),
        verified: Some((code.via, code.address)),
        familiar,
        ..Effects::default()
    };
    Ok(Step::Proved(Box::new(Proof { identity, method, effects })))
}

/// The code that matched the submission.
struct SentCode(CodeId);

#[async_trait]
impl Redeem for SentCode {
    async fn redeem(&self, tx: &mut WriteTx, of: Redeeming<'_>) -> Result<bool, database::Error> {
        storage::codes::redeem(tx, self.0, of.cx.now).await
    }

    fn refusal(&self) -> Message {
        flow_messages::login_code_invalid()
    }
}

/// Whether a code sent to this address proves the identity of this user, who must include all credentials.
fn signs_in_by_code(service: &Identity, person: &domain::Identity, via: Via, address: &str) -> bool {
    let of_code = person.credential(CredentialType::Code).map(Credential::code_addresses).unwrap_or_default();
    of_code.iter().any(|(known, value)| *known == via && value == address)
        || (service.code_policy.reaches_verifiable_addresses() && person.verifiable_address(via, address).is_some())
}

/// The user who can sign in with a code at this address.
async fn person_by_code(
    service: &Identity,
    cx: &Context,
    identifier: &str,
) -> Result<Option<(domain::Identity, Via, String)>, database::Error> {
    let normalized = normalize(CredentialType::Code, identifier);
    let mut tx = service.database.read(cx.tenant);
    let found =
        storage::identities::find_by_identifier(&mut tx, service.tenant_sealer(cx), CredentialType::Code, &normalized)
            .await?;
    if let Some(person) = found {
        let addresses = person.credential(CredentialType::Code).map(Credential::code_addresses);
        let address = addresses.unwrap_or_default().into_iter().find(|(_, address)| *address == normalized);
        return Ok(address.filter(|_| person.is_active()).map(|(via, address)| (person, via, address)));
    }
    if !service.code_policy.reaches_verifiable_addresses() {
        return Ok(None);
    }
    let found = storage::identities::find_verifiable(&mut tx, Via::of(&normalized), &normalized).await?;
    let Some((address, owner)) = found else { return Ok(None) };
    let person = storage::identities::find(&mut tx, owner).await?.filter(domain::Identity::is_active);
    Ok(person.map(|person| (person, address.via, address.value)))
}
