//! One connection: the handshake, then HTTP until one side closes it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::CONNECTION;
use http::{HeaderValue, Method, StatusCode, Version};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;
use tower_service::Service;

use super::pace::{Pace, PacedBody, PacedIo};
use super::{IdleBody, ListenerLimits, stopped};
use crate::PeerAddress;

/// Provides the certificate. It is called for every connection, so that a renewed certificate is used without a restart.
pub trait TlsAcceptors: Send + Sync {
    fn acceptor(&self) -> TlsAcceptor;
}

pub(super) struct Connection<R> {
    pub(super) http: Arc<auto::Builder<TokioExecutor>>,
    pub(super) router: R,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) limits: ListenerLimits,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) address: SocketAddr,
}

impl<R> Connection<R>
where
    R: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    R::Future: Send,
{
    pub(super) async fn run(mut self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let Some(tls) = self.tls.take() else { return self.serve(stream, false).await };
        match tokio::time::timeout(self.limits.header_timeout, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.serve(stream, true).await,
            // Failed handshakes of unknown clients are not important to the operator.
            Ok(Err(error)) => tracing::debug!(error = &error as &dyn std::error::Error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, is_tls: bool) {
        let Self { http, router, limits, mut stop, address, .. } = self;
        let pace = Arc::new(Pace::new());
        let peer = PeerAddress { address, is_tls };
        let service = {
            let pace = pace.clone();
            hyper::service::service_fn(move |request| answer(router.clone(), peer, limits, pace.clone(), request))
        };
        let stream = TokioIo::new(PacedIo::new(stream, pace, limits));
        let mut connection = pin!(http.serve_connection_with_upgrades(stream, service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        // Clients often close connections early, which is only interesting for debugging.
        if let Err(error) = ended {
            tracing::debug!(error = error.as_ref() as &dyn std::error::Error, "a connection ended early");
        }
    }
}

async fn answer<R>(
    router: R,
    peer: PeerAddress,
    limits: ListenerLimits,
    pace: Arc<Pace>,
    request: http::Request<Incoming>,
) -> Result<http::Response<PacedBody<Body>>, Infallible>
where
    R: Service<Request, Response = Response, Error = Infallible>,
{
    let (version, is_connect) = (request.version(), request.method() == Method::CONNECT);
    let in_flight = Pace::begin(&pace, version);
    let paced = |body| IdleBody::new(body, limits.body_idle_timeout).within(limits.body_timeout);
    let mut request: Request = request.map(|body| Body::new(paced(body)));
    request.extensions_mut().insert(peer);
    let mut response = router.oneshot(request).await?;
    let is_http1 = version <= Version::HTTP_11;
    // The unread rest of a refused body would be parsed as the next request.
    if is_http1 && response.status() == StatusCode::PAYLOAD_TOO_LARGE {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let is_tunnel =
        response.status() == StatusCode::SWITCHING_PROTOCOLS || (is_connect && response.status().is_success());
    if is_http1 && is_tunnel {
        pace.becomes_tunnel();
    }
    Ok(response.map(|body| PacedBody::new(body, in_flight)))
}
