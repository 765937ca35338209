//! Events that end the other sessions of a person, so that an intruder does not stay signed in.

use serde_json::{Value, json};

use super::{Client, FlowReply as _, PASSWORD, TestServer, with_server};
use contracts::Sessions;

use crate::domain::code::CodePurpose;
use crate::domain::{IdentityId, SessionId};
use crate::operations::manage_sessions::{ManageAction, Target};

const ADDRESS: &str = "a@example.org";

fn only_by_hook() -> Value {
    json!({"security": {"revoke_active_sessions": false}})
}

/// Recovers the account with a code from the mail.
async fn recover(server: &TestServer, client: &mut Client) {
    let id = client.begin("recovery").await;
    client.submit("recovery", &id, json!({"method": "code", "email": ADDRESS})).await.expect(303);
    let code = server.code(&id, CodePurpose::Recovery).await;
    client.submit("recovery", &id, json!({"method": "code", "code": code})).await.expect(303);
}

#[tokio::test]
async fn a_recovery_ends_earlier_sessions() {
    for (config, status) in [(json!({}), 401), (only_by_hook(), 200)] {
        with_server(config, |server| async move {
            let mut attacker = server.native();
            attacker.sign_up(ADDRESS).await.expect(200);
            let mut owner = server.browser();
            recover(&server, &mut owner).await;
            owner.whoami().await.expect(200);
            attacker.whoami().await.expect(status);
        })
        .await;
    }
}

#[tokio::test]
async fn a_recovery_that_first_verifies_the_address_removes_the_earlier_password() {
    for (config, status) in [(json!({}), 400), (only_by_hook(), 200)] {
        with_server(config, |server| async move {
            server.native().sign_up(ADDRESS).await.expect(200);
            let mut owner = server.browser();
            recover(&server, &mut owner).await;
            server.native().sign_in(ADDRESS, PASSWORD).await.expect(status);
            let id = owner.begin("settings").await;
            let body = json!({"method": "password", "password": "a better password"});
            owner.submit("settings", &id, body).await.expect(303);
            server.native().sign_in(ADDRESS, "a better password").await.expect(200);

            // The address was verified before the next recovery, so the password remains.
            recover(&server, &mut server.browser()).await;
            server.native().sign_in(ADDRESS, "a better password").await.expect(200);
        })
        .await;
    }
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    for (config, status) in [(json!({}), 401), (only_by_hook(), 200)] {
        with_server(config, |server| async move {
            let mut client = server.native();
            client.sign_up(ADDRESS).await.expect(200);
            let mut elsewhere = server.native();
            elsewhere.sign_in(ADDRESS, PASSWORD).await.expect(200);
            let id = client.begin("settings").await;
            let traits = json!({"email": ADDRESS, "name": {"first": "Ada"}});
            client.submit("settings", &id, json!({"method": "profile", "traits": traits})).await.expect(200);
            elsewhere.whoami().await.expect(200);
            let body = json!({"method": "password", "password": "a better password"});
            client.submit("settings", &id, body).await.expect(200);
            client.whoami().await.expect(200);
            elsewhere.whoami().await.expect(status);
        })
        .await;
    }
}

#[tokio::test]
async fn the_first_verification_of_an_address_ends_earlier_sessions() {
    for (config, status) in [(json!({}), 401), (only_by_hook(), 200)] {
        with_server(config, |server| async move {
            let mut attacker = server.native();
            attacker.sign_up(ADDRESS).await.expect(200);
            let mut owner = server.native();
            let id = owner.begin("verification").await;
            owner.submit("verification", &id, json!({"method": "code", "email": ADDRESS})).await.expect(200);
            attacker.whoami().await.expect(200);
            let code = server.code(&id, CodePurpose::Verification).await;
            owner.submit("verification", &id, json!({"method": "code", "code": code})).await.expect(200);
            attacker.whoami().await.expect(status);

            // The second verification has no effect.
            let mut elsewhere = server.native();
            elsewhere.sign_in(ADDRESS, PASSWORD).await.expect(200);
            let id = owner.begin("verification").await;
            owner.submit("verification", &id, json!({"method": "code", "email": ADDRESS})).await.expect(200);
            let code = server.code(&id, CodePurpose::Verification).await;
            owner.submit("verification", &id, json!({"method": "code", "code": code})).await.expect(200);
            elsewhere.whoami().await.expect(200);
        })
        .await;
    }
}

#[tokio::test]
async fn a_first_sign_in_by_code_ends_earlier_sessions() {
    let config = json!({"selfservice": {"methods": {"code": {"passwordless_enabled": true}}}});
    with_server(config, |server| async move {
        let mut attacker = server.native();
        attacker.sign_up(ADDRESS).await.expect(200);
        let mut owner = server.native();
        let id = owner.begin("login").await;
        owner.submit("login", &id, json!({"method": "code", "identifier": ADDRESS})).await.expect(400);
        let code = server.code(&id, CodePurpose::Login).await;
        let body = json!({"method": "code", "identifier": ADDRESS, "code": code});
        let done = owner.submit("login", &id, body).await.expect(200);
        owner.token = done.json["session_token"].as_str().map(str::to_owned);
        owner.whoami().await.expect(200);
        attacker.whoami().await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn the_session_of_a_sign_up_survives_the_verification_in_its_client() {
    let hooks = json!([{"hook": "session"}, {"hook": "show_verification_ui"}]);
    let config = json!({"selfservice": {"flows": {"registration": {"after": {"password": {"hooks": hooks}}}}}});
    with_server(config, |server| async move {
        for (mut client, status) in [(server.native(), 200), (server.spa(), 200)] {
            let address = format!("{}@example.org", client.flow_type());
            let reply = client.sign_up(&address).await.expect(200);
            let mut shown = reply.json["continue_with"].as_array().unwrap().iter();
            let flow = shown.find_map(|item| item["flow"]["id"].as_str()).unwrap().to_owned();
            let code = server.code(&flow, CodePurpose::Verification).await;
            // The app does not send its session with the code.
            let mut submitting = client.clone();
            submitting.token = None;
            submitting.submit("verification", &flow, json!({"method": "code", "code": code})).await.expect(status);
            client.whoami().await.expect(200);
        }
        let mut client = server.browser();
        let sent = client.sign_up("c@example.org").await.expect(303);
        let flow = sent.sent_to("flow");
        let code = server.code(&flow, CodePurpose::Verification).await;
        let mut reader = server.browser();
        reader.get(&format!("/self-service/verification?flow={flow}&code={code}")).await.expect(303);
        reader.submit("verification", &flow, json!({"method": "code", "code": code})).await.expect(303);
        client.whoami().await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn codes_to_a_removed_address_are_rejected() {
    let config = json!({"selfservice": {"methods": {"code": {"passwordless_enabled": true}}}});
    with_server(config, |server| async move {
        let mut owner = server.native();
        owner.sign_up(ADDRESS).await.expect(200);
        let mut reader = server.spa();
        let recovery = reader.begin("recovery").await;
        reader.submit("recovery", &recovery, json!({"method": "code", "email": ADDRESS})).await.expect(200);
        let login = reader.begin("login").await;
        reader.submit("login", &login, json!({"method": "code", "identifier": ADDRESS})).await.expect(400);
        let recovery_code = server.code(&recovery, CodePurpose::Recovery).await;
        let login_code = server.code(&login, CodePurpose::Login).await;

        let id = owner.begin("settings").await;
        let body = json!({"method": "profile", "traits": {"email": "new@example.org"}});
        owner.submit("settings", &id, body).await.expect(200);
        let refused = reader.submit("recovery", &recovery, json!({"method": "code", "code": recovery_code})).await;
        assert_eq!(refused.expect(200).messages(), [4_060_006]);
        let refused = reader.submit("login", &login, json!({"method": "code", "code": login_code})).await;
        assert_eq!(refused.expect(400).messages(), [4_010_008]);
        reader.whoami().await.expect(401);
        owner.whoami().await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn the_event_of_an_ended_session_always_has_the_same_attributes() {
    with_server(json!({}), |server| async move {
        let mut owner = server.native();
        let person: IdentityId =
            serde_json::from_value(owner.sign_up(ADDRESS).await.expect(200).json["identity"]["id"].clone()).unwrap();
        let mut sessions = Vec::new();
        for _ in 0..5 {
            let signed_in = server.native().sign_in(ADDRESS, PASSWORD).await.expect(200);
            sessions.push(serde_json::from_value::<SessionId>(signed_in.json["session"]["id"].clone()).unwrap());
        }
        let cx = server.cx();
        let identity = &server.identity;
        owner.delete(&format!("/sessions/{}", sessions[0]), None).await.expect(204);
        identity.disable_session(&cx, sessions[1]).await.unwrap();
        let managed = |target| identity.manage_sessions(&cx, ManageAction::Disable, target);
        managed(Target::Sessions(vec![sessions[2]])).await.unwrap();
        Sessions::end(&**identity, &cx, sessions[3].as_uuid()).await.unwrap();
        owner.delete("/sessions", None).await.expect(200);
        managed(Target::Everybody).await.unwrap();

        let events = server.whole_events().await;
        let ended: Vec<_> = events.iter().filter(|event| event.name == "SessionRevoked").collect();
        assert_eq!(ended.len(), 6);
        for event in &ended {
            assert_eq!(event.subject, person.to_string());
            let names: Vec<&str> = event.attributes.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(names, ["IdentityID", "SessionID"]);
        }
        for (event, session) in ended.iter().zip(&sessions) {
            assert_eq!(event.attributes["SessionID"], json!(session));
        }
    })
    .await;
}
