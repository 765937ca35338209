//! Why a flow cannot begin.

use crate::components::schemas::UnknownSchema;
use crate::domain::return_to::ForbiddenReturnTo;

use super::{FlowDisabled, FormUnavailable, LoginChallengeError, SecondFactorRequired, SubmitError};

#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    #[error(transparent)]
    Disabled(#[from] FlowDisabled),
    #[error(transparent)]
    ReturnTo(#[from] ForbiddenReturnTo),
    #[error("the assurance level `{0}` is unknown")]
    UnknownAal(String),
    #[error(transparent)]
    Form(#[from] FormUnavailable),
    #[error(transparent)]
    Challenge(#[from] LoginChallengeError),
    #[error("the user already has a session")]
    SessionAlreadyAvailable,
    #[error("there is no active session")]
    NoSession,
    #[error("a second factor requires a session")]
    FirstFactorRequired,
    #[error(transparent)]
    SecondFactor(#[from] SecondFactorRequired),
    /// The only method of the flow was used at once.
    #[error(transparent)]
    Submit(#[from] Box<SubmitError>),
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl From<UnknownSchema> for BeginError {
    fn from(error: UnknownSchema) -> Self {
        Self::Form(error.into())
    }
}
