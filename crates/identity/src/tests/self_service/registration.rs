use serde_json::json;

use super::{FlowReply as _, PASSWORD, with_server};
use crate::components::courier::Template;
use crate::domain::code::CodePurpose;

#[tokio::test]
async fn a_native_client_signs_up_signs_in_and_reads_its_session() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        let id = client.begin("registration").await;
        let flow = client.fetch("registration", &id).await.expect(200);
        assert_eq!(
            flow.nodes(),
            [
                "default/csrf_token/hidden/",
                "default/traits.email/email/",
                "password/password/password/",
                "default/traits.name.first/text/",
                "default/traits.name.last/text/",
                "password/method/submit/password",
            ]
        );
        assert_eq!(flow.json["type"], "api");
        assert_eq!(flow.json["ui"]["action"], format!("http://id.example:4433/self-service/registration?flow={id}"));

        let body = json!({"method": "password", "password": PASSWORD, "traits": {"email": "Ada@Example.org", "name": {"first": "Ada"}}});
        let done = client.submit("registration", &id, body).await.expect(200);
        assert!(done.json["session_token"].as_str().unwrap().starts_with("ory_st_"));
        assert_eq!(done.json["identity"]["traits"]["email"], "Ada@Example.org");
        assert_eq!(done.json["identity"]["verifiable_addresses"][0]["value"], "ada@example.org");
        assert_eq!(done.json["identity"]["verifiable_addresses"][0]["status"], "sent");
        assert!(done.json["identity"].get("metadata_admin").is_none());
        assert_eq!(done.continue_with(), ["set_ory_session_token"]);

        let mut other = server.native();
        let signed_in = other.sign_in("ADA@example.org", PASSWORD).await.expect(200);
        assert_eq!(signed_in.json["session"]["identity"]["id"], done.json["identity"]["id"]);
        assert_eq!(signed_in.json["session"]["authentication_methods"][0]["method"], "password");
        let me = other.whoami().await.expect(200);
        assert_eq!(me.json["active"], true);
        assert_eq!(me.json["authenticator_assurance_level"], "aal1");
        assert_eq!(me.json["devices"][0]["ip_address"], "192.0.2.1");
        assert_eq!(me.headers["x-kratos-authenticated-identity-id"], done.json["identity"]["id"].as_str().unwrap());

        let mails = server.mails().await;
        assert_eq!(mails.len(), 1, "the address is to be verified");
        assert_eq!(mails[0].recipient, "ada@example.org");
        let events = server.events().await;
        for name in ["IdentityCreated", "SessionIssued", "RegistrationSucceeded", "LoginSucceeded"] {
            assert!(events.iter().any(|event| event == name), "{name} in {events:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_single_page_application_gets_cookies_and_never_a_token() {
    with_server(json!({}), |server| async move {
        let mut client = server.spa();
        let done = client.sign_up("a@example.org").await.expect(200);
        assert!(done.json.get("session_token").is_none());
        assert_eq!(done.continue_with(), ["redirect_browser_to"]);
        assert!(client.http.cookie("ory_kratos_session").is_some());
        assert!(!client.http.cookie("ory_kratos_session").unwrap().contains("ory_st_"), "the token is sealed");
        client.whoami().await.expect(200);
        let again = client.get("/self-service/registration/browser").await.expect(400);
        assert_eq!(again.error_id(), "session_already_available");
    })
    .await;
}

#[tokio::test]
async fn a_browser_is_redirected() {
    with_server(json!({}), |server| async move {
        let mut client = server.browser();
        let begun =
            client.get("/self-service/registration/browser?return_to=http://www.example/app/x").await.expect(303);
        assert!(begun.location().starts_with("http://ui.example/registration?flow="));
        let id = begun.sent_to("flow");
        let refused = client
            .submit(
                "registration",
                &id,
                json!({"method": "password", "password": "short", "traits.email": "a@example.org"}),
            )
            .await
            .expect(303);
        assert_eq!(refused.sent_to("flow"), id);
        let flow = client.fetch("registration", &id).await;
        assert_eq!(flow.node_messages("password"), [4_000_032]);
        assert_eq!(flow.node("traits.email")["attributes"]["value"], "a@example.org");
        let done = client
            .submit(
                "registration",
                &id,
                json!({"method": "password", "password": PASSWORD, "traits.email": "a@example.org"}),
            )
            .await
            .expect(303);
        assert_eq!(done.location(), "http://www.example/app/x");
        client.whoami().await.expect(200);
        assert_eq!(
            client.get("/self-service/registration/browser").await.expect(303).location(),
            "http://www.example/"
        );
    })
    .await;
}

#[tokio::test]
async fn errors_are_reported_at_their_node() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        let id = client.begin("registration").await;
        let reply = client
            .submit("registration", &id, json!({"method": "password", "password": PASSWORD, "traits": {}}))
            .await
            .expect(400);
        assert_eq!(reply.node_messages("traits.email"), [4_000_002]);
        let reply = client
            .submit("registration", &id, json!({"method": "password", "password": PASSWORD, "traits": {"email": "x"}}))
            .await
            .expect(400);
        assert!(reply.node_messages("traits.email").contains(&4_000_040), "{}", reply.json);
        let reply = client
            .submit("registration", &id, json!({"method": "password", "traits": {"email": "a@example.org"}}))
            .await
            .expect(400);
        assert_eq!(reply.node_messages("password"), [4_000_002]);
        let reply = client
            .submit(
                "registration",
                &id,
                json!({"method": "password", "password": "a@example.org", "traits": {"email": "a@example.org"}}),
            )
            .await
            .expect(400);
        assert_eq!(reply.node_messages("password"), [4_000_031]);
        let reply = client.submit("registration", &id, json!({"traits": {}})).await.expect(400);
        assert_eq!(reply.messages(), [4_010_003]);
        client.submit("registration", &id, json!({"method": "oidc", "provider": "x"})).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_taken_identifier_is_refused() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let reply = server.native().sign_up("A@example.org").await.expect(400);
        assert_eq!(reply.messages(), [4_000_007]);
    })
    .await;
}

#[tokio::test]
async fn a_two_step_registration_asks_for_the_traits_first() {
    let style = json!({"selfservice": {"flows": {"registration": {"style": "profile_first"}}}});
    with_server(style, |server| async move {
        let mut client = server.spa();
        let id = client.begin("registration").await;
        let first = client.fetch("registration", &id).await;
        assert_eq!(first.nodes().last().unwrap(), "profile/method/submit/profile");
        assert_eq!(first.node("password"), &serde_json::Value::Null);

        let wrong = client.submit("registration", &id, json!({"method": "profile", "traits": {}})).await.expect(400);
        assert_eq!(wrong.node_messages("traits.email"), [4_000_002]);

        let traits = json!({"email": "a@example.org", "name": {"first": "Ada"}});
        let second =
            client.submit("registration", &id, json!({"method": "profile", "traits": traits})).await.expect(400);
        assert_eq!(second.messages(), [1_040_009]);
        assert_eq!(
            second.nodes(),
            [
                "default/csrf_token/hidden/",
                "default/traits.email/hidden/a@example.org",
                "password/password/password/",
                "default/traits.name.first/hidden/Ada",
                "default/traits.name.last/hidden/",
                "password/method/submit/password",
                "profile/screen/submit/previous",
            ]
        );
        let back =
            client.submit("registration", &id, json!({"screen": "previous", "traits": traits})).await.expect(400);
        assert_eq!(back.node("traits.email")["attributes"]["type"], "email");
        assert_eq!(back.node("traits.email")["attributes"]["value"], "a@example.org");

        client.submit("registration", &id, json!({"method": "profile", "traits": traits})).await.expect(400);
        client
            .submit("registration", &id, json!({"method": "password", "password": PASSWORD, "traits": traits}))
            .await
            .expect(200);
        client.whoami().await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn without_the_session_hook_a_registration_does_not_sign_in() {
    let hooks = json!({"selfservice": {"flows": {"registration": {"after": {"password": {"hooks": [{"hook": "show_verification_ui"}]}}}}}});
    with_server(hooks, |server| async move {
        let mut client = server.native();
        let done = client.sign_up("a@example.org").await.expect(200);
        assert!(done.json.get("session").is_none() && done.json.get("session_token").is_none());
        assert_eq!(done.continue_with(), ["show_verification_ui"]);
        let flow = done.json["continue_with"][0]["flow"]["id"].as_str().unwrap().to_owned();
        assert_eq!(done.json["continue_with"][0]["flow"]["verifiable_address"], "a@example.org");
        assert!(done.json["continue_with"][0]["flow"].get("url").is_none());
        let code = server.code(&flow, CodePurpose::Verification).await;
        let passed = client.submit("verification", &flow, json!({"method": "code", "code": code})).await.expect(200);
        assert_eq!(passed.json["state"], "passed_challenge");
        assert_eq!(passed.messages(), [1_080_002]);

        let mut browser = server.browser();
        let id = browser.begin("registration").await;
        let done = browser
            .submit(
                "registration",
                &id,
                json!({"method": "password", "password": PASSWORD, "traits.email": "b@example.org"}),
            )
            .await
            .expect(303);
        assert!(done.location().starts_with("http://ui.example/verification?flow="), "{}", done.location());
        let flow = done.sent_to("flow");
        assert_eq!(browser.fetch("verification", &flow).await.expect(200).json["state"], "sent_email");
    })
    .await;
}

#[tokio::test]
async fn a_code_signs_up_without_a_password() {
    let config = json!({"selfservice": {
        "methods": {"code": {"passwordless_enabled": true}},
        "flows": {"registration": {"after": {"code": {"hooks": [{"hook": "session"}]}}}},
    }});
    with_server(config, |server| async move {
        let mut client = server.native();
        let id = client.begin("registration").await;
        let traits = json!({"email": "a@example.org"});
        let sent = client.submit("registration", &id, json!({"method": "code", "traits": traits})).await.expect(400);
        assert_eq!(sent.json["state"], "sent_email");
        assert_eq!(sent.messages(), [1_040_005]);
        let wrong = client
            .submit("registration", &id, json!({"method": "code", "code": "000000", "traits": traits}))
            .await
            .expect(400);
        assert_eq!(wrong.messages(), [4_040_003]);
        let code = server.code(&id, CodePurpose::Registration).await;
        let changed = client
            .submit("registration", &id, json!({"method": "code", "code": code, "traits": {"email": "b@example.org"}}))
            .await
            .expect(400);
        assert_eq!(changed.messages(), [4_000_036]);
        let done = client
            .submit("registration", &id, json!({"method": "code", "code": code, "traits": traits}))
            .await
            .expect(200);
        assert_eq!(done.json["identity"]["verifiable_addresses"][0]["verified"], true);
        assert!(done.json["session_token"].is_string());
    })
    .await;
}

#[tokio::test]
async fn a_disabled_registration_is_reported() {
    with_server(json!({"selfservice": {"flows": {"registration": {"enabled": false}}}}), |server| async move {
        for kind in ["api", "browser"] {
            let reply = server.native().get(&format!("/self-service/registration/{kind}")).await.expect(400);
            assert_eq!(reply.error_id(), "self_service_flow_disabled");
        }
        let shown = server.browser().get("/self-service/registration/browser").await.expect(303);
        assert!(shown.location().starts_with("http://ui.example/error?id="));
        let id = shown.sent_to("id");
        let error = server.native().get(&format!("/self-service/errors?id={id}")).await.expect(200);
        assert_eq!(error.json["error"]["id"], "self_service_flow_disabled");
    })
    .await;
}

#[tokio::test]
async fn an_expired_flow_is_replaced() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        let id = client.begin("registration").await;
        server.advance(3601);
        let gone = client.fetch("registration", &id).await.expect(410);
        assert_eq!(gone.error_id(), "self_service_flow_expired");
        let gone = client.submit("registration", &id, json!({"method": "password"})).await.expect(410);
        let new = gone.json["use_flow_id"].as_str().unwrap().to_owned();
        assert_eq!(client.fetch("registration", &new).await.expect(200).messages(), [4_040_001]);
    })
    .await;
}

#[tokio::test]
async fn hidden_accounts_make_a_known_address_look_like_a_new_one() {
    let config = json!({
        "security": {"account_enumeration": {"mitigate": true}},
        "selfservice": {"flows": {"registration": {"after": {"password": {"hooks": [{"hook": "show_verification_ui"}]}}}}},
    });
    with_server(config, |server| async move {
        let first = server.native().sign_up("a@example.org").await.expect(200);
        let second = server.native().sign_up("a@example.org").await.expect(200);
        let shape = |reply: &super::Reply| {
            let mut json = reply.json.clone();
            for pointer in [
                "/identity/id",
                "/identity/verifiable_addresses/0/id",
                "/identity/recovery_addresses/0/id",
                "/continue_with/0/flow/id",
            ] {
                *json.pointer_mut(pointer).unwrap() = json!("?");
            }
            json
        };
        assert_eq!(shape(&first), shape(&second));
        let flow = second.json["continue_with"][0]["flow"]["id"].as_str().unwrap().to_owned();
        let code = server.code(&flow, CodePurpose::Verification).await;
        let mut client = server.native();
        let wrong = client.submit("verification", &flow, json!({"method": "code", "code": code})).await.expect(200);
        assert_eq!(wrong.messages(), [4_070_006], "the placeholder code is rejected");
        let mails = server.mails().await;
        let notices: Vec<_> = mails.iter().filter(|mail| mail.template_type == Template::RegistrationTaken).collect();
        assert_eq!((mails.len(), notices.len()), (2, 1), "the owner is notified");
    })
    .await;
}

#[tokio::test]
async fn hints_show_how_the_owner_signs_in_if_configured() {
    with_server(json!({"selfservice": {"flows": {"registration": {"login_hints": true}}}}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let reply = server.native().sign_up("a@example.org").await.expect(400);
        assert_eq!(reply.messages(), [4_000_028]);
        let context = &reply.json["ui"]["messages"][0]["context"];
        assert_eq!(context["available_credential_types"], json!(["password"]));
        assert_eq!(context["credential_identifier_hint"], "a@example.org");
    })
    .await;
}

#[tokio::test]
async fn a_transient_payload_reaches_every_message_of_its_request() {
    let config = json!({"selfservice": {
        "methods": {"code": {"passwordless_enabled": true}},
        "flows": {"login": {"after": {"password": {"hooks": [{"hook": "require_verified_address"}]}}}},
    }});
    with_server(config, |server| async move {
        let payload = json!({"campaign": "spring"});
        let mut client = server.native();
        let id = client.begin("registration").await;
        let body = json!({
            "method": "password", "password": PASSWORD, "traits": {"email": "a@example.org"},
            "transient_payload": payload,
        });
        client.submit("registration", &id, body).await.expect(200);

        let mut browser = server.browser();
        let id = browser.begin("login").await;
        let body = json!({"method": "code", "identifier": "a@example.org", "transient_payload": payload.to_string()});
        browser.submit("login", &id, body).await.expect(303);

        let mut stopped = server.browser();
        let id = stopped.begin("login").await;
        let body = json!({
            "method": "password", "identifier": "a@example.org", "password": PASSWORD,
            "transient_payload": payload.to_string(),
        });
        stopped.submit("login", &id, body).await.expect(303);

        let mails = server.mails().await;
        let count = |template| mails.iter().filter(|mail| mail.template_type == template).count();
        assert_eq!((count(Template::VerificationCodeValid), count(Template::LoginCodeValid)), (2, 1));
        for mail in &mails {
            assert_eq!(mail.content.template_data["transient_payload"], payload, "{:?}", mail.template_type);
        }
    })
    .await;
}
