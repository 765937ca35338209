//! Wrong client secrets are rate limited per client and network, without locking the client out.

use super::*;

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

async fn token_from(server: &TestServer, address: [u8; 4], client: &str, secret: &str) -> Reply {
    let fields = [GRANT, ("client_id", client), ("client_secret", secret)];
    server.program().from_address(address).post_form("/oauth2/token", &fields).await
}

#[tokio::test]
async fn wrong_client_secrets_are_limited_without_locking_the_client_out() {
    let server = server(sqlite().await, &json!({}));
    server
        .client(json!({
            "grant_types": ["client_credentials"], "client_secret": "the right secret",
            "token_endpoint_auth_method": "client_secret_post",
        }))
        .await;
    let (attacker, owner) = ([198, 51, 100, 1], [192, 0, 2, 1]);
    for client in ["shop", "unknown"] {
        let mut checked = 0;
        for _ in 0..600 {
            let reply = token_from(&server, attacker, client, "a wrong secret").await;
            match reply.status.as_u16() {
                401 => checked += 1,
                429 => {
                    reply.expect_error(429, "temporarily_unavailable");
                    assert_eq!(reply.headers[header::RETRY_AFTER], "5");
                }
                other => panic!("{other}: {reply}"),
            }
        }
        assert_eq!(checked, 20, "{client}");
    }
    assert_eq!(token_from(&server, owner, "shop", "the right secret").await.status, 200);
    // From the same address even the right secret must wait, for a limited time.
    assert_eq!(token_from(&server, attacker, "shop", "the right secret").await.status, 429);
    server.wait(5);
    assert_eq!(token_from(&server, attacker, "shop", "the right secret").await.status, 200);
    // Correct secrets do not count as failures.
    for _ in 0..50 {
        assert_eq!(token_from(&server, attacker, "shop", "the right secret").await.status, 200);
    }
}
