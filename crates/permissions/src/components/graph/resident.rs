//! The graph of one tenant behind a lock, the snapshot that it has, and the model that questions to it were compiled for.
//!
//! Invariant: whoever reads sees the state after a committed transaction. A change that takes several steps makes the graph
//! unreadable in between.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use base::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::super::log::LoggedChange;
use super::super::models::LoadedModel;
use crate::domain::condition::CompiledCondition;
use crate::domain::graph::{Graph, GraphError};
use crate::domain::ids::ConditionId;
use crate::domain::relation_tuple::{RelationTuple, StoredTuple};
use crate::domain::schema::{Schema, SchemaError};
use crate::domain::snapshot::Snapshot;
use crate::domain::symbols::Symbols;
use crate::domain::tuple_record::InvalidContext;

/// The most expired tuples that are removed without releasing the lock.
const EXPIRED_AT_ONCE: usize = 1_000;

pub(super) struct Resident {
    state: RwLock<State>,
    /// The snapshot after the last whole change.
    reached: watch::Sender<Snapshot>,
    opened_at: Instant,
    /// When the log was asked for the state of this graph: microseconds since the opening.
    asked: AtomicU64,
}

struct State {
    graph: Graph,
    /// The last event that was applied.
    watermark: Snapshot,
    /// Only a part of a change was applied.
    is_partial: bool,
    compiled: Option<Compiled>,
}

struct Compiled {
    model: Arc<LoadedModel>,
    /// With the numbers of this graph.
    rules: Result<(Schema, Conditions), SchemaError>,
}

type Conditions = HashMap<ConditionId, Arc<CompiledCondition>>;

/// The graph at one snapshot, and the model compiled for it.
pub(crate) struct View<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) schema: &'a Schema,
    pub(crate) conditions: &'a Conditions,
    pub(crate) snapshot: Snapshot,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum ApplyError {
    #[error(transparent)]
    Graph(#[from] GraphError),
    #[error(transparent)]
    Context(#[from] InvalidContext),
}

impl Resident {
    /// `asked_at`: when the log was asked for the `watermark`.
    pub(super) fn new(graph: Graph, watermark: Snapshot, asked_at: Instant) -> Self {
        Self {
            state: RwLock::new(State { graph, watermark, is_partial: false, compiled: None }),
            reached: watch::Sender::new(watermark),
            opened_at: asked_at,
            asked: AtomicU64::new(0),
        }
    }

    /// Asks, if the graph has at least the snapshot `needed`.
    pub(super) fn read<T>(
        &self,
        model: &Arc<LoadedModel>,
        needed: Snapshot,
        ask: impl FnOnce(&View<'_>) -> T,
    ) -> Option<T> {
        let mut state = self.locked();
        if !state.knows(model) {
            drop(state);
            self.changing().compile(model);
            state = self.locked();
        }
        let compiled = state.compiled.as_ref().filter(|it| Arc::ptr_eq(&it.model, model))?;
        if state.is_partial || state.watermark < needed {
            return None;
        }
        let (schema, conditions) = compiled.rules.as_ref().ok()?;
        Some(ask(&View { graph: &state.graph, schema, conditions, snapshot: state.watermark }))
    }

    /// Why the model of the last question cannot be used: the tuples leave no numbers for its names.
    pub(super) fn compile_failure(&self) -> Option<SchemaError> {
        self.locked().compiled.as_ref()?.rules.as_ref().err().cloned()
    }

    pub(super) fn watermark(&self) -> Snapshot {
        *self.reached.borrow()
    }

    /// Changes after each whole change.
    pub(super) fn subscribe(&self) -> watch::Receiver<Snapshot> {
        self.reached.subscribe()
    }

    pub(super) async fn reached(&self, snapshot: Snapshot) {
        // The sender is `self`.
        let _ = self.subscribe().wait_for(|reached| *reached >= snapshot).await;
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.reached.receiver_count()
    }

    /// How long ago the log was asked for the state of this graph.
    pub(super) fn age(&self, now: Instant) -> Duration {
        let since_opening = now.saturating_duration_since(self.opened_at);
        since_opening.saturating_sub(Duration::from_micros(self.asked.load(Ordering::SeqCst)))
    }

    /// The graph has everything that was committed at `asked_at`.
    pub(super) fn is_current_as_of(&self, asked_at: Instant) {
        let micros = asked_at.saturating_duration_since(self.opened_at).as_micros();
        self.asked.fetch_max(u64::try_from(micros).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Applies an event; the snapshot is whole again after the one of `until`.
    pub(super) fn apply(&self, logged: LoggedChange, until: Snapshot) -> Result<(), ApplyError> {
        let sequence = logged.sequence;
        {
            let mut state = self.changing();
            // Also when a tuple fails below.
            state.is_partial = true;
            apply(&mut state.graph, logged)?;
            state.watermark = sequence;
            state.is_partial = sequence != until;
        }
        if sequence == until {
            self.reached.send_replace(sequence);
        }
        Ok(())
    }

    /// Removes the tuples that had expired by `now`.
    pub(super) fn expire(&self, now: Timestamp) {
        while self.locked().graph.next_expiry().is_some_and(|at| at <= now) {
            self.changing().graph.remove_expired(now, EXPIRED_AT_ONCE);
        }
    }

    pub(super) fn measure<T>(&self, of: impl FnOnce(&Graph) -> T) -> T {
        of(&self.locked().graph)
    }

    fn locked(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn changing(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn knows(&self, model: &Arc<LoadedModel>) -> bool {
        self.compiled.as_ref().is_some_and(|it| Arc::ptr_eq(&it.model, model))
    }

    fn compile(&mut self, model: &Arc<LoadedModel>) {
        if self.knows(model) {
            return;
        }
        let rules = compile(model, self.graph.symbols_mut());
        self.compiled = Some(Compiled { model: model.clone(), rules });
    }
}

fn compile(model: &LoadedModel, symbols: &mut Symbols) -> Result<(Schema, Conditions), SchemaError> {
    let schema = Schema::compile(&model.model, symbols, model.schema.is_strict())?;
    let mut conditions = Conditions::new();
    for condition in model.conditions.values() {
        conditions.insert(symbols.intern_condition(condition.name())?, condition.clone());
    }
    Ok((schema, conditions))
}

/// Applying an event again changes nothing.
pub(super) fn apply(graph: &mut Graph, logged: LoggedChange) -> Result<(), ApplyError> {
    for record in logged.change.inserted {
        graph.insert(&StoredTuple::try_from(record)?)?;
    }
    for key in logged.change.deleted {
        graph.remove(&RelationTuple::from(key));
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use permission_language::{Model, Namespace};

    use super::super::load::LoadError;
    use super::*;
    use crate::domain::event::ChangedTuples;
    use crate::domain::relation_tuple::{Subject, TupleCondition};
    use crate::domain::tuple_record::TupleRecord;

    pub(crate) fn model() -> Arc<LoadedModel> {
        let namespaces = vec![Namespace { name: "Doc".into(), ..Namespace::default() }];
        let model = Model { namespaces, ..Model::default() };
        let mut symbols = Symbols::default();
        let schema = Schema::compile(&model, &mut symbols, false).unwrap();
        Arc::new(LoadedModel { model, schema, symbols, conditions: HashMap::new() })
    }

    /// An event that inserts a tuple. With a context that is no object it cannot be applied.
    pub(crate) fn event(sequence: i64, object: &str, context: Option<&str>) -> LoggedChange {
        let subject = Subject::Id("ada".into());
        let tuple =
            RelationTuple { namespace: "Doc".into(), object: object.into(), relation: "viewer".into(), subject };
        let condition = context.map(|it| TupleCondition { name: "late".into(), context: Some(it.to_owned()) });
        let inserted = vec![TupleRecord::from(&StoredTuple { condition, ..StoredTuple::from(tuple) })];
        let change = ChangedTuples { previous: sequence - 1, inserted, deleted: Vec::new() };
        LoggedChange { sequence: Snapshot(sequence), at: Timestamp::EPOCH, change }
    }

    /// The snapshot of an answer, and the number of tuples that it sees.
    fn answer(resident: &Resident, needed: i64) -> Option<(i64, usize)> {
        let count = |view: &View<'_>| {
            let mut tuples = 0;
            view.graph.for_each(|_, _| {
                tuples += 1;
                true
            });
            (view.snapshot.0, tuples)
        };
        resident.read(&model(), Snapshot(needed), count)
    }

    #[test]
    fn a_change_of_several_events_is_seen_whole_or_not_at_all() {
        let resident = Resident::new(Graph::default(), Snapshot(0), Instant::now());
        assert_eq!(answer(&resident, 0), Some((0, 0)));
        let until = Snapshot(3);
        for (sequence, object) in [(1, "a"), (2, "b")] {
            resident.apply(event(sequence, object, None), until).unwrap();
            // Not even who needs no more than the part that is there.
            assert_eq!((answer(&resident, 0), answer(&resident, sequence)), (None, None), "after event {sequence}");
            assert_eq!(resident.watermark(), Snapshot(0), "after event {sequence}");
        }
        resident.apply(event(3, "c", None), until).unwrap();
        assert_eq!((answer(&resident, 0), resident.watermark()), (Some((3, 3)), until));
        assert_eq!(answer(&resident, 4), None);
    }

    #[test]
    fn a_graph_whose_tuples_leave_no_number_for_the_model_says_so() {
        let mut graph = Graph::default();
        let mut number = 0;
        while graph.symbols_mut().intern_namespace(&format!("n{number}")).is_ok() {
            number += 1;
        }
        let resident = Resident::new(graph, Snapshot(0), Instant::now());
        assert_eq!((resident.compile_failure(), answer(&resident, 0)), (None, None));
        let failure = LoadError::from(resident.compile_failure().unwrap());
        assert_eq!(
            failure.to_string(),
            "the model and the relation tuples have more than 65534 different names of namespaces; delete the tuples that name \
             undeclared namespaces"
        );
    }

    #[test]
    fn a_change_that_cannot_be_applied_leaves_a_graph_that_does_not_answer() {
        let resident = Resident::new(Graph::default(), Snapshot(0), Instant::now());
        let until = Snapshot(1);
        assert!(resident.apply(event(1, "a", Some("[]")), until).is_err());
        assert_eq!((answer(&resident, 0), resident.watermark()), (None, Snapshot(0)));
    }
}
