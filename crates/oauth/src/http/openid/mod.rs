//! OpenID Connect: discovery, the published keys, claims about the user, logout (OpenID Connect Core section 5.3,
//! Discovery, RP-Initiated Logout).

mod discovery;
mod jwks;
mod logout;
mod userinfo;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use web::middleware::{from_fn, from_fn_with_state};

use super::client_origins;
use crate::OAuth;

pub(super) fn routes(oauth: &Arc<OAuth>) -> Router<Arc<OAuth>> {
    let of_clients = Router::new()
        .route("/userinfo", get(userinfo::handle).post(userinfo::handle))
        .layer(from_fn_with_state(oauth.clone(), client_origins::of_the_client));
    let any_origin = Router::new()
        .route("/.well-known/openid-configuration", get(discovery::get))
        .route("/.well-known/oauth-authorization-server", get(discovery::get))
        .route("/.well-known/jwks.json", get(jwks::get))
        .layer(from_fn(client_origins::any_origin));
    let of_browsers = Router::new().route("/oauth2/sessions/logout", get(logout::get).post(logout::post));
    of_clients.merge(any_origin).merge(of_browsers)
}
