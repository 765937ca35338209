//! The built-in consent page, and the other pages at the end of a login.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use contracts::{ActiveSession, SessionCheck, SessionCredentials, Sessions, Unavailable};

use super::*;
use crate::MIGRATIONS;

const CONSENT: &str = "https://op.example/oauth2/consent";

async fn server() -> TestServer {
    TestServer::with_own_pages(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await)
}

/// Logs in and returns the URL of the consent page.
pub(super) async fn consent_page(server: &TestServer, browser: &mut Client, query: &str) -> Url {
    let challenge = server.begin(browser, query).await;
    server.pass(browser, "login", &challenge, json!({"subject": "ada", "remember": true})).await.redirect()
}

/// Allows the request on the page, and has it remembered; returns the redirect URL.
pub(super) async fn allow(browser: &mut Client, page: &Url) -> Url {
    let answer = browser.get(page.as_str()).await.expect(200);
    let challenge = parameter(page, "consent_challenge").unwrap();
    let form = format!("consent_challenge={challenge}&csrf={}&decision=allow&remember=true", csrf(&answer.text));
    let back = browser.post(CONSENT, FORM, &form).await.expect(303);
    back.redirect()
}

fn csrf(page: &str) -> String {
    let (_, rest) = page.split_once(r#"name="csrf" value=""#).or_else(|| page.split_once(r#"name="csrf""#)).unwrap();
    rest.trim_start_matches(r#" value=""#).split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_remembered_consent_is_not_requested_again() {
    let server = server().await;
    server.client(json!({"client_name": "<The Shop>", "tos_uri": "https://shop.example/terms"})).await;
    let mut browser = server.browser();
    let page = consent_page(&server, &mut browser, &request("+offline_access")).await;
    let answer = browser.get(page.as_str()).await.expect(200);
    for text in ["&#60;The Shop&#62;", "photos.read", "Know who you are", "shop.example", "https://shop.example/terms"]
    {
        assert!(answer.text.contains(text), "{text}: {answer}");
    }
    let challenge = parameter(&page, "consent_challenge").unwrap();
    let form = format!("consent_challenge={challenge}&csrf={}&decision=allow&remember=true", csrf(&answer.text));
    let back = browser.post(CONSENT, FORM, &form).await.expect(303);
    let callback = browser.get(back.location()).await.redirect();
    assert_eq!(parameter(&callback, "scope").as_deref(), Some("openid photos.read offline_access"));
    assert!(server.redeem(&callback).await.json["refresh_token"].is_string());

    // The next time the code is issued right after the login.
    let challenge = server.begin(&mut browser, &request("")).await;
    let callback = server.pass(&mut browser, "login", &challenge, json!({"subject": "ada"})).await;
    assert!(callback.parameter("code").is_some(), "{}", callback.redirect());
    // Unless the client requests consent.
    let page = consent_page(&server, &mut browser, &request("&prompt=consent")).await;
    assert!(page.as_str().starts_with(CONSENT), "{page}");
}

#[tokio::test]
async fn a_user_who_refuses_consent_sends_access_denied_to_the_client() {
    let server = server().await;
    server.client(json!({})).await;
    let mut browser = server.browser();
    let page = consent_page(&server, &mut browser, &request("")).await;
    let answer = browser.get(page.as_str()).await;
    let challenge = parameter(&page, "consent_challenge").unwrap();
    let form = format!("consent_challenge={challenge}&csrf={}&decision=deny", csrf(&answer.text));
    let back = browser.post(CONSENT, FORM, &form).await.redirect();
    let answer = browser.get(back.as_str()).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn consent_requires_the_right_browser_and_its_form() {
    let server = server().await;
    server.client(json!({})).await;
    let mut browser = server.browser();
    let page = consent_page(&server, &mut browser, &request("")).await;
    let challenge = parameter(&page, "consent_challenge").unwrap();
    assert_eq!(server.browser().get(page.as_str()).await.status, StatusCode::FORBIDDEN);
    let form = format!("consent_challenge={challenge}&csrf=guess&decision=allow");
    assert_eq!(browser.post(CONSENT, FORM, &form).await.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.get(&format!("{CONSENT}?consent_challenge=x")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.get(CONSENT).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_client_with_skip_consent_needs_no_consent() {
    let server = server().await;
    server.client(json!({"skip_consent": true})).await;
    let mut browser = server.browser();
    let callback = consent_page(&server, &mut browser, &request("")).await;
    assert!(parameter(&callback, "code").is_some(), "{callback}");
}

#[tokio::test]
async fn a_response_may_be_sent_in_a_form() {
    let server = server().await;
    server.client(json!({"skip_consent": true})).await;
    let mut browser = server.browser();
    let challenge = server.begin(&mut browser, &request("&response_mode=form_post")).await;
    let answer = server.pass(&mut browser, "login", &challenge, json!({"subject": "ada"})).await.expect(200);
    for text in
        [r#"action="https://shop.example/cb""#, r#"value="some-state""#, r#"name="code""#, "/oauth2/form-post.js"]
    {
        assert!(answer.text.contains(text), "{text}: {answer}");
    }
    let script = browser.get("https://op.example/oauth2/form-post.js").await;
    assert!(script.text.contains("submit()"), "{script}");
}

#[tokio::test]
async fn a_missing_login_page_is_reported() {
    let database = database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await;
    let server = TestServer::new(database, json!({"urls": {"self": {"issuer": "https://op.example/"}}}));
    server.client(json!({})).await;
    let answer = server.browser().get(&authorize(&request(""))).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.text.contains("urls.login"), "{answer}");
}

/// An identity service with a fixed response.
struct Identity(Mutex<Option<SessionCheck>>);

#[async_trait]
impl Sessions for Identity {
    async fn check(&self, _: &Context, _: &SessionCredentials) -> Result<SessionCheck, Unavailable> {
        self.0.lock().unwrap().clone().ok_or_else(|| Unavailable::new("identity", "down"))
    }

    async fn end(&self, _: &Context, _: Uuid) -> Result<(), Unavailable> {
        Ok(())
    }
}

#[tokio::test]
async fn the_consent_page_requires_the_user_who_logged_in() {
    let server = server().await;
    server.client(json!({})).await;
    let identity = Arc::new(Identity(Mutex::new(None)));
    server.oauth.sessions.set(identity.clone());
    let ada = Uuid::from_u128(1);
    let session = |id: Uuid| {
        SessionCheck::Active(Box::new(ActiveSession {
            session_id: Uuid::from_u128(9),
            identity_id: id,
            authenticated_at: server.cx().now,
            expires_at: Timestamp::MAX,
            aal: "aal1".to_owned(),
            amr: vec!["password".to_owned()],
            whoami: json!({"identity": {"traits": {"email": "ada@example.org"}}}).into(),
        }))
    };
    let mut browser = server.browser();
    let challenge = server.begin(&mut browser, &request("")).await;
    let login = json!({"subject": ada, "identity_provider_session_id": Uuid::from_u128(9)});
    let page = server.pass(&mut browser, "login", &challenge, login).await.redirect();

    let cases = [
        (Some(session(ada)), StatusCode::OK),
        (Some(SessionCheck::Absent), StatusCode::OK),
        (Some(session(Uuid::from_u128(2))), StatusCode::SEE_OTHER),
        (Some(SessionCheck::Invalid), StatusCode::SEE_OTHER),
        (Some(SessionCheck::NeedsSecondFactor), StatusCode::SEE_OTHER),
        (None, StatusCode::SERVICE_UNAVAILABLE),
    ];
    for (check, status) in cases {
        let shown = format!("{check:?}");
        *identity.0.lock().unwrap() = check;
        let answer = browser.get(page.as_str()).await;
        assert_eq!(answer.status, status, "{shown}");
        if status == StatusCode::SEE_OTHER {
            assert_eq!(answer.parameter("prompt").as_deref(), Some("login"), "{shown}");
        }
    }
    *identity.0.lock().unwrap() = Some(session(ada));
    let answer = browser.get(page.as_str()).await;
    assert!(answer.text.contains("ada@example.org"), "{answer}");
}

fn ada(server: &TestServer) -> SessionCheck {
    SessionCheck::Active(Box::new(ActiveSession {
        session_id: Uuid::from_u128(9),
        identity_id: Uuid::from_u128(1),
        authenticated_at: server.cx().now,
        expires_at: Timestamp::MAX,
        aal: "aal1".to_owned(),
        amr: vec!["password".to_owned()],
        whoami: json!({"identity": {
            "traits": {"email": "ada@example.org", "name": {"first": "Ada", "last": "Lovelace"}},
            "verifiable_addresses": [{"via": "email", "value": "ada@example.org", "verified": true}],
        }})
        .into(),
    }))
}

/// Redeems a code; returns the claims of the ID token and those of userinfo.
async fn claims(server: &TestServer, callback: &Url) -> (Value, Value) {
    let tokens = server.redeem(callback).await.json;
    let (_, id_token) = crate::tests::token::decode(tokens["id_token"].as_str().unwrap());
    let userinfo = crate::tests::token::userinfo(server, tokens["access_token"].as_str().unwrap()).await;
    (id_token, userinfo.json)
}

#[tokio::test]
async fn tokens_have_the_claims_that_the_user_agreed_to() {
    let server = server().await;
    server.client(json!({"scope": "openid offline_access photos.* profile email phone"})).await;
    let identity = Arc::new(Identity(Mutex::new(Some(ada(&server)))));
    server.oauth.sessions.set(identity.clone());
    let login = json!({
        "subject": Uuid::from_u128(1), "identity_provider_session_id": Uuid::from_u128(9), "remember": true,
    });
    let sign_in = async |browser: &mut Client, query: &str| {
        browser.set_cookie("ory_kratos_session", "x");
        let challenge = server.begin(browser, query).await;
        server.pass(browser, "login", &challenge, login.clone()).await
    };
    let mut browser = server.browser();
    let page = sign_in(&mut browser, &request("+email+profile")).await.redirect();
    let back = allow(&mut browser, &page).await;
    let (id_token, userinfo) = claims(&server, &browser.get(back.as_str()).await.redirect()).await;
    for claims in [&id_token, &userinfo] {
        assert_eq!(
            (&claims["email"], &claims["email_verified"]),
            (&json!("ada@example.org"), &json!(true)),
            "{claims}"
        );
        assert_eq!((&claims["name"], &claims["given_name"]), (&json!("Ada Lovelace"), &json!("Ada")), "{claims}");
        assert_eq!(claims["sub"], json!(Uuid::from_u128(1)), "{claims}");
    }

    // The same without the consent page, and only the claims that this request asks for.
    let callback = sign_in(&mut browser, &request("+email")).await.redirect();
    let (id_token, userinfo) = claims(&server, &callback).await;
    for claims in [&id_token, &userinfo] {
        assert_eq!(claims["email"], "ada@example.org", "{claims}");
        assert_eq!(claims["name"], Value::Null, "{claims}");
    }

    // An outage uses nothing up: the same request succeeds afterwards.
    browser.set_cookie("ory_kratos_session", "x");
    let challenge = server.begin(&mut browser, &request("+email")).await;
    let back = server.accept("login", &challenge, login.clone()).await;
    *identity.0.lock().unwrap() = None;
    assert_eq!(browser.get(back.as_str()).await.status, StatusCode::SERVICE_UNAVAILABLE);
    // Claims of another user must not be issued.
    let eve = SessionCheck::Active(Box::new(ActiveSession {
        identity_id: Uuid::from_u128(2),
        ..match ada(&server) {
            SessionCheck::Active(session) => *session,
            other => panic!("{other:?}"),
        }
    }));
    *identity.0.lock().unwrap() = Some(eve);
    let (id_token, _) = claims(&server, &browser.get(back.as_str()).await.redirect()).await;
    assert_eq!((&id_token["email"], &id_token["sub"]), (&Value::Null, &json!(Uuid::from_u128(1))));
}

#[tokio::test]
async fn a_narrower_scope_has_fewer_claims() {
    let server = server().await;
    server.client(json!({"scope": "openid offline_access photos.* profile email"})).await;
    server.oauth.sessions.set(Arc::new(Identity(Mutex::new(Some(ada(&server))))));
    let mut browser = server.browser();
    let challenge = server.begin(&mut browser, &request("+offline_access+email+profile")).await;
    let login = json!({"subject": Uuid::from_u128(1), "identity_provider_session_id": Uuid::from_u128(9)});
    let page = server.pass(&mut browser, "login", &challenge, login).await.redirect();
    let back = allow(&mut browser, &page).await;
    let tokens = server.redeem(&browser.get(back.as_str()).await.redirect()).await.json;

    let refresh = async |token: &Value, scope: &str| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str().unwrap()), ("scope", scope)];
        crate::tests::token::token(&server, &fields).await.expect(200)
    };
    let narrow = refresh(&tokens["refresh_token"], "openid email").await;
    let (_, id_token) = crate::tests::token::decode(&narrow.string("/id_token"));
    let userinfo = crate::tests::token::userinfo(&server, &narrow.string("/access_token")).await.json;
    for said in [&id_token, &userinfo] {
        assert_eq!((&said["email"], &said["name"]), (&json!("ada@example.org"), &Value::Null), "{said}");
    }
    // The grant still has all claims.
    let wide = refresh(&narrow.json["refresh_token"], "").await;
    assert_eq!(crate::tests::token::decode(&wide.string("/id_token")).1["name"], "Ada Lovelace");
}

#[tokio::test]
async fn an_application_of_the_operator_chooses_the_claims_itself() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({"scope": "openid photos.* email"})).await;
    server.oauth.sessions.set(Arc::new(Identity(Mutex::new(Some(ada(&server))))));
    let login = json!({"subject": Uuid::from_u128(1), "identity_provider_session_id": Uuid::from_u128(9)});
    let callback = server.sign_in(&mut server.browser(), &request("+email"), login).await;
    let (id_token, userinfo) = claims(&server, &callback).await;
    assert_eq!((&id_token["email"], &userinfo["email"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn the_page_has_the_language_that_the_client_requests() {
    let server = server().await;
    server.client(json!({})).await;
    for (locales, language) in [("", "en"), ("de", "de"), ("fr de-AT en", "de"), ("xx", "en")] {
        let mut browser = server.browser();
        let locales = locales.replace(' ', "+");
        let page = consent_page(&server, &mut browser, &request(&format!("&ui_locales={locales}"))).await;
        let answer = browser.get(page.as_str()).await;
        assert!(answer.text.contains(&format!("<html lang=\"{language}\"")), "{locales}: {answer}");
    }
}

#[tokio::test]
async fn the_language_that_the_user_chose_takes_precedence_over_that_of_the_client() {
    let server = server().await;
    server.client(json!({})).await;
    let mut browser = server.browser();
    let page = consent_page(&server, &mut browser, &request("&ui_locales=de")).await;
    let answer = browser.checking_cookies(|_| ()).get(&format!("{page}&lang=ar")).await;
    assert!(answer.text.contains("<html lang=\"ar\" dir=\"rtl\""), "{answer}");
    assert!(answer.headers[header::SET_COOKIE].to_str().unwrap().starts_with("kleis_language=ar; "));
    let challenge = parameter(&page, "consent_challenge").unwrap();
    let link = format!("href=\"?consent_challenge={challenge}&#38;lang=de\"");
    assert!(answer.text.contains(&link), "{answer}");
}
