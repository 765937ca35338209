//! Errors about a whole request. Section "Error Responses": the body is a text, here as JSON.

use axum::Json;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use web::RestError;

/// A REST error whose body is its reason.
#[derive(Debug)]
pub(super) struct Refused(RestError);

impl From<RestError> for Refused {
    fn from(error: RestError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let text = self.0.reason().unwrap_or(self.0.message()).to_owned();
        let (mut parts, _) = self.0.into_response().into_parts();
        parts.headers.remove(CONTENT_TYPE);
        parts.headers.remove(CONTENT_LENGTH);
        (parts.status, parts.headers, parts.extensions, Json(text)).into_response()
    }
}
