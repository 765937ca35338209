//! Registrations that create an account only when the address is confirmed (`confirm_address_first`).

use serde_json::{Value, json};

use super::{Client, FlowReply as _, PASSWORD, Reply, TestServer, with_server};
use crate::components::courier::Template;
use crate::domain::code::CodePurpose;

/// A configuration that confirms addresses first.
fn confirming() -> Value {
    json!({
        "selfservice": {"flows": {"registration": {"confirm_address_first": true, "after": {"password": {"hooks": []}}}}},
    })
}

/// The parts of a response that do not change each time.
fn shape(reply: &Reply) -> (u16, Vec<String>, Value, String) {
    let mut json = reply.json.clone();
    for pointer in [
        "/identity/id",
        "/identity/verifiable_addresses/0/id",
        "/identity/recovery_addresses/0/id",
        "/continue_with/0/flow/id",
        "/continue_with/0/flow/url",
    ] {
        if let Some(value) = json.pointer_mut(pointer) {
            *value = json!("?");
        }
    }
    let headers = reply.headers.keys().map(ToString::to_string).collect();
    let location = reply.location().split("flow=").next().unwrap_or_default().to_owned();
    (reply.status.as_u16(), headers, json, location)
}

/// The verification flow at the end of a sign-up.
fn awaited(reply: &Reply) -> String {
    match reply.json["continue_with"][0]["flow"]["id"].as_str() {
        Some(id) => id.to_owned(),
        None => reply.sent_to("flow"),
    }
}

async fn confirm(server: &TestServer, client: &mut Client, flow: &str) -> Reply {
    let code = server.code(flow, CodePurpose::Verification).await;
    client.submit("verification", flow, json!({"method": "code", "code": code})).await
}

#[tokio::test]
async fn a_sign_up_creates_an_account_once_its_address_is_confirmed() {
    with_server(confirming(), |server| async move {
        for (mut client, email) in [(server.browser(), "a@example.org"), (server.spa(), "b@example.org")] {
            let reply = client.sign_up(email).await;
            let flow = awaited(&reply);
            client.whoami().await.expect(401);
            let mut early = server.native();
            assert_eq!(early.sign_in(email, PASSWORD).await.expect(400).messages(), [4_000_006], "there is no account");
            confirm(&server, &mut client, &flow).await;
            let session = client.whoami().await.expect(200);
            assert_eq!(session.json["identity"]["verifiable_addresses"][0]["verified"], true);
            assert_eq!(session.json["authentication_methods"][0]["method"], "password");
            server.native().sign_in(email, PASSWORD).await.expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn a_native_sign_up_is_confirmed_and_signs_in_by_itself() {
    with_server(confirming(), |server| async move {
        let mut client = server.native();
        let reply = client.sign_up("a@example.org").await.expect(200);
        assert!(reply.json["session_token"].is_null());
        let id = reply.json["identity"]["id"].clone();
        let passed = confirm(&server, &mut client, &awaited(&reply)).await.expect(200);
        assert_eq!(passed.json["state"], "passed_challenge");
        client.whoami().await.expect(401);
        client.sign_in("a@example.org", PASSWORD).await.expect(200);
        assert_eq!(client.whoami().await.expect(200).json["identity"]["id"], id);
    })
    .await;
}

#[tokio::test]
async fn a_taken_address_looks_like_a_new_one_and_its_owner_is_notified() {
    with_server(confirming(), |server| async move {
        let mut holder = server.spa();
        let reply = holder.sign_up("a@example.org").await.expect(200);
        confirm(&server, &mut holder, &awaited(&reply)).await.expect(200);
        let clients: [fn(&TestServer) -> Client; 3] = [TestServer::browser, TestServer::spa, TestServer::native];
        for (number, client) in clients.into_iter().enumerate() {
            let before = server.identity.database.usage();
            let mut stranger = client(&server);
            let fresh = stranger.sign_up(&format!("fresh{number}@example.org")).await;
            let between = server.identity.database.usage();
            let mut asker = client(&server);
            let taken = asker.sign_up("a@example.org").await;
            let after = server.identity.database.usage();
            let (mut fresh_shape, taken_shape) = (shape(&fresh), shape(&taken));
            let text = fresh_shape.2.to_string().replace(&format!("fresh{number}@"), "a@");
            fresh_shape.2 = serde_json::from_str(&text).unwrap();
            assert_eq!(fresh_shape, taken_shape);
            assert_eq!(between.statements - before.statements, after.statements - between.statements);
            assert_eq!(
                between.write_transactions - before.write_transactions,
                after.write_transactions - between.write_transactions
            );
            let mails = server.mails().await;
            let notices = mails.iter().filter(|mail| mail.template_type == Template::RegistrationTaken);
            assert_eq!(notices.count(), number + 1);
            // The code of the placeholder row is not accepted either.
            let refused = confirm(&server, &mut asker, &awaited(&taken)).await;
            asker.whoami().await.expect(401);
            if client(&server).flow_type() == "api" {
                assert_eq!(refused.expect(200).messages(), [4_070_006]);
            }
            let again = server.native().sign_in("a@example.org", "not the holder's password").await.expect(400);
            assert_eq!(again.messages(), [4_000_006]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_code_for_another_address_creates_no_account() {
    with_server(confirming(), |server| async move {
        let mut victim = server.spa();
        let reply = victim.sign_up("victim@example.org").await.expect(200);
        confirm(&server, &mut victim, &awaited(&reply)).await.expect(200);
        let mut mallory = server.spa();
        let reply = mallory.sign_up("mallory@example.org").await.expect(200);
        let flow = awaited(&reply);
        mallory
            .submit("verification", &flow, json!({"method": "code", "email": "victim@example.org"}))
            .await
            .expect(200);
        // Even with the code from the victim's mailbox, this flow concerns only Mallory.
        confirm(&server, &mut mallory, &flow).await;
        mallory.whoami().await.expect(401);
        assert_eq!(server.native().sign_in("mallory@example.org", PASSWORD).await.expect(400).messages(), [4_000_006]);
        // The registrant's own address can still be confirmed after a new request.
        mallory
            .submit("verification", &flow, json!({"method": "code", "email": "mallory@example.org"}))
            .await
            .expect(200);
        confirm(&server, &mut mallory, &flow).await.expect(200);
        mallory.whoami().await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn of_two_registrants_of_one_address_the_first_to_confirm_gets_it() {
    with_server(confirming(), |server| async move {
        let (mut one, mut other) = (server.spa(), server.spa());
        let first = awaited(&one.sign_up("a@example.org").await.expect(200));
        let second = awaited(&other.sign_up("a@example.org").await.expect(200));
        confirm(&server, &mut other, &second).await.expect(200);
        other.whoami().await.expect(200);
        assert_eq!(confirm(&server, &mut one, &first).await.expect(200).messages(), [4_070_006]);
        one.whoami().await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn confirming_an_address_does_not_sign_in_another_browser() {
    with_server(confirming(), |server| async move {
        let mut client = server.browser();
        let flow = awaited(&client.sign_up("a@example.org").await.expect(303));
        let code = server.code(&flow, CodePurpose::Verification).await;
        let mut elsewhere = server.browser();
        elsewhere.get(&format!("/self-service/verification?flow={flow}&code={code}")).await.expect(303);
        elsewhere.submit("verification", &flow, json!({"method": "code", "code": code})).await;
        elsewhere.whoami().await.expect(401);
        let waiting = client.fetch("verification", &flow).await.expect(200);
        assert_eq!(waiting.node("code")["attributes"]["value"], json!(null), "only the mail contains the code");
        confirm(&server, &mut client, &flow).await.expect(303);
        client.whoami().await.expect(200);
    })
    .await;
}
