//! PostgreSQL and compatible servers.
//!
//! Reads are pipelined over a few shared clients (`shared`). Writes run on pooled connections (`write`), where the commits of
//! many connections share the server's flush: on a shared connection each would wait for the flush of the one before. Queries
//! whose run time grows with the table run on two separate connections (`slow_queries`).

mod encoding;
mod shared;
mod slow_queries;
mod tls;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{TenantId, Timestamp};
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::changes::{Changes, Touched};
use crate::dsn::PostgresConfig;
use crate::migration::{self, AppliedMigration, MigrationError, PendingMigration};
use crate::table_statistics::{self, TableSize};
use crate::{Error, Row, Statement, Value};

use shared::SharedClients;
use slow_queries::SlowQueries;
pub(crate) use write::PostgresWrite;

/// An arbitrary number that no other advisory lock in this database uses.
const MIGRATION_LOCK: i64 = 0x6b6c_6569_7300_0001;

pub(crate) struct Postgres {
    shared: SharedClients,
    slow_queries: SlowQueries,
    pool: Pool,
    changes: Arc<Changes>,
}

impl Postgres {
    pub(crate) async fn connect(config: &PostgresConfig, changes: Arc<Changes>) -> Result<Self, Error> {
        let tls = tls::connector(config)?;
        let manager = Manager::from_config(
            config.driver.clone(),
            tls.clone(),
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let pool = Pool::builder(manager)
            .max_size(config.max_connections)
            .build()
            .map_err(|error| Error::unavailable("the connection pool cannot be built", error))?;
        let slow_queries = SlowQueries::new(config, tls.clone())?;
        let shared = SharedClients::new(config, tls);
        let engine = Self { shared, slow_queries, pool, changes };
        engine.ping().await?;
        Ok(engine)
    }

    pub(crate) async fn query_pipelined(
        &self,
        tenant: TenantId,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Error> {
        self.shared.query(tenant, statement, values).await
    }

    pub(crate) async fn query_slow(
        &self,
        tenant: TenantId,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Error> {
        self.slow_queries.query(tenant, statement, values).await
    }

    pub(crate) async fn write_once(
        &self,
        tenant: TenantId,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<u64, Error> {
        write::once(&self.connection().await?, tenant, statement, values).await
    }

    pub(crate) async fn begin(&self) -> Result<PostgresWrite, Error> {
        Ok(PostgresWrite::new(self.connection().await?, Touched::nothing(self.changes.clone())))
    }

    pub(crate) async fn ping(&self) -> Result<(), Error> {
        self.shared.ping().await
    }

    pub(crate) async fn prepare(&self, statement: &'static Statement) -> Result<(), Error> {
        let connection = self.connection().await?;
        let failed = |error| failure(statement.name(), error);
        let prepared = connection.prepare(statement.postgres_text()).await.map_err(failed)?;
        if let Some(text) = statement.postgres_text_with_change(prepared.params().len()) {
            connection.prepare(text).await.map_err(failed)?;
        }
        Ok(())
    }

    pub(crate) async fn applied_migrations(&self) -> Result<Vec<AppliedMigration>, MigrationError> {
        let connection = self.connection().await.map_err(MigrationError::Database)?;
        let exists = connection
            .query_one("SELECT to_regclass('kleis_migrations') IS NOT NULL", &[])
            .await
            .and_then(|row| row.try_get(0));
        match exists {
            Ok(true) => applied(&connection).await,
            Ok(false) => Ok(Vec::new()),
            Err(error) => Err(MigrationError::Database(failure("read the applied migrations", error))),
        }
    }

    pub(crate) async fn migrate(
        &self,
        plan: impl FnOnce(&[AppliedMigration]) -> Result<Vec<PendingMigration>, MigrationError> + Send,
        now: base::Timestamp,
    ) -> Result<Vec<PendingMigration>, MigrationError> {
        let mut connection = self.connection().await.map_err(MigrationError::Database)?;
        let refused = |error| MigrationError::Database(failure("migrate", error));
        let tx = connection.transaction().await.map_err(refused)?;
        tx.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK]).await.map_err(refused)?;
        tx.batch_execute(migration::CREATE_TABLE).await.map_err(refused)?;
        let pending = plan(&applied(&tx).await?)?;
        for step in &pending {
            tx.batch_execute(step.postgres).await.map_err(|error| step.failed(failure("migration", error)))?;
            let values: [&(dyn ToSql + Sync); 5] =
                [&step.service, &step.version, &step.name, &step.checksum, &now.unix_micros()];
            tx.execute(migration::INSERT_APPLIED, &values).await.map_err(refused)?;
        }
        tx.commit().await.map_err(refused)?;
        Ok(pending)
    }

    pub(crate) async fn delete_batch(&self, name: &'static str, sql: &str, now: i64, limit: i64) -> Result<u64, Error> {
        let connection = self.connection().await?;
        let prepared = connection.prepare_cached(sql).await.map_err(|error| failure(name, error))?;
        connection.execute(&prepared, &[&now, &limit]).await.map_err(|error| failure(name, error))
    }

    /// Reads the statistics of the server; only the oldest rows are looked up.
    pub(crate) async fn statistics(
        &self,
        ages: &BTreeMap<&'static str, &'static str>,
    ) -> Result<Vec<TableSize>, Error> {
        const SIZES: &str = "SELECT relname::text, n_live_tup, pg_total_relation_size(relid) \
             FROM pg_stat_user_tables WHERE schemaname = current_schema() ORDER BY relname";
        let failed = |error| failure("statistics", error);
        let connection = self.connection().await?;
        let mut sizes = Vec::new();
        for row in connection.query(SIZES, &[]).await.map_err(failed)? {
            let table: String = row.try_get(0).map_err(failed)?;
            let oldest: Option<i64> = match ages.get(table.as_str()) {
                Some(column) => {
                    let row = connection.query_one(&table_statistics::select_oldest(&table, column), &[]).await;
                    row.and_then(|row| row.try_get(0)).map_err(failed)?
                }
                None => None,
            };
            let (rows, bytes) = (row.try_get(1).map_err(failed)?, row.try_get(2).map_err(failed)?);
            sizes.push(TableSize { table, rows, bytes: Some(bytes), oldest: oldest.map(Timestamp::from_unix_micros) });
        }
        Ok(sizes)
    }

    pub(crate) async fn connection(&self) -> Result<Object, Error> {
        self.pool.get().await.map_err(no_connection)
    }
}

/// The error for a failed connection, which says what to do where TLS fails.
fn no_connection(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    let text = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    let what = if text.contains("server does not support TLS") {
        "no connection to PostgreSQL, which offers no TLS: add sslmode=disable to the dsn if the network to it is trusted"
    } else if text.contains("invalid peer certificate") {
        "no connection to PostgreSQL, whose certificate is not trusted: name its authority with sslrootcert in the dsn or \
         trusted_ca in the configuration"
    } else {
        "no connection to PostgreSQL"
    };
    Error::unavailable(what, error)
}

async fn applied(client: &impl deadpool_postgres::GenericClient) -> Result<Vec<AppliedMigration>, MigrationError> {
    let rows = client.query(migration::SELECT_APPLIED, &[]).await;
    let rows = rows.map_err(|error| MigrationError::Database(failure("read the applied migrations", error)))?;
    rows.iter()
        .map(|row| {
            Ok(AppliedMigration { service: row.try_get(0)?, version: row.try_get(1)?, checksum: row.try_get(2)? })
        })
        .collect::<Result<_, tokio_postgres::Error>>()
        .map_err(|error| MigrationError::Database(failure("read the applied migrations", error)))
}

pub(crate) fn failure(statement: &'static str, error: tokio_postgres::Error) -> Error {
    if error.is_closed() {
        return Error::unavailable("the connection to PostgreSQL was lost", error);
    }
    let Some(code) = error.code() else {
        // Without a code the server did not check the statement: the connection broke, or a value cannot be encoded.
        return Error::Driver { statement, source: Arc::new(error) };
    };
    if *code == SqlState::UNIQUE_VIOLATION {
        let constraint = error.as_db_error().and_then(|it| it.constraint()).unwrap_or_default().to_owned();
        return Error::Conflict { constraint };
    }
    if *code == SqlState::DISK_FULL {
        return Error::StorageFull { source: Arc::new(error) };
    }
    // Classes 08 (connection), 40 (transaction rollback), 53 (resources), 57 (operator intervention).
    if ["08", "40", "53", "57"].iter().any(|class| code.code().starts_with(class)) {
        return Error::unavailable("PostgreSQL cannot serve the statement now", error);
    }
    Error::Driver { statement, source: Arc::new(error) }
}

pub(crate) type Tls = MakeRustlsConnect;
