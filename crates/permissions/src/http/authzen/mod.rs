//! The `AuthZEN` Authorization API 1.0.
//!
//! Specification: <https://openid.net/specs/authorization-api-1_0.html>. Invariants:
//! - A denial is an answer (200). What is wrong with a request as a whole is an error, whose body is a JSON string.
//! - Whatever cannot be decided is denied, and `context` says why.

mod evaluation;
mod metadata;
mod page;
mod refused;
mod request;
mod search;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::Permissions;

/// The path of the metadata, in front of the path of the service.
pub(crate) const METADATA: &str = "/.well-known/authzen-configuration";
const EVALUATION: &str = "/access/v1/evaluation";
const EVALUATIONS: &str = "/access/v1/evaluations";
const SEARCH_SUBJECT: &str = "/access/v1/search/subject";
const SEARCH_RESOURCE: &str = "/access/v1/search/resource";
const SEARCH_ACTION: &str = "/access/v1/search/action";

/// Prefixes of the paths. Section "Request Identification": every answer has the id that the client gave its request, those for an
/// unknown path or without a token included.
pub(crate) const PATHS: &[&str] = &["/access/v1/", METADATA];

pub(super) fn routes() -> Router<Arc<Permissions>> {
    Router::new()
        .route(METADATA, get(metadata::get))
        .route("/.well-known/authzen-configuration/{*path}", get(metadata::get))
        .route(EVALUATION, post(evaluation::one))
        .route(EVALUATIONS, post(evaluation::list))
        .route(SEARCH_SUBJECT, post(search::subject))
        .route(SEARCH_RESOURCE, post(search::resource))
        .route(SEARCH_ACTION, post(search::action))
}
