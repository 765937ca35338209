//! Watches the changes of relation tuples from a snapshot on.
//!
//! Each watcher reads the log itself, a few events at a time, when its client has taken what it read before. What it has read ahead
//! is bounded in bytes, so a client that does not read holds little memory and delays nobody. Until it has read what was changed
//! before it began, it takes turns with the others that do so; what is changed now waits for no turn.
//!
//! Invariants:
//! - A watcher receives every change after its snapshot that matches its filter, once, in the order of the snapshots. A large
//!   change comes in parts.
//! - The token of each event is a position: whoever continues from it receives what comes after, and nothing again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use base::shares::{NoShare, Share};
use base::{Context, Sealer, TenantId, Timestamp};
use database::Database;
use tokio::sync::watch;
use tokio::time::Instant;

use super::require_snapshot::RequireSnapshotError;
use crate::Permissions;
use crate::components::log::{self, LogError, LoggedChange};
use crate::components::models::Unloaded;
use crate::components::tokens::snaptoken;
use crate::domain::consistency::Consistency;
use crate::domain::event::{ChangedTuples, LARGEST_EVENT_BYTES};
use crate::domain::invalid_tuple::InvalidTuple;
use crate::domain::relation_tuple::{RelationTuple, StoredTuple};
use crate::domain::snapshot::Snapshot;
use crate::domain::tuple_changes::TupleChange;
use crate::domain::tuple_query::TupleQuery;
use crate::domain::write_validation::check_query;

/// The longest time without an event.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);
/// How many events a watcher reads at once.
const EVENTS_AT_ONCE: u32 = 2;
/// The most bytes of the events that a watcher holds, unless a single one has more.
const BYTES_AHEAD: usize = 2 * LARGEST_EVENT_BYTES;

#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    #[error(transparent)]
    Unloaded(#[from] Unloaded),
    #[error(transparent)]
    Invalid(#[from] InvalidTuple),
    #[error(transparent)]
    Snapshot(#[from] RequireSnapshotError),
    /// The retention of the events after the snapshot has ended.
    #[error(
        "is too old: the event log does not have all changes after it any more; watch without it, and list the relation tuples \
         after the first event"
    )]
    TooOld,
    #[error("too many streams of changes: {0}")]
    TooMany(#[from] NoShare),
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl From<LogError> for WatchError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Incomplete(_) => Self::TooOld,
            LogError::Database(error) => Self::Database(error),
        }
    }
}

/// What a watcher receives.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchEvent {
    Changed {
        at: Timestamp,
        changes: Vec<TupleChange>,
        snaptoken: String,
    },
    /// Nothing that matches the filter has changed up to this position.
    Heartbeat {
        snaptoken: String,
    },
}

pub struct Watch {
    permissions: Arc<Permissions>,
    tenant: TenantId,
    sealer: Sealer,
    filter: TupleQuery,
    position: Snapshot,
    read: VecDeque<LoggedChange>,
    /// It has not yet read all that was changed before it began.
    is_in_past: bool,
    newest: watch::Receiver<Snapshot>,
    stopping: watch::Receiver<bool>,
    /// When a heartbeat is due. The first one is due at once: it has the position that the watcher begins at.
    heartbeat: Instant,
    _share: Share,
}

impl Permissions {
    /// Watches the tuples that match `filter`, after the snapshot `from` or, without one, after the present one.
    pub async fn watch_relation_tuples(
        self: &Arc<Self>,
        cx: &Context,
        filter: TupleQuery,
        from: Option<Snapshot>,
    ) -> Result<Watch, WatchError> {
        check_query(&self.models.current()?.model, &filter)?;
        let share = self.watchers.take(cx)?;
        let newest = self.feed.subscribe(cx.tenant);
        let present = self.require_snapshot(cx, Consistency::FullyConsistent).await?;
        let position = match from {
            Some(snapshot) => self.require_snapshot(cx, Consistency::AtLeastAsFresh(snapshot)).await?,
            None => present,
        };
        // A token that is too old is refused before the first event is promised.
        let mut read = VecDeque::new();
        if position < present {
            let _turn = self.turns.take().await;
            read = read_page(&self.database, cx.tenant, position, present).await?;
        }
        Ok(Watch {
            tenant: cx.tenant,
            sealer: self.tokens.sealer(cx).await?,
            filter,
            position,
            is_in_past: is_before(&read, present),
            read,
            newest,
            stopping: self.stopping.subscribe(),
            heartbeat: Instant::now(),
            permissions: self.clone(),
            _share: share,
        })
    }
}

impl Watch {
    /// Waits for the next event. `None` at the shutdown. After an error a client continues with a new watch.
    pub async fn next(&mut self) -> Option<Result<WatchEvent, WatchError>> {
        loop {
            if *self.stopping.borrow() {
                return None;
            }
            if Instant::now() >= self.heartbeat {
                return Some(Ok(self.sent(WatchEvent::Heartbeat { snaptoken: self.token() })));
            }
            if let Some(LoggedChange { sequence, at, change }) = self.read.pop_front() {
                self.position = sequence;
                match matching(&self.filter, change) {
                    Ok(changes) if changes.is_empty() => {}
                    Ok(changes) => {
                        let snaptoken = self.token();
                        return Some(Ok(self.sent(WatchEvent::Changed { at, changes, snaptoken })));
                    }
                    Err(error) => return Some(Err(error.into())),
                }
                continue;
            }
            if let Err(error) = self.read_or_wait().await {
                return Some(Err(error));
            }
        }
    }

    async fn read_or_wait(&mut self) -> Result<(), WatchError> {
        let until = *self.newest.borrow_and_update();
        if self.position < until {
            let Permissions { database, turns, .. } = &*self.permissions;
            let _turn = if self.is_in_past {
                tokio::select! {
                    turn = turns.take() => turn,
                    _ = self.stopping.wait_for(|stopping| *stopping) => return Ok(()),
                    () = tokio::time::sleep_until(self.heartbeat) => return Ok(()),
                }
            } else {
                None
            };
            self.read = read_page(database, self.tenant, self.position, until).await?;
            self.is_in_past = self.is_in_past && is_before(&self.read, until);
            return Ok(());
        }
        tokio::select! {
            _ = self.stopping.wait_for(|stopping| *stopping) => {}
            // The sender is the feed, which `permissions` holds.
            _ = self.newest.changed() => {}
            () = tokio::time::sleep_until(self.heartbeat) => {}
        }
        Ok(())
    }

    fn sent(&mut self, event: WatchEvent) -> WatchEvent {
        self.heartbeat = Instant::now() + HEARTBEAT_EVERY;
        event
    }

    fn token(&self) -> String {
        snaptoken(&self.sealer, self.tenant, self.position)
    }
}

/// The next events that a watcher holds.
async fn read_page(
    database: &Database,
    tenant: TenantId,
    after: Snapshot,
    until: Snapshot,
) -> Result<VecDeque<LoggedChange>, LogError> {
    // On SQLite the read is immediate: a watcher of many pages would keep the thread of the runtime from all other requests.
    tokio::task::yield_now().await;
    Ok(held(log::read(database, tenant, after, until, EVENTS_AT_ONCE).await?))
}

/// Those of the events, from the first one on, that a watcher holds. It reads the others again.
fn held(read: Vec<LoggedChange>) -> VecDeque<LoggedChange> {
    let mut bytes = 0;
    let fits = |logged: &LoggedChange| {
        let is_first = bytes == 0;
        bytes += logged.change.bytes();
        is_first || bytes <= BYTES_AHEAD
    };
    read.into_iter().take_while(fits).collect()
}

/// Whether there are more changes up to `until` than those that were read.
fn is_before(read: &VecDeque<LoggedChange>, until: Snapshot) -> bool {
    read.back().is_some_and(|last| last.sequence < until)
}

/// The changes that match, in the order of the event.
fn matching(filter: &TupleQuery, change: ChangedTuples) -> Result<Vec<TupleChange>, database::Error> {
    let mut changes = Vec::new();
    for record in change.inserted {
        let stored = StoredTuple::try_from(record);
        let stored = stored.map_err(|error| database::Error::inconsistent("jobs_events", error.to_string()))?;
        if filter.matches(&stored.tuple) {
            changes.push(TupleChange::Insert(stored));
        }
    }
    for key in change.deleted {
        let tuple = RelationTuple::from(key);
        if filter.matches(&tuple) {
            changes.push(TupleChange::Delete(tuple));
        }
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tuple_key::TupleKey;

    fn logged(sequence: i64, tuples: usize, bytes: usize) -> LoggedChange {
        let key =
            TupleKey("Doc".into(), "x".repeat(bytes), "viewer".into(), String::new(), "ada".into(), String::new());
        let change = ChangedTuples { previous: sequence - 1, inserted: Vec::new(), deleted: vec![key; tuples] };
        LoggedChange { sequence: Snapshot(sequence), at: Timestamp::EPOCH, change }
    }

    #[test]
    fn what_a_watcher_holds_is_bounded_in_bytes_and_a_larger_event_is_alone() {
        let sequences = |read| held(read).iter().map(|it| it.sequence.0).collect::<Vec<_>>();
        assert_eq!(sequences(vec![logged(1, 2, 100), logged(2, 2, 100)]), [1, 2]);
        assert_eq!(sequences(vec![logged(1, 1000, 300), logged(2, 1000, 300)]), [1]);
        assert_eq!(sequences(vec![logged(1, 1000, 4000), logged(2, 1, 1)]), [1]);
        assert_eq!(sequences(vec![logged(1, 1, 1), logged(2, 1000, 4000)]), [1]);
        assert_eq!(sequences(Vec::new()), [0; 0]);
    }
}
