use serde_json::json;

use super::*;

async fn shop(refresh_token: &Value) -> TestServer {
    let server = server(sqlite().await, &json!({"oauth2": {"grant": {"refresh_token": refresh_token}}}));
    server.client(json!({})).await;
    server
}

#[tokio::test]
async fn without_grace_a_reused_token_ends_the_family() {
    let server = shop(&json!({})).await;
    let first = offline_tokens(&server).await.string("/refresh_token");
    let second = refresh(&server, &first).await.string("/refresh_token");
    assert!(!is_active(&server, &first).await);
    refresh(&server, &first).await.expect_error(400, "invalid_grant");
    assert!(!is_active(&server, &second).await);
    refresh(&server, &second).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn in_the_grace_period_the_same_successor_is_returned() {
    let server = shop(&json!({"rotation_grace_period": "30s"})).await;
    let first = offline_tokens(&server).await.string("/refresh_token");
    let lost = refresh(&server, &first).await;
    server.wait(29);
    assert!(is_active(&server, &first).await, "a token that still works is active");
    let again = refresh(&server, &first).await.expect(200);
    assert_eq!(again.string("/refresh_token"), lost.string("/refresh_token"));
    assert!(is_active(&server, &again.string("/access_token")).await);
    server.wait(1);
    refresh(&server, &first).await.expect_error(400, "invalid_grant");
    assert!(!is_active(&server, &again.string("/access_token")).await);
    refresh(&server, &again.string("/refresh_token")).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn the_grace_period_can_limit_its_uses() {
    let server = shop(&json!({"rotation_grace_period": "1h", "rotation_grace_reuse_count": 2})).await;
    let first = offline_tokens(&server).await.string("/refresh_token");
    let successor = refresh(&server, &first).await.string("/refresh_token");
    for _ in 0..2 {
        assert_eq!(refresh(&server, &first).await.string("/refresh_token"), successor);
    }
    refresh(&server, &first).await.expect_error(400, "invalid_grant");
    refresh(&server, &successor).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn the_lifespan_of_a_refresh_token_restarts_with_each_rotation() {
    let server = shop(&json!({})).await;
    let mut token = offline_tokens(&server).await.string("/refresh_token");
    for _ in 0..3 {
        server.wait(719 * 3600);
        token = refresh(&server, &token).await.string("/refresh_token");
    }
    server.wait(720 * 3600);
    refresh(&server, &token).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_refresh_may_reduce_but_never_extend_the_scopes() {
    let server = shop(&json!({})).await;
    let first = offline_tokens(&server).await.string("/refresh_token");
    let narrow = |token: String, scope: &'static str| {
        let server = &server;
        async move {
            let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("scope", scope)];
            super::token(server, &fields).await
        }
    };
    narrow(first.clone(), "photos.write").await.expect_error(400, "invalid_scope");
    let reply = narrow(first, "photos.read").await;
    assert_eq!(reply.json["scope"], "photos.read");
    assert!(reply.json.get("id_token").is_none());
    assert_eq!(introspect(&server, &reply.string("/access_token")).await["scope"], "photos.read");
    let wide = refresh(&server, &reply.string("/refresh_token")).await;
    assert_eq!(wide.json["scope"], "openid offline_access photos.read", "the grant itself was not narrowed");
}

#[tokio::test]
async fn a_refresh_is_limited_by_the_current_registration() {
    let server = shop(&json!({})).await;
    let token = offline_tokens(&server).await.string("/refresh_token");
    let patch = json!([{"op": "replace", "path": "/scope", "value": "openid offline_access"}]);
    assert_eq!(server.admin(Method::PATCH, "/admin/clients/shop", patch).await.status, StatusCode::OK);
    refresh(&server, &token).await.expect_error(400, "invalid_scope");
    let patch = json!([
        {"op": "replace", "path": "/scope", "value": "openid offline_access photos.*"},
        {"op": "replace", "path": "/grant_types", "value": ["authorization_code"]},
    ]);
    assert_eq!(server.admin(Method::PATCH, "/admin/clients/shop", patch).await.status, StatusCode::OK);
    refresh(&server, &token).await.expect_error(400, "unauthorized_client");
}

#[tokio::test]
async fn a_token_of_another_client_is_rejected_and_stays_valid() {
    let server = shop(&json!({})).await;
    server.client(json!({"client_id": "other"})).await;
    let token = offline_tokens(&server).await.string("/refresh_token");
    let fields = [
        ("client_id", "other"),
        ("client_secret", "averylongsecret"),
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str()),
    ];
    post(&server, "/oauth2/token", &fields).await.expect_error(400, "invalid_grant");
    assert_eq!(refresh(&server, &token).await.status, StatusCode::OK);
}
