//! Why a submission ends without a form to correct.

use std::time::Duration;

use crate::components::attempts::{AttemptError, TooManyAttempts};
use crate::components::hashing::HashError;
use crate::components::schemas::UnknownSchema;
use crate::domain::flow::FlowId;
use crate::domain::return_to::ForbiddenReturnTo;
use crate::storage::flows::UpdateError;

use super::{
    Expired, FlowDisabled, ForgedRequest, FormUnavailable, LoginChallengeError, RefreshRequired, SecondFactorRequired,
    SettingsDenied,
};

#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    #[error("flow: is missing or not the id of a flow")]
    FlowIdMissing,
    #[error("the flow does not exist")]
    FlowNotFound,
    #[error(transparent)]
    Expired(#[from] Expired),
    #[error("the flow was replaced by {use_flow_id}")]
    Replaced { use_flow_id: FlowId },
    #[error("another request changed the flow at the same time")]
    FlowChanged,
    #[error(transparent)]
    Disabled(#[from] FlowDisabled),
    #[error("the method is disabled")]
    MethodDisabled,
    #[error(transparent)]
    Forged(#[from] ForgedRequest),
    #[error(transparent)]
    ReturnTo(#[from] ForbiddenReturnTo),
    #[error(transparent)]
    Form(#[from] FormUnavailable),
    #[error(transparent)]
    Challenge(#[from] LoginChallengeError),
    #[error("the user already has a session")]
    SessionAlreadyAvailable,
    #[error("there is no active session")]
    NoSession,
    #[error("the session that this flow belongs to has ended")]
    FlowSessionEnded,
    #[error("a second factor requires a session")]
    FirstFactorRequired,
    #[error(transparent)]
    SecondFactor(#[from] SecondFactorRequired),
    #[error(transparent)]
    Refresh(#[from] RefreshRequired),
    #[error(transparent)]
    Denied(#[from] SettingsDenied),
    #[error("the address is not verified")]
    AddressNotVerified { flow: FlowId, address: String, url: String },
    #[error("require_verified_address is configured, but the identity has no address that can be verified")]
    NothingToVerify,
    #[error("too many attempts")]
    TooManyAttempts { retry_after: Duration },
    #[error("too many passwords are being checked")]
    Busy { retry_after: Duration },
    #[error("the password is longer than its hash supports")]
    PasswordTooLong { max: usize, actual: usize },
    #[error("the list of breached passwords cannot be reached")]
    BreachListUnavailable,
    #[error(transparent)]
    Observer(#[from] contracts::SubjectObserverError),
    #[error(transparent)]
    Database(#[from] database::Error),
    #[error("an invariant is broken: {0}")]
    Broken(&'static str),
}

impl From<UpdateError> for SubmitError {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::Stale => Self::FlowChanged,
            UpdateError::Database(error) => Self::Database(error),
        }
    }
}

impl From<TooManyAttempts> for SubmitError {
    fn from(TooManyAttempts { retry_after }: TooManyAttempts) -> Self {
        Self::TooManyAttempts { retry_after }
    }
}

impl From<AttemptError> for SubmitError {
    fn from(error: AttemptError) -> Self {
        match error {
            AttemptError::TooMany(error) => error.into(),
            AttemptError::Database(error) => Self::Database(error),
        }
    }
}

impl From<UnknownSchema> for SubmitError {
    fn from(error: UnknownSchema) -> Self {
        Self::Form(error.into())
    }
}

impl From<HashError> for SubmitError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Overloaded { retry_after } => Self::Busy { retry_after },
            HashError::TooLong { max, actual } => Self::PasswordTooLong { max, actual },
            HashError::Failed => Self::Broken("a password could not be hashed"),
        }
    }
}
