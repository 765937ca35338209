//! Errors that end a flow, other than those that the user can correct in its form. `http/flow_error.rs` maps them to
//! the wire.

use std::time::Duration;

use base::Timestamp;

use crate::components::attempts::{AttemptError, TooManyAttempts};
use crate::components::hashing::HashError;
use crate::components::schemas::UnknownSchema;
use crate::domain::CredentialType;
use crate::domain::csrf::CsrfViolation;
use crate::domain::flow::{FlowId, FlowKind};
use crate::domain::return_to::ForbiddenReturnTo;
use crate::domain::ui::ValidationMessage;
use crate::storage::flows::UpdateError;
use crate::storage::identities::StoreError;

/// Why a flow cannot continue.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    #[error("flow: is missing or not the id of a flow")]
    FlowIdMissing,
    #[error("the flow does not exist")]
    FlowNotFound,
    #[error("the flow expired at {0}", at.at)]
    Expired { at: Box<Expiry> },
    #[error("the flow was replaced by {use_flow_id}")]
    Replaced { use_flow_id: FlowId },
    #[error("another request changed the flow at the same time")]
    FlowChanged,
    #[error("the request may be forged: {}", violation.reject_reason())]
    Csrf { violation: CsrfViolation, is_ajax: bool },
    #[error("a native request carries an Origin header")]
    NativeWithOrigin,
    #[error("a native request carries cookies")]
    NativeWithCookies { names: Vec<String> },
    #[error(transparent)]
    ReturnTo(#[from] ForbiddenReturnTo),
    #[error("the assurance level `{0}` is unknown")]
    UnknownAal(String),
    #[error("the identity schema `{0}` cannot be selected")]
    UnknownSchema(String),
    #[error("{} is disabled", kind.as_str())]
    Disabled { kind: FlowKind },
    #[error("the method is disabled")]
    MethodDisabled,
    #[error("{} uses the method {method}, which is disabled", kind.as_str())]
    StrategyDisabled { kind: FlowKind, method: CredentialType },
    #[error("the user already has a session")]
    SessionAlreadyAvailable,
    #[error("a second factor requires a session")]
    SessionAal1Required,
    #[error("the session lacks a second factor")]
    SessionAal2Required { redirect_browser_to: String },
    #[error("there is no active session")]
    SessionInactive,
    /// As [`FlowError::SessionInactive`], for `whoami`, which never redirects a browser.
    #[error("no valid session credentials were found")]
    NoSession,
    #[error("the session is too old for this change")]
    SessionRefreshRequired { redirect_browser_to: String },
    #[error("the flow belongs to another identity")]
    IdentityMismatch,
    #[error("the identity is disabled")]
    IdentityDisabled,
    #[error("the browser must be redirected to another URL")]
    BrowserLocationChangeRequired { redirect_browser_to: String },
    #[error("the address is not verified")]
    AddressNotVerified { flow: FlowId, address: String, url: String },
    #[error("require_verified_address is configured, but the identity has no address that can be verified")]
    NothingToVerify,
    #[error("the current session cannot be revoked here")]
    CurrentSession,
    #[error("the logout token is missing")]
    LogoutTokenMissing,
    #[error("the logout token does not belong to this session")]
    LogoutTokenMismatch,
    #[error("the session token is unknown")]
    UnknownSessionToken,
    #[error("too many attempts")]
    TooManyAttempts { retry_after: Duration },
    #[error("too many passwords are being checked")]
    Busy { retry_after: Duration },
    #[error("the password is longer than its hash supports")]
    PasswordTooLong { max: usize, actual: usize },
    #[error("the list of breached passwords cannot be reached")]
    BreachListUnavailable,
    #[error("the request body cannot be read: {0}")]
    Malformed(String),
    #[error("a page parameter is malformed: {0}")]
    Page(&'static str),
    #[error("the error is unknown")]
    ErrorNotFound,
    #[error("an OAuth2 login challenge was given, but no OAuth2 provider is configured")]
    OAuth2NotConfigured,
    #[error("the login_challenge is empty")]
    OAuth2ChallengeEmpty,
    #[error(transparent)]
    OAuth2(#[from] contracts::LoginRequestError),
    #[error("no session was found for this flow")]
    NoSessionForFlow,
    #[error(transparent)]
    Observer(#[from] contracts::SubjectObserverError),
    #[error(transparent)]
    Database(#[from] database::Error),
    #[error("an invariant is broken: {0}")]
    Broken(&'static str),
}

/// When a flow expired, and its replacement.
#[derive(Clone, Debug)]
pub struct Expiry {
    pub at: Timestamp,
    pub now: Timestamp,
    pub use_flow_id: Option<FlowId>,
    /// The URL that begins a new flow, for a client that fetched the expired one.
    pub redirect_to: Option<String>,
    pub return_to: Option<String>,
    /// Whether `redirect_to` is for native clients.
    pub is_native: bool,
}

impl From<UpdateError> for FlowError {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::Stale => Self::FlowChanged,
            UpdateError::Database(error) => Self::Database(error),
        }
    }
}

impl From<TooManyAttempts> for FlowError {
    fn from(TooManyAttempts { retry_after }: TooManyAttempts) -> Self {
        Self::TooManyAttempts { retry_after }
    }
}

impl From<AttemptError> for FlowError {
    fn from(error: AttemptError) -> Self {
        match error {
            AttemptError::TooMany(error) => error.into(),
            AttemptError::Database(error) => Self::Database(error),
        }
    }
}

impl From<UnknownSchema> for FlowError {
    fn from(UnknownSchema(id): UnknownSchema) -> Self {
        Self::UnknownSchema(id)
    }
}

impl From<HashError> for FlowError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Overloaded { retry_after } => Self::Busy { retry_after },
            HashError::TooLong { max, actual } => Self::PasswordTooLong { max, actual },
            HashError::Failed => Self::Broken("a password could not be hashed"),
        }
    }
}

/// Why a submission was rejected.
#[derive(Debug)]
pub(crate) enum SubmitError {
    /// Errors that the user can correct: shown in the form.
    Invalid(Vec<ValidationMessage>),
    /// As above, with its own status: limits.
    Limited {
        message: Box<ValidationMessage>,
        retry_after: Duration,
    },
    Flow(Box<FlowError>),
}

impl<E: Into<FlowError>> From<E> for SubmitError {
    fn from(error: E) -> Self {
        match error.into() {
            FlowError::TooManyAttempts { retry_after } => {
                let minutes = retry_after.as_secs().div_ceil(60).max(1);
                let message = crate::domain::message::validation::too_many_attempts(minutes);
                let message = Box::new(ValidationMessage::general(message));
                Self::Limited { message, retry_after }
            }
            FlowError::PasswordTooLong { max, actual } => {
                let refusal = crate::domain::password_policy::PasswordRefusal::TooLong { max, actual };
                Self::at("password", crate::domain::message::validation::of_password(refusal))
            }
            FlowError::FlowChanged => Self::general(crate::domain::message::validation::flow_changed()),
            FlowError::IdentityDisabled => Self::general(crate::domain::message::flow::account_disabled()),
            other => Self::Flow(Box::new(other)),
        }
    }
}

impl From<StoreError> for SubmitError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(_) => Self::general(crate::domain::message::validation::identifier_taken()),
            StoreError::Stale => FlowError::FlowChanged.into(),
            StoreError::Database(error) => error.into(),
        }
    }
}

impl SubmitError {
    pub(crate) fn general(message: crate::domain::message::Message) -> Self {
        Self::Invalid(vec![ValidationMessage::general(message)])
    }

    pub(crate) fn at(node: &str, message: crate::domain::message::Message) -> Self {
        Self::Invalid(vec![ValidationMessage::at(node, message)])
    }
}
