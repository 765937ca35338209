//! Why a flow cannot be shown.

use super::{Expired, FlowDisabled, ForgedRequest, SettingsDenied};

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("the flow does not exist")]
    NotFound,
    #[error(transparent)]
    Disabled(#[from] FlowDisabled),
    #[error(transparent)]
    Forged(#[from] ForgedRequest),
    #[error(transparent)]
    Expired(#[from] Expired),
    #[error("there is no active session")]
    NoSession,
    #[error(transparent)]
    Denied(#[from] SettingsDenied),
    #[error(transparent)]
    Database(#[from] database::Error),
}
