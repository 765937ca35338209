//! One database with two engines: SQLite inside the process, and PostgreSQL or a compatible server.
//!
//! Services write each SQL statement once, name it with [`statements!`], and run it in a transaction that belongs to a tenant.
//! Invariants:
//! - **The tenant is parameter `$1`** and is bound by the transaction, so that no statement can omit it. A statement about all
//!   tenants is marked by name and is meant for background work.
//! - **An acknowledged write is durable.** On SQLite the operations that queue while the disk is busy share one `fsync`; on
//!   PostgreSQL `commit` is the server's.
//! - **A failed statement fails its transaction** on both engines: nothing else runs in it, and dropping it rolls back.
//! - **The read cache** returns nothing that this process changed, and nothing that another process changed more than a second
//!   ago.
//! - Only this crate names a driver, and only this crate asks which engine it is.

mod change_feed;
mod change_insertion;
mod changes;
mod demand;
mod dsn;
mod error;
mod migration;
mod page_token;
mod postgres;
mod read_cache;
mod reaper;
mod row;
mod slow_limits;
mod sqlite;
mod statement;
mod table_statistics;
#[cfg(feature = "testing")]
pub mod testing;
mod transaction;
mod value;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::TenantId;

pub use demand::{Demand, IDLE_INTERVAL, Polling};
pub use dsn::{Dsn, InvalidDsn};
pub use error::{Error, ReserveError};
#[doc(hidden)]
pub use migration::__stem_of;
pub use migration::{Migration, MigrationError, MigrationSet, MigrationState, MigrationStatus, OWN_TABLES};
pub use page_token::{InvalidPageToken, PageToken};
pub use read_cache::{Cacheable, ReadCache, ReadStart, memory_of_json};
pub use reaper::{Reaped, Reaper, Retention};
pub use row::Row;
pub use statement::Statement;
pub use table_statistics::{MOST_ROWS, TableSize, TableStatistics};
pub use transaction::{Read, ReadTx, WriteTx};
pub use value::{FromValue, OwnedValue, Value};

use change_feed::Position;
use changes::Changes;
use postgres::Postgres;
use sqlite::Sqlite;

/// A handle to the database. Cheap to clone.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    engine: Engine,
    counters: Counters,
    changes: Arc<Changes>,
    /// Notified after a commit that left work for the background.
    bell: tokio::sync::Notify,
}

enum Engine {
    Sqlite(Sqlite),
    Postgres(Box<Postgres>),
}

#[derive(Default)]
struct Counters {
    statements: AtomicU64,
    write_transactions: AtomicU64,
}

/// Until it is dropped, or the process ends, no other one can reserve the same SQLite file.
#[derive(Debug)]
pub struct Reservation(#[expect(dead_code, reason = "the lock ends when the file is closed")] Option<File>);

/// The number of statements and transactions since the database was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    pub statements: u64,
    pub write_transactions: u64,
}

impl Database {
    /// Opens the database and checks that it answers. Migrations are a separate step: [`Database::migrate`].
    pub async fn open(dsn: &Dsn) -> Result<Self, Error> {
        let changes = Arc::new(Changes::new());
        let mut sqlite_version = 0;
        let engine = match dsn {
            Dsn::Sqlite(location) => {
                let (engine, version) = Sqlite::open(location, changes.clone())?;
                sqlite_version = version;
                Engine::Sqlite(engine)
            }
            Dsn::Postgres(config) => {
                Engine::Postgres(Box::new(Box::pin(Postgres::connect(config, changes.clone())).await?))
            }
        };
        let (counters, bell) = (Counters::default(), tokio::sync::Notify::new());
        let position = Position::start_of(&engine, sqlite_version);
        let inner = Arc::new(Inner { engine, counters, changes, bell });
        change_feed::follow(&inner, position);
        Ok(Self(inner))
    }

    /// Reserves the database for the services of this process. An SQLite file is reserved by one process at a time; commands write
    /// to it without a reservation. A PostgreSQL database is shared.
    pub fn reserve(&self) -> Result<Reservation, ReserveError> {
        match &self.0.engine {
            Engine::Sqlite(engine) => engine.reserve(),
            Engine::Postgres(_) => Ok(Reservation(None)),
        }
    }

    /// Reads for one tenant. Each statement sees what is committed when it runs; none waits for a writer.
    pub fn read(&self, tenant: TenantId) -> ReadTx {
        ReadTx::new(self.clone(), tenant)
    }

    /// Opens a transaction that may write. On SQLite it waits for its turn, so no other work may be awaited in it.
    pub async fn write(&self, tenant: TenantId) -> Result<WriteTx, Error> {
        self.0.counters.write_transactions.fetch_add(1, Ordering::Relaxed);
        WriteTx::begin(self.clone(), tenant).await
    }

    /// Runs one statement as a transaction of its own, which saves two round trips to PostgreSQL. Returns the number of
    /// affected rows.
    pub async fn write_once(
        &self,
        tenant: TenantId,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<u64, Error> {
        match &self.0.engine {
            Engine::Sqlite(_) => {
                let mut tx = self.write(tenant).await?;
                let touched = tx.execute(statement, values).await?;
                tx.commit().await?;
                Ok(touched)
            }
            Engine::Postgres(engine) => {
                self.0.counters.write_transactions.fetch_add(1, Ordering::Relaxed);
                self.count_statement(statement);
                Box::pin(engine.write_once(tenant, statement, values)).await
            }
        }
    }

    /// Checks that the database answers; for readiness.
    pub async fn ping(&self) -> Result<(), Error> {
        match &self.0.engine {
            Engine::Sqlite(engine) => engine.ping(),
            Engine::Postgres(engine) => Box::pin(engine.ping()).await,
        }
    }

    /// Writes a row without a lasting change. Fails when the disk is full, or when the database refuses writes for another reason.
    /// For readiness.
    pub async fn probe_write(&self) -> Result<(), Error> {
        let table_of_ours = Value::from(OWN_TABLES);
        self.write_once(TenantId::DEFAULT, &migration::PROBE_WRITE, &[table_of_ours]).await.map(|_| ())
    }

    /// The file of an SQLite database whose disk was full at the last write, until a write succeeds; that of
    /// [`Database::probe_write`] does not count, because it needs the least room of all.
    pub fn full_disk(&self) -> Option<&Path> {
        match &self.0.engine {
            Engine::Sqlite(engine) => engine.full_disk(),
            Engine::Postgres(_) => None,
        }
    }

    /// Prepares `statement`, which checks its syntax, tables, columns and parameters.
    pub async fn prepare(&self, statement: &'static Statement) -> Result<(), Error> {
        match &self.0.engine {
            Engine::Sqlite(engine) => engine.prepare(statement),
            Engine::Postgres(engine) => Box::pin(engine.prepare(statement)).await,
        }
    }

    /// The engine's name, for people: `sqlite` or `postgres`.
    pub fn engine_name(&self) -> &'static str {
        match &self.0.engine {
            Engine::Sqlite(_) => "sqlite",
            Engine::Postgres(_) => "postgres",
        }
    }

    /// Whether other processes write to the database at any time. An SQLite file is served by one process; a command may write
    /// to it once in a while.
    pub fn is_shared(&self) -> bool {
        match &self.0.engine {
            Engine::Sqlite(_) => false,
            Engine::Postgres(_) => true,
        }
    }

    /// Resolves when a transaction of this process that requested it ([`WriteTx::notify_on_commit`]) has committed. It is a hint
    /// that reduces polling; background work must not depend on it alone.
    pub async fn committed(&self) {
        self.0.bell.notified().await;
    }

    pub fn usage(&self) -> Usage {
        Usage {
            statements: self.0.counters.statements.load(Ordering::Relaxed),
            write_transactions: self.0.counters.write_transactions.load(Ordering::Relaxed),
        }
    }

    fn count_statement(&self, statement: &'static Statement) {
        self.0.counters.statements.fetch_add(1, Ordering::Relaxed);
        tracing::trace!(statement = statement.name(), "a statement runs");
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Database").field(&self.engine_name()).finish()
    }
}
