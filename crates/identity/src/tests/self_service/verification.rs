use serde_json::json;

use super::{FlowReply as _, PASSWORD, with_server};
use crate::domain::code::CodePurpose;

#[tokio::test]
async fn a_code_verifies_an_address() {
    with_server(json!({}), |server| async move {
        let mut person = server.native();
        person.sign_up("a@example.org").await.expect(200);
        let mut client = person.clone();
        let id = client.begin("verification").await;
        let flow = client.fetch("verification", &id).await.expect(200);
        assert_eq!(flow.nodes(), ["code/email/email/", "code/method/submit/code", "default/csrf_token/hidden/"]);
        let sent =
            client.submit("verification", &id, json!({"method": "code", "email": "A@example.org"})).await.expect(200);
        assert_eq!(sent.messages(), [1_080_003]);
        assert_eq!(
            sent.nodes(),
            [
                "code/method/hidden/code",
                "code/code/text/",
                "code/method/submit/code",
                "default/csrf_token/hidden/",
                "code/email/submit/A@example.org",
            ]
        );
        let wrong = client.submit("verification", &id, json!({"method": "code", "code": "000000"})).await.expect(200);
        assert_eq!(wrong.messages(), [4_070_006]);
        let code = server.code(&id, CodePurpose::Verification).await;
        let passed = client.submit("verification", &id, json!({"method": "code", "code": code})).await.expect(200);
        assert_eq!(passed.json["state"], "passed_challenge");
        assert_eq!(passed.messages(), [1_080_002]);
        assert_eq!(passed.json["ui"]["method"], "GET");
        assert_eq!(passed.json["ui"]["action"], "http://www.example/");
        assert_eq!(passed.json["ui"]["nodes"][0]["attributes"]["id"], "continue");
        let address = &person.whoami().await.json["identity"]["verifiable_addresses"][0];
        assert_eq!(address["verified"], true);
        assert_eq!(address["status"], "completed");
        assert!(address["verified_at"].is_string());

        let again = client.submit("verification", &id, json!({"method": "code", "code": code})).await.expect(410);
        assert_eq!(again.error_id(), "self_service_flow_replaced");
        let new = again.json["use_flow_id"].as_str().unwrap().to_owned();
        assert_eq!(client.fetch("verification", &new).await.messages(), [4_070_002]);
    })
    .await;
}

#[tokio::test]
async fn an_unknown_address_gets_the_same_response() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        let id = client.begin("verification").await;
        let sent = client
            .submit("verification", &id, json!({"method": "code", "email": "nobody@example.org"}))
            .await
            .expect(200);
        assert_eq!(sent.messages(), [1_080_003]);
        assert!(server.mails().await.is_empty());
        let code = server.code(&id, CodePurpose::Verification).await;
        let wrong = client.submit("verification", &id, json!({"method": "code", "code": code})).await.expect(200);
        assert_eq!(wrong.messages(), [4_070_006]);
    })
    .await;
}

#[tokio::test]
async fn unknown_recipients_are_notified_if_configured() {
    let notify = json!({"selfservice": {"flows": {"verification": {"notify_unknown_recipients": true}}}});
    with_server(notify, |server| async move {
        let mut client = server.native();
        let id = client.begin("verification").await;
        client.submit("verification", &id, json!({"method": "code", "email": "nobody@example.org"})).await.expect(200);
        let mails = server.mails().await;
        assert_eq!(mails.len(), 1);
        let code = server.code(&id, CodePurpose::Verification).await;
        assert!(!format!("{:?}", mails[0].content).contains(&code), "a stranger gets no code");
    })
    .await;
}

#[tokio::test]
async fn opening_the_link_does_not_use_the_code() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut client = server.browser();
        let id = client.begin_with("verification", "?return_to=http://www.example/app").await;
        client.submit("verification", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(303);
        let code = server.code(&id, CodePurpose::Verification).await;

        // The mail is opened on another device.
        let mut other = server.browser();
        let path = format!("/self-service/verification?flow={id}&code={code}");
        for _ in 0..2 {
            let shown = other.get(&path).await.expect(303);
            assert_eq!(shown.location(), format!("http://ui.example/verification?flow={id}"));
        }
        let flow = other.fetch("verification", &id).await.expect(200);
        assert_eq!(flow.node("code")["attributes"]["value"], code);
        assert_eq!(flow.json["state"], "sent_email");
        let passed = other.submit("verification", &id, json!({"method": "code", "code": code})).await.expect(303);
        assert_eq!(passed.location(), format!("http://ui.example/verification?flow={id}"));
        let flow = other.fetch("verification", &id).await.expect(200);
        assert_eq!(flow.json["ui"]["action"], "http://www.example/app");
    })
    .await;
}

#[tokio::test]
async fn opening_the_link_does_not_reveal_the_code_to_another_browser() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut stranger = server.native();
        let id = stranger.begin("verification").await;
        stranger.submit("verification", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(200);
        let code = server.code(&id, CodePurpose::Verification).await;
        let mut reader = server.browser();
        reader.get(&format!("/self-service/verification?flow={id}&code={code}")).await.expect(303);
        assert_eq!(
            stranger.fetch("verification", &id).await.expect(200).node("code")["attributes"]["value"],
            json!(null)
        );
    })
    .await;
}

#[tokio::test]
async fn an_address_that_cannot_be_verified_is_reported() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        let id = client.begin("verification").await;
        assert_eq!(client.submit("verification", &id, json!({})).await.expect(400).messages(), [4_010_006]);
        let reply =
            client.submit("verification", &id, json!({"method": "code", "email": "+15550100"})).await.expect(400);
        assert_eq!(reply.node_messages("email"), [4_000_040]);
        server.advance(3601);
        let gone =
            client.submit("verification", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(303);
        assert_eq!(client.get(gone.location()).await.expect(200).messages(), [4_070_005]);
    })
    .await;
}

/// A sign-up and a login that require the verification of the address, started with `return_to`.
#[tokio::test]
async fn a_verification_keeps_the_return_url_of_the_flow_before_it() {
    let config = json!({"selfservice": {"flows": {
        "registration": {"after": {"password": {"hooks": [{"hook": "show_verification_ui"}]}}},
        "login": {"after": {"password": {"hooks": [{"hook": "require_verified_address"}]}}},
    }}});
    with_server(config, |server| async move {
        for (query, expected) in [
            ("?return_to=http://www.example/app/x", "http://www.example/app/x"),
            (
                "?return_to=http://www.example/app/x&after_verification_return_to=http://www.example/app/y",
                "http://www.example/app/y",
            ),
            ("", "http://www.example/"),
        ] {
            let email = format!("a{}@example.org", query.len());
            let mut client = server.browser();
            let id = client.begin_with("registration", query).await;
            let body = json!({"method": "password", "password": PASSWORD, "traits.email": email});
            let sent = client.submit("registration", &id, body).await.expect(303);
            let registered = sent.sent_to("flow");

            // Another person: the code of the second flow would supersede that of the first.
            let email = format!("b{}@example.org", query.len());
            server.native().sign_up(&email).await.expect(200);
            let mut other = server.browser();
            let id = other.begin_with("login", query).await;
            let body = json!({"method": "password", "identifier": email, "password": PASSWORD});
            let stopped = other.submit("login", &id, body).await.expect(303).sent_to("flow");

            for (mut client, flow) in [(client, registered), (other, stopped)] {
                let code = server.code(&flow, CodePurpose::Verification).await;
                client.submit("verification", &flow, json!({"method": "code", "code": code})).await.expect(303);
                let passed = client.fetch("verification", &flow).await.expect(200);
                assert_eq!(passed.json["ui"]["action"], expected);
            }
        }
    })
    .await;
}
