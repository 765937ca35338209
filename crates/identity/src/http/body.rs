//! Reads the body of a submission: JSON or a form, by its content type.

use axum::extract::{FromRequest, Request};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use web::{Json, RestError};

use crate::flows::submission::RawSubmission;

impl<S: Send + Sync> FromRequest<S> for RawSubmission {
    type Rejection = RestError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let content_type =
            request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let body = Bytes::from_request(request, state).await.map_err(|rejection| {
            match rejection.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => {
                    RestError::new(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large")
                }
                _ => RestError::bad_request("the body could not be read"),
            }
        })?;
        if body.is_empty() {
            return Ok(Self::Empty);
        }
        match essence.as_str() {
            "application/json" => match Json::<Value>::decode(&body)? {
                Value::Object(members) => Ok(Self::Json(members)),
                _ => Err(RestError::bad_request("the body must be a JSON object")),
            },
            "application/x-www-form-urlencoded" => {
                let text = std::str::from_utf8(&body).map_err(|_| RestError::bad_request("the form is not UTF-8"))?;
                let pairs = url::form_urlencoded::parse(text.as_bytes()).into_owned();
                Ok(Self::Form(pairs.map(without_zero).collect::<Result<_, _>>()?))
            }
            _ => Err(RestError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The media type is not supported")
                .with_reason("send application/json or application/x-www-form-urlencoded")),
        }
    }
}

/// A zero is in no honest field, and PostgreSQL cannot store it.
fn without_zero((name, value): (String, String)) -> Result<(String, String), RestError> {
    if name.contains('\0') || value.contains('\0') {
        let name = name.replace('\0', "\u{fffd}");
        let reason = format!("{name}: must not hold the character U+0000");
        return Err(RestError::bad_request(reason).with_detail("field", name));
    }
    Ok((name, value))
}
