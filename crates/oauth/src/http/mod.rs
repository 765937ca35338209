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

impl OAuth {
    /// Endpoints for browsers, clients and resource servers.
    pub fn public_router(self: &Arc<Self>) -> Router {
        let routes = authorization::routes().merge(pages::routes(self)).merge(token::routes(self));
        routes.merge(openid::routes(self)).with_state(self.clone())
    }

    /// Endpoints for operators and applications of the operator.
    pub fn admin_router(self: &Arc<Self>) -> Router {
        admin::routes().merge(token::admin_routes()).with_state(self.clone())
    }
}
