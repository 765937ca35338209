//! The memory for request bodies that are held while their requests wait for something.
//!
//! Invariants: only bytes that have arrived count, so that slow clients cannot block others; what a request holds is given back
//! when it ends, however it ends.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The unit of the semaphore.
const UNIT: usize = 1 << 10;

/// A cheap clone of one memory.
#[derive(Clone, Debug)]
pub struct BodyMemory(Arc<Semaphore>);

/// What one body has of the memory, until it is dropped.
#[derive(Debug, Default)]
pub struct Reservation(Option<OwnedSemaphorePermit>);

/// The other bodies have the whole memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many large request bodies are waiting")]
pub struct MemoryFull;

impl BodyMemory {
    pub fn of_bytes(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most / UNIT)))
    }

    /// Raises the reservation to this many bytes.
    pub fn reserve(&self, reservation: &mut Reservation, bytes: usize) -> Result<(), MemoryFull> {
        let has = reservation.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let units = u32::try_from(bytes.div_ceil(UNIT).saturating_sub(has)).unwrap_or(u32::MAX);
        let more = self.0.clone().try_acquire_many_owned(units).map_err(|_| MemoryFull)?;
        match &mut reservation.0 {
            Some(reserved) => reserved.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }

    /// The same body, which fails when it is longer than `free` and the memory does not suffice.
    pub fn count(&self, body: Body, free: usize) -> (Body, Counted) {
        let counted = Counted::default();
        let body = CountedBody { body, read: 0, free, memory: self.clone(), counted: counted.clone() };
        (Body::new(body), counted)
    }
}

/// What a counted body has of the memory, until this and the body are dropped.
#[derive(Clone, Debug)]
pub struct Counted(Arc<Mutex<Result<Reservation, MemoryFull>>>);

impl Default for Counted {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Ok(Reservation::default()))))
    }
}

impl Counted {
    /// Whether the body failed because the memory did not suffice.
    pub fn is_refused(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_err()
    }
}

struct CountedBody {
    body: Body,
    read: usize,
    free: usize,
    memory: BodyMemory,
    counted: Counted,
}

impl CountedBody {
    fn reserve(&self) -> Result<(), MemoryFull> {
        if self.read <= self.free {
            return Ok(());
        }
        let mut state = self.counted.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(reservation) = &mut *state
            && let Err(full) = self.memory.reserve(reservation, self.read)
        {
            *state = Err(full);
        }
        state.as_ref().map(|_| ()).map_err(|full| *full)
    }
}

impl HttpBody for CountedBody {
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
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn long_bodies_share_the_memory_and_short_ones_need_none() {
        let memory = BodyMemory::of_bytes(10 * UNIT);
        let body = |bytes: usize| memory.count(Body::from(vec![b'x'; bytes]), UNIT);
        let (first, held) = body(9 * UNIT);
        let read = first.collect().await.unwrap().to_bytes();
        assert_eq!((read.len(), held.is_refused()), (9 * UNIT, false));
        for (bytes, is_refused) in [(UNIT, false), (UNIT + 1, true)] {
            let (other, counted) = body(bytes);
            assert_eq!(other.collect().await.is_err(), is_refused, "{bytes}");
            assert_eq!(counted.is_refused(), is_refused);
        }
        drop(held);
        assert!(body(10 * UNIT).0.collect().await.is_ok());
        assert_eq!(memory.0.available_permits(), 10);
    }

    #[test]
    fn a_reservation_grows_by_what_is_missing() {
        let memory = BodyMemory::of_bytes(3 * UNIT);
        let mut reservation = Reservation::default();
        for bytes in [1, UNIT, UNIT + 1, 3 * UNIT] {
            memory.reserve(&mut reservation, bytes).unwrap();
            assert_eq!(memory.0.available_permits(), 3 - bytes.div_ceil(UNIT));
        }
        assert_eq!(memory.reserve(&mut reservation, 3 * UNIT + 1), Err(MemoryFull));
        assert_eq!(memory.reserve(&mut Reservation::default(), 1), Err(MemoryFull));
    }
}
