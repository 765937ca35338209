//! The migration of subject ids to subjects with a type.

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::harness::{Harness, on_both, plain};

const PATH: &str = "/admin/relation-tuples/migrate-subjects";
const MODEL: &str = r#"
const late: Condition = "context.hour >= 18"
class User implements Namespace {}
class Team implements Namespace {}
class Doc implements Namespace { related: { viewers: (User | When<User, "late">)[] owners: Team[] } }
"#;

fn typed(validation: &str) -> Value {
    let location = format!("base64://{}", STANDARD.encode(MODEL));
    json!({ "namespaces": { "location": location }, "write_validation": validation })
}

fn tuple(object: &str, relation: &str, id: &str) -> Value {
    json!({ "namespace": "Doc", "object": object, "relation": relation, "subject_id": id })
}

/// The tuple with the object of a namespace as its subject.
fn with_type(mut tuple: Value, namespace: &str) -> Value {
    let id = tuple.as_object_mut().unwrap().remove("subject_id").unwrap();
    tuple["subject_set"] = json!({ "namespace": namespace, "object": id, "relation": "" });
    tuple
}

async fn insert(harness: &mut Harness, tuples: &[Value]) {
    for tuples in tuples.chunks(500) {
        let deltas: Value = tuples.iter().map(|it| json!({ "action": "insert", "relation_tuple": it })).collect();
        harness.write.json(Method::PATCH, "/admin/relation-tuples", &deltas).await.expect(204);
    }
}

async fn tuples(harness: &mut Harness) -> Vec<Value> {
    let (mut tuples, mut token) = (Vec::new(), String::new());
    loop {
        let page = harness.read.get(&format!("/relation-tuples?page_size=500&page_token={token}")).await.expect(200);
        tuples.extend(page.at("/relation_tuples").as_array().unwrap().iter().cloned());
        token = page.string("/next_page_token");
        if token.is_empty() {
            return tuples;
        }
    }
}

fn body(namespace: &str) -> Value {
    json!({ "map": [{ "pattern": "user_*", "namespace": namespace }] })
}

/// `dry_run` in the URL would change the tuples.
#[tokio::test]
async fn parameters_in_the_url_are_refused() {
    on_both(typed("lax"), |mut harness| async move {
        insert(&mut harness, &[tuple("a", "viewers", "user_1")]).await;
        let refused = harness.write.post_json(&format!("{PATH}?dry_run=true"), &body("User")).await.expect(400);
        assert!(refused.string("/error/reason").contains("must have no parameters"), "{refused}");
        assert_eq!(tuples(&mut harness).await, [tuple("a", "viewers", "user_1")]);
    })
    .await;
}

#[tokio::test]
async fn matching_ids_become_objects_and_keep_their_condition_and_expiry() {
    on_both(typed("lax"), |mut harness| async move {
        let mut conditional = tuple("a", "viewers", "user_1");
        conditional["condition"] = json!({ "name": "late", "context": { "from": 18 } });
        conditional["expires_at"] = json!("2100-01-01T00:00:00Z");
        let other = [tuple("a", "viewers", "service_1"), with_type(tuple("a", "viewers", "bob"), "User")];
        insert(&mut harness, &[&[conditional.clone(), tuple("b", "owners", "user_2")], &other[..]].concat()).await;
        let before = tuples(&mut harness).await;
        let mut request = body("User");
        request["dry_run"] = json!(true);
        let counts = json!({ "read": 4, "migrated": 2, "left": [], "next_page_token": "" });
        assert_eq!(harness.write.post_json(PATH, &request).await.expect(200).json, counts);
        assert_eq!(tuples(&mut harness).await, before, "a dry run changes nothing");
        assert_eq!(harness.write.post_json(PATH, &body("User")).await.expect(200).json, counts);
        let expected = [
            other[0].clone(),
            other[1].clone(),
            with_type(conditional, "User"),
            with_type(tuple("b", "owners", "user_2"), "User"),
        ];
        assert_eq!(tuples(&mut harness).await, expected);
        let again = harness.write.post_json(PATH, &body("User")).await.expect(200);
        assert_eq!(again.json, json!({ "read": 4, "migrated": 0, "left": [], "next_page_token": "" }));
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_migrated_is_left_with_its_reason() {
    on_both(typed("strict"), |mut harness| async move {
        let mut ends = with_type(tuple("b", "viewers", "user_1"), "User");
        ends["expires_at"] = json!("2100-01-01T00:00:00Z");
        let same = with_type(tuple("c", "viewers", "user_1"), "User");
        let ids = [tuple("a", "owners", "user_1"), tuple("b", "viewers", "user_1"), tuple("c", "viewers", "user_1")];
        insert(&mut harness, &[&ids[..], &[ends.clone(), same.clone()]].concat()).await;
        let reply = harness.write.post_json(PATH, &body("User")).await.expect(200);
        assert_eq!((reply.at("/read"), reply.at("/migrated")), (&json!(5), &json!(1)), "{reply}");
        let left = reply.at("/left").as_array().unwrap();
        assert_eq!(left.iter().map(|it| &it["relation_tuple"]).collect::<Vec<_>>(), [&ids[0], &ids[1]]);
        assert!(left[0]["reason"].as_str().unwrap().contains("it accepts Team"), "{reply}");
        assert!(left[1]["reason"].as_str().unwrap().contains("exists already, with another condition or expiry"));
        // The id whose object has the same terms is only deleted.
        assert_eq!(tuples(&mut harness).await, [ids[0].clone(), ids[1].clone(), ends, same]);
    })
    .await;
}

#[tokio::test]
async fn many_tuples_are_migrated_page_by_page_while_others_are_written_and_deleted() {
    on_both(plain(), |mut harness| async move {
        let ids: Vec<Value> = (0..1_200)
            .map(|number| tuple(&format!("d{number:04}"), "viewer", &format!("user_{}", number % 7)))
            .collect();
        insert(&mut harness, &ids).await;
        let (mut request, mut migrated, mut pages) = (body("Group"), 0, 0);
        loop {
            let reply = harness.write.post_json(PATH, &request).await.expect(200);
            migrated += reply.at("/migrated").as_u64().unwrap();
            pages += 1;
            // A tuple behind the position is deleted, and one in front of it written: the next run finds that one.
            let gone = format!("/admin/relation-tuples?namespace=Doc&object=d{}", 1_190 + pages);
            harness.write.request(Method::DELETE, &gone, None).await.expect(204);
            insert(&mut harness, &[tuple(&format!("a{pages}"), "viewer", "user_0")]).await;
            request["page_token"] = reply.at("/next_page_token").clone();
            if request["page_token"] == "" {
                break;
            }
        }
        assert_eq!((migrated, pages), (1_200 - 2, 3));
        let reply = harness.write.post_json(PATH, &body("Group")).await.expect(200);
        assert_eq!(reply.at("/migrated"), 3, "{reply}");
        let kept = tuples(&mut harness).await;
        assert_eq!(kept.len(), 1_200 - 3 + 3);
        assert!(kept.iter().all(|it| it.get("subject_id").is_none()), "{kept:?}");
    })
    .await;
}

#[tokio::test]
async fn a_migration_that_is_not_valid_is_refused() {
    on_both(typed("strict"), |mut harness| async move {
        let map = |namespace: &str| json!([{ "pattern": "*", "namespace": namespace }]);
        for (status, request, field) in [
            (404, json!({ "map": map("Ship") }), "map[0].namespace"),
            (400, json!({ "map": [] }), "map"),
            (400, json!({ "map": map("User"), "page_token": "x" }), "page_token"),
        ] {
            let refused = harness.write.post_json(PATH, &request).await.expect(status);
            assert_eq!(refused.at("/error/details/field"), field, "{refused}");
        }
        for request in [json!({}), json!({ "map": map("User"), "dryrun": true }), json!([])] {
            harness.write.post_json(PATH, &request).await.expect(400);
        }
    })
    .await;
}
