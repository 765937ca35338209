//! Changes the traits. A change of identifiers or addresses requires a recent sign-in; other changes do not.

use crate::Identity;
use crate::components::language;
use crate::domain::flow::FlowKind;
use crate::domain::form::leaves;
use crate::domain::{self, AddressStatus, CredentialType};
use crate::flows::errors::{StepError, SubmitError};
use crate::flows::forms::trait_messages;
use crate::flows::hooks::{BegunVerification, VerificationOf};
use crate::flows::settings::step::{Change, Changed, SettingsStep, Step};
use crate::storage::identities::StoreError;

use super::nodes;

pub(super) async fn change(step: SettingsStep<'_>) -> Result<Step, StepError> {
    let (service, cx, current) = (step.service, step.cx, step.current);
    if !service.flow_policy.methods().profile.enabled {
        return Err(SubmitError::MethodDisabled.into());
    }
    let mut traits = step.submission.traits();
    for (name, value) in leaves("traits", &traits) {
        step.flow.ui.set_value(&name, value);
    }
    let schema = service.schemas.by_id(Some(&current.identity.schema_id))?;
    let hooks = service.flow_policy.hooks_after(FlowKind::Settings, CredentialType::Profile);
    let mut change = step.begin_change().await?;
    nodes::keep_unsent(&schema, &change.after.traits, &mut traits);
    let derived = schema.validate(&mut traits).map_err(|errors| StepError::Invalid(trait_messages(&errors)))?;
    let before = change.after.clone();
    change.after.traits = traits;
    change.after.apply_derived(&derived, &service.rng, cx.now);
    if touches_access(&before, &change.after) {
        step.require_privileged()?;
    }
    match step.store(&mut change).await {
        Err(error @ StoreError::Taken(_)) => {
            drop(change);
            service.attempts.count_taken(cx).await?;
            return Err(error.into());
        }
        stored => stored?,
    }
    let verification = begin_verification(&step, &mut change).await?;
    let verification = verification.filter(|_| hooks.show_verification_ui);
    Ok(Step::Changed(Box::new(Changed { verification, ..Changed::of(change) })))
}

/// Sends a code to a new address.
async fn begin_verification(
    step: &SettingsStep<'_>,
    change: &mut Change,
) -> Result<Option<BegunVerification>, SubmitError> {
    let (service, flow) = (step.service, &*step.flow);
    if !service.flow_policy.is_enabled(FlowKind::Verification) {
        return Ok(None);
    }
    let Change { tx, after, .. } = change;
    let Some(address) = Identity::address_to_verify(after, Some(AddressStatus::Pending)) else { return Ok(None) };
    let of = VerificationOf {
        person: after,
        is_real: true,
        flow_type: flow.flow_type,
        request_url: &flow.request_url,
        return_to: None,
        browser: step.browser,
        session_id: Some(step.current.session.id),
        oauth2: None,
        registrant: None,
        transient_payload: step.submission.transient_payload(),
        caller: step.caller,
    };
    let cx = &language::of_flow(&service.ui, step.cx, flow);
    service.begin_verification_of(tx, cx, of, address).await.map(Some)
}

/// Whether a change affects how the user signs in, is reached, or recovers the account.
fn touches_access(before: &domain::Identity, after: &domain::Identity) -> bool {
    let verifiable = |person: &domain::Identity| -> Vec<_> {
        person.verifiable_addresses.iter().map(|address| (address.via, address.value.clone())).collect()
    };
    let recovery = |person: &domain::Identity| -> Vec<_> {
        person.recovery_addresses.iter().map(|address| (address.via, address.value.clone())).collect()
    };
    let identifiers = |person: &domain::Identity| -> Vec<_> {
        person.credentials.values().map(|credential| (credential.kind(), credential.identifiers.clone())).collect()
    };
    verifiable(before) != verifiable(after)
        || recovery(before) != recovery(after)
        || identifiers(before) != identifiers(after)
}

#[cfg(test)]
mod tests {
    use base::{Rng, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::domain::traits_schema::Derived;
    use crate::domain::{IdentityId, Via};

    #[test]
    fn only_changes_of_names_and_addresses_touch_access() {
        let rng = Rng::seeded(1);
        let mut before = domain::Identity::new(IdentityId::generate(&rng), "default", json!({}), Timestamp::EPOCH);
        let derived =
            |address: &str| Derived { verifiable: vec![(Via::Email, address.to_owned())], ..Derived::default() };
        before.apply_derived(&derived("a@x"), &rng, Timestamp::EPOCH);
        let mut after = before.clone();
        after.traits = json!({"name": "Ada"});
        after.apply_derived(&derived("a@x"), &rng, Timestamp::EPOCH);
        assert!(!touches_access(&before, &after));
        after.apply_derived(&derived("b@x"), &rng, Timestamp::EPOCH);
        assert!(touches_access(&before, &after));
    }
}
