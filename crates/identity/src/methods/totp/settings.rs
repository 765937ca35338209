//! Sets up and removes an authenticator app.
//!
//! The flow keeps a new secret until its first code proves that the app has it. The setup counts as a second factor of the
//! current session.

use base::Context;

use crate::Identity;
use crate::domain::credential::CredentialConfig;
use crate::domain::flow::{Flow, Settings};
use crate::domain::message::validation;
use crate::domain::{self, Aal, AuthenticationMethod, Credential, CredentialType};
use crate::flows::errors::{FormUnavailable, StepError, SubmitError};
use crate::flows::settings::step::{Changed, SettingsForm, SettingsStep, Step, keep, kept};
use crate::flows::trait_nodes::value_at;

use super::credential::TotpCredential;
use super::key::Key;
use super::{messages, nodes, storage, url_of};

pub(super) fn offer(form: &mut SettingsForm<'_>) -> Result<(), FormUnavailable> {
    let (service, person) = (form.service, form.person);
    if !service.flow_policy.methods().totp.enabled {
        return Ok(());
    }
    if url_of(person).is_some() {
        nodes::unlink_form(&mut form.flow.ui);
        return Ok(());
    }
    let key = Key::generate(&service.rng, issuer(service), &account_name(service, person)?);
    keep(service, form.cx, form.flow, CredentialType::Totp, &key.url())?;
    nodes::link_form(&mut form.flow.ui);
    Ok(())
}

pub(super) fn show(service: &Identity, cx: &Context, shown: &mut Flow<Settings>) {
    if let Some(key) = new_key(service, cx, shown) {
        nodes::show(&mut shown.ui, &key);
    }
}

pub(super) async fn change(step: SettingsStep<'_>) -> Result<Step, StepError> {
    if !step.service.flow_policy.methods().totp.enabled {
        return Err(SubmitError::MethodDisabled.into());
    }
    step.require_privileged()?;
    if step.submission.flag("totp_unlink") { unlink(step).await } else { link(step).await }
}

async fn link(step: SettingsStep<'_>) -> Result<Step, StepError> {
    let cx = step.cx;
    let Some(code) = step.submission.text("totp_code") else {
        return Err(StepError::at("totp_code", validation::missing("totp_code")));
    };
    let mut change = step.begin_change().await?;
    step.require_own_second_factor(&change.after)?;
    // Another page set up an app in the meantime, so the secret of this one is outdated.
    let url: Option<String> = step.take_kept(&mut change, CredentialType::Totp).await?;
    let key = url.and_then(|url| Key::parse(&url)).filter(|_| url_of(&change.after).is_none());
    let key = key.ok_or(SubmitError::FlowChanged)?;
    let Some(used) = key.step_of(code, cx.now) else {
        return Err(StepError::at("totp_code", messages::code_invalid()));
    };
    let id = change.after.id;
    let config = CredentialConfig::Totp(TotpCredential::new(key.url()));
    change.after.credentials.insert(CredentialType::Totp, Credential::new(config, vec![id.to_string()], cx.now));
    step.store(&mut change).await?;
    if !storage::use_step(&mut change.tx, id, used).await? {
        return Err(StepError::at("totp_code", messages::code_invalid()));
    }
    let method = AuthenticationMethod::new(CredentialType::Totp, Aal::Aal2, cx.now);
    let session = step.prove(&mut change.tx, method).await?;
    Ok(Step::Changed(Box::new(Changed { session: Some(session), ..Changed::of(change) })))
}

async fn unlink(step: SettingsStep<'_>) -> Result<Step, StepError> {
    let mut change = step.begin_change().await?;
    step.require_own_second_factor(&change.after)?;
    change.after.credentials.remove(&CredentialType::Totp);
    // Used codes would be required for each sign-in from now on, and could never be given.
    change.after.credentials.retain(|_, credential| !credential.config.is_used_up());
    step.store(&mut change).await?;
    Ok(Step::Changed(Box::new(Changed::of(change))))
}

/// The key that the flow expects a code of.
fn new_key(service: &Identity, cx: &Context, flow: &Flow<Settings>) -> Option<Key> {
    Key::parse(&kept::<String>(service, cx, flow, CredentialType::Totp)?)
}

fn issuer(service: &Identity) -> &str {
    let configured = service.flow_policy.methods().totp.config.issuer.as_deref().filter(|issuer| !issuer.is_empty());
    configured.or_else(|| service.urls.public().host_str()).unwrap_or("Kleis")
}

/// The trait that the schema selects as account name, else the id of the user.
fn account_name(service: &Identity, person: &domain::Identity) -> Result<String, FormUnavailable> {
    let schema = service.schemas.of_person(person)?;
    let mut fields = schema.fields().iter().filter(|field| field.extension.totp_account_name);
    let value = fields.find_map(|field| value_at(&person.traits, &field.name));
    Ok(match value {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => person.id.to_string(),
    })
}
