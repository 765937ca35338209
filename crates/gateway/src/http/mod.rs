//! The route tables of the proxy, which handles every path, and of the API.

mod decisions;
mod keys;
mod proxy;
mod rules;
pub(crate) mod target;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::{any, get};
use http::Response;

use crate::service::Gateway;

impl Gateway {
    /// The proxy.
    pub fn public_router(self: &Arc<Self>) -> Router {
        Router::new().fallback(proxy::any).with_state(self.clone())
    }

    /// Decisions, rules and keys.
    pub fn admin_router(self: &Arc<Self>) -> Router {
        api_routes().with_state(self.clone())
    }
}

fn api_routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/decisions", any(decisions::any))
        .route("/decisions/", any(decisions::any))
        .route("/decisions/{*path}", any(decisions::any))
        .route("/rules", get(rules::list))
        .route("/rules/{id}", get(rules::get))
        .route("/.well-known/jwks.json", get(keys::get))
}

/// Converts an error handler's response for the framework.
fn presented(answer: Response<String>) -> Response<Body> {
    answer.map(Body::from)
}
