//! Changes of concurrent requests, which share transactions on PostgreSQL.

use std::collections::BTreeSet;

use base::{Context, PageRequest, RequestId, TenantId, uuid::Uuid};
use database::testing::postgres;
use futures_util::future::join_all;
use jobs::list_tuple_changes;

use super::harness::{Harness, on_both, plain};
use crate::domain::relation_tuple::{RelationTuple, StoredTuple, Subject};
use crate::domain::snapshot::Snapshot;
use crate::domain::tuple_changes::{NetChanges, TupleChange};
use crate::domain::tuple_query::TupleQuery;

const REQUESTS: u128 = 200;

fn tuple(object: &str) -> RelationTuple {
    let subject = Subject::Id("ada".into());
    RelationTuple { namespace: "Doc".into(), object: object.into(), relation: "viewer".into(), subject }
}

fn insert(object: &str) -> TupleChange {
    TupleChange::Insert(StoredTuple::from(tuple(object)))
}

/// The context of a request with that number.
fn request(harness: &Harness, number: u128) -> Context {
    let cx = harness.cx();
    Context::for_background(cx.now, cx.tenant, RequestId(Uuid::from_u128(number)))
}

async fn objects(harness: &Harness) -> BTreeSet<String> {
    let page = PageRequest { size: 1_000, after: None };
    let listed = harness.permissions.list_relation_tuples(&harness.cx(), &TupleQuery::default(), &page).await;
    listed.unwrap().items.into_iter().map(|stored| stored.tuple.object).collect()
}

#[tokio::test]
async fn each_of_many_concurrent_requests_has_an_event_and_a_snapshot_of_its_own() {
    on_both(plain(), |harness| async move {
        let permissions = &harness.permissions;
        let requests = (0..REQUESTS).map(|number| {
            let cx = request(&harness, number);
            async move { permissions.transact_relation_tuples(&cx, &[insert(&number.to_string())]).await.unwrap().0 }
        });
        let snapshots = join_all(requests).await;
        let mut read = harness.database.read(TenantId::DEFAULT);
        let events = list_tuple_changes(&mut read, 0, 1_000).await.unwrap();
        assert_eq!(events.len(), snapshots.len());
        let mut previous = 0;
        for event in &events {
            assert_eq!(event.attributes["previous"], previous, "events are a chain");
            previous = event.sequence;
            let object = event.attributes["inserted"][0][1].as_str().unwrap();
            let number: usize = object.parse().unwrap();
            assert_eq!(snapshots[number], Snapshot(event.sequence), "{object}");
        }
        assert_eq!(objects(&harness).await.len(), events.len());
    })
    .await;
}

#[tokio::test]
async fn concurrent_requests_for_one_tuple_are_made_one_after_the_other() {
    on_both(plain(), |harness| async move {
        let permissions = &harness.permissions;
        // Nothing waits before the queue, and so few futures are polled in their order.
        permissions.tokens.sealer(&harness.cx()).await.unwrap();
        let requests = (0..30).map(|number| {
            let cx = request(&harness, number);
            let change = if number % 2 == 0 { insert("a") } else { TupleChange::Delete(tuple("a")) };
            async move { permissions.transact_relation_tuples(&cx, &[change]).await.unwrap().0 }
        });
        let snapshots = join_all(requests).await;
        // Insertion and deletion alternate, so each of them changed something.
        assert!(snapshots.is_sorted_by(|one, next| one < next), "{snapshots:?}");
        assert!(objects(&harness).await.is_empty());
    })
    .await;
}

/// U+0000 passes no validation; PostgreSQL refuses it.
#[tokio::test]
async fn a_request_that_the_database_refuses_does_not_fail_the_others() {
    let harness = Harness::new(postgres(&[jobs::MIGRATIONS, crate::MIGRATIONS]).await, plain()).await;
    harness.permissions.tokens.sealer(&harness.cx()).await.unwrap();
    let writes = &harness.permissions.writes;
    let requests = ["a", "\u{0}", "b"].map(|object| {
        let cx = harness.cx();
        async move { writes.write(&cx, NetChanges::of(&[insert(object), insert(&format!("{object}2"))])).await }
    });
    let [first, refused, last] = join_all(requests).await.try_into().unwrap();
    assert!(first.unwrap() < last.unwrap());
    assert!(matches!(refused, Err(database::Error::Driver { .. })), "{refused:?}");
    let expected = ["a", "a2", "b", "b2"].map(str::to_owned);
    assert_eq!(objects(&harness).await, BTreeSet::from(expected));
}

#[tokio::test]
async fn a_request_whose_client_goes_away_does_not_stop_the_others() {
    let harness = Harness::new(postgres(&[jobs::MIGRATIONS, crate::MIGRATIONS]).await, plain()).await;
    harness.permissions.tokens.sealer(&harness.cx()).await.unwrap();
    let (writes, cx) = (&harness.permissions.writes, harness.cx());
    {
        let leaves = writes.write(&cx, NetChanges::of(&[insert("a")]));
        tokio::pin!(leaves);
        // It waits in the queue.
        assert!(futures_util::poll!(leaves.as_mut()).is_pending());
    }
    let stays = writes.write(&cx, NetChanges::of(&[insert("b")])).await.unwrap();
    assert!(stays > Snapshot::default());
    assert_eq!(objects(&harness).await, BTreeSet::from(["a".to_owned(), "b".to_owned()]));
    // Nothing is left behind.
    writes.write(&cx, NetChanges::of(&[TupleChange::Delete(tuple("a"))])).await.unwrap();
    assert_eq!(objects(&harness).await, BTreeSet::from(["b".to_owned()]));
}
