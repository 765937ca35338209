//! What a flow asks of a method. Every hook has a default for methods that do not take part.

use async_trait::async_trait;
use base::Context;

use crate::Identity;
use crate::domain::flow::{Flow, Settings};
use crate::domain::ui::Ui;
use crate::domain::{self, CredentialType, Credentials};
use crate::flows::error::{FlowError, SubmitError};
use crate::flows::login::step::{LoginStep, Step as LoginOutcome};
use crate::flows::registration::step::{RegistrationStep, Step as RegistrationOutcome};
use crate::flows::settings::step::{SettingsForm, SettingsStep, Step as SettingsOutcome};
use crate::flows::submission::Submission;

/// What a login asks for, and what is known of the person.
pub(crate) enum LoginForm<'a> {
    /// A first factor of somebody who is not named yet.
    FirstFactor,
    /// A first factor of whoever was named; `None` where the form must not tell which accounts exist.
    Named(Option<&'a Credentials>),
    /// A first factor of somebody who is signed in.
    Refresh(&'a domain::Identity),
    /// A second factor of somebody who is signed in.
    SecondFactor(&'a domain::Identity),
}

#[async_trait]
pub(crate) trait Method: Send + Sync {
    /// Its name on the wire and in the sessions that it proves.
    fn kind(&self) -> CredentialType;

    /// Whether a submission to a login is for this method.
    fn takes_login(&self, submission: &Submission) -> bool {
        submission.method() == Some(self.kind().as_str())
    }

    /// Adds its nodes to a login, where it is enabled and the person can use it. Answers whether it is offered.
    fn offer_login(&self, _service: &Identity, _form: &LoginForm<'_>, _ui: &mut Ui) -> bool {
        false
    }

    /// Checks a proof.
    async fn login(&self, _step: LoginStep<'_>) -> Result<LoginOutcome, SubmitError> {
        Err(FlowError::MethodDisabled.into())
    }

    /// Does at once what its only button would do, when it alone is offered. `false` when there is still a choice.
    async fn login_at_once(&self, _step: LoginStep<'_>) -> Result<bool, SubmitError> {
        Ok(false)
    }

    /// Whether a submission to a registration is for this method.
    fn takes_registration(&self, _submission: &Submission) -> bool {
        false
    }

    /// Adds its nodes to the choice of a credential.
    fn offer_registration(&self, _service: &Identity, _ui: &mut Ui) {}

    /// Makes a credential for a new person.
    async fn register(&self, _step: RegistrationStep<'_>) -> Result<RegistrationOutcome, SubmitError> {
        Err(FlowError::MethodDisabled.into())
    }

    /// Whether a submission to the settings is for this method.
    fn takes_settings(&self, _submission: &Submission) -> bool {
        false
    }

    /// Adds its nodes to the settings of a person.
    fn offer_settings(&self, _form: &mut SettingsForm<'_>) -> Result<(), FlowError> {
        Ok(())
    }

    /// Puts what the flow keeps sealed into a form that is about to be shown to its owner.
    fn show_settings(&self, _service: &Identity, _cx: &Context, _shown: &mut Flow<Settings>) {}

    /// Makes a change.
    async fn change(&self, _step: SettingsStep<'_>) -> Result<SettingsOutcome, SubmitError> {
        Err(FlowError::MethodDisabled.into())
    }
}
