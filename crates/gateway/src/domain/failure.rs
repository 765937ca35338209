//! Why a request does not go through: the status, the words for the client, and whose fault it was.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value};

/// A refusal or a failure on the way through the gateway. Error handlers choose their answer by its status.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) fault: Fault,
    /// One sentence for the client.
    pub(crate) message: Cow<'static, str>,
    /// More about it; shown only by a verbose `json` error handler.
    pub(crate) reason: Option<String>,
    pub(crate) details: Map<String, Value>,
    /// Sent along with the answer: `Retry-After` and its like, relayed from a check endpoint.
    pub(crate) headers: HeaderMap,
    /// Cookies that the client should forget.
    pub(crate) set_cookies: Vec<HeaderValue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Client,
    /// A service that was asked, or the upstream.
    Upstream,
    /// Our configuration.
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
        Self::new(StatusCode::BAD_REQUEST, Fault::Client, "The request cannot be accepted as it is").because(reason)
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
        let message = "Several rules are about this URL, and only one may be";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Fault::Ours, message)
    }

    pub(crate) fn too_large(reason: impl Into<String>) -> Box<Self> {
        let message = "The body of this request is too large";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, Fault::Client, message).because(reason)
    }

    pub(crate) fn too_many_requests() -> Box<Self> {
        Self::new(StatusCode::TOO_MANY_REQUESTS, Fault::Upstream, "Too many requests")
    }

    pub(crate) fn internal(reason: impl Into<String>) -> Box<Self> {
        let message = "An internal error occurred; the log has details under the id of this request";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Fault::Ours, message).because(reason)
    }

    pub(crate) fn unavailable(reason: impl Into<String>) -> Box<Self> {
        let message = "What this request depends on does not answer now; try again in a while";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Fault::Upstream, message).because(reason)
    }

    pub(crate) fn bad_gateway(reason: impl Into<String>) -> Box<Self> {
        Self::new(StatusCode::BAD_GATEWAY, Fault::Upstream, "The upstream could not be reached").because(reason)
    }

    pub(crate) fn gateway_timeout(reason: impl Into<String>) -> Box<Self> {
        Self::new(StatusCode::GATEWAY_TIMEOUT, Fault::Upstream, "The upstream did not answer in time").because(reason)
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

    /// The word for this failure in `when[].error`: the text of the status in lower snake case.
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
