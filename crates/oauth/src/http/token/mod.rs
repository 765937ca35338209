//! Tokens: issue, introspect and revoke them (RFC 6749 section 3.2, RFC 7009, RFC 7662).

mod device;
mod introspect;
mod revoke;
#[expect(clippy::module_inception, reason = "a file is named after its endpoint")]
mod token;
pub(super) mod token_error;

use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use web::middleware::from_fn_with_state;

use super::client_origins;
use crate::OAuth;

pub(super) fn routes(oauth: &Arc<OAuth>) -> Router<Arc<OAuth>> {
    Router::new()
        .route("/oauth2/token", post(token::post))
        .route("/oauth2/revoke", post(revoke::post))
        .route(device::PATH, post(device::post))
        .layer(from_fn_with_state(oauth.clone(), client_origins::of_the_client))
}

pub(super) fn admin_routes() -> Router<Arc<OAuth>> {
    let forms = Router::new().route("/admin/oauth2/introspect", post(introspect::post));
    web::bounds::bound_bodies(forms, base::bounds::SUBMISSION)
}
