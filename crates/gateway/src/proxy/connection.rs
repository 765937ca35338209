//! Connections to upstreams that know whether they were used before and whether the last request got any answer.
//!
//! An upstream may close a kept connection at the moment when the next request is written to it. Such a request was not
//! answered, and most likely never read. RFC 9110 section 9.2.2 lets a proxy send it again when its method is idempotent.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use http::{Extensions, Uri};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower_service::Service;

/// Whether anything was ever read.
const ANSWERED: u8 = 1;
/// Whether something was written after something was read: the connection was kept.
const KEPT: u8 = 2;
/// Whether something was read after the last write.
const ANSWERED_LAST: u8 = 4;

/// What is known of one connection; a part of hyper's information about it.
#[derive(Clone, Debug, Default)]
struct Usage(Arc<AtomicU8>);

impl Usage {
    fn on_read(&self) {
        self.0.fetch_or(ANSWERED | ANSWERED_LAST, Ordering::Relaxed);
    }

    fn on_write(&self) {
        let before = self.0.fetch_and(!ANSWERED_LAST, Ordering::Relaxed);
        if before & ANSWERED != 0 {
            self.0.fetch_or(KEPT, Ordering::Relaxed);
        }
    }

    fn is_stale(&self) -> bool {
        let state = self.0.load(Ordering::Relaxed);
        state & KEPT != 0 && state & ANSWERED_LAST == 0
    }
}

/// Whether the call failed because a kept connection was closed before any byte of the answer came.
pub(super) fn was_stale(error: &hyper_util::client::legacy::Error) -> bool {
    let Some(connected) = error.connect_info() else {
        return false;
    };
    let mut extras = Extensions::new();
    connected.get_extras(&mut extras);
    extras.get::<Usage>().is_some_and(Usage::is_stale)
}

/// Makes connections that are observed.
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
            Ok(TokioIo::new(ObservedStream { inner, usage: Usage::default() }))
        })
    }
}

#[derive(Debug)]
pub(super) struct ObservedStream<S> {
    inner: S,
    usage: Usage,
}

impl<S: Connection> Connection for ObservedStream<S> {
    fn connected(&self) -> Connected {
        self.inner.connected().extra(self.usage.clone())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ObservedStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.usage.on_read();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ObservedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // Before the write: a write that fails was tried on this connection.
        self.usage.on_write();
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.usage.on_write();
        Pin::new(&mut self.inner).poll_write_vectored(cx, parts)
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
