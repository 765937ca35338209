//! The change feed: reads the changes of other processes, several times a second, once for the whole process, and rarely while
//! nobody reads a cached value ([`Demand`](crate::Demand)).
//!
//! On PostgreSQL each transaction that touches a subject writes a row into `kleis_changes`, which is sent ahead of its
//! `COMMIT`: as a part of the transaction's last statement if that one waits to be sent, otherwise as a statement. A row
//! becomes visible a little after its time, so each query reaches back by [`OVERLAP_MICROS`] before the last one; a
//! transaction whose commit takes longer than [`SLOW_COMMIT`] writes its row again before it is acknowledged. Rows are
//! deleted when no value that was read before them can still be valid.
//!
//! On SQLite all changes of this process are known. SQLite reports whether another process wrote to the file (a command, for
//! instance), but not what it wrote, so everything is invalidated.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use crate::change_insertion::INSERT;
use crate::changes::{Changes, Slot};
use crate::demand::Polling;
use crate::{Engine, Error, Inner, Statement, values};

const INTERVAL: Duration = Duration::from_millis(250);

/// How far each query reaches back before the last one.
const OVERLAP_MICROS: i64 = 2_000_000;

/// A commit that takes longer may become visible outside the overlap of the next query.
pub(crate) const SLOW_COMMIT: Duration = Duration::from_secs(1);

/// The maximal validity of a value where other processes write. It limits the effect of a change that the feed missed.
pub(crate) const LONGEST_VALIDITY: Duration = Duration::from_mins(1);

/// The maximal time between two answers. A process that was suspended for longer (on a sleeping machine whose clock stopped)
/// may miss deleted rows; and a server whose time went back was replaced by another one. In both cases everything is
/// invalidated.
const LONGEST_GAP_MICROS: i64 = 60_000_000;

/// Longer than [`LONGEST_VALIDITY`], so that no process needs an older row.
const KEEP_MICROS: i64 = 120_000_000;

/// The number of queries between two deletions.
const QUESTIONS_PER_DELETION: u32 = 240;

/// The statement of a change that no other statement records. The time is the server's, because the clocks of the nodes may differ.
pub(crate) static INSERT_CHANGE: Statement =
    Statement::across_tenants("database::INSERT_CHANGE", "SELECT $1, $2, $3", INSERT);

static CHANGES_SINCE: Statement = Statement::across_tenants(
    "database::CHANGES_SINCE",
    "SELECT $1, $2",
    "SELECT t.now, c.node, c.sequence, c.slots
     FROM (SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint) AS now) t
     LEFT JOIN kleis_changes c ON c.changed_at > $1 AND c.node <> $2",
);

static DELETE_CHANGES: Statement = Statement::across_tenants(
    "database::DELETE_CHANGES",
    "SELECT $1",
    "DELETE FROM kleis_changes WHERE changed_at < $1",
);

/// The position up to which the changes of other processes are known.
pub(crate) enum Position {
    /// SQLite's counter of the commits of other processes.
    Sqlite(i64),
    Postgres {
        /// The server's time of the last answer, in microseconds; 0 before the first.
        now: i64,
        /// The rows of the last answer. They are returned again as long as they are in the overlap.
        seen: HashSet<(i64, i64)>,
        questions: u32,
    },
}

impl Position {
    pub(crate) fn start_of(engine: &Engine, sqlite_version: i64) -> Self {
        match engine {
            Engine::Sqlite(_) => Self::Sqlite(sqlite_version),
            Engine::Postgres(_) => Self::Postgres { now: 0, seen: HashSet::new(), questions: 0 },
        }
    }
}

/// Queries until the database is dropped.
#[expect(clippy::disallowed_methods, reason = "the task ends when the database is dropped")]
pub(crate) fn follow(database: &Arc<Inner>, mut position: Position) {
    let mut polling = Polling::new(database.changes.demand.clone(), INTERVAL);
    let database: Weak<Inner> = Arc::downgrade(database);
    tokio::spawn(async move {
        loop {
            polling.due().await;
            let Some(inner) = database.upgrade() else { return };
            let asked_at = Instant::now();
            match inner.ask(&mut position).await {
                Ok(()) => inner.changes.feed_answered(asked_at),
                // The cache detects a silent feed, and other code reports problems of the database.
                Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "no changes could be read"),
            }
        }
    });
}

impl Inner {
    pub(crate) async fn ask(&self, position: &mut Position) -> Result<(), Error> {
        match (&self.engine, position) {
            (Engine::Sqlite(engine), Position::Sqlite(known)) => {
                let version = engine.data_version().await?;
                if version != *known {
                    *known = version;
                    self.changes.touch_everything();
                }
            }
            (Engine::Postgres(engine), Position::Postgres { now, seen, questions }) => {
                let tenant = base::TenantId::DEFAULT;
                let since = values![*now - OVERLAP_MICROS, self.changes.node];
                let rows = Box::pin(engine.query_pipelined(tenant, &CHANGES_SINCE, &since)).await?;
                let mut answered = HashSet::new();
                let before = *now;
                for row in rows {
                    *now = row.get(0)?;
                    let (Some(node), Some(sequence)) = (row.get::<Option<i64>>(1)?, row.get::<Option<i64>>(2)?) else {
                        continue;
                    };
                    answered.insert((node, sequence));
                    if !seen.contains(&(node, sequence)) {
                        let slots: Vec<u8> = row.get(3)?;
                        Slot::decode(&slots).for_each(|slot| self.changes.touch(slot));
                    }
                }
                if before > 0 && !(before..before + LONGEST_GAP_MICROS).contains(now) {
                    self.changes.touch_everything();
                }
                *seen = answered;
                *questions += 1;
                if *questions % QUESTIONS_PER_DELETION == 0 {
                    Box::pin(engine.write_once(tenant, &DELETE_CHANGES, &values![*now - KEEP_MICROS])).await?;
                }
            }
            (Engine::Sqlite(_), Position::Postgres { .. }) | (Engine::Postgres(_), Position::Sqlite(_)) => {}
        }
        Ok(())
    }
}

/// The values of [`INSERT_CHANGE`].
pub(crate) fn change(changes: &Changes, slots: &[Slot]) -> [crate::Value<'static>; 3] {
    values![changes.node, changes.next_sequence(), Slot::encode(slots)]
}
