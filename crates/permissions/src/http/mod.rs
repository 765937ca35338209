//! The route tables of the listeners.

mod authzen;
mod checks;
mod errors;
mod expansion;
mod explanation;
mod json_bodies;
mod migrate_subjects;
mod namespaces;
mod objects;
mod query;
mod question;
mod relation_tuples;
mod relations;
mod snaptoken;
mod subjects;
mod syntax;
mod watch;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post, put};

use crate::Permissions;

pub(crate) use authzen::METADATA;

pub(crate) fn read_routes() -> Router<Arc<Permissions>> {
    let routes = Router::new()
        .route("/relation-tuples", get(relation_tuples::list))
        .route("/relation-tuples/watch", get(watch::watch))
        .route("/relation-tuples/check", get(checks::get).post(checks::post))
        .route("/relation-tuples/check/openapi", get(checks::get_openapi).post(checks::post_openapi))
        .route("/relation-tuples/batch/check", post(checks::batch))
        .route("/relation-tuples/expand", get(expansion::get))
        .route("/relation-tuples/objects", get(objects::get).post(objects::post))
        .route("/relation-tuples/subjects", get(subjects::get).post(subjects::post))
        .route("/relation-tuples/relations", get(relations::get).post(relations::post))
        .route("/namespaces", get(namespaces::list));
    json_bodies::checked(routes).merge(authzen::routes())
}

pub(crate) fn write_routes() -> Router<Arc<Permissions>> {
    // A patch is a list of changes; the other two methods take one tuple, or no body.
    let changes = Router::new().route(
        "/admin/relation-tuples",
        put(relation_tuples::create).patch(relation_tuples::patch).delete(relation_tuples::delete),
    );
    let migration = Router::new().route("/admin/relation-tuples/migrate-subjects", post(migrate_subjects::post));
    web::bounds::take_lists(json_bodies::checked(changes)).merge(json_bodies::checked(migration))
}

pub(crate) fn opl_routes() -> Router<Arc<Permissions>> {
    Router::new().route("/opl/syntax/check", post(syntax::check))
}

/// Only what `server` adds.
pub(crate) fn metrics_routes() -> Router<Arc<Permissions>> {
    Router::new()
}
