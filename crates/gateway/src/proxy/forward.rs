//! Forwards one request to the upstream and returns the response.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use base::shares::Shares;
use base::{Context, TrustStore, causes};
use http::header::{CONNECTION, HOST, SET_COOKIE, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use web::listener::IdleBody;

use super::body::{ClientFault, Progress, RequestBody};
use super::headers::{HeaderRules, wanted_upgrade};
use super::held_body::{HeldBody, body_memory};
use crate::components::tunnels::{AccessEnds, TunnelEnd, Tunnels};
use crate::components::upstream_clients::{Reuse, UpstreamClients, is_closed_under_request};
use crate::config::Timeouts;
use crate::domain::failure::{Failure, Fault};
use crate::domain::headers::remove_hop_by_hop;
use crate::domain::session::Session;
use crate::domain::target::Target;
use crate::domain::upstream::{Protocol, Upstream};
use crate::pipeline::{CompiledRule, RuleSet};

/// A request that is allowed.
pub(crate) struct ForwardRequest<'a> {
    /// Its headers are moved into the request.
    pub(crate) session: &'a mut Session,
    /// The rules that allowed it, and the one that matched.
    pub(crate) rules: Arc<RuleSet>,
    pub(crate) rule: Option<&'a CompiledRule>,
    pub(crate) target: &'a Target,
    pub(crate) client_address: Option<std::net::IpAddr>,
    /// Whether the peer's `X-Forwarded-*` headers are passed on.
    pub(crate) is_forwarder: bool,
    /// When to close a tunnel that this request opens.
    pub(crate) access_ends: Option<AccessEnds>,
    pub(crate) parts: Parts,
    pub(crate) body: HeldBody,
}

/// The proxy of one gateway.
pub(crate) struct Proxy {
    clients: UpstreamClients<Body>,
    tunnels: Tunnels,
    body_memory: Shares,
    timeouts: Timeouts,
}

impl Proxy {
    pub(crate) fn new(trust: &TrustStore, timeouts: Timeouts) -> Result<Self, rustls::Error> {
        Ok(Self {
            clients: UpstreamClients::new(trust)?,
            tunnels: Tunnels::default(),
            body_memory: body_memory(),
            timeouts,
        })
    }

    /// The body of a request without a decision.
    pub(crate) fn hold(&self, cx: &Context, body: Body) -> HeldBody {
        HeldBody::new(body, self.timeouts.read.get(), self.body_memory.begin(cx))
    }

    /// Closes all open tunnels.
    pub(crate) async fn close_tunnels(&self) {
        self.tunnels.close().await;
    }

    /// Sends the request to its rule's upstream and returns the streamed response.
    pub(crate) async fn forward(&self, request: ForwardRequest<'_>) -> Result<Response<Body>, Box<Failure>> {
        let ForwardRequest { session, rules, rule, target, client_address, is_forwarder, access_ends, mut parts, body } =
            request;
        let set = std::mem::take(&mut session.headers);
        let rule = rule.and_then(|rule| Some((rule, rule.upstream.as_ref()?)));
        let (rule, upstream) = rule.ok_or_else(|| Failure::internal("the rule has no upstream"))?;
        let requested = parts.uri.path_and_query();
        let uri = upstream.uri(target, requested);
        let uri = uri.ok_or_else(|| Failure::bad_request("removing `strip_path` leaves no valid path"))?;

        let client_upgrade = parts.extensions.remove::<OnUpgrade>();
        let upgrade = wanted_upgrade(&parts.headers).filter(|_| client_upgrade.is_some() && may_upgrade(upstream));
        let client = client_upgrade.map(|upgrade| TunnelEnd { upgrade, access_ends });
        let mut headers = parts.headers;
        HeaderRules {
            decided: rules.decided_headers(),
            removed: &session.removed,
            kept: &rule.kept_headers,
            is_forwarder,
            preserve_host: upstream.preserve_host,
            client: client_address.filter(|_| upstream.forwarded_headers).map(|address| (address, target)),
        }
        .apply(&mut headers, set, upgrade.as_ref());

        let timeouts = self.timeouts;
        let body = body.into_body();
        let (body, progress) = if body.is_end_stream() {
            (Body::empty(), None)
        } else {
            let (body, progress) = (IdleBody::new(body, timeouts.read.get()), Progress::default());
            (Body::new(RequestBody::new(body, progress.clone(), rules)), Some(progress))
        };
        let mut outgoing = Request::new(body);
        *outgoing.method_mut() = parts.method;
        *outgoing.uri_mut() = uri;
        *outgoing.version_mut() = if upstream.protocol == Protocol::H2c { Version::HTTP_2 } else { Version::HTTP_11 };
        *outgoing.headers_mut() = headers;

        // HTTP/2 already sends the host in the URI; do not send it twice.
        let must_be_http1 = upgrade.is_some() || outgoing.headers().contains_key(HOST);
        let send = |request, reuse| self.clients.send(request, upstream.protocol, must_be_http1, reuse);
        let can_be_repeated = outgoing.method().is_safe() && progress.is_none() && upgrade.is_none();
        let again = can_be_repeated.then(|| without_body(&outgoing));
        let longest_silence = timeouts.write.get();
        let first = wait_for(send(outgoing, Reuse::Allowed), progress.as_ref(), longest_silence).await;
        let answer = match (first, again) {
            (Err(NoAnswer { was_stale: true, .. }), Some(again)) => {
                tracing::debug!("the upstream closed a kept connection; the request is sent again");
                wait_for(send(again, Reuse::Fresh), None, longest_silence).await
            }
            (first, _) => first,
        };
        let answer = answer.map_err(|no_answer| no_answer.failure)?;
        let mut response = self.present(answer, upgrade.as_ref(), client, longest_silence)?;
        for cookie in &session.set_cookies {
            response.headers_mut().append(SET_COOKIE, cookie.clone());
        }
        Ok(response)
    }

    /// The upstream's response for the client, and the tunnel when both sides switch protocols.
    fn present(
        &self,
        mut answer: Response<Incoming>,
        upgrade: Option<&HeaderValue>,
        client: Option<TunnelEnd>,
        longest_silence: Duration,
    ) -> Result<Response<Body>, Box<Failure>> {
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            let (mut parts, body) = answer.into_parts();
            remove_hop_by_hop(&mut parts.headers);
            parts.version = Version::default();
            parts.extensions.clear();
            let body =
                if body.is_end_stream() { Body::new(body) } else { Body::new(IdleBody::new(body, longest_silence)) };
            return Ok(Response::from_parts(parts, body));
        }
        let chosen = answer.headers().get(UPGRADE).cloned();
        let agreed = match (upgrade, &chosen) {
            (Some(requested), Some(chosen)) => requested.as_bytes().eq_ignore_ascii_case(chosen.as_bytes()),
            _ => false,
        };
        let (Some(protocol), Some(client), true) = (chosen, client, agreed) else {
            return Err(Failure::bad_gateway("the upstream switched to a protocol that was not requested"));
        };
        self.tunnels.open(client, hyper::upgrade::on(&mut answer));
        let mut headers = std::mem::take(answer.headers_mut());
        remove_hop_by_hop(&mut headers);
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, protocol);
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// HTTP/2 connections are not upgraded.
fn may_upgrade(upstream: &Upstream) -> bool {
    upstream.protocol != Protocol::H2c
}

/// A copy of a request without a body.
fn without_body(request: &Request<Body>) -> Request<Body> {
    let mut again = Request::new(Body::empty());
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.version_mut() = request.version();
    *again.headers_mut() = request.headers().clone();
    again
}

/// The upstream did not respond.
struct NoAnswer {
    failure: Box<Failure>,
    /// Whether a kept-alive connection was closed before any byte of the response arrived.
    was_stale: bool,
}

/// Waits for the head of the response. The timeout is reset whenever data passes.
async fn wait_for(
    answer: hyper_util::client::legacy::ResponseFuture,
    progress: Option<&Progress>,
    longest_silence: Duration,
) -> Result<Response<Incoming>, NoAnswer> {
    let mut answer = std::pin::pin!(answer);
    let count = || progress.map_or(0, Progress::count);
    let mut seen = count();
    loop {
        match tokio::time::timeout(longest_silence, &mut answer).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => {
                return Err(NoAnswer {
                    failure: failure_of(&error),
                    was_stale: causes::all(&error).any(is_closed_under_request),
                });
            }
            Err(_) if count() != seen => seen = count(),
            Err(_) => {
                let failure = Failure::gateway_timeout(format!("no response for {longest_silence:?}"));
                return Err(NoAnswer { failure, was_stale: false });
            }
        }
    }
}

/// The party at fault for a missing response.
fn failure_of(error: &hyper_util::client::legacy::Error) -> Box<Failure> {
    let causes = || causes::all(error);
    if let Some(fault) = causes().find_map(|cause| cause.downcast_ref::<ClientFault>()) {
        return fault.into();
    }
    let is_timeout = causes()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::TimedOut);
    let reason = causes::chain(error);
    let failure = if is_timeout { Failure::gateway_timeout(reason) } else { Failure::bad_gateway(reason) };
    failure.blaming(Fault::Upstream)
}
