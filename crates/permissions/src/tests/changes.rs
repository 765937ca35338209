//! Changes of relation tuples, their events, and the snapshots that they lead to.

use axum::http::Method;
use base::PageRequest;
use jobs::{StoredEvent, list_tuple_changes};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::harness::{Harness, on_both, plain};
use crate::domain::relation_tuple::{RelationTuple, StoredTuple, Subject};
use crate::domain::snapshot::Snapshot;
use crate::domain::tuple_changes::TupleChange;
use crate::domain::tuple_query::TupleQuery;
use crate::operations::delete_relation_tuples::Deletion;
use crate::storage::state;

fn tuple(namespace: &str, object: &str) -> RelationTuple {
    let subject = Subject::Id("ada".into());
    RelationTuple { namespace: namespace.into(), object: object.into(), relation: "viewer".into(), subject }
}

fn insert(namespace: &str, object: &str) -> TupleChange {
    TupleChange::Insert(StoredTuple::from(tuple(namespace, object)))
}

async fn events(harness: &Harness, after: i64) -> Vec<StoredEvent> {
    list_tuple_changes(&mut harness.database.read(harness.cx().tenant), after, 1_000).await.unwrap()
}

#[tokio::test]
async fn an_event_has_what_changed_and_the_snapshot_is_its_sequence() {
    on_both(plain(), |harness| async move {
        let (permissions, cx) = (&harness.permissions, harness.cx());
        let (first, token) = permissions.transact_relation_tuples(&cx, &[insert("Doc", "a")]).await.unwrap();
        let changes = [insert("Doc", "a"), insert("Group", "b"), TupleChange::Delete(tuple("Doc", "none"))];
        let (second, _) = permissions.transact_relation_tuples(&cx, &changes).await.unwrap();
        let delete = [TupleChange::Delete(tuple("Doc", "a"))];
        let (third, _) = permissions.transact_relation_tuples(&cx, &delete).await.unwrap();
        let written = events(&harness, 0).await;
        let found: Vec<_> = written.iter().map(|it| (it.sequence, it.subject.as_str(), &it.attributes)).collect();
        let record =
            |namespace: &str, object: &str| json!([namespace, object, "viewer", "", "ada", "", "", null, null]);
        let deleted = json!([["Doc", "a", "viewer", "", "ada", ""]]);
        assert_eq!(
            found,
            [
                (first.0, "Doc", &json!({ "previous": 0, "inserted": [record("Doc", "a")], "deleted": [] })),
                (second.0, "Group", &json!({ "previous": first.0, "inserted": [record("Group", "b")], "deleted": [] })),
                (third.0, "Doc", &json!({ "previous": second.0, "inserted": [], "deleted": deleted })),
            ]
        );
        assert!(first < second && second < third);
        assert_eq!(permissions.open_snaptoken(&cx, &token).await.unwrap(), first);
        // Without a change the snapshot stays.
        let (fourth, _) = permissions.transact_relation_tuples(&cx, &delete).await.unwrap();
        assert_eq!((fourth, events(&harness, 0).await.len()), (third, 3));
        assert_eq!(state::snapshot(&mut harness.database.read(cx.tenant)).await.unwrap(), third);
    })
    .await;
}

#[tokio::test]
async fn a_deletion_by_query_has_events_for_all_its_tuples() {
    on_both(plain(), |harness| async move {
        let (permissions, cx) = (&harness.permissions, harness.cx());
        let changes: Vec<_> = (0..2_500).map(|it| insert("Doc", &it.to_string())).collect();
        let (written, _) = permissions.transact_relation_tuples(&cx, &changes).await.unwrap();
        permissions.transact_relation_tuples(&cx, &[insert("Group", "a")]).await.unwrap();
        let sizes = async |member: &str, after| {
            let sizes = events(&harness, after).await;
            sizes.iter().map(|it| it.attributes[member].as_array().unwrap().len()).collect::<Vec<_>>()
        };
        assert_eq!(sizes("inserted", 0).await, [1_000, 1_000, 500, 1]);
        let query = TupleQuery { namespace: Some("Doc".into()), ..TupleQuery::default() };
        let deleted = permissions.delete_relation_tuples(&cx, &query).await.unwrap();
        assert_eq!(sizes("deleted", written.0).await, [0, 1_000, 1_000, 500]);
        assert_eq!(events(&harness, 0).await.last().unwrap().sequence, deleted.snapshot.0);
        assert_eq!(deleted.count, 2_500);
        let page = PageRequest { size: 9, after: None };
        let left = permissions.list_relation_tuples(&cx, &TupleQuery::default(), &page).await.unwrap();
        assert_eq!(left.items, [StoredTuple::from(tuple("Group", "a"))]);
        let unchanged = permissions.delete_relation_tuples(&cx, &query).await.unwrap();
        assert_eq!(unchanged, Deletion { count: 0, ..deleted });
    })
    .await;
}

#[tokio::test]
async fn answers_to_changes_have_the_token_of_their_snapshot() {
    on_both(plain(), |mut harness| async move {
        let tuple = json!({ "namespace": "Doc", "object": "a", "relation": "viewer", "subject_id": "ada" });
        let created = harness.write.json(Method::PUT, "/admin/relation-tuples", &tuple).await.expect(201);
        let patch = json!([{ "action": "delete", "relation_tuple": tuple }]);
        let patched = harness.write.json(Method::PATCH, "/admin/relation-tuples", &patch).await.expect(204);
        let path = "/admin/relation-tuples?namespace=Doc";
        let deleted = harness.write.json(Method::DELETE, path, &Value::Null).await.expect(204);
        let mut snapshots = Vec::new();
        for reply in [created, patched, deleted] {
            let token = reply.header("snaptoken").unwrap();
            snapshots.push(harness.permissions.open_snaptoken(&harness.cx(), token).await.unwrap());
            harness.read.get(&format!("/relation-tuples?snaptoken={token}")).await.expect(200);
        }
        assert!(snapshots[0] < snapshots[1] && snapshots[1] == snapshots[2], "{snapshots:?}");
    })
    .await;
}

/// A reader that reads after the last sequence it has seen never misses a change, however many writers there are.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_changes_become_visible_in_the_order_of_their_sequences() {
    const WRITERS: usize = 8;
    const CHANGES: usize = 25;
    on_both(plain(), |harness| async move {
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let (permissions, cx) = (harness.permissions.clone(), harness.cx());
            writers.spawn(async move {
                for change in 0..CHANGES {
                    // All of them write the tuple `shared` as well, so that they meet at a row.
                    let changes = [insert("Doc", &format!("{writer}-{change}")), insert("Doc", "shared")];
                    permissions.transact_relation_tuples(&cx, &changes).await.unwrap();
                    let shared = [TupleChange::Delete(tuple("Doc", "shared"))];
                    permissions.transact_relation_tuples(&cx, &shared).await.unwrap();
                }
            });
        }
        let (mut seen, mut inserted) = (Snapshot(0), 0);
        loop {
            let is_over = writers.try_join_next().is_none() && writers.is_empty();
            for event in events(&harness, seen.0).await {
                seen = Snapshot(event.sequence);
                inserted += event.attributes["inserted"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|record| record[1] != "shared")
                    .count();
            }
            if is_over {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(inserted, WRITERS * CHANGES);
        let tenant = harness.cx().tenant;
        assert_eq!(state::snapshot(&mut harness.database.read(tenant)).await.unwrap(), seen);
    })
    .await;
}
