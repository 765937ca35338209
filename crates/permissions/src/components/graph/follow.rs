//! Keeps the graphs current: asks for the positions of all tenants by one query, loads the graph of a new tenant, and applies the
//! changes of the others.
//!
//! Invariant: a graph whose log is incomplete, or whose history went back (the database was restored), is loaded again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::{Clock, TenantId};
use database::Database;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::super::feed::Feed;
use super::super::log::{self, LogError};
use super::load::{Load, LoadError};
use super::resident::Resident;
use super::{EVENTS_AT_ONCE, Graphs, OfTenant, SMALL_EVENTS_AT_ONCE};
use crate::domain::event::LARGEST_EVENT;
use crate::domain::snapshot::Snapshot;
use crate::storage::state;

/// How long an expired tuple stays in the graph. It counts for nothing; a request that began before it expired still finds it.
const KEEP_EXPIRED: Duration = Duration::from_mins(1);
/// How often the memory is measured, and given back.
const MEASURE_EVERY: Duration = Duration::from_secs(5);
/// The pause before a failed load is repeated.
const LOAD_AGAIN_AFTER: Duration = Duration::from_secs(5);

pub(crate) struct Follower {
    database: Database,
    clock: Clock,
    feed: Arc<Feed>,
    graphs: Arc<Graphs>,
    tenants: BTreeMap<TenantId, Phase>,
    loads: JoinSet<(TenantId, Result<Resident, LoadError>)>,
    measured_at: Instant,
    has_failed: bool,
}

enum Phase {
    Loading,
    Ready,
    /// A load failed, and is repeated then.
    Waits(Instant),
    /// The graph does not fit.
    TooLarge,
}

impl Follower {
    pub(crate) fn new(database: Database, clock: Clock, feed: Arc<Feed>, graphs: Arc<Graphs>) -> Self {
        let (tenants, loads) = (BTreeMap::new(), JoinSet::new());
        Self { database, clock, feed, graphs, tenants, loads, measured_at: Instant::now(), has_failed: false }
    }

    /// Resolves when a load has ended.
    pub(crate) async fn loaded(&mut self) {
        let Some(ended) = self.loads.join_next().await else { return std::future::pending().await };
        match ended {
            Ok((tenant, Ok(resident))) => {
                self.graphs.of(tenant).resident.store(Some(Arc::new(resident)));
                self.tenants.insert(tenant, Phase::Ready);
            }
            Ok((tenant, Err(error))) => self.load_failed(tenant, &error),
            // It was cancelled, because the runtime stops, or it panicked; then there is no graph.
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "loading relation tuples failed"),
        }
    }

    /// Asks the database once.
    pub(crate) async fn ask(&mut self) {
        let asked_at = Instant::now();
        let positions = match state::positions(&self.database).await {
            Ok(positions) => positions,
            Err(error) => return self.failed(&error),
        };
        self.has_failed = false;
        self.feed.publish(&positions);
        if self.graphs.max_bytes == 0 {
            return;
        }
        let measures = self.measured_at.elapsed() >= MEASURE_EVERY;
        if measures {
            self.measured_at = Instant::now();
        }
        for (tenant, until) in positions {
            match self.tenants.get(&tenant) {
                None => self.load(tenant),
                Some(Phase::Waits(due)) if *due <= Instant::now() => self.load(tenant),
                Some(Phase::Waits(_) | Phase::Loading | Phase::TooLarge) => {}
                Some(Phase::Ready) => self.bring_up(tenant, until, asked_at, measures).await,
            }
        }
    }

    fn load(&mut self, tenant: TenantId) {
        self.tenants.insert(tenant, Phase::Loading);
        let Self { database, clock, graphs, .. } = &*self;
        let load = Load { database: database.clone(), clock: clock.clone(), graphs: graphs.clone(), tenant };
        self.loads.spawn(async move { (tenant, load.run().await) });
    }

    fn load_failed(&mut self, tenant: TenantId, error: &LoadError) {
        self.graphs.of(tenant).drop_graph();
        let (is_final, error): (_, &dyn std::error::Error) = (error.is_final(), error);
        let phase = if is_final {
            tracing::warn!(
                tenant = tenant.as_i32(),
                error,
                "relation tuples are not kept in memory; the tables answer"
            );
            Phase::TooLarge
        } else {
            tracing::warn!(tenant = tenant.as_i32(), error, "loading relation tuples failed and will be repeated");
            Phase::Waits(Instant::now() + LOAD_AGAIN_AFTER)
        };
        self.tenants.insert(tenant, phase);
    }

    /// Brings a graph up to a position that was asked for at `asked_at`.
    async fn bring_up(&mut self, tenant: TenantId, until: Snapshot, asked_at: Instant, measures: bool) {
        let of_tenant = self.graphs.of(tenant);
        let Some(resident) = of_tenant.resident.load_full() else { return };
        match self.apply(tenant, &resident, until).await {
            Ok(()) => resident.is_current_as_of(asked_at),
            Err(LoadError::Database(error)) => return self.failed(&error),
            // Names of deleted relations still have numbers; a new graph does not know them.
            Err(error) if error.is_final() && !matches!(error, LoadError::Graph(_)) => {
                return self.load_failed(tenant, &error);
            }
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(tenant = tenant.as_i32(), error, "the relation tuples in memory are loaded again");
                of_tenant.drop_graph();
                return self.load(tenant);
            }
        }
        resident.expire(self.clock.now().minus(KEEP_EXPIRED));
        if measures && let Err(error) = self.measure(&of_tenant, resident).await {
            self.load_failed(tenant, &error);
        }
    }

    async fn apply(&self, tenant: TenantId, resident: &Resident, until: Snapshot) -> Result<(), LoadError> {
        let mut watermark = resident.watermark();
        if watermark > until {
            return Err(LogError::Incomplete(watermark).into());
        }
        let mut most = EVENTS_AT_ONCE;
        while watermark < until {
            let changes = log::read(&self.database, tenant, watermark, until, most).await.map_err(database_first)?;
            let tuples: usize = changes.iter().map(|logged| logged.change.len()).sum();
            most = if tuples < LARGEST_EVENT { SMALL_EVENTS_AT_ONCE } else { EVENTS_AT_ONCE };
            for logged in changes {
                watermark = logged.sequence;
                resident.apply(logged, until)?;
            }
            // Requests are answered in between, by the tables.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Gives memory back, and drops a graph that has become too large.
    async fn measure(&self, of_tenant: &Arc<OfTenant>, resident: Arc<Resident>) -> Result<(), LoadError> {
        let measured = of_tenant.clone();
        // Rebuilding a large graph takes seconds.
        let rebuilt = tokio::task::spawn_blocking(move || {
            let outcome = resident.rebuild();
            resident.measure(|graph| measured.measured(graph));
            outcome
        });
        if let Ok(outcome) = rebuilt.await {
            outcome?;
        }
        if self.graphs.is_over_bound() { Err(LoadError::TooLarge(self.graphs.max_bytes)) } else { Ok(()) }
    }

    /// Says so once, until a question is answered again.
    fn failed(&mut self, error: &database::Error) {
        if !std::mem::replace(&mut self.has_failed, true) {
            tracing::warn!(error = error as &dyn std::error::Error, "changes of relation tuples could not be read");
        }
    }
}

/// A failure of the database is no reason to load the graph again.
fn database_first(error: LogError) -> LoadError {
    match error {
        LogError::Database(error) => LoadError::Database(error),
        LogError::Incomplete(_) => LoadError::Log(error),
    }
}
