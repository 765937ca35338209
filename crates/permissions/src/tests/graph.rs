//! The relation tuples in memory: they are the table, whatever changes it, and they answer only while they are current.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use axum::http::StatusCode;
use base::{Context, PageRequest, TenantId, Timestamp};
use database::testing::on_both_engines;
use futures_util::poll;
use serde_json::json;
use tokio::task::JoinSet;

use super::harness::{Harness, on_both, plain};
use crate::components::graph::{Absence, Follower, Rhythm, View};
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
use crate::operations::check::CheckOptions;
use crate::operations::list_names::{ListError, Part};
use crate::operations::{Answered, EvaluateError};
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
        return permissions.delete_relation_tuples(cx, &query).await.unwrap().0;
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

#[tokio::test]
async fn a_graph_answers_only_while_it_hears_from_the_log_and_has_what_was_acknowledged() {
    on_both(plain(), |harness| async move {
        let (permissions, cx) = (harness.permissions.clone(), harness.cx());
        let (first, _) = permissions.transact_relation_tuples(&cx, &[insert("a", None)]).await.unwrap();
        assert_eq!(resident(&permissions, Snapshot(0)), None, "nothing follows yet");
        let mut follower = loaded(&harness).await;
        assert_eq!(resident(&permissions, first).unwrap().0, first);
        assert_eq!(resident(&permissions, Snapshot(first.0 + 1)), None, "it does not have that snapshot");
        // A change of this process. Nobody asks the log for it.
        let (second, _) = permissions.transact_relation_tuples(&cx, &[insert("b", None)]).await.unwrap();
        assert_eq!(resident(&permissions, Snapshot(0)), None, "it lacks an acknowledged change");
        follower.ask().await;
        assert_eq!(resident(&permissions, Snapshot(0)).unwrap().0, second);
        tokio::time::sleep(Rhythm::of(&harness.database).counts + Duration::from_millis(20)).await;
        assert_eq!(resident(&permissions, Snapshot(0)), None, "the log is silent");
        assert!(!statistics(&permissions).unwrap().is_ready);
        // A question that the tables cannot answer waits for the log.
        let question = objects_of_ada();
        let part = Part { after: None, limit: 10 };
        let listed = permissions.list_names(&cx, &question, part, CheckOptions::default());
        let (listed, ()) = tokio::join!(listed, follower.ask());
        assert_eq!(listed.unwrap().answer.names, ["a", "b"]);
        assert_eq!(resident(&permissions, Snapshot(0)).unwrap().1, table(&harness).await);
        let GraphStatistics { is_ready, tuples, bytes, watermark, .. } = statistics(&permissions).unwrap();
        // The sizes are measured when the graph is loaded, and then every few seconds.
        assert!(is_ready && (1..=2).contains(&tuples) && bytes > 0 && watermark == second.0);
    })
    .await;
}

#[tokio::test]
async fn expired_tuples_leave_the_graph_a_minute_later() {
    on_both(plain(), |harness| async move {
        let (permissions, cx) = (harness.permissions.clone(), harness.cx());
        let start = cx.now.unix_seconds();
        let changes = [insert("a", Some(start + 10)), insert("b", Some(start + 200)), insert("c", None)];
        permissions.transact_relation_tuples(&cx, &changes).await.unwrap();
        let mut follower = loaded(&harness).await;
        let count = || resident(&permissions, Snapshot(0)).unwrap().1.len();
        let mut counts = Vec::new();
        for seconds in [0, 65, 10, 300] {
            harness.clock.advance(Duration::from_secs(seconds));
            follower.ask().await;
            counts.push(count());
        }
        assert_eq!(counts, [3, 3, 2, 1]);
        assert_eq!(resident(&permissions, Snapshot(0)).unwrap().1, table(&harness).await);
        // What has expired is not loaded.
        assert_eq!(table(&harness).await.len(), 1);
        loaded(&harness).await;
        assert_eq!(count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_graph_beyond_its_bound_is_dropped_and_an_incomplete_log_loads_it_again() {
    on_both(plain(), |harness| async move {
        let (permissions, cx) = (harness.permissions.clone(), harness.cx());
        insert_many(&permissions, &cx, 2_500).await;
        let mut follower = loaded(&harness).await;
        assert_eq!(resident(&permissions, Snapshot(0)).unwrap().1.len(), 2_500);
        permissions.transact_relation_tuples(&cx, &[insert("a", None)]).await.unwrap();
        let (last, _) = permissions.transact_relation_tuples(&cx, &[insert("b", None)]).await.unwrap();
        let reaper = database::Reaper::new(harness.database.clone(), [jobs::EVENTS]);
        reaper.reap(Timestamp::from_unix_seconds(9_000_000), 9).await.unwrap();
        follower.ask().await;
        assert_eq!(resident(&permissions, Snapshot(0)), None, "it is loaded again");
        follower.loaded().await;
        follower.ask().await;
        assert_eq!(resident(&permissions, last).unwrap(), (last, table(&harness).await));
        let mut section = plain();
        section["graph"] = json!({ "max_bytes": 50_000 });
        let small = Harness::new(harness.database.clone(), section).await;
        let mut follower = loaded(&small).await;
        for _ in 0..3 {
            follower.ask().await;
            assert_eq!(resident(&small.permissions, Snapshot(0)), None, "2 500 tuples need more");
        }
        assert_eq!(statistics(&small.permissions).unwrap().bytes, 0);
    })
    .await;
}

#[tokio::test]
async fn a_graph_that_lost_most_of_its_tuples_is_replaced_while_it_answers() {
    on_both(plain(), |harness| async move {
        let (permissions, cx) = (harness.permissions.clone(), harness.cx());
        insert_many(&permissions, &cx, 5_000).await;
        let mut follower = loaded(&harness).await;
        let full = statistics(&permissions).unwrap().bytes;
        let of_ada = TupleQuery { subject: Some(Subject::Id("ada".into())), ..TupleQuery::default() };
        permissions.delete_relation_tuples(&cx, &of_ada).await.unwrap();
        follower.measure_next();
        follower.ask().await;
        let (before, _) = permissions.transact_relation_tuples(&cx, &[insert("b", None)]).await.unwrap();
        follower.ask().await;
        assert_eq!(resident(&permissions, before).unwrap().1.len(), 1, "the old graph answers and follows");
        follower.loaded().await;
        let (last, _) = permissions.transact_relation_tuples(&cx, &[insert("c", None)]).await.unwrap();
        follower.ask().await;
        assert_eq!(resident(&permissions, last).unwrap(), (last, table(&harness).await));
        let GraphStatistics { tuples, bytes, .. } = statistics(&permissions).unwrap();
        assert!(bytes < full / 10, "{tuples} tuples, {bytes} of {full} bytes");
    })
    .await;
}

/// As on a machine that is so busy that the log is read late.
#[tokio::test]
async fn a_list_waits_for_a_graph_that_is_behind_but_not_for_one_that_is_not_there() {
    on_both(plain(), |harness| async move {
        let (permissions, cx) = (harness.permissions.clone(), harness.cx());
        let question = objects_of_ada();
        let list = || permissions.list_names(&cx, &question, Part { after: None, limit: 10 }, CheckOptions::default());
        let started = tokio::time::Instant::now();
        assert!(matches!(list().await, Err(ListError::Evaluate(EvaluateError::NotInMemory(Absence::NotCurrent)))));
        assert!(started.elapsed() < Duration::from_secs(4), "it waits for nothing");
        let mut follower = loaded(&harness).await;
        permissions.transact_relation_tuples(&cx, &[insert("a", None)]).await.unwrap();
        let late = async {
            // Longer than a check waits, which goes on with the tables.
            tokio::time::sleep(Duration::from_millis(600)).await;
            follower.ask().await;
        };
        let (listed, ()) = tokio::join!(list(), late);
        assert_eq!(listed.unwrap().answer.names, ["a"]);
    })
    .await;
}

/// Something is always acknowledged that the graph does not have yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lists_are_answered_while_others_write() {
    on_both(plain(), |harness| async move {
        let _following = harness.follow();
        harness.is_ready().await;
        let mut writers = JoinSet::new();
        for writer in 0..4 {
            let (permissions, cx) = (harness.permissions.clone(), harness.cx());
            writers.spawn(async move {
                for number in 0..40 {
                    let change = insert(&format!("{writer}-{number}"), None);
                    permissions.transact_relation_tuples(&cx, &[change]).await.unwrap();
                }
            });
        }
        let query = objects_of_ada();
        let mut counts = vec![0];
        while !writers.is_empty() {
            let (permissions, cx) = (&harness.permissions, harness.cx());
            let listed = permissions.list_names(&cx, &query, ALL, CheckOptions::default()).await.unwrap();
            counts.push(listed.answer.names.len());
            while writers.try_join_next().is_some() {}
        }
        assert!(counts.is_sorted() && counts.len() > 5, "{counts:?}");
    })
    .await;
}

#[tokio::test]
async fn a_check_does_not_wait_for_the_graph_and_a_list_does() {
    on_both_engines(&[jobs::MIGRATIONS, crate::MIGRATIONS], |database| async {
        let harness = Harness::always_current(database, plain()).await;
        let (permissions, cx) = (harness.permissions.clone(), harness.cx());
        permissions.transact_relation_tuples(&cx, &[insert("a", None)]).await.unwrap();
        let mut follower = loaded(&harness).await;
        let (snapshot, _) = permissions.transact_relation_tuples(&cx, &[insert("b", None)]).await.unwrap();
        let waiting = || permissions.graphs.of_question(TenantId::DEFAULT).waiting();
        let (tuple, query) = (of_ada("b"), objects_of_ada());
        let mut check = pin!(permissions.check(&cx, &tuple, CheckOptions::default()));
        let begun = poll!(&mut check);
        assert_eq!(waiting(), 0, "the tables have the change");
        let checked = if let Poll::Ready(checked) = begun { checked } else { check.await };
        assert_eq!(checked.unwrap(), Answered { answer: true, snapshot });

        let mut list = pin!(permissions.list_names(&cx, &query, ALL, CheckOptions::default()));
        assert!(poll!(&mut list).is_pending());
        assert_eq!(waiting(), 1, "only memory answers");
        follower.ask().await;
        let listed = list.await.unwrap();
        assert_eq!((listed.answer.names, listed.snapshot), (vec!["a".to_owned(), "b".to_owned()], snapshot));
    })
    .await;
}

/// The answers to reverse questions by each protocol: the status, whether there is a `Retry-After`, and the body.
async fn refusals(harness: &mut Harness) -> Vec<(StatusCode, bool, String)> {
    let path = "/relation-tuples/objects?namespace=Doc&relation=viewer&subject_id=ada";
    let entity = |kind: &str| json!({ "type": kind, "id": "ada" });
    let access = json!({ "subject": entity("Group"), "action": { "name": "viewer" }, "resource": { "type": "Doc" } });
    let message = json!({ "namespace": "Doc", "object": "a", "subject": { "id": "ada" } });
    let replies = [
        harness.read.get(path).await,
        harness.read.post_json("/access/v1/search/resource", &access).await,
        harness.read.post_json("/kleis.permissions.v1.PermissionService/ListRelations", &message).await,
    ];
    replies.map(|reply| (reply.status, reply.header("retry-after").is_some(), reply.text)).into()
}

const UNAVAILABLE: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

#[tokio::test]
async fn a_question_that_needs_the_graph_says_why_there_is_none() {
    on_both(plain(), |mut harness| async move {
        insert_many(&harness.permissions, &harness.cx(), 2_500).await;
        for (status, is_repeated, text) in refusals(&mut harness).await {
            assert_eq!(status, UNAVAILABLE, "{text}");
            assert!(is_repeated || text.contains("\"unavailable\""), "{text}");
            assert!(text.contains("ask again in some seconds"), "{text}");
        }
        for (graph, reason) in [
            (json!({ "enabled": false }), "permissions.graph.enabled is false"),
            (json!({ "max_bytes": 50_000 }), "permissions.graph.max_bytes (50000 bytes) allows; change that"),
        ] {
            let mut section = plain();
            section["graph"] = graph;
            let mut harness = Harness::new(harness.database.clone(), section).await;
            let mut follower = follower(&harness);
            follower.ask().await;
            if harness.permissions.graphs.are_enabled() {
                follower.loaded().await;
            }
            let refused = refusals(&mut harness).await;
            let statuses: Vec<StatusCode> = refused.iter().map(|(status, ..)| *status).collect();
            assert_eq!(statuses, [UNAVAILABLE, UNAVAILABLE, StatusCode::NOT_IMPLEMENTED]);
            for (_, is_repeated, text) in refused {
                assert!(!is_repeated && text.contains(reason) && text.contains("restart"), "{text}");
            }
        }
    })
    .await;
}

/// What was acknowledged before the restore is never asked for again.
#[tokio::test]
async fn a_database_that_was_restored_is_followed_from_its_older_state() {
    on_both(plain(), |harness| async move {
        let (permissions, cx) = (harness.permissions.clone(), harness.cx());
        let (first, _) = permissions.transact_relation_tuples(&cx, &[insert("a", None)]).await.unwrap();
        let mut follower = loaded(&harness).await;
        permissions.transact_relation_tuples(&cx, &[insert("b", None)]).await.unwrap();
        follower.ask().await;
        assert!(resident(&permissions, Snapshot(0)).is_some());
        let mut tx = harness.database.write(TenantId::DEFAULT).await.unwrap();
        crate::storage::state::set_snapshot(&mut tx, first).await.unwrap();
        tx.commit().await.unwrap();
        follower.ask().await;
        assert_eq!(resident(&permissions, Snapshot(0)), None, "its history went back");
        follower.loaded().await;
        follower.ask().await;
        assert_eq!(resident(&permissions, Snapshot(0)).map(|(snapshot, _)| snapshot), Some(first));
    })
    .await;
}
