//! JSON bodies: strict about syntax, with errors that name the wrong field.

use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use base::Objects;
use base::bounds::BodyBounds;
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{RestError, media_types};

mod body;
mod bounds;

pub use body::{BodyRejection, read_body};
use bounds::OutOfBounds;
pub use bounds::of_request;

/// A JSON body of a request or a response. A request does not need the content type `application/json`, because clients often
/// omit it, but another media type that cannot be JSON is refused.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

/// Why a body is refused.
#[derive(Debug, thiserror::Error)]
pub enum JsonRejection {
    #[error(transparent)]
    Body(#[from] BodyRejection),
    #[error("the body is not of type application/json")]
    MediaType,
    /// `path` names the field, for instance `traits.email`; `.` is the whole body.
    #[error("{path}: {problem}")]
    Invalid { path: String, problem: String },
}

impl<T: DeserializeOwned> Json<T> {
    /// Decodes one document. An error names the wrong field.
    pub fn decode(body: &[u8]) -> Result<T, JsonRejection> {
        Self::decode_within(base::bounds::DOCUMENT, body)
    }

    /// Decodes `body` if it is within the bounds.
    pub fn decode_within(bounds: BodyBounds, body: &[u8]) -> Result<T, JsonRejection> {
        check_json(bounds, body)?;
        Self::decode_checked(body)
    }

    /// Decodes a document whose bounds were checked ([`check_json`]).
    pub fn decode_checked(body: &[u8]) -> Result<T, JsonRejection> {
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let value = serde_path_to_error::deserialize(Objects(&mut deserializer)).map_err(|error| {
            JsonRejection::Invalid { path: error.path().to_string(), problem: error.inner().to_string() }
        })?;
        deserializer
            .end()
            .map_err(|error| JsonRejection::Invalid { path: ".".to_owned(), problem: error.to_string() })?;
        Ok(value)
    }
}

/// Checks the bounds of a JSON document that another decoder reads.
///
/// # Errors
/// What is out of bounds.
pub fn check_json(bounds: BodyBounds, body: &[u8]) -> Result<(), JsonRejection> {
    if body.len() > bounds.bytes {
        return Err(BodyRejection::TooLarge.into());
    }
    Ok(bounds::check(body, bounds.json_values)?)
}

impl From<OutOfBounds> for JsonRejection {
    fn from(fault: OutOfBounds) -> Self {
        match fault {
            OutOfBounds::TooDeep => Self::Invalid {
                path: ".".to_owned(),
                problem: format!("nested deeper than {} levels", base::MAX_NESTING),
            },
            OutOfBounds::TooMany(max) => {
                Self::Invalid { path: ".".to_owned(), problem: format!("must have at most {max} values") }
            }
            OutOfBounds::Zero(path) => Self::Invalid { path, problem: base::NUL_IS_REFUSED.to_owned() },
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = JsonRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let media_type = media_types::of_body(request.headers());
        if media_type == "application/x-www-form-urlencoded" || media_type == "multipart/form-data" {
            return Err(JsonRejection::MediaType);
        }
        let bounds = bounds::of_request(&request);
        let body = read_body(request, state).await?;
        Self::decode_within(bounds, &body).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl From<JsonRejection> for RestError {
    fn from(rejection: JsonRejection) -> Self {
        let reason = rejection.to_string();
        match rejection {
            JsonRejection::Body(rejection) => Self::from(rejection).with_reason(reason),
            JsonRejection::MediaType => {
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The media type is not supported").with_reason(reason)
            }
            JsonRejection::Invalid { path, .. } => Self::bad_request(reason).with_detail("field", path),
        }
    }
}

impl IntoResponse for JsonRejection {
    fn into_response(self) -> Response {
        RestError::from(self).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Outer {
        #[expect(dead_code, reason = "only its decoding matters")]
        inner: Vec<Inner>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its decoding matters")]
        count: u8,
    }

    #[test]
    fn a_record_is_not_a_list() {
        let fault = |body: &str| Json::<Outer>::decode(body.as_bytes()).unwrap_err().to_string();
        assert!(fault("[[]]").starts_with(".: invalid type: sequence"), "{}", fault("[[]]"));
        let nested = fault(r#"{"inner":[{"count":1},[2]]}"#);
        assert!(nested.starts_with("inner[1]: invalid type: sequence, expected struct Inner"), "{nested}");
        assert!(Json::<Vec<u8>>::decode(b"[1]").is_ok());
        assert!(Json::<Option<Outer>>::decode(b"null").is_ok());
        assert!(Json::<Outer>::decode(br#"{"inner":[]}"#).is_ok());
    }

    #[test]
    fn a_fault_is_named_by_its_path() {
        let fault = |body: &str| Json::<Outer>::decode(body.as_bytes()).unwrap_err().to_string();
        assert!(fault(r#"{"inner":[{"count":1},{"count":"x"}]}"#).starts_with("inner[1].count: invalid type"));
        assert!(fault(r#"{"inner":[{"cuont":1}]}"#).contains("unknown field `cuont`"));
        assert!(fault(r#"{"inner":[]} x"#).contains("trailing"));
        assert!(fault(&format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000))).contains("nested deeper"));
        assert!(fault(r#"{"inner":[{"count":"\u0000"}]}"#).starts_with("inner[0].count: must not contain"));
    }
}
