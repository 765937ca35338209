use serde_json::json;

use super::*;
use crate::domain::signing_key::ID_TOKEN_SET;

const SET: &str = "/admin/keys/hydra.openid.id-token";

#[tokio::test]
async fn operators_manage_key_sets() {
    let server = server(sqlite().await, &json!({}));
    let path = "/admin/keys/my-set";
    admin(&server, Method::GET, path, &Value::Null).await.expect_error(404, "Unable to locate the resource");
    let made =
        admin(&server, Method::POST, path, &json!({"alg": "ES256", "kid": "one", "use": "sig"})).await.expect(201);
    assert!(made.json["keys"][0]["d"].is_string());
    assert_eq!(made.headers[header::LOCATION], path);
    admin(&server, Method::POST, path, &json!({"alg": "ES256", "kid": "one"})).await.expect(409);
    admin(&server, Method::POST, path, &json!({"alg": "HS256"})).await.expect_error(400, "invalid_request");
    admin(&server, Method::POST, path, &json!({"alg": "ES256", "use": "x"})).await.expect_error(400, "invalid_request");

    let key = admin(&server, Method::GET, &format!("{path}/one"), &Value::Null).await;
    assert_eq!(key.json, made.json);
    let mut renamed = made.json["keys"][0].clone();
    renamed["kid"] = json!("two");
    let put = admin(&server, Method::PUT, &format!("{path}/two"), &renamed).await;
    assert_eq!((put.status, &put.json["kid"]), (StatusCode::OK, &json!("two")));
    let both = admin(&server, Method::GET, path, &Value::Null).await;
    assert_eq!(both.json["keys"].as_array().unwrap().len(), 2);
    let replaced = admin(&server, Method::PUT, path, &json!({"keys": [renamed]})).await.expect(200);
    assert_eq!(admin(&server, Method::GET, path, &Value::Null).await.json, replaced.json);
    admin(&server, Method::PUT, path, &json!({"keys": [{"kty": "oct"}]})).await.expect_error(400, "invalid_request");

    let delete = |path: String| {
        let server = &server;
        async move { admin(server, Method::DELETE, &path, &Value::Null).await.status }
    };
    assert_eq!(delete(format!("{path}/two")).await, StatusCode::NO_CONTENT);
    assert_eq!(delete(format!("{path}/two")).await, StatusCode::NO_CONTENT, "deleting a missing key succeeds");
    assert_eq!(delete(path.to_owned()).await, StatusCode::NO_CONTENT);
    assert_eq!(delete(path.to_owned()).await, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn private_keys_are_returned_only_to_authenticated_callers() {
    let server = server(sqlite().await, &json!({}));
    let path = "/admin/keys/my-set";
    let members = |key: &Value| key.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    for algorithm in ["ES256", "RS256", "EdDSA"] {
        let body = json!({"alg": algorithm, "kid": algorithm, "use": "sig"});
        let made = unproved_admin(&server, Method::POST, path, &body).await.expect(201);
        let one = format!("{path}/{algorithm}");
        let private = admin(&server, Method::GET, &one, &Value::Null).await.json["keys"][0].clone();
        assert!(private["d"].is_string(), "{private}");
        let shown = [
            made.json["keys"][0].clone(),
            unproved_admin(&server, Method::GET, &one, &Value::Null).await.json["keys"][0].clone(),
            unproved_admin(&server, Method::PUT, &one, &private).await.json,
            unproved_admin(&server, Method::PUT, path, &json!({"keys": [private]})).await.json["keys"][0].clone(),
            unproved_admin(&server, Method::GET, path, &Value::Null).await.json["keys"][0].clone(),
        ];
        for key in shown {
            assert_eq!(key["kid"], algorithm, "{key}");
            for member in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(key.get(member).is_none(), "{member} is among {}", members(&key));
            }
        }
        let kept = admin(&server, Method::GET, &one, &Value::Null).await.json["keys"][0].clone();
        assert_eq!(kept, private, "the private parts are still stored");
    }
}

#[tokio::test]
async fn an_imported_set_signs_at_once_and_one_without_signing_keys_is_rejected() {
    let server = server(sqlite().await, &json!({}));
    server.client(json!({})).await;
    let key = jose::Jwk::generate(jose::Algorithm::EdDSA, "imported".to_owned()).unwrap();
    let public = json!({"keys": [key.to_public_value()]});
    admin(&server, Method::PUT, SET, &public).await.expect_error(400, "invalid_request");
    let set = json!({"keys": [key.to_private_value()]});
    assert_eq!(admin(&server, Method::PUT, SET, &set).await.status, StatusCode::OK);
    assert_eq!(decode(&offline_tokens(&server).await.string("/id_token")).0["kid"], "imported");
}

#[tokio::test]
async fn a_rotated_key_is_published_first_then_signs_and_verifies_until_it_expires() {
    const HOUR: u64 = 3600;
    let settings = json!({"oauth2": {"keys": {"algorithm": "EdDSA", "rotation_period": "240h"}}});
    let server = server(sqlite().await, &settings);
    server.client(json!({})).await;
    let kid = |token: &str| decode(token).0["kid"].as_str().unwrap().to_owned();
    let published =
        async |server: &TestServer| get(server, "/.well-known/jwks.json").await.at("/keys").as_array().unwrap().len();
    let first = offline_tokens(&server).await.string("/id_token");
    assert_eq!(published(&server).await, 2, "one key a set");
    server.oauth.key_sets.rotate(&server.cx()).await.unwrap();
    assert_eq!(published(&server).await, 2, "too early");

    server.wait(216 * HOUR);
    server.oauth.key_sets.rotate(&server.cx()).await.unwrap();
    server.oauth.key_sets.rotate(&server.cx()).await.unwrap();
    assert_eq!(published(&server).await, 4, "published a day ahead, once");
    assert_eq!(kid(&offline_tokens(&server).await.string("/id_token")), kid(&first));

    server.wait(24 * HOUR);
    let second = offline_tokens(&server).await.string("/id_token");
    assert_ne!(kid(&second), kid(&first));
    let cx = server.cx();
    assert!(server.oauth.keys.verify_id_token_hint(&cx, &first).await.is_ok(), "the old key still verifies");

    server.wait(720 * HOUR);
    let live = server.oauth.key_sets.get_set(&server.cx(), ID_TOKEN_SET).await.unwrap();
    assert!(live.keys.iter().all(|key| key.kid.as_deref() != Some(kid(&first).as_str())), "expired keys are not shown");
}

#[tokio::test]
async fn both_discovery_paths_return_the_same_document() {
    let server = server(sqlite().await, &json!({"webfinger": {"oidc_discovery": {"supported_claims": ["email"]}}}));
    let openid = get(&server, "/.well-known/openid-configuration").await;
    let oauth = get(&server, "/.well-known/oauth-authorization-server").await;
    assert_eq!(openid.json, oauth.json);
    insta::assert_json_snapshot!(openid.json);
}
