//! The admin API of clients.

use super::*;
use crate::MIGRATIONS;

async fn server() -> TestServer {
    TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await)
}

#[tokio::test]
async fn a_client_is_created_read_changed_and_deleted() {
    database::testing::on_both_engines(&[jobs::MIGRATIONS, MIGRATIONS], |database| async move {
        let server = TestServer::with_applications(database);
        let answer = server.admin(Method::POST, "/admin/clients", json!({"client_name": "A", "redirect_uris": [CALLBACK]})).await.expect(201);
        let created = answer.json;
        let id = created["client_id"].as_str().unwrap().to_owned();
        assert_eq!(answer.headers[header::LOCATION], format!("/admin/clients/{id}"));
        assert_eq!(created["client_secret"].as_str().unwrap().len(), 26);
        assert_eq!(created["scope"], "offline_access offline openid");
        assert_eq!(created["grant_types"], json!([]));
        assert_eq!(created["jwks"], json!({}));
        assert_eq!(created["skip_logout_consent"], Value::Null);
        assert_eq!(created["authorization_code_grant_access_token_lifespan"], Value::Null);
        assert_eq!(created["created_at"], "2026-11-22T10:00:00Z");
        assert!(created["registration_access_token"].as_str().unwrap().starts_with("ory_at_"));
        assert_eq!(created.get("registration_client_uri"), None, "the endpoint does not exist");

        server.wait(60);
        let uri = format!("/admin/clients/{id}");
        let read = server.admin(Method::GET, &uri, Value::Null).await.json;
        assert!(read.get("client_secret").is_none() && read.get("registration_access_token").is_none());
        let changed = server.admin(Method::PUT, &uri, json!({"client_name": "B", "redirect_uris": [CALLBACK]})).await.expect(200);
        let changed = changed.json;
        assert_eq!(changed["client_name"], "B");
        assert_eq!(changed["created_at"], "2026-11-22T10:00:00Z");
        assert_eq!(changed["updated_at"], "2026-11-22T10:01:00Z");
        assert!(changed.get("client_secret").is_none());

        let patch = json!([{"op": "replace", "path": "/client_name", "value": "C"}, {"op": "add", "path": "/redirect_uris/-", "value": "https://b.example"}]);
        let patched = server.admin(Method::PATCH, &uri, patch).await.json;
        assert_eq!(patched["client_name"], "C");
        assert_eq!(patched["redirect_uris"], json!([CALLBACK, "https://b.example"]));

        assert_eq!(server.admin(Method::DELETE, &uri, Value::Null).await.status, StatusCode::NO_CONTENT);
        let gone = server.admin(Method::DELETE, &uri, Value::Null).await.expect(404);
        assert_eq!(gone.json, json!({"error": "Unable to locate the resource", "error_description": ""}));
    })
    .await;
}

#[tokio::test]
async fn invalid_clients_are_rejected_with_the_name_of_the_field() {
    let server = server().await;
    server.client(json!({})).await;
    let cases = [
        (json!({"client_id": "shop"}), StatusCode::CONFLICT, "taken"),
        (json!({"client_id": "a\nb"}), StatusCode::BAD_REQUEST, "client_id"),
        (json!({"client_secret": "short"}), StatusCode::BAD_REQUEST, "client_secret"),
        (json!({"redirect_uris": ["/cb"]}), StatusCode::BAD_REQUEST, "redirect_uris"),
        (json!({"redirect_uris": "https://a.example"}), StatusCode::BAD_REQUEST, "redirect_uris"),
        (json!({"token_endpoint_auth_method": "x"}), StatusCode::BAD_REQUEST, "token_endpoint_auth_method"),
        (json!({"authorization_code_grant_access_token_lifespan": "soon"}), StatusCode::BAD_REQUEST, "duration"),
        (json!({"jwks": {"keys": [{"kty": "RSA"}]}}), StatusCode::BAD_REQUEST, "jwks"),
        (json!([]), StatusCode::BAD_REQUEST, "."),
    ];
    for (client, status, word) in cases {
        let answer = server.admin(Method::POST, "/admin/clients", client.clone()).await;
        assert_eq!(answer.status, status, "{client} {answer}");
        assert!(answer.json["error_description"].as_str().unwrap().contains(word), "{client} {answer}");
    }
    let answer = server.admin(Method::POST, "/admin/clients", json!({"redirect_uris": ["x:y#z"]})).await;
    assert_eq!(answer.json["error"], "invalid_redirect_uri");
}

#[tokio::test]
async fn a_patch_cannot_change_the_id_and_an_invalid_one_is_a_client_error() {
    let server = server().await;
    server.client(json!({})).await;
    server.client(json!({"client_id": "other"})).await;
    let patches = [
        json!([{"op": "replace", "path": "/client_id", "value": "other"}]),
        json!([{"op": "replace", "path": "", "value": {}}]),
        json!([{"op": "remove", "path": "/nothing"}]),
        json!([{"op": "dance"}]),
        json!({"op": "remove", "path": "/owner"}),
        json!([{"op": "add", "path": "/redirect_uris", "value": 5}]),
        json!([{"op": "test", "path": "/client_name", "value": "Something else"}]),
    ];
    for patch in patches {
        let answer = server.admin(Method::PATCH, "/admin/clients/shop", patch.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{patch} {answer}");
    }
    server.admin(Method::PUT, "/admin/clients/shop", json!({"client_id": "other"})).await.expect(400);
}

#[tokio::test]
async fn public_clients_have_no_secret_and_get_one_when_they_become_confidential() {
    let server = server().await;
    let created =
        server.client(json!({"client_id": "app", "client_secret": "", "token_endpoint_auth_method": "none"})).await;
    assert!(created.get("client_secret").is_none());
    server.admin(Method::POST, "/admin/clients/app/secrets/rotate", Value::Null).await.expect(400);
    let patch = json!([{"op": "replace", "path": "/token_endpoint_auth_method", "value": "client_secret_basic"}]);
    let patched = server.admin(Method::PATCH, "/admin/clients/app", patch).await.json;
    assert_eq!(patched["client_secret"].as_str().unwrap().len(), 26);
}

#[tokio::test]
async fn secrets_rotate_and_former_ones_can_be_dropped() {
    let server = server().await;
    server.client(json!({"grant_types": ["client_credentials"]})).await;
    let token = async |secret: &str| {
        let form = format!("grant_type=client_credentials&client_id=shop&client_secret={secret}");
        server.browser().post("https://op.example/oauth2/token", FORM, &form).await.status
    };
    assert_eq!(token("averylongsecret").await, StatusCode::OK);
    let rotated = server.admin(Method::POST, "/admin/clients/shop/secrets/rotate", Value::Null).await.json;
    let fresh = rotated["client_secret"].as_str().unwrap().to_owned();
    assert_eq!((token("averylongsecret").await, token(&fresh).await), (StatusCode::OK, StatusCode::OK));
    server.admin(Method::DELETE, "/admin/clients/shop/secrets/rotate", Value::Null).await.expect(200);
    assert_eq!((token("averylongsecret").await, token(&fresh).await), (StatusCode::UNAUTHORIZED, StatusCode::OK));
}

#[tokio::test]
async fn lifespans_are_replaced_as_a_whole() {
    let server = server().await;
    server.client(json!({"refresh_token_grant_id_token_lifespan": "1h"})).await;
    let body = json!({"authorization_code_grant_access_token_lifespan": "31h"});
    let answer = server.admin(Method::PUT, "/admin/clients/shop/lifespans", body).await.json;
    assert_eq!(answer["authorization_code_grant_access_token_lifespan"], "31h0m0s");
    assert_eq!(answer["refresh_token_grant_id_token_lifespan"], Value::Null);
}

#[tokio::test]
async fn clients_are_listed_in_pages_and_by_name_and_owner() {
    let server = server().await;
    for number in 0..5 {
        let owner = if number % 2 == 0 { "even" } else { "odd" };
        server
            .client(
                json!({"client_id": format!("c{number}"), "client_name": format!("Client {number}"), "owner": owner}),
            )
            .await;
    }
    let mut ids = Vec::new();
    let mut uri = "/admin/clients?page_size=2".to_owned();
    for _ in 0..3 {
        let answer = server.admin(Method::GET, &uri, Value::Null).await;
        ids.extend(
            answer.json.as_array().unwrap().iter().map(|client| client["client_id"].as_str().unwrap().to_owned()),
        );
        let links = answer.headers[header::LINK].to_str().unwrap().to_owned();
        assert!(links.contains("</admin/clients?page_size=2>; rel=\"first\""), "{links}");
        let Some(next) = answer.next_page() else { break };
        uri = next.to_owned();
    }
    assert_eq!(ids, ["c0", "c1", "c2", "c3", "c4"]);
    let count = async |query: &str| {
        server.admin(Method::GET, &format!("/admin/clients?{query}"), Value::Null).await.json.as_array().unwrap().len()
    };
    assert_eq!(count("owner=even").await, 3);
    assert_eq!(count("client_name=Client+1").await, 1);
    assert_eq!(count("client_name=Client+1&owner=even").await, 0);
    for query in ["page_size=x", "page_token=x"] {
        server.admin(Method::GET, &format!("/admin/clients?{query}"), Value::Null).await.expect(400);
    }
}

#[tokio::test]
async fn an_invalid_member_and_an_invalid_document_have_different_errors() {
    let server = server().await;
    for (member, value) in [
        ("subject_type", json!("unknown")),
        ("access_token_strategy", json!("x")),
        ("token_endpoint_auth_method", json!("x")),
        ("scope", json!(1)),
        ("authorization_code_grant_access_token_lifespan", json!("x")),
    ] {
        let answer = server.admin(Method::POST, "/admin/clients", json!({member: value})).await;
        let error = answer.json;
        assert_eq!((answer.status, &error["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_client_metadata")));
        assert!(error["error_description"].as_str().unwrap().contains(member), "{error}");
    }
    let answer = server.admin(Method::POST, "/admin/clients", json!([])).await;
    assert_eq!((answer.status, &answer.json["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")));
}

#[tokio::test]
async fn the_secret_of_a_public_client_is_not_shown() {
    let server = server().await;
    let client = json!({"token_endpoint_auth_method": "none", "client_secret": "a secret of their own"});
    let answer = server.admin(Method::POST, "/admin/clients", client).await;
    assert_eq!((answer.status, answer.json.get("client_secret")), (StatusCode::CREATED, None));
}

#[tokio::test]
async fn a_disabled_grant_type_cannot_be_registered_but_existing_clients_keep_it() {
    let database = database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await;
    let before = TestServer::seeded(database.clone(), TestServer::applications(), 1);
    before.client(json!({"client_id": "old", "grant_types": ["client_credentials"]})).await;

    let mut config = TestServer::applications();
    config["oauth2"] = json!({"grant_types_disabled": ["client_credentials", "implicit"]});
    let server = TestServer::seeded(database, config, 2);
    let refused = |answer: Reply| {
        assert_eq!(
            (answer.status, &answer.json["error"]),
            (StatusCode::BAD_REQUEST, &json!("invalid_client_metadata"))
        );
    };
    let new = json!({"client_id": "new", "grant_types": ["implicit"]});
    refused(server.admin(Method::POST, "/admin/clients", new).await);
    server.client(json!({})).await;
    let mut shop = server.admin(Method::GET, "/admin/clients/shop", Value::Null).await.json;
    shop["grant_types"] = json!(["authorization_code", "client_credentials"]);
    refused(server.admin(Method::PUT, "/admin/clients/shop", shop).await);
    let patch = json!([{"op": "add", "path": "/grant_types/-", "value": "implicit"}]);
    refused(server.admin(Method::PATCH, "/admin/clients/shop", patch).await);

    // The existing client can be updated and works as before.
    let patch = json!([{"op": "replace", "path": "/client_name", "value": "Old"}]);
    assert_eq!(server.admin(Method::PATCH, "/admin/clients/old", patch).await.status, StatusCode::OK);
    let form = "grant_type=client_credentials&client_id=old&client_secret=averylongsecret".to_owned();
    server.browser().post("https://op.example/oauth2/token", FORM, &form).await.expect(200);
    let document = server.browser().get("https://op.example/.well-known/openid-configuration").await.json;
    assert_eq!(document["grant_types_supported"], json!(["authorization_code", "refresh_token"]));
}
