//! The single writer and its group commits.
//!
//! A fair lock guards the connection. The first operation after a commit opens the surrounding transaction and wakes the
//! committer, a task that queues for the same lock: operations that queued before it are in the batch, later ones in the next
//! batch. The callers that the last commit released usually write again soon, so the committer lets them go first, for a few
//! turns of the runtime. Its `COMMIT` is the only step that leaves the runtime thread, because it waits for the disk. The
//! future of an operation need not be polled to its end: a dropped one rolls back its savepoint, and the committer still runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base::TenantId;
use rusqlite::Connection;
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, oneshot};

use super::{data_version, execute, failure, query};
use crate::changes::{Changes, Touched};
use crate::migration::{self, AppliedMigration, MigrationError, PendingMigration};
use crate::{Error, Row, Statement, Value};

pub(crate) struct Writer {
    state: Arc<Mutex<State>>,
    wake: mpsc::Sender<()>,
    changes: Arc<Changes>,
    is_disk_full: Arc<AtomicBool>,
}

struct State {
    connection: Connection,
    /// Whether the surrounding transaction is open.
    open: bool,
    /// Finished operations that wait for the commit.
    waiting: Vec<Waiting>,
    /// The number of operations in the last commit.
    last_batch: usize,
    /// Since a write was refused for it, until one succeeds. Shared with the writer, because a commit holds the lock of the state.
    is_disk_full: Arc<AtomicBool>,
}

/// A finished operation. Its touched subjects are recorded after the commit, and before the caller is notified.
struct Waiting {
    touched: Touched,
    /// Whether it changed rows, and was not the probe.
    wrote: bool,
    committed: oneshot::Sender<Result<(), Error>>,
}

impl Waiting {
    fn notify(self, committed: Result<(), Error>) {
        drop(self.touched);
        // The caller may be gone.
        let _ = self.committed.send(committed);
    }
}

/// How often the committer lets others go first. A turn costs microseconds; a commit that half of the writers miss costs them
/// another `fsync`.
const PATIENCE: u32 = 8;

impl Writer {
    /// Must be called on a Tokio runtime, which runs the committer until the last handle is dropped.
    #[expect(clippy::disallowed_methods, reason = "the committer ends when the writer is dropped")]
    pub(crate) fn start(connection: Connection, changes: Arc<Changes>) -> Self {
        let is_disk_full = Arc::new(AtomicBool::new(false));
        let state =
            State { connection, open: false, waiting: Vec::new(), last_batch: 0, is_disk_full: is_disk_full.clone() };
        let state = Arc::new(Mutex::new(state));
        let (wake, woken) = mpsc::channel(1);
        tokio::spawn(commit_batches(state.clone(), woken));
        Self { state, wake, changes, is_disk_full }
    }

    pub(crate) async fn begin(&self) -> Result<SqliteWrite, Error> {
        let mut state = self.state.clone().lock_owned().await;
        state.join_batch(&self.wake)?;
        let changes_before = state.connection.total_changes();
        let touched = Touched::nothing(self.changes.clone());
        Ok(SqliteWrite { state: Some(state), touched, changes_before, is_probe: false })
    }

    pub(crate) fn is_disk_full(&self) -> bool {
        self.is_disk_full.load(Ordering::Relaxed)
    }

    pub(crate) async fn data_version(&self) -> Result<i64, Error> {
        data_version(&self.state.clone().lock_owned().await.connection)
    }

    /// Takes the write lock without an open batch.
    async fn alone(&self) -> OwnedMutexGuard<State> {
        let mut state = self.state.clone().lock_owned().await;
        let committed = state.commit();
        state.release(&committed);
        state
    }

    pub(crate) async fn applied_migrations(&self) -> Result<Vec<AppliedMigration>, MigrationError> {
        let state = self.alone().await;
        applied(&state.connection)
    }

    pub(crate) async fn migrate(
        &self,
        plan: impl FnOnce(&[AppliedMigration]) -> Result<Vec<PendingMigration>, MigrationError> + Send,
        now: base::Timestamp,
    ) -> Result<Vec<PendingMigration>, MigrationError> {
        let state = self.alone().await;
        let connection = &state.connection;
        let refused = |error| MigrationError::Database(failure("migrate", error));
        connection.execute_batch("BEGIN IMMEDIATE").map_err(refused)?;
        let work = || -> Result<Vec<PendingMigration>, MigrationError> {
            let pending = plan(&applied(connection)?)?;
            for step in &pending {
                connection.execute_batch(step.sqlite).map_err(|error| step.failed(failure("migration", error)))?;
                connection
                    .execute(
                        &super::super::statement::positional(migration::INSERT_APPLIED),
                        (step.service, step.version, step.name, &step.checksum, now.unix_micros()),
                    )
                    .map_err(refused)?;
            }
            Ok(pending)
        };
        match work() {
            Ok(pending) => {
                connection.execute_batch("COMMIT").map_err(refused)?;
                // The pages that the migrations read and wrote are not needed again.
                connection.release_memory().map_err(refused)?;
                Ok(pending)
            }
            Err(error) => {
                let _ = connection.execute_batch("ROLLBACK");
                Err(error)
            }
        }
    }

    pub(crate) async fn delete_batch(&self, name: &'static str, sql: &str, now: i64, limit: i64) -> Result<u64, Error> {
        let mut tx = self.begin().await?;
        let deleted = tx.delete_batch(name, sql, now, limit)?;
        tx.commit().await?;
        Ok(deleted)
    }
}

fn applied(connection: &Connection) -> Result<Vec<AppliedMigration>, MigrationError> {
    let read = || -> rusqlite::Result<Vec<AppliedMigration>> {
        connection.execute_batch(migration::CREATE_TABLE)?;
        let mut statement = connection.prepare(migration::SELECT_APPLIED)?;
        let rows = statement.query_map([], |row| {
            Ok(AppliedMigration { service: row.get(0)?, version: row.get(1)?, checksum: row.get(2)? })
        })?;
        rows.collect()
    };
    read().map_err(|error| MigrationError::Database(failure("read the applied migrations", error)))
}

/// Commits the open batch each time it is woken, until every [`Writer`] is dropped.
async fn commit_batches(state: Arc<Mutex<State>>, mut woken: mpsc::Receiver<()>) {
    while woken.recv().await.is_some() {
        let mut state = batch(&state).await;
        // At the shutdown of the runtime the task may not run: dropping the guard leaves the batch to the next one.
        let committing = tokio::task::spawn_blocking(move || {
            let committed = state.commit();
            (state, committed)
        });
        // Released here, on a thread of the runtime, because waking so many tasks from another thread costs more than their
        // writes.
        if let Ok((mut state, committed)) = committing.await {
            state.release(&committed);
        }
    }
}

/// Takes the lock when as many operations wait for the commit as were in the last one, or after a few turns.
async fn batch(state: &Arc<Mutex<State>>) -> OwnedMutexGuard<State> {
    for _ in 0..PATIENCE {
        let state = state.clone().lock_owned().await;
        if state.waiting.len() >= state.last_batch {
            return state;
        }
        drop(state);
        tokio::task::yield_now().await;
    }
    state.clone().lock_owned().await
}

impl State {
    fn join_batch(&mut self, wake: &mpsc::Sender<()>) -> Result<(), Error> {
        if !self.open {
            self.run("BEGIN IMMEDIATE")?;
            self.open = true;
            // A full channel means that the committer will run anyway.
            let _ = wake.try_send(());
        }
        self.run("SAVEPOINT operation")
    }

    /// Commits the open batch; [`State::release`] notifies the callers, who log the error.
    fn commit(&mut self) -> Result<(), Error> {
        if !self.open {
            return Ok(());
        }
        self.open = false;
        let committed = self.connection.execute_batch("COMMIT").map_err(|error| failure("COMMIT", error));
        if let Err(error) = &committed {
            self.note_full_disk(error);
            if !self.connection.is_autocommit() {
                let _ = self.connection.execute_batch("ROLLBACK");
            }
        } else if self.waiting.iter().any(|it| it.wrote) {
            self.is_disk_full.store(false, Ordering::Relaxed);
        }
        committed
    }

    fn release(&mut self, committed: &Result<(), Error>) {
        self.last_batch = self.waiting.len();
        self.notify(committed);
    }

    fn notify(&mut self, committed: &Result<(), Error>) {
        self.waiting.drain(..).for_each(|it| it.notify(committed.clone().map_err(lost_by)));
    }

    /// Some failures (a full disk) make SQLite roll back the surrounding transaction, so that all waiting operations have
    /// failed.
    fn check_batch(&mut self, error: Error) {
        if self.open && self.connection.is_autocommit() {
            self.open = false;
            self.notify(&Err(error));
        }
    }

    fn note_full_disk(&self, error: &Error) {
        if matches!(error, Error::StorageFull { .. }) {
            self.is_disk_full.store(true, Ordering::Relaxed);
        }
    }

    fn run(&self, sql: &'static str) -> Result<(), Error> {
        let run = || self.connection.prepare_cached(sql)?.raw_execute();
        run().map(drop).map_err(|error| failure(sql, error))
    }
}

/// One operation: a savepoint in the batch. It owns the connection until it has finished.
pub(crate) struct SqliteWrite {
    state: Option<OwnedMutexGuard<State>>,
    pub(crate) touched: Touched,
    changes_before: u64,
    is_probe: bool,
}

impl SqliteWrite {
    fn with<T>(&mut self, work: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let Some(state) = &mut self.state else { return Err(lost()) };
        let result = work(&state.connection);
        if let Err(error) = &result {
            state.note_full_disk(error);
            state.check_batch(error.clone());
        }
        result
    }

    pub(crate) fn query(
        &mut self,
        tenant: TenantId,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Error> {
        self.with(|connection| query(connection, tenant, statement, values))
    }

    pub(crate) fn execute(
        &mut self,
        tenant: TenantId,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<u64, Error> {
        self.is_probe |= std::ptr::eq(statement, &raw const migration::PROBE_WRITE);
        self.with(|connection| execute(connection, tenant, statement, values))
    }

    fn delete_batch(&mut self, name: &'static str, sql: &str, now: i64, limit: i64) -> Result<u64, Error> {
        self.with(|connection| {
            let run = || connection.prepare_cached(sql)?.execute((now, limit));
            run().map(|deleted| deleted as u64).map_err(|error| failure(name, error))
        })
    }

    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        let mut state = self.state.take().ok_or_else(lost)?;
        if !state.open {
            return Err(lost());
        }
        state.run("RELEASE operation")?;
        let (committed, outcome) = oneshot::channel();
        let touched = self.touched.take();
        let wrote = !self.is_probe && state.connection.total_changes() > self.changes_before;
        state.waiting.push(Waiting { touched, wrote, committed });
        drop(state);
        outcome.await.unwrap_or_else(|_| Err(lost()))
    }
}

impl Drop for SqliteWrite {
    fn drop(&mut self) {
        let Some(state) = &mut self.state else { return };
        if state.open {
            let undone = state.run("ROLLBACK TO operation").and_then(|()| state.run("RELEASE operation"));
            if let Err(error) = undone {
                tracing::error!(error = &error as &dyn std::error::Error, "an operation could not be rolled back");
                // The content of the savepoint must not be committed with the others.
                let _ = state.connection.execute_batch("ROLLBACK");
            }
            state.check_batch(lost());
        }
    }
}

const NOT_COMMITTED: &str = "the surrounding transaction could not be committed";

fn lost() -> Error {
    Error::Unavailable { what: NOT_COMMITTED, source: None }
}

/// The error of an operation that waited for a commit that failed.
fn lost_by(error: Error) -> Error {
    match error {
        Error::StorageFull { .. } => error,
        Error::Conflict { .. } | Error::Inconsistent { .. } | Error::Unavailable { .. } | Error::Driver { .. } => {
            Error::unavailable(NOT_COMMITTED, error)
        }
    }
}
