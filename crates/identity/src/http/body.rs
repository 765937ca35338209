//! Reads the body of a submission by its content type: JSON, or a form in either encoding of HTML. A body that cannot
//! be parsed is passed on with the reason, and reported in the form of its flow. One that exceeds the limits is
//! rejected before a flow sees it.

use std::borrow::Cow;

use axum::extract::{FromRequest, Multipart, Request};
use base::NulCharacter;
use base::bounds::{IDENTIFIER_BYTES, PARAMETER_NAME_BYTES, PARAMETERS, PASSWORD_BYTES, TEXT_BYTES};
use http::StatusCode;
use serde::de::IgnoredAny;
use serde_json::Value;
use web::{BodyRejection, Json, RestError};

use crate::flows::submission::RawSubmission;

impl<S: Send + Sync> FromRequest<S> for RawSubmission {
    type Rejection = RestError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let essence = web::media_types::of_body(request.headers());
        if essence == "multipart/form-data" {
            return multipart(request, state).await;
        }
        let bounds = web::bounds::of_request(&request);
        let body = web::read_body(request, state).await?;
        if body.is_empty() {
            return Ok(Self::Empty);
        }
        match essence.as_str() {
            "application/json" => match Json::<Value>::decode_within(bounds, &body) {
                Ok(Value::Object(members)) => {
                    members.iter().try_for_each(|(name, value)| check_texts(name, value))?;
                    Ok(Self::Json(members))
                }
                Ok(_) => Ok(Self::Unreadable("The body must be a JSON object.".to_owned())),
                // JSON that exceeds the limits is rejected as in other endpoints.
                Err(rejection) if is_json(&body) => Err(rejection.into()),
                Err(rejection) => Ok(Self::Unreadable(format!("The body is not valid JSON: {rejection}"))),
            },
            "application/x-www-form-urlencoded" => {
                let Ok(text) = std::str::from_utf8(&body) else {
                    return Ok(Self::Unreadable("The form is not UTF-8.".to_owned()));
                };
                let mut fields = Vec::new();
                for field in url::form_urlencoded::parse(text.as_bytes()) {
                    push_field(&mut fields, field)?;
                }
                Ok(Self::Form(fields))
            }
            _ => Ok(Self::Unreadable(
                "The body must be application/json, application/x-www-form-urlencoded or multipart/form-data."
                    .to_owned(),
            )),
        }
    }
}

/// Reads `multipart/form-data` (RFC 7578). All fields are texts; files are rejected.
async fn multipart<S: Send + Sync>(request: Request, state: &S) -> Result<RawSubmission, RestError> {
    let Ok(mut parts) = Multipart::from_request(request, state).await else {
        return Ok(RawSubmission::Unreadable("The multipart content type has no boundary.".to_owned()));
    };
    let mut fields = Vec::new();
    loop {
        let part = match parts.next_field().await {
            Ok(Some(part)) => part,
            Ok(None) => break,
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                return Err(BodyRejection::of_status(error.status()).into());
            }
            Err(_) => return Ok(RawSubmission::Unreadable("The parts of the form cannot be read.".to_owned())),
        };
        if part.file_name().is_some() {
            return Ok(RawSubmission::Unreadable("The form must not contain files.".to_owned()));
        }
        let name = part.name().unwrap_or_default().to_owned();
        match part.text().await {
            Ok(text) => push_field(&mut fields, (name.into(), text.into()))?,
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                return Err(BodyRejection::of_status(error.status()).into());
            }
            Err(_) => return Ok(RawSubmission::Unreadable("The parts of the form cannot be read.".to_owned())),
        }
    }
    Ok(if fields.is_empty() { RawSubmission::Empty } else { RawSubmission::Form(fields) })
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

fn push_field(fields: &mut Vec<(String, String)>, field: (Cow<'_, str>, Cow<'_, str>)) -> Result<(), RestError> {
    if fields.len() == PARAMETERS {
        return Err(RestError::bad_request(format!("the form must have at most {PARAMETERS} fields")));
    }
    fields.push(bounded_field(field)?);
    Ok(())
}

/// A field within the limits, and without the character U+0000, which PostgreSQL cannot store.
fn bounded_field((name, value): (Cow<'_, str>, Cow<'_, str>)) -> Result<(String, String), RestError> {
    if name.len() > PARAMETER_NAME_BYTES {
        let reason = format!("the name of a field must have at most {PARAMETER_NAME_BYTES} bytes");
        return Err(RestError::bad_request(reason));
    }
    NulCharacter::refuse(&name, &value)
        .map_err(|refused| RestError::bad_request(refused.to_string()).with_detail("field", refused.field))?;
    check_length(&name, &value)?;
    Ok((name.into_owned(), value.into_owned()))
}

/// Checks every text inside the member `name`.
fn check_texts(name: &str, value: &Value) -> Result<(), RestError> {
    match value {
        Value::String(text) => check_length(name, text),
        Value::Array(items) => items.iter().try_for_each(|item| check_texts(name, item)),
        Value::Object(members) => members.values().try_for_each(|member| check_texts(name, member)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// A flow stores submissions, including rejected ones, so the length of every text is limited first.
fn check_length(name: &str, text: &str) -> Result<(), RestError> {
    let bound = match name {
        // Traits as a string of JSON, or data for mails: limited by the size of the body.
        "traits" | "transient_payload" if text.starts_with('{') => return Ok(()),
        "password" => PASSWORD_BYTES,
        "identifier"
        | "password_identifier"
        | "email"
        | "phone"
        | "address"
        | "recovery_address"
        | "recovery_confirm_address"
        | "code"
        | "csrf_token"
        | "method"
        | "resend"
        | "screen"
        | "flow"
        | "token"
        | "provider"
        | "link"
        | "unlink" => IDENTIFIER_BYTES,
        _ => TEXT_BYTES,
    };
    if text.len() <= bound {
        return Ok(());
    }
    Err(RestError::bad_request(format!("{name}: must have at most {bound} bytes")).with_detail("field", name))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::header::CONTENT_TYPE;

    use super::*;

    async fn read(kind: &str, body: String) -> Result<RawSubmission, RestError> {
        let mut request = Request::post("/").header(CONTENT_TYPE, kind).body(Body::from(body)).unwrap();
        request.extensions_mut().insert(base::bounds::SUBMISSION);
        RawSubmission::from_request(request, &()).await
    }

    #[tokio::test]
    async fn a_text_over_its_limit_is_rejected_with_its_field_name() {
        const FORM: &str = "application/x-www-form-urlencoded";
        for (name, bound) in [("identifier", 1024), ("email", 1024), ("code", 1024), ("password", 4096), ("x", 16_384)]
        {
            let (fits, over) = ("x".repeat(bound), "x".repeat(bound + 1));
            assert!(read("application/json", format!("{{\"{name}\":\"{fits}\"}}")).await.is_ok(), "{name}");
            assert!(read(FORM, format!("{name}={fits}")).await.is_ok(), "{name}");
            for refused in [
                read("application/json", format!("{{\"{name}\":\"{over}\"}}")).await,
                read(FORM, format!("{name}={over}")).await,
            ] {
                let error = refused.unwrap_err();
                assert_eq!((error.status().as_u16(), error.reason().unwrap().split(':').next()), (400, Some(name)));
            }
        }
        let inner = format!("{{\"traits\":{{\"a\":[{{\"b\":\"{}\"}}]}}}}", "x".repeat(16_385));
        assert!(read("application/json", inner).await.unwrap_err().reason().unwrap().starts_with("traits:"));
        assert!(read(FORM, format!("traits.a={}", "x".repeat(16_385))).await.is_err());
    }

    #[tokio::test]
    async fn a_form_has_at_most_256_fields_and_json_at_most_8192_values() {
        const FORM: &str = "application/x-www-form-urlencoded";
        assert!(read(FORM, "a=1&".repeat(256)).await.is_ok());
        assert_eq!(read(FORM, "a=1&".repeat(257)).await.unwrap_err().status().as_u16(), 400);
        let numbers = |count: usize| format!("{{\"traits\":[{}1]}}", "1,".repeat(count));
        assert!(read("application/json", numbers(8_000)).await.is_ok());
        assert_eq!(read("application/json", numbers(8_200)).await.unwrap_err().status().as_u16(), 400);
        assert_eq!(read("application/json", numbers(80_000)).await.unwrap_err().status().as_u16(), 413);
    }
}
