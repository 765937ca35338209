//! Creates, shows and removes backup codes.

use base::{Context, Rng};
use serde::{Deserialize, Serialize};

use crate::Identity;
use crate::domain::credential::CredentialConfig;
use crate::domain::flow::{Flow, Settings};
use crate::domain::{Aal, AuthenticationMethod, Credential, CredentialType};
use crate::flows::errors::{StepError, SubmitError};
use crate::flows::settings::step::{Changed, SettingsForm, SettingsStep, Step, keep, kept};
use crate::flows::submission::Submission;

use super::credential::{LookupCode, LookupSecretCredential};
use super::{codes_of, messages, nodes};

const COUNT: usize = 12;
/// 8 of 36 characters are 41 bits; the attempt limits prevent guessing.
const LENGTH: usize = 8;
const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// The action that a submission requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Confirm,
    Reveal,
    Disable,
    Regenerate,
}

impl Action {
    /// If there are several, the first in this order applies.
    pub(super) fn of(submission: &Submission) -> Option<Self> {
        let actions = [
            ("lookup_secret_confirm", Self::Confirm),
            ("lookup_secret_reveal", Self::Reveal),
            ("lookup_secret_disable", Self::Disable),
            ("lookup_secret_regenerate", Self::Regenerate),
        ];
        actions.into_iter().find(|(name, _)| submission.flag(name)).map(|(_, action)| action)
    }
}

/// The codes that a form shows.
#[derive(Serialize, Deserialize)]
struct Shown {
    codes: Vec<LookupCode>,
    /// Whether they are not confirmed yet.
    is_new: bool,
}

pub(super) fn offer(form: &mut SettingsForm<'_>) {
    if !form.service.flow_policy.methods().lookup_secret.enabled {
        return;
    }
    match codes_of(&form.person.credentials) {
        Some(_) => nodes::hidden_form(&mut form.flow.ui),
        None => nodes::empty_form(&mut form.flow.ui),
    }
}

pub(super) fn show(service: &Identity, cx: &Context, shown: &mut Flow<Settings>) {
    if let Some(Shown { codes, .. }) = kept(service, cx, shown, CredentialType::LookupSecret) {
        nodes::show(&mut shown.ui, &codes);
    }
}

pub(super) async fn change(step: SettingsStep<'_>) -> Result<Step, StepError> {
    if !step.service.flow_policy.methods().lookup_secret.enabled {
        return Err(SubmitError::MethodDisabled.into());
    }
    step.require_privileged()?;
    match Action::of(step.submission) {
        Some(Action::Confirm) => confirm(step).await,
        Some(Action::Reveal) => reveal(step).await,
        Some(Action::Disable) => disable(step).await,
        Some(Action::Regenerate) | None => regenerate(step).await,
    }
}

async fn confirm(step: SettingsStep<'_>) -> Result<Step, StepError> {
    let cx = step.cx;
    let mut change = step.begin_change().await?;
    step.require_own_second_factor(&change.after)?;
    // Without new codes in this flow there is nothing to confirm: the form is outdated.
    let shown = step.take_kept::<Shown>(&mut change, CredentialType::LookupSecret).await?;
    let Shown { codes, .. } = shown.filter(|shown| shown.is_new).ok_or(SubmitError::FlowChanged)?;
    let identifiers = vec![change.after.id.to_string()];
    let config = CredentialConfig::LookupSecret(LookupSecretCredential::new(codes));
    let credential = Credential::new(config, identifiers, cx.now);
    change.after.credentials.insert(CredentialType::LookupSecret, credential);
    step.store(&mut change).await?;
    let method = AuthenticationMethod::new(CredentialType::LookupSecret, Aal::Aal2, cx.now);
    let session = step.prove(&mut change.tx, method).await?;
    Ok(Step::Changed(Box::new(Changed { session: Some(session), ..Changed::of(change) })))
}

async fn reveal(step: SettingsStep<'_>) -> Result<Step, StepError> {
    let (service, cx) = (step.service, step.cx);
    let person = &step.current.identity;
    step.require_own_second_factor(person)?;
    let codes = codes_of(&person.credentials).ok_or_else(|| StepError::general(messages::no_codes()))?.to_vec();
    nodes::revealed_form(&mut step.flow.ui);
    keep(service, cx, step.flow, CredentialType::LookupSecret, &Shown { codes, is_new: false })?;
    Ok(step.show().await?)
}

async fn regenerate(step: SettingsStep<'_>) -> Result<Step, StepError> {
    step.require_own_second_factor(&step.current.identity)?;
    let codes = new_codes(&step.service.rng);
    nodes::regenerated_form(&mut step.flow.ui);
    keep(step.service, step.cx, step.flow, CredentialType::LookupSecret, &Shown { codes, is_new: true })?;
    Ok(step.show().await?)
}

async fn disable(step: SettingsStep<'_>) -> Result<Step, StepError> {
    let mut change = step.begin_change().await?;
    step.require_own_second_factor(&change.after)?;
    change.after.credentials.remove(&CredentialType::LookupSecret);
    step.store(&mut change).await?;
    Ok(Step::Changed(Box::new(Changed::of(change))))
}

fn new_codes(rng: &Rng) -> Vec<LookupCode> {
    (0..COUNT).map(|_| LookupCode::unused(rng.text(LENGTH, ALPHABET))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Map, json};

    use super::*;

    #[test]
    fn twelve_different_codes_of_eight_characters_are_generated() {
        let codes: BTreeSet<String> = new_codes(&Rng::seeded(1)).into_iter().map(|it| it.code).collect();
        assert_eq!(codes.len(), COUNT);
        assert!(codes.iter().all(|code| code.len() == LENGTH && code.bytes().all(|byte| ALPHABET.contains(&byte))));
    }

    #[test]
    fn an_action_is_a_boolean_or_text() {
        let action = |members: serde_json::Value| {
            Action::of(&Submission(Map::from_iter(members.as_object().cloned().unwrap_or_default())))
        };
        assert_eq!(action(json!({"lookup_secret_reveal": true})), Some(Action::Reveal));
        assert_eq!(action(json!({"lookup_secret_regenerate": "true"})), Some(Action::Regenerate));
        assert_eq!(
            action(json!({"lookup_secret_disable": "true", "lookup_secret_confirm": true})),
            Some(Action::Confirm)
        );
        for nothing in [json!({}), json!({"method": "lookup_secret"}), json!({"lookup_secret_reveal": false})] {
            assert_eq!(action(nothing), None);
        }
    }
}
