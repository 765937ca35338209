use jose::{Algorithm, JwkSet, Jws, VerificationKeys};
use serde_json::json;

use super::*;

async fn shop(more: &Value) -> House {
    let mut settings = json!({"strategies": {"access_token": "jwt"}});
    for (name, value) in more.as_object().unwrap() {
        settings[name] = value.clone();
    }
    let house = house(sqlite().await, &settings);
    house.client(json!({"grant_types": ["authorization_code", "refresh_token", "client_credentials"]})).await;
    house
}

async fn published(house: &House) -> VerificationKeys {
    let reply = get(house, "/.well-known/jwks.json").await;
    assert_eq!(reply.headers[header::CACHE_CONTROL], "public, max-age=300");
    let text = reply.json.to_string();
    assert!(!text.contains("\"d\":"), "{text}");
    JwkSet::parse(&reply.json).unwrap().keys.iter().collect()
}

#[tokio::test]
async fn an_access_token_verifies_with_the_published_keys() {
    let house = shop(&json!({})).await;
    let tokens = offline_tokens(&house).await;
    let keys = published(&house).await;
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
    assert!(is_active(&house, &access_token).await);
    assert_eq!(userinfo(&house, &access_token).await.json["sub"], "ada");
}

#[tokio::test]
async fn a_jwt_is_inactive_at_every_endpoint_after_its_grant_ends() {
    let house = shop(&json!({})).await;
    let tokens = offline_tokens(&house).await;
    let access_token = tokens.string("/access_token");
    let fields = [("client_id", "shop"), ("client_secret", "averylongsecret"), ("token", access_token.as_str())];
    assert_eq!(post(&house, "/oauth2/revoke", &fields).await.status, StatusCode::OK);
    assert!(!is_active(&house, &access_token).await);
    refresh(&house, &tokens.string("/refresh_token")).await.expect_error(400, "invalid_grant");

    let own = super::token(&house, &[("grant_type", "client_credentials")]).await.string("/access_token");
    assert!(is_active(&house, &own).await);
    let fields = [("client_id", "shop"), ("client_secret", "averylongsecret"), ("token", own.as_str())];
    assert_eq!(post(&house, "/oauth2/revoke", &fields).await.status, StatusCode::OK);
    assert!(!is_active(&house, &own).await);
}

#[tokio::test]
async fn tokens_stay_valid_after_a_change_of_key_or_format() {
    let house = shop(&json!({})).await;
    let old = super::token(&house, &[("grant_type", "client_credentials")]).await.string("/access_token");
    let new_key = json!({"alg": "ES256", "kid": "second", "use": "sig"});
    admin(&house, Method::POST, "/admin/keys/hydra.jwt.access-token", &new_key).await.expect(201);
    house.wait(1);
    let new = super::token(&house, &[("grant_type", "client_credentials")]).await.string("/access_token");
    assert_eq!(decode(&new).0["kid"], "second");
    assert_eq!(decode(&new).0["alg"], "ES256");
    let keys = published(&house).await;
    for token in [&old, &new] {
        Jws::parse(token).unwrap().verify(&keys, &Algorithm::ALL).unwrap();
        assert!(is_active(&house, token).await);
    }
    let patch = json!([{"op": "add", "path": "/access_token_strategy", "value": "opaque"}]);
    assert_eq!(house.admin(Method::PATCH, "/admin/clients/shop", patch).await.status, StatusCode::OK);
    assert!(
        super::token(&house, &[("grant_type", "client_credentials")])
            .await
            .string("/access_token")
            .starts_with("ory_at_")
    );
    assert!(is_active(&house, &old).await);
}

#[tokio::test]
async fn a_forged_jwt_is_rejected() {
    let house = shop(&json!({})).await;
    let token = super::token(&house, &[("grant_type", "client_credentials")]).await.string("/access_token");
    let (head, rest) = token.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    claims["sub"] = json!("admin");
    let forged = URL_SAFE_NO_PAD.encode(claims.to_string());
    assert!(!is_active(&house, &format!("{head}.{forged}.{signature}")).await);
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    assert!(!is_active(&house, &format!("{unsigned}.{payload}.")).await);
    // An ID token is signed by this server, too, but with another key set.
    let id_token = offline_tokens(&house).await.string("/id_token");
    assert!(!is_active(&house, &id_token).await);
}

#[tokio::test]
async fn elliptic_curves_sign_if_configured() {
    for algorithm in ["ES256", "EdDSA"] {
        let house = shop(&json!({"oauth2": {"keys": {"algorithm": algorithm}}})).await;
        let tokens = offline_tokens(&house).await;
        assert_eq!(decode(&tokens.string("/id_token")).0["alg"], algorithm);
        assert!(is_active(&house, &tokens.string("/access_token")).await);
        let discovery = get(&house, "/.well-known/openid-configuration").await;
        assert_eq!(discovery.json["id_token_signing_alg_values_supported"], json!([algorithm]));
    }
}
