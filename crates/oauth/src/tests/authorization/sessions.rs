//! Consents and logins in the admin API, and what ends together with a session or an account.

use contracts::{LoginRequestError, LoginRequests, SubjectObserver};
use jobs::{Handler, Job};

use super::*;
use crate::MIGRATIONS;
use crate::domain::effect;
use crate::domain::grant::GrantId;
use crate::jobs::end_late_logins::EndLateLogins;
use crate::storage::grants;

#[tokio::test]
async fn consents_are_listed_and_revoked_with_their_tokens() {
    database::testing::on_both_engines(&[jobs::MIGRATIONS, MIGRATIONS], |database| async move {
        let server = TestServer::with_applications(database);
        server.client(json!({})).await;
        let mut browser = server.browser();
        let callback = server.sign_in(&mut browser, &request(""), json!({"subject": "ada", "remember": true})).await;
        let tokens = server.redeem(&callback).await.json;
        server.wait(5);
        server.sign_in(&mut browser, &request("+offline_access"), json!({"subject": "ada"})).await;

        let uri = "/admin/oauth2/auth/sessions/consent?subject=ada";
        let answer = server.admin(Method::GET, uri, Value::Null).await;
        let listed = answer.json;
        assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
        assert_eq!(listed[0]["grant_scope"], json!(["openid", "photos.read", "offline_access"]));
        assert_eq!(listed[1]["handled_at"], "2026-11-22T10:00:00Z");
        assert_eq!(listed[1]["consent_request"]["client"]["client_id"], "shop");
        assert_eq!(listed[1]["consent_request"]["challenge"], "");
        assert_eq!((&listed[0]["remember"], &listed[1]["remember"]), (&json!(true), &json!(false)));
        let session = listed[1]["consent_request"]["login_session_id"].as_str().unwrap();
        let count = async |query: &str| {
            let uri = format!("/admin/oauth2/auth/sessions/consent?{query}");
            server.admin(Method::GET, &uri, Value::Null).await.json.as_array().unwrap().len()
        };
        assert_eq!(count(&format!("subject=ada&login_session_id={session}")).await, 2);
        assert_eq!(count(&format!("subject=ada&login_session_id={}", Uuid::nil())).await, 0);
        assert_eq!(count("subject=bob").await, 0);
        assert_eq!(count("subject=ada&page_size=1").await, 1);

        let delete = async |query: &str| {
            server
                .admin(Method::DELETE, &format!("/admin/oauth2/auth/sessions/consent?{query}"), Value::Null)
                .await
                .status
        };
        for query in
            ["", "subject=ada", "all=true", "client=shop", "subject=ada&client=shop&all=true", "subject=ada&all=yes"]
        {
            assert_eq!(delete(query).await, StatusCode::BAD_REQUEST, "{query}");
        }
        let id = listed[1]["consent_request_id"].as_str().unwrap();
        assert_eq!(delete(&format!("consent_request_id={id}")).await, StatusCode::NO_CONTENT);
        assert_eq!(count("subject=ada").await, 1);
        assert!(!is_active(&server, &tokens["access_token"]).await);
        assert_eq!(delete("subject=ada&client=shop").await, StatusCode::NO_CONTENT);
        assert_eq!(delete("subject=ada&all=true").await, StatusCode::NO_CONTENT);
        assert_eq!(count("subject=ada").await, 0);
    })
    .await;
}

#[tokio::test]
async fn logins_and_grants_end_with_their_session_or_account() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({})).await;
    let provider_session = Uuid::from_u128(5);
    let login = json!({"subject": "ada", "remember": true, "identity_provider_session_id": provider_session});
    let mut browser = server.browser();
    let callback = server.sign_in(&mut browser, &request(""), login).await;
    let tokens = server.redeem(&callback).await.json;
    assert!(is_active(&server, &tokens["access_token"]).await);

    let cx = server.cx();
    let mut tx = server.oauth.database.write(cx.tenant).await.unwrap();
    server.oauth.sessions_ended(&cx, &mut tx, &[provider_session]).await.unwrap();
    drop(tx);
    assert!(is_active(&server, &tokens["access_token"]).await, "the transaction was rolled back");

    let mut tx = server.oauth.database.write(cx.tenant).await.unwrap();
    server.oauth.sessions_ended(&cx, &mut tx, &[provider_session]).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!is_active(&server, &tokens["access_token"]).await);
    let answer = browser.get(&authorize(&request("&prompt=none"))).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("login_required"));

    let callback = server.sign_in(&mut server.browser(), &request(""), json!({"subject": "bob"})).await;
    let tokens = server.redeem(&callback).await.json;
    let mut tx = server.oauth.database.write(cx.tenant).await.unwrap();
    server.oauth.subject_ended(&cx, &mut tx, "bob").await.unwrap();
    tx.commit().await.unwrap();
    assert!(!is_active(&server, &tokens["access_token"]).await);
    let uri = "/admin/oauth2/auth/sessions/consent?subject=bob";
    assert_eq!(server.admin(Method::GET, uri, Value::Null).await.json, json!([]));
}

/// The ways in which the session or account of a login can end before the browser returns.
#[derive(Clone, Copy, Debug)]
enum EndOf {
    Session,
    Person,
    LoginsByOperator,
}

const PROVIDER_SESSION: Uuid = Uuid::from_u128(5);

impl EndOf {
    async fn happen(self, server: &TestServer) {
        let cx = server.cx();
        if matches!(self, Self::LoginsByOperator) {
            let uri = "/admin/oauth2/auth/sessions/login?subject=ada";
            assert_eq!(server.admin(Method::DELETE, uri, Value::Null).await.status, StatusCode::NO_CONTENT);
            return;
        }
        let mut tx = server.oauth.database.write(cx.tenant).await.unwrap();
        match self {
            Self::Session => server.oauth.sessions_ended(&cx, &mut tx, &[PROVIDER_SESSION]).await.unwrap(),
            _ => server.oauth.subject_ended(&cx, &mut tx, "ada").await.unwrap(),
        }
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_login_accepted_before_its_end_is_not_redeemed_after_it() {
    database::testing::on_both_engines(&[jobs::MIGRATIONS, MIGRATIONS], |database| async move {
        let server = TestServer::with_applications(database);
        server.client(json!({})).await;
        let login =
            json!({"subject": "ada", "remember": true, "identity_provider_session_id": PROVIDER_SESSION.to_string()});
        for end in [EndOf::Session, EndOf::Person, EndOf::LoginsByOperator] {
            let mut browser = server.browser();
            let challenge = server.begin(&mut browser, &request("")).await;
            let back = server.accept("login", &challenge, login.clone()).await;
            end.happen(&server).await;
            for _ in 0..2 {
                let answer = browser.get(back.as_str()).await;
                assert_eq!(answer.parameter("error").as_deref(), Some("login_required"), "{end:?}");
                assert!(browser.cookie("ory_hydra_session").is_none(), "{end:?}");
                server.wait(60);
            }
            // A later login works.
            let callback = server.sign_in(&mut browser, &request(""), login.clone()).await;
            assert!(parameter(&callback, "code").is_some(), "{end:?}: {callback}");
            server.wait(60);
        }
    })
    .await;
}

#[tokio::test]
async fn a_login_that_races_with_the_end_of_its_account_ends_shortly_afterwards() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({})).await;
    let mut early = server.browser();
    let callback = server.sign_in(&mut early, &request(""), json!({"subject": "ada", "remember": true})).await;
    let slipped = server.redeem(&callback).await.json;
    server.wait(1);
    // As if the end had not seen that login.
    let job = effect::end_late_logins(&server.cx(), "ada");
    server.wait(1);
    let mut late = server.browser();
    let callback = server.sign_in(&mut late, &request(""), json!({"subject": "ada", "remember": true})).await;
    let later = server.redeem(&callback).await.json;

    let job = Job { id: Uuid::nil(), payload: job.payload, attempt: 1 };
    EndLateLogins(server.oauth.clone()).run(&server.cx(), &job).await.unwrap();
    assert!(!is_active(&server, &slipped["access_token"]).await);
    let answer = early.get(&authorize(&request("&prompt=none"))).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("login_required"));
    assert!(is_active(&server, &later["access_token"]).await, "the user logged in again after that");
}

#[tokio::test]
async fn another_service_accepts_a_login_challenge() {
    let server = TestServer::with_own_pages(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({"skip_consent": true, "metadata": {"team": 1}})).await;
    let mut browser = server.browser();
    let challenge = server.begin(&mut browser, &request("&login_hint=ada")).await;
    let cx = server.cx();
    let requests: &dyn LoginRequests = &*server.oauth;
    let asked = requests.get(&cx, &challenge).await.unwrap();
    assert_eq!((asked.client.client_id.as_str(), asked.client.client_name.as_str()), ("shop", "The Shop"));
    assert_eq!(asked.client.metadata["team"], 1);
    assert_eq!(asked.oidc_context.login_hint.as_deref(), Some("ada"));
    assert!(matches!(requests.get(&cx, "x").await, Err(LoginRequestError::Unknown)));
    let negative = contracts::AcceptLogin { subject: "ada".to_owned(), remember_for: -1, ..Default::default() };
    assert!(matches!(requests.accept(&cx, &challenge, negative).await, Err(LoginRequestError::Refused(_))));
    let login = contracts::AcceptLogin { subject: "ada".to_owned(), remember: true, ..Default::default() };
    let back = requests.accept(&cx, &challenge, login).await.unwrap();
    assert!(browser.get(&back).await.parameter("code").is_some());

    let challenge = server.begin(&mut server.browser(), &request("")).await;
    let back = requests.reject(&cx, &challenge, contracts::RejectLogin::default()).await.unwrap();
    assert!(back.contains("login_verifier="), "{back}");
}

#[tokio::test]
async fn the_claims_about_a_user_are_deleted_with_the_account() {
    database::testing::on_both_engines(&[jobs::MIGRATIONS, MIGRATIONS], |database| async move {
        let server = TestServer::with_applications(database);
        server.client(json!({})).await;
        let mut ids = Vec::new();
        for subject in ["ada", "bob"] {
            let mut browser = server.browser();
            let challenge = server.begin(&mut browser, &request("")).await;
            let challenge = server.log_in(&mut browser, &challenge, json!({"subject": subject})).await;
            let id = server.look("consent", &challenge).await.json["consent_request_id"].as_str().unwrap().to_owned();
            ids.push(GrantId::from_uuid(id.parse().unwrap()));
            let consent = json!({"grant_scope": ["openid"], "session": {"id_token": {"email": "x@example.org"}}});
            assert!(server.pass(&mut browser, "consent", &challenge, consent).await.parameter("code").is_some());
        }
        let cx = server.cx();
        let mut tx = server.oauth.database.write(cx.tenant).await.unwrap();
        server.oauth.subject_ended(&cx, &mut tx, "ada").await.unwrap();
        tx.commit().await.unwrap();
        let mut claims = Vec::new();
        for id in ids {
            let mut tx = server.oauth.database.read(cx.tenant);
            let grant = grants::find(&mut tx, &server.oauth.sealer, cx.tenant, id).await.unwrap().unwrap();
            claims.push((grant.revoked_at.is_some(), grant.session.id_token.contains_key("email")));
        }
        assert_eq!(claims, [(true, false), (false, true)]);
    })
    .await;
}

#[tokio::test]
async fn a_null_item_in_an_acceptance_counts_as_absent() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({})).await;
    let mut browser = server.browser();
    let challenge = server.begin(&mut browser, &request("")).await;
    let challenge = server.log_in(&mut browser, &challenge, json!({"subject": "ada", "amr": [null, "pwd"]})).await;
    let document = server.look("consent", &challenge).await.json;
    assert_eq!(document["amr"], json!(["pwd"]));
    assert_eq!(document.get("context"), Some(&Value::Null), "the member is present without a context, too");
    // Sent by both reference applications when no box is checked.
    let consent = json!({"grant_scope": [null], "grant_access_token_audience": [null]});
    let callback = server.pass(&mut browser, "consent", &challenge, consent).await.redirect();
    assert_eq!(parameter(&callback, "scope").as_deref(), Some(""));
    server.redeem(&callback).await.expect(200);
}

#[tokio::test]
async fn consents_of_a_login_session_that_cannot_exist_are_an_empty_list() {
    let server = TestServer::with_applications(database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await);
    server.client(json!({})).await;
    server.sign_in(&mut server.browser(), &request(""), json!({"subject": "ada"})).await;
    let uri = "/admin/oauth2/auth/sessions/consent?subject=ada";
    assert_eq!(server.admin(Method::GET, uri, Value::Null).await.json.as_array().map(Vec::len), Some(1));
    let answer = server.admin(Method::GET, &format!("{uri}&login_session_id=not-a-uuid"), Value::Null).await;
    assert_eq!((answer.status, answer.json), (StatusCode::OK, json!([])));
}
