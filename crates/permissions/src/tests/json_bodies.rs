//! JSON that could be read in two ways is refused, by every endpoint and every protocol.

use axum::http::Method;
use serde_json::{Value, json};

use super::attributes::{CHECK, TRANSACT, connect, section};
use super::harness::on_both;

/// serde reads a record from a list of its members as well, in the order of the source code.
#[tokio::test]
async fn a_record_is_not_a_list_at_any_depth() {
    on_both(section(), |mut harness| async move {
        let tuple = |members: Value| {
            let mut tuple = json!({ "namespace": "Doc", "object": "1", "relation": "guests" });
            tuple.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            tuple
        };
        let plain = tuple(json!({ "subject_set": ["User", "ada", ""] }));
        let ada = json!({ "namespace": "User", "object": "ada", "relation": "" });
        let conditional = tuple(json!({ "subject_set": ada, "condition": ["below", { "limit": 1 }] }));
        let [check, batch] = ["/relation-tuples/check", "/relation-tuples/batch/check"];
        let [tuples, migration] = ["/admin/relation-tuples", "/admin/relation-tuples/migrate-subjects"];
        for (method, path, body, field) in [
            (Method::POST, check, json!(["Doc", "1", "guests", "ada"]), "."),
            (Method::POST, check, plain.clone(), "subject_set"),
            (Method::POST, check, conditional.clone(), "condition"),
            (Method::POST, batch, json!({ "tuples": [["Doc", "1", "guests", "ada"]] }), "tuples[0]"),
            (Method::POST, batch, json!({ "tuples": [plain.clone()] }), "tuples[0].subject_set"),
            (
                Method::POST,
                "/relation-tuples/objects",
                json!({ "namespace": "Doc", "relation": "guests", "subject_set": ["User", "ada", ""] }),
                "subject_set",
            ),
            (Method::PUT, tuples, conditional.clone(), "condition"),
            (Method::PATCH, tuples, json!([["insert", plain]]), "[0]"),
            (
                Method::PATCH,
                tuples,
                json!([{ "action": "insert", "relation_tuple": conditional }]),
                "[0].relation_tuple.condition",
            ),
            (Method::POST, migration, json!({ "map": [["a", "User"]] }), "map[0]"),
        ] {
            let client = if path.starts_with("/admin") { &mut harness.write } else { &mut harness.read };
            let reply = client.request(method, path, Some(("application/json", body.to_string()))).await;
            let found = (reply.status.as_u16(), reply.at("/error/details/field"));
            assert_eq!(found, (400, &json!(field)), "{path} {body}: {reply}");
            let expected = format!("{field}: invalid type: sequence, expected a JSON object");
            assert!(reply.text.contains(&expected), "{path} {body}: {reply}");
        }
        let entity = json!({ "type": "User", "id": "ada" });
        let request =
            json!({ "subject": entity, "action": { "name": "odd" }, "resource": { "type": "Doc", "id": "1" } });
        for member in ["subject", "action", "resource", "context", "page", "options"] {
            let mut body = request.clone();
            body[member] = json!(["User", "ada"]);
            let path = match member {
                "page" => "/access/v1/search/action",
                "options" => "/access/v1/evaluations",
                _ => "/access/v1/evaluation",
            };
            let reply = harness.read.post_json(path, &body).await.expect(400);
            assert_eq!(reply.json, json!(format!("{member}: must be a JSON object")), "{path}");
        }
        for (path, body) in [
            (CHECK, json!({ "tuple": ["Doc", "1", "guests"] })),
            (CHECK, json!({ "tuple": tuple(json!({ "subject": [{ "id": "ada" }] })) })),
            (CHECK, json!({ "tuple": tuple(json!({ "subject": { "set": ["User", "ada", ""] } })) })),
            (TRANSACT, json!({ "inserts": [[tuple(json!({ "subject": { "id": "ada" } }))]] })),
            (
                TRANSACT,
                json!({ "inserts": [{ "tuple": tuple(json!({ "subject": { "id": "a" } })), "condition": ["below"] }] }),
            ),
        ] {
            let (status, answer) = connect(&harness, path, &body.to_string()).await;
            assert_eq!((status, &answer["code"]), (400, &json!("invalid_argument")), "{path} {body}: {answer}");
            assert!(answer["message"].as_str().unwrap().contains("invalid type: sequence"), "{body}: {answer}");
        }
    })
    .await;
}

/// A misspelt `expires_at` or `condition` would make a permanent grant to everyone.
#[tokio::test]
async fn an_unknown_member_is_refused_and_nothing_is_changed() {
    on_both(section(), |mut harness| async move {
        let ada = json!({ "namespace": "User", "object": "ada", "relation": "" });
        let with = |member: &str, value: Value| {
            let mut tuple = json!({ "namespace": "Doc", "object": "1", "relation": "viewers", "subject_set": ada });
            tuple[member] = value;
            tuple
        };
        let set = with("subject_set", json!({ "namespace": "User", "object": "ada", "relation": "", "realm": 1 }));
        let condition = with("condition", json!({ "name": "below", "contxt": { "limit": 1 } }));
        let [tuples, check, batch] =
            ["/admin/relation-tuples", "/relation-tuples/check", "/relation-tuples/batch/check"];
        let mut wrong = Vec::new();
        for (tuple, path) in [
            (with("expiresAt", json!("2026-01-01T00:00:00Z")), "expiresAt"),
            (with("expire_at", json!("2026-01-01T00:00:00Z")), "expire_at"),
            (with("conditon", json!({ "name": "below" })), "conditon"),
            (set, "subject_set.realm"),
            (condition, "condition.contxt"),
        ] {
            wrong.push((Method::PUT, tuples, tuple.clone(), path.to_owned()));
            let insertion = json!([{ "action": "insert", "relation_tuple": tuple }]);
            wrong.push((Method::PATCH, tuples, insertion, format!("[0].relation_tuple.{path}")));
            wrong.push((Method::POST, check, tuple.clone(), path.to_owned()));
            wrong.push((Method::POST, batch, json!({ "tuples": [tuple] }), format!("tuples[0].{path}")));
        }
        let plain = with("relation", json!("viewers"));
        let delta = json!([{ "action": "insert", "relation_tuple": plain, "expires_at": "2026-01-01T00:00:00Z" }]);
        wrong.push((Method::PATCH, tuples, delta, "[0].expires_at".to_owned()));
        wrong.push((Method::POST, check, with("contxt", json!({})), "contxt".to_owned()));
        wrong.push((Method::POST, batch, json!({ "tuples": [plain], "contxt": {} }), "contxt".to_owned()));
        let migration = json!({ "map": [{ "pattern": "*", "namespace": "User", "relation": "" }] });
        let path = "/admin/relation-tuples/migrate-subjects";
        wrong.push((Method::POST, path, migration, "map[0].relation".to_owned()));
        for (method, path, body, member) in wrong {
            let client = if path.starts_with("/admin") { &mut harness.write } else { &mut harness.read };
            let reply = client.request(method, path, Some(("application/json", body.to_string()))).await;
            let found = (reply.status.as_u16(), reply.at("/error/details/field"));
            assert_eq!(found, (400, &json!(member)), "{path} {body}: {reply}");
            assert!(reply.text.contains("unknown field"), "{path} {body}: {reply}");
        }
        let subject = json!({ "set": ada });
        let plain = json!({ "namespace": "Doc", "object": "1", "relation": "viewers", "subject": subject });
        let of_keto = "/ory.keto.relation_tuples.v1alpha2.WriteService/TransactRelationTuples";
        let deletion = json!({ "action": "ACTION_DELETE", "relationTuple": plain });
        for (path, body, member) in [
            (TRANSACT, json!({ "inserts": [{ "tuple": plain, "expireAt": "2026-01-01T00:00:00Z" }] }), "expireAt"),
            (TRANSACT, json!({ "delete": [plain] }), "delete"),
            (TRANSACT, json!({ "relationTuplesDeltas": [deletion] }), "relationTuplesDeltas"),
            (of_keto, json!({ "relationTuplesDeltas": [deletion] }), "relationTuplesDeltas"),
            (
                of_keto,
                json!({ "relationTupleDeltas": [{ "action": "ACTION_INSERT", "relationTuple": plain, "if": 1 }] }),
                "if",
            ),
        ] {
            let (status, answer) = connect(&harness, path, &body.to_string()).await;
            assert_eq!((status, &answer["code"]), (400, &json!("invalid_argument")), "{path} {body}: {answer}");
            assert!(answer["message"].as_str().unwrap().contains(&format!("'{member}'")), "{body}: {answer}");
        }
        let list = harness.read.get("/relation-tuples").await.expect(200);
        assert_eq!(list.at("/relation_tuples"), &json!([]), "nothing was written");
        // Files for Keto name their JSON schema.
        let mut of_file = with("$schema", json!("https://example.org/relation_tuple.schema.json"));
        let written = harness.write.json(Method::PUT, tuples, &of_file).await.expect(201);
        harness.read.post_json(check, &of_file).await.expect(200);
        of_file.as_object_mut().unwrap().remove("$schema");
        assert_eq!(written.json, of_file);
    })
    .await;
}

/// `curl -d` sends that of a form.
#[tokio::test]
async fn a_check_and_a_tuple_are_read_as_json_whatever_their_media_type() {
    on_both(section(), |mut harness| async move {
        let tuple = r#"{"namespace":"Doc","object":"1","relation":"viewers","subject_set":{"namespace":"User","object":"ada","relation":""}}"#;
        let form = "application/x-www-form-urlencoded";
        let written = harness.write.request(Method::PUT, "/admin/relation-tuples", Some((form, tuple.to_owned()))).await;
        assert_eq!(written.status, 201, "{written}");
        let checked = harness.read.post("/relation-tuples/check", form, tuple).await;
        assert_eq!((checked.status.as_u16(), checked.at("/allowed")), (200, &json!(true)), "{checked}");
        let twice = tuple.replacen(r#""object":"1""#, r#""object":"1","object":"2""#, 1);
        let written = harness.write.request(Method::PUT, "/admin/relation-tuples", Some((form, twice.clone()))).await;
        let checked = harness.read.post("/relation-tuples/check", form, &twice).await;
        for reply in [written, checked] {
            assert_eq!(reply.status, 400, "{reply}");
            assert!(reply.text.contains("the object has two members of the name"), "{reply}");
        }
        let batch = harness.read.post("/relation-tuples/batch/check", form, r#"{"tuples":[]}"#).await;
        assert_eq!(batch.status, 415, "{batch}");
    })
    .await;
}
