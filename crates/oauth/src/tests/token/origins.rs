//! Clients that run in a browser.

use super::*;

const SHOP: &str = "https://app.shop.example";

async fn house() -> House {
    let house = super::house(sqlite().await, &json!({}));
    house
        .client(json!({
            "allowed_cors_origins": ["https://*.shop.example"], "token_endpoint_auth_method": "none",
            "client_secret": null,
        }))
        .await;
    house.client(json!({"client_id": "other", "allowed_cors_origins": ["https://other.example"]})).await;
    house
}

async fn ask(house: &House, request: axum::http::request::Builder, body: Body) -> Reply {
    send(house, house.oauth.public_router(), request.body(body).unwrap()).await
}

fn readable_by(reply: &Reply) -> Option<&str> {
    reply.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).map(|origin| origin.to_str().unwrap())
}

#[tokio::test]
async fn a_response_is_readable_by_the_origins_of_its_own_client() {
    let house = house().await;
    let from = |origin: &str, client: &str| {
        let fields = form(&[("grant_type", "authorization_code"), ("code", "x"), ("client_id", client)]);
        (form_request("/oauth2/token").header(header::ORIGIN, origin), fields)
    };
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
        let (request, body) = from(origin, client);
        let reply = ask(&house, request, body).await;
        assert_eq!(readable_by(&reply), is_readable.then_some(origin), "{origin} {client}");
        assert_eq!(reply.headers[header::VARY], "Origin");
        assert!(!reply.headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }
    // The client of a token, and the one in Basic authentication.
    let callback = authorize(&house, "").await;
    let code = parameter(&callback, "code").unwrap();
    let fields =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK), ("client_id", "shop")];
    let access = post(&house, "/oauth2/token", &fields).await.text("access_token");
    for (origin, is_readable) in [(SHOP, true), ("https://other.example", false)] {
        let request = Request::get("/userinfo").header(header::AUTHORIZATION, format!("Bearer {access}"));
        let reply = ask(&house, request.header(header::ORIGIN, origin), Body::empty()).await;
        assert_eq!((reply.status, readable_by(&reply)), (StatusCode::OK, is_readable.then_some(origin)));
        let basic = format!("Basic {}", STANDARD.encode("shop:"));
        let request =
            form_request("/oauth2/revoke").header(header::AUTHORIZATION, basic).header(header::ORIGIN, origin);
        let reply = ask(&house, request, form(&[("token", "x")])).await;
        assert_eq!((reply.status, readable_by(&reply)), (StatusCode::OK, is_readable.then_some(origin)));
    }
}

#[tokio::test]
async fn every_origin_may_send_preflights_and_read_public_documents() {
    let house = house().await;
    for path in crate::PATHS_OF_CLIENTS {
        let request = Request::builder().method(Method::OPTIONS).uri(*path);
        let request = request.header(header::ORIGIN, SHOP).header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
        let reply = ask(&house, request, Body::empty()).await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT, "{path}");
        assert!([Some(SHOP), Some("*")].contains(&readable_by(&reply)), "{path}");
        assert_eq!(reply.headers[header::ACCESS_CONTROL_ALLOW_HEADERS], "Authorization, Content-Type");
    }
    for path in ["/.well-known/openid-configuration", "/.well-known/jwks.json"] {
        let reply = ask(&house, Request::get(path).header(header::ORIGIN, "https://a.example"), Body::empty()).await;
        assert_eq!((reply.status, readable_by(&reply)), (StatusCode::OK, Some("*")), "{path}");
    }
    // The endpoints for browsers allow no other origin.
    let request = Request::get("/oauth2/auth?client_id=shop").header(header::ORIGIN, SHOP);
    assert_eq!(readable_by(&ask(&house, request, Body::empty()).await), None);
}
