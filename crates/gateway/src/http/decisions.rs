//! `/decisions`: whether another proxy may forward a request. Responds with 200 and the headers to add, or with the error
//! handler's response. Compatible with nginx `auth_request`, Traefik `ForwardAuth` and Envoy's HTTP `ext_authz`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use http::header::{CONTENT_LENGTH, HOST, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use web::{Cx, PeerAddress};

use super::{presented, target};
use crate::domain::headers::{is_overriding, remove_hop_by_hop};
use crate::operations::decide::{Denied, Granted};
use crate::pipeline::Evaluation;
use crate::service::Gateway;

/// Envoy removes these headers from the request before it forwards it; other proxies ignore this header.
const X_ENVOY_AUTH_HEADERS_TO_REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");

pub(super) async fn any(State(gateway): State<Arc<Gateway>>, Cx(cx): Cx, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let peer = parts.extensions.get::<PeerAddress>().copied();
    let config = &gateway.config;
    let is_forwarder = config.security.decision.x_forwarded_headers.is_trusted()
        && target::is_trusted(peer, &config.serve.api.trusted_proxies);
    let target = match target::of_decision(&parts, is_forwarder) {
        Ok(target) => target,
        Err(failure) => {
            return presented(gateway.refuse(&cx, &Denied::from(failure), None, &parts.headers));
        }
    };
    let body = gateway.proxy.hold(&cx, body);
    match gateway.decide(&cx, &target, &parts.headers, Evaluation::NewRequest(&body)).await {
        Ok(granted) => present(&granted, parts.headers),
        Err(denied) => presented(gateway.refuse(&cx, &denied, Some(&target), &parts.headers)),
    }
}

fn present(granted: &Granted, request_headers: HeaderMap) -> Response<Body> {
    let decided = granted.rules.decided_headers();
    let session = &granted.session;
    let is_kept = |name: &HeaderName| granted.compiled().is_some_and(|compiled| compiled.kept_headers.contains(name));
    // Include the spellings that this request uses: many applications treat `X_User_Id` as `X-User-Id`.
    let is_forged = |name: &&HeaderName| decided.contains(name) || (is_overriding(name) && !is_kept(name));
    let forged: Vec<HeaderName> = request_headers.keys().filter(is_forged).cloned().collect();
    let mut headers = HeaderMap::new();
    if granted.compiled().is_some_and(|compiled| compiled.pipeline.echoes_request_headers()) {
        headers = request_headers;
        remove_hop_by_hop(&mut headers);
        for name in session.removed.iter().chain(&forged).chain([&CONTENT_LENGTH, &HOST]) {
            headers.remove(name);
        }
    }
    for (name, value) in session.headers.iter() {
        headers.insert(name, value.clone());
    }
    let mut removed: Vec<&str> =
        decided.iter().chain(session.removed.iter().chain(&forged).map(HeaderName::as_str)).collect();
    removed.retain(|name| session.headers.get(name).is_none());
    removed.sort_unstable();
    removed.dedup();
    if !removed.is_empty()
        && let Ok(names) = HeaderValue::from_str(&removed.join(","))
    {
        headers.insert(X_ENVOY_AUTH_HEADERS_TO_REMOVE, names);
    }
    for cookie in &session.set_cookies {
        headers.append(SET_COOKIE, cookie.clone());
    }
    let mut response = Response::new(Body::empty());
    *response.headers_mut() = headers;
    response
}
