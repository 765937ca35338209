//! Sign-up with a code that is sent to the address in the traits.

use serde_json::json;

use crate::components::codes::{CodeCheck, Recipient};
use crate::domain::code::CodePurpose;
use crate::domain::flow::{FlowState, Sent};
use crate::domain::message::{self, validation};
use crate::domain::session::AuthenticationMethod;
use crate::domain::traits_schema::Derived;
use crate::domain::{self, Aal, CredentialType};
use crate::flows::errors::{StepError, SubmitError};
use crate::flows::registration::step::{Registrant, RegistrationStep, Step};
use crate::flows::trait_nodes;
use crate::storage;

use super::nodes;

pub(super) async fn register(step: RegistrationStep<'_>) -> Result<Step, StepError> {
    let (service, cx, submission) = (step.service, step.cx, step.submission);
    if !service.flow_policy.methods().code.passwordless_enabled {
        return Err(SubmitError::MethodDisabled.into());
    }
    let flow = &mut *step.flow;
    flow.submitted_method = Some(CredentialType::Code);
    flow.transient_payload = submission.transient_payload();
    let traits = submission.traits();
    flow.fill_in_traits(&traits);
    let (mut identity, derived) = service.registrant(cx, step.schema, traits)?;
    let resend = submission.text("resend") == Some("code");
    let Some(guess) = submission.text("code").filter(|_| !resend && flow.state == FlowState::SentEmail) else {
        return send(step, &identity, &derived).await;
    };
    if flow.details.code_traits.as_deref() != Some(identity.traits_text().as_str()) {
        return Err(StepError::general(validation::traits_changed()));
    }
    let named = derived.code.first().map(|(_, address)| address.as_str()).unwrap_or_default();
    let checked = service.codes.check(cx, step.caller, flow.id, CodePurpose::Registration, named, guess).await?;
    let code = match checked {
        CodeCheck::Right { code, .. } => code,
        CodeCheck::Wrong => return Err(StepError::general(message::flow::registration_code_invalid())),
        CodeCheck::Exhausted => return Err(StepError::general(validation::code_exhausted())),
    };
    // The code proves the address that it was sent to, which must be the sign-in address of these traits.
    if derived.code.first() != Some(&(code.via, code.address.clone())) {
        return Err(StepError::general(validation::traits_changed()));
    }
    for address in &mut identity.verifiable_addresses {
        if address.via == code.via && address.value == code.address {
            address.complete(cx.now);
        }
    }
    let method = AuthenticationMethod::new(CredentialType::Code, Aal::Aal1, cx.now);
    Ok(Step::Complete(Box::new(Registrant {
        identity,
        method,
        redeem_code: Some(code.id),
        transient_payload: submission.transient_payload(),
    })))
}

async fn send(step: RegistrationStep<'_>, identity: &domain::Identity, derived: &Derived) -> Result<Step, StepError> {
    let (service, cx) = (step.service, step.cx);
    let Some((via, address)) = derived.code.first() else {
        return Err(StepError::general(validation::no_identifiers()));
    };
    let mut sent = step.flow.clone();
    sent.ui.clear_messages();
    let traits = trait_nodes::hidden_nodes(step.schema, &identity.traits);
    nodes::registration_sent_form(&mut sent.ui, traits, service.flow_policy.registers_in_two_steps());
    sent.state = FlowState::SentEmail;
    sent.sent = Some(Sent { to: address.clone(), at: cx.now });
    sent.active = Some(CredentialType::Code);
    sent.details.code_traits = Some(identity.traits_text());
    let payload = step.submission.transient_payload();
    let extra = json!({ "traits": identity.traits, "transient_payload": payload });
    let mut tx = service.database.write(cx.tenant).await?;
    let recipient =
        Recipient { person: None, via: *via, address, is_holders: false, caller: step.caller, is_asked_for: true };
    storage::flows::update(&mut tx, &mut sent).await?;
    service.codes.send(&mut tx, cx, CodePurpose::Registration, &sent, &recipient, Some(&extra)).await?;
    tx.commit().await?;
    *step.flow = sent;
    Ok(Step::Form)
}
