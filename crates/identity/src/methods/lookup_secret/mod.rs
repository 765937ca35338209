//! The method `lookup_secret`: backup codes that a user stores offline, each of which works once (NIST SP 800-63B section
//! 5.1.2). They are a second factor for a user who lost the other one.
//!
//! Invariants:
//! - A code is used once, even under concurrent requests.
//! - New codes become valid when their owner confirms that they were saved; until then the old ones are valid.
//! - Codes are stored sealed, in the credential and in the flow that shows them.

pub mod config;
pub mod credential;
pub mod import;
mod login;
pub(crate) mod messages;
mod nodes;
mod settings;

use async_trait::async_trait;
use base::Context;

use credential::LookupCode;

use super::{LoginForm, Method};
use crate::Identity;
use crate::config::Methods;
use crate::domain::credential::CredentialConfig;
use crate::domain::flow::{Flow, Settings};
use crate::domain::ui::Ui;
use crate::domain::{Credential, CredentialType, Credentials};
use crate::flows::errors::{FormUnavailable, StepError};
use crate::flows::login::step::{LoginStep, Step as LoginOutcome};
use crate::flows::settings::step::{SettingsForm, SettingsStep, Step as SettingsOutcome};
use crate::flows::submission::Submission;

pub(crate) struct LookupSecret;

#[async_trait]
impl Method for LookupSecret {
    fn kind(&self) -> CredentialType {
        CredentialType::LookupSecret
    }

    fn offer_login(&self, service: &Identity, form: &LoginForm<'_>, ui: &mut Ui) -> bool {
        match form {
            LoginForm::SecondFactor(person)
                if service.flow_policy.methods().lookup_secret.enabled && codes_of(&person.credentials).is_some() =>
            {
                nodes::login_form(ui);
                true
            }
            LoginForm::FirstFactor | LoginForm::Named(_) | LoginForm::Refresh(_) | LoginForm::SecondFactor(_) => false,
        }
    }

    async fn login(&self, step: LoginStep<'_>) -> Result<LoginOutcome, StepError> {
        login::login(step).await
    }

    fn takes_settings(&self, submission: &Submission) -> bool {
        settings::Action::of(submission).is_some()
    }

    fn sets_up_second_factors(&self, enabled: &Methods) -> bool {
        enabled.lookup_secret.enabled
    }

    fn node_order(&self) -> &'static [&'static str] {
        nodes::ORDER
    }

    fn offer_settings(&self, form: &mut SettingsForm<'_>) -> Result<(), FormUnavailable> {
        settings::offer(form);
        Ok(())
    }

    fn show_settings(&self, service: &Identity, cx: &Context, shown: &mut Flow<Settings>) {
        settings::show(service, cx, shown);
    }

    async fn change(&self, step: SettingsStep<'_>) -> Result<SettingsOutcome, StepError> {
        settings::change(step).await
    }
}

/// The codes of a user, including used ones; `None` without codes.
fn codes_of(credentials: &Credentials) -> Option<&[LookupCode]> {
    codes(credentials.get(&CredentialType::LookupSecret)?)
}

fn codes(credential: &Credential) -> Option<&[LookupCode]> {
    match &credential.config {
        CredentialConfig::LookupSecret(lookup) => Some(lookup.recovery_codes.as_slice()).filter(|it| !it.is_empty()),
        _ => None,
    }
}
