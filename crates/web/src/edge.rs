//! The edge of a request: creates its [`Context`], once, and counts and logs the request when it is answered.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::response::Response;
use base::{Actor, Clock, Context, RequestId, Rng, TenantId};
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::Body as _;
use telemetry::metrics::{HttpMetrics, HttpObservation};
use tracing::Instrument as _;

use crate::language::Languages;
use crate::middleware::{Next, from_fn_with_state};
use crate::{TrustedProxies, rest_error};

/// The peer of the connection. The [listener](crate::listener) adds it to each request.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddress {
    pub address: SocketAddr,
    pub is_tls: bool,
}

/// The dependencies of the edge. A cheap clone.
#[derive(Clone, Debug)]
pub struct Edge {
    pub clock: Clock,
    pub rng: Rng,
    pub proxies: TrustedProxies,
    pub metrics: Option<HttpMetrics>,
    /// Leaves health checks out of the request log.
    pub quiet_health: bool,
    /// The languages of the pages.
    pub languages: Languages,
    /// Prefixes of paths whose answers have the id that the client gave its request, if it gave one, in place of ours.
    pub repeats_request_id: &'static [&'static str],
}

/// The longest one that is logged.
const LOGGED_BYTES: usize = 128;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

impl Edge {
    /// Adds the edge to every route of `router`.
    pub fn around(self, router: axum::Router) -> axum::Router {
        router.layer(from_fn_with_state(Arc::new(self), pass))
    }

    /// The context of a request that came from `peer`.
    pub fn context(&self, peer: Option<PeerAddress>, headers: &HeaderMap) -> Context {
        let chosen = self.languages.chosen(headers);
        Context {
            now: self.clock.now(),
            tenant: TenantId::DEFAULT,
            actor: Actor::Anonymous,
            request_id: RequestId(self.rng.uuid()),
            locale: chosen.unwrap_or_else(|| self.languages.preferred(headers)),
            locale_is_chosen: chosen.is_some(),
            client_address: peer.map(|it| self.proxies.client_address(it.address.ip(), headers)),
        }
    }
}

async fn pass(State(edge): State<Arc<Edge>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let peer = request.extensions().get::<PeerAddress>().copied();
    let cx = edge.context(peer, request.headers());
    let origin =
        edge.proxies.origin(peer.map(|it| it.address.ip()), peer.is_some_and(|it| it.is_tls), request.headers());
    request.extensions_mut().insert(cx.clone());
    request.extensions_mut().insert(origin);
    let seen = Seen::of(&request, edge.repeats_request_id);
    let span = telemetry::request_span(
        seen.method.as_str(),
        seen.endpoint.as_ref().map(MatchedPath::as_str),
        &cx.request_id,
        |name| Some(request.headers().get(name)?.to_str().ok()?.to_owned()),
    );
    let mut response =
        if span.is_disabled() { next.run(request).await } else { next.run(request).instrument(span.clone()).await };
    response = rest_error::with_request_id(response, cx.request_id);
    telemetry::record_answer(&span, response.status().as_u16());
    let ours = || HeaderValue::from_str(&cx.request_id.to_string()).ok();
    if let Some(id) = seen.callers_id.clone().or_else(ours) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    edge.record(&cx, &seen, &response, started);
    response
}

/// The parts of a request that are kept until its answer is there.
struct Seen {
    method: http::Method,
    path: String,
    endpoint: Option<MatchedPath>,
    bytes: u64,
    /// The id that the answer repeats.
    callers_id: Option<HeaderValue>,
}

impl Seen {
    fn of(request: &Request, repeats_request_id: &[&str]) -> Self {
        let path = request.uri().path();
        let repeats = repeats_request_id.iter().any(|prefix| path.starts_with(prefix));
        let length =
            request.headers().get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()).and_then(|it| it.parse().ok());
        Self {
            method: request.method().clone(),
            path: path.to_owned(),
            endpoint: request.extensions().get::<MatchedPath>().cloned(),
            bytes: length.unwrap_or(0),
            callers_id: request.headers().get(X_REQUEST_ID).filter(|_| repeats).cloned(),
        }
    }
}

impl Edge {
    fn record(&self, cx: &Context, seen: &Seen, response: &Response<Body>, started: Instant) {
        let took = started.elapsed();
        let code = response.status().as_u16();
        if let Some(metrics) = &self.metrics {
            metrics.observe(&HttpObservation {
                method: seen.method.as_str(),
                endpoint: seen.endpoint.as_ref().map(MatchedPath::as_str),
                code,
                took,
                request_bytes: seen.bytes,
                response_bytes: response.body().size_hint().lower(),
            });
        }
        if self.quiet_health && seen.path.starts_with("/health/") {
            return;
        }
        let callers = seen.callers_id.as_ref().and_then(|it| it.to_str().ok());
        // The query is not logged, because it may contain codes and tokens.
        tracing::info!(
            request_id = %cx.request_id,
            method = %seen.method,
            path = %seen.path,
            status = code,
            took_micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            callers_request_id = callers.filter(|id| id.len() <= LOGGED_BYTES),
            client = cx.client_address.map(tracing::field::display),
            "request"
        );
    }
}

/// Extracts the request's [`Context`].
#[derive(Clone, Debug)]
pub struct Cx(pub Context);

impl<S: Sync> FromRequestParts<S> for Cx {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        // Without an edge the time is the epoch, so that every deadline seems far away and every signature premature, and no
        // session is valid.
        let unknown =
            || Context::for_background(base::Timestamp::EPOCH, TenantId::DEFAULT, RequestId(base::uuid::Uuid::nil()));
        let mut cx = parts.extensions.get::<Context>().cloned().unwrap_or_else(unknown);
        if cx.actor == Actor::System {
            cx.actor = Actor::Anonymous;
        }
        Ok(Self(cx))
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use base::{ManualClock, Timestamp};
    use serde_json::{Value, json};
    use tower::ServiceExt as _;

    use super::*;
    use crate::RestError;

    fn edge() -> Edge {
        Edge {
            clock: ManualClock::starting_at(Timestamp::EPOCH).clock(),
            rng: Rng::seeded(1),
            proxies: TrustedProxies::default(),
            metrics: None,
            quiet_health: false,
            languages: Languages::default(),
            repeats_request_id: &["/repeated/"],
        }
    }

    #[tokio::test]
    async fn an_answer_has_our_id_unless_its_path_repeats_that_of_the_client() {
        // A header of a response may come from elsewhere, for instance from the service behind a proxy.
        let other = || async { [(X_REQUEST_ID, "other")] };
        let router = edge().around(Router::new().route("/repeated/a", get(other)).route("/other", get(other)));
        let id = async |path: &str| {
            let request = Request::builder().uri(path).header(X_REQUEST_ID, "theirs").body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            response.headers()[X_REQUEST_ID].to_str().unwrap().to_owned()
        };
        assert_eq!(id("/repeated/a").await, "theirs");
        assert_eq!(id("/repeated/unknown").await, "theirs");
        assert_eq!(id("/other").await.len(), 36);
    }

    #[tokio::test]
    async fn an_error_has_the_id_of_its_request_in_the_body() {
        let error = || async { RestError::bad_request("no").with_detail("field", "a") };
        let own = || async { RestError::bad_request("no").with_request("own") };
        let other = || async { (http::StatusCode::BAD_REQUEST, axum::Json(json!({ "error": {} }))) };
        let routes = Router::new().route("/error", get(error)).route("/own", get(own)).route("/other", get(other));
        let router = edge().around(routes);
        let ask = async |method: &str, path: &str| {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            let header = |name: HeaderName| response.headers()[name].to_str().unwrap().to_owned();
            let (id, length) = (header(X_REQUEST_ID), header(CONTENT_LENGTH));
            let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
            (id, length.parse::<usize>().unwrap(), body)
        };
        let (id, length, body) = ask("GET", "/error").await;
        let expected = RestError::bad_request("no").with_detail("field", "a").with_request(id).to_value();
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
        assert_eq!(body.len(), length);
        let (_, length_of_head, body) = ask("HEAD", "/error").await;
        assert_eq!((length_of_head, body.len()), (length, 0));
        for (path, id) in [("/own", json!("own")), ("/other", Value::Null)] {
            let (_, length, body) = ask("GET", path).await;
            let value: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!((&value["error"]["request"], body.len()), (&id, length));
        }
    }
}
