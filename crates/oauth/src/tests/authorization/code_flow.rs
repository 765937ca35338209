//! The authorization endpoint with the operator's own applications.

use super::*;
use crate::MIGRATIONS;

#[tokio::test]
async fn a_first_login_leads_to_a_code_and_its_tokens() {
    database::testing::on_both_engines(&[jobs::MIGRATIONS, MIGRATIONS], |database| async move {
        let server = TestServer::with_applications(database);
        server.client(json!({})).await;
        let mut browser = server.browser();

        let answer = browser.get(&authorize(&request("&nonce=some-nonce&login_hint=ada&acr_values=a+b&custom=1&audience=https://api.example/v1"))).await.expect(302);
        assert!(answer.location().starts_with("https://ui.example/login?x=1&login_challenge="));
        let challenge = answer.parameter("login_challenge").unwrap();

        let uri = format!("/admin/oauth2/auth/requests/login?login_challenge={challenge}");
        let login = server.admin(Method::GET, &uri, Value::Null).await.json;
        assert_eq!(login["skip"], false);
        assert_eq!(login["subject"], "");
        assert_eq!(login["client"]["client_id"], "shop");
        assert!(login["client"].get("client_secret").is_none());
        assert_eq!(login["requested_scope"], json!(["openid", "photos.read"]));
        assert_eq!(login["requested_access_token_audience"], json!(["https://api.example/v1"]));
        assert_eq!(login["oidc_context"], json!({"acr_values": ["a", "b"], "login_hint": "ada"}));
        let request_url = login["request_url"].as_str().unwrap();
        assert!(request_url.starts_with("https://op.example/oauth2/auth?client_id=shop&"), "{request_url}");
        assert!(request_url.contains("custom=1"), "{request_url}");

        let login = json!({"subject": "ada", "remember": true, "remember_for": 3600, "acr": "aal1", "amr": ["password"], "context": {"a": 1}});
        let answer = server.pass(&mut browser, "login", &challenge, login).await.expect(302);
        assert!(browser.cookie("ory_hydra_session").is_some());
        let consent_challenge = answer.parameter("consent_challenge").unwrap();

        let uri = format!("/admin/oauth2/auth/requests/consent?consent_challenge={consent_challenge}");
        let consent = server.admin(Method::GET, &uri, Value::Null).await.json;
        assert_eq!(consent["skip"], false);
        assert_eq!(consent["subject"], "ada");
        assert_eq!(consent["acr"], "aal1");
        assert_eq!(consent["amr"], json!(["password"]));
        assert_eq!(consent["context"], json!({"a": 1}));

        let answer_to_consent = json!({
            "grant_scope": ["openid"], "grant_access_token_audience": [], "remember": true, "remember_for": 0,
            "session": {"access_token": {"role": "admin"}, "id_token": {"email": "ada@example.org"}},
        });
        let answer = server.pass(&mut browser, "consent", &consent_challenge, answer_to_consent).await.expect(303);
        let callback = answer.redirect();
        assert!(callback.as_str().starts_with("https://shop.example/cb?code=ory_ac_"), "{callback}");
        assert_eq!(parameter(&callback, "state").as_deref(), Some("some-state"));
        assert_eq!(parameter(&callback, "scope").as_deref(), Some("openid"));
        assert_eq!(parameter(&callback, "iss").as_deref(), Some("https://op.example/"));

        let tokens = server.redeem(&callback).await.expect(200);
        let tokens = tokens.json;
        assert!(tokens["id_token"].is_string() && tokens["access_token"].is_string(), "{tokens}");
        assert_eq!(tokens["scope"], "openid");
        assert!(tokens.get("refresh_token").is_none(), "offline access was not granted");
    })
    .await;
}

#[tokio::test]
async fn a_login_is_eight_statements_in_three_transactions() {
    database::testing::on_both_engines(&[jobs::MIGRATIONS, MIGRATIONS], |database| async move {
        let server = TestServer::with_applications(database.clone());
        server.client(json!({})).await;
        // The first login reads the client and the keys.
        for is_counted in [false, true] {
            let before = database.usage();
            let callback = server.sign_in(&mut server.browser(), &request(""), json!({"subject": "ada"})).await;
            assert_eq!(server.redeem(&callback).await.status, StatusCode::OK);
            let after = database.usage();
            if is_counted {
                assert_eq!(after.write_transactions - before.write_transactions, 3);
                let statements = after.statements - before.statements;
                assert!(statements <= 8, "{statements} statements");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn verifiers_and_challenges_work_once() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({})).await;
    let mut browser = server.browser();
    let login_challenge = server.begin(&mut browser, &request("")).await;
    let login_back = server.accept("login", &login_challenge, json!({"subject": "ada"})).await;
    let answer = browser.get(login_back.as_str()).await;
    let consent_challenge = answer.parameter("consent_challenge").unwrap();
    let consent_back = server.accept("consent", &consent_challenge, json!({"grant_scope": ["openid"]})).await;
    assert_eq!(browser.get(consent_back.as_str()).await.status, StatusCode::SEE_OTHER);

    for url in [&login_back, &consent_back] {
        let answer = browser.get(url.as_str()).await.expect(403);
        assert!(answer.text.contains("access_denied"), "{answer}");
    }
    for (what, challenge) in [("login", &login_challenge), ("consent", &consent_challenge)] {
        let uri = format!("/admin/oauth2/auth/requests/{what}?{what}_challenge={challenge}");
        let answer = server.admin(Method::GET, &uri, Value::Null).await.expect(410);
        assert!(answer.json["redirect_to"].as_str().unwrap().starts_with("https://op.example/oauth2/auth?"));
    }
}

#[tokio::test]
async fn an_authorization_request_over_a_limit_is_400_with_the_name_of_its_parameter() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({})).await;
    for (name, value) in [
        ("acr_values", "a+".repeat(33)),
        ("ui_locales", "de+".repeat(20_000)),
        ("scope", "openid+".repeat(2_000)),
        ("login_hint", "x".repeat(1_025)),
        ("custom", "x".repeat(8_200)),
    ] {
        let query = request(&format!("&{name}={value}")).replace("&scope=openid+photos.read", "");
        let answer = server.browser().get(&authorize(&query)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name}: {answer}");
        assert!(!answer.headers.contains_key(header::LOCATION), "{name}");
        assert!(answer.text.contains(name), "{name}: {answer}");
    }
    let fits = format!("&acr_values={}&ui_locales={}", "a+".repeat(32), "de+".repeat(32));
    server.begin(&mut server.browser(), &request(&fits)).await;
}

#[tokio::test]
async fn a_remembered_user_skips_login_and_consent() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({})).await;
    let mut browser = server.browser();
    server.sign_in(&mut browser, &request(""), json!({"subject": "ada", "remember": true, "acr": "aal1"})).await;
    server.wait(60);

    let challenge = server.begin(&mut browser, &request("&prompt=none")).await;
    let uri = format!("/admin/oauth2/auth/requests/login?challenge={challenge}");
    let login = server.admin(Method::GET, &uri, Value::Null).await.json;
    assert_eq!((&login["skip"], &login["subject"]), (&json!(true), &json!("ada")));
    let answer = server.pass(&mut browser, "login", &challenge, json!({"subject": "ada"})).await;
    let challenge = answer.parameter("consent_challenge").unwrap();
    let uri = format!("/admin/oauth2/auth/requests/consent?challenge={challenge}");
    let consent = server.admin(Method::GET, &uri, Value::Null).await.json;
    assert_eq!((&consent["skip"], &consent["acr"]), (&json!(true), &json!("aal1")));
    let answer = server.pass(&mut browser, "consent", &challenge, json!({"grant_scope": ["openid"]})).await;
    assert!(answer.parameter("code").is_some(), "{answer}");

    // A larger request requires consent again; another user requires a new login.
    let challenge = server.begin(&mut browser, &request("+photos.write")).await;
    let other = server.accept("login", &challenge, json!({"subject": "bob"})).await;
    assert_eq!(parameter(&other, "prompt").as_deref(), Some("login"));
    let challenge = server.log_in(&mut browser, &challenge, json!({"subject": "ada"})).await;
    let uri = format!("/admin/oauth2/auth/requests/consent?consent_challenge={challenge}");
    assert_eq!(server.admin(Method::GET, &uri, Value::Null).await.json["skip"], false);
}

#[tokio::test]
async fn prompt_none_fails_if_interaction_is_required() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({})).await;
    let mut browser = server.browser();
    let answer = browser.get(&authorize(&request("&prompt=none"))).await.expect(303);
    assert_eq!(answer.parameter("error").as_deref(), Some("login_required"));
    assert_eq!(answer.parameter("iss").as_deref(), Some("https://op.example/"));

    let challenge = server.begin(&mut browser, &request("")).await;
    server.pass(&mut browser, "login", &challenge, json!({"subject": "ada", "remember": true})).await;
    let challenge = server.begin(&mut browser, &request("&prompt=none")).await;
    let answer = server.pass(&mut browser, "login", &challenge, json!({"subject": "ada"})).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("consent_required"));
    // max_age has expired.
    server.wait(10);
    let answer = browser.get(&authorize(&request("&prompt=none&max_age=5"))).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn another_browser_can_neither_finish_nor_use_up_a_login() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({})).await;
    let mut browser = server.browser();
    let challenge = server.begin(&mut browser, &request("")).await;
    let back = server.accept("login", &challenge, json!({"subject": "ada"})).await;
    let mut other = server.browser();
    server.begin(&mut other, &request("")).await;
    let answer = other.get(back.as_str()).await.expect(403);
    assert!(answer.text.contains("request_forbidden"), "{answer}");

    let challenge = browser.get(back.as_str()).await.parameter("consent_challenge").unwrap();
    let back = server.accept("consent", &challenge, json!({"grant_scope": ["openid"]})).await;
    assert_eq!(other.get(back.as_str()).await.status, StatusCode::FORBIDDEN);
    assert!(browser.get(back.as_str()).await.parameter("code").is_some());
}

#[tokio::test]
async fn two_tabs_of_one_browser_do_not_disturb_each_other() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({})).await;
    let mut browser = server.browser();
    let first = server.begin(&mut browser, &request("")).await;
    let second = server.begin(&mut browser, &request("")).await;
    for challenge in [first, second] {
        let answer = server.pass(&mut browser, "login", &challenge, json!({"subject": "ada"})).await;
        assert!(answer.parameter("consent_challenge").is_some(), "{answer}");
    }
}

#[tokio::test]
async fn a_rejection_is_sent_to_the_client_with_the_error_of_the_application() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({})).await;
    let mut browser = server.browser();
    let challenge = server.begin(&mut browser, &request("&response_mode=fragment")).await;
    let uri = format!("/admin/oauth2/auth/requests/login/reject?login_challenge={challenge}");
    let body =
        json!({"error": "account_locked", "error_description": "Call us.", "error_hint": "Soon.", "status_code": 400});
    let back = server.admin(Method::PUT, &uri, body).await.json;
    let answer = browser.get(back["redirect_to"].as_str().unwrap()).await;
    let location = answer.redirect();
    let fragment = location.fragment().unwrap();
    assert!(
        fragment.starts_with("error=account_locked&error_description=Call+us.+Soon.&state=some-state&iss="),
        "{fragment}"
    );

    let challenge = server.begin(&mut browser, &request("")).await;
    let challenge = server.log_in(&mut browser, &challenge, json!({"subject": "ada"})).await;
    let uri = format!("/admin/oauth2/auth/requests/consent/reject?consent_challenge={challenge}");
    let back = server.admin(Method::PUT, &uri, json!({})).await.json;
    let answer = browser.get(back["redirect_to"].as_str().unwrap()).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn challenges_expire_and_cannot_be_confused() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({})).await;
    let mut browser = server.browser();
    let challenge = server.begin(&mut browser, &request("")).await;
    let get = |what: &str, challenge: &str| format!("/admin/oauth2/auth/requests/{what}?{what}_challenge={challenge}");
    let answer = server.admin(Method::GET, &get("consent", &challenge), Value::Null).await.expect(404);
    assert_eq!(answer.json["error"], "Not Found");
    assert_eq!(server.admin(Method::GET, &get("login", ""), Value::Null).await.status, StatusCode::BAD_REQUEST);

    let back = server.accept("login", &challenge, json!({"subject": "ada"})).await;
    server.wait(31 * 60);
    let answer = server.admin(Method::GET, &get("login", &challenge), Value::Null).await;
    assert_eq!(
        (answer.status, answer.json["error"].clone()),
        (StatusCode::UNAUTHORIZED, json!("request_unauthorized"))
    );
    browser.get(back.as_str()).await.expect(401);
}

#[tokio::test]
async fn scopes_that_were_not_requested_cannot_be_granted() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({})).await;
    let mut browser = server.browser();
    let challenge = server.begin(&mut browser, &request("")).await;
    let uri = format!("/admin/oauth2/auth/requests/login/accept?login_challenge={challenge}");
    server.admin(Method::PUT, &uri, json!({"subject": ""})).await.expect(400);
    let answer = server.admin(Method::PUT, &uri, json!({"subject": "ada", "amr": "password"})).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.json["error_description"].as_str().unwrap().contains("amr"), "{answer}");

    let challenge = server.log_in(&mut browser, &challenge, json!({"subject": "ada"})).await;
    let uri = format!("/admin/oauth2/auth/requests/consent/accept?consent_challenge={challenge}");
    let answer = server.admin(Method::PUT, &uri, json!({"grant_scope": ["openid", "photos.write"]})).await.expect(400);
    assert!(answer.json["error_description"].as_str().unwrap().contains("photos.write"), "{answer}");
    // A record is not a list of its members, whose order no document has.
    let body = json!({"grant_scope": ["openid"], "session": [{"role": "admin"}, {}]});
    let answer = server.admin(Method::PUT, &uri, body).await.expect(400);
    let description = answer.json["error_description"].as_str().unwrap();
    assert!(description.contains("session: invalid type: sequence"), "{answer}");
}

#[tokio::test]
async fn a_deleted_client_or_an_ended_login_gets_no_code() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({})).await;
    let mut browser = server.browser();
    let challenge = server.begin(&mut browser, &request("")).await;
    let challenge = server.log_in(&mut browser, &challenge, json!({"subject": "ada", "remember": true})).await;
    let back = server.accept("consent", &challenge, json!({"grant_scope": ["openid"]})).await;
    server.admin(Method::DELETE, "/admin/oauth2/auth/sessions/login?subject=ada", Value::Null).await.expect(204);
    let answer = browser.get(back.as_str()).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("login_required"));

    server.wait(1);
    let challenge = server.begin(&mut browser, &request("")).await;
    let challenge = server.log_in(&mut browser, &challenge, json!({"subject": "ada"})).await;
    let back = server.accept("consent", &challenge, json!({"grant_scope": ["openid"]})).await;
    server.admin(Method::DELETE, "/admin/clients/shop", Value::Null).await.expect(204);
    assert_eq!(browser.get(back.as_str()).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_request_may_be_a_form_and_keeps_its_parameters() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({})).await;
    let mut browser = server.browser();
    let answer = browser.post("https://op.example/oauth2/auth", FORM, &request("")).await;
    let challenge = answer.parameter("login_challenge").unwrap();
    let challenge = server.log_in(&mut browser, &challenge, json!({"subject": "ada"})).await;
    let callback =
        server.pass(&mut browser, "consent", &challenge, json!({"grant_scope": ["openid"]})).await.redirect();
    assert_eq!(parameter(&callback, "state").as_deref(), Some("some-state"));
}

#[tokio::test]
async fn an_unknown_client_or_redirect_uri_is_shown_to_the_user() {
    let server = TestServer::new(
        database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await,
        json!({"urls": {"self": {"issuer": "https://op.example/"}, "login": "/login", "error": "https://ui.example/error?x=1"}}),
    );
    server.client(json!({})).await;
    let mut browser = server.browser();
    for query in [
        "client_id=unknown",
        "client_id=shop&redirect_uri=https://evil.example/&response_type=code&state=12345678",
        "state=a&state=b",
    ] {
        let answer = browser.get(&authorize(query)).await.expect(302);
        assert!(answer.location().starts_with("https://ui.example/error?x=1&error=invalid_"), "{answer}");
    }
}

#[tokio::test]
async fn a_requested_acr_that_was_not_reached_is_zero() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({})).await;
    let mut acrs = Vec::new();
    for (query, login) in [
        ("&acr_values=gold", json!({"subject": "ada"})),
        ("&acr_values=gold", json!({"subject": "ada", "acr": "gold"})),
        ("", json!({"subject": "ada"})),
    ] {
        let callback = server.sign_in(&mut server.browser(), &request(query), login).await;
        let tokens = server.redeem(&callback).await.json;
        acrs.push(crate::tests::token::decode(tokens["id_token"].as_str().unwrap()).1["acr"].clone());
    }
    assert_eq!(acrs, [json!("0"), json!("gold"), Value::Null]);
}

#[tokio::test]
async fn challenges_are_added_to_the_query_before_the_fragment_of_a_page() {
    let config = json!({"urls": {
        "self": {"issuer": "https://op.example/"},
        "login": "https://ui.example/app?x=1#/login", "registration": "https://ui.example/app#/register",
        "consent": "https://ui.example/app#/consent", "logout": "https://ui.example/app?y#/logout",
        "error": "https://ui.example/app#/error",
    }});
    let server = TestServer::new(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await, config);
    server.client(json!({})).await;
    let mut browser = server.browser();
    let starts = |answer: &Reply, expected: &str, fragment: &str| {
        let location = answer.redirect();
        assert!(location.as_str().starts_with(expected), "{location}");
        assert_eq!(location.fragment(), Some(fragment), "{location}");
    };
    let answer = browser.get(&authorize(&request("&prompt=create"))).await;
    starts(&answer, "https://ui.example/app?login_challenge=", "/register");
    let answer = browser.get(&authorize(&request(""))).await;
    starts(&answer, "https://ui.example/app?x=1&login_challenge=", "/login");
    let challenge = answer.parameter("login_challenge").unwrap();
    let answer = server.pass(&mut browser, "login", &challenge, json!({"subject": "ada", "remember": true})).await;
    starts(&answer, "https://ui.example/app?consent_challenge=", "/consent");
    let answer = browser.get("https://op.example/oauth2/sessions/logout").await;
    starts(&answer, "https://ui.example/app?y&logout_challenge=", "/logout");
    let answer = browser.get(&authorize("client_id=unknown")).await;
    starts(&answer, "https://ui.example/app?error=invalid_client", "/error");
}
