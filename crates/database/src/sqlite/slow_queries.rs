//! Queries whose run time grows with the table: each runs on a separate thread and connection. At most half as many as there
//! are cores run at the same time, so that the runtime's threads keep the other half.
//!
//! - A query waits for its turn for [`QUEUE_LIMIT`] at most and runs for [`RUN_LIMIT`] at most.
//! - A query whose caller is gone is interrupted.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::TenantId;
use rusqlite::{Connection, InterruptHandle};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{failure, open_reader, query};
use crate::slow_limits::{QUEUE_LIMIT, RUN_LIMIT, queue_is_full, took_too_long};
use crate::{Error, OwnedValue, Row, Statement, Value};

pub(crate) struct SlowQueries {
    path: PathBuf,
    turns: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl SlowQueries {
    pub(crate) fn new(path: PathBuf) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self { path, turns: Arc::new(Semaphore::new((cores / 2).max(1))), idle: Arc::default() }
    }

    pub(crate) async fn query(
        &self,
        tenant: TenantId,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Error> {
        let turn = timeout(QUEUE_LIMIT, self.turns.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| queue_is_full())?.map_err(|_| queue_is_full())?;
        let values: Vec<OwnedValue> = values.iter().map(Value::to_owned).collect();
        let (path, idle) = (self.path.clone(), self.idle.clone());
        let (running, stop) = Running::new();
        let run = tokio::task::spawn_blocking(move || {
            let unused = lock(&idle).pop();
            let connection = match unused {
                Some(connection) => connection,
                None => open_reader(&path).map_err(|error| failure("open a reader", error))?,
            };
            let result = match running.start(&connection) {
                Ok(()) => query(&connection, tenant, statement, &values),
                Err(stopped) => Err(stopped),
            };
            // From here on the connection may run another query, which the caller of this one must not interrupt.
            running.finish();
            lock(&idle).push(connection);
            drop(turn);
            result
        });
        let result = timeout(RUN_LIMIT, run).await;
        drop(stop);
        match result {
            Ok(Ok(result)) => result,
            Ok(Err(error)) => Err(Error::unavailable("the query did not end", error)),
            Err(_) => Err(took_too_long()),
        }
    }
}

/// The state of the query, shared between its thread and its caller.
enum Progress {
    Waiting,
    Running(InterruptHandle),
    Over,
}

struct Running(Arc<Mutex<Progress>>);

/// Interrupts the query when it is dropped.
struct StopOnDrop(Arc<Mutex<Progress>>);

impl Running {
    fn new() -> (Self, StopOnDrop) {
        let progress = Arc::new(Mutex::new(Progress::Waiting));
        (Self(progress.clone()), StopOnDrop(progress))
    }

    /// Fails when the caller is gone.
    fn start(&self, connection: &Connection) -> Result<(), Error> {
        let mut progress = lock(&self.0);
        if matches!(*progress, Progress::Over) {
            return Err(took_too_long());
        }
        *progress = Progress::Running(connection.get_interrupt_handle());
        Ok(())
    }

    fn finish(&self) {
        *lock(&self.0) = Progress::Over;
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        let mut progress = lock(&self.0);
        if let Progress::Running(handle) = &*progress {
            handle.interrupt();
        }
        *progress = Progress::Over;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
