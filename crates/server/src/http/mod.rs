//! What stands between the sockets and the services: listeners, health, the guard of the admin listeners, and the manners
//! that hold for every answer.

pub(crate) mod admin;
pub(crate) mod health;
pub(crate) mod listen;
pub(crate) mod path;
pub(crate) mod socket;
pub(crate) mod tls;

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use web::RestError;

/// What a request to a service may carry.
const BODY_BYTES: usize = 5 * 1024 * 1024;
/// Longer than any operation takes; a handler that hangs must not hold its client for ever.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// Puts the manners of a service around `router`: paths that it does not know are answered as everywhere.
pub(crate) fn with_manners(router: Router) -> Router {
    bounded(router.fallback(unknown_route))
}

/// Bounded bodies, bounded time, nothing cached unless a route says so.
pub(crate) fn bounded(router: Router) -> Router {
    router.layer(middleware::from_fn(in_time_and_uncached)).layer(DefaultBodyLimit::max(BODY_BYTES))
}

async fn unknown_route() -> Response {
    RestError::new(StatusCode::NOT_FOUND, "There is no such resource")
        .with_reason("There is no such path on this listener.")
        .into_response()
}

async fn in_time_and_uncached(request: Request, next: Next) -> Response {
    let mut response = match tokio::time::timeout(ANSWER_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => RestError::new(StatusCode::SERVICE_UNAVAILABLE, "The answer took too long").into_response(),
    };
    response
        .headers_mut()
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("private, no-cache, no-store, must-revalidate"));
    response
}
