//! Detects bodies that stop arriving, because the error of a handler does not show the reason. A body that stalled, or that was
//! still incomplete when the time for the answer was over, is a client error (408, RFC 9110 section 15.5.9), not an error of
//! the server.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use crate::listener::Stalled;
use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// The state of a body.
#[derive(Clone, Debug, Default)]
pub struct BodyProgress(Arc<AtomicU8>);

const UNTOUCHED: u8 = 0;
const COMING: u8 = 1;
const WHOLE: u8 = 2;
const STALLED: u8 = 3;

impl BodyProgress {
    /// The same body with a handle to its state.
    pub fn watch(body: Body) -> (Body, Self) {
        let progress = Self::default();
        let watched = Watched { inner: body, progress: progress.clone() };
        (Body::new(watched), progress)
    }

    pub fn has_stalled(&self) -> bool {
        self.0.load(Ordering::Relaxed) == STALLED
    }

    /// Whether a reader waits for more of it.
    pub fn is_coming(&self) -> bool {
        self.0.load(Ordering::Relaxed) == COMING
    }

    fn set(&self, state: u8) {
        self.0.store(state, Ordering::Relaxed);
    }
}

struct Watched {
    inner: Body,
    progress: BodyProgress,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.progress.0.load(Ordering::Relaxed) == UNTOUCHED {
            self.progress.set(COMING);
        }
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        match &polled {
            Poll::Ready(None) => self.progress.set(WHOLE),
            Poll::Ready(Some(Err(error))) if is_stall(error) => self.progress.set(STALLED),
            Poll::Ready(Some(Ok(_))) if self.inner.is_end_stream() => self.progress.set(WHOLE),
            Poll::Ready(Some(_)) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn is_stall(error: &axum::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(it) = cause {
        if it.is::<Stalled>() {
            return true;
        }
        cause = it.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::{BodyExt as _, StreamBody};

    use super::*;
    use crate::listener::IdleBody;

    #[tokio::test]
    async fn a_complete_body_has_neither_stalled_nor_is_it_coming() {
        let (body, progress) = BodyProgress::watch(Body::from("abc"));
        assert!(!progress.is_coming() && !progress.has_stalled());
        assert_eq!(body.collect().await.unwrap().to_bytes(), "abc");
        assert!(!progress.is_coming() && !progress.has_stalled());
    }

    #[tokio::test]
    async fn a_body_that_stops_arriving_is_detected() {
        let never = StreamBody::new(futures_util::stream::pending::<Result<Frame<Bytes>, axum::Error>>());
        let (mut body, progress) = BodyProgress::watch(Body::new(IdleBody::new(never, Duration::from_millis(20))));
        let first = tokio::time::timeout(Duration::from_millis(1), body.frame()).await;
        assert!(first.is_err() && progress.is_coming(), "a reader waits for it");
        assert!(body.frame().await.unwrap().is_err());
        assert!(progress.has_stalled());
    }
}
