//! The interface of a sign-in method. Every hook has a default for methods that do not implement it.

use async_trait::async_trait;
use base::Context;

use crate::Identity;
use crate::config::Methods;
use crate::domain::flow::{Flow, Settings};
use crate::domain::ui::Ui;
use crate::domain::{self, CredentialType, Credentials};
use crate::flows::errors::{FormUnavailable, StepError, SubmitError};
use crate::flows::login::step::{LoginStep, Step as LoginOutcome};
use crate::flows::registration::step::{RegistrationStep, Step as RegistrationOutcome};
use crate::flows::settings::step::{SettingsForm, SettingsStep, Step as SettingsOutcome};
use crate::flows::submission::Submission;

/// The kind of a login, and the data about the user.
pub(crate) enum LoginForm<'a> {
    /// A first factor; the user is not identified yet.
    FirstFactor,
    /// A first factor of an identified user; `None` where the form must not reveal which accounts exist.
    Named(Option<&'a Credentials>),
    /// A first factor of a signed-in user.
    Refresh(&'a domain::Identity),
    /// A second factor of a signed-in user.
    SecondFactor(&'a domain::Identity),
}

#[async_trait]
pub(crate) trait Method: Send + Sync {
    /// The name on the wire and in the authentication methods of sessions.
    fn kind(&self) -> CredentialType;

    /// Whether a submission to a login is for this method.
    fn takes_login(&self, submission: &Submission) -> bool {
        submission.method() == Some(self.kind().as_str())
    }

    /// Adds the nodes of the method to a login, if it is enabled and the user can use it. Returns whether it is offered.
    fn offer_login(&self, _service: &Identity, _form: &LoginForm<'_>, _ui: &mut Ui) -> bool {
        false
    }

    /// Checks a proof.
    async fn login(&self, _step: LoginStep<'_>) -> Result<LoginOutcome, StepError> {
        Err(SubmitError::MethodDisabled.into())
    }

    /// If this method is the only one offered, performs the action of its only button. `false` when there is still a choice.
    async fn login_at_once(&self, _step: LoginStep<'_>) -> Result<bool, StepError> {
        Ok(false)
    }

    /// Whether a submission to a registration is for this method.
    fn takes_registration(&self, _submission: &Submission) -> bool {
        false
    }

    /// Adds the nodes of the method to the choice of a credential.
    fn offer_registration(&self, _service: &Identity, _ui: &mut Ui) {}

    /// Creates a credential for a new user.
    async fn register(&self, _step: RegistrationStep<'_>) -> Result<RegistrationOutcome, StepError> {
        Err(SubmitError::MethodDisabled.into())
    }

    /// Whether a submission to the settings is for this method.
    fn takes_settings(&self, _submission: &Submission) -> bool {
        false
    }

    /// Whether users can set up a second factor with this method.
    fn sets_up_second_factors(&self, _enabled: &Methods) -> bool {
        false
    }

    /// The names of its nodes in the order of the settings; a name stands for all that begin with it.
    fn node_order(&self) -> &'static [&'static str] {
        &[]
    }

    /// Adds the nodes of the method to the settings of a user.
    fn offer_settings(&self, _form: &mut SettingsForm<'_>) -> Result<(), FormUnavailable> {
        Ok(())
    }

    /// Inserts data that the flow keeps sealed into a form that is shown to its owner.
    fn show_settings(&self, _service: &Identity, _cx: &Context, _shown: &mut Flow<Settings>) {}

    /// Applies a change.
    async fn change(&self, _step: SettingsStep<'_>) -> Result<SettingsOutcome, StepError> {
        Err(SubmitError::MethodDisabled.into())
    }
}
