//! Keeps the graphs current: asks for the positions of all tenants by one query, loads the graph of a new tenant, and applies the
//! changes of the others.
//!
//! Invariants:
//! - A graph whose log is incomplete, or whose history went back (the database was restored), is loaded again.
//! - A load that began before its tenant's graph was dropped is not used.
//! - A graph that does not fit is loaded again after a while: its tuples may have been deleted. That takes a small share of the time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
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
/// The shortest pause before a graph that does not fit is loaded again, and how many times as long as its load the pause is.
const FITS_AGAIN_AFTER: Duration = Duration::from_mins(1);
const PAUSE_PER_LOAD: u32 = 100;

pub(crate) struct Follower {
    database: Database,
    clock: Clock,
    feed: Arc<Feed>,
    graphs: Arc<Graphs>,
    tenants: BTreeMap<TenantId, Phase>,
    loads: JoinSet<Ended>,
    /// The newest load.
    attempt: Attempt,
    measured_at: Instant,
    has_failed: bool,
}

/// The number of a load.
type Attempt = u64;

struct Ended {
    tenant: TenantId,
    attempt: Attempt,
    took: Duration,
    loaded: Result<Resident, LoadError>,
}

enum Phase {
    Loading(Attempt),
    Ready,
    /// The graph answers while another one is loaded that will replace it.
    Renews(Attempt),
    /// A load failed, and is repeated then.
    Waits(Instant),
    /// The graph does not fit, and is loaded again then.
    DoesNotFit(Instant),
}

impl Follower {
    pub(crate) fn new(database: Database, clock: Clock, feed: Arc<Feed>, graphs: Arc<Graphs>) -> Self {
        graphs.followers.fetch_add(1, Ordering::SeqCst);
        let (tenants, loads, measured_at) = (BTreeMap::new(), JoinSet::new(), Instant::now());
        Self { database, clock, feed, graphs, tenants, loads, attempt: 0, measured_at, has_failed: false }
    }

    /// The next question to the database measures the memory.
    #[cfg(test)]
    pub(crate) fn measure_next(&mut self) {
        self.measured_at -= MEASURE_EVERY;
    }

    /// The next question to the database loads the graphs that did not fit.
    #[cfg(test)]
    pub(crate) fn load_again_next(&mut self) {
        for phase in self.tenants.values_mut() {
            if let Phase::DoesNotFit(due) = phase {
                *due = Instant::now();
            }
        }
    }

    /// Resolves when a load has ended.
    pub(crate) async fn loaded(&mut self) {
        let Some(ended) = self.loads.join_next().await else { return std::future::pending().await };
        let Ended { tenant, attempt, took, loaded } = match ended {
            Ok(ended) => ended,
            // It was cancelled, because the runtime stops, or it panicked; then there is no graph.
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                return tracing::error!(error, "loading relation tuples failed");
            }
        };
        let of_tenant = self.graphs.of(tenant);
        of_tenant.loading.nothing();
        match (self.tenants.get(&tenant), loaded) {
            (Some(Phase::Loading(awaited) | Phase::Renews(awaited)), Ok(resident)) if *awaited == attempt => {
                of_tenant.answer_from(resident);
                self.tenants.insert(tenant, Phase::Ready);
            }
            (Some(Phase::Loading(awaited)), Err(error)) if *awaited == attempt => {
                self.load_failed(tenant, &error, took);
            }
            (Some(Phase::Renews(awaited)), Err(error)) if *awaited == attempt => self.renewal_failed(tenant, &error),
            // Something happened in between that this load does not know of.
            _ => {}
        }
    }

    /// Brings the graphs up to the snapshots that are waited for, which are known to exist, so that the positions of all tenants need
    /// not be asked for. `false`: somebody needs more than that.
    pub(crate) async fn catch_up(&self) -> bool {
        let is_due = !self.feed.was_asked_within(self.graphs.rhythm.interval);
        if self.feed.take_asked() || is_due || self.graphs.max_bytes == 0 {
            return false;
        }
        for (tenant, of_tenant) in self.graphs.all() {
            let wanted = Snapshot(of_tenant.wanted.load(Ordering::SeqCst));
            if self.feed.newest(tenant) >= wanted {
                continue;
            }
            let Some(Phase::Ready | Phase::Renews(_)) = self.tenants.get(&tenant) else { return false };
            let Some(resident) = of_tenant.resident.load_full() else { return false };
            if self.apply(tenant, &resident, wanted.max(resident.watermark())).await.is_err() {
                return false;
            }
            self.feed.publish_reached(tenant, wanted);
        }
        true
    }

    /// Asks the database once.
    pub(crate) async fn ask(&mut self) {
        let asked_at = Instant::now();
        let positions = match state::positions(&self.database).await {
            Ok(positions) => positions,
            Err(error) => return self.failed(&error),
        };
        self.has_failed = false;
        self.feed.publish(&positions, asked_at);
        if self.graphs.max_bytes == 0 {
            return;
        }
        let measures = self.measured_at.elapsed() >= MEASURE_EVERY;
        if measures {
            self.measured_at = Instant::now();
        }
        for (tenant, until) in positions {
            match self.tenants.get(&tenant) {
                None => self.load(tenant, Phase::Loading),
                Some(Phase::Waits(due) | Phase::DoesNotFit(due)) if *due <= Instant::now() => {
                    self.load(tenant, Phase::Loading);
                }
                Some(Phase::Waits(_) | Phase::Loading(_) | Phase::DoesNotFit(_)) => {}
                Some(Phase::Ready | Phase::Renews(_)) => self.bring_up(tenant, until, asked_at, measures).await,
            }
        }
    }

    fn load(&mut self, tenant: TenantId, phase: fn(Attempt) -> Phase) {
        self.attempt += 1;
        let attempt = self.attempt;
        self.tenants.insert(tenant, phase(attempt));
        let Self { database, clock, graphs, .. } = &*self;
        let load = Load { database: database.clone(), clock: clock.clone(), graphs: graphs.clone(), tenant };
        self.loads.spawn(async move {
            let started = Instant::now();
            let loaded = load.run().await;
            Ended { tenant, attempt, took: started.elapsed(), loaded }
        });
    }

    /// `took`: how long the load took.
    fn load_failed(&mut self, tenant: TenantId, error: &LoadError, took: Duration) {
        let of_tenant = self.graphs.of(tenant);
        of_tenant.drop_graph();
        let (is_final, error): (_, &dyn std::error::Error) = (error.is_final(), error);
        let phase = if is_final {
            if of_tenant.does_not_fit.swap(Some(Arc::new(error.to_string()))).is_none() {
                tracing::warn!(
                    tenant = tenant.as_i32(),
                    error,
                    "relation tuples are not kept in memory; the tables answer"
                );
            }
            Phase::DoesNotFit(Instant::now() + FITS_AGAIN_AFTER.max(took * PAUSE_PER_LOAD))
        } else {
            tracing::warn!(tenant = tenant.as_i32(), error, "loading relation tuples failed and will be repeated");
            Phase::Waits(Instant::now() + LOAD_AGAIN_AFTER)
        };
        self.tenants.insert(tenant, phase);
    }

    /// The graph that was to be replaced is as good as before, if there is memory for it.
    fn renewal_failed(&mut self, tenant: TenantId, error: &LoadError) {
        let (is_final, error): (_, &dyn std::error::Error) = (error.is_final(), error);
        tracing::warn!(
            tenant = tenant.as_i32(),
            error,
            "the memory of deleted relation tuples could not be given back"
        );
        if is_final {
            // Both do not fit beside each other.
            self.graphs.of(tenant).drop_graph();
            self.load(tenant, Phase::Loading);
        } else {
            self.tenants.insert(tenant, Phase::Ready);
        }
    }

    /// Brings a graph up to a position that was asked for at `asked_at`.
    async fn bring_up(&mut self, tenant: TenantId, until: Snapshot, asked_at: Instant, measures: bool) {
        let of_tenant = self.graphs.of(tenant);
        let Some(resident) = of_tenant.resident.load_full() else { return };
        match self.apply(tenant, &resident, until).await {
            Ok(()) => {
                if let Some(error) = resident.compile_failure() {
                    return self.load_failed(tenant, &error.into(), Duration::ZERO);
                }
                resident.is_current_as_of(asked_at);
            }
            Err(LoadError::Database(error)) => return self.failed(&error),
            // Names of deleted relations still have numbers; a new graph does not know them.
            Err(error) if error.is_final() && !matches!(error, LoadError::Graph(_)) => {
                return self.load_failed(tenant, &error, Duration::ZERO);
            }
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(tenant = tenant.as_i32(), error, "the relation tuples in memory are loaded again");
                of_tenant.drop_graph();
                return self.load(tenant, Phase::Loading);
            }
        }
        resident.expire(self.clock.now().minus(KEEP_EXPIRED));
        if measures {
            self.measure(tenant, &of_tenant, &resident);
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
    fn measure(&mut self, tenant: TenantId, of_tenant: &OfTenant, resident: &Resident) {
        let mut is_worth_renewing = false;
        resident.measure(|graph| {
            of_tenant.size.measured(graph);
            is_worth_renewing = graph.is_worth_renewing();
        });
        if matches!(self.tenants.get(&tenant), Some(Phase::Renews(_))) {
            // The load looks at the bound, too.
        } else if self.graphs.is_loaded_over_bound() {
            self.load_failed(tenant, &LoadError::TooLarge(self.graphs.max_bytes), Duration::ZERO);
        } else if is_worth_renewing {
            self.load(tenant, Phase::Renews);
        }
    }

    /// Says so once, until a question is answered again.
    fn failed(&mut self, error: &database::Error) {
        if !std::mem::replace(&mut self.has_failed, true) {
            tracing::warn!(error = error as &dyn std::error::Error, "changes of relation tuples could not be read");
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.graphs.followers.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A failure of the database is no reason to load the graph again.
fn database_first(error: LogError) -> LoadError {
    match error {
        LogError::Database(error) => LoadError::Database(error),
        LogError::Incomplete(_) => LoadError::Log(error),
    }
}
