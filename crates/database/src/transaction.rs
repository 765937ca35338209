//! Transactions: what storage functions are given. A read is bound to a tenant, a write besides to its commit.

use std::future::Future;

use base::TenantId;
use tokio::time::Instant;

use crate::change_feed::{self, INSERT_CHANGE, SLOW_COMMIT};
use crate::changes::Slot;
use crate::postgres::PostgresWrite;
use crate::sqlite::SqliteWrite;
use crate::{Database, Engine, Error, Row, Statement, Value};

/// What can be read from: [`ReadTx`] or [`WriteTx`]. Storage reads take `tx: &mut impl Read`.
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

    /// The first row; its absence is an inconsistency.
    fn query_one(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Row, Error>> + Send {
        let row = self.query_opt(statement, values);
        async move { row.await?.ok_or_else(|| Error::inconsistent(statement.name(), "no row")) }
    }
}

/// Reads for one tenant, each statement on its own.
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
        self.database.count_statement();
        match &self.database.0.engine {
            Engine::Sqlite(engine) if statement.is_slow() => {
                Box::pin(engine.query_slow(self.tenant, statement, values)).await
            }
            Engine::Sqlite(engine) => engine.query(self.tenant, statement, values),
            Engine::Postgres(engine) if statement.is_slow() => {
                Box::pin(engine.query_slow(self.tenant, statement, values)).await
            }
            // Boxed: the future of a round trip is large, and would make every future around it as large.
            Engine::Postgres(engine) => Box::pin(engine.query_pipelined(self.tenant, statement, values)).await,
        }
    }
}

/// A transaction that may write. Dropping it without [`WriteTx::commit`] rolls it back.
pub struct WriteTx {
    database: Database,
    tenant: TenantId,
    engine: EngineWrite,
    /// Set by a failed statement: PostgreSQL refuses whatever follows one, so SQLite does too.
    failed: bool,
    rings: bool,
    touched: Touched,
}

/// What a transaction touches, noted when it ends, however it ends: a commit that failed may still come.
struct Touched {
    database: Database,
    slots: Vec<Slot>,
}

impl Drop for Touched {
    fn drop(&mut self) {
        for slot in &self.slots {
            self.database.0.changes.touch(*slot);
        }
    }
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
        let touched = Touched { database: database.clone(), slots: Vec::new() };
        Ok(Self { database, tenant, engine, failed: false, rings: false, touched })
    }

    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Runs a statement and returns how many rows it touched.
    pub async fn execute(&mut self, statement: &'static Statement, values: &[Value<'_>]) -> Result<u64, Error> {
        self.check()?;
        self.database.count_statement();
        let result = match &mut self.engine {
            EngineWrite::Sqlite(tx) => tx.execute(self.tenant, statement, values),
            EngineWrite::Postgres(tx) => Box::pin(tx.execute(self.tenant, statement, values)).await,
        };
        self.failed = result.is_err();
        result
    }

    /// Runs a statement whose outcome nobody looks at. PostgreSQL hears of it with whatever comes next, which spares a round
    /// trip; so what is wrong with it may be said by the next statement, or by the commit.
    pub async fn append(&mut self, statement: &'static Statement, values: &[Value<'_>]) -> Result<(), Error> {
        self.check()?;
        self.database.count_statement();
        let result = match &mut self.engine {
            EngineWrite::Sqlite(tx) => tx.execute(self.tenant, statement, values).map(drop),
            EngineWrite::Postgres(tx) => Box::pin(tx.append(self.tenant, statement, values)).await,
        };
        self.failed = result.is_err();
        result
    }

    /// Says that this transaction changes something about `subject`: what a [`ReadCache`](crate::ReadCache) holds about it is
    /// invalid once the transaction has ended.
    pub fn touch(&mut self, subject: &[u8]) {
        self.touched.slots.push(Slot::of(self.tenant, subject));
    }

    /// Rings the bell of [`Database::rung`] once this transaction has committed.
    pub fn ring_on_commit(&mut self) {
        self.rings = true;
    }

    /// Makes everything durable and visible. When this returns an error nothing was written, except that a connection
    /// lost during the commit leaves the outcome unknown.
    ///
    /// Whoever waits for it may go away meanwhile: a client that hangs up takes its request along. The commit comes all the same,
    /// so what was touched is invalid after it, and not when the waiting ends.
    pub async fn commit(self) -> Result<(), Error> {
        self.check()?;
        if self.touched.slots.is_empty() {
            return self.finish().await;
        }
        #[expect(clippy::disallowed_methods, reason = "the task ends with the commit")]
        let finished = tokio::spawn(self.finish()).await;
        let lost = |error| Error::unavailable("the commit was cut short", error);
        finished.map_err(lost)?
    }

    async fn finish(self) -> Result<(), Error> {
        match self.engine {
            EngineWrite::Sqlite(tx) => tx.commit().await?,
            EngineWrite::Postgres(tx) => Box::pin(commit_with_change(*tx, self.tenant, &self.touched)).await?,
        }
        // After the commit is visible, and before anybody is told of it.
        drop(self.touched);
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

/// Commits, and lets other processes know what was touched.
async fn commit_with_change(mut tx: PostgresWrite, tenant: TenantId, touched: &Touched) -> Result<(), Error> {
    if touched.slots.is_empty() {
        return tx.commit().await;
    }
    let database = &touched.database.0;
    let change = change_feed::change(&database.changes, &touched.slots);
    tx.append(tenant, &INSERT_CHANGE, &change).await?;
    let started = Instant::now();
    tx.commit().await?;
    if started.elapsed() > SLOW_COMMIT
        && let Engine::Postgres(engine) = &database.engine
    {
        let change = change_feed::change(&database.changes, &touched.slots);
        if let Err(error) = engine.write_once(tenant, &INSERT_CHANGE, &change).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "other nodes may learn of a change a minute late");
        }
    }
    Ok(())
}

impl Read for WriteTx {
    async fn query(&mut self, statement: &'static Statement, values: &[Value<'_>]) -> Result<Vec<Row>, Error> {
        self.check()?;
        self.database.count_statement();
        let result = match &mut self.engine {
            EngineWrite::Sqlite(tx) => tx.query(self.tenant, statement, values),
            EngineWrite::Postgres(tx) => Box::pin(tx.query(self.tenant, statement, values)).await,
        };
        self.failed = result.is_err();
        result
    }
}
