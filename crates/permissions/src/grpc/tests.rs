//! The services over a database, by the bytes of their protocols.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use base::{Context, ManualClock, RequestId, Rng, TenantId, Timestamp, uuid::Uuid};
use database::Database;
use database::testing::on_both_engines;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::messages::POOL;
use crate::Permissions;
use crate::testing::service::service;

struct Harness {
    permissions: Arc<Permissions>,
    database: Database,
}

async fn on_both<F: Future<Output = ()>>(test: impl Fn(Harness) -> F) {
    on_both_engines(&[jobs::MIGRATIONS, crate::MIGRATIONS], |database| {
        let test = &test;
        async move {
            let section = json!({ "namespaces": [{ "name": "Doc" }, { "name": "Group" }] });
            let clock = ManualClock::starting_at(Timestamp::EPOCH).clock();
            let permissions = service(&database, section, "https://read.example/", &clock).unwrap();
            permissions.load_model().await.unwrap();
            test(Harness { permissions, database }).await;
        }
    })
    .await;
}

impl Harness {
    /// Calls a method by Connect: the status, and the message or the error.
    async fn call(&self, method: &str, body: Value) -> (u16, Value) {
        let router =
            if method.contains("Write") { self.permissions.write_router() } else { self.permissions.read_router() };
        call(router, method, body).await
    }

    async fn keto(&self, method: &str, body: Value) -> (u16, Value) {
        self.call(&format!("ory.keto.relation_tuples.v1alpha2.{method}"), body).await
    }

    async fn insert(&self, tuple: Value) -> Vec<Value> {
        let body = json!({"relationTupleDeltas": [{"action": "ACTION_INSERT", "relationTuple": tuple}]});
        let (status, answer) = self.keto("WriteService/TransactRelationTuples", body).await;
        assert_eq!(status, 200, "{answer}");
        answer["snaptokens"].as_array().unwrap().clone()
    }

    async fn list(&self, body: Value) -> Vec<Value> {
        let (status, answer) = self.keto("ReadService/ListRelationTuples", body).await;
        assert_eq!(status, 200, "{answer}");
        answer["relationTuples"].as_array().cloned().unwrap_or_default()
    }
}

async fn call(router: Router, method: &str, body: Value) -> (u16, Value) {
    let request = Request::post(format!("/{method}")).header("content-type", "application/json");
    let mut request = request.body(Body::from(body.to_string())).unwrap();
    let (now, id) = (Timestamp::from_unix_seconds(1_000_000), RequestId(Uuid::nil()));
    request.extensions_mut().insert(Context::for_background(now, TenantId::DEFAULT, id));
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&to_bytes(response.into_body(), 1 << 20).await.unwrap()).unwrap_or_default())
}

#[expect(clippy::needless_pass_by_value, reason = "most subjects are literals")]
fn tuple(object: &str, subject: Value) -> Value {
    json!({"namespace": "Doc", "object": object, "relation": "viewer", "subject": subject})
}

#[tokio::test]
async fn tuples_are_written_listed_and_deleted() {
    on_both(|harness| async move {
        let (ada, group) = (json!({"id": "ada"}), json!({"set": {"namespace": "Group", "object": "g"}}));
        let tokens = harness.insert(tuple("a", ada.clone())).await;
        assert_eq!(tokens.len(), 1);
        harness.insert(tuple("b", group.clone())).await;
        let all = json!({"relationQuery": {}, "snaptoken": tokens[0]});
        assert_eq!(harness.list(all.clone()).await, [tuple("a", ada.clone()), tuple("b", group.clone())]);
        for (query, objects) in [
            (json!({"relation_query": {"subject": group}}), vec!["b"]),
            (json!({"relationQuery": {"object": ""}}), vec![]),
            (json!({"query": {"object": "", "relation": "viewer"}}), vec!["a", "b"]),
            (json!({"query": {"object": "a"}, "relationQuery": {"object": "b"}}), vec!["b"]),
        ] {
            let found = harness.list(query.clone()).await;
            assert_eq!(found.iter().map(|it| it["object"].as_str().unwrap()).collect::<Vec<_>>(), objects, "{query}");
        }
        // Insertions come first, whatever the order.
        let both = json!({"relationTupleDeltas": [
            {"action": 2, "relationTuple": tuple("c", ada.clone())},
            {"action": "ACTION_INSERT", "relationTuple": tuple("c", ada.clone())},
        ]});
        let (_, answer) = harness.keto("WriteService/TransactRelationTuples", both).await;
        assert_eq!(answer["snaptokens"].as_array().unwrap().len(), 1);
        assert_eq!(harness.list(all.clone()).await.len(), 2);
        let delete = json!({"relationQuery": {"namespace": "Doc", "object": "a"}});
        assert_eq!(harness.keto("WriteService/DeleteRelationTuples", delete.clone()).await, (200, json!({})));
        assert_eq!(harness.keto("WriteService/DeleteRelationTuples", delete).await, (200, json!({})));
        assert_eq!(harness.list(all.clone()).await.len(), 1);
        assert_eq!(harness.keto("WriteService/DeleteRelationTuples", json!({"relationQuery": {}})).await.0, 200);
        assert!(harness.list(all).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn checks_batches_and_expansions_have_the_answers_of_rest() {
    on_both(|harness| async move {
        let ada = json!({"id": "ada"});
        let members = json!({"set": {"namespace": "Group", "object": "g", "relation": "members"}});
        let member = json!({"namespace": "Group", "object": "g", "relation": "members", "subject": ada});
        harness.insert(member).await;
        let tokens = harness.insert(tuple("a", members.clone())).await;
        let granted = tuple("a", ada.clone());
        let denied = tuple("b", ada.clone());
        let (status, answer) =
            harness.keto("CheckService/Check", json!({"tuple": granted, "snaptoken": tokens[0]})).await;
        assert_eq!((status, &answer["allowed"]), (200, &json!(true)), "{answer}");
        assert_eq!(answer["snaptoken"], tokens[0]);
        // The deprecated members count where there is no tuple.
        let (_, answer) = harness.keto("CheckService/Check", granted.clone()).await;
        assert_eq!(answer["allowed"], json!(true));
        let (_, answer) = harness.keto("CheckService/Check", json!({"tuple": denied, "latest": true})).await;
        assert_eq!(answer.get("allowed"), None, "{answer}");
        // The members of the second group are not looked at, and that is no denial.
        let outer = json!({"set": {"namespace": "Group", "object": "h", "relation": "members"}});
        harness.insert(json!({"namespace": "Group", "object": "h", "relation": "members", "subject": members})).await;
        harness.insert(tuple("c", outer)).await;
        let shallow = json!({"tuple": tuple("c", ada.clone()), "maxDepth": 1});
        let (status, error) = harness.keto("CheckService/Check", shallow).await;
        assert_eq!((status, &error["code"]), (400, &json!("failed_precondition")), "{error}");

        let wrong = [json!({"namespace": "None", "subject": ada}), json!({"namespace": "Doc"})];
        let batch = json!({"tuples": [granted, denied, wrong[0], wrong[1]], "latest": true});
        let (_, answer) = harness.keto("CheckService/BatchCheck", batch).await;
        let results = answer["results"].as_array().unwrap();
        assert_eq!(results.iter().map(|it| it["allowed"] == true).collect::<Vec<_>>(), [true, false, false, false]);
        assert_eq!(results[1].get("error"), None);
        assert_eq!(results[3]["error"], "subject: id or set is required");
        assert!(results[2]["error"].as_str().unwrap().contains("None"), "{answer}");

        let viewers = json!({"set": {"namespace": "Doc", "object": "a", "relation": "viewer"}});
        let (_, answer) = harness.keto("ExpandService/Expand", json!({"subject": viewers, "maxDepth": 1})).await;
        assert!(answer["truncated"].as_str().unwrap().contains("raise max-depth"), "{answer}");
        let (_, answer) = harness.keto("ExpandService/Expand", json!({"subject": viewers, "maxDepth": 9})).await;
        assert_eq!(answer.get("truncated"), None, "{answer}");
        let group = &answer["tree"]["children"][0];
        assert_eq!(answer["tree"]["nodeType"], "NODE_TYPE_UNION", "{answer}");
        assert_eq!((&group["nodeType"], &group["tuple"]["subject"]), (&json!("NODE_TYPE_UNION"), &members));
        assert_eq!(group["children"][0]["tuple"]["subject"], ada);
        let (_, answer) = harness.keto("ExpandService/Expand", json!({"subject": ada})).await;
        assert_eq!(answer["tree"]["nodeType"], "NODE_TYPE_LEAF", "{answer}");
    })
    .await;
}

#[tokio::test]
async fn a_question_that_cannot_be_asked_names_its_field() {
    on_both(|harness| async move {
        let unknown = json!({"tuple": {"namespace": "None", "object": "a", "subject": {"id": "ada"}}});
        let tuples = vec![tuple("a", json!({"id": "ada"})); 11];
        for (method, body, status, text) in [
            ("CheckService/Check", json!({}), 400, "subject"),
            ("CheckService/Check", json!({"tuple": {"namespace": "Doc"}}), 400, "tuple.subject"),
            ("CheckService/Check", unknown, 404, "tuple.namespace: there is no namespace"),
            ("CheckService/Check", json!({"tuple": tuples[0], "snaptoken": "x"}), 400, "snaptoken"),
            ("CheckService/BatchCheck", json!({"tuples": tuples}), 400, "tuples"),
            ("ExpandService/Expand", json!({}), 400, "subject"),
            ("ExpandService/Expand", json!({"subject": {"set": {"namespace": "None"}}}), 404, "None"),
        ] {
            let (found, error) = harness.keto(method, body).await;
            assert_eq!(found, status, "{method}: {error}");
            assert!(error["message"].as_str().unwrap().contains(text), "{method}: {error}");
        }
    })
    .await;
}

#[tokio::test]
async fn pages_continue_their_own_query() {
    on_both(|harness| async move {
        for object in ["a", "b", "c"] {
            harness.insert(tuple(object, json!({"id": "ada"}))).await;
        }
        let method = "ReadService/ListRelationTuples";
        let query = json!({"namespace": "Doc"});
        let (_, first) = harness.keto(method, json!({"relationQuery": query, "pageSize": 2})).await;
        let token = first["nextPageToken"].clone();
        let (_, second) =
            harness.keto(method, json!({"relationQuery": query, "pageSize": 2, "pageToken": token})).await;
        assert_eq!(second["relationTuples"].as_array().unwrap().len(), 1);
        assert_eq!(second["nextPageToken"], Value::Null);
        for (query, token) in [(json!({}), token.as_str().unwrap()), (query.clone(), "nonsense")] {
            let body = json!({"relationQuery": query, "pageToken": token});
            let (status, error) = harness.keto(method, body).await;
            assert_eq!(
                (status, &error["details"][0]["debug"]["metadata"]["field"]),
                (400, &json!("page_token")),
                "{error}"
            );
        }
        let (status, error) = harness.keto(method, json!({"relationQuery": {}, "snaptoken": "x"})).await;
        assert_eq!((status, &error["code"]), (400, &json!("invalid_argument")));
        // The token of a change that this database does not have, as after a restore.
        let cx = Context::for_background(Timestamp::EPOCH, TenantId::DEFAULT, RequestId(Rng::seeded(9).uuid()));
        let sealer = harness.permissions.tokens.sealer(&cx).await.unwrap();
        let ahead = crate::domain::snapshot::Snapshot(i64::MAX);
        let ahead = crate::components::tokens::snaptoken(&sealer, TenantId::DEFAULT, ahead);
        let (status, error) = harness.keto(method, json!({"relationQuery": {}, "snaptoken": ahead})).await;
        assert_eq!((status, &error["code"]), (400, &json!("failed_precondition")), "{error}");
        // A list has 100 items unless a client asks for another number.
        for size in [0, -1, i32::MIN] {
            assert_eq!(harness.list(json!({"relationQuery": {}, "pageSize": size})).await.len(), 3);
        }
    })
    .await;
}

#[tokio::test]
async fn refused_changes_name_their_field_and_change_nothing() {
    on_both(|harness| async move {
        let good = tuple("a", json!({"id": "ada"}));
        let change = |tuple: Value| json!({"action": "ACTION_INSERT", "relationTuple": tuple});
        let of_namespace = |namespace: &str| {
            let mut tuple = good.clone();
            tuple["namespace"] = json!(namespace);
            tuple
        };
        let set = |namespace: &str| tuple("a", json!({"set": {"namespace": namespace, "object": "o"}}));
        for (delta, code, field) in [
            (json!({"relationTuple": good}), "invalid_argument", "action"),
            (json!({"action": 7, "relationTuple": good}), "invalid_argument", "action"),
            (json!({"action": "ACTION_INSERT"}), "invalid_argument", "relation_tuple"),
            (change(tuple("a", Value::Null)), "invalid_argument", "relation_tuple.subject"),
            (change(tuple("a", json!({}))), "invalid_argument", "relation_tuple.subject"),
            (change(of_namespace("Nothing")), "not_found", "relation_tuple.namespace"),
            (change(set("Nothing")), "not_found", "relation_tuple.subject.set.namespace"),
            (change(set("")), "not_found", "relation_tuple.subject.set.namespace"),
            (change(tuple(&"x".repeat(2000), json!({"id": "a"}))), "invalid_argument", "relation_tuple.object"),
            (change(tuple("a", json!({"id": "x".repeat(2000)}))), "invalid_argument", "relation_tuple.subject.id"),
        ] {
            let body = json!({"relationTupleDeltas": [change(good.clone()), delta]});
            let (_, error) = harness.keto("WriteService/TransactRelationTuples", body).await;
            let place = format!("relation_tuple_deltas[1].{field}");
            let named = &error["details"][0]["debug"]["metadata"]["field"];
            assert_eq!((&error["code"], named), (&json!(code), &json!(place)), "{error}");
            assert!(error["message"].as_str().unwrap().starts_with(&place), "{error}");
        }
        assert!(harness.list(json!({"relationQuery": {}})).await.is_empty());
        for service in ["ReadService/ListRelationTuples", "WriteService/DeleteRelationTuples"] {
            assert_eq!(harness.keto(service, json!({})).await.0, 400, "{service}");
            let (status, error) = harness.keto(service, json!({"relationQuery": {"namespace": "Nothing"}})).await;
            assert_eq!((status, &error["code"]), (404, &json!("not_found")), "{service}");
        }
        // A misspelt name would delete everything.
        let misspelt = json!({"relationQuery": {"namspace": "Doc"}});
        assert_eq!(harness.keto("WriteService/DeleteRelationTuples", misspelt).await.0, 400);
    })
    .await;
}

#[tokio::test]
async fn our_services_have_expiry_and_conditions() {
    on_both(|harness| async move {
        let write = "kleis.permissions.v1.RelationTupleWriteService/TransactRelationTuples";
        let read = "kleis.permissions.v1.RelationTupleReadService/ListRelationTuples";
        let stored = json!({"tuple": tuple("a", json!({"id": "ada"})), "expiresAt": "2030-01-01T00:00:00.000001Z"});
        let (status, answer) = harness.call(write, json!({"inserts": [stored]})).await;
        assert_eq!(status, 200, "{answer}");
        let (_, found) = harness.call(read, json!({"snaptoken": answer["snaptoken"]})).await;
        assert_eq!(found["relationTuples"], json!([stored]));
        let with = |name: &str, value: Value| {
            let mut changed = stored.clone();
            changed[name] = value;
            json!({"inserts": [stored, changed]})
        };
        for (body, field) in [
            (with("expiresAt", json!("1970-01-02T00:00:00Z")), "inserts[1].expires_at"),
            (with("condition", json!({"name": "nothing"})), "inserts[1].condition.name"),
            (with("tuple", tuple("a", Value::Null)), "inserts[1].tuple.subject"),
            (with("tuple", Value::Null), "inserts[1].tuple"),
            (json!({"deletes": [tuple("a", Value::Null)]}), "deletes[0].subject"),
        ] {
            let (status, error) = harness.call(write, body).await;
            let named = &error["details"][0]["debug"]["metadata"]["field"];
            assert_eq!((status, named), (400, &json!(field)), "{error}");
        }
        let (status, _) = harness.call(write, json!({"deletes": [tuple("a", json!({"id": "ada"}))]})).await;
        assert_eq!((status, harness.list(json!({"relationQuery": {}})).await.len()), (200, 0));
    })
    .await;
}

#[tokio::test]
async fn each_listener_has_its_own_services() {
    on_both(|harness| async move {
        let routers =
            [harness.permissions.read_router(), harness.permissions.write_router(), harness.permissions.opl_router()];
        let mut served = [const { Vec::new() }; 3];
        for service in POOL.services() {
            for method in service.methods().filter(|method| !method.is_server_streaming()) {
                for (router, served) in routers.iter().zip(&mut served) {
                    let path = format!("{}/{}", service.full_name(), method.name());
                    let (status, answer) = call(router.clone(), &path, json!({})).await;
                    assert!(!["internal", "unknown"].map(Value::from).contains(&answer["code"]), "{path}: {answer}");
                    if status != 404 {
                        served.push(service.name().to_owned());
                    }
                }
            }
        }
        served.iter_mut().for_each(Vec::dedup);
        let [read, write, opl] = served;
        assert_eq!(
            read,
            [
                "Health",
                "PermissionService",
                "RelationTupleReadService",
                "CheckService",
                "ExpandService",
                "NamespacesService",
                "ReadService",
                "VersionService"
            ]
        );
        assert_eq!(write, ["Health", "RelationTupleWriteService", "VersionService", "WriteService"]);
        assert_eq!(opl, ["Health", "SyntaxService", "VersionService"]);
        drop(harness.database);
    })
    .await;
}

#[tokio::test]
async fn the_syntax_check_has_the_positions_of_keto() {
    on_both(|harness| async move {
        let check = async |text: &[u8]| {
            let body = json!({"content": base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text)});
            call(harness.permissions.opl_router(), "ory.keto.opl.v1alpha1.SyntaxService/Check", body).await
        };
        assert_eq!(check(b"class User implements Namespace {}").await, (200, json!({})));
        let (status, answer) = check(b"class User implements Nmespace {}").await;
        let error = &answer["parseErrors"][0];
        assert_eq!(
            (status, &error["start"], &error["end"]),
            (200, &json!({"line": 1, "column": 22}), &json!({"line": 1, "column": 30}))
        );
        assert!(error["message"].as_str().unwrap().contains("Namespace"), "{answer}");
        let (status, error) = check(&[0xff]).await;
        assert_eq!((status, &error["details"][0]["debug"]["metadata"]["field"]), (400, &json!("content")));
    })
    .await;
}

#[tokio::test]
async fn health_is_that_of_the_listener() {
    on_both(|harness| async move {
        let ask = async |service: &str, checks: Option<Vec<Arc<dyn service::Check>>>| {
            let router = match checks {
                Some(checks) => {
                    let readiness = service::Readiness::new(checks.into());
                    harness.permissions.read_router().layer(axum::Extension(readiness))
                }
                None => harness.permissions.read_router(),
            };
            call(router, "grpc.health.v1.Health/Check", json!({"service": service})).await
        };
        let serving = (200, json!({"status": "SERVING"}));
        for service in ["", "ory.keto.relation_tuples.v1alpha2.ReadService", "grpc.health.v1.Health"] {
            assert_eq!(ask(service, Some(Vec::new())).await, serving, "{service}");
        }
        assert_eq!(ask("", Some(vec![Arc::new(Failing)])).await.1, json!({"status": "NOT_SERVING"}));
        assert_eq!(ask("", None).await.1, json!({"status": "NOT_SERVING"}));
        let (status, error) = ask("ory.keto.relation_tuples.v1alpha2.WriteService", Some(Vec::new())).await;
        assert_eq!((status, &error["code"]), (404, &json!("not_found")));
    })
    .await;
}

struct Failing;

#[async_trait::async_trait]
impl service::Check for Failing {
    fn name(&self) -> &'static str {
        "failing"
    }

    async fn run(&self) -> Result<(), String> {
        Err("because".to_owned())
    }
}

#[tokio::test]
async fn a_member_of_a_wrong_type_is_named() {
    on_both(|harness| async move {
        for (body, field) in [
            (json!({"tuple": {"subject": {"set": {"object": 1}}}}), "tuple.subject.set.object"),
            (json!({"tuple": []}), "tuple"),
            (json!({"maxDepth": "deep"}), "maxDepth"),
        ] {
            let (status, error) = harness.keto("CheckService/Check", body.clone()).await;
            assert_eq!(status, 400, "{body}: {error}");
            assert!(error["message"].as_str().unwrap().contains(field), "{error}");
            assert_eq!(error["details"][0]["debug"]["metadata"]["field"], field, "{error}");
        }
        let (_, error) = harness.keto("CheckService/Check", json!([])).await;
        assert!(error["details"].is_null(), "{error}");
    })
    .await;
}
