//! The HTTP API: self-service on the public port, administration on the admin port.

use std::sync::Arc;

pub(crate) mod admin;
pub(crate) mod answer;
mod body;
mod errors;
mod schemas;
mod self_service;
mod visitor;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use base::{Actor, Context};
use web::middleware::{Next, from_fn, from_fn_with_state};

use crate::Identity;
use crate::pages;

impl Identity {
    /// All routes of the public port.
    pub fn public_router(self: &Arc<Self>) -> Router {
        let routes = self_service::routes().merge(schemas::routes()).merge(pages::public_routes(self));
        routes.layer(from_fn_with_state(self.clone(), load_schemas)).with_state(self.clone())
    }

    /// All routes of the admin port.
    pub fn admin_router(self: &Arc<Self>) -> Router {
        let routes = admin::routes().merge(schemas::routes()).merge(pages::admin_routes()).layer(from_fn(as_admin));
        routes.layer(from_fn_with_state(self.clone(), load_schemas)).with_state(self.clone())
    }
}

/// Fetches schemas over HTTP that could not be loaded at start; each request tries again until it succeeds.
async fn load_schemas(State(identity): State<Arc<Identity>>, request: Request, next: Next) -> Response {
    if let Err(error) = identity.load_schemas().await {
        tracing::error!(%error, "an identity schema cannot be loaded");
    }
    next.run(request).await
}

/// Every client of the admin port acts as the administrator.
async fn as_admin(mut request: Request, next: Next) -> Response {
    if let Some(cx) = request.extensions_mut().get_mut::<Context>() {
        cx.actor = Actor::Admin;
    }
    next.run(request).await
}
