//! Members and statuses that clients of the replaced system rely on.

use serde_json::{Value, json};

use super::on_both;

#[tokio::test]
async fn a_search_by_identifier_shows_the_credentials() {
    on_both(|server| async move {
        let body = json!({
            "traits": {"email": "ada@example.org"},
            "credentials": {"password": {"config": {"password": "correct horse battery"}}},
        });
        server.ask("POST", "/admin/identities", body).await.expect(201);
        for query in ["credentials_identifier=ada%40example.org", "preview_credentials_identifier_similar=ada"] {
            let found = server.ask("GET", &format!("/admin/identities?{query}"), Value::Null).await.expect(200);
            let password = &found.json[0]["credentials"]["password"];
            assert_eq!(password["type"], "password", "{query}");
            assert_eq!(password["identifiers"], json!(["ada@example.org"]), "{query}");
            assert!(password["created_at"].is_string() && password["updated_at"].is_string(), "{query}");
            assert!(password.get("config").is_none(), "{query}: a hash is shown on request only");
        }
    })
    .await;
}

#[tokio::test]
async fn administrative_metadata_that_was_not_sent_is_not_shown_after_a_write() {
    on_both(|server| async move {
        let body = json!({"traits": {"email": "ada@example.org"}});
        let created = server.ask("POST", "/admin/identities", body).await.expect(201);
        assert_eq!(created.json.get("metadata_admin"), None);
        let path = format!("/admin/identities/{}", created.json["id"].as_str().unwrap());
        let body = json!({"schema_id": "default", "state": "active", "traits": {"email": "ada@example.org"}});
        let updated = server.ask("PUT", &path, body).await.expect(200);
        assert_eq!(updated.json.get("metadata_admin"), None);
        let read = server.ask("GET", &path, Value::Null).await.expect(200);
        assert_eq!(read.json.get("metadata_admin"), Some(&Value::Null));
        let body = json!({"traits": {"email": "bob@example.org"}, "metadata_admin": {"a": 1}});
        let created = server.ask("POST", "/admin/identities", body).await.expect(201);
        assert_eq!(created.json["metadata_admin"], json!({"a": 1}));
    })
    .await;
}

#[tokio::test]
async fn a_patch_creates_missing_parents_of_its_path() {
    on_both(|server| async move {
        let id = server.create("ada@example.org").await;
        let path = format!("/admin/identities/{id}");
        for op in ["add", "replace"] {
            let patch = json!([{"op": op, "path": format!("/metadata_admin/{op}/deep"), "value": 1}]);
            let patched = server.ask("PATCH", &path, patch).await.expect(200);
            assert_eq!(patched.json["metadata_admin"][op], json!({"deep": 1}));
        }
        let patch = json!([{"op": "remove", "path": "/metadata_admin/none"}]);
        server.ask("PATCH", &path, patch).await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn an_unknown_identity_has_no_sessions() {
    on_both(|server| async move {
        let path = "/admin/identities/9b6a3c7e-1f0a-4a55-8f4c-000000000000/sessions";
        let none = server.ask("GET", path, Value::Null).await.expect(200);
        assert_eq!((&none.json, &none.headers["x-total-count"]), (&json!([]), &"0".parse().unwrap()));
        server.ask("DELETE", path, Value::Null).await.expect(404);
        server.ask("GET", "/admin/identities/x/sessions", Value::Null).await.expect(400);
        server.ask("DELETE", "/admin/identities/x/sessions", Value::Null).await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn a_page_size_below_one_is_the_default() {
    on_both(|server| async move {
        let id = server.create("ada@example.org").await;
        for path in ["/admin/identities", "/admin/sessions", "/admin/courier/messages"] {
            server.ask("GET", &format!("{path}?page_size=-1"), Value::Null).await.expect(200);
        }
        server.ask("GET", &format!("/admin/identities/{id}/sessions?page_size=-1"), Value::Null).await.expect(200);
        let all = server.ask("GET", "/admin/identities?page_size=-1", Value::Null).await.expect(200);
        assert_eq!(all.json.as_array().unwrap().len(), 1);
    })
    .await;
}
