//! Sign-in with a password.

use base::{Context, Secret};

use crate::Identity;
use crate::components::attempts::Target;
use crate::domain::credential::CredentialConfig;
use crate::domain::identifier::normalize;
use crate::domain::message::validation;
use crate::domain::session::AuthenticationMethod;
use crate::domain::{self, Aal, Credential, CredentialType};
use crate::flows::errors::StepError;
use crate::flows::login::step::{Effects, LoginStep, Proof, Step, missing};
use crate::storage;

pub(super) async fn login(step: LoginStep<'_>) -> Result<Step, StepError> {
    let (service, cx, submission) = (step.service, step.cx, step.submission);
    step.require_first_factor(service.flow_policy.methods().password.enabled)?;
    step.flow.submitted_method = Some(CredentialType::Password);
    let identifier = submission.text("identifier").or_else(|| submission.text("password_identifier"));
    let identifier = identifier.ok_or_else(|| missing("identifier"))?.to_owned();
    step.flow.ui.set_value("identifier", identifier.clone().into());
    let password = submission.text("password").ok_or_else(|| missing("password"))?;
    let normalized = normalize(CredentialType::Password, &identifier);

    let mut tx = service.database.read(cx.tenant);
    let found = storage::identities::find_by_identifier(
        &mut tx,
        service.tenant_sealer(cx),
        CredentialType::Password,
        &normalized,
    )
    .await?;
    drop(tx);
    let owner = found.as_ref().map(|person| person.id);
    let target = Target::Secret { name: &normalized, person: owner };
    let guess = service.attempts.admit(cx, step.caller, &target, false).await?;
    let password = Secret::new(password.to_owned());
    let credential = found.as_ref().and_then(|person| person.credential(CredentialType::Password));
    let matches = if let Some(hash) = credential.and_then(Credential::password_hash) {
        service.hasher.verify(&password, hash).await?
    } else {
        // Hash anyway, so that timing does not reveal whether the account exists.
        service.hasher.verify_unknown(&password).await?;
        false
    };
    let (Some(identity), true) = (found, matches && !guess.is_ignored()) else {
        let person = owner.filter(|_| !guess.is_ignored());
        step.count_failed_guess(guess, person, "the password is wrong").await?;
        return Err(StepError::general(validation::invalid_credentials()));
    };
    step.flow.active = Some(CredentialType::Password);
    let method = AuthenticationMethod::new(CredentialType::Password, Aal::Aal1, cx.now);
    let rehashed = rehashed(service, cx, &identity, &password).await;
    let effects = Effects { rehashed, familiar: guess.familiar.clone(), ..Effects::default() };
    Ok(Step::Proved(Box::new(Proof { identity, method, effects })))
}

/// The credential with a hash under the current parameters, if its hash is weaker. If the pool is full, the next sign-in
/// replaces it.
async fn rehashed(
    service: &Identity,
    cx: &Context,
    identity: &domain::Identity,
    password: &Secret<String>,
) -> Option<Credential> {
    let mut credential = identity.credential(CredentialType::Password)?.clone();
    let CredentialConfig::Password(stored) = &mut credential.config else { return None };
    if service.hasher.is_current(stored.hash()?) {
        return None;
    }
    match service.hasher.hash(password).await {
        Ok(hash) => {
            stored.rehash(hash);
            credential.updated_at = cx.now;
            Some(credential)
        }
        Err(error) => {
            tracing::warn!(request_id = %cx.request_id, %error, "a password keeps its outdated hash");
            None
        }
    }
}
