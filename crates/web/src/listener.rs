//! Listening: connections in, answers out, slow clients kept in bounds, and a graceful end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::HeaderValue;
use http::header::CONNECTION;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::PeerAddress;

mod idle_body;
#[cfg(test)]
mod tests;

pub use idle_body::{IdleBody, Stalled};

/// The bounds of a listener.
#[derive(Clone, Copy, Debug)]
pub struct ListenerLimits {
    /// Until the head of a request is complete; also the TLS handshake.
    pub header_timeout: Duration,
    /// Between two pieces of a request's body.
    pub body_idle_timeout: Duration,
    /// Connections open at once; more wait in the operating system's queue.
    pub connections: usize,
    /// For what is under way when the end comes.
    pub drain_timeout: Duration,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(5),
            body_idle_timeout: Duration::from_secs(15),
            connections: 20_000,
            drain_timeout: Duration::from_secs(30),
        }
    }
}

/// One listening port and what answers on it.
pub struct Listener {
    pub socket: TcpListener,
    pub tls: Option<Arc<rustls::ServerConfig>>,
    pub limits: ListenerLimits,
    pub router: axum::Router,
}

impl Listener {
    /// Serves until `stop` turns true, then lets what is under way finish, up to the drain timeout.
    pub async fn serve(self, mut stop: watch::Receiver<bool>) {
        let graceful = GracefulShutdown::new();
        let slots = Arc::new(Semaphore::new(self.limits.connections));
        let mut server = auto::Builder::new(TokioExecutor::new());
        server.http1().timer(TokioTimer::new()).header_read_timeout(self.limits.header_timeout).max_buf_size(64 * 1024);
        server
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Duration::from_secs(30))
            .max_concurrent_streams(256)
            .max_header_list_size(64 * 1024);
        let server = Arc::new(server);
        let tls = self.tls.map(TlsAcceptor::from);
        loop {
            let accepted = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                accepted = accept(&self.socket, &slots) => accepted,
            };
            let Some((stream, address, slot)) = accepted else { continue };
            let connection = Connection {
                server: server.clone(),
                router: self.router.clone(),
                tls: tls.clone(),
                limits: self.limits,
                watcher: graceful.watcher(),
                address,
            };
            spawn(async move {
                connection.run(stream).await;
                drop(slot);
            });
        }
        drop(self.socket);
        if tokio::time::timeout(self.limits.drain_timeout, graceful.shutdown()).await.is_err() {
            tracing::warn!("some connections did not end in time and were closed");
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a connection's task ends with the connection, and the drain waits for it"
)]
fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}

async fn accept(
    socket: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.ok()?;
    match socket.accept().await {
        Ok((stream, address)) => {
            // Answers are written whole: waiting for more to send only delays them.
            let _ = stream.set_nodelay(true);
            Some((stream, address, slot))
        }
        Err(error) => {
            if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
                tracing::warn!(error = &error as &dyn std::error::Error, "a connection could not be accepted");
                // Out of file descriptors, most likely: asking again at once would only burn time.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            None
        }
    }
}

struct Connection {
    server: Arc<auto::Builder<TokioExecutor>>,
    router: axum::Router,
    tls: Option<TlsAcceptor>,
    limits: ListenerLimits,
    watcher: hyper_util::server::graceful::Watcher,
    address: SocketAddr,
}

impl Connection {
    async fn run(self, stream: TcpStream) {
        match self.tls.clone() {
            None => self.serve(stream, false).await,
            Some(tls) => match tokio::time::timeout(self.limits.header_timeout, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.serve(stream, true).await,
                Ok(Err(error)) => tracing::debug!(error = &error as &dyn std::error::Error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            },
        }
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, is_tls: bool) {
        let Self { server, router, limits, watcher, address, .. } = self;
        let service = hyper::service::service_fn(move |request: http::Request<Incoming>| {
            answer(router.clone(), PeerAddress { address, is_tls }, limits, request)
        });
        let connection = server.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(error = error.as_ref() as &dyn std::error::Error, "a connection ended early");
        }
    }
}

async fn answer(
    router: axum::Router,
    peer: PeerAddress,
    limits: ListenerLimits,
    request: http::Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut request: Request = request.map(|body| Body::new(IdleBody::new(body, limits.body_idle_timeout)));
    request.extensions_mut().insert(peer);
    let is_http1 = request.version() <= http::Version::HTTP_11;
    let mut response = router.oneshot(request).await?;
    // A body that was refused unread would be taken for the next request.
    if is_http1 && response.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}
