//! Why a verb of a flow failed, other than for reasons that the user can correct in the form: one error for each verb.
//!
//! [`BeginError`] is for the beginning of a flow, [`FetchError`] for a fetch, [`SubmitError`] for a submission, and
//! [`StepError`] for one step of a submission, which may still be shown in the form. The user's own sessions, the logout and the
//! stored errors have theirs beside their operations. `http/errors` maps each error to the wire.
//!
//! This file has the reasons that several verbs share.

mod begin;
mod fetch;
mod step;
mod submit;

use base::Timestamp;
use contracts::LoginRequestError;

use crate::components::schemas::UnknownSchema;
use crate::domain::CredentialType;
use crate::domain::csrf::CsrfViolation;
use crate::domain::flow::{FlowId, FlowKind};

pub(crate) use begin::BeginError;
pub(crate) use fetch::FetchError;
pub(crate) use step::StepError;
pub(crate) use submit::SubmitError;

/// The request may come from another site, or its headers do not fit the kind of the flow.
#[derive(Debug, thiserror::Error)]
pub enum ForgedRequest {
    #[error("the request may be forged: {}", violation.reject_reason())]
    Csrf { violation: CsrfViolation, is_ajax: bool },
    #[error("a native request carries an Origin header")]
    NativeWithOrigin,
    #[error("a native request carries cookies")]
    NativeWithCookies { names: Vec<String> },
}

/// A flow is disabled in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is disabled", .0.as_str())]
pub struct FlowDisabled(pub FlowKind);

/// The session lacks a second factor. The URL asks for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session lacks a second factor")]
pub struct SecondFactorRequired {
    pub redirect_browser_to: String,
}

/// The session was authenticated too long ago. The URL asks the user to sign in again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session is too old for this change")]
pub struct RefreshRequired {
    pub redirect_browser_to: String,
}

/// The session may neither see nor submit this settings flow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsDenied {
    #[error("the flow belongs to another identity")]
    WrongOwner,
    #[error(transparent)]
    SecondFactor(#[from] SecondFactorRequired),
}

/// When a flow expired, and its replacement.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the flow expired at {at}")]
pub struct Expired {
    pub at: Timestamp,
    pub now: Timestamp,
    pub use_flow_id: Option<FlowId>,
    /// The URL that begins a new flow, for a client that fetched the expired one.
    pub redirect_to: Option<String>,
    pub return_to: Option<String>,
    /// Whether `redirect_to` is for native clients.
    pub is_native: bool,
}

/// Why the form of a flow cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum FormUnavailable {
    #[error(transparent)]
    Schema(#[from] UnknownSchema),
    #[error("{} uses the method {method}, which is disabled", kind.as_str())]
    MethodDisabled { kind: FlowKind, method: CredentialType },
    #[error("a value of the form cannot be written: {0}")]
    Unwritable(#[from] serde_json::Error),
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// Why the login request of an authorization server cannot be read or accepted.
#[derive(Debug, thiserror::Error)]
pub enum LoginChallengeError {
    #[error("an OAuth2 login challenge was given, but no OAuth2 provider is configured")]
    NotConfigured,
    #[error("the login_challenge is empty")]
    Empty,
    #[error(transparent)]
    Request(#[from] LoginRequestError),
    #[error(transparent)]
    SecondFactor(#[from] SecondFactorRequired),
}
