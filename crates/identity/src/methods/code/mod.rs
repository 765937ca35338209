//! The method `code`: six digits that are sent to an address of the user. A first factor with `passwordless_enabled`, a
//! second factor with `mfa_enabled`. Recovery and verification use the same forms. All flows share the code that sends and
//! checks codes: `components/codes.rs`.

pub mod config;
pub mod credential;
mod login;
pub(crate) mod nodes;
mod registration;

use async_trait::async_trait;

use super::{LoginForm, Method};
use crate::Identity;
use crate::domain::ui::Ui;
use crate::domain::ui_node::{Group, Node};
use crate::domain::{Credential, CredentialType};
use crate::flows::errors::StepError;
use crate::flows::login::step::{LoginStep, Step as LoginOutcome};
use crate::flows::registration::step::{RegistrationStep, Step as RegistrationOutcome};
use crate::flows::submission::Submission;

pub(crate) struct Code;

#[async_trait]
impl Method for Code {
    fn kind(&self) -> CredentialType {
        CredentialType::Code
    }

    fn takes_login(&self, submission: &Submission) -> bool {
        match submission.method() {
            Some(method) => method == self.kind().as_str(),
            None => submission.text("address").is_some() || submission.text("resend") == Some("code"),
        }
    }

    fn offer_login(&self, service: &Identity, form: &LoginForm<'_>, ui: &mut Ui) -> bool {
        let method = &service.flow_policy.methods().code;
        if let LoginForm::SecondFactor(person) = form {
            let addresses = login::second_factor_addresses(service, person);
            if method.mfa_enabled {
                nodes::second_factor_form(ui, &addresses);
            }
            return method.mfa_enabled && !addresses.is_empty();
        }
        let addresses =
            |credential: Option<&Credential>| credential.map(Credential::code_addresses).unwrap_or_default();
        let is_usable = match form {
            LoginForm::FirstFactor | LoginForm::Named(None) => true,
            LoginForm::Named(Some(credentials)) => !addresses(credentials.get(&self.kind())).is_empty(),
            LoginForm::Refresh(person) => match addresses(person.credential(self.kind())).into_iter().next() {
                Some((_, address)) if method.passwordless_enabled => {
                    if ui.nodes.find("identifier").is_none() {
                        ui.nodes.upsert(Node::hidden(Group::Default, "identifier", address));
                    }
                    true
                }
                Some(_) | None => false,
            },
            LoginForm::SecondFactor(_) => false,
        };
        if is_usable && method.passwordless_enabled {
            nodes::login_form(ui);
        }
        is_usable && method.passwordless_enabled
    }

    async fn login(&self, step: LoginStep<'_>) -> Result<LoginOutcome, StepError> {
        login::login(step).await
    }

    async fn login_at_once(&self, step: LoginStep<'_>) -> Result<bool, StepError> {
        login::send_at_once(step).await
    }

    fn takes_registration(&self, submission: &Submission) -> bool {
        submission.method() == Some(self.kind().as_str())
    }

    fn offer_registration(&self, service: &Identity, ui: &mut Ui) {
        if service.flow_policy.methods().code.passwordless_enabled {
            nodes::registration_form(ui);
        }
    }

    async fn register(&self, step: RegistrationStep<'_>) -> Result<RegistrationOutcome, StepError> {
        registration::register(step).await
    }
}
