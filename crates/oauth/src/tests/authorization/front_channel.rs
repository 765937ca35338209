//! Tokens from the authorization endpoint: the implicit and hybrid flows (OpenID Connect Core sections 3.2 and 3.3).

use std::collections::HashMap;

use super::*;
use crate::MIGRATIONS;
use crate::tests::token::{decode, is_active};

async fn server() -> TestServer {
    let server = TestServer::with_own_pages(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server
        .client(json!({
            "skip_consent": true, "grant_types": ["authorization_code", "implicit", "refresh_token"],
            "response_types": ["id_token", "token", "id_token token", "code id_token", "code token", "code id_token token"],
            "implicit_grant_access_token_lifespan": "5m",
        }))
        .await;
    server
}

/// Logs in; returns the parameters of the fragment.
async fn answer(server: &TestServer, types: &str) -> HashMap<String, String> {
    let mut browser = server.browser();
    let query =
        request("+offline_access&nonce=some-nonce").replace("response_type=code", &format!("response_type={types}"));
    let challenge = server.begin(&mut browser, &query).await;
    let answer = server.pass(&mut browser, "login", &challenge, json!({"subject": "ada"})).await.expect(303);
    let location = answer.redirect();
    assert!(location.query().is_none(), "{location}");
    url::form_urlencoded::parse(location.fragment().unwrap().as_bytes()).into_owned().collect()
}

#[tokio::test]
async fn each_response_type_returns_exactly_what_it_names() {
    let server = server().await;
    let cases = [
        ("token", ["access_token", "expires_in", "token_type"].as_slice()),
        ("id_token", &["id_token"]),
        ("id_token+token", &["access_token", "expires_in", "id_token", "token_type"]),
        ("code+id_token", &["code", "id_token"]),
        ("code+token", &["access_token", "code", "expires_in", "token_type"]),
        ("code+id_token+token", &["access_token", "code", "expires_in", "id_token", "token_type"]),
    ];
    for (types, expected) in cases {
        let answer = answer(&server, types).await;
        assert_eq!(answer["state"], "some-state");
        assert_eq!(answer["iss"], "https://op.example/");
        let always = ["state", "iss", "scope"];
        let mut names: Vec<&str> = answer.keys().map(String::as_str).filter(|name| !always.contains(name)).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{types}");
        if let Some(id_token) = answer.get("id_token") {
            let (_, claims) = decode(id_token);
            assert_eq!((&claims["nonce"], &claims["sub"]), (&json!("some-nonce"), &json!("ada")));
            assert_eq!(claims.get("c_hash").is_some(), answer.contains_key("code"), "{types}");
            assert_eq!(claims.get("at_hash").is_some(), answer.contains_key("access_token"), "{types}");
        }
    }
}

#[tokio::test]
async fn a_front_channel_token_is_valid_until_it_expires_or_its_grant_ends() {
    let server = server().await;
    let first = answer(&server, "code+token").await;
    assert_eq!(first["expires_in"], "300");
    let token = &first["access_token"];
    let callback = Url::parse_with_params(CALLBACK, [("code", &first["code"])]).unwrap();
    let tokens = server.redeem(&callback).await;
    assert!(tokens.json["refresh_token"].is_string(), "{tokens}");
    assert!(is_active(&server, token).await, "redeeming the code ended the other token");
    server.wait(301);
    assert!(!is_active(&server, token).await);

    let token = answer(&server, "token").await.remove("access_token").unwrap();
    assert!(is_active(&server, &token).await);
    let revoked =
        server.admin(Method::DELETE, "/admin/oauth2/auth/sessions/consent?subject=ada&all=true", Value::Null).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    assert!(!is_active(&server, &token).await);
}
