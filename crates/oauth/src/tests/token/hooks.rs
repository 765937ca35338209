use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post as on_post;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;

/// A hook on loopback with a fixed response, which records its requests.
struct HookServer {
    url: String,
    requests: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    _server: JoinSet<()>,
}

type Requests = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

async fn hook(status: u16, reply: Value) -> HookServer {
    let requests = Requests::default();
    let answer = move |State(requests): State<Requests>, headers: HeaderMap, body: String| async move {
        requests.lock().unwrap().push((headers, serde_json::from_str(&body).unwrap()));
        let reply = if reply.is_null() { String::new() } else { reply.to_string() };
        (StatusCode::from_u16(status).unwrap(), reply)
    };
    let router = axum::Router::new().route("/", on_post(answer)).with_state(requests.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, router).await.unwrap() });
    HookServer { url, requests, _server: server }
}

async fn shop(oauth2: &Value) -> TestServer {
    let server = server(sqlite().await, &json!({"oauth2": oauth2}));
    server.client(json!({"grant_types": ["authorization_code", "refresh_token", "client_credentials"]})).await;
    server
}

#[tokio::test]
async fn a_hook_replaces_the_claims_of_every_grant() {
    let claims = json!({"session": {"access_token": {"tier": "gold"}, "id_token": {"email": "ada@example.com"}}});
    let hook = hook(200, claims).await;
    let key = json!({"type": "api_key", "config": {"in": "header", "name": "X-Key", "value": "s3cret"}});
    let server = shop(&json!({"token_hook": {"url": hook.url, "auth": key}})).await;

    let tokens = offline_tokens(&server).await;
    assert_eq!(decode(&tokens.string("/id_token")).1["email"], "ada@example.com");
    assert_eq!(introspect(&server, &tokens.string("/access_token")).await["ext"], json!({"tier": "gold"}));
    let refreshed = refresh(&server, &tokens.string("/refresh_token")).await;
    assert_eq!(introspect(&server, &refreshed.string("/access_token")).await["ext"], json!({"tier": "gold"}));
    let own = token(&server, &[("grant_type", "client_credentials")]).await.string("/access_token");
    assert_eq!(introspect(&server, &own).await["ext"], json!({"tier": "gold"}));

    let requests = hook.requests.lock().unwrap();
    let kinds: Vec<_> = requests.iter().map(|(_, body)| body["request"]["grant_types"][0].clone()).collect();
    assert_eq!(kinds, ["authorization_code", "refresh_token", "client_credentials"]);
    let (headers, body) = &requests[0];
    assert_eq!(headers["x-key"], "s3cret");
    assert_eq!(body["session"]["id_token"]["subject"], "ada");
    assert_eq!(body["session"]["id_token"]["id_token_claims"]["nonce"], "some-nonce");
    assert_eq!(body["request"]["granted_scopes"], json!(["openid", "offline_access", "photos.read"]));
}

#[tokio::test]
async fn a_hook_that_denies_or_fails_does_not_use_up_the_code() {
    for (status, error, code) in [(403, "access_denied", 403), (500, "server_error", 500), (200, "server_error", 500)] {
        let hook = hook(status, Value::Null).await;
        let server = shop(&json!({"refresh_token_hook": hook.url})).await;
        let refresh_token = offline_tokens(&server).await.string("/refresh_token");
        for _ in 0..2 {
            refresh(&server, &refresh_token).await.expect_error(code, error);
            assert!(is_active(&server, &refresh_token).await, "{status}");
        }
        assert_eq!(hook.requests.lock().unwrap()[0].1["requester"]["client_id"], "shop");
    }
}

#[tokio::test]
async fn a_hook_may_leave_the_claims_unchanged() {
    let hook = hook(204, Value::Null).await;
    let server = shop(&json!({"token_hook": hook.url})).await;
    let tokens = offline_tokens(&server).await;
    assert!(introspect(&server, &tokens.string("/access_token")).await.get("ext").is_none());
}
