//! `/relation-tuples` and `/admin/relation-tuples`, as a client sees them.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use super::harness::{Harness, on_both, plain};

const TUPLES: &str = "/admin/relation-tuples";

fn ada(object: &str) -> Value {
    json!({ "namespace": "Doc", "object": object, "relation": "viewer", "subject_id": "ada" })
}

fn members() -> Value {
    let set = json!({ "namespace": "Group", "object": "g", "relation": "" });
    json!({ "namespace": "Doc", "object": "a/b", "relation": "viewer", "subject_set": set })
}

async fn list(harness: &mut Harness, query: &str) -> Vec<Value> {
    let page = harness.read.get(&format!("/relation-tuples?{query}")).await.expect(200);
    assert_eq!(page.at("/next_page_token"), "");
    page.at("/relation_tuples").as_array().unwrap().clone()
}

async fn patch(harness: &mut Harness, changes: &[(&str, Value)]) -> test_client::Reply {
    let delta = |(action, tuple): &(&str, Value)| json!({ "action": action, "relation_tuple": tuple });
    let body: Value = changes.iter().map(delta).collect();
    harness.write.json(Method::PATCH, TUPLES, &body).await
}

#[tokio::test]
async fn a_created_tuple_is_echoed_and_is_found_at_its_location() {
    on_both(plain(), |mut harness| async move {
        for tuple in [ada("a"), members()] {
            for _ in 0..2 {
                let created = harness.write.json(Method::PUT, TUPLES, &tuple).await.expect(201);
                assert_eq!(created.json, tuple);
                let location = created.header("location").unwrap().to_owned();
                let found = harness.read.get(&location).await.expect(200);
                assert_eq!(found.json, json!({ "relation_tuples": [tuple], "next_page_token": "" }));
            }
        }
        assert_eq!(list(&mut harness, "").await, [ada("a"), members()]);
        assert_eq!(list(&mut harness, "namespace=Doc&object=a").await, [ada("a")]);
        assert_eq!(list(&mut harness, "subject_id=ada&object=x").await, [Value::Null; 0]);
        let namespaces = harness.read.get("/namespaces").await.expect(200);
        assert_eq!(namespaces.json, json!({ "namespaces": [{ "name": "Doc" }, { "name": "Group" }] }));
    })
    .await;
}

#[tokio::test]
async fn a_member_of_another_type_is_named_in_words_of_json() {
    on_both(plain(), |mut harness| async move {
        let with = |member: &str, value: Value| {
            let mut tuple = ada("a");
            tuple[member] = value;
            tuple
        };
        for (tuple, field) in [
            (json!("Doc:a#viewer@ada"), "."),
            (with("condition", json!("late")), "condition"),
            (with("subject_set", json!("Group:g")), "subject_set"),
            (with("expires_at", json!(true)), "expires_at"),
        ] {
            let delta = json!([{ "action": "insert", "relation_tuple": tuple }]);
            let check = "/relation-tuples/check";
            for (reply, place) in [
                (harness.write.json(Method::PUT, TUPLES, &tuple).await, ""),
                (harness.read.post_json(check, &tuple).await, ""),
                (harness.write.json(Method::PATCH, TUPLES, &delta).await, "[0].relation_tuple."),
                (
                    harness.read.post_json("/relation-tuples/batch/check", &json!({ "tuples": [tuple] })).await,
                    "tuples[0].",
                ),
            ] {
                let reply = reply.expect(400);
                let reason = reply.string("/error/reason");
                assert!(!reason.contains("struct") && !reason.contains("Document"), "{reason}");
                let named = reply.string("/error/details/field");
                let expected = format!("{place}{field}").replace("..", "");
                assert_eq!(named, expected, "{reason}");
            }
        }
        for path in ["/relation-tuples/check", "/relation-tuples/batch/check", "/relation-tuples/objects"] {
            let reply = harness.read.post_json(path, &json!("text")).await.expect(400);
            let reason = reply.string("/error/reason");
            assert!(reason.contains("a JSON object"), "{path}: {reason}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_tuple_may_expire() {
    on_both(plain(), |mut harness| async move {
        let ends = harness.clock().now().plus(Duration::from_mins(1)).to_string();
        let mut tuple = ada("a");
        tuple["expires_at"] = json!(ends);
        let created = harness.write.json(Method::PUT, TUPLES, &tuple).await.expect(201);
        assert_eq!(created.json, tuple);
        assert_eq!(list(&mut harness, "").await, [tuple.clone()]);
        harness.clock.advance(Duration::from_mins(1));
        assert_eq!(list(&mut harness, "").await, [Value::Null; 0]);
        let late = harness.write.json(Method::PUT, TUPLES, &tuple).await.expect(400);
        assert_eq!(late.string("/error/reason"), "expires_at: must be in the future");
        let wrong =
            json!({ "namespace": "Doc", "object": "a", "relation": "r", "subject_id": "x", "expires_at": "soon" });
        let wrong = harness.write.json(Method::PUT, TUPLES, &wrong).await.expect(400);
        assert!(wrong.string("/error/reason").starts_with("expires_at: not an RFC 3339 time"), "{wrong}");
    })
    .await;
}

#[tokio::test]
async fn a_patch_is_atomic_and_deletes_after_it_inserts() {
    on_both(plain(), |mut harness| async move {
        patch(&mut harness, &[("insert", ada("a")), ("insert", ada("b"))]).await.expect(204);
        let refused = [("insert", ada("c")), ("delete", ada("a")), ("insert", json!({ "namespace": "Nope" }))];
        let answer = patch(&mut harness, &refused).await.expect(400);
        assert_eq!(answer.string("/error/details/field"), "[2].relation_tuple.subject_id");
        let unknown = json!({ "namespace": "Nope", "object": "", "relation": "", "subject_id": "x" });
        let answer = patch(&mut harness, &[("insert", ada("c")), ("delete", unknown)]).await.expect(404);
        assert_eq!(answer.string("/error/details/field"), "[1].relation_tuple.namespace");
        assert_eq!(list(&mut harness, "").await, [ada("a"), ada("b")]);
        // The order in the request plays no part.
        patch(&mut harness, &[("delete", ada("c")), ("insert", ada("c")), ("delete", ada("a"))]).await.expect(204);
        assert_eq!(list(&mut harness, "").await, [ada("b")]);
        patch(&mut harness, &[]).await.expect(204);
        patch(&mut harness, &[("delete", ada("never"))]).await.expect(204);
        let misspelt = patch(&mut harness, &[("remove", ada("b"))]).await.expect(400);
        assert!(misspelt.string("/error/reason").starts_with("[0].action: unknown variant"), "{misspelt}");
        let null = json!([{ "action": "insert", "relation_tuple": null }]);
        harness.write.json(Method::PATCH, TUPLES, &null).await.expect(400);
        harness.write.json(Method::PATCH, TUPLES, &json!({})).await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn a_deletion_needs_a_namespace_and_known_parameters() {
    on_both(plain(), |mut harness| async move {
        patch(&mut harness, &[("insert", ada("a")), ("insert", ada("b")), ("insert", members())]).await.expect(204);
        for (query, status) in [
            ("", 400),
            ("object=a", 400),
            ("namespace=Doc&objekt=a", 400),
            ("namespace=Doc&page_size=1", 400),
            ("namespace=Doc&subject_id=a&subject_set.namespace=b", 400),
            ("namespace=Doc&subject=a", 400),
            ("namespace=Nope", 404),
        ] {
            harness.write.json(Method::DELETE, &format!("{TUPLES}?{query}"), &Value::Null).await.expect(status);
        }
        let body = Some(("application/json", "{}".to_owned()));
        harness.write.request(Method::DELETE, &format!("{TUPLES}?namespace=Doc"), body).await.expect(400);
        assert_eq!(list(&mut harness, "").await.len(), 3);
        let delete = async |harness: &mut Harness, query: &str, count: &str| {
            let path = format!("{TUPLES}?{query}");
            let reply = harness.write.json(Method::DELETE, &path, &Value::Null).await.expect(204);
            assert_eq!(reply.header("deleted"), Some(count), "{reply}");
        };
        delete(&mut harness, "namespace=Doc&object=nothing", "0").await;
        delete(&mut harness, "namespace=Doc&object=a&subject_id=ada", "1").await;
        assert_eq!(list(&mut harness, "").await, [members(), ada("b")]);
        delete(&mut harness, "namespace=Doc", "2").await;
        assert_eq!(list(&mut harness, "").await, [Value::Null; 0]);
    })
    .await;
}

#[tokio::test]
async fn pages_follow_each_other_and_a_token_belongs_to_its_query() {
    on_both(plain(), |mut harness| async move {
        let tuples: Vec<_> = (0..505).map(|it| ("insert", ada(&format!("{it:03}")))).collect();
        patch(&mut harness, &tuples).await.expect(204);
        let size = async |harness: &mut Harness, query: &str| {
            let page = harness.read.get(&format!("/relation-tuples?{query}")).await.expect(200);
            (page.at("/relation_tuples").as_array().unwrap().len(), page.string("/next_page_token"))
        };
        assert_eq!(size(&mut harness, "").await.0, 100);
        assert_eq!(size(&mut harness, "page_size=0").await.0, 100);
        assert_eq!(size(&mut harness, "page_size=-3").await.0, 100);
        let (first, token) = size(&mut harness, "page_size=9999").await;
        let (rest, last) = size(&mut harness, &format!("page_size=9999&page_token={token}")).await;
        assert_eq!((first, rest, last.as_str()), (500, 5, ""));
        let elsewhere =
            harness.read.get(&format!("/relation-tuples?namespace=Doc&page_token={token}")).await.expect(400);
        assert_eq!(elsewhere.string("/error/reason"), "page_token: not a token of this query");
        for query in ["page_size=x", "page_token=x", "snaptoken=x", "namespace=Nope", "subject=x"] {
            let status = if query.contains("Nope") { 404 } else { 400 };
            harness.read.get(&format!("/relation-tuples?{query}")).await.expect(status);
        }
    })
    .await;
}

#[tokio::test]
async fn a_tuple_has_one_subject_and_every_refusal_names_the_field() {
    on_both(plain(), |mut harness| async move {
        let both = json!({
            "namespace": "Doc", "object": "a", "relation": "r", "subject_id": "x",
            "subject_set": { "namespace": "Group", "object": "g", "relation": "" },
        });
        let no_namespace = json!({ "object": "a", "relation": "r", "subject_id": "x" });
        let of_no_namespace = json!({
            "namespace": "Doc", "object": "a", "relation": "r", "subject_set": { "object": "g", "relation": "" },
        });
        let long = json!({ "namespace": "Doc", "object": "x".repeat(1025), "relation": "r", "subject_id": "x" });
        let conditional = json!({
            "namespace": "Doc", "object": "a", "relation": "r", "subject_id": "x", "condition": { "name": "hours" },
        });
        let nul = json!({ "namespace": "Doc", "object": "a\0", "relation": "r", "subject_id": "x" });
        for (body, status, field) in [
            (both, 400, "subject_id"),
            (json!({ "namespace": "Doc", "object": "a", "relation": "r" }), 400, "subject_id"),
            (no_namespace, 404, "namespace"),
            (of_no_namespace, 404, "subject_set.namespace"),
            (long, 400, "object"),
            (conditional, 400, "condition.name"),
            (nul, 400, "object"),
            (json!({ "namespace": 1 }), 400, "namespace"),
        ] {
            let answer = harness.write.json(Method::PUT, TUPLES, &body).await.expect(status);
            assert_eq!(answer.string("/error/details/field"), field, "{answer}");
        }
        harness.write.request(Method::PUT, TUPLES, Some(("application/json", "{".into()))).await.expect(400);
    })
    .await;
}

/// Keto leaves the parameter out, and deletes everything that the rest matches.
#[tokio::test]
async fn a_query_that_is_not_encoded_is_refused_and_deletes_nothing() {
    on_both(plain(), |mut harness| async move {
        patch(&mut harness, &[("insert", ada("a")), ("insert", ada("%zz"))]).await.expect(204);
        for (query, field) in [
            ("namespace=Doc&object=%zz", "object"),
            ("namespace=Doc&object=%", "object"),
            ("namespace=Doc&object=%e", "object"),
            ("namespace=Doc&%zz=a", "%zz"),
        ] {
            let refused = harness.write.request(Method::DELETE, &format!("{TUPLES}?{query}"), None).await.expect(400);
            assert_eq!(refused.string("/error/details/field"), field, "{query}");
            for path in ["/relation-tuples", "/relation-tuples/check", "/relation-tuples/expand"] {
                harness.read.get(&format!("{path}?{query}")).await.expect(400);
            }
        }
        let all = list(&mut harness, "namespace=Doc").await;
        assert_eq!(all.len(), 2, "{all:?}");
        harness.write.request(Method::DELETE, &format!("{TUPLES}?namespace=Doc&object=%25zz"), None).await.expect(204);
        assert_eq!(list(&mut harness, "namespace=Doc").await, [ada("a")]);
    })
    .await;
}
