//! A request body that an authorizer may read before the upstream receives it. Otherwise it is streamed.
//!
//! Invariants: a buffered body is limited in bytes and in time, and so is the total of all bodies that are buffered at one
//! time, of which one client has a part. Only bytes that have arrived count, so that slow clients cannot block others. The
//! buffered body is forwarded unchanged, trailers included.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use base::shares::{Share, Shares};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use web::MemoryFull;
use web::listener::IdleBody;

use super::body::ClientFault;
use crate::domain::failure::Failure;
use crate::pipeline::RequestBody;

/// All bodies that are buffered at one time. Documented in `docs/bounds.md`.
const MOST_BYTES: usize = 128 << 20;
/// The time limit for buffering a body.
const LONGEST_READ: Duration = Duration::from_mins(1);

/// The memory for all buffered bodies, in bytes.
pub(crate) fn body_memory() -> Shares {
    Shares::of(MOST_BYTES)
}

pub(crate) struct HeldBody {
    state: Mutex<State>,
    /// How long the client may be silent.
    longest_silence: Duration,
    longest_read: Duration,
}

enum State {
    /// With the share of the memory that its client may raise.
    Unread(Body, Share),
    Read(KeptBody),
    /// Reading it failed, so the request is not forwarded.
    Lost,
}

impl HeldBody {
    pub(crate) fn new(body: Body, longest_silence: Duration, share: Share) -> Self {
        Self { state: Mutex::new(State::Unread(body, share)), longest_silence, longest_read: LONGEST_READ }
    }

    /// The body for the upstream.
    pub(crate) fn into_body(self) -> Body {
        match self.state.into_inner().unwrap_or_else(PoisonError::into_inner) {
            State::Unread(body, _) => body,
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
        let (body, mut share) = match self.replace(State::Lost) {
            State::Unread(body, share) => (body, share),
            State::Read(kept) => {
                let bytes = kept.bytes.clone().unwrap_or_default();
                self.replace(State::Read(kept));
                return Ok(bytes);
            }
            State::Lost => return Err(Failure::internal("the body of the request was lost")),
        };
        if body.is_end_stream() {
            self.replace(State::Unread(body, share));
            return Ok(Bytes::new());
        }
        let too_large = || Failure::too_large(format!("the body must have at most {most} bytes under this rule"));
        if body.size_hint().exact().is_some_and(|announced| announced > most as u64) {
            return Err(too_large());
        }
        let mut body = IdleBody::new(body, self.longest_silence).within(Some(self.longest_read));
        let (mut bytes, mut trailers) = (BytesMut::new(), None);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Box::<Failure>::from(&ClientFault::of(error.as_ref())))?;
            match frame.into_data() {
                Ok(data) if data.len() > most - bytes.len() => return Err(too_large()),
                Ok(data) => {
                    share.raise(bytes.len() + data.len()).map_err(|none| match MemoryFull::from(none) {
                        full @ MemoryFull::OfAll => Failure::unavailable(full.to_string()),
                        full @ MemoryFull::OfClient => Failure::sends_too_much(full.to_string()),
                    })?;
                    bytes.extend_from_slice(&data);
                }
                Err(frame) => trailers = frame.into_trailers().ok(),
            }
        }
        let bytes = bytes.freeze();
        self.replace(State::Read(KeptBody { bytes: Some(bytes.clone()), trailers, _share: share }));
        Ok(bytes)
    }
}

/// A buffered body that is being forwarded.
struct KeptBody {
    bytes: Option<Bytes>,
    trailers: Option<HeaderMap>,
    _share: Share,
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
    use base::{RequestId, TenantId, Timestamp, uuid::Uuid};

    use super::*;
    use crate::domain::failure::Fault;

    fn cx(address: Option<&str>) -> base::Context {
        let cx = base::Context::for_background(Timestamp::EPOCH, TenantId::DEFAULT, RequestId(Uuid::nil()));
        base::Context { client_address: address.map(|it| it.parse().unwrap()), ..cx }
    }

    fn held_for(address: Option<&str>, body: &'static [u8], memory: &Shares) -> HeldBody {
        HeldBody::new(Body::from(body), Duration::from_secs(1), memory.begin(&cx(address)))
    }

    fn held(body: &'static [u8], memory: &Shares) -> HeldBody {
        held_for(None, body, memory)
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
        let memory = Shares::of(1025);
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
    async fn one_client_has_a_half_of_the_memory() {
        let memory = Shares::of(2_000);
        let first = held_for(Some("192.0.2.1"), &[b'a'; 900], &memory);
        first.read(2_000).await.unwrap();
        let refused = held_for(Some("192.0.2.1"), &[b'a'; 101], &memory).read(2_000).await.unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.fault), (429, Fault::Client));
        held_for(Some("192.0.2.2"), &[b'a'; 550], &memory).read(2_000).await.unwrap();
        drop(first);
        held_for(Some("192.0.2.1"), &[b'a'; 1_000], &memory).read(2_000).await.unwrap();
    }

    #[tokio::test]
    async fn a_slow_body_does_not_block_others_and_has_a_time_limit() {
        let memory = Shares::of(3);
        let drops = futures_util::stream::unfold((), async |()| {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Some((Ok::<_, std::convert::Infallible>(Bytes::from_static(b"x")), ()))
        });
        let mut slow = HeldBody::new(Body::from_stream(drops), Duration::from_secs(10), body_memory().begin(&cx(None)));
        slow.longest_read = Duration::from_millis(400);
        let stalled = futures_util::stream::pending::<Result<Bytes, std::convert::Infallible>>();
        let stalled = HeldBody::new(Body::from_stream(stalled), Duration::from_millis(300), memory.begin(&cx(None)));
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
