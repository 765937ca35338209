//! Queries whose run time grows with the table: they run on separate connections, so that no quick statement waits behind one,
//! and the server ends those that take too long.
//!
//! A query whose caller is gone is cancelled; until the server has done so, its connection is not reused. So there are never
//! more such queries than connections.

use base::TenantId;
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use tokio::time::timeout;

use super::encoding::{Parameter, row};
use super::{Tls, failure, no_connection};
use crate::dsn::PostgresConfig;
use crate::slow_limits::{QUEUE_LIMIT, RUN_LIMIT, queue_is_full, took_too_long};
use crate::{Error, Row, Statement, Value};

/// The server does the work: more connections would only take its cores away from quick statements.
const CONNECTIONS: usize = 2;

pub(crate) struct SlowQueries {
    pool: Pool,
    tls: Tls,
}

impl SlowQueries {
    pub(crate) fn new(config: &PostgresConfig, tls: Tls) -> Result<Self, Error> {
        let manager = Manager::from_config(
            config.driver.clone(),
            tls.clone(),
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        // After some runs PostgreSQL would use one plan for all values, which it makes without knowing how many rows are over
        // a time or after a position. A plan for the values costs little beside such a query.
        let settings =
            format!("SET statement_timeout = {}; SET plan_cache_mode = force_custom_plan", RUN_LIMIT.as_millis());
        let set_up = Hook::async_fn(move |client, _| {
            let settings = settings.clone();
            Box::pin(async move { client.batch_execute(&settings).await.map_err(HookError::Backend) })
        });
        let pool = Pool::builder(manager).max_size(CONNECTIONS).post_create(set_up).build();
        let pool = pool.map_err(|error| Error::unavailable("the connection pool cannot be built", error))?;
        Ok(Self { pool, tls })
    }

    pub(crate) async fn query(
        &self,
        tenant: TenantId,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Error> {
        let connection = timeout(QUEUE_LIMIT, self.pool.get()).await.map_err(|_| queue_is_full())?;
        let connection = connection.map_err(no_connection)?;
        let mut running = Running { connection: Some(connection), tls: self.tls.clone() };
        let rows = timeout(RUN_LIMIT, running.query(tenant, statement, values)).await;
        let rows = rows.map_err(|_| took_too_long())?;
        // The server has answered, so there is nothing to cancel.
        running.connection = None;
        rows.and_then(|rows| rows.iter().map(|it| row(statement, it)).collect())
            .map_err(|error| failure(statement.name(), error))
    }
}

/// A connection with a running query, which is cancelled when this is dropped.
struct Running {
    connection: Option<Object>,
    tls: Tls,
}

impl Running {
    async fn query(
        &self,
        tenant: TenantId,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<tokio_postgres::Row>, tokio_postgres::Error> {
        let Some(connection) = &self.connection else { return Ok(Vec::new()) };
        let prepared = connection.prepare_cached(statement.postgres_text()).await?;
        let parameters = Parameter::all(tenant, statement, values);
        connection.query(&prepared, &Parameter::borrow(&parameters)).await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return drop(Object::take(connection));
        };
        let cancel = connection.cancel_token();
        let tls = self.tls.clone();
        runtime.spawn(async move {
            let cancelled = cancel.cancel_query(tls).await;
            // The answer to this statement comes after that of the cancelled query.
            if cancelled.is_err() || connection.batch_execute("SELECT 1").await.is_err() {
                drop(Object::take(connection));
            }
        });
    }
}
