//! Pooled connections to upstreams. Three pools, because a connection speaks one protocol: HTTP/1.1 or what TLS
//! negotiates, HTTP/1.1 alone (upgrades, and a foreign `Host`), and HTTP/2 without TLS.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use base::TrustStore;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::domain::upstream::Protocol;

pub(super) type Pool = Client<HttpsConnector<HttpConnector>, Body>;

pub(crate) struct UpstreamClients {
    negotiated: Pool,
    http1: Pool,
    h2c: Pool,
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);
const MOST_IDLE_PER_HOST: usize = 256;

impl UpstreamClients {
    pub(crate) fn new(trust: &TrustStore) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_root_certificates(trust.roots())
            .with_no_client_auth();
        let builder = || HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http();
        let both = builder().enable_http1().enable_http2().wrap_connector(connector());
        let http1 = builder().enable_http1().wrap_connector(connector());
        Ok(Self { negotiated: pool(both.clone(), false), http1: pool(http1, false), h2c: pool(both, true) })
    }

    pub(super) const fn choose(&self, protocol: Protocol, must_be_http1: bool) -> &Pool {
        match protocol {
            Protocol::H2c => &self.h2c,
            Protocol::Https if must_be_http1 => &self.http1,
            Protocol::Https | Protocol::Http => &self.negotiated,
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
fn pool(connector: HttpsConnector<HttpConnector>, http2_only: bool) -> Pool {
    Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(MOST_IDLE_PER_HOST)
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .http2_only(http2_only)
        .build(connector)
}
