//! Sets a new password. It requires a recent sign-in, and ends open recoveries and, if configured, other sessions, because
//! they could undo the change.

use base::Secret;

use crate::Identity;
use crate::domain::message::validation;
use crate::domain::password_policy::PasswordRefusal;
use crate::domain::{self, Credential, CredentialType};
use crate::flows::errors::{FormUnavailable, StepError, SubmitError};
use crate::flows::settings::step::{Changed, SettingsStep, Step};
use crate::storage;

pub(super) async fn change(step: SettingsStep<'_>) -> Result<Step, StepError> {
    let (service, cx, known) = (step.service, step.cx, &step.current.identity);
    if !service.flow_policy.methods().password.enabled {
        return Err(SubmitError::MethodDisabled.into());
    }
    step.require_privileged()?;
    let Some(password) = step.submission.text("password") else {
        return Err(StepError::at("password", validation::missing("password")));
    };
    let password = Secret::new(password.to_owned());
    service.check_new_password(cx, &password, known.identifiers()).await?;
    let old_hash = known.credential(CredentialType::Password).and_then(Credential::password_hash);
    if let Some(hash) = old_hash
        && service.hasher.verify(&password, hash).await?
    {
        return Err(StepError::at("password", validation::of_password(PasswordRefusal::Unchanged)));
    }
    let hash = service.hasher.hash(&password).await?;

    let mut change = step.begin_change().await?;
    let identifiers = password_identifiers(service, &change.after)?;
    if identifiers.is_empty() {
        return Err(StepError::general(validation::no_identifiers()));
    }
    let credential = Credential::password(identifiers, &hash, cx.now);
    change.after.credentials.insert(CredentialType::Password, credential);
    step.store(&mut change).await?;
    storage::codes::invalidate_recovery(&mut change.tx, change.after.id).await?;
    Ok(Step::Changed(Box::new(Changed::of(change))))
}

/// The identifiers of the user's password credential, from their traits.
fn password_identifiers(service: &Identity, person: &domain::Identity) -> Result<Vec<String>, FormUnavailable> {
    if let Some(credential) = person.credential(CredentialType::Password).filter(|it| !it.identifiers.is_empty()) {
        return Ok(credential.identifiers.clone());
    }
    let schema = service.schemas.by_id(Some(&person.schema_id))?;
    let mut traits = person.traits.clone();
    Ok(schema.validate(&mut traits).map(|derived| derived.password).unwrap_or_default())
}
