use serde_json::json;

use super::*;

async fn shop(refresh_token: &Value) -> House {
    let house = house(sqlite().await, &json!({"oauth2": {"grant": {"refresh_token": refresh_token}}}));
    house.client(json!({})).await;
    house
}

#[tokio::test]
async fn without_grace_a_reused_token_ends_the_family() {
    let house = shop(&json!({})).await;
    let first = offline_tokens(&house).await.string("/refresh_token");
    let second = refresh(&house, &first).await.string("/refresh_token");
    assert!(!is_active(&house, &first).await);
    refresh(&house, &first).await.expect_error(400, "invalid_grant");
    assert!(!is_active(&house, &second).await);
    refresh(&house, &second).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn in_the_grace_period_the_same_successor_is_returned() {
    let house = shop(&json!({"rotation_grace_period": "30s"})).await;
    let first = offline_tokens(&house).await.string("/refresh_token");
    let lost = refresh(&house, &first).await;
    house.wait(29);
    assert!(is_active(&house, &first).await, "a token that still works is active");
    let again = refresh(&house, &first).await.expect(200);
    assert_eq!(again.string("/refresh_token"), lost.string("/refresh_token"));
    assert!(is_active(&house, &again.string("/access_token")).await);
    house.wait(1);
    refresh(&house, &first).await.expect_error(400, "invalid_grant");
    assert!(!is_active(&house, &again.string("/access_token")).await);
    refresh(&house, &again.string("/refresh_token")).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn the_grace_period_can_limit_its_uses() {
    let house = shop(&json!({"rotation_grace_period": "1h", "rotation_grace_reuse_count": 2})).await;
    let first = offline_tokens(&house).await.string("/refresh_token");
    let successor = refresh(&house, &first).await.string("/refresh_token");
    for _ in 0..2 {
        assert_eq!(refresh(&house, &first).await.string("/refresh_token"), successor);
    }
    refresh(&house, &first).await.expect_error(400, "invalid_grant");
    refresh(&house, &successor).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn the_lifespan_of_a_refresh_token_restarts_with_each_rotation() {
    let house = shop(&json!({})).await;
    let mut token = offline_tokens(&house).await.string("/refresh_token");
    for _ in 0..3 {
        house.wait(719 * 3600);
        token = refresh(&house, &token).await.string("/refresh_token");
    }
    house.wait(720 * 3600);
    refresh(&house, &token).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_refresh_may_reduce_but_never_extend_the_scopes() {
    let house = shop(&json!({})).await;
    let first = offline_tokens(&house).await.string("/refresh_token");
    let narrow = |token: String, scope: &'static str| {
        let house = &house;
        async move {
            let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("scope", scope)];
            super::token(house, &fields).await
        }
    };
    narrow(first.clone(), "photos.write").await.expect_error(400, "invalid_scope");
    let reply = narrow(first, "photos.read").await;
    assert_eq!(reply.json["scope"], "photos.read");
    assert!(reply.json.get("id_token").is_none());
    assert_eq!(introspect(&house, &reply.string("/access_token")).await["scope"], "photos.read");
    let wide = refresh(&house, &reply.string("/refresh_token")).await;
    assert_eq!(wide.json["scope"], "openid offline_access photos.read", "the grant itself was not narrowed");
}

#[tokio::test]
async fn a_refresh_is_limited_by_the_current_registration() {
    let house = shop(&json!({})).await;
    let token = offline_tokens(&house).await.string("/refresh_token");
    let patch = json!([{"op": "replace", "path": "/scope", "value": "openid offline_access"}]);
    assert_eq!(house.admin(Method::PATCH, "/admin/clients/shop", patch).await.status, StatusCode::OK);
    refresh(&house, &token).await.expect_error(400, "invalid_scope");
    let patch = json!([
        {"op": "replace", "path": "/scope", "value": "openid offline_access photos.*"},
        {"op": "replace", "path": "/grant_types", "value": ["authorization_code"]},
    ]);
    assert_eq!(house.admin(Method::PATCH, "/admin/clients/shop", patch).await.status, StatusCode::OK);
    refresh(&house, &token).await.expect_error(400, "unauthorized_client");
}

#[tokio::test]
async fn a_token_of_another_client_is_rejected_and_stays_valid() {
    let house = shop(&json!({})).await;
    house.client(json!({"client_id": "other"})).await;
    let token = offline_tokens(&house).await.string("/refresh_token");
    let fields = [
        ("client_id", "other"),
        ("client_secret", "averylongsecret"),
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str()),
    ];
    post(&house, "/oauth2/token", &fields).await.expect_error(400, "invalid_grant");
    assert_eq!(refresh(&house, &token).await.status, StatusCode::OK);
}
