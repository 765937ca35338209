//! The route tables of the listeners.

mod errors;
mod namespaces;
mod query;
mod relation_tuples;
mod syntax;
mod watch;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post, put};

use crate::Permissions;

pub(crate) fn read_routes() -> Router<Arc<Permissions>> {
    Router::new()
        .route("/relation-tuples", get(relation_tuples::list))
        .route("/relation-tuples/watch", get(watch::watch))
        .route("/namespaces", get(namespaces::list))
}

pub(crate) fn write_routes() -> Router<Arc<Permissions>> {
    // A patch is a list of changes; the other two methods take one tuple, or no body.
    web::bounds::take_lists(Router::new().route(
        "/admin/relation-tuples",
        put(relation_tuples::create).patch(relation_tuples::patch).delete(relation_tuples::delete),
    ))
}

pub(crate) fn opl_routes() -> Router<Arc<Permissions>> {
    Router::new().route("/opl/syntax/check", post(syntax::check))
}
