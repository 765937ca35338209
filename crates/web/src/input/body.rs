//! The body of a request, whole and within the bounds of its route ([`crate::bounds`]).

use axum::extract::{FromRequest as _, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;

use crate::RestError;

/// A body that could not be read whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyRejection {
    #[error("the body is larger than this endpoint accepts")]
    TooLarge,
    #[error("the body could not be read")]
    Unreadable,
}

/// Reads the body.
pub async fn read_body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, BodyRejection> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| BodyRejection::of_status(rejection.into_response().status()))
}

impl BodyRejection {
    /// By the status that the framework gave it.
    pub fn of_status(status: StatusCode) -> Self {
        if status == StatusCode::PAYLOAD_TOO_LARGE { Self::TooLarge } else { Self::Unreadable }
    }

    pub const fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unreadable => StatusCode::BAD_REQUEST,
        }
    }
}

impl From<BodyRejection> for RestError {
    fn from(rejection: BodyRejection) -> Self {
        match rejection {
            BodyRejection::TooLarge => Self::new(rejection.status(), "The request is too large"),
            BodyRejection::Unreadable => Self::bad_request(rejection.to_string()),
        }
    }
}

/// In plain text, as the framework refuses a request: whoever serves the route puts it into the form of its errors.
impl IntoResponse for BodyRejection {
    fn into_response(self) -> Response {
        (self.status(), self.to_string()).into_response()
    }
}
