//! The header with the token of a snapshot: the one after a change, or the one that an answer was computed at.

use axum::http::{HeaderName, HeaderValue};

const SNAPTOKEN: HeaderName = HeaderName::from_static("snaptoken");

pub(super) fn header(snaptoken: &str) -> (HeaderName, HeaderValue) {
    // It is base64.
    (SNAPTOKEN, HeaderValue::from_str(snaptoken).unwrap_or_else(|_| HeaderValue::from_static("")))
}
