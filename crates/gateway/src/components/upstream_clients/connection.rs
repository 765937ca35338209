//! Upstream connections that report a distinct error when they are closed during a request.
//!
//! An upstream may close a kept-alive connection at the moment when the next request is written to it. Such a request
//! has no response, and the upstream most likely never read it. RFC 9110 section 9.2.2 allows a proxy to retry it if
//! its method is idempotent.
//!
//! Invariants: the error occurs only on a connection that served an earlier response, and only when no byte was
//! received after the last write. Observing a connection uses no memory per request.
//! after the last write. Observing costs no memory per request.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower_service::Service;

/// The reason inside the `io::Error` of such a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the upstream closed a kept connection")]
pub(super) struct ClosedUnderRequest;

/// Whether this is the error of a connection that was closed under a request.
pub(crate) fn is_closed_under_request(error: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<ClosedUnderRequest>);
    }
    // An HTTP/2 connection reports one error to many requests: only the text of the reason is left.
    let shared = error.downcast_ref::<h2::Error>().and_then(h2::Error::get_io).and_then(io::Error::get_ref);
    shared.is_some_and(|reason| reason.to_string() == ClosedUnderRequest.to_string())
}

/// The state of the exchange on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exchange {
    /// Nothing was read yet.
    First,
    /// Something was read after the last write.
    Answered,
    /// Something was written after a response: the connection was reused, and the next response is pending.
    KeptAndOwed,
}

/// Creates observed connections.
#[derive(Clone, Debug)]
pub(super) struct Observed<C>(pub(super) C);

impl<C> Service<Uri> for Observed<C>
where
    C: Service<Uri>,
    C::Response: 'static,
    C::Error: 'static,
    C::Future: Send + 'static,
{
    type Response = TokioIo<ObservedStream<TokioIo<C::Response>>>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, C::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.0.call(uri);
        Box::pin(async move {
            let inner = TokioIo::new(connecting.await?);
            Ok(TokioIo::new(ObservedStream { inner, exchange: Exchange::First }))
        })
    }
}

#[derive(Debug)]
pub(super) struct ObservedStream<S> {
    inner: S,
    exchange: Exchange,
}

impl<S> ObservedStream<S> {
    fn on_read(&mut self) {
        self.exchange = Exchange::Answered;
    }

    /// Called before the write, because a write that fails counts as an attempt on this connection.
    fn on_write(&mut self) {
        if self.exchange == Exchange::Answered {
            self.exchange = Exchange::KeptAndOwed;
        }
    }

    /// The meaning of a closed connection in this state; `None` for an ordinary close. It is reported once.
    fn closed(&mut self, kind: io::ErrorKind) -> Option<io::Error> {
        let owed = self.exchange == Exchange::KeptAndOwed;
        self.exchange = Exchange::First;
        owed.then(|| io::Error::new(kind, ClosedUnderRequest))
    }

    fn written(&mut self, result: io::Result<usize>) -> io::Result<usize> {
        result.map_err(|error| self.closed(error.kind()).unwrap_or(error))
    }
}

impl<S: Connection> Connection for ObservedStream<S> {
    /// Without the addresses of both ends, which would be copied into each response and which nothing uses.
    fn connected(&self) -> Connected {
        let connected = Connected::new();
        if self.inner.connected().is_negotiated_h2() { connected.negotiated_h2() } else { connected }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ObservedStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.remaining();
        let result = ready!(Pin::new(&mut self.inner).poll_read(cx, buffer));
        let closed = match &result {
            Ok(()) if buffer.remaining() < before => {
                self.on_read();
                None
            }
            Ok(()) if before > 0 => self.closed(io::ErrorKind::ConnectionReset),
            Ok(()) => None,
            Err(error) => self.closed(error.kind()),
        };
        Poll::Ready(closed.map_or(result, Err))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ObservedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.on_write();
        let result = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes));
        Poll::Ready(self.written(result))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.on_write();
        let result = ready!(Pin::new(&mut self.inner).poll_write_vectored(cx, parts));
        Poll::Ready(self.written(result))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
