//! Errors of the admin API: `{"error", "error_description"}` with a status.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use oauth_types::{ErrorCode, OAuthError};
use serde_json::json;

use crate::components::challenges::ChallengeError;
use crate::domain::client_validation::{InvalidMetadata, InvalidMetadataKind};
use crate::http::token::token_error::code_of;
use crate::operations::create_client::CreateClientError;
use crate::operations::rotate_client_secret::RotateClientSecretError;
use crate::operations::save_client::{CheckClientError, SaveClientError};
use crate::operations::update_client::UpdateClientError;

/// An error response of the admin API.
#[derive(Debug)]
pub(super) struct AdminError {
    status: StatusCode,
    body: serde_json::Value,
}

impl AdminError {
    pub(super) fn new(status: StatusCode, error: &str, description: &str) -> Self {
        Self { status, body: json!({"error": error, "error_description": description}) }
    }

    pub(super) fn oauth(error: &OAuthError) -> Self {
        let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
        Self::new(status, error.code.as_str(), &error.description())
    }

    pub(super) fn invalid_request(hint: impl Into<String>) -> Self {
        Self::oauth(&OAuthError::new(ErrorCode::InvalidRequest, hint.into()))
    }

    /// A client document that cannot be parsed. A member with an invalid value has a separate error (RFC 7591 section
    /// 3.2.2).
    pub(super) fn metadata(rejection: web::JsonRejection) -> Self {
        match &rejection {
            web::JsonRejection::Invalid { path, .. } if path.starts_with(|it: char| it.is_ascii_alphabetic()) => {
                Self::oauth(&OAuthError::new(ErrorCode::InvalidClientMetadata, rejection.to_string()))
            }
            _ => rejection.into(),
        }
    }

    /// The row is missing.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Unable to locate the resource", "")
    }

    fn conflict(description: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "The resource is in conflict with another", description)
    }

    pub(super) fn server_error() -> Self {
        Self::oauth(&ErrorCode::ServerError.into())
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Logs the cause; nothing else logs it.
impl From<database::Error> for AdminError {
    fn from(error: database::Error) -> Self {
        Self::oauth(&code_of(&error).into())
    }
}

impl From<InvalidMetadata> for AdminError {
    fn from(error: InvalidMetadata) -> Self {
        let code = match error.kind {
            InvalidMetadataKind::RedirectUri => ErrorCode::InvalidRedirectUri,
            InvalidMetadataKind::ClientMetadata => ErrorCode::InvalidClientMetadata,
        };
        Self::oauth(&OAuthError::new(code, error.to_string()))
    }
}

impl From<CheckClientError> for AdminError {
    fn from(error: CheckClientError) -> Self {
        match error {
            CheckClientError::Invalid(error) => error.into(),
            CheckClientError::Secret(error) => {
                Self::oauth(&OAuthError::new(ErrorCode::InvalidClientMetadata, format!("client_secret: {error}")))
            }
            CheckClientError::Interrupted => Self::server_error(),
        }
    }
}

impl From<SaveClientError> for AdminError {
    fn from(error: SaveClientError) -> Self {
        match error {
            SaveClientError::Unknown => Self::not_found(),
            SaveClientError::Conflict => Self::conflict(&error.to_string()),
            SaveClientError::Database(error) => error.into(),
        }
    }
}

impl From<CreateClientError> for AdminError {
    fn from(error: CreateClientError) -> Self {
        match error {
            CreateClientError::Invalid(error) => error.into(),
            CreateClientError::Check(error) => error.into(),
            CreateClientError::IdTaken => Self::conflict(&error.to_string()),
            CreateClientError::Database(error) => error.into(),
        }
    }
}

impl From<UpdateClientError> for AdminError {
    fn from(error: UpdateClientError) -> Self {
        match error {
            UpdateClientError::Invalid(error) => error.into(),
            UpdateClientError::Check(error) => error.into(),
            UpdateClientError::Patch(_) | UpdateClientError::Protected(_) | UpdateClientError::NotAClient(_) => {
                Self::invalid_request(error.to_string())
            }
            UpdateClientError::Save(error) => error.into(),
        }
    }
}

impl From<RotateClientSecretError> for AdminError {
    fn from(error: RotateClientSecretError) -> Self {
        match error {
            RotateClientSecretError::NoSecret => Self::invalid_request(error.to_string()),
            RotateClientSecretError::Save(error) => error.into(),
        }
    }
}

impl From<ChallengeError> for AdminError {
    fn from(error: ChallengeError) -> Self {
        match error {
            ChallengeError::Unknown => {
                Self::new(StatusCode::NOT_FOUND, "Not Found", "Unable to locate the requested resource")
            }
            ChallengeError::Expired => {
                Self::oauth(&OAuthError::new(ErrorCode::RequestUnauthorized, "The challenge has expired."))
            }
            ChallengeError::Used { redirect_to } => {
                Self { status: StatusCode::GONE, body: json!({"redirect_to": redirect_to}) }
            }
            ChallengeError::Refused(reason) => Self::invalid_request(reason),
            ChallengeError::Database(error) => error.into(),
        }
    }
}

impl From<web::JsonRejection> for AdminError {
    fn from(rejection: web::JsonRejection) -> Self {
        let status = match rejection {
            web::JsonRejection::Body(rejection) => rejection.status(),
            web::JsonRejection::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            web::JsonRejection::Invalid { .. } => StatusCode::BAD_REQUEST,
        };
        let error = OAuthError::new(ErrorCode::InvalidRequest, rejection.to_string());
        Self::new(status, error.code.as_str(), &error.description())
    }
}

impl From<web::RestError> for AdminError {
    fn from(error: web::RestError) -> Self {
        let hint = error.reason().unwrap_or(error.message()).to_owned();
        Self::new(
            error.status(),
            ErrorCode::InvalidRequest.as_str(),
            &OAuthError::new(ErrorCode::InvalidRequest, hint).description(),
        )
    }
}
