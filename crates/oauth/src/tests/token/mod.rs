//! Tokens through the router, as seen by clients, resource servers and operators.

mod advertised;
mod attempts;
mod authentication;
mod client_credentials;
mod code;
mod hooks;
mod jwt;
mod keys;
mod origins;
mod races;
mod refresh;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use database::Database;
use serde_json::{Value, json};
use tower::ServiceExt;
use url::Url;

use super::authorization::{Browser, CALLBACK, House, parameter, request};
use crate::MIGRATIONS;

pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Reply {
    /// The member with this name as a string.
    #[track_caller]
    pub(super) fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_else(|| panic!("no {name} in {} {}", self.status, self.body)).to_owned()
    }

    #[track_caller]
    pub(super) fn expect_error(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.body["error"].as_str()), (status, Some(code)), "{}", self.body);
    }
}

pub(super) async fn sqlite() -> Database {
    database::testing::sqlite(&[MIGRATIONS, jobs::MIGRATIONS]).await
}

/// A test server with additional configuration.
pub(super) fn house(database: Database, more: &Value) -> House {
    let mut config = json!({"urls": {
        "self": {"issuer": "https://op.example/"},
        "login": "https://ui.example/login", "consent": "https://ui.example/consent",
    }});
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    House::new(database, config)
}

async fn send(house: &House, router: Router, mut request: Request<Body>) -> Reply {
    request.extensions_mut().insert(house.cx());
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let body = serde_json::from_slice(&body).unwrap_or_else(|_| Value::from(String::from_utf8(body.to_vec()).unwrap()));
    Reply { status: parts.status, headers: parts.headers, body }
}

fn form(fields: &[(&str, &str)]) -> Body {
    Body::from(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
}

fn form_request(path: &str) -> axum::http::request::Builder {
    Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
}

/// Posts a form to a public endpoint.
pub(super) async fn post(house: &House, path: &str, fields: &[(&str, &str)]) -> Reply {
    send(house, house.oauth.public_router(), form_request(path).body(form(fields)).unwrap()).await
}

/// The same, with Basic authentication.
pub(super) async fn post_basic(
    house: &House,
    path: &str,
    user: &str,
    password: &str,
    fields: &[(&str, &str)],
) -> Reply {
    let credentials = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    let request = form_request(path).header(header::AUTHORIZATION, credentials);
    send(house, house.oauth.public_router(), request.body(form(fields)).unwrap()).await
}

/// Posts a token request as `shop`.
pub(super) async fn token(house: &House, fields: &[(&str, &str)]) -> Reply {
    let mut all = vec![("client_id", "shop"), ("client_secret", "averylongsecret")];
    all.extend(fields);
    post(house, "/oauth2/token", &all).await
}

pub(super) async fn refresh(house: &House, refresh_token: &str) -> Reply {
    token(house, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
}

pub(super) async fn introspect(house: &House, token: &str) -> Value {
    let reply = introspect_for(house, token, "").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    assert_eq!(reply.headers[header::CONTENT_TYPE], "application/json;charset=UTF-8");
    reply.body
}

pub(super) async fn introspect_for(house: &House, token: &str, scope: &str) -> Reply {
    let fields = form(&[("token", token), ("scope", scope)]);
    send(house, house.oauth.admin_router(), form_request("/admin/oauth2/introspect").body(fields).unwrap()).await
}

pub(super) async fn is_active(house: &House, token: &str) -> bool {
    introspect(house, token).await["active"] == true
}

pub(super) async fn get(house: &House, path: &str) -> Reply {
    send(house, house.oauth.public_router(), Request::get(path).body(Body::empty()).unwrap()).await
}

pub(super) async fn userinfo(house: &House, token: &str) -> Reply {
    let request = Request::get("/userinfo").header(header::AUTHORIZATION, format!("Bearer {token}"));
    send(house, house.oauth.public_router(), request.body(Body::empty()).unwrap()).await
}

pub(super) async fn admin(house: &House, method: Method, path: &str, body: &Value) -> Reply {
    let mut request = admin_request(method, path, body);
    request.extensions_mut().insert(web::MayReadPrivateKeys);
    send(house, house.oauth.admin_router(), request).await
}

/// Like [`admin`], by an unauthenticated caller.
pub(super) async fn unproved_admin(house: &House, method: Method, path: &str, body: &Value) -> Reply {
    send(house, house.oauth.admin_router(), admin_request(method, path, body)).await
}

fn admin_request(method: Method, path: &str, body: &Value) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    request.body(body).unwrap()
}

/// Ada logs in and grants `shop` its request; returns the redirect URL with the code.
pub(super) async fn authorize(house: &House, more: &str) -> Url {
    house.sign_in(&mut Browser::default(), &request(more), json!({"subject": "ada", "acr": "1"})).await
}

/// Like [`authorize`], with a refresh token; returns the code.
pub(super) async fn offline_code(house: &House, more: &str) -> String {
    let callback: String = url::form_urlencoded::byte_serialize(CALLBACK.as_bytes()).collect();
    let query = format!(
        "client_id=shop&response_type=code&redirect_uri={callback}&state=some-state&nonce=some-nonce\
         &scope=openid+offline_access+photos.read{more}"
    );
    let callback = house.sign_in(&mut Browser::default(), &query, json!({"subject": "ada"})).await;
    parameter(&callback, "code").unwrap_or_else(|| panic!("{callback}"))
}

pub(super) async fn redeem(house: &House, code: &str, more: &[(&str, &str)]) -> Reply {
    let mut fields = vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)];
    fields.extend(more);
    token(house, &fields).await
}

/// A complete code flow; returns the tokens, with a refresh token.
pub(super) async fn offline_tokens(house: &House) -> Reply {
    let code = offline_code(house, "").await;
    let tokens = redeem(house, &code, &[]).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    tokens
}

/// Header and claims of a JWT, unverified.
pub(super) fn decode(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    });
    (parts.next().unwrap(), parts.next().unwrap())
}
