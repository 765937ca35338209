//! What this process changed, so that what was read can be believed for a moment.
//!
//! Every transaction says what it touches ([`WriteTx::touch`](crate::WriteTx::touch)); what was read before that is not
//! believed afterwards. What always holds:
//! - A change that was acknowledged by this process is seen by this process at once.
//! - A change of another process is seen when what was read is no longer believed, whatever happens: see
//!   [`Remembered`](crate::Remembered).
//! - A touch can be mistaken for that of another subject, which costs a read, never the other way round.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};

use base::TenantId;

/// Subjects share the slots: more of them would only make an unnecessary read rarer.
const SLOTS: usize = 4096;

/// A moment in the changes of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Revision(u64);

/// Where the changes of a subject are noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(usize);

pub(crate) struct Changes {
    revision: AtomicU64,
    /// The revision at which a subject of this slot was last touched.
    slots: Box<[AtomicU64]>,
}

impl Changes {
    pub(crate) fn new() -> Self {
        Self { revision: AtomicU64::new(0), slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect() }
    }

    pub(crate) fn revision(&self) -> Revision {
        Revision(self.revision.load(Ordering::SeqCst))
    }

    pub(crate) fn touch(&self, slot: Slot) {
        let revision = self.revision.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(it) = self.slots.get(slot.0) {
            it.fetch_max(revision, Ordering::SeqCst);
        }
    }

    pub(crate) fn is_untouched_since(&self, revision: Revision, slot: Slot) -> bool {
        self.slots.get(slot.0).is_some_and(|it| it.load(Ordering::SeqCst) <= revision.0)
    }
}

impl Slot {
    pub(crate) fn of(tenant: TenantId, subject: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        tenant.as_i32().hash(&mut hasher);
        subject.hash(&mut hasher);
        #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash will do")]
        Self(hasher.finish() as usize % SLOTS)
    }
}
