//! The method `password`: a memorized secret (NIST SP 800-63B section 5.1.1). A first factor.
//!
//! Invariants:
//! - The attempt limits admit a guess before it is hashed. It is hashed for unknown identifiers as well.
//! - A new password passes the policy and the list of breached passwords, wherever it is set.

pub mod config;
pub mod credential;
pub mod import;
mod login;
mod nodes;
mod policy;
mod registration;
mod settings;

use async_trait::async_trait;

use super::{LoginForm, Method};
use crate::Identity;
use crate::domain::ui::Ui;
use crate::domain::{Credential, CredentialType};
use crate::flows::errors::{FormUnavailable, StepError};
use crate::flows::login::step::{LoginStep, Step as LoginOutcome};
use crate::flows::registration::step::{RegistrationStep, Step as RegistrationOutcome};
use crate::flows::settings::step::{SettingsForm, SettingsStep, Step as SettingsOutcome};
use crate::flows::submission::Submission;

pub(crate) struct Password;

#[async_trait]
impl Method for Password {
    fn kind(&self) -> CredentialType {
        CredentialType::Password
    }

    fn offer_login(&self, service: &Identity, form: &LoginForm<'_>, ui: &mut Ui) -> bool {
        if !service.flow_policy.methods().password.enabled {
            return false;
        }
        match form {
            LoginForm::FirstFactor | LoginForm::Named(None) => nodes::login_form(ui),
            LoginForm::Named(Some(credentials)) => {
                if credentials.get(&self.kind()).and_then(Credential::password_hash).is_none() {
                    return false;
                }
                nodes::login_form(ui);
            }
            LoginForm::Refresh(person) => {
                let password = person.credential(self.kind()).filter(|it| it.password_hash().is_some());
                let Some(identifier) = password.and_then(|it| it.identifiers.first()) else { return false };
                nodes::refresh_form(ui, identifier);
            }
            LoginForm::SecondFactor(_) => return false,
        }
        true
    }

    async fn login(&self, step: LoginStep<'_>) -> Result<LoginOutcome, StepError> {
        login::login(step).await
    }

    fn takes_registration(&self, submission: &Submission) -> bool {
        submission.method() == Some(self.kind().as_str())
    }

    fn offer_registration(&self, service: &Identity, ui: &mut Ui) {
        if service.flow_policy.methods().password.enabled {
            nodes::registration_form(ui);
        }
    }

    async fn register(&self, step: RegistrationStep<'_>) -> Result<RegistrationOutcome, StepError> {
        registration::register(step).await
    }

    fn takes_settings(&self, submission: &Submission) -> bool {
        submission.method() == Some(self.kind().as_str())
    }

    fn offer_settings(&self, form: &mut SettingsForm<'_>) -> Result<(), FormUnavailable> {
        if form.service.flow_policy.methods().password.enabled {
            nodes::settings_form(&mut form.flow.ui);
        }
        Ok(())
    }

    async fn change(&self, step: SettingsStep<'_>) -> Result<SettingsOutcome, StepError> {
        settings::change(step).await
    }
}
