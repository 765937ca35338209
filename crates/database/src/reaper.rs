//! Deletes expired rows: each table defines when a row has expired, and the reaper deletes such rows in small batches, so that
//! no other write waits long for it.

use base::Timestamp;

use crate::{Database, Engine, Error};

/// The number of rows of a batch, which holds the write lock for a few milliseconds.
const BATCH: i64 = 500;

/// The retention rule of a table.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    pub table: &'static str,
    /// The columns of the primary key, for instance `tenant_id, id`.
    pub key: &'static str,
    /// A condition on one row; `$1` is the current time in microseconds, and the only parameter. It must be served by an index.
    pub expired: &'static str,
}

impl Retention {
    /// The column that the condition compares with the current time, if there is one.
    pub(crate) fn age_column(&self) -> Option<&'static str> {
        self.expired.split_once(" < $1")?.0.rsplit(' ').next()
    }

    pub(crate) fn sql(&self) -> String {
        let Self { table, key, expired } = self;
        format!("DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {expired} LIMIT $2)")
    }
}

/// How many rows of a table were deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaped {
    pub table: &'static str,
    pub rows: u64,
}

/// Deletes expired rows of all tenants.
#[derive(Clone, Debug)]
pub struct Reaper {
    database: Database,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    table: &'static str,
    sql: String,
}

impl Reaper {
    pub fn new(database: Database, retention: impl IntoIterator<Item = Retention>) -> Self {
        let is_sqlite = matches!(database.0.engine, Engine::Sqlite(_));
        let rules = retention
            .into_iter()
            .map(|it| {
                let sql = it.sql();
                Rule { table: it.table, sql: if is_sqlite { crate::statement::positional(&sql) } else { sql } }
            })
            .collect();
        Self { database, rules }
    }

    /// Deletes rows that had expired by `now`, at most `batches` batches per table.
    pub async fn reap(&self, now: Timestamp, batches: u32) -> Result<Vec<Reaped>, Error> {
        let mut reaped = Vec::new();
        for rule in &self.rules {
            let mut rows = 0;
            for _ in 0..batches {
                let deleted = self.delete_batch(rule, now).await?;
                rows += deleted;
                if deleted < BATCH.unsigned_abs() {
                    break;
                }
            }
            if rows > 0 {
                reaped.push(Reaped { table: rule.table, rows });
            }
        }
        Ok(reaped)
    }

    async fn delete_batch(&self, rule: &Rule, now: Timestamp) -> Result<u64, Error> {
        match &self.database.0.engine {
            Engine::Sqlite(engine) => engine.delete_batch(rule.table, &rule.sql, now.unix_micros(), BATCH).await,
            Engine::Postgres(engine) => engine.delete_batch(rule.table, &rule.sql, now.unix_micros(), BATCH).await,
        }
    }
}
