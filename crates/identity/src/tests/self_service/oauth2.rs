use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base::Context;
use contracts::{
    AcceptLogin, LoginRequest, LoginRequestError, LoginRequests, OidcContext, RejectLogin, SubjectObserver,
    SubjectObserverError,
};
use database::WriteTx;
use serde_json::json;
use uuid::Uuid;

use super::{Client, FlowReply as _, PASSWORD, PUBLIC, Reply, TestServer, with_server};
use crate::domain::code::CodePurpose;

/// An authorization server that knows the challenges `new` and `known:<subject>`.
#[derive(Default)]
pub(super) struct Provider(Mutex<Vec<(String, AcceptLogin)>>);

#[async_trait]
impl LoginRequests for Provider {
    async fn get(&self, _: &Context, challenge: &str) -> Result<LoginRequest, LoginRequestError> {
        let subject = challenge.strip_prefix("known:");
        if subject.is_none() && !["new", "create", "hinted"].contains(&challenge) {
            return Err(LoginRequestError::Unknown);
        }
        let prompt = if challenge == "create" { "&prompt=login+create" } else { "" };
        let oidc_context = if challenge == "hinted" {
            OidcContext {
                login_hint: Some("a@example.org".to_owned()),
                ui_locales: vec!["fr".to_owned(), "de-AT".to_owned()],
                ..OidcContext::default()
            }
        } else {
            OidcContext::default()
        };
        Ok(LoginRequest {
            challenge: challenge.to_owned(),
            client: serde_json::from_value(json!({"client_id": "shop"})).unwrap(),
            request_url: format!("http://oauth.example/oauth2/auth?client_id=shop{prompt}"),
            requested_scope: vec!["openid".to_owned()],
            requested_access_token_audience: Vec::new(),
            skip: subject.is_some(),
            subject: subject.unwrap_or_default().to_owned(),
            session_id: None,
            oidc_context,
        })
    }

    async fn accept(&self, _: &Context, challenge: &str, login: AcceptLogin) -> Result<String, LoginRequestError> {
        self.0.lock().unwrap().push((challenge.to_owned(), login));
        Ok(format!("http://oauth.example/oauth2/auth?login_verifier={challenge}"))
    }

    async fn reject(&self, _: &Context, _: &str, _: RejectLogin) -> Result<String, LoginRequestError> {
        Err(LoginRequestError::Unknown)
    }
}

impl TestServer {
    pub(super) fn provider(&self) -> Arc<Provider> {
        let provider = Arc::new(Provider::default());
        self.login_requests.set(provider.clone());
        provider
    }
}

const NEXT: &str = "http://oauth.example/oauth2/auth?login_verifier=new";

#[tokio::test]
async fn a_login_answers_its_challenge() {
    with_server(json!({}), |server| async move {
        let provider = server.provider();
        let person = server.native().sign_up("a@example.org").await.expect(200).json["identity"]["id"].clone();
        let mut client = server.browser();
        let id = client.begin_with("login", "?login_challenge=new").await;
        let flow = client.fetch("login", &id).await.expect(200);
        assert_eq!(flow.json["oauth2_login_challenge"], "new");
        assert_eq!(flow.json["oauth2_login_request"]["client"]["client_id"], "shop");
        let body = json!({"method": "password", "identifier": "a@example.org", "password": PASSWORD});
        let done = client.submit("login", &id, body).await.expect(303);
        assert_eq!(done.location(), NEXT);
        let accepted = provider.0.lock().unwrap().pop().unwrap().1;
        assert_eq!(json!(accepted.subject), person);
        assert_eq!(accepted.acr, "aal1");
        assert_eq!(accepted.amr, ["pwd"], "RFC 8176 section 2");
        assert!(accepted.remember);
        assert_eq!(accepted.remember_for, 24 * 3600);
        let session = client.whoami().await.json["id"].clone();
        assert_eq!(json!(accepted.identity_provider_session_id), session);

        // A signed-in person must prove their identity again, in the same session.
        let id = client.begin_with("login", "?login_challenge=new").await;
        assert_eq!(client.fetch("login", &id).await.messages(), [1_010_003]);

        // No sign-in is needed if the authorization server already knows the subject.
        let known = format!("known:{}", accepted.subject);
        let skipped = client.get(&format!("/self-service/login/browser?login_challenge={known}")).await.expect(303);
        assert!(skipped.location().ends_with(&known));
        let other = "known:another-subject";
        let shown = client.get(&format!("/self-service/login/browser?login_challenge={other}")).await.expect(303);
        assert!(!shown.location().ends_with(other), "{}", shown.location());
    })
    .await;
}

#[tokio::test]
async fn a_single_page_application_is_sent_to_the_provider() {
    with_server(json!({}), |server| async move {
        server.provider();
        server.native().sign_up("a@example.org").await.expect(200);
        let mut client = server.spa();
        let id = client.begin_with("login", "?login_challenge=new").await;
        let body = json!({"method": "password", "identifier": "a@example.org", "password": PASSWORD});
        let done = client.submit("login", &id, body).await.expect(422);
        assert_eq!(done.json["redirect_browser_to"], NEXT);
    })
    .await;
}

/// Recovers an account within a login and returns the settings flow for the new password.
async fn recover(server: &TestServer, client: &mut Client, query: &str) -> Reply {
    let id = client.begin_with("recovery", &format!("?login_challenge=new{query}")).await;
    client.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await;
    let code = server.code(&id, CodePurpose::Recovery).await;
    client.submit("recovery", &id, json!({"method": "code", "code": code})).await
}

#[tokio::test]
async fn a_login_continues_after_the_recovery_within_it_set_a_password() {
    with_server(json!({}), |server| async move {
        let provider = server.provider();
        let person = server.native().sign_up("a@example.org").await.expect(200).json["identity"]["id"].clone();
        let new = json!({"method": "password", "password": "a better password"});

        let mut browser = server.browser();
        let settings = recover(&server, &mut browser, "").await.expect(303).sent_to("flow");
        let traits = json!({"method": "profile", "traits.email": "a@example.org"});
        let saved = browser.submit("settings", &settings, traits).await.expect(303);
        assert!(provider.0.lock().unwrap().is_empty(), "{}", saved.location());
        let done = browser.submit("settings", &settings, new.clone()).await.expect(303);
        assert_eq!(done.location(), NEXT);
        let (_, accepted) = provider.0.lock().unwrap().pop().unwrap();
        assert_eq!(json!(accepted.subject), person);
        let own = json!({"method": "password", "password": "an even better one"});
        let again = browser.submit("settings", &settings, own).await.expect(303);
        assert!(again.location().starts_with("http://ui.example/settings"), "the login continues only once");

        let mut program = server.spa();
        let sent = recover(&server, &mut program, "").await.expect(422);
        let url = url::Url::parse(sent.json["redirect_browser_to"].as_str().unwrap()).unwrap();
        let settings = url.query_pairs().find(|(key, _)| key == "flow").unwrap().1.into_owned();
        let done = program.submit("settings", &settings, new).await.expect(200);
        assert_eq!(done.json["continue_with"][0]["redirect_browser_to"], NEXT);

        let at_once = recover(&server, &mut server.browser(), "&skip_settings=true").await.expect(303);
        assert_eq!(at_once.location(), NEXT);
    })
    .await;
}

#[tokio::test]
async fn a_recovery_link_in_another_browser_does_not_continue_the_login() {
    let config = json!({"selfservice": {
        "flows": {"recovery": {"use": "link"}},
        "methods": {"link": {"enabled": true}},
    }});
    with_server(config, |server| async move {
        let provider = server.provider();
        server.native().sign_up("a@example.org").await.expect(200);
        let mut asker = server.browser();
        let id = asker.begin_with("recovery", "?login_challenge=new&skip_settings=true").await;
        asker.submit("recovery", &id, json!({"method": "link", "email": "a@example.org"})).await.expect(303);
        let mails = server.mails().await;
        let link = mails.iter().find_map(|mail| mail.content.template_data["recovery_url"].as_str()).unwrap();
        let passed = server.browser().follow(link).await.expect(303);
        assert_ne!(passed.location(), NEXT);
        assert!(provider.0.lock().unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_registration_answers_the_challenge_too() {
    with_server(json!({}), |server| async move {
        let provider = server.provider();
        let mut client = server.browser();
        let id = client.begin_with("registration", "?login_challenge=new").await;
        let body = json!({"method": "password", "password": PASSWORD, "traits.email": "a@example.org"});
        let done = client.submit("registration", &id, body).await.expect(303);
        assert_eq!(done.location(), NEXT);
        assert_eq!(provider.0.lock().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_request_for_a_new_account_registers_despite_an_existing_session() {
    for hooks in [json!([]), json!([{"hook": "session"}])] {
        let has_session = hooks != json!([]);
        let config = json!({"selfservice": {"flows": {"registration": {"after": {"password": {"hooks": hooks}}}}}});
        with_server(config, move |server| async move {
            let provider = server.provider();
            server.native().sign_up("a@example.org").await.expect(200);
            let mut client = server.browser();
            client.sign_in("a@example.org", PASSWORD).await.expect(303);
            let id = client.begin_with("registration", "?login_challenge=create").await;
            assert_eq!(client.fetch("registration", &id).await.expect(200).json["oauth2_login_challenge"], "create");
            let body = json!({"method": "password", "password": PASSWORD, "traits.email": "b@example.org"});
            let done = client.submit("registration", &id, body).await.expect(303);
            assert!(done.location().ends_with("login_verifier=create"), "{}", done.location());
            let accepted = provider.0.lock().unwrap().pop().unwrap().1;
            let whoami = client.whoami().await;
            if has_session {
                assert_eq!(json!(accepted.subject), whoami.expect(200).json["identity"]["id"]);
            } else {
                whoami.expect(401);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn the_login_hint_is_prefilled() {
    for style in ["unified", "identifier_first"] {
        with_server(json!({"selfservice": {"flows": {"login": {"style": style}}}}), |server| async move {
            server.provider();
            let mut client = server.browser();
            for (kind, field) in [("login", "identifier"), ("registration", "traits.email")] {
                for (challenge, expected) in [("hinted", json!("a@example.org")), ("new", json!(""))] {
                    let id = client.begin_with(kind, &format!("?login_challenge={challenge}")).await;
                    let flow = client.fetch(kind, &id).await.expect(200);
                    let nodes = flow.json["ui"]["nodes"].as_array().unwrap();
                    let node = nodes.iter().find(|node| node["attributes"]["name"] == field).unwrap();
                    let value = node["attributes"].get("value").cloned().unwrap_or_else(|| json!(""));
                    assert_eq!(value, expected, "{style} {kind} {challenge}");
                }
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_page_is_in_the_language_of_the_client() {
    let page = |kind| json!({"ui_url": format!("{PUBLIC}/ui/{kind}")});
    let flows = json!({"login": page("login"), "registration": page("registration")});
    with_server(json!({"selfservice": {"flows": flows}}), |server| async move {
        server.provider();
        let mut client = server.browser();
        for (challenge, language) in [("hinted", "de"), ("new", "en")] {
            for kind in ["login", "registration"] {
                let begun =
                    client.get(&format!("/self-service/{kind}/browser?login_challenge={challenge}")).await.expect(303);
                let page = client.get(begun.location()).await.expect(200);
                let html = page.json.as_str().unwrap_or_default();
                assert!(html.contains(&format!("<html lang=\"{language}\"")), "{kind}: {html}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_registration_answers_the_challenge_once_its_address_is_verified() {
    let config = json!({
        "selfservice": {"flows": {"registration": {"confirm_address_first": true, "after": {"password": {"hooks": []}}}}},
    });
    with_server(config, |server| async move {
        let provider = server.provider();
        let mut client = server.browser();
        let id = client.begin_with("registration", "?login_challenge=new").await;
        let body = json!({"method": "password", "password": PASSWORD, "traits.email": "a@example.org"});
        let flow = client.submit("registration", &id, body).await.expect(303).sent_to("flow");
        assert!(provider.0.lock().unwrap().is_empty(), "there is no sign-in yet");
        let code = server.code(&flow, CodePurpose::Verification).await;
        let done = client.submit("verification", &flow, json!({"method": "code", "code": code})).await.expect(303);
        assert_eq!(done.location(), NEXT);
        let (challenge, accepted) = provider.0.lock().unwrap().pop().unwrap();
        assert_eq!((challenge.as_str(), accepted.subject), ("new", only_person(&server).await));
        let session = client.whoami().await.expect(200).json["id"].clone();
        assert_eq!(json!(accepted.identity_provider_session_id), session);
    })
    .await;
}

#[tokio::test]
async fn a_registration_with_a_session_answers_the_challenge_once_its_address_is_verified() {
    let config = json!({
        "selfservice": {"flows": {"registration": {
            "confirm_address_first": true, "after": {"password": {"hooks": [{"hook": "session"}]}},
        }}},
    });
    with_server(config, |server| async move {
        let provider = server.provider();
        let mut client = server.browser();
        let id = client.begin_with("registration", "?login_challenge=new").await;
        let body = json!({"method": "password", "password": PASSWORD, "traits.email": "a@example.org"});
        let flow = client.submit("registration", &id, body).await.expect(303).sent_to("flow");
        assert!(provider.0.lock().unwrap().is_empty(), "the verification page comes first");
        let code = server.code(&flow, CodePurpose::Verification).await;
        let done = client.submit("verification", &flow, json!({"method": "code", "code": code})).await.expect(303);
        assert_eq!(done.location(), NEXT);
        let (challenge, accepted) = provider.0.lock().unwrap().pop().unwrap();
        assert_eq!((challenge.as_str(), accepted.subject), ("new", only_person(&server).await));
    })
    .await;
}

#[tokio::test]
async fn an_unknown_challenge_is_rejected() {
    with_server(json!({}), |server| async move {
        server.spa().get("/self-service/login/browser?login_challenge=new").await.expect(500);
        server.spa().get("/self-service/login/browser?login_challenge=").await.expect(400);
        server.provider();
        server.spa().get("/self-service/login/browser?login_challenge=unknown").await.expect(400);
    })
    .await;
}

/// Records ended sessions.
#[derive(Default)]
struct Observer(Mutex<Vec<Uuid>>);

#[async_trait]
impl SubjectObserver for Observer {
    async fn sessions_ended(
        &self,
        _: &Context,
        _: &mut WriteTx,
        sessions: &[Uuid],
    ) -> Result<(), SubjectObserverError> {
        self.0.lock().unwrap().extend(sessions);
        Ok(())
    }

    async fn subject_ended(&self, _: &Context, _: &mut WriteTx, _: &str) -> Result<(), SubjectObserverError> {
        Ok(())
    }
}

#[tokio::test]
async fn the_provider_is_notified_of_every_ended_session() {
    with_server(json!({}), |server| async move {
        let observer = Arc::new(Observer::default());
        server.subject_observer.set(observer.clone());
        let mut first = server.native();
        first.sign_up("a@example.org").await.expect(200);
        let mut second = server.native();
        second.sign_in("a@example.org", PASSWORD).await.expect(200);
        first.delete("/sessions", None).await.expect(200);
        assert_eq!(observer.0.lock().unwrap().len(), 1);
        let body = json!({"session_token": first.token.clone().unwrap()});
        first.delete("/self-service/logout/api", Some(body)).await.expect(204);
        assert_eq!(observer.0.lock().unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn one_factor_of_two_answers_no_challenge() {
    with_server(json!({"selfservice": {"methods": {"code": {"mfa_enabled": true}}}}), |server| async move {
        let provider = server.provider();
        let mut client = server.browser();
        client.sign_up("a@example.org").await.expect(303);
        let person = server.native().sign_in("a@example.org", PASSWORD).await.expect(200);
        assert!(person.json["session"].get("identity").is_none());

        // The authorization server knows the subject and there is a session, but it lacks the second factor of the person.
        let subject = only_person(&server).await;
        let sent =
            client.get(&format!("/self-service/login/browser?login_challenge=known:{subject}")).await.expect(303);
        assert!(sent.location().contains("aal=aal2"), "{}", sent.location());
        assert!(provider.0.lock().unwrap().is_empty());
    })
    .await;
}

/// The id of the only person in the database.
async fn only_person(server: &TestServer) -> String {
    let page = base::PageRequest { size: 10, after: None };
    let events = jobs::list_events(&mut server.identity.database.read(base::TenantId::DEFAULT), page).await.unwrap();
    events.items.into_iter().find(|event| event.name == "IdentityCreated").unwrap().subject
}
