//! The header with the token of a snapshot: the one after a change, or the one that an answer was computed at.

use axum::http::{HeaderName, HeaderValue};
use base::Context;
use web::RestError;

use crate::Permissions;
use crate::domain::snapshot::Snapshot;

const SNAPTOKEN: HeaderName = HeaderName::from_static("snaptoken");

pub(super) async fn of(
    permissions: &Permissions,
    cx: &Context,
    snapshot: Snapshot,
) -> Result<(HeaderName, HeaderValue), RestError> {
    Ok(header(&permissions.issue_snaptoken(cx, snapshot).await?))
}

pub(super) fn header(snaptoken: &str) -> (HeaderName, HeaderValue) {
    // It is base64.
    (SNAPTOKEN, HeaderValue::from_str(snaptoken).unwrap_or_else(|_| HeaderValue::from_static("")))
}
