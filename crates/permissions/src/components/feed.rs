//! How far the log of changes goes, for each tenant.
//!
//! One task of the process (`jobs/follow_changes`) asks the database by one query: in a fixed rhythm while somebody asks or
//! watches, at once after a change of this process, and rarely otherwise. The resident graphs and the watchers wait here instead
//! of asking the database themselves.
//!
//! Invariant: a position that is published is committed, and so is everything before it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use base::TenantId;
use database::Demand;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::domain::snapshot::Snapshot;

#[derive(Default)]
pub(crate) struct Feed {
    newest: RwLock<BTreeMap<TenantId, watch::Sender<Snapshot>>>,
    /// When the database was asked for the positions that were published last.
    asked_at: Mutex<Option<Instant>>,
    /// Who needs positions that are current.
    demand: Arc<Demand>,
    /// Somebody needs the newest positions at once.
    is_asked: AtomicBool,
}

impl Feed {
    /// Publishes the positions that the database was asked for at `asked_at`.
    pub(crate) fn publish(&self, positions: &[(TenantId, Snapshot)], asked_at: Instant) {
        for (tenant, snapshot) in positions {
            self.with(*tenant, |newest| {
                newest.send_if_modified(|known| std::mem::replace(known, *snapshot) != *snapshot);
            });
        }
        *self.asked_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked_at);
    }

    /// A position that somebody who read it from the log knows to be committed.
    pub(crate) fn publish_reached(&self, tenant: TenantId, snapshot: Snapshot) {
        self.with(tenant, |newest| {
            newest.send_if_modified(|known| {
                let is_newer = *known < snapshot;
                *known = snapshot.max(*known);
                is_newer
            });
        });
    }

    /// The newest position, if the database was asked within `age`: one that is restored from an older copy does not have what it
    /// had before.
    pub(crate) fn newest_within(&self, age: Duration, tenant: TenantId) -> Option<Snapshot> {
        self.was_asked_within(age).then(|| self.newest(tenant))
    }

    /// Whether the database was asked within `age`.
    pub(crate) fn was_asked_within(&self, age: Duration) -> bool {
        let asked_at = *self.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
        asked_at.is_some_and(|at| at.elapsed() < age)
    }

    /// The newest position that is known; it may be somewhat old.
    pub(crate) fn newest(&self, tenant: TenantId) -> Snapshot {
        self.with(tenant, |newest| *newest.borrow())
    }

    /// Changes whenever the position does.
    pub(crate) fn subscribe(&self, tenant: TenantId) -> watch::Receiver<Snapshot> {
        self.demand.note();
        self.with(tenant, watch::Sender::subscribe)
    }

    /// Has the database asked as soon as possible.
    pub(crate) fn ask(&self) {
        self.is_asked.store(true, Ordering::SeqCst);
        self.demand.poll_now();
    }

    /// Whether somebody has called [`Self::ask`] since this was called last.
    pub(crate) fn take_asked(&self) -> bool {
        self.is_asked.swap(false, Ordering::SeqCst)
    }

    pub(crate) const fn demand(&self) -> &Arc<Demand> {
        &self.demand
    }

    pub(crate) fn is_watched(&self) -> bool {
        let newest = self.newest.read().unwrap_or_else(PoisonError::into_inner);
        newest.values().any(|it| it.receiver_count() > 0)
    }

    fn with<T>(&self, tenant: TenantId, of: impl FnOnce(&watch::Sender<Snapshot>) -> T) -> T {
        if let Some(newest) = self.newest.read().unwrap_or_else(PoisonError::into_inner).get(&tenant) {
            return of(newest);
        }
        of(self.newest.write().unwrap_or_else(PoisonError::into_inner).entry(tenant).or_default())
    }
}
