//! SQLite inside the process: one writer with group commits, and one read connection per thread.
//!
//! Writes (`writer`): each operation is a savepoint inside a surrounding transaction. A finished operation waits for the commit
//! of the surrounding transaction; operations that queued in the meantime join it, so that many operations cost one `fsync`.
//! Reads (`reader`): a lookup takes microseconds, and less time than a switch to another thread, so quick reads run on the
//! current thread. Slow reads (`slow_queries`): a query whose run time grows with the table would block everything else on the
//! runtime's thread; it runs on a thread of its own, with a limit on the number of such queries and on their run time.

mod reader;
mod slow_queries;
mod writer;

use std::collections::BTreeMap;
use std::fs::{OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base::{TenantId, Timestamp};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::changes::Changes;
use crate::dsn::SqliteLocation;
use crate::migration::{AppliedMigration, MigrationError, PendingMigration};
use crate::table_statistics::{self, MOST_ROWS, TableSize};
use crate::{Error, OwnedValue, Reservation, ReserveError, Row, Statement, Value};

use reader::Readers;
use slow_queries::SlowQueries;
pub(crate) use writer::SqliteWrite;
use writer::Writer;

const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const CACHED_STATEMENTS: usize = 512;
const JOURNAL_SIZE_LIMIT_BYTES: i64 = 64 << 20;

pub(crate) struct Sqlite {
    readers: Readers,
    slow_queries: SlowQueries,
    writer: Writer,
    /// Removes a temporary database when the last handle is dropped. Declared last, so that the connections close first.
    _directory: Option<TemporaryDirectory>,
}

impl Sqlite {
    /// Opens the database. Also returns the current value of [`Sqlite::data_version`].
    pub(crate) fn open(location: &SqliteLocation, changes: Arc<Changes>) -> Result<(Self, i64), Error> {
        let (path, directory, durable) = match location {
            SqliteLocation::File(path) => (path.clone(), None, true),
            SqliteLocation::Temporary => {
                let directory = TemporaryDirectory::create()?;
                (directory.0.join("kleis.db"), Some(directory), false)
            }
        };
        let writer = open_writer(&path, durable).map_err(|error| failure("open", error))?;
        let version = data_version(&writer)?;
        let slow_queries = SlowQueries::new(path.clone());
        let writer = Writer::start(writer, changes);
        Ok((Self { readers: Readers::new(path), slow_queries, writer, _directory: directory }, version))
    }

    /// Locks a file beside the database. The database file itself is not locked: closing a second handle to it would release the
    /// locks of SQLite. The lock file is never deleted, because another process may have opened it already.
    pub(crate) fn reserve(&self) -> Result<Reservation, ReserveError> {
        let database = self.path();
        let failed = |error| ReserveError::Lock(database.to_owned(), error);
        let mut beside = database.canonicalize().map_err(failed)?.into_os_string();
        beside.push("-lock");
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(beside).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Reservation(Some(file))),
            Err(TryLockError::WouldBlock) => Err(ReserveError::InUse(database.to_owned())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    pub(crate) fn query(
        &self,
        tenant: TenantId,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Error> {
        self.readers.with(|connection| query(connection, tenant, statement, values))
    }

    pub(crate) async fn query_slow(
        &self,
        tenant: TenantId,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Error> {
        self.slow_queries.query(tenant, statement, values).await
    }

    /// A counter that changes when another process commits to the file.
    pub(crate) async fn data_version(&self) -> Result<i64, Error> {
        self.writer.data_version().await
    }

    pub(crate) async fn begin(&self) -> Result<SqliteWrite, Error> {
        self.writer.begin().await
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.readers.path()
    }

    /// The file, if its disk was full at the last write that needed room.
    pub(crate) fn full_disk(&self) -> Option<&Path> {
        self.writer.is_disk_full().then(|| self.path())
    }

    pub(crate) fn ping(&self) -> Result<(), Error> {
        self.readers
            .with(|connection| connection.query_row("SELECT 1", [], |_| Ok(())).map_err(|error| failure("ping", error)))
    }

    pub(crate) fn prepare(&self, statement: &'static Statement) -> Result<(), Error> {
        self.readers.with(|connection| {
            connection.prepare(statement.sqlite_text()).map(drop).map_err(|error| failure(statement.name(), error))
        })
    }

    /// Reads the applied migrations with the write lock held.
    pub(crate) async fn applied_migrations(&self) -> Result<Vec<AppliedMigration>, MigrationError> {
        self.writer.applied_migrations().await
    }

    pub(crate) async fn migrate(
        &self,
        plan: impl FnOnce(&[AppliedMigration]) -> Result<Vec<PendingMigration>, MigrationError> + Send,
        now: base::Timestamp,
    ) -> Result<Vec<PendingMigration>, MigrationError> {
        self.writer.migrate(plan, now).await
    }

    pub(crate) async fn delete_batch(&self, name: &'static str, sql: &str, now: i64, limit: i64) -> Result<u64, Error> {
        self.writer.delete_batch(name, sql, now, limit).await
    }

    /// Counts on a separate thread and connection, so that no request waits.
    pub(crate) async fn statistics(&self, ages: BTreeMap<&'static str, &'static str>) -> Result<Vec<TableSize>, Error> {
        let path = self.path().to_owned();
        let counted = tokio::task::spawn_blocking(move || count_tables(&path, &ages)).await;
        let counted = counted.map_err(|error| Error::unavailable("the statistics did not end", error))?;
        counted.map_err(|error| failure("statistics", error))
    }
}

/// Other connections of this process only read, and a connection's own commits do not count.
fn data_version(connection: &Connection) -> Result<i64, Error> {
    let read = || connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0));
    read().map_err(|error| failure("PRAGMA data_version", error))
}

fn count_tables(
    path: &std::path::Path,
    ages: &BTreeMap<&'static str, &'static str>,
) -> rusqlite::Result<Vec<TableSize>> {
    let connection = open_reader(path)?;
    let mut names = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let count = |table: String| {
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT {MOST_ROWS})");
        let rows = connection.query_row(&sql, [], |row| row.get(0))?;
        let oldest = match ages.get(table.as_str()) {
            Some(column) => {
                connection.query_row(&table_statistics::select_oldest(&table, column), [], |row| row.get(0))?
            }
            None => None,
        };
        Ok(TableSize { table, rows, bytes: None, oldest: oldest.map(Timestamp::from_unix_micros) })
    };
    names.into_iter().map(count).collect()
}

pub(crate) fn open_writer(path: &std::path::Path, durable: bool) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    configure(&connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // After a checkpoint the log is truncated to this size, even after a peak of writes.
    connection.pragma_update(None, "journal_size_limit", JOURNAL_SIZE_LIMIT_BYTES)?;
    // FULL: acknowledged writes survive a power cut. A temporary database does not need this.
    connection.pragma_update(None, "synchronous", if durable { "FULL" } else { "OFF" })?;
    Ok(connection)
}

fn open_reader(path: &std::path::Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection)?;
    // `mmap_size` stays 0: reading a truncated memory-mapped file would end the process (docs/adr/0011).
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    // Without the query planner stability guarantee a plan may depend on the bound values, and SQLite would parse the statement
    // again whenever they change.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// The parameter of a statement's `= ANY($N)`: see [`Statement`].
fn json_array(uuids: &[uuid::Uuid]) -> String {
    let mut text = String::with_capacity(uuids.len() * 35 + 2);
    text.push('[');
    for (index, uuid) in uuids.iter().enumerate() {
        text.push_str(if index == 0 { "\"" } else { ",\"" });
        text.push_str(uuid.simple().encode_lower(&mut uuid::Uuid::encode_buffer()));
        text.push('"');
    }
    text.push(']');
    text
}

fn bind(
    prepared: &mut rusqlite::CachedStatement<'_>,
    tenant: TenantId,
    statement: &'static Statement,
    values: &[Value<'_>],
) -> rusqlite::Result<()> {
    let mut position = 1;
    if statement.is_tenant_bound() {
        prepared.raw_bind_parameter(position, tenant.as_i32())?;
        position += 1;
    }
    for value in values {
        match value {
            Value::Null => prepared.raw_bind_parameter(position, rusqlite::types::Null)?,
            Value::Boolean(it) => prepared.raw_bind_parameter(position, it)?,
            Value::Integer(it) => prepared.raw_bind_parameter(position, it)?,
            Value::Text(it) => prepared.raw_bind_parameter(position, it.as_ref())?,
            Value::Bytes(it) => prepared.raw_bind_parameter(position, it.as_ref())?,
            Value::Uuid(it) => prepared.raw_bind_parameter(position, it.as_bytes().as_slice())?,
            Value::Uuids(it) => prepared.raw_bind_parameter(position, json_array(it))?,
        }
        position += 1;
    }
    Ok(())
}

fn query(
    connection: &Connection,
    tenant: TenantId,
    statement: &'static Statement,
    values: &[Value<'_>],
) -> Result<Vec<Row>, Error> {
    let run = || -> rusqlite::Result<Vec<Row>> {
        let mut prepared = connection.prepare_cached(statement.sqlite_text())?;
        bind(&mut prepared, tenant, statement, values)?;
        let columns = prepared.column_count();
        let mut rows = prepared.raw_query();
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let mut values = Vec::with_capacity(columns);
            for column in 0..columns {
                values.push(owned(row.get_ref(column)?));
            }
            found.push(Row::new(statement, values));
        }
        Ok(found)
    };
    run().map_err(|error| failure(statement.name(), error))
}

fn execute(
    connection: &Connection,
    tenant: TenantId,
    statement: &'static Statement,
    values: &[Value<'_>],
) -> Result<u64, Error> {
    let run = || -> rusqlite::Result<usize> {
        let mut prepared = connection.prepare_cached(statement.sqlite_text())?;
        bind(&mut prepared, tenant, statement, values)?;
        prepared.raw_execute()
    };
    run().map(|touched| touched as u64).map_err(|error| failure(statement.name(), error))
}

fn owned(value: rusqlite::types::ValueRef<'_>) -> OwnedValue {
    use rusqlite::types::ValueRef;
    match value {
        // No column contains fractions, so a REAL was written by another program.
        ValueRef::Null | ValueRef::Real(_) => Value::Null,
        ValueRef::Integer(it) => Value::Integer(it),
        ValueRef::Text(it) => Value::Text(String::from_utf8_lossy(it).into_owned().into()),
        ValueRef::Blob(it) => Value::Bytes(it.to_vec().into()),
    }
}

pub(crate) fn failure(statement: &'static str, error: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode;
    if let rusqlite::Error::SqliteFailure(code, message) = &error {
        match code.code {
            ErrorCode::ConstraintViolation
                if code.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
                    || code.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY =>
            {
                return Error::Conflict { constraint: message.clone().unwrap_or_default() };
            }
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                return Error::unavailable("another process holds the database", error);
            }
            ErrorCode::OperationInterrupted => {
                return Error::unavailable("the query was interrupted because it took too long", error);
            }
            ErrorCode::DiskFull => return Error::StorageFull { source: Arc::new(error) },
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => {
                return Error::unavailable("the database file cannot be read or written", error);
            }
            _ => {}
        }
    }
    Error::Driver { statement, source: Arc::new(error) }
}

/// Where a container with a read-only file system can still write: in memory.
const SHARED_MEMORY: &str = "/dev/shm";

const NO_TEMPORARY_DIRECTORY: &str = "a database in memory needs a temporary directory: mount a writable volume at /tmp, or name \
                                      a writable directory with TMPDIR";

/// A directory of this user below the system's temporary directory, removed when dropped.
struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    fn create() -> Result<Self, Error> {
        Self::create_below(&std::env::temp_dir()).or_else(|error| {
            Self::create_below(Path::new(SHARED_MEMORY)).map_err(|_| Error::unavailable(NO_TEMPORARY_DIRECTORY, error))
        })
    }

    fn create_below(place: &Path) -> std::io::Result<Self> {
        let path = place.join(format!("kleis-{}-{:016x}", std::process::id(), reader::next_database_id()));
        // A directory of an earlier process with the same id, if there is one.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
