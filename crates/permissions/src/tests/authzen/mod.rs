//! The `AuthZEN` Authorization API, with the scenario of its certification: the entities, the decisions that the scenario fixes, and
//! the requests of its levels.

mod explanations;
mod searches;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use test_client::Reply;

use super::harness::{Harness, on_both, on_both_readers};

/// Archived records are written by their administrators, and by everyone who has the role.
const MODEL: &str = r#"
const active: Condition = "!has(resource.status) || resource.status != 'archived'"
const archived: Condition = "has(resource.status) && resource.status == 'archived'"
const admin: Condition = "has(subject.role) && subject.role == 'admin'"
const soft: Condition = "has(action.soft) && action.soft == true"
const office: Condition = "context.hour >= 9"
class user implements Namespace {}
class record implements Namespace {
    related: { readers: user[] writers: user[] admins: user[] }
    permits = {
        read: (ctx: Context): boolean => this.related.readers.includes(ctx.subject),
        write: (ctx: Context): boolean => (this.related.writers.includes(ctx.subject) && ctx.meets("active")) ||
            this.related.admins.includes(ctx.subject) || (ctx.meets("archived") && ctx.meets("admin")),
        delete: (ctx: Context): boolean => this.related.writers.includes(ctx.subject) && ctx.meets("soft"),
        print: (ctx: Context): boolean => this.related.readers.includes(ctx.subject) && ctx.meets("office"),
    }
}
"#;

const EVALUATION: &str = "/access/v1/evaluation";
const EVALUATIONS: &str = "/access/v1/evaluations";

fn section() -> Value {
    let location = format!("base64://{}", STANDARD.encode(MODEL));
    json!({ "namespaces": { "location": location }, "write_validation": "strict" })
}

/// Writes the relation tuples of the scenario.
async fn fixture(harness: &mut Harness) {
    let tuples = [
        ("record-1", "readers", "alice"),
        ("record-1", "readers", "bob"),
        ("record-1", "writers", "alice"),
        ("record-2", "readers", "alice"),
        ("record-2", "writers", "alice"),
        ("record-2", "admins", "bob"),
    ];
    let delta = |(object, relation, subject)| {
        let set = json!({ "namespace": "user", "object": subject, "relation": "" });
        let tuple = json!({ "namespace": "record", "object": object, "relation": relation, "subject_set": set });
        json!({ "action": "insert", "relation_tuple": tuple })
    };
    let deltas: Value = tuples.into_iter().map(delta).collect();
    harness.write.json(Method::PATCH, "/admin/relation-tuples", &deltas).await.expect(204);
}

fn user(id: &str) -> Value {
    json!({ "type": "user", "id": id })
}

fn record(id: &str) -> Value {
    json!({ "type": "record", "id": id })
}

fn with(mut entity: Value, properties: Value) -> Value {
    entity["properties"] = properties;
    entity
}

fn request(subject: Value, action: &str, resource: Value) -> Value {
    Value::from_iter([("subject", subject), ("action", json!({ "name": action })), ("resource", resource)])
}

async fn evaluate(harness: &mut Harness, request: &Value) -> Value {
    let reply = harness.read.post_json(EVALUATION, request).await.expect(200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    reply.json
}

async fn decisions(harness: &mut Harness, request: &Value) -> Vec<bool> {
    let reply = harness.read.post_json(EVALUATIONS, request).await.expect(200);
    let evaluations = reply.at("/evaluations").as_array().unwrap();
    evaluations.iter().map(|it| it["decision"].as_bool().unwrap()).collect()
}

/// Errors are JSON strings.
fn refused(reply: &Reply, text: &str) {
    assert_eq!(reply.status, 400, "{reply}");
    assert_eq!(reply.header("content-type"), Some("application/json"), "{reply}");
    assert!(reply.json.as_str().is_some_and(|it| it.contains(text)), "{text}: {reply}");
}

#[tokio::test]
async fn the_decisions_of_the_certification_at_the_level_basic() {
    on_both_readers(section(), |mut harness| async move {
        fixture(&mut harness).await;
        let archived = || with(record("record-2"), json!({ "status": "archived" }));
        let admin = with(user("bob"), json!({ "role": "admin" }));
        let other_admin = with(user("carol"), json!({ "role": "admin" }));
        let delete = |soft: bool| {
            let mut request = request(user("alice"), "delete", record("record-1"));
            request["action"]["properties"] = json!({ "soft": soft });
            request
        };
        let active = with(record("record-1"), json!({ "status": "active", "owner": "bob" }));
        let manager = with(user("alice"), json!({ "department": "Sales", "role": "manager" }));
        for (request, decision) in [
            (request(user("alice"), "read", record("record-1")), true),
            (request(user("alice"), "write", record("record-1")), true),
            (request(user("bob"), "read", record("record-1")), true),
            (request(user("bob"), "write", record("record-1")), false),
            (request(user("alice"), "write", archived()), false),
            (request(admin, "write", archived()), true),
            (request(other_admin, "write", archived()), true),
            (delete(true), true),
            (delete(false), false),
            (request(manager, "read", active), true),
        ] {
            // The context does not matter, nor does a member that is not known; and the answer is always the same.
            for extra in [None, Some(("context", json!({ "ip": "192.0.2.1" }))), Some(("foo", json!([1])))] {
                let mut request = request.clone();
                if let Some((name, value)) = extra {
                    request[name] = value;
                }
                assert_eq!(evaluate(&mut harness, &request).await, json!({ "decision": decision }), "{request}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_request_with_a_fault_is_refused_with_a_text_that_names_the_member() {
    on_both(section(), |mut harness| async move {
        let valid = request(user("alice"), "read", record("record-1"));
        let mut deep = json!(1);
        for _ in 0..20 {
            deep = json!([deep]);
        }
        let set = |pointer: &str, value: Value| {
            let mut request = valid.clone();
            *request.pointer_mut(pointer).unwrap() = value;
            request
        };
        let mut cases = vec![
            (set("/subject", json!("alice")), "subject: must be a JSON object"),
            (set("/subject", Value::Null), "subject: must be a JSON object"),
            (set("/subject/type", json!("")), "subject.type: must not be empty"),
            (set("/action/name", json!(123)), "action.name: must be a string"),
            (set("/action/name", json!("")), "action.name: must not be empty"),
            (set("/resource/id", json!("x".repeat(5000))), "resource.id: must have at most"),
            (set("/subject", with(user("alice"), json!([]))), "subject.properties: must be a JSON object"),
            (set("/subject", with(user("alice"), json!({ "a": deep }))), "subject.a[0]"),
            (set("/resource", with(record("a"), json!({ "a": "x".repeat(40_000) }))), "resource.a is too large"),
            (json!([valid]), "must be a JSON object"),
        ];
        for (parent, member) in
            [("subject", "type"), ("subject", "id"), ("action", "name"), ("resource", "type"), ("resource", "id")]
        {
            let mut request = valid.clone();
            request[parent].as_object_mut().unwrap().remove(member);
            let text: &str = format!("{parent}.{member}: is required").leak();
            cases.push((request, text));
        }
        for (member, text) in [
            ("subject", "subject: is required"),
            ("action", "action: is required"),
            ("resource", "resource: is required"),
        ] {
            let mut request = valid.clone();
            request.as_object_mut().unwrap().remove(member);
            cases.push((request, text));
        }
        for (request, text) in cases {
            for path in [EVALUATION, EVALUATIONS] {
                refused(&harness.read.post_json(path, &request).await, text);
            }
        }
        let text = valid.to_string();
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
            refused(&harness.read.post(EVALUATION, content_type, &text).await, "Content-Type");
        }
        let twice = text.replacen("\"id\":\"alice\"", "\"id\":\"alice\",\"id\":\"bob\"", 1);
        assert_ne!(twice, text);
        for (body, problem) in
            [("", "EOF"), ("{", "EOF"), (twice.as_str(), "subject: the object has two members of the name \"id\"")]
        {
            refused(&harness.read.post(EVALUATION, "application/json", body).await, problem);
        }
        let reply = harness.read.post(EVALUATION, "application/json; charset=utf-8", &text).await;
        reply.expect(200);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_decided_is_denied_with_a_reason() {
    on_both_readers(section(), |mut harness| async move {
        fixture(&mut harness).await;
        for (request, reason) in [
            (
                request(user("alice"), "read", json!({ "type": "ship", "id": "a" })),
                "resource.type: there is no namespace",
            ),
            (request(json!({ "type": "ship", "id": "a" }), "read", record("record-1")), "subject.type: there is no"),
            (request(user("alice"), "fly", record("record-1")), "action.name: relation \"fly\" does not exist"),
        ] {
            let answer = evaluate(&mut harness, &request).await;
            assert_eq!(answer["decision"], false);
            assert!(answer["context"]["reason"].as_str().unwrap().starts_with(reason), "{answer}");
        }
        let mut print = request(user("alice"), "print", record("record-1"));
        let answer = evaluate(&mut harness, &print).await;
        assert_eq!((&answer["decision"], &answer["context"]["error"]["status"]), (&json!(false), &json!(422)));
        assert!(answer["context"]["error"]["message"].as_str().unwrap().contains("\"office\""), "{answer}");
        print["context"] = json!({ "hour": 9 });
        assert_eq!(evaluate(&mut harness, &print).await, json!({ "decision": true }));
        print["context"] = json!({ "hour": 8 });
        assert_eq!(evaluate(&mut harness, &print).await, json!({ "decision": false }));
    })
    .await;
}

#[tokio::test]
async fn the_decisions_of_the_certification_at_the_level_batch() {
    on_both_readers(section(), |mut harness| async move {
        fixture(&mut harness).await;
        let (active, archived) = (json!({ "status": "active" }), json!({ "status": "archived" }));
        let by_action = json!({ "subject": user("bob"), "resource": record("record-1"),
            "evaluations": [{ "action": { "name": "read" } }, { "action": { "name": "write" } }] });
        let by_resource = json!({ "subject": user("alice"), "action": { "name": "write" }, "evaluations": [
            { "resource": with(record("record-1"), active.clone()) },
            { "resource": with(record("record-2"), archived.clone()) },
        ] });
        let by_subject = json!({ "action": { "name": "write" }, "resource": with(record("record-2"), archived.clone()),
            "evaluations": [{ "subject": user("alice") },
                { "subject": with(user("bob"), json!({ "role": "admin" })) }] });
        let complete = json!({ "evaluations": [
            request(user("alice"), "read", record("record-1")), request(user("bob"), "write", record("record-1")),
        ] });
        // The properties of a default are not merged into another entity.
        let mut with_defaults = request(user("alice"), "write", with(record("record-1"), active));
        with_defaults["evaluations"] = json!([{}, { "resource": with(record("record-2"), archived) }]);
        let contexts = json!({ "subject": user("alice"), "action": { "name": "print" }, "resource": record("record-1"),
            "context": { "hour": 10 }, "evaluations": [{}, { "context": { "hour": 8 } }, { "context": {} }] });
        for (request, expected) in [
            (by_action, &[true, false][..]),
            (by_resource, &[true, false]),
            (by_subject, &[false, true]),
            (complete, &[true, false]),
            (with_defaults, &[true, false]),
            (contexts, &[true, false, false]),
        ] {
            assert_eq!(decisions(&mut harness, &request).await, expected, "{request}");
        }
        // Without a list it is the other endpoint.
        let mut one = request(user("alice"), "read", record("record-1"));
        for evaluations in [None, Some(json!([]))] {
            if let Some(evaluations) = evaluations {
                one["evaluations"] = evaluations;
            }
            let reply = harness.read.post_json(EVALUATIONS, &one).await.expect(200);
            assert_eq!(reply.json, json!({ "decision": true }));
        }
    })
    .await;
}

#[tokio::test]
async fn an_evaluation_with_a_fault_is_denied_and_the_others_are_not_affected() {
    on_both(section(), |mut harness| async move {
        fixture(&mut harness).await;
        let alice = json!({ "subject": user("alice"), "action": { "name": "read" } });
        let mut batch = alice.clone();
        batch["evaluations"] = json!([{ "resource": record("record-1") }, {}, 5, { "resource": 5 },
            { "resource": record("record-1"), "action": { "name": "fly" } }, { "resource": record("record-2") }]);
        let reply = harness.read.post_json(EVALUATIONS, &batch).await.expect(200);
        let evaluations = reply.at("/evaluations").as_array().unwrap();
        assert_eq!(evaluations.len(), 6);
        assert_eq!((&evaluations[0], &evaluations[5]), (&json!({ "decision": true }), &json!({ "decision": true })));
        let fault = |index: usize| &evaluations[index]["context"]["error"];
        assert_eq!(fault(1), &json!({ "status": 400, "message": "resource: is required" }));
        assert_eq!(fault(2), &json!({ "status": 400, "message": "evaluation: must be a JSON object" }));
        assert_eq!(fault(3), &json!({ "status": 400, "message": "resource: must be a JSON object" }));
        assert_eq!(evaluations[4]["context"]["reason"], "action.name: relation \"fly\" does not exist");
        assert!(evaluations[1..5].iter().all(|it| it["decision"] == false), "{reply}");
        let fault = |member: &str, value: Value| {
            let mut request = batch.clone();
            request[member] = value;
            request
        };
        let many: Value = vec![json!({ "resource": record("record-1") }); 11].into();
        for (request, text) in [
            (fault("subject", json!("alice")), "subject: must be a JSON object"),
            (fault("evaluations", json!({})), "evaluations: must be a list"),
            (fault("evaluations", many), "evaluations: must have at most 10 elements"),
            (fault("options", json!([])), "options: must be a JSON object"),
            (fault("options", json!({ "evaluations_semantic": "any" })), "options.evaluations_semantic: must be"),
            (fault("options", json!({ "evaluations_semantic": null })), "options.evaluations_semantic: must be"),
        ] {
            refused(&harness.read.post_json(EVALUATIONS, &request).await, text);
        }
    })
    .await;
}

#[tokio::test]
async fn each_semantic_ends_the_evaluations_where_it_says() {
    on_both_readers(section(), |mut harness| async move {
        fixture(&mut harness).await;
        let (yes, no) = (json!({ "action": { "name": "read" } }), json!({ "action": { "name": "write" } }));
        let (fault, unknown) = (json!({ "action": 1 }), json!({ "action": { "name": "fly" } }));
        let lists = [
            (json!([yes, no, yes]), [&[true, false, true][..], &[true, false], &[true]]),
            (json!([no, no, yes, no]), [&[false, false, true, false], &[false], &[false, false, true]]),
            (json!([yes, fault, yes]), [&[true, false, true], &[true, false], &[true]]),
            (json!([fault, unknown, yes, yes]), [&[false, false, true, true], &[false], &[false, false, true]]),
            (json!([yes, unknown, yes]), [&[true, false, true], &[true, false], &[true]]),
            (json!([no]), [&[false], &[false], &[false]]),
        ];
        for (evaluations, expected) in lists {
            let semantics = ["execute_all", "deny_on_first_deny", "permit_on_first_permit"];
            for (semantic, expected) in semantics.iter().zip(expected) {
                let batch = json!({ "subject": user("bob"), "resource": record("record-1"), "evaluations": evaluations,
                    "options": { "evaluations_semantic": semantic, "another": 1 } });
                assert_eq!(decisions(&mut harness, &batch).await, expected, "{batch}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_metadata_name_the_endpoints_below_the_identifier() {
    on_both(section(), |mut harness| async move {
        let path = "/.well-known/authzen-configuration";
        let reply = harness.read.get(path).await.expect(200);
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(reply.string("/policy_decision_point"), "https://read.example");
        let endpoints: Vec<String> = reply
            .json
            .as_object()
            .unwrap()
            .iter()
            .skip(1)
            .map(|(name, url)| {
                assert!(name.ends_with("_endpoint"), "{name}");
                url.as_str().unwrap().strip_prefix("https://read.example").unwrap().to_owned()
            })
            .collect();
        assert_eq!(endpoints[..2], [EVALUATION, EVALUATIONS]);
        for endpoint in endpoints {
            refused(&harness.read.post_json(&endpoint, &json!({})).await, "is required");
        }
        harness.read.get(&format!("{path}/tenant1")).await.expect(404);
        let mut below = Harness::at(harness.database.clone(), section(), "https://read.example/pdp/tenant1/").await;
        let reply = below.read.get(&format!("{path}/pdp/tenant1")).await.expect(200);
        assert_eq!(reply.string("/policy_decision_point"), "https://read.example/pdp/tenant1");
        assert_eq!(
            reply.string("/access_evaluation_endpoint"),
            "https://read.example/pdp/tenant1/access/v1/evaluation"
        );
        let elsewhere = below.read.get(path).await.expect(404);
        assert_eq!(elsewhere.json, format!("the metadata of this service is at {path}/pdp/tenant1"));
    })
    .await;
}
