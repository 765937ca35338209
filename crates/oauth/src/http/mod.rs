//! The HTTP endpoints: a folder for each family, and one file for each endpoint with its own wire types. The `mod.rs` of a
//! folder has its routes.

mod admin;
mod authorization;
mod browser;
mod client_form;
mod client_origins;
mod openid;
mod pages;
mod token;

use std::sync::Arc;

use axum::Router;

use crate::OAuth;

/// Endpoints for clients that run in a browser: each response names the origins that may read it.
pub const PATHS_OF_CLIENTS: &[&str] = &[
    "/oauth2/token",
    "/oauth2/revoke",
    "/userinfo",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/jwks.json",
];

/// Endpoints for browsers, clients and resource servers.
pub(crate) fn public_routes(oauth: &Arc<OAuth>) -> Router<Arc<OAuth>> {
    authorization::routes().merge(pages::routes(oauth)).merge(token::routes(oauth)).merge(openid::routes(oauth))
}

/// Endpoints for operators and their applications.
pub(crate) fn admin_routes() -> Router<Arc<OAuth>> {
    admin::routes().merge(token::admin_routes())
}
