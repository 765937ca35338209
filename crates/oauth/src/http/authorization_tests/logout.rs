//! Signing out, from either side.

use super::*;
use crate::MIGRATIONS;

const LOGOUT: &str = "https://op.example/oauth2/sessions/logout";

async fn signed_in(house: &House, browser: &mut Browser) -> Value {
    let callback =
        house.sign_in(browser, &request("+offline_access"), json!({"subject": "ada", "remember": true})).await;
    let tokens = house.redeem(&callback).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    tokens.json()
}

async fn is_active(house: &House, token: &Value) -> bool {
    let uri = "/admin/oauth2/introspect";
    let body = format!("token={}", token.as_str().unwrap());
    let request = Request::post(uri).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = house.send(&house.admin, request.body(Body::from(body)).unwrap()).await;
    answer.json()["active"] == true
}

#[tokio::test]
async fn a_browser_that_signs_out_ends_its_session_and_its_tokens() {
    database::testing::on_both_engines(&[jobs::MIGRATIONS, MIGRATIONS], |database| async move {
        let house = House::with_applications(database);
        house.client(json!({})).await;
        let mut browser = Browser::default();
        let tokens = signed_in(&house, &mut browser).await;
        assert!(is_active(&house, &tokens["access_token"]).await);

        let answer = browser.get(&house, LOGOUT).await;
        assert!(answer.location().as_str().starts_with("https://ui.example/logout?logout_challenge="));
        let challenge = answer.parameter("logout_challenge").unwrap();
        let uri = format!("/admin/oauth2/auth/requests/logout?logout_challenge={challenge}");
        let asked = house.admin(Method::GET, &uri, Value::Null).await.json();
        assert_eq!((&asked["subject"], &asked["rp_initiated"]), (&json!("ada"), &json!(false)));
        assert_eq!(asked["expires_at"], "2026-11-22T10:30:00Z");
        let back = house.accept("logout", &challenge, Value::Null).await;

        let mut stranger = Browser::default();
        assert_eq!(stranger.get(&house, back.as_str()).await.location().as_str(), "https://ui.example/bye");
        assert!(is_active(&house, &tokens["access_token"]).await, "a stranger signed the person out");

        let answer = browser.get(&house, back.as_str()).await;
        assert_eq!(answer.location().as_str(), "https://ui.example/bye");
        assert!(!browser.cookies.contains_key("ory_hydra_session"));
        assert!(!is_active(&house, &tokens["access_token"]).await);
        assert!(!is_active(&house, &tokens["refresh_token"]).await);
        let answer = browser.get(&house, &authorize(&request("&prompt=none"))).await;
        assert_eq!(answer.parameter("error").as_deref(), Some("login_required"));
    })
    .await;
}

#[tokio::test]
async fn a_client_signs_its_person_out_and_receives_her_back() {
    let house = House::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    house.client(json!({"backchannel_logout_uri": "http://127.0.0.1:9/out", "frontchannel_logout_uri": "https://shop.example/out"})).await;
    let mut browser = Browser::default();
    let tokens = signed_in(&house, &mut browser).await;
    let hint = tokens["id_token"].as_str().unwrap();
    // The token may have expired: it still names the session.
    house.wait(2 * 60 * 60);
    let target = "post_logout_redirect_uri=https://shop.example/bye&state=xyz";
    let answer = browser.get(&house, &format!("{LOGOUT}?id_token_hint={hint}&{target}")).await;
    let challenge = answer.parameter("logout_challenge").unwrap();
    let uri = format!("/admin/oauth2/auth/requests/logout?logout_challenge={challenge}");
    let asked = house.admin(Method::GET, &uri, Value::Null).await.json();
    assert_eq!((&asked["client"]["client_id"], &asked["rp_initiated"]), (&json!("shop"), &json!(true)));
    assert!(!asked["request_url"].as_str().unwrap().contains("id_token_hint"));
    let back = house.accept("logout", &challenge, Value::Null).await;
    let answer = browser.get(&house, back.as_str()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.headers[header::REFRESH], "3;url=https://shop.example/bye?state=xyz");
    let policy = answer.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.ends_with("; frame-src https://shop.example"), "{policy}");
    assert!(
        answer.body.contains(r#"<iframe src="https://shop.example/out?iss=https%3A%2F%2Fop.example%2F&#38;sid="#),
        "{}",
        answer.body
    );

    // Once is enough: the second time there is nobody to sign out.
    let answer = browser.get(&house, back.as_str()).await;
    assert_eq!(answer.location().as_str(), "https://shop.example/bye?state=xyz");
}

#[tokio::test]
async fn a_request_to_sign_out_that_makes_no_sense_is_refused() {
    let house = House::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    house.client(json!({})).await;
    let mut browser = Browser::default();
    let tokens = signed_in(&house, &mut browser).await;
    let hint = tokens["id_token"].as_str().unwrap();
    let queries = [
        "state=xyz".to_owned(),
        "post_logout_redirect_uri=https://shop.example/bye".to_owned(),
        "id_token_hint=nonsense".to_owned(),
        format!("id_token_hint={hint}x"),
        format!("id_token_hint={hint}&post_logout_redirect_uri=https://evil.example/"),
        format!("id_token_hint={hint}&client_id=other"),
        "client_id=nobody".to_owned(),
        "logout_verifier=nonsense".to_owned(),
    ];
    for query in queries {
        let answer = browser.get(&house, &format!("{LOGOUT}?{query}")).await;
        assert!(answer.status.is_client_error(), "{query}: {}", answer.status);
    }
    assert!(is_active(&house, &tokens["access_token"]).await);
    // A client may be named without a token; the person is asked then.
    let query = "client_id=shop&post_logout_redirect_uri=https://shop.example/bye";
    assert!(browser.get(&house, &format!("{LOGOUT}?{query}")).await.parameter("logout_challenge").is_some());
    // Without a session there is nothing to ask.
    let answer = Browser::default().get(&house, &format!("{LOGOUT}?{query}")).await;
    assert_eq!(answer.location().as_str(), "https://shop.example/bye");
}

#[tokio::test]
async fn a_rejected_sign_out_changes_nothing() {
    let house = House::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    house.client(json!({})).await;
    let mut browser = Browser::default();
    let tokens = signed_in(&house, &mut browser).await;
    let challenge = browser.get(&house, LOGOUT).await.parameter("logout_challenge").unwrap();
    let uri = format!("/admin/oauth2/auth/requests/logout/reject?logout_challenge={challenge}");
    assert_eq!(house.admin(Method::PUT, &uri, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert!(is_active(&house, &tokens["access_token"]).await);
}

#[tokio::test]
async fn our_own_pages_ask_and_sign_out() {
    let house = House::with_own_pages(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    house.client(json!({"skip_consent": true})).await;
    let mut browser = Browser::default();
    let challenge = house.begin(&mut browser, &request("")).await;
    let back = house.accept("login", &challenge, json!({"subject": "ada", "remember": true})).await;
    let callback = browser.get(&house, back.as_str()).await.location();
    let tokens = house.redeem(&callback).await.json();

    let page = browser.get(&house, LOGOUT).await.location();
    let answer = browser.get(&house, page.as_str()).await;
    assert!(answer.status == StatusCode::OK && answer.body.contains("Sign out?"), "{}", answer.body);
    let challenge = parameter(&page, "logout_challenge").unwrap();
    let stay = browser
        .post(&house, "https://op.example/oauth2/logout", format!("logout_challenge={challenge}&decision=stay"))
        .await;
    assert!(stay.body.contains("You are still signed in"), "{}", stay.body);
    let leave = format!("logout_challenge={challenge}&decision=sign_out");
    let back = browser.post(&house, "https://op.example/oauth2/logout", leave).await.location();
    let answer = browser.get(&house, back.as_str()).await;
    assert_eq!(answer.location().as_str(), "https://op.example/oauth2/signed-out");
    let answer = browser.get(&house, answer.location().as_str()).await;
    assert!(answer.body.contains("You are signed out"), "{}", answer.body);
    assert!(!is_active(&house, &tokens["access_token"]).await);
}

#[tokio::test]
async fn a_login_that_is_no_longer_remembered_can_still_be_signed_out_of() {
    database::testing::on_both_engines(&[jobs::MIGRATIONS, MIGRATIONS], |database| async move {
        let house = House::with_applications(database);
        house.client(json!({})).await;
        let mut browser = Browser::default();
        let challenge = house.begin(&mut browser, &request("")).await;
        let login = json!({"subject": "ada", "remember": true, "remember_for": 5});
        let back = house.accept("login", &challenge, login).await;
        let challenge = browser.get(&house, back.as_str()).await.parameter("consent_challenge").unwrap();
        // Whoever reads before she agrees is not sent away for it.
        house.wait(10);
        let back = house.accept("consent", &challenge, json!({"grant_scope": ["openid"]})).await;
        let callback = browser.get(&house, back.as_str()).await.location();
        let tokens = house.redeem(&callback).await.json();
        let challenge = house.begin(&mut browser, &request("")).await;
        assert_eq!(house.look("login", &challenge).await.json()["skip"], false, "the browser is not remembered");

        house.wait(60);
        let hint = tokens["id_token"].as_str().unwrap();
        let url = format!("https://op.example/oauth2/sessions/logout?id_token_hint={hint}");
        let challenge = browser.get(&house, &url).await.parameter("logout_challenge").unwrap();
        let uri = format!("/admin/oauth2/auth/requests/logout/accept?logout_challenge={challenge}");
        let back = house.admin(Method::PUT, &uri, Value::Null).await.json();
        browser.get(&house, back["redirect_to"].as_str().unwrap()).await;
        let reply = crate::http::token_tests::introspect(&house, tokens["access_token"].as_str().unwrap()).await;
        assert_eq!(reply["active"], false, "what was granted in it ended");
    })
    .await;
}
