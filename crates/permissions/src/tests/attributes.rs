//! The attributes of a request have one meaning in every protocol.

use axum::body::Body;
use axum::http::{Method, Request, Version};
use base::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt as _;
use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value as ValueMessage};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::grpc::framed;
use super::harness::{Harness, on_both, on_both_readers};
use crate::grpc::messages::{keto, kleis_v1 as kleis};

const MODEL: &str = r#"
const equal: Condition = "context.a == context.b"
const odd: Condition = "context.a % 2 == 1"
const below: Condition = "context.a < tuple.limit"
class User implements Namespace {}
class Doc implements Namespace {
    related: { viewers: User[] guests: When<User, "below">[] }
    permits = {
        equal: (ctx: Context): boolean => this.related.viewers.includes(ctx.subject) && ctx.meets("equal"),
        odd: (ctx: Context): boolean => this.related.viewers.includes(ctx.subject) && ctx.meets("odd"),
    }
}
"#;

pub(super) const CHECK: &str = "/kleis.permissions.v1.PermissionService/Check";
pub(super) const TRANSACT: &str = "/kleis.permissions.v1.RelationTupleWriteService/TransactRelationTuples";

pub(super) fn section() -> Value {
    let location = format!("base64://{}", STANDARD.encode(MODEL));
    json!({ "namespaces": { "location": location }, "write_validation": "strict" })
}

/// What a client learns from an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Allowed,
    Denied,
    /// The condition has no result.
    Unanswered,
    /// The context is refused by name, with the remedy.
    Refused,
}
use Outcome::{Allowed, Denied, Refused, Unanswered};

/// Only an error about a number of the context is expected.
fn refused(text: &str) -> Outcome {
    assert!(text.contains("context") && text.contains("send it as a string"), "{text}");
    Refused
}

fn decided(is_allowed: bool) -> Outcome {
    if is_allowed { Allowed } else { Denied }
}

async fn insert(harness: &mut Harness) {
    let ada = json!({ "namespace": "User", "object": "ada", "relation": "" });
    let tuple = json!({ "namespace": "Doc", "object": "1", "relation": "viewers", "subject_set": ada });
    harness.write.json(Method::PUT, "/admin/relation-tuples", &tuple).await.expect(201);
}

async fn by_rest(harness: &mut Harness, permit: &str, context: &str) -> Outcome {
    let ada = r#"{"namespace":"User","object":"ada","relation":""}"#;
    let tuple = format!(r#""namespace":"Doc","object":"1","relation":"{permit}","subject_set":{ada}"#);
    let body = format!(r#"{{{tuple},"context":{context}}}"#);
    let one = harness.read.post("/relation-tuples/check/openapi", "application/json", &body).await;
    let outcome = match one.status.as_u16() {
        200 => decided(one.at("/allowed") == true),
        422 => Unanswered,
        _ => {
            assert_eq!((one.status.as_u16(), one.at("/error/details/field")), (400, &json!("context")), "{one}");
            refused(&one.text)
        }
    };
    // A batch, and the reverse question by a body.
    let body = format!(r#"{{"tuples":[{{{tuple}}}],"context":{context}}}"#);
    let batch = harness.read.post("/relation-tuples/batch/check", "application/json", &body).await;
    let in_batch = match batch.status.as_u16() {
        200 if batch.json.pointer("/results/0/error").is_some() => Unanswered,
        200 => decided(batch.at("/results/0/allowed") == true),
        _ => refused(&batch.text),
    };
    assert_eq!(in_batch, outcome, "{context}: {batch}");
    outcome
}

async fn by_authzen(harness: &mut Harness, permit: &str, context: &str) -> Outcome {
    let request = format!(
        r#"{{"subject":{{"type":"User","id":"ada"}},"action":{{"name":"{permit}"}},"resource":{{"type":"Doc","id":"1"}},"context":{context}}}"#
    );
    let reply = harness.read.post("/access/v1/evaluation", "application/json", &request).await;
    if reply.status == 400 {
        return refused(&reply.text);
    }
    match reply.json.pointer("/context/error/status") {
        Some(status) => {
            assert_eq!(status, 422, "{reply}");
            Unanswered
        }
        None => decided(reply.at("/decision") == true),
    }
}

async fn by_connect(harness: &Harness, permit: &str, context: &str) -> Outcome {
    let subject = r#"{"set":{"namespace":"User","object":"ada"}}"#;
    let tuple = format!(r#"{{"namespace":"Doc","object":"1","relation":"{permit}","subject":{subject}}}"#);
    let (status, answer) = connect(harness, CHECK, &format!(r#"{{"tuple":{tuple},"context":{context}}}"#)).await;
    match answer["code"].as_str() {
        None => {
            assert_eq!(status, 200, "{answer}");
            decided(answer["allowed"] == true)
        }
        Some("failed_precondition") => Unanswered,
        Some(code) => {
            assert_eq!(code, "invalid_argument", "{answer}");
            assert_eq!(answer["details"][0]["debug"]["metadata"]["field"], "context", "{answer}");
            refused(answer["message"].as_str().unwrap())
        }
    }
}

/// A call with the bytes of a message in JSON: the status, and the message or the error.
pub(super) async fn connect(harness: &Harness, path: &str, body: &str) -> (u16, Value) {
    let request = Request::post(path).header("content-type", "application/json").body(Body::from(body.to_owned()));
    let mut request = request.unwrap();
    request.extensions_mut().insert::<Context>(harness.cx());
    let is_write = path.contains("Write");
    let router = if is_write { harness.permissions.write_router() } else { harness.permissions.read_router() };
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

async fn by_grpc(harness: &Harness, permit: &str, context: &str) -> Outcome {
    let set = keto::SubjectSet { namespace: "User".into(), object: "ada".into(), relation: String::new() };
    let subject = Some(keto::Subject { r#ref: Some(keto::subject::Ref::Set(set)) });
    let tuple = keto::RelationTuple { namespace: "Doc".into(), object: "1".into(), relation: permit.into(), subject };
    let Some(Kind::StructValue(context)) = message(&serde_json::from_str(context).unwrap()).kind else {
        panic!("{context} is no object")
    };
    let request = kleis::CheckRequest { tuple: Some(tuple), context: Some(context), ..kleis::CheckRequest::default() };
    let bytes = framed(&request.encode_to_vec());
    let request = Request::post(CHECK).version(Version::HTTP_2).header("content-type", "application/grpc");
    let mut request = request.body(Body::from(bytes)).unwrap();
    request.extensions_mut().insert::<Context>(harness.cx());
    let (parts, body) = harness.permissions.read_router().oneshot(request).await.unwrap().into_parts();
    let collected = body.collect().await.unwrap();
    let trailers = collected.trailers().cloned().unwrap_or_default();
    let of_status = |name: &str| {
        let value = trailers.get(name).or_else(|| parts.headers.get(name));
        value.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    match of_status("grpc-status").as_str() {
        "0" => decided(kleis::CheckResponse::decode(&collected.to_bytes()[5..]).unwrap().allowed),
        "9" => Unanswered,
        status => {
            assert_eq!(status, "3", "{}", of_status("grpc-message"));
            refused(&of_status("grpc-message").replace("%20", " "))
        }
    }
}

/// A value as a client of Protocol Buffers has it: its numbers are doubles.
fn message(value: &Value) -> ValueMessage {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(*value),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap()),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(items) => Kind::ListValue(ListValue { values: items.iter().map(message).collect() }),
        Value::Object(members) => {
            let fields = members.iter().map(|(name, value)| (name.clone(), message(value))).collect();
            Kind::StructValue(Struct { fields })
        }
    };
    ValueMessage { kind: Some(kind) }
}

#[tokio::test]
async fn the_same_attributes_have_the_same_answer_by_every_protocol() {
    on_both_readers(section(), |mut harness| async move {
        insert(&mut harness).await;
        for (permit, context, expected) in [
            ("equal", r#"{"a":3,"b":3.0}"#, Allowed),
            ("equal", r#"{"a":3e0,"b":3}"#, Allowed),
            ("equal", r#"{"a":[1,{"c":2.0}],"b":[1.0,{"c":2}]}"#, Allowed),
            ("equal", r#"{"a":0.1,"b":1e-1}"#, Allowed),
            ("equal", r#"{"a":0.30000000000000004,"b":0.3}"#, Denied),
            ("equal", r#"{"a":-0.0,"b":0}"#, Allowed),
            ("equal", r#"{"a":9007199254740991,"b":9007199254740990}"#, Denied),
            ("equal", r#"{"a":9007199254740991,"b":9007199254740991.0}"#, Allowed),
            // Different numbers that are the same double.
            ("equal", r#"{"a":9007199254740993,"b":9007199254740992}"#, Refused),
            ("equal", r#"{"a":-9007199254740993,"b":-9007199254740992}"#, Refused),
            ("equal", r#"{"a":9223372036854775807,"b":9223372036854775808}"#, Refused),
            ("equal", r#"{"a":18446744073709551616,"b":18446744073709551617}"#, Refused),
            ("equal", r#"{"a":[{"id":1e300}],"b":1}"#, Refused),
            ("equal", r#"{"a":"9007199254740993","b":"9007199254740992"}"#, Denied),
            ("equal", r#"{"a":"3","b":3}"#, Denied),
            // An operator that doubles do not have.
            ("odd", r#"{"a":3}"#, Allowed),
            ("odd", r#"{"a":3.0}"#, Allowed),
            ("odd", r#"{"a":30e-1}"#, Allowed),
            ("odd", r#"{"a":4.0}"#, Denied),
            ("odd", r#"{"a":2.5}"#, Unanswered),
            ("odd", "{}", Unanswered),
        ] {
            let outcomes = [
                by_rest(&mut harness, permit, context).await,
                by_authzen(&mut harness, permit, context).await,
                by_connect(&harness, permit, context).await,
                by_grpc(&harness, permit, context).await,
            ];
            assert_eq!(outcomes, [expected; 4], "{permit} with {context}: REST, AuthZEN, Connect, gRPC");
        }
    })
    .await;
}

/// Otherwise a list by gRPC would show another number than the one that was written.
#[tokio::test]
async fn a_number_that_a_protocol_would_round_is_not_stored() {
    on_both(section(), |mut harness| async move {
        let ada = json!({ "namespace": "User", "object": "ada", "relation": "" });
        for (number, is_exact) in
            [("9007199254740991", true), ("9007199254740992", false), ("18446744073709551616", false)]
        {
            let condition = format!(r#"{{"name":"below","context":{{"limit":{number}}}}}"#);
            let tuple = format!(
                r#"{{"namespace":"Doc","object":"1","relation":"guests","subject_set":{ada},"condition":{condition}}}"#
            );
            let reply =
                harness.write.request(Method::PUT, "/admin/relation-tuples", Some(("application/json", tuple))).await;
            assert_eq!(reply.status, if is_exact { 201 } else { 400 }, "{number}: {reply}");
            if !is_exact {
                assert_eq!(reply.at("/error/details/field"), "condition.context", "{reply}");
                assert!(reply.text.contains("tuple.limit is a number beyond"), "{reply}");
            }
            let subject = r#"{"set":{"namespace":"User","object":"ada"}}"#;
            let tuple = format!(r#"{{"namespace":"Doc","object":"1","relation":"guests","subject":{subject}}}"#);
            let body = format!(r#"{{"inserts":[{{"tuple":{tuple},"condition":{condition}}}]}}"#);
            let (status, answer) = connect(&harness, TRANSACT, &body).await;
            assert_eq!(status, if is_exact { 200 } else { 400 }, "{number}: {answer}");
            if !is_exact {
                let field = &answer["details"][0]["debug"]["metadata"]["field"];
                assert_eq!(field, "inserts[0].condition.context", "{answer}");
            }
        }
    })
    .await;
}

/// Each body would mean one thing to who keeps the first member, and another to who keeps the last.
#[tokio::test]
async fn a_member_that_occurs_twice_is_refused_by_every_protocol() {
    on_both(section(), |mut harness| async move {
        let ada = r#"{"namespace":"User","object":"ada","relation":""}"#;
        let question = format!(r#""namespace":"Doc","object":"1","relation":"odd","subject_set":{ada}"#);
        let twice = r#"{"a":4,"a":3}"#;
        let entity =
            r#""subject":{"type":"User","id":"ada"},"action":{"name":"odd"},"resource":{"type":"Doc","id":"1"}"#;
        let condition = r#"{"name":"below","context":{"limit":1,"limit":2}}"#;
        let conditional = format!(
            r#"{{"namespace":"Doc","object":"1","relation":"guests","subject_set":{ada},"condition":{condition}}}"#
        );
        let patch = format!(r#"[{{"action":"insert","relation_tuple":{conditional}}}]"#);
        let listed = format!(r#""namespace":"Doc","relation":"odd","subject_set":{ada}"#);
        for (method, path, body, field) in [
            (Method::POST, "/relation-tuples/check", format!(r#"{{{question},"context":{twice}}}"#), "context"),
            (Method::POST, "/relation-tuples/check/openapi", format!(r#"{{{question},"object":"2"}}"#), "."),
            (Method::POST, "/relation-tuples/check", format!(r#"{{{question},"unknown":[{twice}]}}"#), "unknown[0]"),
            (
                Method::POST,
                "/relation-tuples/batch/check",
                format!(r#"{{"tuples":[{{{question}}}],"context":{{"b":{twice}}}}}"#),
                "context.b",
            ),
            (Method::POST, "/relation-tuples/objects", format!(r#"{{{listed},"context":{twice}}}"#), "context"),
            (
                Method::POST,
                "/relation-tuples/subjects",
                format!(r#"{{"namespace":"Doc","object":"1","relation":"odd","context":{twice}}}"#),
                "context",
            ),
            (
                Method::POST,
                "/relation-tuples/relations",
                format!(r#"{{"namespace":"Doc","object":"1","subject_set":{ada},"context":{twice}}}"#),
                "context",
            ),
            (Method::PUT, "/admin/relation-tuples", conditional.clone(), "condition.context"),
            (Method::PATCH, "/admin/relation-tuples", patch, "[0].relation_tuple.condition.context"),
            (
                Method::POST,
                "/admin/relation-tuples/migrate-subjects",
                r#"{"map":[{"pattern":"a","pattern":"b","namespace":"User"}]}"#.to_owned(),
                "map[0]",
            ),
        ] {
            let client = if path.starts_with("/admin") { &mut harness.write } else { &mut harness.read };
            let reply = client.request(method, path, Some(("application/json", body.clone()))).await;
            assert_eq!(
                (reply.status.as_u16(), reply.at("/error/details/field")),
                (400, &json!(field)),
                "{path} {body}: {reply}"
            );
            assert!(reply.text.contains("two members of the name"), "{path} {body}: {reply}");
        }
        for path in ["/access/v1/evaluation", "/access/v1/evaluations", "/access/v1/search/subject"] {
            let body = format!(r#"{{{entity},"context":{twice}}}"#);
            let reply = harness.read.post(path, "application/json", &body).await;
            assert_eq!(reply.status, 400, "{path}: {reply}");
            assert!(reply.json.as_str().is_some_and(|it| it.starts_with("context: the object has two")), "{reply}");
        }
        let subject = r#"{"set":{"namespace":"User","object":"ada"}}"#;
        let tuple = format!(r#"{{"namespace":"Doc","object":"1","relation":"odd","subject":{subject}}}"#);
        let check = "/ory.keto.relation_tuples.v1alpha2.CheckService/Check";
        for (path, body, field) in [
            (CHECK, format!(r#"{{"tuple":{tuple},"context":{twice}}}"#), json!("context")),
            (CHECK, format!(r#"{{"tuple":{tuple},"maxDepth":1,"maxDepth":5}}"#), Value::Null),
            // Two spellings of one name.
            (CHECK, format!(r#"{{"tuple":{tuple},"maxDepth":1,"max_depth":5}}"#), Value::Null),
            (check, format!(r#"{{"tuple":{tuple},"max_depth":1,"maxDepth":5}}"#), Value::Null),
            (
                TRANSACT,
                format!(r#"{{"inserts":[{{"tuple":{tuple},"expiresAt":"2030-01-01T00:00:00Z","expires_at":null}}]}}"#),
                json!("inserts[0]"),
            ),
            (
                TRANSACT,
                format!(r#"{{"inserts":[{{"tuple":{tuple},"condition":{condition}}}]}}"#),
                json!("inserts[0].condition.context"),
            ),
        ] {
            let (status, answer) = connect(&harness, path, &body).await;
            assert_eq!((status, &answer["code"]), (400, &json!("invalid_argument")), "{path} {body}: {answer}");
            assert!(answer["message"].as_str().unwrap().contains("two members of the name"), "{body}: {answer}");
            assert_eq!(answer["details"][0]["debug"]["metadata"]["field"], field, "{body}: {answer}");
        }
    })
    .await;
}

/// Attributes that a careless key of a cache would mix up. Neither the answer before nor the one beside decides.
#[tokio::test]
async fn requests_with_different_attributes_never_share_an_answer() {
    on_both_readers(section(), |mut harness| async move {
        insert(&mut harness).await;
        let contexts = [
            (json!({ "a": ["x,y"], "b": ["x", "y"] }), false),
            (json!({ "a": ["x", "y"], "b": ["x", "y"] }), true),
            (json!({ "a": ["x,y"], "b": ["x,y"] }), true),
            (json!({ "a": "1", "b": 1 }), false),
            (json!({ "a": 1, "b": 1 }), true),
            (json!({ "a": { "b": {} }, "b": { "b": null } }), false),
            (json!({ "a": {}, "b": {} }), true),
        ];
        let entity = |context: &Value| {
            json!({ "subject": { "type": "User", "id": "ada" }, "action": { "name": "equal" },
                    "resource": { "type": "Doc", "id": "1" }, "context": context })
        };
        let expected: Vec<bool> = contexts.iter().map(|(_, expected)| *expected).collect();
        for _ in 0..2 {
            let evaluations: Vec<Value> = contexts.iter().map(|(context, _)| entity(context)).collect();
            let request = json!({ "evaluations": evaluations });
            let together = harness.read.post_json("/access/v1/evaluations", &request).await.expect(200);
            let together: Vec<bool> =
                together.at("/evaluations").as_array().unwrap().iter().map(|it| it["decision"] == true).collect();
            assert_eq!(together, expected);
            for (context, expected) in &contexts {
                let alone = harness.read.post_json("/access/v1/evaluation", &entity(context)).await.expect(200);
                assert_eq!(alone.at("/decision"), *expected, "{context}");
            }
        }
    })
    .await;
}
