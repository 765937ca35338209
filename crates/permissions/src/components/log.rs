//! Reads the changes of relation tuples from the event log, page by page.
//!
//! Those who read what was changed before they began take turns, a page each: any number of clients may ask for it at any time, and
//! together they must not take all the processors and connections.
//!
//! Invariant: no change is skipped. Each event names the one before it, so a reader that continues where the log was deleted, or
//! where it is damaged, gets an error and never the next event that is left.

use base::{TenantId, Timestamp};
use database::Database;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::domain::event::ChangedTuples;
use crate::domain::snapshot::Snapshot;

/// How many pages of the past are read at the same time. SQLite is read on the threads of the runtime, which other requests need.
const TURNS_ON_POSTGRES: usize = 2;
const TURNS_ON_SQLITE: usize = 1;

/// The turns of those who read the past, in the order in which they ask.
pub(crate) struct Turns(Semaphore);

impl Turns {
    pub(crate) fn of(database: &Database) -> Self {
        Self(Semaphore::new(if database.is_shared() { TURNS_ON_POSTGRES } else { TURNS_ON_SQLITE }))
    }

    /// A turn to read one page. It ends when it is dropped.
    pub(crate) async fn take(&self) -> Option<SemaphorePermit<'_>> {
        // Nobody closes it.
        self.0.acquire().await.ok()
    }
}

/// An event: a transaction, or a part of a large one.
#[derive(Debug)]
pub(crate) struct LoggedChange {
    pub(crate) sequence: Snapshot,
    pub(crate) at: Timestamp,
    pub(crate) change: ChangedTuples,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    /// Its retention ended, or somebody deleted it.
    #[error("the event log does not have all changes after the sequence {}", .0.0)]
    Incomplete(Snapshot),
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// The first changes after `after` and up to `until`, which is committed: at most `most` of them, each with at most
/// [`LARGEST_EVENT`](crate::domain::event::LARGEST_EVENT) tuples. There are none only when `after` is `until`, or later.
pub(crate) async fn read(
    database: &Database,
    tenant: TenantId,
    after: Snapshot,
    until: Snapshot,
    most: u32,
) -> Result<Vec<LoggedChange>, LogError> {
    if after >= until {
        return Ok(Vec::new());
    }
    let events = jobs::list_tuple_changes(&mut database.read(tenant), after.0, most).await?;
    let mut changes: Vec<LoggedChange> = Vec::new();
    for event in events.into_iter().take_while(|event| event.sequence <= until.0) {
        let change: ChangedTuples = serde_json::from_value(event.attributes).map_err(|error| inconsistent(&error))?;
        let last = changes.last().map_or(after, |it| it.sequence);
        if change.previous != last.0 {
            return Err(LogError::Incomplete(last));
        }
        changes.push(LoggedChange { sequence: Snapshot(event.sequence), at: event.at, change });
    }
    if changes.is_empty() { Err(LogError::Incomplete(after)) } else { Ok(changes) }
}

fn inconsistent(error: &serde_json::Error) -> database::Error {
    database::Error::inconsistent("jobs_events", format!("the attributes of a change of relation tuples: {error}"))
}
