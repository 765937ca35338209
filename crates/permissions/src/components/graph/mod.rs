//! The relation tuples of each tenant in memory, which answer as long as they are known to be current.
//!
//! A graph is loaded in the background from the table ([`load`]) and then follows the event log ([`follow`]). Whoever asks and
//! gets no answer here reads the tables.
//!
//! Invariants:
//! - A graph answers from one snapshot: the state after a committed transaction, never a part of one.
//! - No answer lacks a change that this process acknowledged before the question.
//! - No answer lacks a change of another node that is older than a second: a graph that has heard nothing from the log for longer
//!   than its [`Rhythm`] allows does not answer.
//! - All graphs together hold no more than their bound; a graph beyond it is dropped and not loaded again.

mod follow;
mod load;
mod resident;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use base::TenantId;
use database::Database;
use tokio::time::{Instant, timeout};

use super::feed::Feed;
use super::models::LoadedModel;
use crate::domain::graph::Graph;
use crate::domain::snapshot::Snapshot;

pub(crate) use follow::Follower;
use resident::Resident;
pub(crate) use resident::View;

/// How often the log is asked, and how long an answer counts. A change of this process is known at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rhythm {
    pub(crate) interval: Duration,
    /// Longer than the interval.
    pub(crate) counts: Duration,
}

impl Rhythm {
    /// As the change feed of the database: a change of another process must be seen within a second.
    const SHARED: Self = Self { interval: Duration::from_millis(250), counts: Duration::from_millis(800) };
    /// Where only commands write besides this process, an idle program asks little.
    const ALONE: Self = Self { interval: Duration::from_secs(2), counts: Duration::from_secs(5) };

    pub(crate) fn of(database: &Database) -> Self {
        if database.is_shared() { Self::SHARED } else { Self::ALONE }
    }
}

/// How long a change, or a question about a newer snapshot, waits for the graph. Both do without it afterwards.
const PATIENCE: Duration = Duration::from_millis(250);

/// How many events are read at once, each of which may have a thousand tuples; and how many after some that had few.
const EVENTS_AT_ONCE: u32 = 8;
const SMALL_EVENTS_AT_ONCE: u32 = 64;

pub(crate) struct Graphs {
    feed: Arc<Feed>,
    rhythm: Rhythm,
    /// For the graphs of all tenants together. 0: there are none.
    max_bytes: u64,
    tenants: RwLock<BTreeMap<TenantId, Arc<OfTenant>>>,
}

#[derive(Default)]
struct OfTenant {
    resident: ArcSwapOption<Resident>,
    /// The last change of this process.
    acknowledged: AtomicI64,
    size: Size,
    /// Of a graph that is being loaded, also beside one that answers.
    loading: Size,
    load_micros: AtomicU64,
}

#[derive(Default)]
struct Size {
    bytes: AtomicU64,
    tuples: AtomicU64,
}

/// What is known about the graph of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraphStatistics {
    pub tenant: TenantId,
    pub is_ready: bool,
    pub tuples: u64,
    pub bytes: u64,
    /// How long the last complete load took.
    pub load: Duration,
    /// The snapshot that it answers from; 0 while it is not ready.
    pub watermark: i64,
    /// How long ago the log was asked for the state that it answers from.
    pub lag: Duration,
}

impl Graphs {
    pub(crate) fn new(feed: Arc<Feed>, rhythm: Rhythm, max_bytes: u64) -> Self {
        Self { feed, rhythm, max_bytes, tenants: RwLock::default() }
    }

    /// Whether relation tuples are kept in memory at all.
    pub(crate) const fn are_enabled(&self) -> bool {
        self.max_bytes > 0
    }

    /// Answers from the graph, if it is current and has at least the snapshot `needed`. `ask` must not wait for anything.
    pub(crate) fn read<T>(
        &self,
        tenant: TenantId,
        model: &Arc<LoadedModel>,
        needed: Snapshot,
        ask: impl FnOnce(&View<'_>) -> T,
    ) -> Option<T> {
        self.current(tenant)?.read(model, needed, ask)
    }

    /// The last change that this process acknowledged, or is about to. A question needs what was acknowledged when it began; what
    /// others write meanwhile must not delay it.
    pub(crate) fn acknowledged(&self, tenant: TenantId) -> Snapshot {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        tenants.get(&tenant).map_or_else(Snapshot::default, |it| Snapshot(it.acknowledged.load(Ordering::SeqCst)))
    }

    /// Waits a moment for the graph to reach a snapshot that is known to exist, if it is current otherwise.
    pub(crate) async fn reach(&self, tenant: TenantId, snapshot: Snapshot) {
        if snapshot == Snapshot::default() {
            return;
        }
        let Some(resident) = self.current(tenant) else { return };
        if resident.watermark() >= snapshot {
            return;
        }
        self.ask_for(tenant, snapshot);
        // Who waits in vain reads the tables, if they have the answer.
        let _ = timeout(PATIENCE, resident.reached(snapshot)).await;
    }

    /// A change of this process is committed and will be acknowledged. Waits until the graph has it, but not long: a graph
    /// without it gives no answers any more.
    pub(crate) async fn acknowledge(&self, tenant: TenantId, snapshot: Snapshot) {
        if self.max_bytes > 0 {
            self.of(tenant).acknowledged.fetch_max(snapshot.0, Ordering::SeqCst);
        }
        self.ask_for(tenant, snapshot);
        self.reach(tenant, snapshot).await;
    }

    /// Has the log asked, unless the follower knows of the snapshot already and brings the graph up: one question serves all
    /// changes of a transaction.
    fn ask_for(&self, tenant: TenantId, snapshot: Snapshot) {
        if self.feed.newest(tenant) < snapshot {
            self.feed.ask();
        }
    }

    pub(crate) fn statistics(&self) -> Vec<GraphStatistics> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let of_tenant = |(tenant, it): (&TenantId, &Arc<OfTenant>)| {
            let resident = it.resident.load();
            let size = if resident.is_some() { &it.size } else { &it.loading };
            GraphStatistics {
                tenant: *tenant,
                is_ready: resident.as_ref().is_some_and(|it| it.age(now) < self.rhythm.counts),
                tuples: size.tuples.load(Ordering::Relaxed),
                bytes: size.bytes.load(Ordering::Relaxed),
                load: Duration::from_micros(it.load_micros.load(Ordering::Relaxed)),
                watermark: resident.as_ref().map_or(0, |it| it.watermark().0),
                lag: resident.as_ref().map_or(Duration::ZERO, |it| it.age(now)),
            }
        };
        tenants.iter().map(of_tenant).collect()
    }

    /// Whether the tenant has a graph, which may be behind.
    pub(crate) fn is_loaded(&self, tenant: TenantId) -> bool {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        tenants.get(&tenant).is_some_and(|it| it.resident.load().is_some())
    }

    /// The graph of the tenant, if it has heard from the log lately.
    fn current(&self, tenant: TenantId) -> Option<Arc<Resident>> {
        let of_tenant = self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned()?;
        let resident = of_tenant.resident.load_full()?;
        (resident.age(Instant::now()) < self.rhythm.counts).then_some(resident)
    }

    fn of(&self, tenant: TenantId) -> Arc<OfTenant> {
        let known = self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned();
        known.unwrap_or_else(|| {
            self.tenants.write().unwrap_or_else(PoisonError::into_inner).entry(tenant).or_default().clone()
        })
    }

    /// Whether all graphs together hold more than they may.
    fn is_over_bound(&self) -> bool {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let bytes = |of: &Size| of.bytes.load(Ordering::Relaxed);
        tenants.values().map(|it| bytes(&it.size) + bytes(&it.loading)).sum::<u64>() > self.max_bytes
    }
}

impl Size {
    fn measured(&self, graph: &Graph) {
        self.bytes.store(graph.heap_bytes() as u64, Ordering::Relaxed);
        self.tuples.store(graph.len() as u64, Ordering::Relaxed);
    }

    fn nothing(&self) {
        self.bytes.store(0, Ordering::Relaxed);
        self.tuples.store(0, Ordering::Relaxed);
    }
}

impl OfTenant {
    fn answer_from(&self, resident: Resident) {
        resident.measure(|graph| self.size.measured(graph));
        self.resident.store(Some(Arc::new(resident)));
    }

    fn drop_graph(&self) {
        // The next graph is loaded later than all of that was committed, and the database may have been restored from a copy
        // that does not have it.
        self.acknowledged.store(0, Ordering::SeqCst);
        self.resident.store(None);
        self.size.nothing();
    }
}
