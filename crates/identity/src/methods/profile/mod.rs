//! The method `profile`: changes the traits in the settings. It proves nothing. A registration asks for the same traits in
//! its own steps.

pub mod config;
mod nodes;
mod settings;

use async_trait::async_trait;

use super::Method;
use crate::domain::CredentialType;
use crate::flows::errors::{FormUnavailable, StepError};
use crate::flows::settings::step::{SettingsForm, SettingsStep, Step as SettingsOutcome};
use crate::flows::submission::Submission;

pub(crate) struct Profile;

#[async_trait]
impl Method for Profile {
    fn kind(&self) -> CredentialType {
        CredentialType::Profile
    }

    fn takes_settings(&self, submission: &Submission) -> bool {
        submission.method() == Some(self.kind().as_str())
    }

    fn offer_settings(&self, form: &mut SettingsForm<'_>) -> Result<(), FormUnavailable> {
        if form.service.flow_policy.methods().profile.enabled {
            let schema = form.service.schemas.of_person(form.person)?;
            nodes::settings_form(&mut form.flow.ui, &schema, &form.person.traits);
        }
        Ok(())
    }

    async fn change(&self, step: SettingsStep<'_>) -> Result<SettingsOutcome, StepError> {
        settings::change(step).await
    }
}
