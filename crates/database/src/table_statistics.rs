//! How large the tables are: for the graphs that show that nothing grows for ever.
//!
//! A statistics looks at every table, so it is taken rarely, beside the requests: on SQLite on a connection and a thread of its
//! own, on PostgreSQL from what the server counts anyway.

use std::collections::BTreeMap;

use base::Timestamp;

use crate::{Database, Engine, Error, Retention};

/// One table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSize {
    pub table: String,
    /// On SQLite counted up to [`MOST_ROWS`], on PostgreSQL as the server last counted.
    pub rows: i64,
    /// With its indexes, where the engine knows.
    pub bytes: Option<i64>,
    /// The earliest of the times by which rows are deleted: when it expires, or when it happened.
    pub oldest: Option<Timestamp>,
}

/// Beyond this a table is large, and how large is not worth the time.
pub const MOST_ROWS: i64 = 1_000_000;

/// Counts the tables of a database.
#[derive(Clone, Debug)]
pub struct TableStatistics {
    database: Database,
    /// The time by which rows of a table are deleted.
    ages: BTreeMap<&'static str, &'static str>,
}

impl TableStatistics {
    pub fn new(database: Database, retention: impl IntoIterator<Item = Retention>) -> Self {
        let ages = retention.into_iter().filter_map(|it| Some((it.table, it.age_column()?)));
        Self { database, ages: ages.collect() }
    }

    /// Every table, in the order of their names.
    pub async fn take(&self) -> Result<Vec<TableSize>, Error> {
        match &self.database.0.engine {
            Engine::Sqlite(engine) => engine.statistics(self.ages.clone()).await,
            Engine::Postgres(engine) => Box::pin(engine.statistics(&self.ages)).await,
        }
    }
}

/// The condition is what lets a partial index answer.
pub(crate) fn select_oldest(table: &str, column: &str) -> String {
    format!("SELECT min({column}) FROM {table} WHERE {column} IS NOT NULL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_a_row_is_the_time_by_which_it_is_deleted() {
        let column = |expired| Retention { table: "t", key: "id", expired }.age_column();
        assert_eq!(column("expires_at < $1"), Some("expires_at"));
        assert_eq!(column("failed_at IS NOT NULL AND failed_at < $1 - 5"), Some("failed_at"));
        assert_eq!(column("is_over"), None);
    }
}
