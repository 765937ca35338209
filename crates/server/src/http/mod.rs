//! The HTTP layer between the sockets and the services: listeners, health, authentication of the admin listeners, and the
//! headers, limits and error formats of all answers.

pub(crate) mod admin;
pub(crate) mod browsers;
pub(crate) mod error_pages;
pub(crate) mod health;
pub(crate) mod hsts;
pub(crate) mod listen;
pub(crate) mod loopback;
pub(crate) mod page_origin;
pub(crate) mod path;
pub(crate) mod refusals;
pub(crate) mod self_signed;
pub(crate) mod socket;
pub(crate) mod tls;

use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::response::Response;
use base::bounds::{BodyBounds, LIST, SUBMISSION, WAITING_BODIES_BYTES};
use base::shares::Shares;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use web::middleware::{self, Next};
use web::{BodyFailure, BodyProgress, Cx, MemoryFull};

use refusals::Refusals as _;
use service::ErrorFormat;

/// Longer than any operation takes. It ends requests whose handler hangs.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// Applies to every request to a service: errors are in the service's format, and bounds are enforced.
pub(crate) fn with_bounds_and_error_format(format: ErrorFormat, bounds: ListenerBounds, router: Router) -> Router {
    bounded_in(format, bounds, refusals::in_format(format, router))
}

/// Bounds bodies and time, and forbids caching unless a route allows it.
pub(crate) fn bounded(router: Router) -> Router {
    bounded_in(ErrorFormat::Rest, ListenerBounds::public(SUBMISSION.bytes), router)
}

/// Bounds of the bodies that a listener accepts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListenerBounds {
    /// For routes without a bound of their own.
    usual: BodyBounds,
    /// The largest body of any route.
    largest: usize,
}

impl ListenerBounds {
    /// A listener for public clients.
    pub(crate) const fn public(bytes: usize) -> Self {
        Self { usual: BodyBounds { bytes, ..SUBMISSION }, largest: bytes }
    }

    /// An admin listener, whose routes accept a body of `usual` unless they have a bound of their own.
    pub(crate) const fn admin(usual: BodyBounds) -> Self {
        Self { usual, largest: LIST.bytes }
    }
}

fn bounded_in(format: ErrorFormat, bounds: ListenerBounds, router: Router) -> Router {
    let memory = Shares::of(WAITING_BODIES_BYTES);
    let in_time = middleware::from_fn_with_state((format, bounds.largest, memory), in_time_and_uncached);
    web::bounds::bound_bodies(router.layer(in_time), bounds.usual)
}

async fn in_time_and_uncached(
    State((format, largest, memory)): State<(ErrorFormat, usize, Shares)>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    if declared_length(&parts.headers).is_some_and(|length| length > largest as u64) {
        // A body that is too large is not read.
        let reason = format!("The body may have {largest} bytes at most.");
        return format.refusal(StatusCode::PAYLOAD_TOO_LARGE, &reason);
    }
    let Ok(Cx(cx)) = Cx::from_request_parts(&mut parts, &()).await;
    let (body, progress) = BodyProgress::watch(&parts.headers, body, memory.begin(&cx));
    let answered = tokio::time::timeout(ANSWER_TIMEOUT, next.run(Request::from_parts(parts, body))).await;
    let mut response = match (answered, progress.failure()) {
        (Ok(response), None) => response,
        (Ok(_), Some(BodyFailure::MemoryFull(full))) => too_much(format, full),
        (Ok(_), Some(BodyFailure::Stalled)) => late(format),
        (Err(_), _) if progress.is_coming() => late(format),
        (Err(_), _) => format.refusal(StatusCode::SERVICE_UNAVAILABLE, "The answer took too long."),
    };
    response
        .headers_mut()
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("private, no-cache, no-store, must-revalidate"));
    response
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn late(format: ErrorFormat) -> Response {
    closing(format.refusal(StatusCode::REQUEST_TIMEOUT, "The body of the request stopped arriving."))
}

fn too_much(format: ErrorFormat, full: MemoryFull) -> Response {
    let status = match full {
        MemoryFull::OfAll => StatusCode::SERVICE_UNAVAILABLE,
        MemoryFull::OfClient => StatusCode::TOO_MANY_REQUESTS,
    };
    let mut response = closing(format.refusal(status, &full.to_string()));
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(1));
    response
}

/// The connection must close, because the rest of the body would be parsed as the next request.
fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests;
