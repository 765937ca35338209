//! Changing the traits. A change of what identifies or reaches the person needs a fresh proof; any other does not.

use base::Context;

use crate::Identity;
use crate::domain::flow::{Flow, FlowKind, Settings};
use crate::domain::form::leaves;
use crate::domain::message::validation;
use crate::domain::{self, AddressStatus, CredentialType};
use crate::flows::attempts::Caller;
use crate::flows::current::Current;
use crate::flows::error::{FlowError, SubmitError};
use crate::flows::events::{self, FlowEvent};
use crate::flows::forms::trait_complaints;
use crate::flows::hooks::VerificationOf;
use crate::flows::submission::Submission;
use crate::flows::visitor::Browser;
use crate::storage;
use crate::storage::identities::StoreError;
use crate::strategies::profile;

use super::submit::Changed;

impl Identity {
    #[expect(clippy::too_many_arguments, reason = "the parts of one step, each from another place")]
    pub(super) async fn change_profile(
        &self,
        cx: &Context,
        caller: &Caller,
        browser: &Browser,
        flow: &mut Flow<Settings>,
        current: &Current,
        submission: &Submission,
    ) -> Result<Changed, SubmitError> {
        let mut traits = submission.traits();
        for (name, value) in leaves("traits", &traits) {
            flow.ui.set_value(&name, value);
        }
        let schema = self.schema_of(Some(&current.identity.schema_id))?;
        let hooks = self.hooks_after(FlowKind::Settings, CredentialType::Profile);
        let mut tx = self.database.write(cx.tenant).await?;
        let before = storage::identities::lock_whole(&mut tx, self.vault(cx), current.session.identity_id)
            .await?
            .ok_or(FlowError::SessionInactive)?;
        profile::keep_unsent(&schema, &before.traits, &mut traits);
        let derived =
            schema.validate(&mut traits).map_err(|errors| SubmitError::Complaints(trait_complaints(&errors)))?;
        let mut after = before.clone();
        after.traits = traits;
        after.follow(&derived, &self.rng, cx.now);
        after.refresh_available_aal(self.factor_rules());
        after.updated_at = cx.now;
        if touches_access(&before, &after) {
            self.require_privileged(cx, flow, current)?;
        }
        match storage::identities::update(&mut tx, self.vault(cx), &before, &after).await {
            Ok(()) => {}
            Err(StoreError::Taken(_)) => {
                drop(tx);
                self.count_taken(cx).await?;
                return Err(SubmitError::general(validation::identifier_taken()));
            }
            Err(StoreError::Stale) => return Err(FlowError::FlowChanged.into()),
            Err(StoreError::Database(error)) => return Err(error.into()),
        }
        let to_verify =
            Self::address_to_verify(&after, Some(AddressStatus::Pending)).filter(|_| self.verification_enabled());
        let verification = match to_verify {
            Some(address) => {
                let of = VerificationOf {
                    person: &after,
                    is_real: true,
                    flow_type: flow.flow_type,
                    request_url: &flow.request_url,
                    return_to: None,
                    browser,
                    session_id: Some(current.session.id),
                    oauth2: None,
                    newcomer: None,
                    transient_payload: submission.transient_payload(),
                    caller,
                };
                Some(self.begin_verification_of(&mut tx, &self.in_language_of(cx, flow), of, address).await?)
            }
            None => None,
        };
        self.identity_event(&mut tx, cx, "IdentityUpdated", &after).await?;
        events::append(&mut tx, cx, flow, FlowEvent::named("SettingsSucceeded")).await?;
        tx.commit().await?;
        Ok(Changed { identity: after, verification: verification.filter(|_| hooks.show_verification_ui) })
    }
}

/// Whether a change alters how the person signs in, is reached, or gets her account back.
fn touches_access(before: &domain::Identity, after: &domain::Identity) -> bool {
    let verifiable = |person: &domain::Identity| -> Vec<_> {
        person.verifiable_addresses.iter().map(|address| (address.via, address.value.clone())).collect()
    };
    let recovery = |person: &domain::Identity| -> Vec<_> {
        person.recovery_addresses.iter().map(|address| (address.via, address.value.clone())).collect()
    };
    let identifiers = |person: &domain::Identity| -> Vec<_> {
        person.credentials.values().map(|credential| (credential.kind, credential.identifiers.clone())).collect()
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
        before.follow(&derived("a@x"), &rng, Timestamp::EPOCH);
        let mut after = before.clone();
        after.traits = json!({"name": "Ada"});
        after.follow(&derived("a@x"), &rng, Timestamp::EPOCH);
        assert!(!touches_access(&before, &after));
        after.follow(&derived("b@x"), &rng, Timestamp::EPOCH);
        assert!(touches_access(&before, &after));
    }
}
