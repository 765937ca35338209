//! Changes of subjects, so that the read cache returns no outdated value.
//!
//! Every transaction declares the subjects that it changes ([`WriteTx::touch`](crate::WriteTx::touch)); a value that was read
//! before is invalid afterwards. Invariants:
//! - A change that this process acknowledged is visible to this process immediately.
//! - A change of another process is visible in less than a second: by the change feed (`change_feed`), or, when the feed does
//!   not answer, because values older than half a second are then invalid.
//! - A touch can be mistaken for that of another subject, which causes an unnecessary read, but a touch is never missed.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use base::TenantId;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::demand::Demand;

/// Subjects share the slots: more slots only make an unnecessary read less frequent. The number of a slot has two bytes.
const SLOTS: usize = 1 << 16;

/// How long a value is valid without the feed.
pub(crate) const VALID_WITHOUT_FEED: Duration = Duration::from_millis(500);

/// How long an answer of the feed counts. Longer than its interval, and shorter than the second in which a change of another
/// process must become visible.
const FEED_COUNTS: Duration = Duration::from_millis(800);

/// A point in the sequence of changes of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Revision(u64);

/// The slot in which the changes of a subject are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u16);

pub(crate) struct Changes {
    revision: AtomicU64,
    /// The revision at which a subject of this slot was last touched.
    slots: Box<[AtomicU64]>,
    /// The revision at which everything was last invalidated.
    everything: AtomicU64,
    opened_at: Instant,
    /// When the last answered query of the feed began: microseconds since the opening, 0 for never.
    feed_answered: AtomicU64,
    /// Distinguishes the changes of this process from those of others.
    pub(crate) node: i64,
    sequence: AtomicI64,
    /// Who needs a feed that is current.
    pub(crate) demand: Arc<Demand>,
}

impl Changes {
    pub(crate) fn new() -> Self {
        Self {
            revision: AtomicU64::new(0),
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            everything: AtomicU64::new(0),
            opened_at: Instant::now(),
            feed_answered: AtomicU64::new(0),
            node: RandomState::new().hash_one(std::process::id()).cast_signed(),
            sequence: AtomicI64::new(0),
            demand: Arc::default(),
        }
    }

    pub(crate) fn revision(&self) -> Revision {
        Revision(self.revision.load(Ordering::SeqCst))
    }

    pub(crate) fn touch(&self, slot: Slot) {
        let revision = self.revision.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(it) = self.slots.get(usize::from(slot.0)) {
            it.fetch_max(revision, Ordering::SeqCst);
        }
    }

    /// An unknown change: everything is invalid.
    pub(crate) fn touch_everything(&self) {
        let revision = self.revision.fetch_add(1, Ordering::SeqCst) + 1;
        self.everything.fetch_max(revision, Ordering::SeqCst);
    }

    pub(crate) fn is_untouched_since(&self, revision: Revision, slot: Slot) -> bool {
        self.everything.load(Ordering::SeqCst) <= revision.0
            && self.slots.get(usize::from(slot.0)).is_some_and(|it| it.load(Ordering::SeqCst) <= revision.0)
    }

    /// Records that the feed answered a query that began at `asked_at`.
    pub(crate) fn feed_answered(&self, asked_at: Instant) {
        self.feed_answered.fetch_max(self.micros(asked_at), Ordering::SeqCst);
    }

    pub(crate) fn is_feed_current(&self, now: Instant) -> bool {
        let answered = self.feed_answered.load(Ordering::SeqCst);
        let age = self.micros(now).saturating_sub(answered);
        answered > 0 && u128::from(age) < FEED_COUNTS.as_micros()
    }

    pub(crate) fn next_sequence(&self) -> i64 {
        self.sequence.fetch_add(1, Ordering::Relaxed)
    }

    fn micros(&self, at: Instant) -> u64 {
        let micros = at.saturating_duration_since(self.opened_at).as_micros();
        u64::try_from(micros).unwrap_or(u64::MAX).max(1)
    }
}

/// The subjects that a transaction touches. They are recorded when this is dropped, which must not happen before a commit is
/// visible: the code that runs the transaction keeps it until then, even when the caller no longer waits for the outcome.
pub(crate) struct Touched {
    changes: Arc<Changes>,
    slots: Vec<Slot>,
}

impl Touched {
    pub(crate) fn nothing(changes: Arc<Changes>) -> Self {
        Self { changes, slots: Vec::new() }
    }

    pub(crate) fn add(&mut self, slot: Slot) {
        self.slots.push(slot);
    }

    /// Takes the slots and leaves none.
    pub(crate) fn take(&mut self) -> Self {
        Self { changes: self.changes.clone(), slots: std::mem::take(&mut self.slots) }
    }

    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }
}

impl Drop for Touched {
    fn drop(&mut self) {
        for slot in &self.slots {
            self.changes.touch(*slot);
        }
    }
}

impl Slot {
    pub(crate) fn of(tenant: TenantId, subject: &[u8]) -> Self {
        // The same in every process and in every version, because slot numbers are exchanged between them.
        let digest = Sha256::new().chain_update(tenant.as_i32().to_be_bytes()).chain_update(subject).finalize();
        Self(u16::from_be_bytes([digest[0], digest[1]]))
    }

    /// The encoding of slots: two bytes each.
    pub(crate) fn encode(slots: &[Self]) -> Vec<u8> {
        slots.iter().flat_map(|slot| slot.0.to_be_bytes()).collect()
    }

    pub(crate) fn decode(bytes: &[u8]) -> impl Iterator<Item = Self> {
        bytes.chunks_exact(2).map(|pair| Self(u16::from_be_bytes([pair[0], pair[1]])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_the_same_in_every_process() {
        // A changed number would hide changes from nodes of another version.
        let slots = [Slot::of(TenantId::from_i32(1), b"a"), Slot::of(TenantId::from_i32(2), b"a")];
        assert_eq!(slots, [Slot(29439), Slot(18211)]);
        assert_eq!(Slot::decode(&Slot::encode(&slots)).collect::<Vec<_>>(), slots);
    }
}
