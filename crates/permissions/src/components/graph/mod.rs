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
//! - All graphs together hold no more than their bound; a graph beyond it is dropped, and loaded again after a while.

mod follow;
mod load;
mod relation_names;
mod resident;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use base::TenantId;
use database::{Database, IDLE_INTERVAL};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::feed::Feed;
use super::models::LoadedModel;
use crate::domain::graph::Graph;
use crate::domain::snapshot::Snapshot;
use crate::domain::symbols::Symbols;

pub(crate) use follow::Follower;
use relation_names::{Accepted, TooManyRelations};
#[cfg(test)]
pub(crate) use relation_names::{MOST_NAMES, MOST_NAMES_WHILE_LOADING};
use resident::Resident;
pub(crate) use resident::View;

/// How often the log is asked while somebody asks the graph, and how long an answer counts. A change of this process is known at
/// once.
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

/// How long a change waits for the graph.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long a question that only memory answers waits for a graph that is behind, or is being loaded. Other questions ask the tables
/// at once.
const LONG_PATIENCE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// How many events are read at once, each of which may have a thousand tuples; and how many after some that had few.
const EVENTS_AT_ONCE: u32 = 8;
const SMALL_EVENTS_AT_ONCE: u32 = 64;

pub(crate) struct Graphs {
    feed: Arc<Feed>,
    pub(crate) rhythm: Rhythm,
    /// For the graphs of all tenants together. 0: there are none.
    max_bytes: u64,
    tenants: RwLock<BTreeMap<TenantId, Arc<OfTenant>>>,
    /// Who loads graphs. Without one there is nothing to wait for.
    followers: AtomicUsize,
}

#[derive(Default)]
struct OfTenant {
    resident: ArcSwapOption<Resident>,
    /// Why there is none: it does not fit.
    does_not_fit: ArcSwapOption<String>,
    accepted: Accepted,
    /// The last change of this process.
    acknowledged: AtomicI64,
    /// A snapshot that exists and that somebody waits for.
    wanted: AtomicI64,
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
        Self { feed, rhythm, max_bytes, tenants: RwLock::default(), followers: AtomicUsize::new(0) }
    }

    /// Whether relation tuples are kept in memory at all.
    pub(crate) const fn are_enabled(&self) -> bool {
        self.max_bytes > 0
    }

    /// The graph of a tenant, looked up once for a question.
    pub(crate) fn of_question(&self, tenant: TenantId) -> QuestionedGraph<'_> {
        self.feed.demand().note();
        let of_tenant = self.known(tenant).map_or_else(OnceLock::new, OnceLock::from);
        QuestionedGraph { graphs: self, tenant, of_tenant }
    }

    /// A change of this process is committed and will be acknowledged. Waits until the graph has it, but not long: a graph
    /// without it gives no answers any more. Questions that began in between need not have it, so they do not wait.
    pub(crate) async fn acknowledge(&self, tenant: TenantId, snapshot: Snapshot) {
        self.ask_for(tenant, snapshot);
        if self.max_bytes > 0 {
            let of_tenant = self.of(tenant);
            let acknowledged = Acknowledged { of_tenant: &of_tenant, snapshot };
            if let Some(resident) = of_tenant.current(self.rhythm) {
                let _ = timeout(PATIENCE, resident.reached(snapshot)).await;
            }
            drop(acknowledged);
        }
    }

    /// Has the log read up to a snapshot that is known to exist, unless the follower knows of it already and brings the graph up.
    fn ask_for(&self, tenant: TenantId, snapshot: Snapshot) {
        if self.feed.newest(tenant) < snapshot {
            self.of(tenant).wanted.fetch_max(snapshot.0, Ordering::SeqCst);
            self.feed.demand().poll_now();
        }
    }

    /// Whether tuples with these names of relations, which the model does not have, may be inserted. The error has the position of
    /// the first one that is too many.
    pub(crate) fn accept_relations(
        &self,
        tenant: TenantId,
        of_model: &Symbols,
        names: &[&str],
    ) -> Result<(), (usize, TooManyRelations)> {
        if names.is_empty() || !self.are_enabled() {
            return Ok(());
        }
        let of_tenant = self.of(tenant);
        match of_tenant.resident.load_full() {
            Some(resident) => {
                resident.measure(|graph| of_tenant.accepted.accept(of_model, Some(graph.symbols()), names))
            }
            // Searches have no answer already, and the warnings say why.
            None if of_tenant.does_not_fit.load().is_some() => Ok(()),
            // Nothing was ever inserted, and nothing is loaded before that.
            None if self.feed.newest_within(self.rhythm.counts, tenant) == Some(Snapshot::default()) => {
                of_tenant.accepted.accept(of_model, Some(of_model), names)
            }
            None => {
                self.feed.ask();
                of_tenant.accepted.accept(of_model, None, names)
            }
        }
    }

    pub(crate) fn statistics(&self) -> Vec<GraphStatistics> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        // While nobody asks, the log is asked less often; the next question changes that.
        let counts = self.rhythm.counts + if self.feed.demand().is_idle() { IDLE_INTERVAL } else { Duration::ZERO };
        let of_tenant = |(tenant, it): (&TenantId, &Arc<OfTenant>)| {
            let resident = it.resident.load();
            let size = if resident.is_some() { &it.size } else { &it.loading };
            GraphStatistics {
                tenant: *tenant,
                is_ready: resident.as_ref().is_some_and(|it| it.age(now) < counts),
                tuples: size.tuples.load(Ordering::Relaxed),
                bytes: size.bytes.load(Ordering::Relaxed),
                load: Duration::from_micros(it.load_micros.load(Ordering::Relaxed)),
                watermark: resident.as_ref().map_or(0, |it| it.watermark().0),
                lag: resident.as_ref().map_or(Duration::ZERO, |it| it.age(now)),
            }
        };
        tenants.iter().map(of_tenant).collect()
    }

    /// Why relation tuples are not in memory although they should be: for each tenant whose graph does not fit.
    pub(crate) fn misfits(&self) -> Vec<(TenantId, Arc<String>)> {
        let reason = |(tenant, it): (TenantId, Arc<OfTenant>)| Some((tenant, it.does_not_fit.load_full()?));
        self.all().into_iter().filter_map(reason).collect()
    }

    fn all(&self) -> Vec<(TenantId, Arc<OfTenant>)> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        tenants.iter().map(|(tenant, it)| (*tenant, it.clone())).collect()
    }

    fn of(&self, tenant: TenantId) -> Arc<OfTenant> {
        self.known(tenant).unwrap_or_else(|| {
            self.tenants.write().unwrap_or_else(PoisonError::into_inner).entry(tenant).or_default().clone()
        })
    }

    fn known(&self, tenant: TenantId) -> Option<Arc<OfTenant>> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned()
    }

    /// Whether all graphs together hold more than they may, those that are being loaded included.
    fn is_over_bound(&self) -> bool {
        self.is_over(|it| it.size.bytes() + it.loading.bytes())
    }

    /// As [`Self::is_over_bound`], without those that are being loaded: these give way to the ones that answer.
    fn is_loaded_over_bound(&self) -> bool {
        self.is_over(|it| it.size.bytes())
    }

    fn is_over(&self, bytes: impl Fn(&OfTenant) -> u64) -> bool {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        tenants.values().map(|it| bytes(it)).sum::<u64>() > self.max_bytes
    }
}

impl Size {
    fn measured(&self, graph: &Graph) {
        self.bytes.store(graph.heap_bytes() as u64, Ordering::Relaxed);
        self.tuples.store(graph.len() as u64, Ordering::Relaxed);
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn nothing(&self) {
        self.bytes.store(0, Ordering::Relaxed);
        self.tuples.store(0, Ordering::Relaxed);
    }
}

/// Makes a change acknowledged, also when the request that waits for it is given up: its client may know of it from elsewhere.
struct Acknowledged<'a> {
    of_tenant: &'a OfTenant,
    snapshot: Snapshot,
}

impl Drop for Acknowledged<'_> {
    fn drop(&mut self) {
        self.of_tenant.acknowledged.fetch_max(self.snapshot.0, Ordering::SeqCst);
    }
}

/// The graph of one tenant, if there is one.
pub(crate) struct QuestionedGraph<'a> {
    graphs: &'a Graphs,
    tenant: TenantId,
    /// None for a tenant that is new.
    of_tenant: OnceLock<Arc<OfTenant>>,
}

impl QuestionedGraph<'_> {
    /// The last change that this process acknowledged. A question needs what was acknowledged when it began; what others write
    /// meanwhile must not delay it.
    pub(crate) fn acknowledged(&self) -> Snapshot {
        let of = |it: &Arc<OfTenant>| Snapshot(it.acknowledged.load(Ordering::SeqCst));
        self.of_tenant.get().map_or_else(Snapshot::default, of)
    }

    /// Answers, if the graph is current and has at least the snapshot `needed`. `ask` must not wait for anything.
    pub(crate) fn read<T>(
        &self,
        model: &Arc<LoadedModel>,
        needed: Snapshot,
        ask: impl FnOnce(&View<'_>) -> T,
    ) -> Option<T> {
        self.current()?.read(model, needed, ask)
    }

    /// Has the graph brought up to a snapshot that is known to exist, if it is current otherwise.
    pub(crate) fn ask_for(&self, snapshot: Snapshot) {
        if self.current().is_some_and(|resident| resident.watermark() < snapshot) {
            self.graphs.ask_for(self.tenant, snapshot);
        }
    }

    /// As [`Self::read`], but waits for the snapshot, for the rest of a change that is being applied, and for a graph that has
    /// heard nothing from the log lately, as on a machine that is busy. It waits for a graph that is not there as well: that of a
    /// new tenant, whose row exists, or one that is being loaded.
    pub(crate) async fn read_when_reached<T>(
        &self,
        model: &Arc<LoadedModel>,
        needed: Snapshot,
        ask: impl Fn(&View<'_>) -> T,
    ) -> Option<T> {
        let deadline = Instant::now() + LONG_PATIENCE;
        if !self.is_there() {
            self.graphs.feed.ask();
        }
        loop {
            let Some(resident) = self.resident() else {
                let now = Instant::now();
                if now >= deadline || !self.is_awaited() {
                    return None;
                }
                sleep_until(deadline.min(now + LOOK_EVERY)).await;
                continue;
            };
            let mut reached = resident.subscribe();
            if let Some(answer) = self.read(model, needed, &ask) {
                return Some(answer);
            }
            let now = Instant::now();
            if now >= deadline {
                return None;
            }
            if self.current().is_some() {
                self.graphs.ask_for(self.tenant, needed);
            } else {
                self.graphs.feed.ask();
            }
            // It becomes current without a change, and another graph may take its place.
            let _ = timeout_at(deadline.min(now + LOOK_EVERY), reached.changed()).await;
        }
    }

    /// Why it does not answer.
    pub(crate) fn absence(&self) -> Absence {
        if !self.graphs.are_enabled() {
            return Absence::Disabled;
        }
        self.misfit().map_or(Absence::NotCurrent, |reason| Absence::DoesNotFit(reason.as_ref().clone()))
    }

    /// How many wait for the graph.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.current().map_or(0, |resident| resident.waiting())
    }

    /// Whether there is a graph, however old its state is.
    pub(crate) fn is_there(&self) -> bool {
        self.resident().is_some()
    }

    /// Whether there will be a graph.
    fn is_awaited(&self) -> bool {
        self.graphs.are_enabled() && self.graphs.followers.load(Ordering::SeqCst) > 0 && self.misfit().is_none()
    }

    fn misfit(&self) -> Option<Arc<String>> {
        self.of_tenant()?.does_not_fit.load_full()
    }

    fn resident(&self) -> Option<Arc<Resident>> {
        self.of_tenant()?.resident.load_full()
    }

    fn current(&self) -> Option<Arc<Resident>> {
        self.of_tenant()?.current(self.graphs.rhythm)
    }

    fn of_tenant(&self) -> Option<&Arc<OfTenant>> {
        if self.of_tenant.get().is_none()
            && let Some(known) = self.graphs.known(self.tenant)
        {
            return Some(self.of_tenant.get_or_init(|| known));
        }
        self.of_tenant.get()
    }
}

/// Why the relation tuples of a tenant do not answer from memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Absence {
    #[error(
        "the relation tuples are not in memory, which answers these questions: permissions.graph.enabled is false or \
         permissions.graph.max_bytes is 0 in the configuration; change it and restart"
    )]
    Disabled,
    /// With the reason.
    #[error(
        "the relation tuples are not in memory, which answers these questions: {0}; change that and restart, or delete \
         relation tuples, and the rest is loaded after some minutes"
    )]
    DoesNotFit(String),
    #[error(
        "the relation tuples are not in memory yet, or lack changes that the answer must have: they are being read from the \
         database; ask again in some seconds"
    )]
    NotCurrent,
}

impl OfTenant {
    /// The graph, if it has heard from the log lately.
    fn current(&self, rhythm: Rhythm) -> Option<Arc<Resident>> {
        let resident = self.resident.load_full()?;
        (resident.age(Instant::now()) < rhythm.counts).then_some(resident)
    }

    fn answer_from(&self, resident: Resident) {
        resident.measure(|graph| self.size.measured(graph));
        self.resident.store(Some(Arc::new(resident)));
        self.does_not_fit.store(None);
    }

    fn drop_graph(&self) {
        // The next graph is loaded later than all of that was committed, and the database may have been restored from a copy
        // that does not have it.
        self.acknowledged.store(0, Ordering::SeqCst);
        self.wanted.store(0, Ordering::SeqCst);
        self.resident.store(None);
        self.size.nothing();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::resident::tests::{event, model};
    use super::*;

    const TENANT: TenantId = TenantId::DEFAULT;

    /// With a graph of the first snapshot, which stays current.
    fn graphs() -> Graphs {
        let rhythm = Rhythm { interval: Duration::from_hours(1), counts: Duration::from_hours(1) };
        let graphs = Graphs::new(Arc::default(), rhythm, 1);
        graphs.of(TENANT).answer_from(Resident::new(Graph::default(), Snapshot(1), Instant::now()));
        graphs
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_waits_for_the_rest_of_a_change_that_is_being_applied() {
        let (graphs, model) = (graphs(), model());
        let graph = graphs.of_question(TENANT);
        let read = |needed| graph.read_when_reached(&model, Snapshot(needed), |view| view.snapshot);
        assert_eq!(read(1).await, Some(Snapshot(1)));
        let resident = graph.current().unwrap();
        resident.apply(event(2, "a", None), Snapshot(3)).unwrap();
        let mut waiting = pin!(read(1));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        resident.apply(event(3, "b", None), Snapshot(3)).unwrap();
        assert_eq!(waiting.await, Some(Snapshot(3)));
        assert_eq!(read(4).await, None, "it does not wait for ever");
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_counts_for_questions_that_began_after_it_was_acknowledged() {
        let graphs = graphs();
        let acknowledged = || graphs.of_question(TENANT).acknowledged();
        {
            let mut change = pin!(graphs.acknowledge(TENANT, Snapshot(2)));
            assert!(futures_util::poll!(&mut change).is_pending());
            assert_eq!(acknowledged(), Snapshot(0), "its client does not know of it yet");
            // The graph does not reach it.
            change.await;
            assert_eq!(acknowledged(), Snapshot(2));
        }
        {
            let mut given_up = pin!(graphs.acknowledge(TENANT, Snapshot(3)));
            assert!(futures_util::poll!(&mut given_up).is_pending());
        }
        assert_eq!(acknowledged(), Snapshot(3), "its client may know of it from a list");
    }
}
