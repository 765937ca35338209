//! Clients that run in a browser.

use test_client::Client;

use super::*;

const SHOP: &str = "https://app.shop.example";

async fn server() -> TestServer {
    let server = super::server(sqlite().await, &json!({}));
    server
        .client(json!({
            "allowed_cors_origins": ["https://*.shop.example"], "token_endpoint_auth_method": "none",
            "client_secret": null,
        }))
        .await;
    server.client(json!({"client_id": "other", "allowed_cors_origins": ["https://other.example"]})).await;
    server
}

/// A page of this origin.
fn page(server: &TestServer, origin: &str) -> Client {
    server.program().with_header("origin", origin)
}

fn readable_by(reply: &Reply) -> Option<&str> {
    reply.header(header::ACCESS_CONTROL_ALLOW_ORIGIN)
}

#[tokio::test]
async fn a_response_is_readable_by_the_origins_of_its_own_client() {
    let server = server().await;
    for (origin, client, is_readable) in [
        (SHOP, "shop", true),
        ("https://APP.shop.example", "shop", true),
        ("https://other.example", "other", true),
        (SHOP, "other", false),
        ("https://other.example", "shop", false),
        ("https://evil.example", "shop", false),
        ("https://shop.example", "shop", false),
        ("null", "shop", false),
        (SHOP, "unknown", false),
    ] {
        let fields = [("grant_type", "authorization_code"), ("code", "x"), ("client_id", client)];
        let reply = page(&server, origin).post_form("/oauth2/token", &fields).await;
        assert_eq!(readable_by(&reply), is_readable.then_some(origin), "{origin} {client}");
        assert_eq!(reply.headers[header::VARY], "Origin");
        assert!(!reply.headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }
    // The client of a token, and the one in Basic authentication.
    let callback = authorize(&server, "").await;
    let code = parameter(&callback, "code").unwrap();
    let fields =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK), ("client_id", "shop")];
    let access = post(&server, "/oauth2/token", &fields).await.string("/access_token");
    for (origin, is_readable) in [(SHOP, true), ("https://other.example", false)] {
        let page = page(&server, origin);
        let bearer = format!("Bearer {access}");
        let reply = page.clone().with_header("authorization", &bearer).get("/userinfo").await;
        assert_eq!((reply.status, readable_by(&reply)), (StatusCode::OK, is_readable.then_some(origin)));
        let basic = format!("Basic {}", STANDARD.encode("shop:"));
        let reply = page.with_header("authorization", &basic).post_form("/oauth2/revoke", &[("token", "x")]).await;
        assert_eq!((reply.status, readable_by(&reply)), (StatusCode::OK, is_readable.then_some(origin)));
    }
}

#[tokio::test]
async fn every_origin_may_send_preflights_and_read_public_documents() {
    let server = server().await;
    for path in crate::PATHS_OF_CLIENTS {
        let mut page = page(&server, SHOP).with_header("access-control-request-method", "POST");
        let reply = page.request(Method::OPTIONS, path, None).await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT, "{path}");
        assert!([Some(SHOP), Some("*")].contains(&readable_by(&reply)), "{path}");
        assert_eq!(reply.headers[header::ACCESS_CONTROL_ALLOW_HEADERS], "Authorization, Content-Type");
    }
    for path in ["/.well-known/openid-configuration", "/.well-known/jwks.json"] {
        let reply = page(&server, "https://a.example").get(path).await;
        assert_eq!((reply.status, readable_by(&reply)), (StatusCode::OK, Some("*")), "{path}");
    }
    // The endpoints for browsers allow no other origin.
    assert_eq!(readable_by(&page(&server, SHOP).get("/oauth2/auth?client_id=shop").await), None);
}
