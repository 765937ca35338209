//! Listening: connections in, answers out, slow clients kept in bounds, and a graceful end.
//!
//! What always holds:
//! - A client that does not finish its handshake, the head of a request or its body in time is cut off; so is one that
//!   asks nothing more, and one that does not read what it asked for ([`ListenerLimits`]). Time without progress counts,
//!   not time in all: a transfer that moves is never cut, unless bodies are known to be small.
//! - Clear text speaks HTTP/1.1 and HTTP/2 by prior knowledge, TLS negotiates.
//! - After the signal to stop no connection is accepted, and each open one finishes the request that it is in.

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
/// How often the far end of an HTTP/2 connection is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// After a failure to accept, such as too many open files: asking again at once would only burn time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The bounds of a listener.
#[derive(Clone, Copy, Debug)]
pub struct ListenerLimits {
    /// Until the head of a request is complete; also the TLS handshake.
    pub header_timeout: Duration,
    /// Between two pieces of a request's body.
    pub body_idle_timeout: Duration,
    /// For the whole body of a request, where bodies are small.
    pub body_timeout: Option<Duration>,
    /// Between two requests on one connection.
    pub keep_alive_timeout: Duration,
    /// For a client that takes nothing of what it asked for.
    pub write_timeout: Duration,
    /// Connections open at once; more wait in the operating system's queue.
    pub connections: usize,
    /// For what is under way when the end comes.
    pub drain_timeout: Duration,
    /// The body, in JSON, of the answer to bytes that are no HTTP request.
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

/// One listening place and what answers there.
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
    /// Serves until `stop` turns true, then lets what is under way finish, up to the drain timeout.
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
        // The socket closes before the drain, so that a balancer sees at once that nobody is home.
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

/// HTTP as it is spoken here. The times are kept beneath it, by [`pace`].
fn protocols() -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(HEAD_BYTES);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX));
    http
}

/// Waits for the signal. The guard that the channel hands out must not live on beside other futures.
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
