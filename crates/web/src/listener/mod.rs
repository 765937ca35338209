//! Listeners: accept connections, serve requests, limit slow clients, and shut down gracefully.
//!
//! Invariants:
//! - A client that does not finish its handshake, the head of a request or its body in time is disconnected; so is one that
//!   sends no further request, and one that does not read its answer ([`ListenerLimits`]). The limits count time without
//!   progress, not total time: a transfer that makes progress is not cut off, unless bodies are known to be small.
//! - Plain connections use HTTP/1.1, or HTTP/2 by prior knowledge; TLS negotiates the version.
//! - After the signal to stop no connection is accepted, and each open one finishes its current request.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower_service::Service;

use crate::RestError;

mod connection;
mod idle_body;
mod pace;
mod socket;
#[cfg(test)]
mod tests;

use connection::Connection;
pub use connection::TlsAcceptors;
pub use idle_body::{IdleBody, Stalled};
use socket::Stream;
pub use socket::{Socket, UnixSocket};

const HEAD_BYTES: usize = 64 * 1024;
const STREAMS_PER_CONNECTION: u32 = 256;
/// Streams that were reset before they were accepted; one more ends the connection. A client, or a proxy for many of them, may cancel
/// everything that it has open at once. More than that is a rapid reset (CVE-2023-44487).
const RESETS_PER_CONNECTION: usize = STREAMS_PER_CONNECTION as usize;
/// The interval of pings that check whether the peer of an HTTP/2 connection is alive.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// The pause after a failed accept, such as too many open files, to avoid a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The bounds of a listener.
#[derive(Clone, Copy, Debug)]
pub struct ListenerLimits {
    /// The time until the head of a request is complete; also for the TLS handshake.
    pub header_timeout: Duration,
    /// The time between two pieces of a request's body.
    pub body_idle_timeout: Duration,
    /// The time for the whole body of a request, where bodies are small.
    pub body_timeout: Option<Duration>,
    /// The time between two requests on one connection.
    pub keep_alive_timeout: Duration,
    /// The time without progress for a client that does not read its answer.
    pub write_timeout: Duration,
    /// The number of open connections; more wait in the operating system's queue.
    pub connections: usize,
    /// The time for open requests to finish at the shutdown.
    pub drain_timeout: Duration,
    /// The JSON body of the answer to bytes that are not an HTTP request.
    pub malformed_request: fn(StatusCode) -> String,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(5),
            body_idle_timeout: Duration::from_secs(15),
            body_timeout: None,
            keep_alive_timeout: Duration::from_mins(2),
            write_timeout: Duration::from_mins(1),
            connections: 20_000,
            drain_timeout: Duration::from_secs(30),
            malformed_request: |status| {
                let error = RestError::new(status, "The request is not valid HTTP");
                error.with_reason("The request line or a header field is malformed or too long.").to_value().to_string()
            },
        }
    }
}

/// A socket and its router.
pub struct Listener<S, R> {
    /// A [`Socket`], or a TCP listener.
    pub socket: S,
    pub tls: Option<Arc<dyn TlsAcceptors>>,
    pub limits: ListenerLimits,
    /// A router, or a service around one.
    pub router: R,
}

impl<S, R> Listener<S, R>
where
    S: Into<Socket>,
    R: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    R::Future: Send,
{
    /// Serves until `stop` changes to true, then lets open requests finish, up to the drain timeout.
    pub async fn serve(self, mut stop: watch::Receiver<bool>) {
        let Self { socket, tls, limits, router } = self;
        let socket = socket.into();
        let slots = Arc::new(Semaphore::new(limits.connections));
        let http = Arc::new(protocols());
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                biased;
                () = stopped(&mut stop) => break,
                accepted = accept(&socket, &slots) => accepted,
            };
            while connections.try_join_next().is_some() {}
            let Some((stream, address, slot)) = accepted else { continue };
            let connection = Connection {
                http: http.clone(),
                router: router.clone(),
                tls: tls.as_ref().map(|tls| tls.acceptor()),
                limits,
                stop: stop.clone(),
                address,
            };
            connections.spawn(async move {
                match stream {
                    Stream::Tcp(stream) => connection.run(stream).await,
                    Stream::Unix(stream) => connection.run(stream).await,
                }
                drop(slot);
            });
        }
        // The socket closes before the drain, so that a load balancer notices the shutdown immediately.
        drop(socket);
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(limits.drain_timeout, drained).await.is_err() {
            tracing::warn!("some connections did not end in time and were closed");
        }
    }
}

impl<S: std::fmt::Debug, R> std::fmt::Debug for Listener<S, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("socket", &self.socket).field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// The HTTP protocols. [`pace`] enforces the times below this layer.
fn protocols() -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(HEAD_BYTES);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .max_pending_accept_reset_streams(RESETS_PER_CONNECTION)
        .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX));
    http
}

/// Waits for the signal. The guard that the channel returns must not be held across other futures.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

async fn accept(socket: &Socket, slots: &Arc<Semaphore>) -> Option<(Stream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.ok()?;
    match socket.accept().await {
        Ok((stream, address)) => Some((stream, address, slot)),
        Err(error) => {
            if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
                tracing::warn!(error = &error as &dyn std::error::Error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            None
        }
    }
}
