//! PostgreSQL, and what speaks like it.
//!
//! Reads and single-statement writes are pipelined over a few shared clients (`shared`), without `BEGIN` and `COMMIT`.
//! Transactions run on pooled connections; `BEGIN` travels with the first statement, which saves a round trip.

mod encoding;
mod shared;
mod tls;

use base::TenantId;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::dsn::PostgresConfig;
use crate::migration::{self, AppliedMigration, MigrationError, PendingMigration};
use crate::{Error, Row, Statement, Value};

use encoding::{Parameter, row};
use shared::SharedClients;

/// Any number will do, as long as nobody else in this database uses it for an advisory lock.
const MIGRATION_LOCK: i64 = 0x6b6c_6569_7300_0001;

pub(crate) struct Postgres {
    shared: SharedClients,
    pool: Pool,
}

impl Postgres {
    pub(crate) async fn connect(config: &PostgresConfig) -> Result<Self, Error> {
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
        let shared = SharedClients::new(config, tls);
        let engine = Self { shared, pool };
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

    pub(crate) async fn execute_pipelined(
        &self,
        tenant: TenantId,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<u64, Error> {
        self.shared.execute(tenant, statement, values).await
    }

    pub(crate) async fn begin(&self) -> Result<PostgresWrite, Error> {
        let connection = self.connection().await?;
        Ok(PostgresWrite { connection: Some(connection), begun: false })
    }

    pub(crate) async fn ping(&self) -> Result<(), Error> {
        self.shared.ping().await
    }

    pub(crate) async fn prepare(&self, statement: &'static Statement) -> Result<(), Error> {
        let connection = self.connection().await?;
        let prepared = connection.prepare(statement.postgres_text()).await;
        prepared.map(drop).map_err(|error| failure(statement.name(), error))
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

    async fn connection(&self) -> Result<Object, Error> {
        self.pool.get().await.map_err(|error| Error::unavailable("no connection to PostgreSQL", error))
    }
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

/// One transaction on a connection of its own.
pub(crate) struct PostgresWrite {
    connection: Option<Object>,
    begun: bool,
}

impl PostgresWrite {
    pub(crate) async fn query(
        &mut self,
        tenant: TenantId,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Error> {
        let connection = self.connection.as_ref().ok_or_else(finished)?;
        let prepared = prepare(connection, statement).await?;
        let parameters = Parameter::all(tenant, statement, values);
        let parameters = Parameter::borrow(&parameters);
        let run = connection.query(&prepared, &parameters);
        let rows = if self.begun {
            run.await
        } else {
            self.begun = true;
            with_begin(connection, run).await
        };
        rows.and_then(|rows| rows.iter().map(|it| row(statement, it)).collect())
            .map_err(|error| failure(statement.name(), error))
    }

    pub(crate) async fn execute(
        &mut self,
        tenant: TenantId,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<u64, Error> {
        let connection = self.connection.as_ref().ok_or_else(finished)?;
        let prepared = prepare(connection, statement).await?;
        let parameters = Parameter::all(tenant, statement, values);
        let parameters = Parameter::borrow(&parameters);
        let run = connection.execute(&prepared, &parameters);
        let touched = if self.begun {
            run.await
        } else {
            self.begun = true;
            with_begin(connection, run).await
        };
        touched.map_err(|error| failure(statement.name(), error))
    }

    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        if self.begun {
            let connection = self.connection.as_ref().ok_or_else(finished)?;
            connection.batch_execute("COMMIT").await.map_err(|error| failure("COMMIT", error))?;
            self.begun = false;
        }
        Ok(())
    }
}

impl Drop for PostgresWrite {
    fn drop(&mut self) {
        if !self.begun {
            return;
        }
        let Some(connection) = self.connection.take() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if connection.batch_execute("ROLLBACK").await.is_err() {
                    // The pool must not hand out a connection with a transaction left open.
                    drop(Object::take(connection));
                }
            });
        } else {
            drop(Object::take(connection));
        }
    }
}

/// Statements are sent in the order in which their futures are first polled: `BEGIN` goes ahead of `run`, and both answers
/// come back in one round trip.
async fn with_begin<T>(
    connection: &Object,
    run: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, tokio_postgres::Error> {
    let (begun, result) = futures_util::future::join(connection.batch_execute("BEGIN"), run).await;
    begun?;
    result
}

async fn prepare(connection: &Object, statement: &'static Statement) -> Result<tokio_postgres::Statement, Error> {
    let prepared = connection.prepare_cached(statement.postgres_text()).await;
    prepared.map_err(|error| failure(statement.name(), error))
}

fn finished() -> Error {
    Error::Unavailable { what: "the transaction is over", source: None }
}

pub(crate) fn failure(statement: &'static str, error: tokio_postgres::Error) -> Error {
    if error.is_closed() {
        return Error::unavailable("the connection to PostgreSQL was lost", error);
    }
    let Some(code) = error.code() else {
        // Without a code the server never judged the statement: the way to it broke, or a value cannot be encoded.
        return Error::Driver { statement, source: Box::new(error) };
    };
    if *code == SqlState::UNIQUE_VIOLATION {
        let constraint = error.as_db_error().and_then(|it| it.constraint()).unwrap_or_default().to_owned();
        return Error::Conflict { constraint };
    }
    // Classes 08 (connection), 40 (transaction rollback), 53 (resources), 57 (operator intervention).
    if ["08", "40", "53", "57"].iter().any(|class| code.code().starts_with(class)) {
        return Error::unavailable("PostgreSQL cannot serve the statement now", error);
    }
    Error::Driver { statement, source: Box::new(error) }
}

pub(crate) type Tls = MakeRustlsConnect;
