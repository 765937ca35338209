//! The HTTP endpoints: one file each, with its own wire types. The routes of the authorization endpoint and of clients are
//! in `authorization_routes`.

mod access_tokens;
mod admin_error;
mod authorization_response;
mod authorization_routes;
mod authorize;
mod browser;
mod challenge_query;
mod client_form;
mod client_origins;
mod clients;
mod consent_page;
mod consent_requests;
mod device;
mod discovery;
mod documents;
mod form_post_script;
mod introspect;
mod jwks;
mod keys;
mod listing;
mod login_requests;
mod logout;
mod logout_page;
mod logout_requests;
mod nullable;
mod page_asset;
mod revoke;
mod sessions;
mod token;
mod token_error;
mod token_routes;
mod userinfo;

use axum::Router;

use crate::OAuth;

pub(crate) use consent_page::PATH as CONSENT_PAGE;
pub(crate) use form_post_script::PATH as FORM_POST_SCRIPT;
pub(crate) use logout_page::PATH as LOGOUT_PAGE;

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
pub(crate) fn public_routes(oauth: &OAuth) -> Router<OAuth> {
    authorization_routes::public(oauth).merge(token_routes::public(oauth))
}

/// Endpoints for operators and their applications.
pub(crate) fn admin_routes() -> Router<OAuth> {
    authorization_routes::admin().merge(token_routes::admin())
}

#[cfg(test)]
mod authorization_tests;
#[cfg(test)]
mod token_tests;
