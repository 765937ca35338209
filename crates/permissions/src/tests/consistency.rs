//! What an answer must have seen: on one node, on two nodes of one database, with and without tokens, while others write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use base::Timestamp;
use database::{Database, Dsn};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::harness::{Following, Harness, on_both, on_both_readers, plain};
use crate::domain::consistency::Consistency;
use crate::domain::relation_tuple::{RelationTuple, StoredTuple, Subject, SubjectSet};
use crate::domain::tuple_changes::TupleChange;
use crate::operations::Answered;
use crate::operations::check::CheckOptions;
use crate::operations::require_snapshot::RequireSnapshotError;

fn tuple(object: &str, relation: &str, subject: &str) -> RelationTuple {
    let (namespace, object) = object.split_once(':').unwrap();
    let subject = match subject.split_once(':') {
        None => Subject::Id(subject.into()),
        Some((namespace, object)) => {
            let (object, relation) = object.split_once('#').unwrap_or((object, ""));
            Subject::Set(SubjectSet { namespace: namespace.into(), object: object.into(), relation: relation.into() })
        }
    };
    RelationTuple { namespace: namespace.into(), object: object.into(), relation: relation.into(), subject }
}

fn insert(tuple: RelationTuple) -> TupleChange {
    TupleChange::Insert(StoredTuple::from(tuple))
}

async fn write(node: &Harness, changes: &[TupleChange]) -> String {
    node.permissions.transact_relation_tuples(&node.cx(), changes).await.unwrap().1
}

async fn check(node: &Harness, tuple: &RelationTuple, consistency: Consistency) -> Answered<bool> {
    let options = CheckOptions { consistency, ..CheckOptions::default() };
    node.permissions.check(&node.cx(), tuple, options).await.unwrap()
}

async fn at_least(node: &Harness, token: &str) -> Consistency {
    Consistency::AtLeastAsFresh(node.permissions.open_snaptoken(&node.cx(), token).await.unwrap())
}

const MINIMAL: Consistency = Consistency::MinimizeLatency;

/// The follower rests, so it has not heard that the database was set back.
#[tokio::test]
async fn a_token_ahead_of_a_restored_database_is_refused_also_while_nobody_asked_for_a_while() {
    on_both(plain(), |harness| async move {
        let (permissions, cx) = (harness.permissions.clone(), harness.cx());
        let write = async |object| {
            permissions.transact_relation_tuples(&cx, &[insert(tuple(object, "viewer", "ada"))]).await.unwrap().0
        };
        let (first, last) = (write("Doc:a").await, write("Doc:b").await);
        let mut tx = harness.database.write(cx.tenant).await.unwrap();
        crate::storage::state::set_snapshot(&mut tx, first).await.unwrap();
        tx.commit().await.unwrap();
        let requires = async |snapshot| permissions.require_snapshot(&cx, Consistency::AtLeastAsFresh(snapshot)).await;
        let long_ago = Instant::now().checked_sub(Duration::from_mins(1)).unwrap();
        permissions.feed.publish(&[(cx.tenant, last)], long_ago);
        assert!(matches!(requires(last).await, Err(RequireSnapshotError::Ahead)));
        assert_eq!(requires(first).await.unwrap(), first);
        permissions.feed.publish(&[(cx.tenant, last)], Instant::now());
        assert_eq!(requires(last).await.unwrap(), last, "what was heard just now needs no question");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_sees_what_it_acknowledged_without_a_token() {
    on_both_readers(plain(), |harness| async move {
        let harness = Arc::new(harness);
        let mut clients = JoinSet::new();
        for client in 0..6 {
            let harness = harness.clone();
            clients.spawn(async move {
                for round in 0..40 {
                    let it = tuple(&format!("Doc:{client}-{round}"), "viewer", "ada");
                    let written = write(&harness, &[insert(it.clone())]).await;
                    let granted = check(&harness, &it, MINIMAL).await;
                    assert!(granted.answer, "{it:?}");
                    let token = harness.permissions.issue_snaptoken(&harness.cx(), granted.snapshot).await.unwrap();
                    let tokens = [at_least(&harness, &written).await, at_least(&harness, &token).await];
                    let [Consistency::AtLeastAsFresh(written), Consistency::AtLeastAsFresh(answered)] = tokens else {
                        panic!("{tokens:?}")
                    };
                    assert!(answered >= written);
                    write(&harness, &[TupleChange::Delete(it.clone())]).await;
                    assert!(!check(&harness, &it, MINIMAL).await.answer, "{it:?}");
                }
            });
        }
        while let Some(client) = clients.join_next().await {
            client.unwrap();
        }
    })
    .await;
}

/// The document has one of two folders as its parent, and the other folder has the viewer: nobody may ever view the document, but
/// who reads the parent before a change and the viewers after it finds that somebody may.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_check_sees_one_snapshot_while_others_write() {
    const MODEL: &str = r"
        class User implements Namespace {}
        class Folder implements Namespace { related: { viewers: User[] } }
        class Doc implements Namespace { related: { parents: Folder[] }
            permits = { view: (ctx: Context): boolean => this.related.parents.traverse((p) => p.related.viewers.includes(ctx.subject)) } }
    ";
    use base64::Engine as _;
    let location = format!("base64://{}", base64::engine::general_purpose::STANDARD.encode(MODEL));
    on_both_readers(json!({ "namespaces": { "location": location } }), |harness| async move {
        let parent = |folder: usize| tuple("Doc:d", "parents", &format!("Folder:{folder}"));
        let viewer = |folder: usize| tuple(&format!("Folder:{folder}"), "viewers", "User:ada");
        write(&harness, &[insert(parent(0)), insert(viewer(1))]).await;
        let harness = Arc::new(harness);
        let (is_over, checks) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut checkers = JoinSet::new();
        for _ in 0..3 {
            let (harness, is_over, checks) = (harness.clone(), is_over.clone(), checks.clone());
            checkers.spawn(async move {
                let question = tuple("Doc:d", "view", "User:ada");
                while !is_over.load(Ordering::Relaxed) {
                    let answered = check(&harness, &question, MINIMAL).await;
                    assert!(!answered.answer, "parts of two snapshots were combined");
                    checks.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
            });
        }
        let mut round = 0;
        while round < 150 || checks.load(Ordering::Relaxed) < 200 {
            let (from, to) = (round % 2, (round + 1) % 2);
            let changes = [
                TupleChange::Delete(parent(from)),
                insert(parent(to)),
                TupleChange::Delete(viewer(to)),
                insert(viewer(from)),
            ];
            write(&harness, &changes).await;
            round += 1;
            assert!(round < 20_000 && !checkers.is_empty(), "the checkers make no progress");
        }
        is_over.store(true, Ordering::Relaxed);
        while let Some(checker) = checkers.join_next().await {
            checker.unwrap();
        }
    })
    .await;
}

/// A node on a database that others use as well, with connections of its own.
struct Node {
    harness: Harness,
    /// Dropped as at the end of the process.
    _following: Following,
}

async fn node(dsn: &Dsn) -> Node {
    let database = Database::open(dsn).await.unwrap();
    database.migrate(&[jobs::MIGRATIONS, crate::MIGRATIONS], Timestamp::EPOCH).await.unwrap();
    let harness = Harness::new(database, plain()).await;
    Node { _following: harness.follow(), harness }
}

/// Clients write on one node and ask the other, which is killed and started again all the time, and while it loads.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_check_with_the_token_of_a_change_never_misses_it_on_another_node() {
    let dsn = database::testing::postgres_dsn().await;
    let nodes = [node(&dsn).await, node(&dsn).await].map(|node| Arc::new(ArcSwap::from_pointee(node)));
    let is_over = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for client in 0..6 {
        let (nodes, is_over) = (nodes.clone(), is_over.clone());
        clients.spawn(async move {
            let mut rounds = 0;
            while !is_over.load(Ordering::Relaxed) {
                let [one, other] = [client % 2, (client + 1) % 2].map(|index| nodes[index].load_full());
                let it = tuple(&format!("Doc:{client}-{rounds}"), "viewer", "Group:g#member");
                let through = tuple(&format!("Doc:{client}-{rounds}"), "viewer", "ada");
                let member = tuple("Group:g", "member", "ada");
                let token = write(&one.harness, &[insert(it.clone()), insert(member)]).await;
                let fresh = at_least(&other.harness, &token).await;
                assert!(check(&other.harness, &through, fresh).await.answer, "the change of {token}");
                let token = write(&one.harness, &[TupleChange::Delete(it)]).await;
                let answered = check(&other.harness, &through, Consistency::FullyConsistent).await;
                assert!(!answered.answer, "latest, after {token}");
                let fresh = at_least(&other.harness, &token).await;
                assert!(!check(&other.harness, &through, fresh).await.answer, "the deletion of {token}");
                rounds += 1;
            }
            rounds
        });
    }
    for restart in 0..12 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        nodes[restart % 2].store(Arc::new(node(&dsn).await));
    }
    is_over.store(true, Ordering::Relaxed);
    let mut rounds = 0;
    while let Some(client) = clients.join_next().await {
        rounds += client.unwrap();
    }
    assert!(rounds > 100, "{rounds} rounds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revocation_is_seen_by_the_other_node_within_a_second_without_a_token() {
    let dsn = database::testing::postgres_dsn().await;
    let (one, other) = (node(&dsn).await.harness, node(&dsn).await);
    let it = tuple("Doc:a", "viewer", "ada");
    for round in 0..8 {
        let token = write(&one, &[insert(it.clone())]).await;
        other.harness.is_ready().await;
        let fresh = at_least(&other.harness, &token).await;
        assert!(check(&other.harness, &it, fresh).await.answer);
        tokio::time::sleep(Duration::from_millis(40 * round)).await;
        write(&one, &[TupleChange::Delete(it.clone())]).await;
        let revoked = Instant::now();
        while check(&other.harness, &it, MINIMAL).await.answer {
            assert!(revoked.elapsed() < Duration::from_secs(1), "{:?}", revoked.elapsed());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn a_request_chooses_its_consistency_and_its_answer_has_a_token() {
    on_both_readers(plain(), |mut harness| async move {
        let token = write(&harness, &[insert(tuple("Doc:a", "viewer", "ada"))]).await;
        let check = "/relation-tuples/check?namespace=Doc&object=a&relation=viewer&subject_id=ada";
        for more in ["", "&latest=true", "&latest=false", "&latest=", &format!("&snaptoken={token}"), "&snaptoken="] {
            let reply = harness.read.get(&format!("{check}{more}")).await.expect(200);
            assert_eq!(reply.header("snaptoken"), Some(token.as_str()), "{more}");
        }
        let later = write(&harness, &[insert(tuple("Doc:b", "viewer", "ada"))]).await;
        let question = json!({ "namespace": "Doc", "object": "a", "relation": "viewer", "subject_id": "ada" });
        for (path, body) in [
            ("/relation-tuples/check/openapi", question.clone()),
            ("/relation-tuples/batch/check", json!({ "tuples": [question] })),
        ] {
            let reply = harness.read.post_json(&format!("{path}?snaptoken={token}"), &body).await.expect(200);
            assert_eq!(reply.header("snaptoken"), Some(later.as_str()), "{path}");
        }
        let expand = "/relation-tuples/expand?namespace=Doc&object=a&relation=viewer";
        let reply = harness.read.get(&format!("{expand}&snaptoken={later}")).await.expect(200);
        assert_eq!(reply.header("snaptoken"), Some(later.as_str()));
        let sealer = harness.permissions.tokens.sealer(&harness.cx()).await.unwrap();
        let ahead = crate::domain::snapshot::Snapshot(i64::MAX);
        let ahead = crate::components::tokens::snaptoken(&sealer, harness.cx().tenant, ahead);
        for path in [check, expand, "/relation-tuples?namespace=Doc"] {
            let refused = harness.read.get(&format!("{path}&snaptoken={ahead}")).await.expect(409);
            assert!(refused.string("/error/reason").contains("does not have"), "{path}");
            harness.read.get(&format!("{path}&snaptoken=x")).await.expect(400);
            let wrong: Value = harness.read.get(&format!("{path}&latest=yes")).await.expect(400).json;
            assert_eq!(wrong["error"]["details"]["field"], "latest");
        }
    })
    .await;
}
