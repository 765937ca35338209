//! A graph that a test renews when it says so.

use std::time::Duration;

use base::{Context, TenantId, Timestamp};
use database::testing::sqlite;
use serde_json::json;
use service::Check as _;

use super::super::harness::{Harness, on_both, plain};
use super::{ALL, follower, insert, insert_many, loaded, objects_of_ada, resident, statistics, table};
use crate::components::graph::{MOST_NAMES, MOST_NAMES_WHILE_LOADING, Rhythm};
use crate::definition::TuplesInMemory;
use crate::domain::relation_tuple::{RelationTuple, Subject};
use crate::domain::snapshot::Snapshot;
use crate::domain::tuple_changes::{NetChanges, TupleChange};
use crate::domain::tuple_query::TupleQuery;
use crate::operations::check::CheckOptions;
use crate::operations::list_names::Part;
use crate::operations::transact_relation_tuples::TransactError;
use crate::{GraphStatistics, Permissions};

#[tokio::test]
async fn a_change_of_this_process_is_read_without_the_positions_of_all_tenants() {
    on_both(plain(), |harness| async move {
        let (permissions, cx) = (harness.permissions.clone(), harness.cx());
        let (mut last, _) = permissions.transact_relation_tuples(&cx, &[insert("a", None)]).await.unwrap();
        let mut follower = loaded(&harness).await;
        // On a busy machine it may be time for the positions, too.
        for number in 0..100 {
            let follow = async {
                loop {
                    let without_positions = follower.catch_up().await;
                    if !without_positions {
                        follower.ask().await;
                    }
                    if permissions.feed.newest(cx.tenant) > last {
                        return without_positions;
                    }
                    tokio::task::yield_now().await;
                }
            };
            let change = [insert(&number.to_string(), None)];
            let (without_positions, written) = tokio::join!(follow, permissions.transact_relation_tuples(&cx, &change));
            last = written.unwrap().0;
            assert_eq!(resident(&permissions, Snapshot(0)).unwrap(), (last, table(&harness).await));
            if without_positions {
                permissions.feed.ask();
                assert!(!follower.catch_up().await, "somebody asks for the positions");
                return;
            }
        }
        panic!("it always asks for the positions");
    })
    .await;
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

/// Insertions of tuples of a namespace without declarations, which accepts every relation: whoever writes chooses how many there are.
fn of_relations(numbers: std::ops::Range<usize>) -> Vec<TupleChange> {
    let of_relation = |number: usize| {
        let subject = Subject::Id(format!("u{number}"));
        let relation = format!("r{number}");
        let tuple = RelationTuple { namespace: "Group".into(), object: "g".into(), relation, subject };
        TupleChange::Insert(tuple.into())
    };
    numbers.map(of_relation).collect()
}

/// The error has the position of the tuple that is refused, and the reason.
async fn write_relations(
    permissions: &Permissions,
    cx: &Context,
    numbers: std::ops::Range<usize>,
) -> Result<(), (usize, String)> {
    let written = permissions.transact_relation_tuples(cx, &of_relations(numbers)).await;
    written.map(drop).map_err(|error| match error {
        TransactError::Invalid { index, invalid } => (index, invalid.to_string()),
        other => panic!("{other}"),
    })
}

#[tokio::test]
async fn a_change_with_a_relation_too_many_is_refused_and_searches_go_on() {
    // The names are counted in memory, so one engine is enough.
    let harness = Harness::new(sqlite(&[jobs::MIGRATIONS, crate::MIGRATIONS]).await, plain()).await;
    let (permissions, cx) = (harness.permissions.clone(), harness.cx());
    let write = async |numbers| write_relations(&permissions, &cx, numbers).await;
    let (index, refused) = write(0..MOST_NAMES_WHILE_LOADING + 1).await.unwrap_err();
    assert!(index == MOST_NAMES_WHILE_LOADING && refused.starts_with("relation: "), "{refused}");
    assert!(refused.contains("try again"), "{refused}");
    permissions.transact_relation_tuples(&cx, &[insert("a", None)]).await.unwrap();
    let mut follower = loaded(&harness).await;
    // The empty one has a number as well.
    let most = MOST_NAMES - ["", "viewer"].len();
    for start in (0..most).step_by(10_000) {
        write(start..most.min(start + 10_000)).await.unwrap();
    }
    for _ in 0..2 {
        let (index, refused) = write(most - 1..most + 1).await.unwrap_err();
        assert!(index == 1 && refused.contains(&MOST_NAMES.to_string()), "{refused}");
        write(0..1).await.unwrap();
        follower.ask().await;
    }
    objects_are(&permissions, &cx, &["a"]).await;
    let group = TupleQuery { namespace: Some("Group".into()), ..TupleQuery::default() };
    permissions.delete_relation_tuples(&cx, &group).await.unwrap();
    follower.measure_next();
    follower.ask().await;
    follower.loaded().await;
    write(most..most + 1).await.unwrap();
}

#[tokio::test]
async fn a_tenant_without_tuples_takes_many_relations_when_the_log_was_asked() {
    let harness = Harness::new(sqlite(&[jobs::MIGRATIONS, crate::MIGRATIONS]).await, plain()).await;
    let (permissions, cx) = (harness.permissions.clone(), harness.cx());
    let many = 0..2 * MOST_NAMES_WHILE_LOADING;
    let (index, refused) = write_relations(&permissions, &cx, many.clone()).await.unwrap_err();
    assert_eq!(index, MOST_NAMES_WHILE_LOADING, "what the database has is not known");
    assert!(refused.contains("try again"), "{refused}");
    // As the answer advises.
    follower(&harness).ask().await;
    // The empty one has a number as well.
    let most = MOST_NAMES - [""].len();
    let (index, refused) = write_relations(&permissions, &cx, 0..most + 1).await.unwrap_err();
    assert!(index == most && refused.contains(&MOST_NAMES.to_string()), "{index} {refused}");
    write_relations(&permissions, &cx, many).await.unwrap();
}

async fn objects_are(permissions: &Permissions, cx: &Context, expected: &[&str]) {
    let listed = permissions.list_names(cx, &objects_of_ada(), ALL, CheckOptions::default()).await.unwrap();
    assert_eq!(listed.answer.names, expected);
}

/// As they are in the database of an earlier version, or when several processes insert them while they start.
#[tokio::test]
async fn a_graph_with_too_many_relations_answers_again_after_they_are_deleted() {
    on_both(plain(), |harness| async move {
        let (permissions, cx) = (harness.permissions.clone(), harness.cx());
        permissions.transact_relation_tuples(&cx, &[insert("a", None)]).await.unwrap();
        let mut follower = loaded(&harness).await;
        for part in of_relations(0..usize::from(u16::MAX / 2)).chunks(10_000) {
            permissions.writes.write(&cx, NetChanges::of(part)).await.unwrap();
        }
        follower.ask().await;
        follower.loaded().await;
        let check = TuplesInMemory(permissions.clone());
        let warning = check.warning().await.unwrap();
        assert!(warning.contains("delete the tuples that name undeclared relations"), "{warning}");
        let listed = permissions.list_names(&cx, &objects_of_ada(), ALL, CheckOptions::default()).await;
        assert!(listed.unwrap_err().to_string().contains("delete the tuples that name undeclared relations"));
        let group = TupleQuery { namespace: Some("Group".into()), ..TupleQuery::default() };
        permissions.delete_relation_tuples(&cx, &group).await.unwrap();
        follower.ask().await;
        assert_eq!(resident(&permissions, Snapshot(0)), None, "it is not loaded again at once");
        follower.load_again_next();
        follower.ask().await;
        follower.loaded().await;
        follower.ask().await;
        assert_eq!(resident(&permissions, Snapshot(0)).unwrap().1, table(&harness).await);
        let listed = permissions.list_names(&cx, &objects_of_ada(), ALL, CheckOptions::default()).await.unwrap();
        assert_eq!((listed.answer.names, check.warning().await), (vec!["a".to_owned()], None));
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
