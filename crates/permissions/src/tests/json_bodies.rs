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
