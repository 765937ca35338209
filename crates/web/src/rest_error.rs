//! The error body of the REST APIs: `{"error": {id?, code, status, request?, reason?, details?, message}, …}`. Some errors have
//! members beside `error`, for instance `redirect_browser_to`.

use axum::response::{IntoResponse, Response};
use base::RequestId;
use http::header::{CONTENT_LENGTH, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use http_body::Body as _;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::DatabaseFault;

/// An error as a client sees it. The cause of a 5xx is logged and not shown.
#[derive(Clone, Debug)]
pub struct RestError(Box<Body>);

#[derive(Clone, Debug, Serialize)]
struct Body {
    error: Details,
    #[serde(flatten)]
    siblings: Map<String, Value>,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Clone, Debug, Serialize)]
struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'static str>,
    code: u16,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(rename = "details", skip_serializing_if = "Map::is_empty")]
    more: Map<String, Value>,
    message: String,
}

impl RestError {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let error = Details {
            id: None,
            code: status.as_u16(),
            status: status.canonical_reason().unwrap_or("Error"),
            request: None,
            reason: None,
            more: Map::new(),
            message: message.into(),
        };
        Self(Box::new(Body { error, siblings: Map::new(), headers: Vec::new() }))
    }

    pub fn bad_request(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "The request cannot be accepted as it is").with_reason(reason)
    }

    pub fn not_found(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is no such resource").with_reason(reason)
    }

    pub fn conflict(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "It conflicts with something that exists already").with_reason(reason)
    }

    /// An internal error. Its cause is in the log under the request id.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "An internal error occurred; the log has details under the id of this request",
        )
    }

    /// Overload or an unreachable dependency: the client may try again.
    pub fn unavailable(retry_after_seconds: u64) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "The service is busy or cannot reach what it needs, please try again",
        )
        .with_header(RETRY_AFTER, HeaderValue::from(retry_after_seconds))
    }

    /// Nothing can be saved until an operator frees disk space.
    pub fn storage_full() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The service cannot save changes at present")
            .with_reason("The storage of the service is full; its operator must free disk space")
            .with_header(RETRY_AFTER, HeaderValue::from(60))
    }

    #[must_use]
    pub fn with_id(mut self, id: &'static str) -> Self {
        self.0.error.id = Some(id);
        self
    }

    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.0.error.reason = Some(reason.into());
        self
    }

    #[must_use]
    pub fn with_request(mut self, request: impl Into<String>) -> Self {
        self.0.error.request = Some(request.into());
        self
    }

    #[must_use]
    pub fn with_detail(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.error.more.insert(name.into(), value.into());
        self
    }

    /// A member beside `error`.
    #[must_use]
    pub fn with_sibling(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.siblings.insert(name.into(), value.into());
        self
    }

    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.error.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub fn id(&self) -> Option<&'static str> {
        self.0.error.id
    }

    pub fn reason(&self) -> Option<&str> {
        self.0.error.reason.as_deref()
    }

    pub fn message(&self) -> &str {
        &self.0.error.message
    }

    /// The body, for errors that are stored and shown later, or that are part of another answer.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(&self.0).unwrap_or_default()
    }
}

/// A database failure is an internal error or an outage, never the client's error. It is logged here, once.
impl From<&database::Error> for RestError {
    fn from(error: &database::Error) -> Self {
        match DatabaseFault::of(error) {
            DatabaseFault::Unavailable => Self::unavailable(1),
            DatabaseFault::StorageFull => Self::storage_full(),
            DatabaseFault::Internal => Self::internal(),
        }
    }
}

impl From<database::Error> for RestError {
    fn from(error: database::Error) -> Self {
        Self::from(&error)
    }
}

/// The id of the error in the body, added to the response for outer layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorId(pub &'static str);

impl IntoResponse for RestError {
    fn into_response(self) -> Response {
        let mut response = (self.status(), axum::Json(&self.0)).into_response();
        if let Some(id) = self.id() {
            response.extensions_mut().insert(ErrorId(id));
        }
        response.headers_mut().extend(self.0.headers.iter().cloned());
        response.extensions_mut().insert(self);
        response
    }
}

/// The answer with the id of its request in the body, if it is a [`RestError`] that has none. The [edge](crate::Edge) knows the
/// id, and handlers need not.
pub(crate) fn with_request_id(mut response: Response, id: RequestId) -> Response {
    let Some(error) = response.extensions_mut().remove::<RestError>().filter(|it| it.0.error.request.is_none()) else {
        return response;
    };
    let Ok(body) = serde_json::to_vec(&error.with_request(id.to_string()).0) else { return response };
    // The answer to HEAD has the length of the one to GET (RFC 9110 section 8.6).
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    if !response.body().is_end_stream() {
        *response.body_mut() = body.into();
    }
    response
}

impl std::fmt::Display for RestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.0.error.code, self.reason().unwrap_or(self.message()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_full_disk_is_no_reason_to_try_again_at_once() {
        let full = || database::Error::StorageFull { source: std::sync::Arc::new(std::io::Error::other("full")) };
        let response = RestError::from(full()).into_response();
        assert_eq!((response.status().as_u16(), &response.headers()[RETRY_AFTER]), (503, &HeaderValue::from(60)));
        let error = RestError::from(full());
        assert_eq!(error.reason(), Some("The storage of the service is full; its operator must free disk space"));
        let status = crate::rpc::Status::from(full());
        assert_eq!((status.code, Some(status.message.as_str())), (crate::rpc::Code::Unavailable, error.reason()));
    }

    #[test]
    fn the_body_has_the_members_that_clients_read() {
        let error = RestError::new(StatusCode::FORBIDDEN, "m")
            .with_id("session_aal2_required")
            .with_reason("r")
            .with_detail("k", 1)
            .with_sibling("redirect_browser_to", "https://x");
        assert_eq!(
            error.to_value(),
            json!({
                "error": {"id": "session_aal2_required", "code": 403, "status": "Forbidden", "reason": "r",
                          "details": {"k": 1}, "message": "m"},
                "redirect_browser_to": "https://x"
            })
        );
    }
}
