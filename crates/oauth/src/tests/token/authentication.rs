use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use jose::{Algorithm, Jwk, SigningKey};
use serde_json::json;

use super::*;

const GRANT: (&str, &str) = ("grant_type", "client_credentials");
const ASSERTION_TYPE: (&str, &str) =
    ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");

async fn server_with(client: Value) -> TestServer {
    let server = server(sqlite().await, &json!({}));
    server.client(client).await;
    server
}

#[tokio::test]
async fn an_unknown_client_and_a_wrong_secret_look_the_same() {
    let server = server_with(json!({"grant_types": ["client_credentials"]})).await;
    let credentials = |id, secret| [GRANT, ("client_id", id), ("client_secret", secret)];
    let wrong = post(&server, "/oauth2/token", &credentials("shop", "not the secret")).await;
    let unknown = post(&server, "/oauth2/token", &credentials("unknown", "not the secret")).await;
    wrong.expect_error(401, "invalid_client");
    assert_eq!(wrong.json, unknown.json);
    assert!(wrong.headers[header::WWW_AUTHENTICATE].to_str().unwrap().starts_with("Basic "));
}

#[tokio::test]
async fn an_unknown_client_and_a_known_client_without_proof_get_the_same_answer() {
    let key = Jwk::generate(Algorithm::ES256, "k".to_owned()).unwrap();
    let server = server_with(json!({"grant_types": ["client_credentials"]})).await;
    let jwt = json!({
        "client_id": "jwt", "grant_types": ["client_credentials"], "client_secret": null,
        "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "ES256",
        "jwks": {"keys": [key.to_public_value()]},
    });
    server.client(jwt).await;
    server
        .client(json!({
            "client_id": "public", "client_secret": null, "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code"],
        }))
        .await;
    let thief = Jwk::generate(Algorithm::ES256, "k".to_owned()).unwrap();
    let expected = post(&server, "/oauth2/token", &[GRANT, ("client_id", "unknown"), ("client_secret", "wrong")]).await;
    expected.expect_error(401, "invalid_client");
    for id in ["unknown", "shop", "jwt", "public", "\u{e9}"] {
        let signed = assertion(&thief, &json!({"iss": id, "sub": id}), &server);
        let mut replies = vec![
            post(&server, "/oauth2/token", &[GRANT, ("client_id", id), ("client_secret", "wrong")]).await,
            post_basic(&server, "/oauth2/token", id, "wrong", &[GRANT]).await,
            post_basic(&server, "/oauth2/revoke", id, "wrong", &[("token", "x")]).await,
            post(&server, "/oauth2/token", &[GRANT, ASSERTION_TYPE, ("client_assertion", &signed)]).await,
        ];
        if id != "public" {
            replies.push(post(&server, "/oauth2/token", &[GRANT, ("client_id", id)]).await);
        }
        for reply in replies {
            assert_eq!((reply.status, &reply.json), (expected.status, &expected.json), "{id}");
        }
    }
}

#[tokio::test]
async fn a_client_that_authenticates_by_the_wrong_method_gets_both_methods_in_the_error() {
    let server = server_with(json!({"grant_types": ["client_credentials"]})).await;
    let reply = post_basic(&server, "/oauth2/token", "shop", "averylongsecret", &[GRANT]).await;
    reply.expect_error(401, "invalid_client");
    let description = reply.string("/error_description");
    let expected = "The client authenticated with 'client_secret_basic', but its token_endpoint_auth_method is \
        'client_secret_post'.";
    assert!(description.ends_with(expected), "{description}");
    let reply = post_basic(&server, "/oauth2/token", "shop", "not the secret", &[GRANT]).await;
    assert!(!reply.string("/error_description").contains("client_secret_"), "{reply}");
}

#[tokio::test]
async fn a_client_can_only_use_its_registered_method() {
    let server = server_with(json!({"grant_types": ["client_credentials"]})).await;
    let basic = post_basic(&server, "/oauth2/token", "shop", "averylongsecret", &[GRANT]).await;
    basic.expect_error(401, "invalid_client");
    server.client(json!({
        "client_id": "basic", "grant_types": ["client_credentials"], "token_endpoint_auth_method": "client_secret_basic",
    })).await;
    post_basic(&server, "/oauth2/token", "basic", "averylongsecret", &[GRANT]).await.expect(200);
    let both = [GRANT, ("client_id", "basic"), ("client_secret", "averylongsecret")];
    post_basic(&server, "/oauth2/token", "basic", "averylongsecret", &both).await.expect_error(400, "invalid_request");
    post(&server, "/oauth2/token", &both).await.expect_error(401, "invalid_client");
    post(&server, "/oauth2/token", &[GRANT, ("client_id", "basic")]).await.expect_error(401, "invalid_client");
    post(&server, "/oauth2/token", &[GRANT]).await.expect_error(400, "invalid_request");
}

#[tokio::test]
async fn a_generated_and_a_rotated_secret_authenticate() {
    let server = server(sqlite().await, &json!({}));
    let client = server.client(json!({"client_secret": null, "grant_types": ["client_credentials"]})).await;
    let first = client["client_secret"].as_str().unwrap().to_owned();
    let ask = |secret: String| {
        let server = &server;
        async move {
            post(server, "/oauth2/token", &[GRANT, ("client_id", "shop"), ("client_secret", &secret)]).await.status
        }
    };
    assert_eq!(ask(first.clone()).await, StatusCode::OK);
    let rotated = admin(&server, Method::POST, "/admin/clients/shop/secrets/rotate", &Value::Null).await;
    let second = rotated.string("/client_secret");
    assert_eq!((ask(first.clone()).await, ask(second.clone()).await), (StatusCode::OK, StatusCode::OK));
    admin(&server, Method::DELETE, "/admin/clients/shop/secrets/rotate", &Value::Null).await;
    assert_eq!((ask(first).await, ask(second).await), (StatusCode::UNAUTHORIZED, StatusCode::OK));
}

fn assertion(key: &Jwk, changes: &Value, server: &TestServer) -> String {
    let now = server.cx().now.unix_seconds();
    let mut claims = json!({
        "iss": "shop", "sub": "shop", "aud": "https://op.example/oauth2/token", "exp": now + 60, "iat": now, "jti": "j-1",
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    SigningKey::new(key).unwrap().sign(&claims).unwrap()
}

#[tokio::test]
async fn a_signed_assertion_authenticates_once() {
    let key = Jwk::generate(Algorithm::ES256, "k".to_owned()).unwrap();
    let server = server_with(json!({
        "grant_types": ["client_credentials"], "client_secret": null, "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256", "jwks": {"keys": [key.to_public_value()]},
    }))
    .await;
    let ask = |assertion: String| {
        let server = &server;
        async move { post(server, "/oauth2/token", &[GRANT, ASSERTION_TYPE, ("client_assertion", &assertion)]).await }
    };
    let now = server.cx().now.unix_seconds();
    let refused = [
        json!({"iss": "other"}),
        json!({"sub": "other"}),
        json!({"aud": "https://other.example/oauth2/token"}),
        json!({"exp": now - 31}),
        json!({"exp": null}),
        json!({"jti": null}),
        json!({"nbf": now + 60}),
    ];
    for changes in refused {
        let reply = ask(assertion(&key, &changes, &server)).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{changes}: {reply}");
    }
    let thief = Jwk::generate(Algorithm::ES256, "k".to_owned()).unwrap();
    ask(assertion(&thief, &json!({}), &server)).await.expect_error(401, "invalid_client");

    let good = assertion(&key, &json!({}), &server);
    assert_eq!(ask(good.clone()).await.status, StatusCode::OK, "no rejected assertion used up the jti");
    ask(good).await.expect_error(400, "jti_known");
    let issuer_as_audience = assertion(&key, &json!({"aud": ["https://op.example/"], "jti": "j-2"}), &server);
    assert_eq!(ask(issuer_as_audience).await.status, StatusCode::OK);
    post(&server, "/oauth2/token", &[GRANT, ("client_assertion", "x")]).await.expect_error(400, "invalid_request");

    // The same `jti` from another client is another assertion.
    let other_key = Jwk::generate(Algorithm::EdDSA, "k".to_owned()).unwrap();
    server
        .client(json!({
            "client_id": "other", "grant_types": ["client_credentials"], "client_secret": null,
            "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "EdDSA",
            "jwks": {"keys": [other_key.to_public_value()]},
        }))
        .await;
    let other = assertion(&other_key, &json!({"iss": "other", "sub": "other"}), &server);
    assert_eq!(ask(other).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_client_may_publish_its_keys_and_an_unknown_one_causes_one_fetch() {
    let first = Jwk::generate(Algorithm::ES256, "first".to_owned()).unwrap();
    let second = Jwk::generate(Algorithm::ES256, "second".to_owned()).unwrap();
    let published = Arc::new(Mutex::new(vec![first.to_public_value()]));
    let fetches = Arc::new(AtomicU32::new(0));
    let (keys, count) = (published.clone(), fetches.clone());
    let serve = move || async move {
        count.fetch_add(1, Ordering::SeqCst);
        axum::Json(json!({"keys": *keys.lock().unwrap()}))
    };
    let router = axum::Router::new().route("/keys", axum::routing::get(serve));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
    let server = server_with(json!({
        "grant_types": ["client_credentials"], "client_secret": null, "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256", "jwks_uri": url,
    }))
    .await;
    let ask = async |key: &Jwk, jti: &str| {
        let assertion = assertion(key, &json!({"jti": jti}), &server);
        post(&server, "/oauth2/token", &[GRANT, ASSERTION_TYPE, ("client_assertion", &assertion)]).await.status
    };
    assert_eq!(ask(&first, "1").await, StatusCode::OK);
    assert_eq!(ask(&first, "2").await, StatusCode::OK);
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
    for jti in ["3", "4", "5"] {
        assert_eq!(ask(&second, jti).await, StatusCode::UNAUTHORIZED, "it is not published");
    }
    assert_eq!(fetches.load(Ordering::SeqCst), 1, "the set was fetched a moment ago");
    // A rotated key is accepted a minute later.
    published.lock().unwrap().push(second.to_public_value());
    server.wait(61);
    assert_eq!(ask(&second, "6").await, StatusCode::OK);
    assert_eq!(ask(&first, "7").await, StatusCode::OK);
    assert_eq!(fetches.load(Ordering::SeqCst), 2);
}
