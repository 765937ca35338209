//! The relation tuples in memory: they are the table, whatever changes it, and they answer only while they are current.

mod follower;
mod waits;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use base::{Context, PageRequest, TenantId, Timestamp};
use tokio::task::JoinSet;

use super::harness::{Harness, on_both, plain};
use crate::components::graph::{Follower, View};
use crate::domain::evaluation::Relations as _;
use crate::domain::event::ChangedTuples;
use crate::domain::ids::Userset;
use crate::domain::relation_tuple::{RelationTuple, StoredTuple, Subject, SubjectSet};
use crate::domain::reverse_question::ReverseQuestion;
use crate::domain::snapshot::Snapshot;
use crate::domain::tuple_changes::TupleChange;
use crate::domain::tuple_key::TupleKey;
use crate::domain::tuple_query::TupleQuery;
use crate::domain::tuple_record::TupleRecord;
use crate::operations::list_names::Part;
use crate::testing::generator::Dice;
use crate::{GraphStatistics, Permissions};

type Tuples = BTreeMap<TupleKey, TupleRecord>;

fn key_of(it: &TupleRecord) -> TupleKey {
    TupleKey(it.0.clone(), it.1.clone(), it.2.clone(), it.3.clone(), it.4.clone(), it.5.clone())
}

/// What the graph holds.
fn dump(view: &View<'_>) -> Tuples {
    let mut tuples = Tuples::new();
    let symbols = view.graph.symbols();
    let parts = |of: Userset| {
        let (namespace, relation) = (symbols.namespace_name(of.namespace()), symbols.relation_name(of.relation()));
        (namespace.to_owned(), view.graph.names().name(of.name()).to_owned(), relation.to_owned())
    };
    // Nothing has expired.
    let mut present = view.graph.at(Timestamp::EPOCH);
    view.graph.for_each(|userset, subject| {
        let Poll::Ready(Some(terms)) = present.tuple(userset, subject) else { panic!("a tuple is missing") };
        let context = terms.context.and_then(|id| present.context(id)).map(ToOwned::to_owned);
        let condition = terms.condition.map(|id| symbols.condition_name(id).to_owned()).unwrap_or_default();
        let ((namespace, object, relation), of) = (parts(userset), parts(subject));
        let (of_namespace, of_object, of_relation) = of;
        let record = TupleRecord(
            namespace,
            object,
            relation,
            of_namespace,
            of_object,
            of_relation,
            condition,
            context,
            terms.expires_at.map(Timestamp::unix_micros),
        );
        tuples.insert(key_of(&record), record);
        true
    });
    tuples
}

/// The state of the graph, if it answers.
fn resident(permissions: &Permissions, needed: Snapshot) -> Option<(Snapshot, Tuples)> {
    let model = permissions.models.current().unwrap();
    let graph = permissions.graphs.of_question(TenantId::DEFAULT);
    graph.read(&model, needed.max(graph.acknowledged()), |view| (view.snapshot, dump(view)))
}

fn statistics(permissions: &Permissions) -> Option<GraphStatistics> {
    permissions.graph_statistics().into_iter().find(|it| it.tenant == TenantId::DEFAULT)
}

/// Waits for a state of the graph that has the snapshot.
async fn reached(permissions: &Permissions, snapshot: Snapshot) -> (Snapshot, Tuples) {
    for _ in 0..400 {
        if let Some(state) = resident(permissions, snapshot) {
            return state;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the graph does not reach {snapshot:?}: {:?}", permissions.graph_statistics())
}

async fn table(harness: &Harness) -> Tuples {
    let mut tuples = Tuples::new();
    let mut page = PageRequest { size: 500, after: None };
    loop {
        let found =
            harness.permissions.list_relation_tuples(&harness.cx(), &TupleQuery::default(), &page).await.unwrap();
        tuples.extend(found.items.iter().map(|it| (TupleKey::from(&it.tuple), TupleRecord::from(it))));
        let Some(after) = found.next else { return tuples };
        page.after = Some(after);
    }
}

/// The states of the log at the snapshots `wanted`.
async fn history(harness: &Harness, wanted: &BTreeSet<Snapshot>) -> BTreeMap<Snapshot, Tuples> {
    let (mut tuples, mut states) = (Tuples::new(), BTreeMap::from([(Snapshot(0), Tuples::new())]));
    let mut read = harness.database.read(TenantId::DEFAULT);
    for event in jobs::list_tuple_changes(&mut read, 0, 100_000).await.unwrap() {
        let change: ChangedTuples = serde_json::from_value(event.attributes).unwrap();
        tuples.extend(change.inserted.into_iter().map(|it| (key_of(&it), it)));
        change.deleted.iter().for_each(|key| drop(tuples.remove(key)));
        if wanted.contains(&Snapshot(event.sequence)) {
            states.insert(Snapshot(event.sequence), tuples.clone());
        }
    }
    states
}

fn tuple(dice: &mut Dice) -> RelationTuple {
    let subject = match dice.below(3) {
        0 => Subject::Id(format!("u{}", dice.below(9))),
        kind => Subject::Set(SubjectSet {
            namespace: "Group".into(),
            object: format!("g{}", dice.below(9)),
            relation: if kind == 1 { "member".into() } else { String::new() },
        }),
    };
    let relation = if dice.percent(50) { "viewer" } else { "owner" };
    RelationTuple {
        namespace: "Doc".into(),
        object: format!("d{}", dice.below(12)),
        relation: relation.into(),
        subject,
    }
}

fn change(dice: &mut Dice) -> TupleChange {
    let tuple = tuple(dice);
    if dice.percent(40) {
        return TupleChange::Delete(tuple);
    }
    let expiry = 2_000_000 + i64::from(u8::from(dice.percent(50)));
    let expires_at = dice.percent(30).then(|| Timestamp::from_unix_seconds(expiry));
    TupleChange::Insert(StoredTuple { tuple, condition: None, expires_at })
}

async fn change_something(permissions: &Permissions, cx: &Context, dice: &mut Dice) -> Snapshot {
    if dice.percent(5) {
        let query = TupleQuery { object: Some(format!("d{}", dice.below(12))), ..TupleQuery::default() };
        return permissions.delete_relation_tuples(cx, &query).await.unwrap().snapshot;
    }
    let changes: Vec<_> = (0..=dice.below(4)).map(|_| change(dice)).collect();
    permissions.transact_relation_tuples(cx, &changes).await.unwrap().0
}

/// A thousand tuples are an event.
async fn insert_many(permissions: &Permissions, cx: &Context, count: usize) -> Snapshot {
    let changes: Vec<_> = (0..count)
        .map(|it| {
            let (object, subject) = (format!("m{it}"), Subject::Id("ada".into()));
            RelationTuple { namespace: "Doc".into(), object, relation: "viewer".into(), subject }
        })
        .map(|tuple| TupleChange::Insert(tuple.into()))
        .collect();
    permissions.transact_relation_tuples(cx, &changes).await.unwrap().0
}

/// The graph is loaded in the midst of the changes. Every state in which it answers is that of the log after a transaction, and the
/// last one is that of the table.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_graph_is_the_table_after_any_changes_and_while_it_is_loaded() {
    on_both(plain(), |harness| async move {
        let snapshots = Arc::new(Mutex::new(BTreeSet::from([Snapshot(0)])));
        let mut writers = JoinSet::new();
        for seed in 0..4 {
            let (permissions, cx, snapshots) = (harness.permissions.clone(), harness.cx(), snapshots.clone());
            writers.spawn(async move {
                let mut dice = Dice::new(seed);
                for round in 0..60 {
                    let snapshot = match round {
                        10 | 40 => insert_many(&permissions, &cx, 2_500).await,
                        _ => change_something(&permissions, &cx, &mut dice).await,
                    };
                    snapshots.lock().unwrap().insert(snapshot);
                }
            });
        }
        let mut following = None;
        let mut seen = BTreeMap::new();
        while !writers.is_empty() {
            if following.is_none() && snapshots.lock().unwrap().len() > 25 {
                following = Some(harness.follow());
            }
            seen.extend(resident(&harness.permissions, Snapshot(0)));
            writers.try_join_next();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let last = *snapshots.lock().unwrap().last().unwrap();
        let (snapshot, tuples) = reached(&harness.permissions, last).await;
        assert_eq!((snapshot, &tuples), (last, &table(&harness).await));
        let snapshots = snapshots.lock().unwrap().clone();
        let states = history(&harness, &snapshots).await;
        for (snapshot, tuples) in &seen {
            let expected = states.get(snapshot).unwrap_or_else(|| panic!("{snapshot:?} is no snapshot"));
            assert!(tuples == expected, "at {snapshot:?}");
        }
        assert!(seen.len() > 3, "the graph answered in {} states", seen.len());
        drop(following);
    })
    .await;
}

/// A follower that asks when the test says so.
fn follower(harness: &Harness) -> Follower {
    let Permissions { database, clock, feed, graphs, .. } = &*harness.permissions;
    Follower::new(database.clone(), clock.clone(), feed.clone(), graphs.clone())
}

async fn loaded(harness: &Harness) -> Follower {
    let mut follower = follower(harness);
    follower.ask().await;
    follower.loaded().await;
    follower.ask().await;
    follower
}

fn of_ada(object: &str) -> RelationTuple {
    let (object, subject) = (object.to_owned(), Subject::Id("ada".into()));
    RelationTuple { namespace: "Doc".into(), object, relation: "viewer".into(), subject }
}

fn objects_of_ada() -> ReverseQuestion {
    ReverseQuestion::objects("Doc".into(), "viewer".into(), Subject::Id("ada".into()))
}

const ALL: Part<'static> = Part { after: None, limit: 1_000 };

fn insert(object: &str, expires_at: Option<i64>) -> TupleChange {
    TupleChange::Insert(StoredTuple {
        expires_at: expires_at.map(Timestamp::from_unix_seconds),
        ..StoredTuple::from(of_ada(object))
    })
}
