//! The authorization endpoint, which browsers come to (RFC 6749 section 3.1).

pub(super) mod authorization_response;
pub(super) mod authorize;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::OAuth;

pub(super) fn routes() -> Router<Arc<OAuth>> {
    Router::new().route("/oauth2/auth", get(authorize::get).post(authorize::post))
}
