//! The level Search of the certification, and pages.

use axum::http::Method;
use serde_json::{Value, json};

use super::super::harness::{Harness, on_both};
use super::{evaluate, fixture, record, refused, request, section, user, with};

/// Runs `test` with the entities of the certification in memory.
async fn on_both_in_memory<F: Future<Output = ()>>(test: impl Fn(Harness) -> F) {
    on_both(section(), |mut harness| {
        let test = &test;
        async move {
            let _following = harness.follow();
            harness.is_ready().await;
            fixture(&mut harness).await;
            test(harness).await;
        }
    })
    .await;
}

fn path(sought: &str) -> String {
    format!("/access/v1/search/{sought}")
}

fn search(subject: Value, action: &str, resource: Value) -> Value {
    let mut request = request(subject, action, resource);
    if action.is_empty() {
        request.as_object_mut().unwrap().remove("action");
    }
    request
}

/// The names of all results, each of which is permitted when it is evaluated.
async fn found(harness: &mut Harness, sought: &str, request: &Value) -> Vec<String> {
    let reply = harness.read.post_json(&path(sought), request).await.expect(200);
    let results = reply.at("/results").as_array().unwrap();
    assert_eq!(reply.at("/page"), &json!({ "next_token": "", "count": results.len() }), "{request}");
    assert!(reply.text.starts_with("{\"page\":"), "{reply}");
    let mut names = Vec::new();
    for result in results {
        let mut evaluated = request.clone();
        let name = if sought == "action" {
            evaluated["action"] = json!({});
            "name"
        } else {
            assert_eq!(result["type"], request[sought]["type"]);
            "id"
        };
        evaluated[sought][name] = result[name].clone();
        assert_eq!(evaluate(harness, &evaluated).await, json!({ "decision": true }), "{evaluated}");
        names.push(result[name].as_str().unwrap().to_owned());
    }
    names
}

#[tokio::test]
async fn the_results_of_the_certification_at_the_level_search() {
    on_both_in_memory(|mut harness| async move {
        let users = || json!({ "type": "user" });
        let records = || json!({ "type": "record" });
        let archived = || with(record("record-2"), json!({ "status": "archived" }));
        let admin = || with(user("bob"), json!({ "role": "admin" }));
        let stranger = user("nonexistent-user");
        let ship = || json!({ "type": "spaceship" });
        let ship_a = || json!({ "type": "spaceship", "id": "a" });
        for (sought, request, expected) in [
            ("subject", search(users(), "read", record("record-1")), &["alice", "bob"][..]),
            ("subject", search(user("alice"), "read", record("record-1")), &["alice", "bob"]),
            ("subject", search(users(), "write", archived()), &["bob"]),
            ("subject", search(with(users(), json!({ "role": "admin" })), "write", archived()), &["alice", "bob"]),
            ("resource", search(user("alice"), "read", records()), &["record-1", "record-2"]),
            ("resource", search(user("bob"), "read", record("record-2")), &["record-1"]),
            ("resource", search(admin(), "write", records()), &["record-2"]),
            ("action", search(user("alice"), "", record("record-1")), &["read", "readers", "write", "writers"]),
            ("action", search(admin(), "", archived()), &["admins", "write"]),
            ("action", search(stranger.clone(), "", record("record-1")), &[]),
            ("resource", search(stranger, "read", records()), &[]),
            ("subject", search(users(), "read", record("nothing")), &[]),
            ("subject", search(ship(), "read", record("record-1")), &[]),
            ("subject", search(users(), "read", ship_a()), &[]),
            ("subject", search(users(), "fly", record("record-1")), &[]),
            ("resource", search(user("alice"), "read", ship()), &[]),
            ("action", search(user("alice"), "", ship_a()), &[]),
        ] {
            let mut with_context = request.clone();
            with_context["context"] = json!({ "ip": "192.0.2.1", "hour": 1 });
            for request in [with_context, request] {
                // A condition without an attribute, of `print`, decides nothing and is mentioned.
                if sought == "action" && request.get("context").is_none() {
                    continue;
                }
                assert_eq!(found(&mut harness, sought, &request).await, expected, "{sought} {request}");
            }
        }
        let actions = search(user("alice"), "", record("record-1"));
        let reply = harness.read.post_json(&path("action"), &actions).await.expect(200);
        let names: Vec<&Value> = reply.at("/results").as_array().unwrap().iter().map(|it| &it["name"]).collect();
        assert_eq!(names, ["read", "readers", "write", "writers"]);
        assert!(reply.string("/page/properties/unresolved").contains("\"office\" has no result: context."), "{reply}");
        harness.read.post_json(&path("action"), &json!({})).await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn a_search_with_a_fault_is_refused() {
    on_both_in_memory(|mut harness| async move {
        let (users, records) = (json!({ "type": "user" }), json!({ "type": "record" }));
        let subjects = search(users.clone(), "read", record("record-1"));
        let paged = |page: Value| {
            let mut request = subjects.clone();
            request["page"] = page;
            request
        };
        for (sought, request, text) in [
            ("subject", search(users.clone(), "", record("record-1")), "action: is required"),
            ("resource", json!({ "action": { "name": "read" }, "resource": records }), "subject: is required"),
            ("action", json!({ "subject": user("alice") }), "resource: is required"),
            ("subject", search(users.clone(), "read", records.clone()), "resource.id: is required"),
            ("resource", search(users.clone(), "read", records.clone()), "subject.id: is required"),
            ("action", search(users.clone(), "", record("record-1")), "subject.id: is required"),
            ("subject", search(json!({ "id": "alice" }), "read", record("record-1")), "subject.type: is required"),
            ("subject", search(json!("user"), "read", record("record-1")), "subject: must be a JSON object"),
            ("subject", search(users, "read", record(&"x".repeat(5000))), "resource.id: must have at most"),
            ("subject", paged(json!(5)), "page: must be a JSON object"),
            ("subject", paged(json!({ "limit": -1 })), "page.limit: must be a whole number"),
            ("subject", paged(json!({ "limit": 1.5 })), "page.limit: must be a whole number"),
            ("subject", paged(json!({ "token": 5 })), "page.token: must be a string"),
            ("subject", paged(json!({ "token": "abc" })), "page.token: is not a token"),
        ] {
            refused(&harness.read.post_json(&path(sought), &request).await, text);
        }
    })
    .await;
}

#[tokio::test]
async fn without_the_tuples_in_memory_a_search_is_not_available() {
    on_both(section(), |mut harness| async move {
        let request = search(json!({ "type": "user" }), "read", record("record-1"));
        let reply = harness.read.post_json(&path("subject"), &request).await.expect(503);
        assert!(reply.text.contains("not in memory"), "{reply}");
        assert_eq!(reply.header("retry-after"), Some("5"));
    })
    .await;
}

async fn change(harness: &mut Harness, action: &str, subject: &str) {
    let set = json!({ "namespace": "user", "object": subject, "relation": "" });
    let tuple = json!({ "namespace": "record", "object": "long", "relation": "readers", "subject_set": set });
    let deltas = json!([{ "action": action, "relation_tuple": tuple }]);
    harness.write.json(Method::PATCH, "/admin/relation-tuples", &deltas).await.expect(204);
}

#[tokio::test]
async fn pages_go_on_behind_the_last_result_while_tuples_change() {
    on_both_in_memory(|mut harness| async move {
        for index in 10..19 {
            change(&mut harness, "insert", &format!("user-{index}")).await;
        }
        let mut request = search(json!({ "type": "user" }), "read", record("long"));
        request["page"] = json!({ "limit": 4 });
        let (mut names, mut pages) = (Vec::new(), 0);
        loop {
            let reply = harness.read.post_json(&path("subject"), &request).await.expect(200);
            let ids = reply.at("/results").as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned());
            names.extend(ids);
            pages += 1;
            // One in front of the position, one behind it, and the result at the position itself.
            change(&mut harness, "insert", &format!("user-0{pages}")).await;
            change(&mut harness, "insert", &format!("user-9{pages}")).await;
            change(&mut harness, "delete", names.last().unwrap()).await;
            let token = reply.string("/page/next_token");
            if token.is_empty() {
                break;
            }
            // The limit may be repeated.
            request["page"] =
                if pages == 1 { json!({ "token": token }) } else { json!({ "token": token, "limit": 4 }) };
        }
        let expected: Vec<String> = (10..19).chain([91, 92]).map(|index| format!("user-{index}")).collect();
        assert_eq!((names, pages), (expected, 3));
    })
    .await;
}

#[tokio::test]
async fn a_token_belongs_to_its_request() {
    on_both_in_memory(|mut harness| async move {
        let mut request = search(json!({ "type": "user" }), "read", record("record-1"));
        request["context"] = json!({ "a": { "x": 1, "y": 2 } });
        request["page"] = json!({ "limit": 1 });
        let reply = harness.read.post_json(&path("subject"), &request).await.expect(200);
        assert_eq!(reply.at("/results"), &json!([user("alice")]));
        let token = reply.string("/page/next_token");
        request["page"] = json!({ "token": token });
        let changed = |member: &str, value: Value| {
            let mut request = request.clone();
            request[member] = value;
            request
        };
        for other in [
            changed("context", json!({ "a": { "x": 1, "y": 3 } })),
            changed("action", json!({ "name": "write" })),
            changed("resource", record("record-2")),
            changed("resource", with(record("record-1"), json!({}))),
            changed("subject", with(json!({ "type": "user" }), json!({ "role": "admin" }))),
            changed("page", json!({ "token": token, "limit": 2 })),
        ] {
            refused(&harness.read.post_json(&path("subject"), &other).await, "belongs to another request");
        }
        refused(&harness.read.post_json(&path("action"), &changed("subject", user("alice"))).await, "another request");
        // The order of members and the id that is ignored do not matter.
        let mut same = changed("context", json!({ "a": { "y": 2, "x": 1 } }));
        same["subject"] = user("bob");
        let reply = harness.read.post_json(&path("subject"), &same).await.expect(200);
        assert_eq!(reply.json, json!({ "page": { "next_token": "", "count": 1 }, "results": [user("bob")] }));
        // A page of nothing does not go on.
        let empty = harness.read.post_json(&path("subject"), &changed("page", json!({ "limit": 0 }))).await.expect(200);
        assert_eq!(empty.at("/results"), &json!([]));
        assert!(!empty.string("/page/next_token").is_empty());
        let mut actions = search(user("alice"), "", record("record-1"));
        let mut names = Vec::new();
        for _ in 0..4 {
            actions["page"]["limit"] = json!(1);
            let reply = harness.read.post_json(&path("action"), &actions).await.expect(200);
            names.push(reply.string("/results/0/name"));
            actions["page"]["token"] = reply.at("/page/next_token").clone();
        }
        assert_eq!(names, ["read", "readers", "write", "writers"]);
        assert_eq!(actions["page"]["token"], "");
    })
    .await;
}
