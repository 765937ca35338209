//! The changes of relation tuples as a stream of responses: the same as by server-sent events.

use axum::http::{Method, StatusCode};
use base::shares::NoShare;
use base::{Context, TenantId, Timestamp};
use serde_json::{Value, json};
use web::RestError;
use web::rpc::{Code, Status};

use super::super::harness::{Harness, on_both, plain};
use super::{Stream, WATCH, refused, tuple};
use crate::domain::snapshot::Snapshot;
use crate::domain::tuple_query::TupleQuery;
use crate::operations::watch_relation_tuples::WatchError;

/// Makes changes by REST: the token of the snapshot after them.
async fn patch(harness: &mut Harness, changes: &[(&str, Value)]) -> String {
    let delta = |(action, tuple): &(&str, Value)| json!({ "action": action, "relation_tuple": tuple });
    let deltas: Vec<Value> = changes.iter().map(delta).collect();
    let reply = harness.write.json(Method::PATCH, "/admin/relation-tuples", &json!(deltas)).await.expect(204);
    reply.header("snaptoken").expect("a token").to_owned()
}

fn rest(object: &str) -> Value {
    json!({ "namespace": "Doc", "object": object, "relation": "viewer", "subject_id": "ada" })
}

#[tokio::test]
async fn a_stream_has_every_change_after_its_token_once() {
    on_both(plain(), |mut harness| async move {
        let following = harness.follow();
        let first = patch(&mut harness, &[("insert", rest("a"))]).await;
        let mut stream = Stream::open(&harness, WATCH, &json!({})).await;
        assert_eq!(stream.next().await, Ok(json!({ "heartbeat": {}, "snaptoken": first })), "where it begins");
        let mut expiring = rest("b");
        expiring["expires_at"] = json!("2030-01-01T00:00:00Z");
        let group = json!({ "namespace": "Group", "object": "g", "relation": "member", "subject_id": "ada" });
        let second =
            patch(&mut harness, &[("insert", expiring), ("insert", group.clone()), ("delete", rest("a"))]).await;
        let third = patch(&mut harness, &[("delete", group)]).await;
        let of_group = json!({ "namespace": "Group", "object": "g", "relation": "member", "subject": { "id": "ada" } });
        let at = "1970-01-12T13:46:40Z";
        let changed =
            |changes: Value, token: &str| Ok(json!({ "change": { "at": at, "changes": changes }, "snaptoken": token }));
        let of_b = json!({ "insert": { "tuple": tuple("b"), "expiresAt": "2030-01-01T00:00:00Z" } });
        let all = json!([of_b, { "insert": { "tuple": of_group } }, { "delete": tuple("a") }]);
        let last = changed(json!([{ "delete": of_group }]), &third);
        assert_eq!(stream.next().await, changed(all.clone(), &second));
        assert_eq!(stream.next().await, last);
        let mut again = Stream::open(&harness, WATCH, &json!({ "snaptoken": first })).await;
        assert_eq!(again.next().await, Ok(json!({ "heartbeat": {}, "snaptoken": first })));
        assert_eq!(again.next().await, changed(all, &second));
        let mut filtered =
            Stream::open(&harness, WATCH, &json!({ "snaptoken": first, "query": { "namespace": "Doc" } })).await;
        filtered.next().await.unwrap();
        assert_eq!(filtered.next().await, changed(json!([of_b, { "delete": tuple("a") }]), &second));
        let mut after = Stream::open(&harness, WATCH, &json!({ "snaptoken": second })).await;
        after.next().await.unwrap();
        assert_eq!(after.next().await, last);
        following.stop().await;
        let end = stream.next().await.unwrap_err();
        assert_eq!(end["error"]["code"], "unavailable", "a client continues elsewhere: {end}");
    })
    .await;
}

#[tokio::test]
async fn a_token_that_cannot_be_continued_is_refused() {
    on_both(plain(), |mut harness| async move {
        let first = patch(&mut harness, &[("insert", rest("a"))]).await;
        patch(&mut harness, &[("insert", rest("b"))]).await;
        let last = patch(&mut harness, &[("insert", rest("c"))]).await;
        let reaper = database::Reaper::new(harness.database.clone(), [jobs::EVENTS]);
        reaper.reap(Timestamp::from_unix_seconds(9_000_000), 9).await.unwrap();
        let sealer = harness.permissions.tokens.sealer(&harness.cx()).await.unwrap();
        let future = crate::components::tokens::snaptoken(&sealer, TenantId::DEFAULT, Snapshot(i64::MAX - 1));
        for (token, code) in
            [(first.as_str(), "out_of_range"), (&future, "failed_precondition"), ("x", "invalid_argument")]
        {
            let found = refused(&harness, WATCH, &json!({ "snaptoken": token })).await;
            assert_eq!(found, (code.to_owned(), json!("snaptoken")), "{token}");
        }
        assert_eq!(refused(&harness, WATCH, &json!({ "snapToken": last })).await.0, "invalid_argument");
        let following = harness.follow();
        let mut stream = Stream::open(&harness, WATCH, &json!({ "snaptoken": last })).await;
        assert_eq!(stream.next().await.unwrap()["snaptoken"], last);
        let next = patch(&mut harness, &[("insert", rest("d"))]).await;
        assert_eq!(stream.next().await.unwrap()["snaptoken"], next);
        for (query, code, field) in [
            (json!({ "namespace": "Nowhere" }), "not_found", "query.namespace"),
            (json!({ "subject": {} }), "invalid_argument", "query.subject"),
            (json!({ "subject": { "id": "x".repeat(2_000) } }), "invalid_argument", "query.subject.id"),
        ] {
            let found = refused(&harness, WATCH, &json!({ "query": query })).await;
            assert_eq!(found, (code.to_owned(), json!(field)));
        }
        following.stop().await;
    })
    .await;
}

#[tokio::test]
async fn streams_have_a_bound_which_those_of_rest_count_for_too() {
    on_both(plain(), |mut harness| async move {
        patch(&mut harness, &[("insert", rest("a"))]).await;
        let mut streams = Vec::new();
        while harness.permissions.watchers.left() > 0 {
            streams.push(Stream::open(&harness, WATCH, &json!({})).await);
        }
        assert_eq!(streams.len(), 1_000);
        assert_eq!(refused(&harness, WATCH, &json!({})).await.0, "resource_exhausted");
        harness.read.get("/relation-tuples/watch").await.expect(503);
        // Whoever leaves makes room.
        streams.pop();
        let mut last = Stream::open(&harness, WATCH, &json!({})).await;
        assert!(last.next().await.unwrap()["heartbeat"].is_object());
        assert_eq!(refused(&harness, WATCH, &json!({})).await.0, "resource_exhausted");
    })
    .await;
}

#[tokio::test]
async fn one_client_has_a_half_of_the_streams() {
    on_both(plain(), |mut harness| async move {
        patch(&mut harness, &[("insert", rest("a"))]).await;
        let permissions = harness.permissions.clone();
        let watch = async |address: &str| {
            let cx = Context { client_address: Some(address.parse().unwrap()), ..harness.cx() };
            permissions.watch_relation_tuples(&cx, TupleQuery::default(), None).await
        };
        let mut streams = Vec::new();
        for _ in 0..500 {
            streams.push(watch("2001:db8::1").await.unwrap());
        }
        let refused = watch("2001:db8::2").await.err().unwrap();
        assert!(matches!(refused, WatchError::TooMany(NoShare::OfClient(500))), "{refused:?}");
        let (rest, call) = (RestError::from(refused), watch("2001:db8::2").await.err().unwrap());
        assert_eq!(rest.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(Status::from(call).code, Code::ResourceExhausted);
        assert!(watch("192.0.2.1").await.is_ok(), "another client");
        streams.pop();
        assert!(watch("2001:db8::2").await.is_ok(), "whoever leaves makes room");
    })
    .await;
}
