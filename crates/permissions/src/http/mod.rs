//! The route tables of the listeners, which serve gRPC as well.

mod authzen;
mod checks;
mod errors;
mod expansion;
mod explanation;
mod json_bodies;
mod migrate_subjects;
mod namespaces;
mod query;
mod question;
mod relation_tuples;
mod reverse_questions;
mod snaptoken;
mod syntax;
mod watch;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post, put};

use crate::domain::reverse_question::Sought;
use crate::{Permissions, grpc};

pub(crate) use authzen::{METADATA, PATHS as AUTHZEN};

impl Permissions {
    /// Endpoints for checks and lists.
    pub fn read_router(self: &Arc<Self>) -> Router {
        read_routes().with_state(self.clone()).merge(grpc::read_routes(self.clone()))
    }

    /// Endpoints that change relation tuples.
    pub fn write_router(self: &Arc<Self>) -> Router {
        write_routes().with_state(self.clone()).merge(grpc::write_routes(self.clone()))
    }

    /// `server` adds the metrics, as to every listener.
    pub fn metrics_router(self: &Arc<Self>) -> Router {
        metrics_routes().with_state(self.clone())
    }

    /// The endpoint that checks the syntax of a model.
    pub fn opl_router(self: &Arc<Self>) -> Router {
        opl_routes().with_state(self.clone()).merge(grpc::opl_routes(self.clone()))
    }
}

fn read_routes() -> Router<Arc<Permissions>> {
    Router::new()
        .route("/relation-tuples", get(relation_tuples::list))
        .route("/relation-tuples/watch", get(watch::watch))
        .route("/relation-tuples/check", get(checks::get).post(checks::post))
        .route("/relation-tuples/check/openapi", get(checks::get_openapi).post(checks::post_openapi))
        .route("/relation-tuples/batch/check", post(checks::batch))
        .route("/relation-tuples/expand", get(expansion::get))
        .route("/relation-tuples/objects", reverse_questions::about(Sought::Objects))
        .route("/relation-tuples/subjects", reverse_questions::about(Sought::Subjects))
        .route("/relation-tuples/relations", reverse_questions::about(Sought::Relations))
        .route("/namespaces", get(namespaces::list))
        .merge(authzen::routes())
}

fn write_routes() -> Router<Arc<Permissions>> {
    // A patch is a list of changes; the other two methods take one tuple, or no body.
    let changes = Router::new().route(
        "/admin/relation-tuples",
        put(relation_tuples::create).patch(relation_tuples::patch).delete(relation_tuples::delete),
    );
    let migration = Router::new().route("/admin/relation-tuples/migrate-subjects", post(migrate_subjects::post));
    web::bounds::take_lists(changes).merge(migration)
}

fn opl_routes() -> Router<Arc<Permissions>> {
    Router::new().route("/opl/syntax/check", post(syntax::check))
}

/// Only what `server` adds.
fn metrics_routes() -> Router<Arc<Permissions>> {
    Router::new()
}
