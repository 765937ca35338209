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
        // With it, the edge would write the whole REST error as the body.
        parts.extensions.remove::<RestError>();
        (parts.status, parts.headers, parts.extensions, Json(text)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_that_turns_the_text_into_a_rest_error() {
        let error = RestError::bad_request("resource: is required").with_detail("field", "resource");
        let response = Refused::from(error).into_response();
        assert_eq!(response.status(), 400);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert!(response.extensions().get::<RestError>().is_none());
    }
}
