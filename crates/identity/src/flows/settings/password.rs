//! Setting a new password.

use base::{Context, Secret};

use crate::Identity;
use crate::domain::flow::{Flow, FlowKind, Settings};
use crate::domain::message::validation;
use crate::domain::password_policy::PasswordRefusal;
use crate::domain::{Credential, CredentialType};
use crate::flows::current::Current;
use crate::flows::error::{FlowError, SubmitError};
use crate::flows::events::{self, FlowEvent};
use crate::flows::submission::Submission;
use crate::storage;
use crate::storage::identities::StoreError;

use super::submit::Changed;

impl Identity {
    pub(super) async fn change_password(
        &self,
        cx: &Context,
        flow: &Flow<Settings>,
        current: &Current,
        submission: &Submission,
    ) -> Result<Changed, SubmitError> {
        self.require_privileged(cx, flow, current)?;
        let Some(password) = submission.text("password") else {
            return Err(SubmitError::at("password", validation::missing("password")));
        };
        let password = Secret::new(password.to_owned());
        let mut read = self.database.read(cx.tenant);
        let known = storage::identities::find_whole(&mut read, self.vault(cx), current.session.identity_id).await?;
        let known = known.ok_or(FlowError::SessionInactive)?;
        self.check_new_password(cx, &password, known.identifiers()).await?;
        let old_hash = known.credential(CredentialType::Password).and_then(Credential::password_hash);
        if let Some(hash) = old_hash
            && self.hasher.verify(&password, hash).await?
        {
            return Err(SubmitError::at("password", validation::of_password(PasswordRefusal::Unchanged)));
        }
        let hash = self.hasher.hash(&password).await?;

        let hooks = self.hooks_after(FlowKind::Settings, CredentialType::Password);
        let mut tx = self.database.write(cx.tenant).await?;
        let before = storage::identities::lock_whole(&mut tx, self.vault(cx), known.id)
            .await?
            .ok_or(FlowError::SessionInactive)?;
        let mut after = before.clone();
        let identifiers = self.password_identifiers(&after)?;
        if identifiers.is_empty() {
            return Err(SubmitError::general(validation::no_identifiers()));
        }
        after.credentials.insert(CredentialType::Password, Credential::password(identifiers, &hash, cx.now));
        after.refresh_available_aal(self.factor_rules());
        after.updated_at = cx.now;
        match storage::identities::update(&mut tx, self.vault(cx), &before, &after).await {
            Ok(()) => storage::codes::void_recovery(&mut tx, after.id).await?,
            Err(StoreError::Taken(_)) => return Err(SubmitError::general(validation::identifier_taken())),
            Err(StoreError::Stale) => return Err(FlowError::FlowChanged.into()),
            Err(StoreError::Database(error)) => return Err(error.into()),
        }
        if hooks.revoke_active_sessions {
            self.end_other_sessions(&mut tx, cx, after.id, current.session.id).await?;
        }
        self.identity_event(&mut tx, cx, "IdentityUpdated", &after).await?;
        events::append(&mut tx, cx, flow, FlowEvent::named("SettingsSucceeded")).await?;
        tx.commit().await?;
        Ok(Changed { identity: after, verification: None })
    }

    /// The identifiers that the person's traits give to her password.
    fn password_identifiers(&self, person: &crate::domain::Identity) -> Result<Vec<String>, FlowError> {
        if let Some(credential) = person.credential(CredentialType::Password).filter(|it| !it.identifiers.is_empty()) {
            return Ok(credential.identifiers.clone());
        }
        let schema = self.schema_of(Some(&person.schema_id))?;
        let mut traits = person.traits.clone();
        Ok(schema.validate(&mut traits).map(|derived| derived.password).unwrap_or_default())
    }
}
