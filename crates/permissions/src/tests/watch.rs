//! Watching relation tuples: every change once, in order, from any token.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base::{Context, TenantId, Timestamp};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use super::harness::{Harness, on_both, plain};
use crate::domain::relation_tuple::{RelationTuple, StoredTuple, Subject};
use crate::domain::tuple_changes::TupleChange;
use crate::domain::tuple_query::TupleQuery;
use crate::operations::watch_relation_tuples::{Watch, WatchError, WatchEvent};

fn tuple(namespace: &str, object: &str) -> RelationTuple {
    let subject = Subject::Id("ada".into());
    RelationTuple { namespace: namespace.into(), object: object.into(), relation: "viewer".into(), subject }
}

fn insert(namespace: &str, object: &str) -> TupleChange {
    TupleChange::Insert(StoredTuple::from(tuple(namespace, object)))
}

fn delete(namespace: &str, object: &str) -> TupleChange {
    TupleChange::Delete(tuple(namespace, object))
}

async fn write(harness: &Harness, changes: &[TupleChange]) -> String {
    harness.permissions.transact_relation_tuples(&harness.cx(), changes).await.unwrap().1
}

async fn watch(harness: &Harness, filter: TupleQuery, token: Option<&str>) -> Result<Watch, WatchError> {
    let from = match token {
        Some(token) => Some(harness.permissions.open_snaptoken(&harness.cx(), token).await.unwrap()),
        None => None,
    };
    harness.permissions.watch_relation_tuples(&harness.cx(), filter, from).await
}

/// The next event that is no heartbeat.
async fn next(watch: &mut Watch) -> (Vec<TupleChange>, String) {
    let next = async {
        loop {
            match watch.next().await.unwrap().unwrap() {
                WatchEvent::Changed { changes, snaptoken, .. } => return (changes, snaptoken),
                WatchEvent::Heartbeat { .. } => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), next).await.expect("an event")
}

#[tokio::test]
async fn a_watcher_of_the_past_lets_other_tasks_run_between_its_reads() {
    on_both(plain(), |harness| async move {
        let following = harness.follow();
        let first = write(&harness, &[insert("Doc", "a")]).await;
        for number in 0..100 {
            write(&harness, &[insert("Doc", &number.to_string())]).await;
        }
        write(&harness, &[insert("Doc", "last")]).await;
        let last = TupleQuery { object: Some("last".into()), ..TupleQuery::default() };
        let mut watch = watch(&harness, last, Some(&first)).await.unwrap();
        let ran = Arc::new(AtomicUsize::new(0));
        let mut others = JoinSet::new();
        let counted = ran.clone();
        others.spawn(async move {
            loop {
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
        assert_eq!(next(&mut watch).await.0, [insert("Doc", "last")]);
        let ran = ran.load(Ordering::Relaxed);
        assert!(ran >= 50, "another task ran {ran} times during fifty reads");
        following.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_watcher_gets_the_changes_after_its_token_that_match_its_filter() {
    on_both(plain(), |harness| async move {
        let following = harness.follow();
        let first = write(&harness, &[insert("Doc", "a")]).await;
        let mut from_now = watch(&harness, TupleQuery::default(), None).await.unwrap();
        let Some(Ok(WatchEvent::Heartbeat { snaptoken })) = from_now.next().await else { panic!("no position") };
        assert_eq!(snaptoken, first, "the position at which it begins");
        let second = write(&harness, &[insert("Doc", "b"), insert("Group", "g"), delete("Doc", "a")]).await;
        write(&harness, &[delete("Doc", "a")]).await;
        let third = write(&harness, &[delete("Group", "g")]).await;
        let of_second = vec![insert("Doc", "b"), insert("Group", "g"), delete("Doc", "a")];
        assert_eq!(next(&mut from_now).await, (of_second.clone(), second.clone()));
        assert_eq!(next(&mut from_now).await, (vec![delete("Group", "g")], third.clone()));
        let mut from_first = watch(&harness, TupleQuery::default(), Some(&first)).await.unwrap();
        assert_eq!(next(&mut from_first).await, (of_second, second.clone()));
        let groups = TupleQuery { namespace: Some("Group".into()), ..TupleQuery::default() };
        let mut of_groups = watch(&harness, groups, Some(&first)).await.unwrap();
        assert_eq!(next(&mut of_groups).await, (vec![insert("Group", "g")], second));
        assert_eq!(next(&mut of_groups).await, (vec![delete("Group", "g")], third));
        following.stop().await;
        assert!(from_now.next().await.is_none(), "the shutdown ends it");
    })
    .await;
}

#[tokio::test]
async fn watchers_take_turns_with_the_past_and_not_with_the_present() {
    on_both(plain(), |harness| async move {
        let _following = harness.follow();
        let first = write(&harness, &[insert("Doc", "a")]).await;
        for object in ["b", "c", "d", "e"] {
            write(&harness, &[insert("Doc", object)]).await;
        }
        let all = TupleQuery::default;
        let [mut old, mut caught_up] =
            [watch(&harness, all(), Some(&first)).await.unwrap(), watch(&harness, all(), Some(&first)).await.unwrap()];
        let mut from_now = watch(&harness, all(), None).await.unwrap();
        for object in ["b", "c", "d", "e"] {
            assert_eq!(next(&mut caught_up).await.0, [insert("Doc", object)]);
        }
        let mut turns = vec![harness.permissions.turns.take().await];
        if harness.database.is_shared() {
            turns.push(harness.permissions.turns.take().await);
        }
        // The page that it read when it began.
        assert_eq!(next(&mut old).await.0, [insert("Doc", "b")]);
        assert_eq!(next(&mut old).await.0, [insert("Doc", "c")]);
        let (present, _) = {
            let mut waits = std::pin::pin!(next(&mut old));
            assert!(futures_util::poll!(&mut waits).is_pending());
            let mut begins = std::pin::pin!(watch(&harness, all(), Some(&first)));
            write(&harness, &[insert("Doc", "f")]).await;
            for present in [&mut from_now, &mut caught_up] {
                assert_eq!(next(present).await.0, [insert("Doc", "f")]);
            }
            // Both would have read by now, had they not to wait.
            let both = async {
                tokio::select! {
                    changes = &mut waits => panic!("read without a turn: {changes:?}"),
                    begun = &mut begins => panic!("begun without a turn: {:?}", begun.err()),
                    () = async {
                        for object in ["g", "h"] {
                            write(&harness, &[insert("Doc", object)]).await;
                            assert_eq!(next(&mut from_now).await.0, [insert("Doc", object)]);
                        }
                    } => {}
                }
            };
            both.await;
            drop(turns);
            (waits.await, begins.await.unwrap())
        };
        assert_eq!(present.0, [insert("Doc", "d")]);
        for object in ["e", "f", "g", "h"] {
            assert_eq!(next(&mut old).await.0, [insert("Doc", object)]);
        }
    })
    .await;
}

/// Watchers that stop anywhere and continue from their last token, on this node or another one that is started again and again,
/// receive every change of the writers once, in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_watcher_that_continues_elsewhere_skips_and_repeats_nothing() {
    const CHANGES: usize = 60;
    on_both(plain(), |harness| async move {
        let start = write(&harness, &[insert("Doc", "start")]).await;
        let mut writers = JoinSet::new();
        for writer in 0..3 {
            let (permissions, cx) = (harness.permissions.clone(), harness.cx());
            writers.spawn(async move {
                for number in 0..CHANGES {
                    let count = if number % 20 == 7 { 1_200 } else { 2 };
                    let objects = (0..count).map(|part| format!("{writer}-{number}-{part}"));
                    let changes: Vec<_> = objects.map(|object| insert("Doc", &object)).collect();
                    permissions.transact_relation_tuples(&cx, &changes).await.unwrap();
                }
            });
        }
        let expected = 3 * (CHANGES * 2 + 3 * 1_198);
        let (mut token, mut received, mut restarts) = (start, Vec::new(), 0);
        while received.len() < expected {
            // As after a restart: nothing is known to it but the token.
            let node = Harness::new(harness.database.clone(), plain()).await;
            let _following = node.follow();
            let mut watch = watch(&node, TupleQuery::default(), Some(&token)).await.unwrap();
            for _ in 0..=restarts % 9 {
                if received.len() < expected {
                    let (changes, next) = next(&mut watch).await;
                    received.extend(changes);
                    token = next;
                }
            }
            restarts += 1;
        }
        while let Some(writer) = writers.join_next().await {
            writer.unwrap();
        }
        assert!(restarts > 10);
        let mut objects = Vec::new();
        for change in received {
            let TupleChange::Insert(stored) = change else { panic!("{change:?}") };
            objects.push(stored.tuple.object);
        }
        let mut distinct = objects.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!((objects.len(), distinct.len()), (expected, expected), "each change once");
        for writer in 0..3 {
            let numbers = objects.iter().filter_map(|it| it.strip_prefix(&format!("{writer}-"))?.split('-').next());
            let numbers: Vec<usize> = numbers.map(|it| it.parse().unwrap()).collect();
            assert!(numbers.is_sorted(), "in the order in which {writer} wrote");
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_whose_changes_were_deleted_is_too_old_and_one_of_the_future_is_refused() {
    on_both(plain(), |mut harness| async move {
        let first = write(&harness, &[insert("Doc", "a")]).await;
        write(&harness, &[insert("Doc", "b")]).await;
        let last = write(&harness, &[insert("Doc", "c")]).await;
        let reaper = database::Reaper::new(harness.database.clone(), [jobs::EVENTS]);
        reaper.reap(Timestamp::from_unix_seconds(9_000_000), 9).await.unwrap();
        let reply = harness.read.get(&format!("/relation-tuples/watch?snaptoken={first}")).await.expect(410);
        assert!(
            reply.string("/error/reason").starts_with("snaptoken: is too old"),
            "{}",
            reply.string("/error/reason")
        );
        // The newest one is good although its event is gone, and what follows it is not missed.
        let following = harness.follow();
        let mut watch = watch(&harness, TupleQuery::default(), Some(&last)).await.unwrap();
        write(&harness, &[insert("Doc", "d")]).await;
        assert_eq!(next(&mut watch).await.0, [insert("Doc", "d")]);
        let reply = harness.read.get(&format!("/relation-tuples/watch?snaptoken={first}")).await.expect(410);
        assert_eq!(reply.string("/error/details/field"), "snaptoken");
        let sealer = harness.permissions.tokens.sealer(&harness.cx()).await.unwrap();
        let future = crate::components::tokens::snaptoken(
            &sealer,
            TenantId::DEFAULT,
            crate::domain::snapshot::Snapshot(i64::MAX - 1),
        );
        let reply = harness.read.get(&format!("/relation-tuples/watch?snaptoken={future}")).await.expect(409);
        assert!(reply.string("/error/reason").contains("this database does not have"));
        harness.read.get("/relation-tuples/watch?snaptoken=nonsense").await.expect(400);
        harness.read.get("/relation-tuples/watch?namespace=Nowhere").await.expect(404);
        following.stop().await;
    })
    .await;
}

/// Server-sent events of an answer, as a client reads them.
struct Stream {
    body: Body,
    text: String,
    events: VecDeque<(String, String, Value)>,
}

impl Stream {
    async fn open(harness: &Harness, target: &str, last: Option<&str>) -> Self {
        let mut request = Request::get(target);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert::<Context>(harness.cx());
        let response = harness.permissions.read_router().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new(), events: VecDeque::new() }
    }

    /// Name, id and data.
    async fn next(&mut self) -> Option<(String, String, Value)> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            let frame = tokio::time::timeout(Duration::from_secs(10), self.body.frame()).await.expect("in time")?;
            self.text.push_str(std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap());
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let prefix = format!("{name}: ");
                    event.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default().to_owned()
                };
                self.events.push_back((field("event"), field("id"), serde_json::from_str(&field("data")).unwrap()));
                self.text = rest.to_owned();
            }
        }
    }
}

#[tokio::test]
async fn events_are_sent_as_a_browser_reads_them() {
    on_both(plain(), |harness| async move {
        let following = harness.follow();
        let first = write(&harness, &[insert("Doc", "a")]).await;
        let mut stream = Stream::open(&harness, "/relation-tuples/watch?namespace=Doc&relation=viewer", None).await;
        let heartbeat = stream.next().await.unwrap();
        assert_eq!(heartbeat, ("heartbeat".into(), first.clone(), json!({ "snaptoken": first })));
        let second = write(&harness, &[insert("Doc", "b\nc"), insert("Group", "g"), delete("Doc", "a")]).await;
        let changed = stream.next().await.unwrap();
        let of = |action: &str, object: &str| {
            let tuple = json!({ "namespace": "Doc", "object": object, "relation": "viewer", "subject_id": "ada" });
            json!({ "action": action, "relation_tuple": tuple })
        };
        let at = changed.2["at"].clone();
        assert_eq!(at, json!(harness.cx().now));
        let data = json!({ "snaptoken": second, "at": at, "changes": [of("insert", "b\nc"), of("delete", "a")] });
        assert_eq!(changed, ("change".into(), second.clone(), data));
        // A browser continues with the id of the last event, whatever the URL says.
        let target = format!("/relation-tuples/watch?snaptoken={second}");
        let mut again = Stream::open(&harness, &target, Some(&first)).await;
        assert_eq!(again.next().await.unwrap().0, "heartbeat");
        assert_eq!(again.next().await.unwrap().1, second);
        following.stop().await;
        assert_eq!(stream.next().await, None);
    })
    .await;
}

/// A watcher without its token would miss changes, and one without its filter would get those of others.
#[tokio::test]
async fn a_misspelt_parameter_and_an_empty_token_are_refused() {
    on_both(plain(), |mut harness| async move {
        for (query, text) in [
            ("snap_token=x", "\"snap_token\" is not a parameter"),
            ("namspace=Doc", "\"namspace\" is not a parameter"),
            ("snaptoken=", "snaptoken: must not be empty"),
            ("namespace=Doc&snaptoken=", "snaptoken: must not be empty"),
        ] {
            let refused = harness.read.get(&format!("/relation-tuples/watch?{query}")).await.expect(400);
            assert!(refused.string("/error/reason").contains(text), "{query}: {refused}");
        }
        for path in ["objects?namespace=Doc&relation=r", "relations?namespace=Doc&object=a"] {
            let refused =
                harness.read.get(&format!("/relation-tuples/{path}&subject_id=a&snaptoken=")).await.expect(400);
            assert_eq!(refused.at("/error/details/field"), "snaptoken", "{path}: {refused}");
        }
        // Keto ignores what it does not know in a check.
        let check =
            "/relation-tuples/check/openapi?namespace=Doc&object=a&relation=r&subject_id=a&snaptokn=x&snaptoken=";
        assert_eq!(harness.read.get(check).await.expect(200).at("/allowed"), &json!(false));
    })
    .await;
}
