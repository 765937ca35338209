//! A body with a limit on the time between two pieces and, if set, on the total time.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// Nothing arrived for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body stopped arriving")]
pub struct Stalled;

/// Wraps a body and fails it when it stalls. The time starts with the first poll.
#[derive(Debug)]
pub struct IdleBody<B> {
    inner: B,
    timeout: Duration,
    /// The limit for the whole body.
    total: Option<Duration>,
    ends: Option<Instant>,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<B> IdleBody<B> {
    pub fn new(inner: B, timeout: Duration) -> Self {
        Self { inner, timeout, total: None, ends: None, deadline: None }
    }

    /// Bounds the total time, counted from the first wait: a body that arrives in drops never stalls.
    #[must_use]
    pub fn within(self, total: Option<Duration>) -> Self {
        Self { total, ..self }
    }
}

impl<B> Body for IdleBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            self.deadline = None;
            return Poll::Ready(frame.map(|it| it.map_err(Into::into)));
        }
        let this = &mut *self;
        if this.ends.is_none() {
            this.ends = this.total.map(|total| Instant::now() + total);
        }
        let (timeout, ends) = (this.timeout, this.ends);
        let deadline = this.deadline.get_or_insert_with(|| {
            let stalls = Instant::now() + timeout;
            Box::pin(sleep_until(ends.map_or(stalls, |ends| ends.min(stalls))))
        });
        if deadline.deadline() <= Instant::now() || deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(Stalled.into())));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
