//! The method `profile`: the traits, changed in the settings. It proves nothing. A registration asks for the same traits by its
//! own steps.

mod config;
mod nodes;
mod settings;

pub use config::ProfileMethod;

use async_trait::async_trait;

use super::Method;
use crate::Identity;
use crate::domain::ui::Ui;
use crate::domain::{self, CredentialType};
use crate::flows::error::{FlowError, SubmitError};
use crate::flows::settings::step::{SettingsStep, Step as SettingsOutcome};
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

    fn offer_settings(&self, service: &Identity, person: &domain::Identity, ui: &mut Ui) -> Result<(), FlowError> {
        if service.methods().profile.enabled {
            let schema = service.schema_of_person(person)?;
            nodes::settings_form(ui, &schema, &person.traits);
        }
        Ok(())
    }

    async fn change(&self, step: SettingsStep<'_>) -> Result<SettingsOutcome, SubmitError> {
        settings::change(step).await
    }
}
