use jose::{Algorithm, JwkSet, Jws, VerificationKeys};
use serde_json::json;

use super::*;

async fn shop(more: &Value) -> TestServer {
    let mut settings = json!({"strategies": {"access_token": "jwt"}});
    for (name, value) in more.as_object().unwrap() {
        settings[name] = value.clone();
    }
    let server = server(sqlite().await, &settings);
    server.client(json!({"grant_types": ["authorization_code", "refresh_token", "client_credentials"]})).await;
    server
}

async fn published(server: &TestServer) -> VerificationKeys {
    let reply = get(server, "/.well-known/jwks.json").await;
    assert_eq!(reply.headers[header::CACHE_CONTROL], "public, max-age=300");
    let text = reply.json.to_string();
    assert!(!text.contains("\"d\":"), "{text}");
    JwkSet::parse(&reply.json).unwrap().keys.iter().collect()
}

#[tokio::test]
async fn an_access_token_verifies_with_the_published_keys() {
    let server = shop(&json!({})).await;
    let tokens = offline_tokens(&server).await;
    let keys = published(&server).await;
    let access_token = tokens.string("/access_token");
    for (name, algorithm) in [("access_token", Algorithm::ES256), ("id_token", Algorithm::RS256)] {
        Jws::parse(&tokens.string(&format!("/{name}"))).unwrap().verify(&keys, &[algorithm]).unwrap();
    }
    let (header, claims) = decode(&access_token);
    assert_eq!(header["typ"], "JWT");
    assert_eq!(claims["sub"], "ada");
    assert_eq!(claims["client_id"], "shop");
    assert_eq!(claims["scp"], json!(["openid", "offline_access", "photos.read"]));
    assert_eq!((&claims["aud"], &claims["ext"]), (&json!([]), &json!({})));
    assert!(is_active(&server, &access_token).await);
    assert_eq!(userinfo(&server, &access_token).await.json["sub"], "ada");
}

#[tokio::test]
async fn a_jwt_is_inactive_at_every_endpoint_after_its_grant_ends() {
    let server = shop(&json!({})).await;
    let tokens = offline_tokens(&server).await;
    let access_token = tokens.string("/access_token");
    let fields = [("client_id", "shop"), ("client_secret", "averylongsecret"), ("token", access_token.as_str())];
    assert_eq!(post(&server, "/oauth2/revoke", &fields).await.status, StatusCode::OK);
    assert!(!is_active(&server, &access_token).await);
    refresh(&server, &tokens.string("/refresh_token")).await.expect_error(400, "invalid_grant");

    let own = super::token(&server, &[("grant_type", "client_credentials")]).await.string("/access_token");
    assert!(is_active(&server, &own).await);
    let fields = [("client_id", "shop"), ("client_secret", "averylongsecret"), ("token", own.as_str())];
    assert_eq!(post(&server, "/oauth2/revoke", &fields).await.status, StatusCode::OK);
    assert!(!is_active(&server, &own).await);
}

#[tokio::test]
async fn tokens_stay_valid_after_a_change_of_key_or_format() {
    let server = shop(&json!({})).await;
    let old = super::token(&server, &[("grant_type", "client_credentials")]).await.string("/access_token");
    let new_key = json!({"alg": "ES256", "kid": "second", "use": "sig"});
    admin(&server, Method::POST, "/admin/keys/hydra.jwt.access-token", &new_key).await.expect(201);
    server.wait(1);
    let new = super::token(&server, &[("grant_type", "client_credentials")]).await.string("/access_token");
    assert_eq!(decode(&new).0["kid"], "second");
    assert_eq!(decode(&new).0["alg"], "ES256");
    let keys = published(&server).await;
    for token in [&old, &new] {
        Jws::parse(token).unwrap().verify(&keys, &Algorithm::ALL).unwrap();
        assert!(is_active(&server, token).await);
    }
    let patch = json!([{"op": "add", "path": "/access_token_strategy", "value": "opaque"}]);
    assert_eq!(server.admin(Method::PATCH, "/admin/clients/shop", patch).await.status, StatusCode::OK);
    assert!(
        super::token(&server, &[("grant_type", "client_credentials")])
            .await
            .string("/access_token")
            .starts_with("ory_at_")
    );
    assert!(is_active(&server, &old).await);
}

#[tokio::test]
async fn a_forged_jwt_is_rejected() {
    let server = shop(&json!({})).await;
    let token = super::token(&server, &[("grant_type", "client_credentials")]).await.string("/access_token");
    let (head, rest) = token.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    claims["sub"] = json!("admin");
    let forged = URL_SAFE_NO_PAD.encode(claims.to_string());
    assert!(!is_active(&server, &format!("{head}.{forged}.{signature}")).await);
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    assert!(!is_active(&server, &format!("{unsigned}.{payload}.")).await);
    // An ID token is signed by this server, too, but with another key set.
    let id_token = offline_tokens(&server).await.string("/id_token");
    assert!(!is_active(&server, &id_token).await);
}

#[tokio::test]
async fn elliptic_curves_sign_if_configured() {
    for algorithm in ["ES256", "EdDSA"] {
        let server = shop(&json!({"oauth2": {"keys": {"algorithm": algorithm}}})).await;
        let tokens = offline_tokens(&server).await;
        assert_eq!(decode(&tokens.string("/id_token")).0["alg"], algorithm);
        assert!(is_active(&server, &tokens.string("/access_token")).await);
        let discovery = get(&server, "/.well-known/openid-configuration").await;
        assert_eq!(discovery.json["id_token_signing_alg_values_supported"], json!([algorithm]));
    }
}
