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

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use database::Database;
use serde_json::{Value, json};
use test_client::{JSON, Reply, parameter};
use url::Url;

use super::authorization::{CALLBACK, TestServer, request};
use crate::MIGRATIONS;

/// What a test expects of an error (RFC 6749 section 5.2).
pub(super) trait OAuthReply {
    fn expect_error(&self, status: u16, code: &str);
}

impl OAuthReply for Reply {
    #[track_caller]
    fn expect_error(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.json["error"].as_str()), (status, Some(code)), "{self}");
    }
}

pub(super) async fn sqlite() -> Database {
    database::testing::sqlite(&[MIGRATIONS, jobs::MIGRATIONS]).await
}

/// A test server with additional configuration.
pub(super) fn server(database: Database, more: &Value) -> TestServer {
    let mut config = json!({"urls": {
        "self": {"issuer": "https://op.example/"},
        "login": "https://ui.example/login", "consent": "https://ui.example/consent",
    }});
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    TestServer::new(database, config)
}

/// Posts a form to a public endpoint.
pub(super) async fn post(server: &TestServer, path: &str, fields: &[(&str, &str)]) -> Reply {
    server.program().post_form(path, fields).await
}

/// The same, with Basic authentication.
pub(super) async fn post_basic(
    server: &TestServer,
    path: &str,
    user: &str,
    password: &str,
    fields: &[(&str, &str)],
) -> Reply {
    let credentials = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    server.program().with_header("authorization", &credentials).post_form(path, fields).await
}

/// Posts a token request as `shop`.
pub(super) async fn token(server: &TestServer, fields: &[(&str, &str)]) -> Reply {
    let mut all = vec![("client_id", "shop"), ("client_secret", "averylongsecret")];
    all.extend(fields);
    post(server, "/oauth2/token", &all).await
}

pub(super) async fn refresh(server: &TestServer, refresh_token: &str) -> Reply {
    token(server, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
}

pub(super) async fn introspect(server: &TestServer, token: &str) -> Value {
    let reply = introspect_for(server, token, "").await.expect(200);
    assert_eq!(reply.headers[header::CONTENT_TYPE], "application/json;charset=UTF-8");
    reply.json
}

pub(super) async fn introspect_for(server: &TestServer, token: &str, scope: &str) -> Reply {
    server.operator().post_form("/admin/oauth2/introspect", &[("token", token), ("scope", scope)]).await
}

pub(super) async fn is_active(server: &TestServer, token: &str) -> bool {
    introspect(server, token).await["active"] == true
}

pub(super) async fn get(server: &TestServer, path: &str) -> Reply {
    server.program().get(path).await
}

pub(super) async fn userinfo(server: &TestServer, token: &str) -> Reply {
    server.program().with_header("authorization", &format!("Bearer {token}")).get("/userinfo").await
}

pub(super) async fn admin(server: &TestServer, method: Method, path: &str, body: &Value) -> Reply {
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, JSON);
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    server.operator().send(request.extension(web::MayReadPrivateKeys).body(body).unwrap()).await
}

/// Like [`admin`], by an unauthenticated caller.
pub(super) async fn unproved_admin(server: &TestServer, method: Method, path: &str, body: &Value) -> Reply {
    server.operator().json(method, path, body).await
}

/// Ada logs in and grants `shop` its request; returns the redirect URL with the code.
pub(super) async fn authorize(server: &TestServer, more: &str) -> Url {
    server.sign_in(&mut server.browser(), &request(more), json!({"subject": "ada", "acr": "1"})).await
}

/// Like [`authorize`], with a refresh token; returns the code.
pub(super) async fn offline_code(server: &TestServer, more: &str) -> String {
    let callback: String = url::form_urlencoded::byte_serialize(CALLBACK.as_bytes()).collect();
    let query = format!(
        "client_id=shop&response_type=code&redirect_uri={callback}&state=some-state&nonce=some-nonce\
         &scope=openid+offline_access+photos.read{more}"
    );
    let callback = server.sign_in(&mut server.browser(), &query, json!({"subject": "ada"})).await;
    parameter(&callback, "code").unwrap_or_else(|| panic!("{callback}"))
}

pub(super) async fn redeem(server: &TestServer, code: &str, more: &[(&str, &str)]) -> Reply {
    let mut fields = vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)];
    fields.extend(more);
    token(server, &fields).await
}

/// A complete code flow; returns the tokens, with a refresh token.
pub(super) async fn offline_tokens(server: &TestServer) -> Reply {
    let code = offline_code(server, "").await;
    redeem(server, &code, &[]).await.expect(200)
}

/// Header and claims of a JWT, unverified.
pub(super) fn decode(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    });
    (parts.next().unwrap(), parts.next().unwrap())
}
