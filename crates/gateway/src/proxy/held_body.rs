//! A request body that an authorizer may read before the upstream receives it. Otherwise it is streamed.
//!
//! Invariants: a buffered body is limited in bytes and in time, and so is the total of all bodies that are buffered at one
//! time. Only bytes that have arrived count, so that slow clients cannot block others. The buffered body is forwarded
//! unchanged, trailers included.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use web::listener::IdleBody;
use web::{BodyMemory, Reservation};

use super::body::ClientFault;
use crate::domain::failure::Failure;
use crate::pipeline::RequestBody;

/// All bodies that are buffered at one time. Documented in `docs/bounds.md`.
const MOST_BYTES: usize = 128 << 20;
/// The time limit for buffering a body.
const LONGEST_READ: Duration = Duration::from_mins(1);

/// The memory for all buffered bodies.
pub(crate) fn body_memory() -> BodyMemory {
    BodyMemory::of_bytes(MOST_BYTES)
}

pub(crate) struct HeldBody {
    state: Mutex<State>,
    /// How long the client may be silent.
    longest_silence: Duration,
    longest_read: Duration,
    memory: BodyMemory,
}

enum State {
    Unread(Body),
    Read(KeptBody),
    /// Reading it failed, so the request is not forwarded.
    Lost,
}

impl HeldBody {
    pub(crate) fn new(body: Body, longest_silence: Duration, memory: BodyMemory) -> Self {
        Self { state: Mutex::new(State::Unread(body)), longest_silence, longest_read: LONGEST_READ, memory }
    }

    /// The body for the upstream.
    pub(crate) fn into_body(self) -> Body {
        match self.state.into_inner().unwrap_or_else(PoisonError::into_inner) {
            State::Unread(body) => body,
            State::Read(kept) => Body::new(kept),
            State::Lost => Body::empty(),
        }
    }

    fn replace(&self, state: State) -> State {
        std::mem::replace(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner), state)
    }
}

#[async_trait]
impl RequestBody for HeldBody {
    async fn read(&self, most: usize) -> Result<Bytes, Box<Failure>> {
        let body = match self.replace(State::Lost) {
            State::Unread(body) => body,
            State::Read(kept) => {
                let bytes = kept.bytes.clone().unwrap_or_default();
                self.replace(State::Read(kept));
                return Ok(bytes);
            }
            State::Lost => return Err(Failure::internal("the body of the request was lost")),
        };
        if body.is_end_stream() {
            self.replace(State::Unread(body));
            return Ok(Bytes::new());
        }
        let too_large = || Failure::too_large(format!("the body must have at most {most} bytes under this rule"));
        if body.size_hint().exact().is_some_and(|announced| announced > most as u64) {
            return Err(too_large());
        }
        let mut body = IdleBody::new(body, self.longest_silence).within(Some(self.longest_read));
        let (mut bytes, mut trailers, mut memory) = (BytesMut::new(), None, Reservation::default());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Box::<Failure>::from(&ClientFault::of(error.as_ref())))?;
            match frame.into_data() {
                Ok(data) if data.len() > most - bytes.len() => return Err(too_large()),
                Ok(data) => {
                    self.memory.reserve(&mut memory, bytes.len() + data.len()).map_err(|_| {
                        Failure::unavailable("too many request bodies are waiting for an authorization server")
                    })?;
                    bytes.extend_from_slice(&data);
                }
                Err(frame) => trailers = frame.into_trailers().ok(),
            }
        }
        let bytes = bytes.freeze();
        self.replace(State::Read(KeptBody { bytes: Some(bytes.clone()), trailers, _memory: memory }));
        Ok(bytes)
    }
}

/// A buffered body that is being forwarded.
struct KeptBody {
    bytes: Option<Bytes>,
    trailers: Option<HeaderMap>,
    _memory: Reservation,
}

impl HttpBody for KeptBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let data = self.bytes.take().filter(|bytes| !bytes.is_empty()).map(Frame::data);
        Poll::Ready(data.or_else(|| self.trailers.take().map(Frame::trailers)).map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.as_ref().is_none_or(Bytes::is_empty) && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        if self.trailers.is_some() {
            // A message with a length has no trailers (RFC 9112 section 7.1.2).
            return SizeHint::default();
        }
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, Bytes::len) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(body: &'static [u8], memory: &BodyMemory) -> HeldBody {
        HeldBody::new(Body::from(body), Duration::from_secs(1), memory.clone())
    }

    #[tokio::test]
    async fn a_body_can_be_read_repeatedly_and_is_then_forwarded() {
        let body = held(b"abc", &body_memory());
        for _ in 0..2 {
            assert_eq!(body.read(3).await.unwrap(), "abc");
        }
        let body = body.into_body();
        assert_eq!(body.size_hint().exact(), Some(3));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "abc");
        let unread = held(b"abc", &body_memory()).into_body();
        assert_eq!(unread.collect().await.unwrap().to_bytes(), "abc");
        assert_eq!(held(b"abcd", &body_memory()).read(3).await.unwrap_err().status, 413);
    }

    #[tokio::test]
    async fn all_bodies_together_are_bounded_until_the_upstream_has_them() {
        let memory = BodyMemory::of_bytes(2048);
        let (first, second) = (held(b"a", &memory), held(&[b'b'; 1025], &memory));
        first.read(2000).await.unwrap();
        assert_eq!(second.read(2000).await.unwrap_err().status, 503);
        let first = first.into_body();
        assert_eq!(held(&[b'b'; 1025], &memory).read(2000).await.unwrap_err().status, 503);
        drop(first);
        held(&[b'b'; 1025], &memory).read(2000).await.unwrap();
        held(b"", &memory).read(2000).await.unwrap();
    }

    #[tokio::test]
    async fn a_slow_body_does_not_block_others_and_has_a_time_limit() {
        let memory = BodyMemory::of_bytes(1024);
        let drops = futures_util::stream::unfold((), async |()| {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Some((Ok::<_, std::convert::Infallible>(Bytes::from_static(b"x")), ()))
        });
        let mut slow = HeldBody::new(Body::from_stream(drops), Duration::from_secs(10), body_memory());
        slow.longest_read = Duration::from_millis(400);
        let stalled = futures_util::stream::pending::<Result<Bytes, std::convert::Infallible>>();
        let stalled = HeldBody::new(Body::from_stream(stalled), Duration::from_millis(300), memory.clone());
        let others = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            held(b"abc", &memory).read(3).await.unwrap();
        };
        let started = tokio::time::Instant::now();
        let (slow, stalled, ()) = tokio::join!(slow.read(1 << 20), stalled.read(1 << 20), others);
        assert_eq!((slow.unwrap_err().status.as_u16(), stalled.unwrap_err().status.as_u16()), (408, 408));
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}
