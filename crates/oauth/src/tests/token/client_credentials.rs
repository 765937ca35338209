use serde_json::json;

use super::*;

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

async fn machine(more: &Value) -> (Database, House) {
    let database = sqlite().await;
    let house = house(database.clone(), more);
    house.client(json!({"grant_types": ["client_credentials"], "scope": "jobs.*"})).await;
    (database, house)
}

#[tokio::test]
async fn a_client_gets_a_token_for_itself_without_a_row() {
    let (database, house) = machine(&json!({})).await;
    let before = database.usage();
    let reply =
        token(&house, &[GRANT, ("scope", "jobs.run"), ("audience", "https://api.example/v1")]).await.expect(200);
    assert_eq!(reply.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(reply.headers[header::PRAGMA], "no-cache");
    assert_eq!(database.usage().write_transactions, before.write_transactions, "issuing writes nothing");
    let access_token = reply.string("/access_token");
    assert!(access_token.starts_with("ory_at_"));
    let mut shown = reply.json.clone();
    shown["access_token"] = json!("..");
    let expected = json!({"access_token": "..", "expires_in": 3600, "scope": "jobs.run", "token_type": "bearer"});
    assert_eq!(shown, expected);

    let active = introspect(&house, &access_token).await;
    let issued_at = house.cx().now.unix_seconds();
    let expected = json!({
        "active": true, "scope": "jobs.run", "client_id": "shop", "sub": "shop", "exp": issued_at + 3600,
        "iat": issued_at, "nbf": issued_at, "aud": ["https://api.example/v1"], "iss": "https://op.example/",
        "token_type": "Bearer", "token_use": "access_token",
    });
    assert_eq!(active, expected);
    house.wait(3600);
    assert_eq!(introspect(&house, &access_token).await, json!({"active": false}));
}

#[tokio::test]
async fn introspection_takes_one_statement_and_is_cached() {
    let (database, house) = machine(&json!({})).await;
    let access_token = token(&house, &[GRANT]).await.string("/access_token");
    let before = database.usage().statements;
    assert!(is_active(&house, &access_token).await);
    assert_eq!(database.usage().statements - before, 1);
    assert!(is_active(&house, &access_token).await);
    assert_eq!(database.usage().statements - before, 1, "the result is cached for a moment");
    let before = database.usage().statements;
    assert!(!is_active(&house, "ory_at_none-of-ours").await);
    assert_eq!(database.usage().statements, before, "a token of another issuer costs no statement");
    let before = database.usage().statements;
    token(&house, &[GRANT]).await;
    assert_eq!(database.usage().statements, before, "a cached client costs no statement");
}

#[tokio::test]
async fn introspection_checks_scopes() {
    let (_, house) = machine(&json!({})).await;
    let access_token = token(&house, &[GRANT, ("scope", "jobs.run")]).await.string("/access_token");
    assert_eq!(introspect_for(&house, &access_token, "jobs.run").await.json["active"], true);
    assert_eq!(introspect_for(&house, &access_token, "jobs.run jobs.stop").await.json["active"], false);
}

#[tokio::test]
async fn only_registered_scopes_and_audiences_are_granted() {
    let (_, house) = machine(&json!({})).await;
    token(&house, &[GRANT, ("scope", "mail")]).await.expect_error(400, "invalid_scope");
    token(&house, &[GRANT, ("audience", "https://other.example")]).await.expect_error(400, "invalid_request");
    assert_eq!(token(&house, &[GRANT]).await.json["scope"], "");
    let settings = json!({"oauth2": {"client_credentials": {"default_grant_allowed_scope": true}}});
    let (_, house) = machine(&settings).await;
    assert_eq!(token(&house, &[GRANT]).await.json["scope"], "jobs.*");
}

#[tokio::test]
async fn public_and_unregistered_clients_are_rejected() {
    let database = sqlite().await;
    let house = house(database, &json!({}));
    house.client(json!({"grant_types": ["authorization_code"]})).await;
    token(&house, &[GRANT]).await.expect_error(400, "unauthorized_client");
    let public = json!({
        "client_id": "app", "client_secret": null, "token_endpoint_auth_method": "none",
        "grant_types": ["client_credentials"],
    });
    house.client(public).await;
    post(&house, "/oauth2/token", &[GRANT, ("client_id", "app")]).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_client_revokes_only_its_own_tokens() {
    let (_, house) = machine(&json!({})).await;
    house.client(json!({"client_id": "other", "grant_types": ["client_credentials"]})).await;
    let access_token = token(&house, &[GRANT]).await.string("/access_token");
    let revoke = |client: &'static str, token: String| {
        let house = &house;
        async move {
            let fields = [("client_id", client), ("client_secret", "averylongsecret"), ("token", token.as_str())];
            post(house, "/oauth2/revoke", &fields).await.status
        }
    };
    assert_eq!(revoke("other", access_token.clone()).await, StatusCode::OK);
    assert!(is_active(&house, &access_token).await);
    assert_eq!(revoke("shop", "ory_at_unknown".to_owned()).await, StatusCode::OK);
    assert_eq!(revoke("shop", access_token.clone()).await, StatusCode::OK);
    assert!(!is_active(&house, &access_token).await);
    assert_eq!(revoke("shop", access_token).await, StatusCode::OK);
}

#[tokio::test]
async fn an_operator_ends_all_tokens_of_a_client() {
    let (_, house) = machine(&json!({})).await;
    let access_token = token(&house, &[GRANT]).await.string("/access_token");
    admin(&house, Method::DELETE, "/admin/oauth2/tokens?client_id=shop", &Value::Null).await.expect(204);
    assert!(!is_active(&house, &access_token).await);
    assert!(is_active(&house, &token(&house, &[GRANT]).await.string("/access_token")).await);
    admin(&house, Method::DELETE, "/admin/oauth2/tokens", &Value::Null).await.expect_error(400, "invalid_request");
}

#[tokio::test]
async fn tokens_end_with_their_client_and_a_new_client_with_its_id_does_not_revive_them() {
    let (_, house) = machine(&json!({})).await;
    let access_token = token(&house, &[GRANT]).await.string("/access_token");
    assert_eq!(house.admin(Method::DELETE, "/admin/clients/shop", Value::Null).await.status, StatusCode::NO_CONTENT);
    assert!(!is_active(&house, &access_token).await);
    token(&house, &[GRANT]).await.expect_error(401, "invalid_client");
    house.client(json!({"grant_types": ["client_credentials"]})).await;
    assert!(!is_active(&house, &access_token).await);
}

#[tokio::test]
async fn a_client_has_its_own_lifespans() {
    let (_, house) = machine(&json!({})).await;
    let lifespans = json!({"client_credentials_grant_access_token_lifespan": "90s"});
    house.admin(Method::PUT, "/admin/clients/shop/lifespans", lifespans).await.expect(200);
    assert_eq!(token(&house, &[GRANT]).await.json["expires_in"], 90);
}

#[tokio::test]
async fn a_malformed_request_gets_a_specific_error() {
    let (_, house) = machine(&json!({})).await;
    token(&house, &[]).await.expect_error(400, "invalid_request");
    token(&house, &[("grant_type", "password")]).await.expect_error(400, "unsupported_grant_type");
    token(&house, &[GRANT, GRANT]).await.expect_error(400, "invalid_request");
    token(&house, &[("grant_type", "authorization_code")]).await.expect_error(400, "invalid_request");
    house.program().post_json("/oauth2/token", &json!({})).await.expect_error(400, "invalid_request");
    post(&house, "/oauth2/token", &[]).await.expect_error(400, "invalid_request");
}
