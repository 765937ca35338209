//! A few clients that all readers share: the statements of many requests are sent on one connection without waiting for each
//! other's answers. The server answers the statements of one connection in order, so each statement goes to the client with the
//! fewest unanswered ones.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use base::TenantId;
use tokio::sync::Mutex;
use tokio_postgres::Client;

use super::encoding::{Parameter, row};
use super::{Tls, failure, no_connection};
use crate::dsn::PostgresConfig;
use crate::{Error, Row, Statement, Value};

pub(crate) struct SharedClients {
    driver: tokio_postgres::Config,
    tls: Tls,
    clients: Vec<Slot>,
    next: AtomicUsize,
}

#[derive(Default)]
struct Slot {
    current: RwLock<Option<Arc<PreparedClient>>>,
    /// The number of statements that were sent and not answered yet.
    unanswered: AtomicUsize,
    /// Locked while connecting, so that a lost connection is replaced once.
    connecting: Mutex<()>,
}

/// Counts one statement of a slot until it is answered or dropped.
struct Unanswered<'a>(&'a AtomicUsize);

impl<'a> Unanswered<'a> {
    fn count(slot: &'a Slot) -> Self {
        slot.unanswered.fetch_add(1, Ordering::Relaxed);
        Self(&slot.unanswered)
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct PreparedClient {
    client: Client,
    /// By the address of the statement, which is a static.
    statements: RwLock<HashMap<usize, tokio_postgres::Statement>>,
}

impl SharedClients {
    pub(crate) fn new(config: &PostgresConfig, tls: Tls) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let clients = std::iter::repeat_with(Slot::default).take(cores).collect();
        Self { driver: config.driver.clone(), tls, clients, next: AtomicUsize::new(0) }
    }

    pub(crate) async fn query(
        &self,
        tenant: TenantId,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Error> {
        let slot = self.least_busy();
        let _unanswered = Unanswered::count(slot);
        let client = self.client(slot).await?;
        let prepared = client.prepare(statement).await?;
        let parameters = Parameter::all(tenant, statement, values);
        let rows = client.client.query(&prepared, &Parameter::borrow(&parameters)).await;
        rows.and_then(|rows| rows.iter().map(|it| row(statement, it)).collect())
            .map_err(|error| failure(statement.name(), error))
    }

    pub(crate) async fn ping(&self) -> Result<(), Error> {
        let client = self.client(self.least_busy()).await?;
        client.client.simple_query("SELECT 1").await.map(drop).map_err(|error| failure("ping", error))
    }

    /// Among equally busy clients, the next one in turn.
    fn least_busy(&self) -> &Slot {
        let (before, after) = self.clients.split_at(self.next.fetch_add(1, Ordering::Relaxed) % self.clients.len());
        let in_turn = after.iter().chain(before);
        in_turn.min_by_key(|slot| slot.unanswered.load(Ordering::Relaxed)).unwrap_or(&self.clients[0])
    }

    async fn client(&self, slot: &Slot) -> Result<Arc<PreparedClient>, Error> {
        if let Some(client) = slot.live() {
            return Ok(client);
        }
        let _one_at_a_time = slot.connecting.lock().await;
        if let Some(client) = slot.live() {
            return Ok(client);
        }
        let client = Arc::new(Box::pin(self.connect()).await?);
        *slot.current.write().unwrap_or_else(PoisonError::into_inner) = Some(client.clone());
        Ok(client)
    }

    #[expect(clippy::disallowed_methods, reason = "the driver's task ends with its client")]
    async fn connect(&self) -> Result<PreparedClient, Error> {
        let (client, connection) = self.driver.connect(self.tls.clone()).await.map_err(no_connection)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(error = &error as &dyn std::error::Error, "a connection to PostgreSQL ended");
            }
        });
        Ok(PreparedClient { client, statements: RwLock::default() })
    }
}

impl Slot {
    fn live(&self) -> Option<Arc<PreparedClient>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|it| !it.client.is_closed()).cloned()
    }
}

impl PreparedClient {
    async fn prepare(&self, statement: &'static Statement) -> Result<tokio_postgres::Statement, Error> {
        let key = std::ptr::from_ref(statement).addr();
        if let Some(prepared) = self.statements.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(prepared.clone());
        }
        let prepared = self.client.prepare(statement.postgres_text()).await;
        let prepared = prepared.map_err(|error| failure(statement.name(), error))?;
        self.statements.write().unwrap_or_else(PoisonError::into_inner).insert(key, prepared.clone());
        Ok(prepared)
    }
}
