//! Reads the body of a submission by its content type: JSON, or a form in either encoding of HTML. A body that cannot be
//! read is reported in the form of its flow, so it is passed on with the reason.

use axum::extract::{FromRequest, Multipart, Request};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::de::IgnoredAny;
use serde_json::Value;
use web::{Json, RestError};

use crate::flows::submission::RawSubmission;

/// More fields than any form has.
const MAX_PARTS: usize = 2000;

impl<S: Send + Sync> FromRequest<S> for RawSubmission {
    type Rejection = RestError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let content_type =
            request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if essence == "multipart/form-data" {
            return multipart(request, state).await;
        }
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| unreadable_body(rejection.into_response().status()))?;
        if body.is_empty() {
            return Ok(Self::Empty);
        }
        match essence.as_str() {
            "application/json" => match Json::<Value>::decode(&body) {
                Ok(Value::Object(members)) => Ok(Self::Json(members)),
                Ok(_) => Ok(Self::Unreadable("The body must be a JSON object.".to_owned())),
                // JSON that is beyond our bounds is refused as everywhere else.
                Err(rejection) if is_json(&body) => Err(rejection.into()),
                Err(rejection) => Ok(Self::Unreadable(format!("The body is not valid JSON: {rejection}"))),
            },
            "application/x-www-form-urlencoded" => {
                let Ok(text) = std::str::from_utf8(&body) else {
                    return Ok(Self::Unreadable("The form is not UTF-8.".to_owned()));
                };
                let pairs = url::form_urlencoded::parse(text.as_bytes()).into_owned();
                Ok(Self::Form(pairs.map(without_zero).collect::<Result<_, _>>()?))
            }
            _ => Ok(Self::Unreadable(
                "The body must be application/json, application/x-www-form-urlencoded or multipart/form-data."
                    .to_owned(),
            )),
        }
    }
}

/// Reads `multipart/form-data` (RFC 7578). Its fields are texts; files are refused.
async fn multipart<S: Send + Sync>(request: Request, state: &S) -> Result<RawSubmission, RestError> {
    let Ok(mut parts) = Multipart::from_request(request, state).await else {
        return Ok(RawSubmission::Unreadable("The content type lacks the boundary of its parts.".to_owned()));
    };
    let mut fields = Vec::new();
    loop {
        let part = match parts.next_field().await {
            Ok(Some(part)) => part,
            Ok(None) => break,
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                return Err(unreadable_body(error.status()));
            }
            Err(_) => return Ok(RawSubmission::Unreadable("The parts of the form cannot be read.".to_owned())),
        };
        if part.file_name().is_some() {
            return Ok(RawSubmission::Unreadable("The form must not contain files.".to_owned()));
        }
        if fields.len() == MAX_PARTS {
            return Ok(RawSubmission::Unreadable("The form has too many fields.".to_owned()));
        }
        let name = part.name().unwrap_or_default().to_owned();
        match part.text().await {
            Ok(text) => fields.push(without_zero((name, text))?),
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                return Err(unreadable_body(error.status()));
            }
            Err(_) => return Ok(RawSubmission::Unreadable("The parts of the form cannot be read.".to_owned())),
        }
    }
    Ok(if fields.is_empty() { RawSubmission::Empty } else { RawSubmission::Form(fields) })
}

fn unreadable_body(status: StatusCode) -> RestError {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => RestError::new(status, "The request is too large"),
        _ => RestError::bad_request("the body could not be read"),
    }
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

/// PostgreSQL cannot store the character U+0000.
fn without_zero((name, value): (String, String)) -> Result<(String, String), RestError> {
    if name.contains('\0') || value.contains('\0') {
        let name = name.replace('\0', "\u{fffd}");
        let reason = format!("{name}: must not hold the character U+0000");
        return Err(RestError::bad_request(reason).with_detail("field", name));
    }
    Ok((name, value))
}
