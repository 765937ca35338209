//! Bounds of requests, applied to routers. The numbers are those of [`base::bounds`]; extractors find the bounds of their route
//! in the request.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request};
use axum::response::IntoResponse as _;
use axum::{Extension, Router};
use base::bounds::{self, BodyBounds};
use http::StatusCode;
use tokio::sync::Semaphore;

pub use crate::input::of_request;
use crate::middleware::{Next, from_fn};
use crate::{RestError, check_json};

/// Bounds the bodies of every route of `router`. If two bounds apply to one route, the inner one is used.
pub fn bound_bodies<S: Clone + Send + Sync + 'static>(router: Router<S>, bounds: BodyBounds) -> Router<S> {
    // One layer of the router, since each costs allocations.
    router.layer((Extension(bounds), DefaultBodyLimit::max(bounds.bytes)))
}

/// Lets the routes of `router` accept lists of documents, a few large ones at a time: a list is read completely before it waits
/// for its turn, and decoded afterwards.
pub fn take_lists<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    let turns = Arc::new(Semaphore::new(bounds::LISTS_AT_ONCE));
    let in_turn = move |request: Request, next: Next| {
        let turns = turns.clone();
        async move {
            let (parts, body) = request.into_parts();
            // The extractor finds the byte limit in the extensions.
            let mut reading = Request::new(body);
            *reading.extensions_mut() = parts.extensions.clone();
            let body = match Bytes::from_request(reading, &()).await {
                Ok(body) => body,
                Err(rejection) => return rejection.into_response(),
            };
            let is_small = check_json(bounds::SMALL_LIST, &body).is_ok();
            let request = Request::from_parts(parts, Body::from(body));
            if is_small {
                return next.run(request).await;
            }
            let Ok(turn) = turns.acquire_owned().await else { return RestError::unavailable(1).into_response() };
            let response = next.run(request).await;
            drop(turn);
            response
        }
    };
    bound_bodies(router.layer(from_fn(in_turn)), bounds::LIST)
}

/// Checks a request target (RFC 9112 section 3.2). The error has the status of the answer and the reason.
pub fn check_target(target: &http::Uri) -> Result<(), (StatusCode, String)> {
    let query = target.query().unwrap_or_default();
    if target.path().len() + query.len() > bounds::TARGET_BYTES {
        let parameters = url::form_urlencoded::parse(query.as_bytes());
        let largest = parameters.max_by_key(|(_, value)| value.len()).filter(|(name, _)| name.len() < 100);
        let hint = largest.map_or_else(String::new, |(name, _)| format!("; the largest parameter is '{name}'"));
        let reason = format!("The path and the query must have at most {} bytes{hint}.", bounds::TARGET_BYTES);
        return Err((StatusCode::URI_TOO_LONG, reason));
    }
    if query.bytes().filter(|byte| *byte == b'&').count() >= bounds::PARAMETERS {
        return Err((
            StatusCode::BAD_REQUEST,
            format!("The query must have at most {} parameters.", bounds::PARAMETERS),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use axum::routing::post;
    use serde_json::Value;
    use tower::ServiceExt as _;

    use super::*;
    use crate::Json;

    async fn status_of(router: Router, path: &str, body: String) -> u16 {
        let request = Request::post(path).header("content-type", "application/json").body(Body::from(body)).unwrap();
        router.oneshot(request).await.unwrap().status().as_u16()
    }

    async fn take(Json(_): Json<Value>) {}

    #[tokio::test]
    async fn the_inner_bound_of_a_route_is_used() {
        let lists = take_lists(Router::new().route("/list", post(take)));
        let router = Router::new().route("/one", post(take)).merge(lists);
        let router = bound_bodies(router, BodyBounds { bytes: 4096, json_values: 100 });
        let numbers = |count: usize| format!("[{}1]", "1,".repeat(count));
        assert_eq!(status_of(router.clone(), "/one", numbers(90)).await, 200);
        assert_eq!(status_of(router.clone(), "/one", numbers(110)).await, 400);
        assert_eq!(status_of(router.clone(), "/one", format!("\"{}\"", "x".repeat(5000))).await, 413);
        assert_eq!(status_of(router.clone(), "/list", numbers(100_000)).await, 200);
        assert_eq!(status_of(router.clone(), "/list", numbers(bounds::LIST.json_values)).await, 400);
        assert_eq!(status_of(router, "/list", format!("\"{}\"", "x".repeat(bounds::LIST.bytes))).await, 413);
    }

    /// How many of 32 requests were in the handler at the same time, at most.
    async fn at_once(body: &str) -> usize {
        let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let handler = {
            let (inside, most) = (inside.clone(), most.clone());
            async move |_: Bytes| {
                most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(1)).await;
                inside.fetch_sub(1, Ordering::SeqCst);
            }
        };
        let router = take_lists(Router::new().route("/list", post(handler)));
        let requests = (0..32).map(|_| status_of(router.clone(), "/list", body.to_owned()));
        assert_eq!(futures_util::future::join_all(requests).await, [200; 32]);
        most.load(Ordering::SeqCst)
    }

    #[tokio::test(start_paused = true)]
    async fn only_large_lists_wait_for_their_turn() {
        assert_eq!(at_once(&"x".repeat(bounds::SMALL_LIST.bytes)).await, 32);
        assert_eq!(at_once(&"x".repeat(bounds::SMALL_LIST.bytes + 1)).await, bounds::LISTS_AT_ONCE);
        let of_values = |count: usize| format!("[{}0]", "0,".repeat(count - 2));
        assert_eq!(at_once(&of_values(bounds::SMALL_LIST.json_values)).await, 32);
        assert_eq!(at_once(&of_values(bounds::SMALL_LIST.json_values + 1)).await, bounds::LISTS_AT_ONCE);
        let objects = format!("[{}0]", "{\"\":0},".repeat(bounds::SMALL_LIST.json_values / 3 + 1));
        assert_eq!(at_once(&objects).await, bounds::LISTS_AT_ONCE, "members are values with names");
    }

    #[test]
    fn a_target_is_bounded_in_bytes_and_in_parameters() {
        let status = |target: String| check_target(&target.parse().unwrap()).map_err(|(status, _)| status.as_u16());
        assert_eq!(status(format!("/a?{}", "x".repeat(32_000))), Ok(()));
        assert_eq!(status(format!("/a?{}", "x".repeat(32_768))), Err(414));
        assert_eq!(status(format!("/a?{}", "a=1&".repeat(255))), Ok(()));
        assert_eq!(status(format!("/a?{}", "a&".repeat(256))), Err(400));
    }
}
