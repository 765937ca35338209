use serde_json::json;

use super::{FlowReply as _, with_server};
use crate::domain::code::CodePurpose;

#[tokio::test]
async fn a_known_and_an_unknown_address_get_the_same_response() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let before = server.mails().await.len();
        let mut answers = Vec::new();
        for address in ["a@example.org", "b@example.org"] {
            let mut client = server.native();
            let id = client.begin("recovery").await;
            let flow = client.fetch("recovery", &id).await;
            assert_eq!(flow.nodes(), ["default/csrf_token/hidden/", "code/email/email/", "code/method/submit/code"]);
            let sent = client.submit("recovery", &id, json!({"method": "code", "email": address})).await.expect(200);
            assert_eq!(sent.json["state"], "sent_email");
            assert_eq!(sent.messages(), [1_060_003]);
            let nodes = sent.nodes().join(" ").replace(address, "");
            let wrong = client.submit("recovery", &id, json!({"method": "code", "code": "000000"})).await.expect(200);
            assert_eq!(wrong.messages(), [4_060_006]);
            answers.push((nodes, wrong.nodes().join(" ").replace(address, "")));
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0].0, "default/csrf_token/hidden/ code/code/text/ code/method/hidden/code code/method/submit/code code/email/submit/");
        assert_eq!(server.mails().await.len(), before + 1, "only the known address gets mail");
    })
    .await;
}

#[tokio::test]
async fn the_right_code_of_an_unknown_address_is_rejected() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        let id = client.begin("recovery").await;
        client.submit("recovery", &id, json!({"method": "code", "email": "b@example.org"})).await.expect(200);
        let code = server.code(&id, CodePurpose::Recovery).await;
        let wrong = client.submit("recovery", &id, json!({"method": "code", "code": code})).await.expect(200);
        assert_eq!(wrong.messages(), [4_060_006]);
    })
    .await;
}

#[tokio::test]
async fn a_browser_recovers_and_sets_a_new_password() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut client = server.browser();
        let id = client.begin_with("recovery", "?return_to=http://www.example/app").await;
        let sent =
            client.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(303);
        assert_eq!(sent.location(), format!("http://ui.example/recovery?flow={id}"));
        let code = server.code(&id, CodePurpose::Recovery).await;
        let passed = client.submit("recovery", &id, json!({"method": "code", "code": code})).await.expect(303);
        assert!(passed.location().starts_with("http://ui.example/settings?flow="));
        let settings = passed.sent_to("flow");
        let flow = client.fetch("settings", &settings).await.expect(200);
        assert_eq!(flow.messages(), [1_060_001]);
        assert_eq!(
            flow.json["identity"]["verifiable_addresses"][0]["verified"], true,
            "the code proves ownership of the address"
        );
        let me = client.whoami().await.expect(200);
        assert_eq!(me.json["authentication_methods"][0]["method"], "code_recovery");
        let done = client
            .submit("settings", &settings, json!({"method": "password", "password": "a better password"}))
            .await
            .expect(303);
        assert_eq!(done.location(), "http://www.example/app");
        server.native().sign_in("a@example.org", "a better password").await.expect(200);
        assert!(server.events().await.iter().any(|event| event == "RecoverySucceeded"));
    })
    .await;
}

#[tokio::test]
async fn programs_receive_their_next_url() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut client = server.spa();
        let id = client.begin("recovery").await;
        client.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(200);
        let code = server.code(&id, CodePurpose::Recovery).await;
        let passed = client.submit("recovery", &id, json!({"method": "code", "code": code})).await.expect(422);
        assert_eq!(passed.error_id(), "browser_location_change_required");
        assert!(passed.json["redirect_browser_to"].as_str().unwrap().starts_with("http://ui.example/settings?flow="));
        client.whoami().await.expect(200);
        assert_eq!(
            client.get("/self-service/recovery/browser").await.expect(400).error_id(),
            "session_already_available"
        );
    })
    .await;
}

#[tokio::test]
async fn a_native_client_receives_its_token_if_transitions_are_enabled() {
    with_server(json!({"feature_flags": {"use_continue_with_transitions": true}}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut client = server.native();
        let id = client.begin("recovery").await;
        client.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(200);
        let code = server.code(&id, CodePurpose::Recovery).await;
        let passed = client.submit("recovery", &id, json!({"method": "code", "code": code})).await.expect(200);
        assert_eq!(passed.continue_with(), ["set_ory_session_token", "show_settings_ui"]);
        client.token = passed.json["continue_with"][0]["ory_session_token"].as_str().map(str::to_owned);
        let settings = passed.json["continue_with"][1]["flow"]["id"].as_str().unwrap().to_owned();
        assert_eq!(client.fetch("settings", &settings).await.expect(200).messages(), [1_060_001]);

        let mut late = server.native();
        let again = late.submit("recovery", &id, json!({"method": "code", "code": code})).await.expect(410);
        assert_eq!(again.error_id(), "self_service_flow_expired");
    })
    .await;
}

#[tokio::test]
async fn guesses_are_limited() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut client = server.native();
        let id = client.begin("recovery").await;
        client.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(200);
        for _ in 0..5 {
            client.submit("recovery", &id, json!({"method": "code", "code": "000000"})).await.expect(200);
        }
        let code = server.code(&id, CodePurpose::Recovery).await;
        let late = client.submit("recovery", &id, json!({"method": "code", "code": code})).await.expect(400);
        assert_eq!(late.messages(), [4_000_001]);
    })
    .await;
}

#[tokio::test]
async fn a_completed_recovery_is_replaced_by_a_new_one() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut client = server.native();
        let id = client.begin("recovery").await;
        client.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(200);
        let code = server.code(&id, CodePurpose::Recovery).await;
        client.submit("recovery", &id, json!({"method": "code", "code": code})).await.expect(200);
        let again = client.submit("recovery", &id, json!({"method": "code", "code": code})).await.expect(303);
        assert!(again.location().starts_with("http://id.example:4433/self-service/recovery/flows?id="));
        assert_eq!(client.get(again.location()).await.expect(200).messages(), [4_060_001]);
    })
    .await;
}

#[tokio::test]
async fn invalid_input_is_reported_in_the_form() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        let id = client.begin("recovery").await;
        assert_eq!(client.submit("recovery", &id, json!({})).await.expect(400).messages(), [4_010_005]);
        assert_eq!(
            client.submit("recovery", &id, json!({"method": "code"})).await.expect(400).node_messages("email"),
            [4_000_002]
        );
        assert_eq!(
            client
                .submit("recovery", &id, json!({"method": "code", "email": "x"}))
                .await
                .expect(400)
                .node_messages("email"),
            [4_000_040]
        );
        client.submit("recovery", &id, json!({"method": "link", "email": "a@example.org"})).await.expect(404);
        server.advance(3601);
        let gone =
            client.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(303);
        assert_eq!(client.get(gone.location()).await.messages(), [4_060_005]);
    })
    .await;
}

#[tokio::test]
async fn mails_to_a_recipient_are_limited_without_a_visible_difference() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        for _ in 0..12 {
            let mut client = server.native();
            let id = client.begin("recovery").await;
            client.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(200);
        }
        assert_eq!(server.mails().await.len(), 10);
    })
    .await;
}
