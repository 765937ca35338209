//! Queries whose run time grows with the table: each runs on a separate thread and connection. At most half as many as there
//! are cores run at the same time, so that the runtime's threads keep the other half.
//!
//! - A query waits for its turn for [`QUEUE_LIMIT`] at most and runs for [`RUN_LIMIT`] at most.
//! - A query whose caller is gone is interrupted.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::TenantId;
use rusqlite::Connection;
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
        let stop = StopOnDrop::default();
        let is_stopped = stop.0.clone();
        let run = tokio::task::spawn_blocking(move || {
            let unused = lock(&idle).pop();
            let mut connection = match unused {
                Some(connection) => connection,
                None => open_reader(&path).map_err(|error| failure("open a reader", error))?,
            };
            let result = query_until(&mut connection, is_stopped, tenant, statement, &values);
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

/// Instructions of the database's virtual machine between two looks at whether the query is to stop: some microseconds.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// Runs the query, which ends with an error soon after `is_stopped` was set. An interrupt of the connection would be lost when it
/// comes just before the query starts, and the query would keep its thread for as long as it runs.
fn query_until(
    connection: &mut Connection,
    is_stopped: Arc<AtomicBool>,
    tenant: TenantId,
    statement: &'static Statement,
    values: &[OwnedValue],
) -> Result<Vec<Row>, Error> {
    if is_stopped.load(Ordering::Relaxed) {
        return Err(took_too_long());
    }
    let watch = move || is_stopped.load(Ordering::Relaxed);
    let unwatched = |error| failure("watch a query", error);
    connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(watch)).map_err(unwatched)?;
    let result = query(connection, tenant, statement, values);
    // The connection may serve another query, which this caller must not stop.
    connection.progress_handler(0, None::<fn() -> bool>).map_err(unwatched)?;
    result
}

/// Stops the query when it is dropped.
#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
