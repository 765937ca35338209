//! One write transaction on a connection of its own, in as few round trips as its statements allow.
//!
//! `BEGIN` is sent with the first statement. A statement whose outcome is not needed waits until another one is sent, and is
//! sent ahead of it: at the latest ahead of `COMMIT`. A single such statement is a transaction by itself. The change that a
//! transaction publishes (`change_feed`) is a part of the statement that waits last.

use base::TenantId;
use deadpool_postgres::Object;
use futures_util::future::{join, join_all};

use super::encoding::{Parameter, row};
use super::failure;
use crate::changes::Touched;
use crate::{Error, OwnedValue, Row, Statement, Value};

/// The number of waiting statements at which they are sent: [`join_all`] keeps the order of a few.
const MOST_WAITING: usize = 16;

pub(crate) struct PostgresWrite {
    connection: Option<Object>,
    begun: bool,
    waiting: Vec<Waiting>,
    pub(crate) touched: Touched,
}

/// A statement that is sent ahead of the next one.
struct Waiting {
    statement: &'static Statement,
    prepared: tokio_postgres::Statement,
    tenant: TenantId,
    values: Vec<OwnedValue>,
}

impl PostgresWrite {
    pub(crate) fn new(connection: Object, touched: Touched) -> Self {
        Self { connection: Some(connection), begun: false, waiting: Vec::new(), touched }
    }

    pub(crate) async fn query(
        &mut self,
        tenant: TenantId,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Error> {
        let ahead = self.ahead();
        let connection = self.connection.as_ref().ok_or_else(finished)?;
        let prepared = prepare(connection, statement).await?;
        let parameters = Parameter::all(tenant, statement, values);
        let parameters = Parameter::borrow(&parameters);
        let rows = ahead.of(connection, statement, connection.query(&prepared, &parameters)).await?;
        rows.iter()
            .map(|it| row(statement, it))
            .collect::<Result<_, _>>()
            .map_err(|error| failure(statement.name(), error))
    }

    pub(crate) async fn execute(
        &mut self,
        tenant: TenantId,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<u64, Error> {
        let ahead = self.ahead();
        let connection = self.connection.as_ref().ok_or_else(finished)?;
        let prepared = prepare(connection, statement).await?;
        let parameters = Parameter::all(tenant, statement, values);
        let parameters = Parameter::borrow(&parameters);
        ahead.of(connection, statement, connection.execute(&prepared, &parameters)).await
    }

    /// Runs a statement some time before the next one or the commit, which fail if it fails.
    pub(crate) async fn append(
        &mut self,
        tenant: TenantId,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<(), Error> {
        if self.waiting.len() == MOST_WAITING {
            return self.execute(tenant, statement, values).await.map(drop);
        }
        let connection = self.connection.as_ref().ok_or_else(finished)?;
        let prepared = prepare(connection, statement).await?;
        let values = values.iter().map(Value::to_owned).collect();
        self.waiting.push(Waiting { statement, prepared, tenant, values });
        Ok(())
    }

    /// Records a change by the statement that waits last. `false` when none waits that can.
    pub(crate) async fn add_change(&mut self, change: &[Value<'_>]) -> Result<bool, Error> {
        let Some(last) = self.waiting.last_mut() else { return Ok(false) };
        let text = last.statement.postgres_text_with_change(last.prepared.params().len());
        let Some(text) = text else { return Ok(false) };
        let connection = self.connection.as_ref().ok_or_else(finished)?;
        let prepared = connection.prepare_cached(text).await;
        last.prepared = prepared.map_err(|error| failure(last.statement.name(), error))?;
        last.values.extend(change.iter().map(Value::to_owned));
        Ok(true)
    }

    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        if !self.begun && self.waiting.len() < 2 {
            let Some(only) = self.waiting.pop() else { return Ok(()) };
            return only.run(self.connection.as_ref().ok_or_else(finished)?).await;
        }
        let ahead = self.ahead();
        let connection = self.connection.as_ref().ok_or_else(finished)?;
        // If a statement ahead of it failed, the server answers COMMIT by rolling back.
        let (sent, committed) = join(ahead.send(connection), connection.batch_execute("COMMIT")).await;
        sent?;
        committed.map_err(|error| failure("COMMIT", error))?;
        self.begun = false;
        Ok(())
    }

    /// The statements that must be sent first. From here on the connection has an open transaction.
    fn ahead(&mut self) -> Ahead {
        Ahead { begins: !std::mem::replace(&mut self.begun, true), waiting: std::mem::take(&mut self.waiting) }
    }
}

impl Drop for PostgresWrite {
    fn drop(&mut self) {
        if !self.begun {
            return;
        }
        let Some(connection) = self.connection.take() else { return };
        let touched = self.touched.take();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // A COMMIT may be in flight; it has ended when this is answered.
                let _touched = touched;
                if connection.batch_execute("ROLLBACK").await.is_err() {
                    // The pool must not return a connection with an open transaction.
                    drop(Object::take(connection));
                }
            });
        } else {
            drop(Object::take(connection));
        }
    }
}

/// `BEGIN`, if it was not sent yet, and the waiting statements. Statements are sent in the order in which their futures are
/// first polled, and all answers arrive in one round trip.
struct Ahead {
    begins: bool,
    waiting: Vec<Waiting>,
}

impl Ahead {
    async fn of<T>(
        self,
        connection: &Object,
        statement: &'static Statement,
        run: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Error> {
        let result = if self.begins || !self.waiting.is_empty() {
            let (sent, result) = join(self.send(connection), run).await;
            sent?;
            result
        } else {
            run.await
        };
        result.map_err(|error| failure(statement.name(), error))
    }

    async fn send(&self, connection: &Object) -> Result<(), Error> {
        let begin = async {
            if !self.begins {
                return Ok(());
            }
            connection.batch_execute("BEGIN").await.map_err(|error| failure("BEGIN", error))
        };
        let (begun, ran) = join(begin, join_all(self.waiting.iter().map(|it| it.run(connection)))).await;
        begun?;
        ran.into_iter().collect()
    }
}

impl Waiting {
    async fn run(&self, connection: &Object) -> Result<(), Error> {
        let parameters = Parameter::all(self.tenant, self.statement, &self.values);
        let touched = connection.execute(&self.prepared, &Parameter::borrow(&parameters)).await;
        touched.map(drop).map_err(|error| failure(self.statement.name(), error))
    }
}

/// One statement that is a transaction by itself.
pub(super) async fn once(
    connection: &Object,
    tenant: TenantId,
    statement: &'static Statement,
    values: &[Value<'_>],
) -> Result<u64, Error> {
    let prepared = prepare(connection, statement).await?;
    let parameters = Parameter::all(tenant, statement, values);
    let touched = connection.execute(&prepared, &Parameter::borrow(&parameters)).await;
    touched.map_err(|error| failure(statement.name(), error))
}

async fn prepare(connection: &Object, statement: &'static Statement) -> Result<tokio_postgres::Statement, Error> {
    let prepared = connection.prepare_cached(statement.postgres_text()).await;
    prepared.map_err(|error| failure(statement.name(), error))
}

fn finished() -> Error {
    Error::Unavailable { what: "the transaction is over", source: None }
}
