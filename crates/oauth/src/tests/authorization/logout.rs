//! Logout, initiated by the user or by a client.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use contracts::{SessionCheck, SessionCredentials, SessionEnd, Sessions, Unavailable};
use database::WriteTx;

use super::*;
use crate::MIGRATIONS;

const LOGOUT: &str = "https://op.example/oauth2/sessions/logout";

async fn signed_in(server: &TestServer, browser: &mut Client) -> Value {
    let callback =
        server.sign_in(browser, &request("+offline_access"), json!({"subject": "ada", "remember": true})).await;
    let tokens = server.redeem(&callback).await.expect(200);
    tokens.json
}

#[tokio::test]
async fn a_logout_ends_the_session_and_its_tokens() {
    database::testing::on_both_engines(&[jobs::MIGRATIONS, MIGRATIONS], |database| async move {
        let server = TestServer::with_applications(database);
        server.client(json!({})).await;
        let mut browser = server.browser();
        let tokens = signed_in(&server, &mut browser).await;
        assert!(is_active(&server, &tokens["access_token"]).await);

        let answer = browser.get(LOGOUT).await;
        assert!(answer.location().starts_with("https://ui.example/logout?logout_challenge="));
        let challenge = answer.parameter("logout_challenge").unwrap();
        let uri = format!("/admin/oauth2/auth/requests/logout?logout_challenge={challenge}");
        let document = server.admin(Method::GET, &uri, Value::Null).await.json;
        assert_eq!((&document["subject"], &document["rp_initiated"]), (&json!("ada"), &json!(false)));
        assert_eq!(document["expires_at"], "2026-11-22T10:30:00Z");
        let back = server.accept("logout", &challenge, Value::Null).await;

        let mut other = server.browser();
        assert_eq!(other.get(back.as_str()).await.location(), "https://ui.example/bye");
        assert!(is_active(&server, &tokens["access_token"]).await, "another browser could log the user out");

        let answer = browser.get(back.as_str()).await;
        assert_eq!(answer.location(), "https://ui.example/bye");
        assert!(browser.cookie("ory_hydra_session").is_none());
        assert!(!is_active(&server, &tokens["access_token"]).await);
        assert!(!is_active(&server, &tokens["refresh_token"]).await);
        let answer = browser.get(&authorize(&request("&prompt=none"))).await;
        assert_eq!(answer.parameter("error").as_deref(), Some("login_required"));
    })
    .await;
}

#[tokio::test]
async fn a_client_logs_its_user_out_and_gets_the_redirect() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({"backchannel_logout_uri": "http://127.0.0.1:9/out", "frontchannel_logout_uri": "https://shop.example/out"})).await;
    let mut browser = server.browser();
    let tokens = signed_in(&server, &mut browser).await;
    let hint = tokens["id_token"].as_str().unwrap();
    // The token may have expired: it still identifies the session.
    server.wait(2 * 60 * 60);
    let target = "post_logout_redirect_uri=https://shop.example/bye&state=xyz";
    let answer = browser.get(&format!("{LOGOUT}?id_token_hint={hint}&{target}")).await;
    let challenge = answer.parameter("logout_challenge").unwrap();
    let uri = format!("/admin/oauth2/auth/requests/logout?logout_challenge={challenge}");
    let document = server.admin(Method::GET, &uri, Value::Null).await.json;
    assert_eq!((&document["client"]["client_id"], &document["rp_initiated"]), (&json!("shop"), &json!(true)));
    let request_url = "/oauth2/sessions/logout?post_logout_redirect_uri=https%3A%2F%2Fshop.example%2Fbye&state=xyz";
    assert_eq!(document["request_url"], request_url, "relative, without the ID token");
    let back = server.accept("logout", &challenge, Value::Null).await;
    let answer = browser.get(back.as_str()).await.expect(200);
    assert_eq!(answer.headers[header::REFRESH], "3;url=https://shop.example/bye?state=xyz");
    let policy = answer.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.ends_with("; frame-src https://shop.example"), "{policy}");
    assert!(
        answer.text.contains(r#"<iframe src="https://shop.example/out?iss=https%3A%2F%2Fop.example%2F&#38;sid="#),
        "{}",
        answer.text
    );

    // The second time there is no session to end.
    let answer = browser.get(back.as_str()).await;
    assert_eq!(answer.location(), "https://shop.example/bye?state=xyz");
}

#[tokio::test]
async fn an_invalid_logout_request_is_rejected() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({})).await;
    let mut browser = server.browser();
    let tokens = signed_in(&server, &mut browser).await;
    let hint = tokens["id_token"].as_str().unwrap();
    let queries = [
        "post_logout_redirect_uri=https://shop.example/bye".to_owned(),
        "id_token_hint=nonsense".to_owned(),
        format!("id_token_hint={hint}x"),
        format!("id_token_hint={hint}&post_logout_redirect_uri=https://evil.example/"),
        format!("id_token_hint={hint}&client_id=other"),
        "client_id=unknown".to_owned(),
        "logout_verifier=nonsense".to_owned(),
    ];
    for query in queries {
        let answer = browser.get(&format!("{LOGOUT}?{query}")).await;
        assert!(answer.status.is_client_error(), "{query}: {}", answer.status);
    }
    assert!(is_active(&server, &tokens["access_token"]).await);
    // A client may be named without a token; then the user must confirm.
    let query = "client_id=shop&post_logout_redirect_uri=https://shop.example/bye";
    assert!(browser.get(&format!("{LOGOUT}?{query}")).await.parameter("logout_challenge").is_some());
    // Without a session there is nothing to confirm.
    let answer = server.browser().get(&format!("{LOGOUT}?{query}")).await;
    assert_eq!(answer.location(), "https://shop.example/bye");
}

#[tokio::test]
async fn a_rejected_logout_changes_nothing() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({})).await;
    let mut browser = server.browser();
    let tokens = signed_in(&server, &mut browser).await;
    let challenge = browser.get(LOGOUT).await.parameter("logout_challenge").unwrap();
    let uri = format!("/admin/oauth2/auth/requests/logout/reject?logout_challenge={challenge}");
    assert_eq!(server.admin(Method::PUT, &uri, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert!(is_active(&server, &tokens["access_token"]).await);
}

#[tokio::test]
async fn the_built_in_pages_confirm_and_log_out() {
    let server = TestServer::with_own_pages(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({"skip_consent": true})).await;
    let mut browser = server.browser();
    let challenge = server.begin(&mut browser, &request("")).await;
    let callback =
        server.pass(&mut browser, "login", &challenge, json!({"subject": "ada", "remember": true})).await.redirect();
    let tokens = server.redeem(&callback).await.json;

    let page = browser.get(LOGOUT).await.redirect();
    let answer = browser.get(page.as_str()).await;
    assert!(answer.status == StatusCode::OK && answer.text.contains("Sign out?"), "{answer}");
    let challenge = parameter(&page, "logout_challenge").unwrap();
    let stay = browser
        .post("https://op.example/oauth2/logout", FORM, &format!("logout_challenge={challenge}&decision=stay"))
        .await;
    assert!(stay.text.contains("You are still signed in"), "{stay}");
    let leave = format!("logout_challenge={challenge}&decision=sign_out");
    let back = browser.post("https://op.example/oauth2/logout", FORM, &leave).await.redirect();
    let answer = browser.get(back.as_str()).await;
    assert_eq!(answer.location(), "https://op.example/oauth2/signed-out");
    let answer = browser.get(answer.location()).await;
    assert!(answer.text.contains("You are signed out"), "{answer}");
    assert!(!is_active(&server, &tokens["access_token"]).await);
}

#[tokio::test]
async fn a_login_that_is_no_longer_remembered_can_still_be_logged_out() {
    database::testing::on_both_engines(&[jobs::MIGRATIONS, MIGRATIONS], |database| async move {
        let server = TestServer::with_applications(database);
        server.client(json!({})).await;
        let mut browser = server.browser();
        let challenge = server.begin(&mut browser, &request("")).await;
        let login = json!({"subject": "ada", "remember": true, "remember_for": 5});
        let challenge = server.log_in(&mut browser, &challenge, login).await;
        // A slow user can still accept.
        server.wait(10);
        let callback =
            server.pass(&mut browser, "consent", &challenge, json!({"grant_scope": ["openid"]})).await.redirect();
        let tokens = server.redeem(&callback).await.json;
        let challenge = server.begin(&mut browser, &request("")).await;
        assert_eq!(server.look("login", &challenge).await.json["skip"], false, "the browser is not remembered");

        server.wait(60);
        let hint = tokens["id_token"].as_str().unwrap();
        let url = format!("https://op.example/oauth2/sessions/logout?id_token_hint={hint}");
        let challenge = browser.get(&url).await.parameter("logout_challenge").unwrap();
        let uri = format!("/admin/oauth2/auth/requests/logout/accept?logout_challenge={challenge}");
        let back = server.admin(Method::PUT, &uri, Value::Null).await.json;
        browser.get(back["redirect_to"].as_str().unwrap()).await;
        let reply = crate::tests::token::introspect(&server, tokens["access_token"].as_str().unwrap()).await;
        assert_eq!(reply["active"], false, "what was granted in it ended");
    })
    .await;
}

/// An identity service in this process or in another one, which records the sessions that it ended.
struct IdentityService {
    is_remote: bool,
    in_transaction: Mutex<Vec<Uuid>>,
    called: Mutex<Vec<Uuid>>,
}

impl IdentityService {
    fn of(server: &TestServer, is_remote: bool) -> Arc<Self> {
        let service = Arc::new(Self { is_remote, in_transaction: Mutex::default(), called: Mutex::default() });
        server.oauth.sessions.set(service.clone());
        service
    }
}

#[async_trait]
impl Sessions for IdentityService {
    async fn check(&self, _: &Context, _: &SessionCredentials) -> Result<SessionCheck, Unavailable> {
        Ok(SessionCheck::Absent)
    }

    async fn end_in_transaction(
        &self,
        _: &Context,
        _: &mut WriteTx,
        session_id: Uuid,
    ) -> Result<SessionEnd, database::Error> {
        if self.is_remote {
            return Ok(SessionEnd::AfterCommit);
        }
        self.in_transaction.lock().unwrap().push(session_id);
        Ok(SessionEnd::InTransaction)
    }

    async fn end(&self, _: &Context, session_id: Uuid) -> Result<(), Unavailable> {
        self.called.lock().unwrap().push(session_id);
        Ok(())
    }
}

const IDENTITY_SESSION: Uuid = Uuid::from_u128(5);

/// Logs in with the identity session and logs out again; returns the last response.
async fn sign_in_and_out(server: &TestServer, browser: &mut Client) -> Reply {
    let login = json!({"subject": "ada", "remember": true, "identity_provider_session_id": IDENTITY_SESSION});
    server.sign_in(browser, &request(""), login).await;
    let challenge = browser.get(LOGOUT).await.parameter("logout_challenge").unwrap();
    server.pass(browser, "logout", &challenge, Value::Null).await
}

#[tokio::test]
async fn logout_ends_the_identity_session_in_its_own_transaction() {
    database::testing::on_both_engines(&[jobs::MIGRATIONS, MIGRATIONS], |database| async move {
        let server = TestServer::with_applications(database);
        server.client(json!({})).await;
        let identity = IdentityService::of(&server, false);
        let answer = sign_in_and_out(&server, &mut server.browser()).await;
        assert_eq!(answer.location(), "https://ui.example/bye");
        assert_eq!(*identity.in_transaction.lock().unwrap(), [IDENTITY_SESSION]);
        assert!(identity.called.lock().unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn logout_ends_an_identity_session_of_another_process_before_the_response() {
    database::testing::on_both_engines(&[jobs::MIGRATIONS, MIGRATIONS], |database| async move {
        let server = TestServer::with_applications(database);
        server.client(json!({})).await;
        let identity = IdentityService::of(&server, true);
        let answer = sign_in_and_out(&server, &mut server.browser()).await;
        assert_eq!(answer.location(), "https://ui.example/bye");
        // No job ran yet.
        assert_eq!(*identity.called.lock().unwrap(), [IDENTITY_SESSION]);
    })
    .await;
}

#[tokio::test]
async fn logout_ends_every_login_of_the_same_identity_session() {
    database::testing::on_both_engines(&[jobs::MIGRATIONS, MIGRATIONS], |database| async move {
        let server = TestServer::with_applications(database);
        server.client(json!({})).await;
        IdentityService::of(&server, false);
        let login = json!({"subject": "ada", "remember": true, "identity_provider_session_id": IDENTITY_SESSION});
        let callback = server.sign_in(&mut server.browser(), &request(""), login.clone()).await;
        let tokens = server.redeem(&callback).await.json;
        // A login that was accepted, but is not redeemed yet.
        let mut late = server.browser();
        let challenge = server.begin(&mut late, &request("")).await;
        let back = server.accept("login", &challenge, login).await;
        sign_in_and_out(&server, &mut server.browser()).await;
        assert!(!is_active(&server, &tokens["access_token"]).await);
        let answer = late.get(back.as_str()).await;
        assert_eq!(answer.parameter("error").as_deref(), Some("login_required"));
    })
    .await;
}

#[tokio::test]
async fn a_state_without_a_client_leads_to_the_logout_page() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({})).await;
    let mut browser = server.browser();
    signed_in(&server, &mut browser).await;
    let answer = browser.get(&format!("{LOGOUT}?state=xyz")).await.expect(302);
    let challenge = answer.parameter("logout_challenge").unwrap();
    assert_eq!(server.pass(&mut browser, "logout", &challenge, Value::Null).await.location(), "https://ui.example/bye");
    let answer = server.browser().get(&format!("{LOGOUT}?state=xyz")).await;
    assert_eq!(answer.location(), "https://ui.example/bye");
}
