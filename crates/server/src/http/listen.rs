//! Listeners: sockets, TLS handshakes and HTTP connections, with limits against slow and many clients, and an orderly end.
//!
//! What always holds:
//! - A client that does not finish its handshake or its request head in time is cut off; so is one that idles.
//! - Clear text speaks HTTP/1.1, TLS negotiates HTTP/2 or HTTP/1.1.
//! - After the signal to stop no connection is accepted, and each open one finishes the request it is in.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::header::CONNECTION;
use http::{HeaderValue, Request, StatusCode, Version};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt as _;
use web::PeerAddress;
use web::listener::IdleBody;

use super::path::Rewrite;
use super::socket::{Bound, Peer, Stream};
use super::tls::TlsSettings;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// For the head of a request, and between two requests: the HTTP library has one timer for both. A minute is what load
/// balancers commonly pause between two uses of a connection; a shorter time would cut off requests of theirs.
const HEAD_TIMEOUT: Duration = Duration::from_secs(65);
/// Between two pieces of a request's body.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
const HEAD_BYTES: usize = 64 * 1024;
const CONNECTIONS: usize = 16 * 1024;
const STREAMS_PER_CONNECTION: u32 = 200;
/// After a failure to accept, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A bound listener and what it serves.
pub(crate) struct Site {
    pub(crate) name: &'static str,
    pub(crate) bound: Bound,
    pub(crate) tls: Option<TlsSettings>,
    pub(crate) rewrite: Rewrite,
    pub(crate) router: Router,
}

impl Site {
    /// Serves until `stop` says so, then lets open requests finish.
    pub(crate) async fn serve(self, mut stop: watch::Receiver<bool>) {
        let Self { name, bound, tls, rewrite, router } = self;
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            let accepted = tokio::select! {
                accepted = bound.accept() => accepted,
                () = stopped(&mut stop) => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(
                        listener = name,
                        error = &error as &(dyn std::error::Error + 'static),
                        "cannot accept"
                    );
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            // Without a place the connection closes at once: better than a queue that nobody leaves.
            let Ok(place) = places.clone().try_acquire_owned() else { continue };
            let connection = Connection { router: router.clone(), peer, rewrite, stop: stop.clone() };
            let tls = tls.clone();
            connections.spawn(async move {
                connection.run(stream, tls).await;
                drop(place);
            });
        }
        // The socket closes before the drain, so that a balancer sees at once that nobody is home.
        drop(bound);
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
            tracing::warn!(listener = name, "some connections did not end in time and were closed");
        }
    }
}

/// One connection, before its protocol is known.
struct Connection {
    router: Router,
    peer: Peer,
    rewrite: Rewrite,
    stop: watch::Receiver<bool>,
}

impl Connection {
    async fn run(self, stream: Stream, tls: Option<TlsSettings>) {
        let Some(tls) = tls else {
            match stream {
                Stream::Tcp(stream) => self.http1(stream, false).await,
                Stream::Unix(stream) => self.http1(stream, false).await,
            }
            return;
        };
        let acceptor = tls.acceptor();
        match stream {
            Stream::Tcp(stream) => self.secured(acceptor.accept(stream)).await,
            Stream::Unix(stream) => self.secured(acceptor.accept(stream)).await,
        }
    }

    async fn secured<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, handshake: tokio_rustls::Accept<S>) {
        match tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await {
            Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => self.http2(stream).await,
            Ok(Ok(stream)) => self.http1(stream, true).await,
            // Strangers who speak no TLS are none of the operator's concern.
            Ok(Err(error)) => tracing::debug!(error = &error as &(dyn std::error::Error + 'static), "no TLS handshake"),
            Err(_) => tracing::debug!("the TLS handshake took too long"),
        }
    }

    async fn http1<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S, is_tls: bool) {
        let Self { router, peer, rewrite, mut stop } = self;
        let peer = peer.seen_as(is_tls);
        let service = service_fn(move |request| answer(router.clone(), peer, rewrite, request));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        note(ended);
    }

    async fn http2<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S) {
        let Self { router, peer, rewrite, mut stop } = self;
        let peer = peer.seen_as(true);
        let service = service_fn(move |request| answer(router.clone(), peer, rewrite, request));
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(HEAD_TIMEOUT)
            .keep_alive_timeout(HANDSHAKE_TIMEOUT)
            .max_concurrent_streams(STREAMS_PER_CONNECTION)
            .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        note(ended);
    }
}

/// Waits for the signal. The guard that the channel hands out must not live on beside other futures.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

/// Clients break off all the time; it is worth a word only to whoever debugs.
fn note(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(error = &error as &(dyn std::error::Error + 'static), "a connection broke off");
    }
}

async fn answer(
    router: Router,
    peer: PeerAddress,
    rewrite: Rewrite,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut request = request.map(|body| Body::new(IdleBody::new(body, BODY_TIMEOUT)));
    rewrite.apply(request.uri_mut());
    request.extensions_mut().insert(peer);
    let is_http1 = request.version() <= Version::HTTP_11;
    let mut response = router.oneshot(request).await?;
    // A body that was refused unread would be taken for the next request.
    if is_http1 && response.status() == StatusCode::PAYLOAD_TOO_LARGE {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}
