//! Why a step of a submission failed: for a reason that the form shows, or one that ends the submission.

use std::time::Duration;

use crate::domain::message::{Message, validation};
use crate::domain::password_policy::PasswordRefusal;
use crate::domain::ui::ValidationMessage;
use crate::storage::identities::StoreError;

use super::SubmitError;

#[derive(Debug)]
pub(crate) enum StepError {
    /// Errors that the user can correct: shown in the form.
    Invalid(Vec<ValidationMessage>),
    /// As above, with its own status: limits.
    Limited {
        message: Box<ValidationMessage>,
        retry_after: Duration,
    },
    Submit(Box<SubmitError>),
}

impl<E: Into<SubmitError>> From<E> for StepError {
    fn from(error: E) -> Self {
        match error.into() {
            SubmitError::TooManyAttempts { retry_after } => {
                let minutes = retry_after.as_secs().div_ceil(60).max(1);
                let message = Box::new(ValidationMessage::general(validation::too_many_attempts(minutes)));
                Self::Limited { message, retry_after }
            }
            SubmitError::PasswordTooLong { max, actual } => {
                Self::at("password", validation::of_password(PasswordRefusal::TooLong { max, actual }))
            }
            SubmitError::FlowChanged => Self::general(validation::flow_changed()),
            other => Self::Submit(Box::new(other)),
        }
    }
}

impl From<StoreError> for StepError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(_) => Self::general(validation::identifier_taken()),
            StoreError::Stale => SubmitError::FlowChanged.into(),
            StoreError::Database(error) => error.into(),
        }
    }
}

impl StepError {
    pub(crate) fn general(message: Message) -> Self {
        Self::Invalid(vec![ValidationMessage::general(message)])
    }

    pub(crate) fn at(node: &str, message: Message) -> Self {
        Self::Invalid(vec![ValidationMessage::at(node, message)])
    }
}
