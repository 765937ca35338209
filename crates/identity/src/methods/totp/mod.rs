//! The method `totp`: the codes of an authenticator app (RFC 6238), a second factor.
//!
//! Invariants:
//! - After a code is accepted, neither it nor a code of an earlier step is accepted again (RFC 6238 section 5.2).
//! - The secret is stored sealed, in the credential and in the flow that sets it up.
//! - Guesses are limited like those at passwords. An existing session does not lift the limit, because anyone who knows the
//!   password can create any number of sessions.

pub mod config;
pub mod credential;
pub mod import;
mod key;
mod login;
pub(crate) mod messages;
mod nodes;
mod qr;
mod settings;
pub(crate) mod storage;

use async_trait::async_trait;
use base::Context;

use super::{LoginForm, Method};
use crate::Identity;
use crate::config::Methods;
use crate::domain::credential::CredentialConfig;
use crate::domain::flow::{Flow, Settings};
use crate::domain::ui::Ui;
use crate::domain::{self, CredentialType};
use crate::flows::errors::{FormUnavailable, StepError};
use crate::flows::login::step::{LoginStep, Step as LoginOutcome};
use crate::flows::settings::step::{SettingsForm, SettingsStep, Step as SettingsOutcome};
use crate::flows::submission::Submission;

pub(crate) struct Totp;

#[async_trait]
impl Method for Totp {
    fn kind(&self) -> CredentialType {
        CredentialType::Totp
    }

    fn offer_login(&self, service: &Identity, form: &LoginForm<'_>, ui: &mut Ui) -> bool {
        match form {
            LoginForm::SecondFactor(person)
                if service.flow_policy.methods().totp.enabled && url_of(person).is_some() =>
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
        submission.method() == Some(self.kind().as_str()) || submission.flag("totp_unlink")
    }

    fn sets_up_second_factors(&self, enabled: &Methods) -> bool {
        enabled.totp.enabled
    }

    fn node_order(&self) -> &'static [&'static str] {
        nodes::ORDER
    }

    fn offer_settings(&self, form: &mut SettingsForm<'_>) -> Result<(), FormUnavailable> {
        settings::offer(form)
    }

    fn show_settings(&self, service: &Identity, cx: &Context, shown: &mut Flow<Settings>) {
        settings::show(service, cx, shown);
    }

    async fn change(&self, step: SettingsStep<'_>) -> Result<SettingsOutcome, StepError> {
        settings::change(step).await
    }
}

/// The `otpauth` URL of a user who has an authenticator app.
fn url_of(person: &domain::Identity) -> Option<&str> {
    match &person.credential(CredentialType::Totp)?.config {
        CredentialConfig::Totp(totp) => totp.secret().map(|_| totp.url()),
        _ => None,
    }
}
