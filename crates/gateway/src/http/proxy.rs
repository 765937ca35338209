//! Handles every request to the proxy: decide, then forward or reject.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use http::header::{ACCEPT, CONTENT_TYPE, UPGRADE};
use http::{HeaderMap, Response};
use web::{Cx, PeerAddress};

use super::{presented, target};
use crate::components::tunnels::AccessEnds;
use crate::operations::decide::Denied;
use crate::pipeline::Evaluation;
use crate::proxy::ForwardRequest;
use crate::service::Gateway;

pub(super) async fn any(State(gateway): State<Arc<Gateway>>, Cx(cx): Cx, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let listener = &gateway.config.serve.proxy;
    let peer = parts.extensions.get::<PeerAddress>().copied();
    let is_forwarder = listener.trust_forwarded_headers && target::is_trusted(peer, &listener.trusted_proxies);
    let target = match target::of_proxied(&parts, is_forwarder) {
        Ok(target) => target,
        Err(error) => {
            let denied = Denied::from(Box::from(error));
            return presented(gateway.refuse(&cx, &denied, None, &parts.headers));
        }
    };
    let body = gateway.proxy.hold(&cx, body);
    let mut granted = match gateway.decide(&cx, &target, &parts.headers, Evaluation::NewRequest(&body)).await {
        Ok(granted) => granted,
        Err(denied) => return presented(gateway.refuse(&cx, &denied, Some(&target), &parts.headers)),
    };
    // Error handlers may need these after the request has been forwarded.
    let negotiation = [ACCEPT, CONTENT_TYPE].map(|name| (parts.headers.get(&name).cloned(), name));
    let client_address = peer.map(|peer| peer.address.ip().to_canonical());
    let access_ends = (granted.session.is_watched && parts.headers.contains_key(UPGRADE)).then(|| -> AccessEnds {
        let subject = granted.session.subject.clone();
        Box::pin(gateway.clone().access_ends(cx.clone(), target.clone(), parts.headers.clone(), subject))
    });
    let (session, rules, rule) = granted.parts();
    let forward = ForwardRequest {
        session,
        rules,
        rule,
        target: &target,
        client_address,
        is_forwarder,
        access_ends,
        parts,
        body,
    };
    match gateway.proxy.forward(forward).await {
        Ok(response) => response,
        Err(failure) => {
            let present = negotiation.into_iter().filter_map(|(value, name)| Some((name, value?)));
            let headers: HeaderMap = present.collect();
            presented(gateway.refuse(&cx, &granted.fail(failure), Some(&target), &headers))
        }
    }
}
