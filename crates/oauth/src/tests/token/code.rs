use oauth_types::CodeVerifier;
use serde_json::json;

use super::*;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

async fn shop(more: &Value) -> (Database, TestServer) {
    let database = sqlite().await;
    let server = server(database.clone(), more);
    server.client(json!({})).await;
    (database, server)
}

fn with_challenge() -> String {
    let challenge = CodeVerifier::parse(VERIFIER).unwrap().challenge().to_text();
    format!("&code_challenge={challenge}&code_challenge_method=S256")
}

#[tokio::test]
async fn a_code_is_redeemed_on_both_engines() {
    database::testing::on_both_engines(&[MIGRATIONS, jobs::MIGRATIONS], |database| async move {
        let server = server(database, &json!({}));
        server.client(json!({})).await;
        let tokens = offline_tokens(&server).await;
        assert_eq!(tokens.json["scope"], "openid offline_access photos.read");
        let (header, claims) = decode(&tokens.string("/id_token"));
        assert_eq!((&header["alg"], &header["typ"]), (&json!("RS256"), &json!("JWT")));
        assert_eq!(claims["sub"], "ada");
        assert_eq!(claims["nonce"], "some-nonce");
        assert_eq!(claims["aud"], json!(["shop"]));
        assert!(claims["sid"].is_string() && claims["at_hash"].is_string());

        let access_token = tokens.string("/access_token");
        let active = introspect(&server, &access_token).await;
        assert_eq!((&active["sub"], &active["client_id"]), (&json!("ada"), &json!("shop")));
        let person = userinfo(&server, &access_token).await;
        assert_eq!((person.status, &person.json["sub"]), (StatusCode::OK, &json!("ada")));

        let refreshed = refresh(&server, &tokens.string("/refresh_token")).await.expect(200);
        assert!(!is_active(&server, &access_token).await, "a rotation ends the access tokens before it");
        assert!(is_active(&server, &refreshed.string("/access_token")).await);
        assert!(is_active(&server, &refreshed.string("/refresh_token")).await);
        let (_, renewed) = decode(&refreshed.string("/id_token"));
        for same in ["sub", "nonce", "auth_time", "sid", "rat"] {
            assert_eq!(renewed[same], claims[same], "{same}");
        }
        assert_ne!(renewed["jti"], claims["jti"]);
    })
    .await;
}

// The clock is stopped, so that short-lived cache entries do not expire on a slow machine.
#[tokio::test(start_paused = true)]
async fn a_login_with_a_remembered_consent_stays_within_its_statement_budget() {
    let (database, server) = shop(&json!({})).await;
    offline_tokens(&server).await;
    let before = database.usage();
    offline_tokens(&server).await;
    let after = database.usage();
    assert!(after.write_transactions - before.write_transactions <= 3, "{before:?} {after:?}");
    // Login: session, remembered consent, event. Consent: grant, event. Code: grant, update, event.
    assert_eq!(after.statements - before.statements, 8, "{before:?} {after:?}");
    let code = offline_code(&server, "").await;
    let before = database.usage();
    redeem(&server, &code, &[]).await;
    // Grant, conditional update, event.
    assert_eq!(database.usage().statements - before.statements, 3);
}

#[tokio::test]
async fn a_code_redeemed_twice_revokes_its_tokens() {
    let (_, server) = shop(&json!({})).await;
    let code = offline_code(&server, "").await;
    let tokens = redeem(&server, &code, &[]).await;
    redeem(&server, &code, &[]).await.expect_error(400, "invalid_grant");
    assert!(!is_active(&server, &tokens.string("/access_token")).await);
    assert!(!is_active(&server, &tokens.string("/refresh_token")).await);
    refresh(&server, &tokens.string("/refresh_token")).await.expect_error(400, "invalid_grant");
    assert_eq!(userinfo(&server, &tokens.string("/access_token")).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_failed_proof_invalidates_the_code() {
    let (_, server) = shop(&json!({})).await;
    let code = offline_code(&server, &with_challenge()).await;
    redeem(&server, &code, &[("code_verifier", &"x".repeat(43))]).await.expect_error(400, "invalid_grant");
    redeem(&server, &code, &[("code_verifier", VERIFIER)]).await.expect_error(400, "invalid_grant");
    let code = offline_code(&server, &with_challenge()).await;
    redeem(&server, &code, &[]).await.expect_error(400, "invalid_grant");
    redeem(&server, &code, &[("code_verifier", VERIFIER)]).await.expect_error(400, "invalid_grant");
    let code = offline_code(&server, &with_challenge()).await;
    assert_eq!(redeem(&server, &code, &[("code_verifier", VERIFIER)]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_code_is_bound_to_client_redirect_uri_and_time() {
    let (_, server) = shop(&json!({})).await;
    server.client(json!({"client_id": "other"})).await;
    let code = offline_code(&server, "").await;
    let stolen = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("client_id", "other"),
        ("client_secret", "averylongsecret"),
    ];
    post(&server, "/oauth2/token", &stolen).await.expect_error(400, "invalid_grant");
    token(&server, &[("grant_type", "authorization_code"), ("code", &code)]).await.expect_error(400, "invalid_grant");
    redeem(&server, "ory_ac_unknown", &[]).await.expect_error(400, "invalid_grant");
    assert_eq!(redeem(&server, &code, &[]).await.status, StatusCode::OK, "none of these used the code up");
    let late = offline_code(&server, "").await;
    server.wait(600);
    redeem(&server, &late, &[]).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn no_refresh_token_without_offline_scope_or_grant_type() {
    let (_, server) = shop(&json!({})).await;
    let callback = authorize(&server, "").await;
    let tokens = redeem(&server, &parameter(&callback, "code").unwrap(), &[]).await;
    assert!(tokens.json.get("refresh_token").is_none(), "{tokens}");
    server.client(json!({"client_id": "online", "grant_types": ["authorization_code"]})).await;
}

#[tokio::test]
async fn userinfo_requires_an_active_token_with_openid() {
    let (_, server) = shop(&json!({})).await;
    let tokens = offline_tokens(&server).await;
    let refused = userinfo(&server, &tokens.string("/refresh_token")).await;
    refused.expect_error(401, "invalid_token");
    let challenge = refused.headers[header::WWW_AUTHENTICATE].to_str().unwrap();
    assert!(challenge.starts_with("Bearer error=\"invalid_token\",error_description=\""), "{challenge}");
    let nothing = get(&server, "/userinfo").await.expect(401);
    assert_eq!(nothing.headers[header::WWW_AUTHENTICATE], "Bearer realm=\"oauth\"");
    let in_form = post(&server, "/userinfo", &[("access_token", &tokens.string("/access_token"))]).await;
    assert_eq!(in_form.json["sub"], "ada");
    server.client(json!({"client_id": "robot", "grant_types": ["client_credentials"]})).await;
    let fields = [("grant_type", "client_credentials"), ("client_id", "robot"), ("client_secret", "averylongsecret")];
    let robot = post(&server, "/oauth2/token", &fields).await;
    userinfo(&server, &robot.string("/access_token")).await.expect_error(403, "insufficient_scope");
}

#[tokio::test]
async fn revoking_either_token_ends_the_grant() {
    let (_, server) = shop(&json!({})).await;
    for which in ["access_token", "refresh_token"] {
        let tokens = offline_tokens(&server).await;
        let fields = [
            ("client_id", "shop"),
            ("client_secret", "averylongsecret"),
            ("token", &tokens.string(&format!("/{which}"))),
        ];
        assert_eq!(post(&server, "/oauth2/revoke", &fields).await.status, StatusCode::OK);
        assert!(!is_active(&server, &tokens.string("/access_token")).await, "{which}");
        assert!(!is_active(&server, &tokens.string("/refresh_token")).await, "{which}");
    }
}
