//! The method `identifier_first`: a login that asks for the identifier first, and then offers the methods of that account.
//! It proves nothing. `selfservice.flows.login.style` enables it.

mod login;
mod nodes;

pub(crate) use nodes::identification_form;

use async_trait::async_trait;

use super::Method;
use crate::domain::CredentialType;
use crate::flows::errors::StepError;
use crate::flows::login::step::{LoginStep, Step as LoginOutcome};
use crate::flows::submission::Submission;

pub(crate) struct IdentifierFirst;

#[async_trait]
impl Method for IdentifierFirst {
    fn kind(&self) -> CredentialType {
        CredentialType::IdentifierFirst
    }

    fn takes_login(&self, submission: &Submission) -> bool {
        match submission.method() {
            Some(method) => method == self.kind().as_str(),
            None => submission.text("identifier").is_some() && submission.text("password").is_none(),
        }
    }

    async fn login(&self, step: LoginStep<'_>) -> Result<LoginOutcome, StepError> {
        login::login(step).await
    }
}
