//! Errors of the endpoints for clients (RFC 6749 section 5.2): code, status and description are determined here, and causes
//! of internal errors are logged here, once.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use oauth_types::{ErrorCode, MalformedCredentials, OAuthError, ParameterError};
use serde_json::json;
use web::{DatabaseFault, NoStore};

use crate::components::client_authenticator::AuthenticateClientError;
use crate::components::signing_keys::SigningKeyError;
use crate::components::token_hooks::HookError;
use crate::components::tokens::mint::MintError;
use crate::operations::authorize_client::AuthorizeClientError;
use crate::operations::redeem_code::RedeemCodeError;
use crate::operations::refresh::RefreshError;

/// An error for the client.
#[derive(Debug)]
pub(crate) struct TokenError {
    error: OAuthError,
    /// Set when the client must wait.
    retry_after: Option<Duration>,
}

impl From<ErrorCode> for TokenError {
    fn from(code: ErrorCode) -> Self {
        Self { error: code.into(), retry_after: None }
    }
}

impl TokenError {
    pub(crate) fn new(code: ErrorCode, hint: impl std::fmt::Display) -> Self {
        let hint = hint.to_string();
        let hint = if hint.is_empty() { hint } else { sentence(&hint) };
        Self { error: OAuthError::new(code, hint), retry_after: None }
    }
}

/// Error messages are fragments; a description consists of sentences.
fn sentence(fragment: &str) -> String {
    let mut characters = fragment.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    let text: String = first.into_iter().chain(characters).collect();
    if text.ends_with('.') { text } else { format!("{text}.") }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let Self { error, retry_after } = self;
        let status = match retry_after {
            Some(_) => StatusCode::TOO_MANY_REQUESTS,
            None => StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        };
        let body = json!({"error": error.code.as_str(), "error_description": error.description()});
        let mut response = NoStore((status, Json(body))).into_response();
        if let Some(wait) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(web::retry_after_seconds(wait)));
        }
        if status == StatusCode::UNAUTHORIZED {
            // RFC 6749 section 5.2: a client that used the Authorization header gets the challenge; other clients ignore
            // it.
            let challenge = HeaderValue::from_static("Basic realm=\"oauth\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<database::Error> for TokenError {
    fn from(error: database::Error) -> Self {
        code_of(&error).into()
    }
}

/// The code of a failed database. The cause is in the log, once, from here.
pub(crate) fn code_of(error: &database::Error) -> ErrorCode {
    match DatabaseFault::of(error) {
        DatabaseFault::Unavailable | DatabaseFault::StorageFull => ErrorCode::TemporarilyUnavailable,
        DatabaseFault::Internal => ErrorCode::ServerError,
    }
}

impl From<ParameterError> for TokenError {
    fn from(error: ParameterError) -> Self {
        Self::new(ErrorCode::InvalidRequest, error)
    }
}

impl From<MalformedCredentials> for TokenError {
    fn from(error: MalformedCredentials) -> Self {
        let code = match error {
            // RFC 6749 section 2.3: more than one method at once is a malformed request.
            MalformedCredentials::Absent
            | MalformedCredentials::Several
            | MalformedCredentials::OtherClient
            | MalformedCredentials::AssertionType
            | MalformedCredentials::AssertionMissing => ErrorCode::InvalidRequest,
            MalformedCredentials::Header => ErrorCode::InvalidClient,
        };
        Self::new(code, error)
    }
}

impl From<AuthenticateClientError> for TokenError {
    fn from(error: AuthenticateClientError) -> Self {
        match error {
            AuthenticateClientError::Malformed(error) => error.into(),
            AuthenticateClientError::Rejected
            | AuthenticateClientError::WrongMethod { .. }
            | AuthenticateClientError::Assertion(_) => Self::new(ErrorCode::InvalidClient, error),
            AuthenticateClientError::AssertionReplayed => Self::new(ErrorCode::JtiKnown, error),
            AuthenticateClientError::TooManyFailures { retry_after } => {
                Self { retry_after: Some(retry_after), ..Self::new(ErrorCode::TemporarilyUnavailable, error) }
            }
            AuthenticateClientError::Interrupted => ErrorCode::TemporarilyUnavailable.into(),
            AuthenticateClientError::Database(error) => error.into(),
        }
    }
}

impl From<MintError> for TokenError {
    fn from(error: MintError) -> Self {
        match error {
            MintError::Key(error) => error.into(),
            MintError::Sign(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a token could not be signed");
                ErrorCode::ServerError.into()
            }
        }
    }
}

impl From<HookError> for TokenError {
    fn from(error: HookError) -> Self {
        match error {
            HookError::Denied => Self::new(ErrorCode::AccessDenied, error),
            HookError::Failed => Self::new(ErrorCode::ServerError, error),
        }
    }
}

impl From<SigningKeyError> for TokenError {
    fn from(error: SigningKeyError) -> Self {
        match error {
            SigningKeyError::Database(error) => error.into(),
            SigningKeyError::NoUsableKey(_) | SigningKeyError::Generate(_) | SigningKeyError::Interrupted => {
                tracing::error!(error = &error as &dyn std::error::Error, "there is no signing key");
                ErrorCode::ServerError.into()
            }
        }
    }
}

impl From<RedeemCodeError> for TokenError {
    fn from(error: RedeemCodeError) -> Self {
        match error {
            RedeemCodeError::GrantTypeNotAllowed => Self::new(ErrorCode::UnauthorizedClient, error),
            // RFC 6749 section 5.2; RFC 7636 section 4.6.
            RedeemCodeError::Refused(_) | RedeemCodeError::Replayed => Self::new(ErrorCode::InvalidGrant, error),
            RedeemCodeError::Hook(error) => error.into(),
            RedeemCodeError::Mint(error) => error.into(),
            RedeemCodeError::Database(error) => error.into(),
        }
    }
}

impl From<RefreshError> for TokenError {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::GrantTypeNotAllowed => Self::new(ErrorCode::UnauthorizedClient, error),
            RefreshError::Refused(_) | RefreshError::Reused => Self::new(ErrorCode::InvalidGrant, error),
            // The client has, or will get, a valid token: its grant is not affected.
            RefreshError::Outrun | RefreshError::AudienceNotAllowed(_) => Self::new(ErrorCode::InvalidRequest, error),
            RefreshError::OfflineNotGranted => Self::new(ErrorCode::ScopeNotGranted, error),
            // RFC 6749 section 6.
            RefreshError::ScopeNotGranted(_) | RefreshError::ScopeNotAllowed(_) => {
                Self::new(ErrorCode::InvalidScope, error)
            }
            RefreshError::Hook(error) => error.into(),
            RefreshError::Mint(error) => error.into(),
            RefreshError::Database(error) => error.into(),
        }
    }
}

impl From<AuthorizeClientError> for TokenError {
    fn from(error: AuthorizeClientError) -> Self {
        match error {
            AuthorizeClientError::PublicClient => Self::new(ErrorCode::InvalidGrant, error),
            AuthorizeClientError::GrantTypeNotAllowed => Self::new(ErrorCode::UnauthorizedClient, error),
            AuthorizeClientError::ScopeNotAllowed(_) => Self::new(ErrorCode::InvalidScope, error),
            AuthorizeClientError::AudienceNotAllowed(_) => Self::new(ErrorCode::InvalidRequest, error),
            AuthorizeClientError::Hook(error) => error.into(),
            AuthorizeClientError::Mint(error) => error.into(),
        }
    }
}
