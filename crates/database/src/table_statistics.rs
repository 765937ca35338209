//! The sizes of the tables, for graphs that show whether a table grows without bound.
//!
//! The statistics read every table, so they are computed rarely and in the background: on SQLite on a separate connection and
//! thread, on PostgreSQL from the statistics of the server.

use std::collections::BTreeMap;

use base::Timestamp;

use crate::{Database, Engine, Error, Retention};

/// One table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSize {
    pub table: String,
    /// Counted up to [`MOST_ROWS`] on SQLite; the server's estimate on PostgreSQL.
    pub rows: i64,
    /// Including its indexes, where the engine provides it.
    pub bytes: Option<i64>,
    /// The earliest of the times that decide about deletion: the expiry, or the time of an event.
    pub oldest: Option<Timestamp>,
}

/// Tables are counted up to this number of rows.
pub const MOST_ROWS: i64 = 1_000_000;

/// Computes the statistics of a database.
#[derive(Clone, Debug)]
pub struct TableStatistics {
    database: Database,
    /// The column whose time decides about the deletion of a table's rows.
    ages: BTreeMap<&'static str, &'static str>,
}

impl TableStatistics {
    pub fn new(database: Database, retention: impl IntoIterator<Item = Retention>) -> Self {
        let ages = retention.into_iter().filter_map(|it| Some((it.table, it.age_column()?)));
        Self { database, ages: ages.collect() }
    }

    /// All tables, sorted by name.
    pub async fn take(&self) -> Result<Vec<TableSize>, Error> {
        match &self.database.0.engine {
            Engine::Sqlite(engine) => engine.statistics(self.ages.clone()).await,
            Engine::Postgres(engine) => Box::pin(engine.statistics(&self.ages)).await,
        }
    }
}

/// The condition allows a partial index to answer.
pub(crate) fn select_oldest(table: &str, column: &str) -> String {
    format!("SELECT min({column}) FROM {table} WHERE {column} IS NOT NULL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_a_row_is_the_time_that_decides_about_its_deletion() {
        let column = |expired| Retention { table: "t", key: "id", expired }.age_column();
        assert_eq!(column("expires_at < $1"), Some("expires_at"));
        assert_eq!(column("failed_at IS NOT NULL AND failed_at < $1 - 5"), Some("failed_at"));
        assert_eq!(column("is_over"), None);
    }
}
