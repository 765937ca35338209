//! Watches the body of a request: whether it arrives, and what it takes of the memory. The error of a handler does not show why a
//! body failed, so the layer that answers asks here.
//!
//! Invariants:
//! - A body that stalled, or that was still incomplete when the time for the answer was over, is a client error (408, RFC 9110
//!   section 15.5.9), not an error of the server.
//! - What has arrived of a body that a request waits for counts, and so do the request and its head: HTTP/2 lets one connection begin
//!   hundreds. What has not arrived does not count, so an announced length takes nothing from others.
//! - What a request takes is given back when it is answered or given up.

use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use base::bounds::{FRAME_BYTES, SMALL_BODY_BYTES, WAITING_REQUEST_BYTES};
use base::shares::{NoShare, Share};
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};

use crate::listener::Stalled;

/// The state of a body. Dropping it gives back the memory of the request.
#[derive(Debug)]
pub struct BodyProgress(Arc<Shared>);

/// Why a body failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFailure {
    Stalled,
    MemoryFull(MemoryFull),
}

/// Other bodies have the memory, for [`NoShare`] of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemoryFull {
    #[error("too many request bodies are waiting; try again")]
    OfAll,
    #[error("too many request bodies of this client are waiting; try again when some of them are answered")]
    OfClient,
}

impl From<NoShare> for MemoryFull {
    fn from(none: NoShare) -> Self {
        match none {
            NoShare::OfAll(_) => Self::OfAll,
            NoShare::OfClient(_) => Self::OfClient,
        }
    }
}

#[derive(Debug)]
struct Shared {
    state: AtomicU8,
    /// Absent when the request is answered: what a stream takes afterwards is bounded by its messages.
    share: Mutex<Option<Share>>,
}

const UNTOUCHED: u8 = 0;
const COMING: u8 = 1;
const WHOLE: u8 = 2;
const STALLED: u8 = 3;
const FULL_OF_ALL: u8 = 4;
const FULL_OF_CLIENT: u8 = 5;

impl BodyProgress {
    /// The same body, of a request with these headers, with a handle to its state. `share` is raised to what the request takes.
    pub fn watch(headers: &HeaderMap, body: Body, share: Share) -> (Body, Self) {
        let shared = Arc::new(Shared { state: AtomicU8::new(UNTOUCHED), share: Mutex::new(Some(share)) });
        let watched = Watched { inner: body, head: size_of(headers), arrived: 0, shared: shared.clone() };
        (Body::new(watched), Self(shared))
    }

    pub fn failure(&self) -> Option<BodyFailure> {
        match self.0.state() {
            STALLED => Some(BodyFailure::Stalled),
            FULL_OF_ALL => Some(BodyFailure::MemoryFull(MemoryFull::OfAll)),
            FULL_OF_CLIENT => Some(BodyFailure::MemoryFull(MemoryFull::OfClient)),
            _ => None,
        }
    }

    /// Whether a reader waits for more of it.
    pub fn is_coming(&self) -> bool {
        self.0.state() == COMING
    }
}

impl Drop for BodyProgress {
    fn drop(&mut self) {
        self.0.share.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// The size of a head, as HTTP/2 counts it (RFC 9113 section 6.5.2).
fn size_of(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}

impl Shared {
    fn state(&self) -> u8 {
        self.state.load(Ordering::Relaxed)
    }

    fn set(&self, state: u8) {
        self.state.store(state, Ordering::Relaxed);
    }

    fn take(&self, bytes: usize) -> Result<(), MemoryFull> {
        let mut share = self.share.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(share) = &mut *share else { return Ok(()) };
        share.raise(bytes).map_err(|none| {
            let full = MemoryFull::from(none);
            self.set(match full {
                MemoryFull::OfAll => FULL_OF_ALL,
                MemoryFull::OfClient => FULL_OF_CLIENT,
            });
            full
        })
    }
}

struct Watched {
    inner: Body,
    /// Bytes of the head of the request.
    head: usize,
    /// Bytes of the body.
    arrived: usize,
    shared: Arc<Shared>,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.shared.state() == UNTOUCHED {
            self.shared.set(COMING);
        }
        let mut polled = Pin::new(&mut self.inner).poll_frame(cx);
        match &mut polled {
            Poll::Ready(None) => self.shared.set(WHOLE),
            Poll::Ready(Some(Err(error))) if is_stall(error) => self.shared.set(STALLED),
            Poll::Ready(Some(Ok(frame))) => {
                self.arrived += frame.data_ref().map_or(0, Bytes::len) + FRAME_BYTES;
                if self.inner.is_end_stream() {
                    self.shared.set(WHOLE);
                } else {
                    release_buffer(frame);
                }
            }
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        // A small body that does not keep its request waiting needs no share, which would cost every request.
        let counts = polled.is_pending() || self.arrived > SMALL_BODY_BYTES;
        if counts && let Err(full) = self.shared.take(WAITING_REQUEST_BYTES + self.head + self.arrived) {
            return Poll::Ready(Some(Err(axum::Error::new(full))));
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

/// Copies a short piece. It is a part of the buffer of its connection, which takes many times its length while the piece is kept.
fn release_buffer(frame: &mut Frame<Bytes>) {
    if let Some(data) = frame.data_mut().filter(|data| data.len() < SMALL_BODY_BYTES) {
        *data = Bytes::copy_from_slice(data);
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

    use base::shares::Shares;
    use base::{RequestId, TenantId, Timestamp, uuid::Uuid};
    use futures_util::{FutureExt as _, StreamExt as _, stream};
    use http_body_util::{BodyExt as _, StreamBody};

    use super::*;
    use crate::listener::IdleBody;

    fn share(memory: &Shares) -> Share {
        memory.begin(&base::Context::for_background(Timestamp::EPOCH, TenantId::DEFAULT, RequestId(Uuid::nil())))
    }

    fn watch(body: Body, memory: &Shares) -> (Body, BodyProgress) {
        BodyProgress::watch(&HeaderMap::new(), body, share(memory))
    }

    /// A body of these pieces that never ends.
    fn unfinished(pieces: &[&'static str]) -> Body {
        let pieces = pieces.iter().map(|piece| Ok::<_, axum::Error>(Bytes::from_static(piece.as_bytes())));
        Body::from_stream(stream::iter(pieces.collect::<Vec<_>>()).chain(stream::pending()))
    }

    #[tokio::test]
    async fn a_complete_body_has_neither_stalled_nor_is_it_coming() {
        let (body, progress) = watch(Body::from("abc"), &Shares::of(0));
        assert!(!progress.is_coming() && progress.failure().is_none());
        assert_eq!(body.collect().await.unwrap().to_bytes(), "abc");
        assert!(!progress.is_coming() && progress.failure().is_none());
    }

    #[tokio::test]
    async fn a_body_that_stops_arriving_is_detected() {
        let never = StreamBody::new(stream::pending::<Result<Frame<Bytes>, axum::Error>>());
        let never = Body::new(IdleBody::new(never, Duration::from_millis(20)));
        let (mut body, progress) = watch(never, &Shares::of(100_000));
        let first = tokio::time::timeout(Duration::from_millis(1), body.frame()).await;
        assert!(first.is_err() && progress.is_coming(), "a reader waits for it");
        assert!(body.frame().await.unwrap().is_err());
        assert_eq!(progress.failure(), Some(BodyFailure::Stalled));
    }

    #[tokio::test]
    async fn long_bodies_share_the_memory_until_they_are_answered() {
        let most = WAITING_REQUEST_BYTES + FRAME_BYTES + 2 * SMALL_BODY_BYTES;
        let memory = Shares::of(most);
        let long = || Body::from(vec![b'x'; 2 * SMALL_BODY_BYTES]);
        let (body, held) = watch(long(), &memory);
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), 2 * SMALL_BODY_BYTES);
        assert_eq!((held.failure(), memory.left()), (None, 0));
        let (other, refused) = watch(long(), &memory);
        assert!(other.collect().await.is_err());
        assert_eq!(refused.failure(), Some(BodyFailure::MemoryFull(MemoryFull::OfAll)));
        let (small, free) = watch(Body::from(vec![b'x'; SMALL_BODY_BYTES - FRAME_BYTES]), &memory);
        assert!(small.collect().await.is_ok() && free.failure().is_none(), "a small one needs none");
        drop(held);
        assert_eq!(memory.left(), most);
    }

    #[tokio::test]
    async fn a_request_that_waits_for_its_body_counts_with_its_head_and_each_piece() {
        let memory = Shares::of(100_000);
        let headers = HeaderMap::from_iter([(http::header::HOST, "a.example".parse().unwrap())]);
        let (mut body, progress) = BodyProgress::watch(&headers, unfinished(&["ab", "c"]), share(&memory));
        assert_eq!(memory.left(), 100_000, "nothing waits yet");
        while body.frame().now_or_never().is_some() {}
        let head = "host".len() + "a.example".len() + 32;
        assert_eq!(100_000 - memory.left(), WAITING_REQUEST_BYTES + head + 2 * FRAME_BYTES + 3);
        drop(progress);
        assert_eq!(memory.left(), 100_000, "it is answered");
        assert!(body.frame().now_or_never().is_none());
        assert_eq!(memory.left(), 100_000, "what arrives later belongs to a stream");
    }

    #[tokio::test]
    async fn a_short_piece_does_not_keep_the_buffer_of_its_connection() {
        let buffer = Bytes::from(vec![b'x'; 8 * SMALL_BODY_BYTES]);
        let pieces = [buffer.slice(..1), buffer.slice(..SMALL_BODY_BYTES), buffer.slice(..1)];
        let addresses = pieces.clone().map(|piece| piece.as_ptr());
        let (mut body, _progress) =
            watch(Body::from_stream(stream::iter(pieces.map(Ok::<_, axum::Error>))), &Shares::of(100_000));
        for (address, is_copied) in addresses.into_iter().zip([true, false, true]) {
            let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!((data.as_ptr() != address, data.iter().all(|byte| *byte == b'x')), (is_copied, true));
        }
    }

    #[tokio::test]
    async fn one_client_has_a_half_of_the_memory() {
        let memory = Shares::of(4 * WAITING_REQUEST_BYTES);
        let of = |address: &str| {
            let cx = base::Context::for_background(Timestamp::EPOCH, TenantId::DEFAULT, RequestId(Uuid::nil()));
            let cx = base::Context { client_address: Some(address.parse().unwrap()), ..cx };
            let (mut body, progress) = BodyProgress::watch(&HeaderMap::new(), unfinished(&[]), memory.begin(&cx));
            assert_eq!(body.frame().now_or_never().is_some(), progress.failure().is_some());
            progress
        };
        let _first = [of("192.0.2.1"), of("192.0.2.1")];
        assert_eq!(of("192.0.2.1").failure(), Some(BodyFailure::MemoryFull(MemoryFull::OfClient)));
        let _second = of("192.0.2.2");
        assert_eq!(of("192.0.2.2").failure(), Some(BodyFailure::MemoryFull(MemoryFull::OfClient)));
    }
}
