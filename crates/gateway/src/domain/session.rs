//! What the pipeline knows of a request's sender: filled by an authenticator, read by templates, and written by
//! mutators as headers for the upstream.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// The outcome of authentication, and what mutation makes of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    /// Empty when nothing is known.
    pub(crate) subject: String,
    /// An object or null.
    pub(crate) extra: Value,
    /// Set on the request to the upstream, or on the answer of the decision API.
    pub(crate) headers: HeaderMap,
    /// Taken from the request, besides the headers that no client may set.
    pub(crate) removed: Vec<HeaderName>,
    /// Whether a credential was verified: false for `anonymous` and `noop`.
    pub(crate) authenticated: bool,
    /// The handler that accepted the request.
    pub(crate) authenticator: &'static str,
    /// Cookies that the client should forget, found invalid on the way.
    pub(crate) set_cookies: Vec<HeaderValue>,
}

impl Session {
    /// A sender who proved who they are.
    pub(crate) fn authenticated(authenticator: &'static str, subject: String, extra: Value) -> Self {
        Self { subject, extra, authenticated: true, authenticator, ..Self::default() }
    }

    /// A sender of whom nothing is known, under a name of the rule's choice.
    pub(crate) fn unauthenticated(authenticator: &'static str, subject: &str) -> Self {
        Self { subject: subject.to_owned(), authenticator, ..Self::default() }
    }
}
