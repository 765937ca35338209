//! Wrong client secrets are rate limited per client and network, without locking the client out.

use std::net::IpAddr;

use super::*;

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

async fn token_from(house: &House, address: [u8; 4], client: &str, secret: &str) -> Reply {
    let fields = [GRANT, ("client_id", client), ("client_secret", secret)];
    let mut request = form_request("/oauth2/token").body(form(&fields)).unwrap();
    let mut cx = house.cx();
    cx.client_address = Some(IpAddr::from(address));
    request.extensions_mut().insert(cx);
    let response = house.oauth.public_router().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Reply { status: parts.status, headers: parts.headers, body: serde_json::from_slice(&body).unwrap() }
}

#[tokio::test]
async fn wrong_client_secrets_are_limited_without_locking_the_client_out() {
    let house = house(sqlite().await, &json!({}));
    house
        .client(json!({
            "grant_types": ["client_credentials"], "client_secret": "the right secret",
            "token_endpoint_auth_method": "client_secret_post",
        }))
        .await;
    let (attacker, owner) = ([198, 51, 100, 1], [192, 0, 2, 1]);
    for client in ["shop", "unknown"] {
        let mut checked = 0;
        for _ in 0..600 {
            let reply = token_from(&house, attacker, client, "a wrong secret").await;
            match reply.status.as_u16() {
                401 => checked += 1,
                429 => {
                    reply.expect_error(429, "temporarily_unavailable");
                    assert_eq!(reply.headers[header::RETRY_AFTER], "5");
                }
                other => panic!("{other}: {}", reply.body),
            }
        }
        assert_eq!(checked, 20, "{client}");
    }
    assert_eq!(token_from(&house, owner, "shop", "the right secret").await.status, 200);
    // From the same address even the right secret must wait, for a limited time.
    assert_eq!(token_from(&house, attacker, "shop", "the right secret").await.status, 429);
    house.wait(5);
    assert_eq!(token_from(&house, attacker, "shop", "the right secret").await.status, 200);
    // Correct secrets do not count as failures.
    for _ in 0..50 {
        assert_eq!(token_from(&house, attacker, "shop", "the right secret").await.status, 200);
    }
}
