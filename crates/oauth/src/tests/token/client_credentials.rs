use serde_json::json;

use super::*;

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

async fn machine(more: &Value) -> (Database, TestServer) {
    let database = sqlite().await;
    let server = server(database.clone(), more);
    server.client(json!({"grant_types": ["client_credentials"], "scope": "jobs.*"})).await;
    (database, server)
}

#[tokio::test]
async fn a_client_gets_a_token_for_itself_without_a_row() {
    let (database, server) = machine(&json!({})).await;
    let before = database.usage();
    let reply =
        token(&server, &[GRANT, ("scope", "jobs.run"), ("audience", "https://api.example/v1")]).await.expect(200);
    assert_eq!(reply.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(reply.headers[header::PRAGMA], "no-cache");
    assert_eq!(database.usage().write_transactions, before.write_transactions, "issuing writes nothing");
    let access_token = reply.string("/access_token");
    assert!(access_token.starts_with("ory_at_"));
    let mut shown = reply.json.clone();
    shown["access_token"] = json!("..");
    let expected = json!({"access_token": "..", "expires_in": 3600, "scope": "jobs.run", "token_type": "bearer"});
    assert_eq!(shown, expected);

    let active = introspect(&server, &access_token).await;
    let issued_at = server.cx().now.unix_seconds();
    let expected = json!({
        "active": true, "scope": "jobs.run", "client_id": "shop", "sub": "shop", "exp": issued_at + 3600,
        "iat": issued_at, "nbf": issued_at, "aud": ["https://api.example/v1"], "iss": "https://op.example/",
        "token_type": "Bearer", "token_use": "access_token",
    });
    assert_eq!(active, expected);
    server.wait(3600);
    assert_eq!(introspect(&server, &access_token).await, json!({"active": false}));
}

#[tokio::test]
async fn introspection_takes_one_statement_and_is_cached() {
    let (database, server) = machine(&json!({})).await;
    let access_token = token(&server, &[GRANT]).await.string("/access_token");
    let before = database.usage().statements;
    assert!(is_active(&server, &access_token).await);
    assert_eq!(database.usage().statements - before, 1);
    assert!(is_active(&server, &access_token).await);
    assert_eq!(database.usage().statements - before, 1, "the result is cached for a moment");
    let before = database.usage().statements;
    assert!(!is_active(&server, "ory_at_none-of-ours").await);
    assert_eq!(database.usage().statements, before, "a token of another issuer costs no statement");
    let before = database.usage().statements;
    token(&server, &[GRANT]).await;
    assert_eq!(database.usage().statements, before, "a cached client costs no statement");
}

#[tokio::test]
async fn introspection_checks_scopes() {
    let (_, server) = machine(&json!({})).await;
    let access_token = token(&server, &[GRANT, ("scope", "jobs.run")]).await.string("/access_token");
    assert_eq!(introspect_for(&server, &access_token, "jobs.run").await.json["active"], true);
    assert_eq!(introspect_for(&server, &access_token, "jobs.run jobs.stop").await.json["active"], false);
}

#[tokio::test]
async fn only_registered_scopes_and_audiences_are_granted() {
    let (_, server) = machine(&json!({})).await;
    token(&server, &[GRANT, ("scope", "mail")]).await.expect_error(400, "invalid_scope");
    token(&server, &[GRANT, ("audience", "https://other.example")]).await.expect_error(400, "invalid_request");
    assert_eq!(token(&server, &[GRANT]).await.json["scope"], "");
    let settings = json!({"oauth2": {"client_credentials": {"default_grant_allowed_scope": true}}});
    let (_, server) = machine(&settings).await;
    assert_eq!(token(&server, &[GRANT]).await.json["scope"], "jobs.*");
}

#[tokio::test]
async fn public_and_unregistered_clients_are_rejected() {
    let database = sqlite().await;
    let server = server(database, &json!({}));
    server.client(json!({"grant_types": ["authorization_code"]})).await;
    token(&server, &[GRANT]).await.expect_error(400, "unauthorized_client");
    let public = json!({
        "client_id": "app", "client_secret": null, "token_endpoint_auth_method": "none",
        "grant_types": ["client_credentials"],
    });
    server.client(public).await;
    post(&server, "/oauth2/token", &[GRANT, ("client_id", "app")]).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_client_revokes_only_its_own_tokens() {
    let (_, server) = machine(&json!({})).await;
    server.client(json!({"client_id": "other", "grant_types": ["client_credentials"]})).await;
    let access_token = token(&server, &[GRANT]).await.string("/access_token");
    let revoke = |client: &'static str, token: String| {
        let server = &server;
        async move {
            let fields = [("client_id", client), ("client_secret", "averylongsecret"), ("token", token.as_str())];
            post(server, "/oauth2/revoke", &fields).await.status
        }
    };
    assert_eq!(revoke("other", access_token.clone()).await, StatusCode::OK);
    assert!(is_active(&server, &access_token).await);
    assert_eq!(revoke("shop", "ory_at_unknown".to_owned()).await, StatusCode::OK);
    assert_eq!(revoke("shop", access_token.clone()).await, StatusCode::OK);
    assert!(!is_active(&server, &access_token).await);
    assert_eq!(revoke("shop", access_token).await, StatusCode::OK);
}

#[tokio::test]
async fn an_operator_ends_all_tokens_of_a_client() {
    let (_, server) = machine(&json!({})).await;
    let access_token = token(&server, &[GRANT]).await.string("/access_token");
    admin(&server, Method::DELETE, "/admin/oauth2/tokens?client_id=shop", &Value::Null).await.expect(204);
    assert!(!is_active(&server, &access_token).await);
    assert!(is_active(&server, &token(&server, &[GRANT]).await.string("/access_token")).await);
    admin(&server, Method::DELETE, "/admin/oauth2/tokens", &Value::Null).await.expect_error(400, "invalid_request");
}

#[tokio::test]
async fn tokens_end_with_their_client_and_a_new_client_with_its_id_does_not_revive_them() {
    let (_, server) = machine(&json!({})).await;
    let access_token = token(&server, &[GRANT]).await.string("/access_token");
    assert_eq!(server.admin(Method::DELETE, "/admin/clients/shop", Value::Null).await.status, StatusCode::NO_CONTENT);
    assert!(!is_active(&server, &access_token).await);
    token(&server, &[GRANT]).await.expect_error(401, "invalid_client");
    server.client(json!({"grant_types": ["client_credentials"]})).await;
    assert!(!is_active(&server, &access_token).await);
}

#[tokio::test]
async fn a_client_has_its_own_lifespans() {
    let (_, server) = machine(&json!({})).await;
    let lifespans = json!({"client_credentials_grant_access_token_lifespan": "90s"});
    server.admin(Method::PUT, "/admin/clients/shop/lifespans", lifespans).await.expect(200);
    assert_eq!(token(&server, &[GRANT]).await.json["expires_in"], 90);
}

#[tokio::test]
async fn a_malformed_request_gets_a_specific_error() {
    let (_, server) = machine(&json!({})).await;
    token(&server, &[]).await.expect_error(400, "invalid_request");
    token(&server, &[("grant_type", "password")]).await.expect_error(400, "unsupported_grant_type");
    token(&server, &[GRANT, GRANT]).await.expect_error(400, "invalid_request");
    token(&server, &[("grant_type", "authorization_code")]).await.expect_error(400, "invalid_request");
    server.program().post_json("/oauth2/token", &json!({})).await.expect_error(400, "invalid_request");
    post(&server, "/oauth2/token", &[]).await.expect_error(400, "invalid_request");
}
