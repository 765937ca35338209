//! Which questions wait for a graph, and what they are answered without one.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::http::StatusCode;
use base::TenantId;
use database::testing::on_both_engines;
use futures_util::poll;
use serde_json::json;
use tokio::task::JoinSet;

use super::super::harness::{Harness, on_both, plain};
use super::{ALL, follower, insert, insert_many, loaded, objects_of_ada, of_ada};
use crate::components::graph::Absence;
use crate::operations::check::CheckOptions;
use crate::operations::list_names::{ListError, Part};
use crate::operations::{Answered, EvaluateError};

/// As on a machine that is so busy that the log is read late.
#[tokio::test]
async fn a_list_waits_for_a_graph_that_is_behind_but_not_for_one_that_nobody_loads() {
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

#[tokio::test]
async fn a_list_of_a_new_tenant_waits_until_its_relation_tuples_are_in_memory() {
    on_both(plain(), |harness| async move {
        let (permissions, cx) = (harness.permissions.clone(), harness.cx());
        let (question, mut follower) = (objects_of_ada(), follower(&harness));
        follower.ask().await;
        assert!(permissions.graph_statistics().is_empty(), "the tenant has no row");
        let mut list = pin!(permissions.list_names(&cx, &question, ALL, CheckOptions::default()));
        let asked = async {
            while !permissions.feed.take_asked() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = asked => {}
            listed = &mut list => panic!("it gives up without asking the follower: {listed:?}"),
        }
        follower.ask().await;
        follower.loaded().await;
        let listed = list.await;
        assert_eq!(listed.unwrap().answer.names, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_list_after_the_first_change_of_a_tenant_has_it() {
    on_both(plain(), |harness| async move {
        let _following = harness.follow();
        let (permissions, cx) = (harness.permissions.clone(), harness.cx());
        permissions.transact_relation_tuples(&cx, &[insert("a", None)]).await.unwrap();
        let listed = permissions.list_names(&cx, &objects_of_ada(), ALL, CheckOptions::default()).await;
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
