//! The memory for request bodies that are held while their requests wait for something.
//!
//! Invariants: only bytes that have arrived count, so that slow clients cannot block others; one client has a part of the memory;
//! what a request holds is given back when it ends, however it ends.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use base::shares::{NoShare, Share};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::RestError;
use crate::rpc::{Code, Status};

/// Other bodies have the memory, for [`NoShare`] of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemoryFull {
    #[error("too many large request bodies are waiting; try again")]
    OfAll,
    #[error("too many large request bodies of this client are waiting; try again when some of them are answered")]
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

impl From<MemoryFull> for RestError {
    fn from(full: MemoryFull) -> Self {
        let error = match full {
            MemoryFull::OfAll => Self::unavailable(1),
            MemoryFull::OfClient => Self::new(StatusCode::TOO_MANY_REQUESTS, "This client sends too much at one time")
                .with_header(RETRY_AFTER, HeaderValue::from(1)),
        };
        error.with_reason(full.to_string())
    }
}

impl From<MemoryFull> for Status {
    fn from(full: MemoryFull) -> Self {
        let code = match full {
            MemoryFull::OfAll => Code::Unavailable,
            MemoryFull::OfClient => Code::ResourceExhausted,
        };
        Self::new(code, full.to_string())
    }
}

/// The same body, which fails when it is longer than `free` and its bytes exceed what the share can be raised to.
pub fn count_body(body: Body, free: usize, share: Share) -> (Body, MemoryInUse) {
    let in_use = MemoryInUse(Arc::new(Mutex::new(Ok(share))));
    (Body::new(BodyInMemory { body, read: 0, free, in_use: in_use.clone() }), in_use)
}

/// What a body of [`count_body`] has of the memory, until this and the body are dropped.
#[derive(Clone, Debug)]
pub struct MemoryInUse(Arc<Mutex<Result<Share, MemoryFull>>>);

impl MemoryInUse {
    /// Why the body failed, if the memory did not suffice.
    pub fn refusal(&self) -> Option<MemoryFull> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().err().copied()
    }
}

struct BodyInMemory {
    body: Body,
    read: usize,
    free: usize,
    in_use: MemoryInUse,
}

impl BodyInMemory {
    fn reserve(&self) -> Result<(), MemoryFull> {
        if self.read <= self.free {
            return Ok(());
        }
        let mut state = self.in_use.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(share) = &mut *state
            && let Err(none) = share.raise(self.read)
        {
            *state = Err(none.into());
        }
        state.as_ref().map(|_| ()).map_err(|full| *full)
    }
}

impl HttpBody for BodyInMemory {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            self.read += frame.data_ref().map_or(0, Bytes::len);
            if let Err(full) = self.reserve() {
                return Poll::Ready(Some(Err(axum::Error::new(full))));
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use base::shares::Shares;
    use base::{RequestId, TenantId, Timestamp, uuid::Uuid};
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn long_bodies_share_the_memory_and_short_ones_need_none() {
        let cx = base::Context::for_background(Timestamp::EPOCH, TenantId::DEFAULT, RequestId(Uuid::nil()));
        let memory = Shares::of(10_000);
        let body = |bytes: usize| count_body(Body::from(vec![b'x'; bytes]), 1_000, memory.begin(&cx));
        let (first, held) = body(9_000);
        let read = first.collect().await.unwrap().to_bytes();
        assert_eq!((read.len(), held.refusal()), (9_000, None));
        for (bytes, refusal) in [(1_000, None), (1_001, Some(MemoryFull::OfAll))] {
            let (other, in_use) = body(bytes);
            assert_eq!(other.collect().await.is_err(), refusal.is_some(), "{bytes}");
            assert_eq!(in_use.refusal(), refusal);
        }
        drop(held);
        assert!(body(10_000).0.collect().await.is_ok());
        assert_eq!(memory.left(), 10_000);
    }

    #[test]
    fn a_refusal_is_of_the_client_or_of_all() {
        for (none, status, code) in
            [(NoShare::OfAll(1), 503, Code::Unavailable), (NoShare::OfClient(1), 429, Code::ResourceExhausted)]
        {
            let full = MemoryFull::from(none);
            assert_eq!((RestError::from(full).status().as_u16(), Status::from(full).code), (status, code));
        }
    }
}
