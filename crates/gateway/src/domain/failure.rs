//! Why a request fails: the status, the message for the client, and the party at fault.

use std::borrow::Cow;

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value};

/// A rejection or an error in the gateway. Error handlers select their response by its status.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) fault: Fault,
    /// A one-sentence message for the client.
    pub(crate) message: Cow<'static, str>,
    /// Details; shown only by a verbose `json` error handler.
    pub(crate) reason: Option<String>,
    pub(crate) details: Map<String, Value>,
    /// Added to the response: `Retry-After` and similar headers relayed from a session check.
    pub(crate) headers: HeaderMap,
    /// Cookies that the response deletes.
    pub(crate) set_cookies: Vec<HeaderValue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Client,
    /// A remote service or the upstream.
    Upstream,
    /// The gateway's configuration.
    Ours,
}

impl Failure {
    fn new(status: StatusCode, fault: Fault, message: impl Into<Cow<'static, str>>) -> Box<Self> {
        Box::new(Self {
            status,
            fault,
            message: message.into(),
            reason: None,
            details: Map::new(),
            headers: HeaderMap::new(),
            set_cookies: Vec::new(),
        })
    }

    pub(crate) fn bad_request(reason: impl Into<String>) -> Box<Self> {
        Self::new(StatusCode::BAD_REQUEST, Fault::Client, "The request is ambiguous or malformed").because(reason)
    }

    pub(crate) fn unauthorized() -> Box<Self> {
        Self::new(StatusCode::UNAUTHORIZED, Fault::Client, "The credentials of this request are not valid")
    }

    pub(crate) fn forbidden() -> Box<Self> {
        let message = "The credentials of this request do not allow it";
        Self::new(StatusCode::FORBIDDEN, Fault::Client, message)
    }

    pub(crate) fn no_rule() -> Box<Self> {
        Self::new(StatusCode::NOT_FOUND, Fault::Client, "No rule matches this URL")
    }

    pub(crate) fn several_rules() -> Box<Self> {
        let message = "More than one rule matches this URL";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Fault::Ours, message)
    }

    pub(crate) fn too_large(reason: impl Into<String>) -> Box<Self> {
        let message = "The body of this request is too large";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, Fault::Client, message).because(reason)
    }

    pub(crate) fn too_many_requests() -> Box<Self> {
        Self::new(StatusCode::TOO_MANY_REQUESTS, Fault::Upstream, "Too many requests")
    }

    pub(crate) fn sends_too_much(reason: impl Into<String>) -> Box<Self> {
        let message = "This client sends too much at one time";
        let mut failure = Self::new(StatusCode::TOO_MANY_REQUESTS, Fault::Client, message).because(reason);
        failure.headers.insert(RETRY_AFTER, HeaderValue::from(1));
        failure
    }

    pub(crate) fn internal(reason: impl Into<String>) -> Box<Self> {
        let message = "An internal error occurred; the log has details under the id of this request";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Fault::Ours, message).because(reason)
    }

    pub(crate) fn unavailable(reason: impl Into<String>) -> Box<Self> {
        let message = "A service that this request depends on is unavailable; try again later";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Fault::Upstream, message).because(reason)
    }

    pub(crate) fn bad_gateway(reason: impl Into<String>) -> Box<Self> {
        Self::new(StatusCode::BAD_GATEWAY, Fault::Upstream, "The upstream could not be reached").because(reason)
    }

    pub(crate) fn gateway_timeout(reason: impl Into<String>) -> Box<Self> {
        Self::new(StatusCode::GATEWAY_TIMEOUT, Fault::Upstream, "The upstream did not respond in time").because(reason)
    }

    #[must_use]
    pub(crate) fn because(mut self: Box<Self>, reason: impl Into<String>) -> Box<Self> {
        self.reason = Some(reason.into());
        self
    }

    #[must_use]
    pub(crate) fn blaming(mut self: Box<Self>, fault: Fault) -> Box<Self> {
        self.fault = fault;
        self
    }

    #[must_use]
    pub(crate) fn with_detail(mut self: Box<Self>, key: &str, value: Value) -> Box<Self> {
        self.details.insert(key.to_owned(), value);
        self
    }

    #[must_use]
    pub(crate) fn with_header(mut self: Box<Self>, name: HeaderName, value: HeaderValue) -> Box<Self> {
        self.headers.insert(name, value);
        self
    }

    /// The name of this failure in `when[].error`: the status text in lower snake case.
    pub(crate) fn condition(&self) -> String {
        let text = self.status.canonical_reason().unwrap_or("internal server error");
        text.to_ascii_lowercase().replace([' ', '-'], "_")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_the_names_of_statuses() {
        assert_eq!(Failure::unauthorized().condition(), "unauthorized");
        assert_eq!(Failure::no_rule().condition(), "not_found");
        assert_eq!(Failure::internal("x").condition(), "internal_server_error");
        assert_eq!(Failure::too_many_requests().condition(), "too_many_requests");
    }
}
