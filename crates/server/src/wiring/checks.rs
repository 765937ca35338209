//! The health check of the database, and its metrics.

use std::time::Duration;

use async_trait::async_trait;
use database::Database;
use telemetry::metrics::encoding::{DescriptorEncoder, EncodeMetric};
use telemetry::metrics::{Collector, ConstCounter};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::http::health::Check;

/// How long one successful write counts as proof.
const WRITE_PROVES_FOR: Duration = Duration::from_secs(5);
/// The time limit of the write. A busy database needs longer; a full disk fails immediately.
const PATIENCE: Duration = Duration::from_secs(2);

/// The database answers and accepts writes.
pub(super) struct DatabaseAnswers {
    database: Database,
    /// The time of the last successful write. The lock is held during a write, so that concurrent probes cause one write.
    written: Mutex<Option<Instant>>,
}

impl DatabaseAnswers {
    pub(super) fn new(database: Database) -> Self {
        Self { database, written: Mutex::new(None) }
    }

    async fn takes_writes(&self) -> Result<(), database::Error> {
        let mut written = self.written.lock().await;
        if written.is_some_and(|at| at.elapsed() < WRITE_PROVES_FOR) {
            return Ok(());
        }
        *written = None;
        if takes_writes(&self.database).await? {
            *written = Some(Instant::now());
        }
        Ok(())
    }
}

/// Writes once. `false` when that needs longer than [`PATIENCE`], because the database is busy.
pub(super) async fn takes_writes(database: &Database) -> Result<bool, database::Error> {
    match timeout(PATIENCE, Box::pin(database.probe_write())).await {
        Ok(outcome) => outcome.map(|()| true),
        Err(_) => Ok(false),
    }
}

#[async_trait]
impl Check for DatabaseAnswers {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn run(&self) -> Result<(), String> {
        let failed = |error: database::Error| error.to_string();
        self.database.ping().await.map_err(failed)?;
        self.takes_writes().await.map_err(|error| format!("writes are refused: {error}"))
    }

    async fn warning(&self) -> Option<String> {
        let file = self.database.full_disk()?.display();
        Some(format!(
            "the disk of the database {file} was full at the last write, which was refused (503): free space on it"
        ))
    }
}

/// The number of statements and transactions.
#[derive(Debug)]
pub(super) struct DatabaseUsage(pub(super) Database);

impl Collector for DatabaseUsage {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let usage = self.0.usage();
        for (name, help, value) in [
            ("sql_statements", "Statements that were run", usage.statements),
            ("sql_write_transactions", "Transactions that could write", usage.write_transactions),
        ] {
            let counter = ConstCounter::new(value);
            let metric = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use database::testing::{fill_disk, free_disk, sqlite};

    use super::*;

    #[tokio::test]
    async fn a_full_disk_is_a_warning_until_a_write_succeeds() {
        let database = sqlite(&[]).await;
        let check = DatabaseAnswers::new(database.clone());
        assert_eq!((check.run().await, check.warning().await), (Ok(()), None));
        fill_disk(&database).await;
        let warning = check.warning().await.unwrap();
        let file = database.full_disk().unwrap().display();
        assert!(warning.starts_with(&format!("the disk of the database {file} was full")), "{warning}");
        // Neither a probe nor a transaction without a change shows that there is room.
        assert!(takes_writes(&database).await.unwrap());
        database.write(base::TenantId::DEFAULT).await.unwrap().commit().await.unwrap();
        assert_eq!((check.run().await, check.warning().await), (Ok(()), Some(warning)));
        free_disk(&database).await;
        assert_eq!(check.warning().await, None);
    }
}
