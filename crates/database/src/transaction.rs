//! Transactions, which storage functions take as a parameter. Both kinds are bound to a tenant; a write transaction is also
//! bound to its commit.

use std::future::Future;

use base::TenantId;
use tokio::time::Instant;

use crate::change_feed::{self, INSERT_CHANGE, SLOW_COMMIT};
use crate::changes::Slot;
use crate::postgres::PostgresWrite;
use crate::sqlite::SqliteWrite;
use crate::{Database, Engine, Error, Row, Statement, Value};

/// A transaction that can be read from: [`ReadTx`] or [`WriteTx`]. Storage reads take `tx: &mut impl Read`.
pub trait Read: Send {
    fn query(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Vec<Row>, Error>> + Send;

    /// The first row, if there is one.
    fn query_opt(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Option<Row>, Error>> + Send {
        let rows = self.query(statement, values);
        async move { Ok(rows.await?.into_iter().next()) }
    }

    /// The first row. Its absence is an inconsistency.
    fn query_one(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Row, Error>> + Send {
        let row = self.query_opt(statement, values);
        async move { row.await?.ok_or_else(|| Error::inconsistent(statement.name(), "no row")) }
    }
}

/// Reads for one tenant. Each statement runs independently.
pub struct ReadTx {
    database: Database,
    tenant: TenantId,
}

impl ReadTx {
    pub(crate) fn new(database: Database, tenant: TenantId) -> Self {
        Self { database, tenant }
    }

    pub fn tenant(&self) -> TenantId {
        self.tenant
    }
}

impl Read for ReadTx {
    async fn query(&mut self, statement: &'static Statement, values: &[Value<'_>]) -> Result<Vec<Row>, Error> {
        self.database.count_statement(statement);
        match &self.database.0.engine {
            Engine::Sqlite(engine) if statement.is_slow() => {
                Box::pin(engine.query_slow(self.tenant, statement, values)).await
            }
            Engine::Sqlite(engine) => {
                // The read itself never waits. Without this a question of many reads would keep its thread from all other tasks.
                tokio::task::coop::consume_budget().await;
                engine.query(self.tenant, statement, values)
            }
            Engine::Postgres(engine) if statement.is_slow() => {
                Box::pin(engine.query_slow(self.tenant, statement, values)).await
            }
            // Boxed, because the future of a round trip is large and would enlarge every future around it.
            Engine::Postgres(engine) => Box::pin(engine.query_pipelined(self.tenant, statement, values)).await,
        }
    }
}

/// A transaction that may write. Dropping it without [`WriteTx::commit`] rolls it back.
pub struct WriteTx {
    database: Database,
    tenant: TenantId,
    engine: EngineWrite,
    /// Set by a failed statement: PostgreSQL refuses further statements, so SQLite does as well.
    failed: bool,
    rings: bool,
}

enum EngineWrite {
    Sqlite(SqliteWrite),
    Postgres(Box<PostgresWrite>),
}

impl WriteTx {
    pub(crate) async fn begin(database: Database, tenant: TenantId) -> Result<Self, Error> {
        let engine = match &database.0.engine {
            Engine::Sqlite(engine) => EngineWrite::Sqlite(engine.begin().await?),
            Engine::Postgres(engine) => EngineWrite::Postgres(Box::new(Box::pin(engine.begin()).await?)),
        };
        Ok(Self { database, tenant, engine, failed: false, rings: false })
    }

    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Runs a statement and returns the number of affected rows.
    pub async fn execute(&mut self, statement: &'static Statement, values: &[Value<'_>]) -> Result<u64, Error> {
        self.check()?;
        self.database.count_statement(statement);
        let result = match &mut self.engine {
            EngineWrite::Sqlite(tx) => tx.execute(self.tenant, statement, values),
            EngineWrite::Postgres(tx) => Box::pin(tx.execute(self.tenant, statement, values)).await,
        };
        self.failed = result.is_err();
        result
    }

    /// Runs a statement whose outcome is not needed. It is sent to PostgreSQL with the next statement, which saves a round
    /// trip; its error may therefore be reported by the next statement, or by the commit.
    pub async fn append(&mut self, statement: &'static Statement, values: &[Value<'_>]) -> Result<(), Error> {
        self.check()?;
        self.database.count_statement(statement);
        let result = match &mut self.engine {
            EngineWrite::Sqlite(tx) => tx.execute(self.tenant, statement, values).map(drop),
            EngineWrite::Postgres(tx) => Box::pin(tx.append(self.tenant, statement, values)).await,
        };
        self.failed = result.is_err();
        result
    }

    /// Declares that this transaction changes `subject`: values of a [`ReadCache`](crate::ReadCache) with this subject are
    /// invalid after the transaction has ended.
    pub fn touch(&mut self, subject: &[u8]) {
        let slot = Slot::of(self.tenant, subject);
        match &mut self.engine {
            EngineWrite::Sqlite(tx) => tx.touched.add(slot),
            EngineWrite::Postgres(tx) => tx.touched.add(slot),
        }
    }

    /// Notifies [`Database::committed`] after this transaction has committed.
    pub fn notify_on_commit(&mut self) {
        self.rings = true;
    }

    /// Makes the changes durable and visible. If it returns an error nothing was written, except that a connection that was
    /// lost during the commit leaves the outcome unknown.
    pub async fn commit(self) -> Result<(), Error> {
        self.check()?;
        match self.engine {
            EngineWrite::Sqlite(tx) => tx.commit().await?,
            EngineWrite::Postgres(tx) => Box::pin(commit_with_change(*tx, self.tenant, &self.database)).await?,
        }
        if self.rings {
            self.database.0.bell.notify_one();
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Error> {
        if self.failed {
            return Err(Error::Unavailable { what: "an earlier statement of this transaction failed", source: None });
        }
        Ok(())
    }
}

/// Commits, and publishes the touched subjects to other processes.
async fn commit_with_change(mut tx: PostgresWrite, tenant: TenantId, database: &Database) -> Result<(), Error> {
    if tx.touched.slots().is_empty() {
        return tx.commit().await;
    }
    let slots = tx.touched.slots().to_vec();
    let change = change_feed::change(&database.0.changes, &slots);
    if !tx.add_change(&change).await? {
        database.count_statement(&INSERT_CHANGE);
        tx.append(tenant, &INSERT_CHANGE, &change).await?;
    }
    let database = &database.0;
    let started = Instant::now();
    tx.commit().await?;
    if started.elapsed() > SLOW_COMMIT
        && let Engine::Postgres(engine) = &database.engine
    {
        let change = change_feed::change(&database.changes, &slots);
        if let Err(error) = engine.write_once(tenant, &INSERT_CHANGE, &change).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "other nodes may see a change up to a minute late"
            );
        }
    }
    Ok(())
}

impl Read for WriteTx {
    async fn query(&mut self, statement: &'static Statement, values: &[Value<'_>]) -> Result<Vec<Row>, Error> {
        self.check()?;
        self.database.count_statement(statement);
        let result = match &mut self.engine {
            EngineWrite::Sqlite(tx) => tx.query(self.tenant, statement, values),
            EngineWrite::Postgres(tx) => Box::pin(tx.query(self.tenant, statement, values)).await,
        };
        self.failed = result.is_err();
        result
    }
}
