//! The sizes of the tables as metrics: counted in the background, at most once a minute, and only while they are requested.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::Clock;
use database::{TableSize, TableStatistics};
use telemetry::metrics::encoding::{DescriptorEncoder, EncodeMetric};
use telemetry::metrics::{Collector, ConstGauge};
use tokio::sync::watch;

use crate::config::Service;

const INTERVAL: Duration = Duration::from_mins(1);

/// The latest statistics. A cheap clone.
#[derive(Clone, Debug)]
pub(super) struct TableSizes(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    statistics: TableStatistics,
    clock: Clock,
    last: Mutex<Vec<TableSize>>,
    /// Whether the latest statistics were read.
    is_wanted: AtomicBool,
}

impl TableSizes {
    pub(super) fn new(statistics: TableStatistics, clock: Clock) -> Self {
        let (last, is_wanted) = (Mutex::default(), AtomicBool::new(true));
        Self(Arc::new(Inner { statistics, clock, last, is_wanted }))
    }

    /// Counts at intervals until the shutdown.
    pub(super) async fn keep(self, mut stopped: watch::Receiver<bool>) {
        loop {
            if self.0.is_wanted.swap(false, Ordering::Relaxed) {
                self.count().await;
            }
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    async fn count(&self) {
        match self.0.statistics.take().await {
            Ok(sizes) => *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = sizes,
            // Databases that are only compatible with PostgreSQL may not have these numbers.
            Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "the tables could not be counted"),
        }
    }

    /// The tables that `service` shows: its own and, for the `first` service, those that belong to none.
    pub(super) fn of(&self, service: Service, first: bool) -> TablesOf {
        TablesOf { sizes: self.clone(), service, first }
    }
}

#[derive(Debug)]
pub(super) struct TablesOf {
    sizes: TableSizes,
    service: Service,
    first: bool,
}

impl TablesOf {
    fn shows(&self, table: &str) -> bool {
        let belongs = |service: &Service| table.strip_prefix(service.name()).is_some_and(|rest| rest.starts_with('_'));
        belongs(&self.service) || (self.first && !Service::ALL.iter().any(belongs))
    }
}

impl Collector for TablesOf {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let inner = &self.sizes.0;
        inner.is_wanted.store(true, Ordering::Relaxed);
        let sizes = inner.last.lock().unwrap_or_else(PoisonError::into_inner);
        let shown: Vec<&TableSize> = sizes.iter().filter(|size| self.shows(&size.table)).collect();
        let now = inner.clock.now();
        let age = |size: &TableSize| Some(i64::try_from(now.since(size.oldest?).as_secs()).unwrap_or(i64::MAX));
        for (name, help, values) in [
            (
                "database_table_rows",
                "Rows of a table; at most a million are counted on SQLite",
                values(&shown, |size| Some(size.rows)),
            ),
            (
                "database_table_bytes",
                "Bytes of a table with its indexes, where the engine knows",
                values(&shown, |size| size.bytes),
            ),
            (
                "database_table_oldest_seconds",
                "Seconds since the oldest row of a table expired or, in a log, was written; 0 without such a row",
                values(&shown, age),
            ),
        ] {
            if values.is_empty() {
                continue;
            }
            let kind = ConstGauge::new(0_i64).metric_type();
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for (table, value) in values {
                ConstGauge::new(value).encode(family.encode_family(&[("table", table)])?)?;
            }
        }
        Ok(())
    }
}

/// The known values of each table.
fn values<'a>(sizes: &[&'a TableSize], of: impl Fn(&TableSize) -> Option<i64>) -> Vec<(&'a str, i64)> {
    sizes.iter().filter_map(|size| Some((size.table.as_str(), of(size)?))).collect()
}
