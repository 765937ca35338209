//! Connection pools for upstreams. There are three, because a connection has one protocol: HTTP/1.1 or the result of
//! TLS negotiation, HTTP/1.1 only (upgrades, and a `Host` that differs), and HTTP/2 without TLS. Each has a counterpart
//! without kept-alive connections, for retries.

mod connection;

use std::sync::Arc;
use std::time::Duration;

use base::TrustStore;
use http::Request;
use http_body::Body;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::domain::upstream::Protocol;
use connection::Observed;

pub(crate) use connection::is_closed_under_request;

type Connector = Observed<HttpsConnector<HttpConnector>>;
type Pool<B> = Client<Connector, B>;

/// For requests with bodies `B`.
pub(crate) struct UpstreamClients<B> {
    kept: Pools<B>,
    fresh: Pools<B>,
}

struct Pools<B> {
    negotiated: Pool<B>,
    http1: Pool<B>,
    h2c: Pool<B>,
}

/// Whether a pooled connection may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reuse {
    Allowed,
    Fresh,
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);
const MOST_IDLE_PER_HOST: usize = 256;

impl<B> UpstreamClients<B>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    pub(crate) fn new(trust: &TrustStore) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_root_certificates(trust.roots())
            .with_no_client_auth();
        let builder = || HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http();
        let both = builder().enable_http1().enable_http2().wrap_connector(connector());
        let http1 = builder().enable_http1().wrap_connector(connector());
        let (both, http1) = (Observed(both), Observed(http1));
        let pools = |most_idle| Pools {
            negotiated: pool(both.clone(), false, most_idle),
            http1: pool(http1.clone(), false, most_idle),
            h2c: pool(both.clone(), true, most_idle),
        };
        Ok(Self { kept: pools(MOST_IDLE_PER_HOST), fresh: pools(0) })
    }

    /// Sends a request over one of the pools. HTTP/2 is not negotiated when it must be HTTP/1.1.
    pub(crate) fn send(
        &self,
        request: Request<B>,
        protocol: Protocol,
        must_be_http1: bool,
        reuse: Reuse,
    ) -> ResponseFuture {
        self.choose(protocol, must_be_http1, reuse).request(request)
    }

    const fn choose(&self, protocol: Protocol, must_be_http1: bool, reuse: Reuse) -> &Pool<B> {
        let pools = match reuse {
            Reuse::Allowed => &self.kept,
            Reuse::Fresh => &self.fresh,
        };
        match protocol {
            Protocol::H2c => &pools.h2c,
            Protocol::Https if must_be_http1 => &pools.http1,
            Protocol::Https | Protocol::Http => &pools.negotiated,
        }
    }
}

fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    connector
}

#[expect(clippy::disallowed_methods, reason = "the proxy streams bodies, which the client for outbound calls does not")]
fn pool<B>(connector: Connector, http2_only: bool, most_idle: usize) -> Pool<B>
where
    B: Body + Send,
    B::Data: Send,
{
    Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(most_idle)
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .http2_only(http2_only)
        .build(connector)
}
