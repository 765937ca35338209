use serde_json::json;

use super::{FlowReply as _, PASSWORD, with_server};
use crate::domain::code::CodePurpose;

#[tokio::test]
async fn the_form_asks_for_identifier_and_password() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        let id = client.begin("login").await;
        let flow = client.fetch("login", &id).await;
        assert_eq!(
            flow.nodes(),
            [
                "default/csrf_token/hidden/",
                "default/identifier/text/",
                "password/password/password/",
                "password/method/submit/password",
            ]
        );
        assert_eq!(flow.node("identifier")["meta"]["label"]["id"], 1_070_002);
        assert_eq!(flow.node("method")["meta"]["label"]["id"], 1_010_022);
        assert_eq!(flow.json["requested_aal"], "aal1");
        assert_eq!(flow.json["refresh"], false);
        assert_eq!(flow.json["state"], "choose_method");
    })
    .await;
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_response() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let known = server.native().sign_in("a@example.org", "not the password").await.expect(400);
        let unknown = server.native().sign_in("b@example.org", "not the password").await.expect(400);
        assert_eq!(known.messages(), [4_000_006]);
        assert_eq!(unknown.messages(), [4_000_006]);
        assert_eq!(known.nodes().len(), unknown.nodes().len());
        assert!(known.node("password")["attributes"].get("value").is_none());
    })
    .await;
}

#[tokio::test]
async fn missing_members_are_reported() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        let id = client.begin("login").await;
        let reply = client.submit("login", &id, json!({"method": "password", "password": "x"})).await.expect(400);
        assert_eq!(reply.node_messages("identifier"), [4_000_002]);
        let reply = client.submit("login", &id, json!({"method": "password", "identifier": "x"})).await.expect(400);
        assert_eq!(reply.node_messages("password"), [4_000_002]);
        assert_eq!(reply.node("identifier")["attributes"]["value"], "x");
        let reply = client.submit("login", &id, json!({"method": "nonsense"})).await.expect(400);
        assert_eq!(reply.messages(), [4_010_002]);
        client.submit("login", &id, json!({"method": "totp", "totp_code": "1"})).await.expect(404);
        client.submit("login", "not-a-flow", json!({})).await.expect(400);
        client.submit("login", "00000000-0000-4000-8000-000000000000", json!({})).await.expect(404);
        client.fetch("login", "nonsense").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_browser_is_redirected_to_return_to() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut client = server.browser();
        let id = client.begin_with("login", "?return_to=http%3A%2F%2Fwww.example%2Fapp%2Fdeep").await;
        let done = client
            .submit("login", &id, json!({"method": "password", "identifier": "a@example.org", "password": PASSWORD}))
            .await
            .expect(303);
        assert_eq!(done.location(), "http://www.example/app/deep");
        client.whoami().await.expect(200);
        let again = client.get("/self-service/login/browser").await.expect(303);
        assert_eq!(again.location(), "http://www.example/");
    })
    .await;
}

#[tokio::test]
async fn a_foreign_return_address_is_refused() {
    with_server(json!({}), |server| async move {
        for (kind, target) in [
            ("api", "http://evil.example/"),
            ("browser", "http://www.example.evil.example/app"),
            ("api", "http://www.example/apples"),
        ] {
            let reply =
                server.native().get(&format!("/self-service/login/{kind}?return_to={target}")).await.expect(400);
            assert_eq!(reply.error_id(), "self_service_flow_return_to_forbidden");
        }
    })
    .await;
}

#[tokio::test]
async fn a_single_page_application_receives_its_next_url() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut client = server.spa();
        let done = client.sign_in("a@example.org", PASSWORD).await.expect(200);
        assert!(done.json.get("session_token").is_none());
        assert_eq!(done.json["continue_with"][0]["redirect_browser_to"], "http://www.example/");
        let again = client.get("/self-service/login/browser").await.expect(400);
        assert_eq!(again.error_id(), "session_already_available");
    })
    .await;
}

#[tokio::test]
async fn forged_and_mismatched_requests_are_rejected() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut victim = server.spa();
        let id = victim.begin("login").await;
        let body = json!({"method": "password", "identifier": "a@example.org", "password": PASSWORD});

        // Another browser cannot read it, even with a token of its own flow.
        let mut other = server.spa();
        let own = other.begin("login").await;
        let token = other.csrf_token("login", &own).await;
        assert_eq!(other.fetch("login", &id).await.expect(403).error_id(), "security_csrf_violation");
        let mut with_token = body.clone();
        with_token["csrf_token"] = json!(token);
        assert_eq!(
            other.submit("login", &id, with_token.clone()).await.expect(403).error_id(),
            "security_csrf_violation"
        );
        // A token of one flow is invalid in another flow of the same browser.
        let second = other.begin("login").await;
        other.submit("login", &second, with_token).await.expect(403);
        // Without cookies.
        let mut bare = server.spa();
        let mut empty = body.clone();
        empty["csrf_token"] = json!("");
        bare.submit("login", &id, empty).await.expect(403);

        // A native client must not send cookies.
        let mut native = server.native();
        let id = native.begin("login").await;
        native.http.set_cookie("something", "x");
        let reply = native.submit("login", &id, body).await.expect(400);
        assert_eq!(reply.json["error"]["details"]["found cookies"], json!(["something"]));
    })
    .await;
}

#[tokio::test]
async fn a_refresh_keeps_the_session_and_its_token() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let before = client.whoami().await.json;
        server.advance(60);
        let id = client.begin_with("login", "?refresh=true").await;
        let flow = client.fetch("login", &id).await;
        assert_eq!(flow.messages(), [1_010_003]);
        assert_eq!(flow.node("identifier")["attributes"]["type"], "hidden");
        assert_eq!(flow.node("method")["meta"]["label"]["id"], 1_010_001);
        let token = client.token.clone().unwrap();
        let done = client
            .submit("login", &id, json!({"method": "password", "identifier": "a@example.org", "password": PASSWORD}))
            .await
            .expect(200);
        assert_eq!(done.json["session_token"], token);
        assert_eq!(done.json["session"]["id"], before["id"]);
        let after = client.whoami().await.json;
        assert_ne!(after["authenticated_at"], before["authenticated_at"]);
        assert_eq!(after["authentication_methods"].as_array().unwrap().len(), 2);
        assert_eq!(after["authenticator_assurance_level"], "aal1", "two passwords are one factor");
    })
    .await;
}

#[tokio::test]
async fn a_second_factor_needs_a_first() {
    with_server(json!({}), |server| async move {
        let reply = server.native().get("/self-service/login/api?aal=aal2").await.expect(401);
        assert_eq!(reply.error_id(), "session_aal1_required");
        server.native().get("/self-service/login/api?aal=aal7").await.expect(400);
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let id = client.begin_with("login", "?aal=AAL2").await;
        assert_eq!(client.fetch("login", &id).await.messages(), [1_010_004]);
        let reply = client
            .submit("login", &id, json!({"method": "password", "identifier": "a@example.org", "password": PASSWORD}))
            .await
            .expect(400);
        assert_eq!(reply.messages(), [4_010_002], "a password is no second factor");
    })
    .await;
}

#[tokio::test]
async fn guesses_are_limited_for_known_and_unknown_names() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        for name in ["a@example.org", "nobody@example.org"] {
            for _ in 0..10 {
                server.native().sign_in(name, "wrong password").await.expect(400);
            }
            let stopped = server.native().sign_in(name, "wrong password").await.expect(429);
            assert!(stopped.headers.contains_key("retry-after"));
            assert_eq!(stopped.messages(), [4_000_001]);
        }
        server.native().sign_in("a@example.org", PASSWORD).await.expect(429);
        server.advance(601);
        server.native().sign_in("a@example.org", PASSWORD).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn successful_sign_ins_do_not_count_against_the_limit() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        for _ in 0..15 {
            server.native().sign_in("a@example.org", PASSWORD).await.expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn an_identifier_comes_first_if_configured() {
    let style = json!({
        "security": {"account_enumeration": {"mitigate": false}},
        "selfservice": {"flows": {"login": {"style": "identifier_first"}}},
    });
    with_server(style, |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut client = server.native();
        let id = client.begin("login").await;
        assert_eq!(
            client.fetch("login", &id).await.nodes(),
            [
                "identifier_first/identifier/text/",
                "identifier_first/method/submit/identifier_first",
                "default/csrf_token/hidden/"
            ]
        );
        let unknown = client
            .submit("login", &id, json!({"method": "identifier_first", "identifier": "b@example.org"}))
            .await
            .expect(400);
        assert_eq!(unknown.node_messages("identifier"), [4_000_037]);
        let known = client
            .submit("login", &id, json!({"method": "identifier_first", "identifier": "a@example.org"}))
            .await
            .expect(400);
        assert_eq!(known.json["active"], "identifier_first");
        assert_eq!(known.node("identifier")["attributes"]["type"], "hidden");
        assert_eq!(known.node("password")["attributes"]["type"], "password");
        client
            .submit("login", &id, json!({"method": "password", "identifier": "a@example.org", "password": PASSWORD}))
            .await
            .expect(200);
    })
    .await;
}

#[tokio::test]
async fn hidden_accounts_make_all_names_look_alike() {
    let hidden = json!({
        "security": {"account_enumeration": {"mitigate": true}},
        "selfservice": {"flows": {"login": {"style": "identifier_first"}}, "methods": {"code": {"passwordless_enabled": true}}},
    });
    with_server(hidden, |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut answers = Vec::new();
        for name in ["a@example.org", "b@example.org"] {
            let mut client = server.native();
            let id = client.begin("login").await;
            let reply = client
                .submit("login", &id, json!({"method": "identifier_first", "identifier": name}))
                .await
                .expect(400);
            let sent = client.submit("login", &id, json!({"method": "code", "identifier": name})).await.expect(400);
            answers.push((
                reply.nodes().join(" ").replace(name, ""),
                reply.messages(),
                sent.nodes().join(" ").replace(name, ""),
                sent.messages(),
            ));
        }
        assert_eq!(answers[0], answers[1]);
    })
    .await;
}

#[tokio::test]
async fn a_code_signs_in() {
    let config = json!({
        "security": {"account_enumeration": {"mitigate": false}},
        "selfservice": {"methods": {"code": {"passwordless_enabled": true}}},
    });
    with_server(config, |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut client = server.native();
        let id = client.begin("login").await;
        let unknown =
            client.submit("login", &id, json!({"method": "code", "identifier": "b@example.org"})).await.expect(400);
        assert_eq!(unknown.messages(), [4_000_035]);
        let sent =
            client.submit("login", &id, json!({"method": "code", "identifier": "A@example.org"})).await.expect(400);
        assert_eq!(sent.json["state"], "sent_email");
        assert_eq!(sent.messages(), [1_010_014]);
        let wrong = client
            .submit("login", &id, json!({"method": "code", "code": "000000", "identifier": "a@example.org"}))
            .await
            .expect(400);
        assert_eq!(wrong.messages(), [4_010_008]);
        let code = server.code(&id, CodePurpose::Login).await;
        let done = client
            .submit("login", &id, json!({"method": "code", "code": code, "identifier": "a@example.org"}))
            .await
            .expect(200);
        assert_eq!(done.json["session"]["authentication_methods"][0]["method"], "code");
        let mut again = server.native();
        let reused = again
            .submit("login", &id, json!({"method": "code", "code": code, "identifier": "a@example.org"}))
            .await
            .expect(400);
        assert_eq!(reused.messages(), [4_010_008], "a code is used once");
    })
    .await;
}

#[tokio::test]
async fn a_code_cannot_be_guessed() {
    let config = json!({"selfservice": {"methods": {"code": {"passwordless_enabled": true}}}});
    with_server(config, |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut client = server.native();
        let id = client.begin("login").await;
        let ask = json!({"method": "code", "identifier": "a@example.org"});
        for _ in 0..2 {
            client.submit("login", &id, ask.clone()).await.expect(400);
            for _ in 0..5 {
                client.submit("login", &id, json!({"method": "code", "code": "000000"})).await.expect(400);
            }
            let late = client.submit("login", &id, json!({"method": "code", "code": "000000"})).await.expect(400);
            assert_eq!(late.messages(), [4_000_001], "five guesses at one code");
        }
        client.submit("login", &id, ask).await.expect(400);
        let first = client.submit("login", &id, json!({"method": "code", "code": "000000"})).await.expect(400);
        assert_eq!(first.messages(), [4_010_008], "the first guess at a code is always checked");
        let code = server.code(&id, CodePurpose::Login).await;
        client.submit("login", &id, json!({"method": "code", "code": code})).await.expect(429);
        server.advance(600);
        client.submit("login", &id, json!({"method": "code", "code": code})).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn an_unverified_address_is_verified_first_if_configured() {
    let hooks =
        json!({"selfservice": {"flows": {"login": {"after": {"hooks": [{"hook": "require_verified_address"}]}}}}});
    with_server(hooks, |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut client = server.native();
        let refused = client.sign_in("a@example.org", PASSWORD).await.expect(403);
        assert_eq!(refused.error_id(), "session_verified_address_required");
        let item = &refused.json["error"]["details"]["continue_with"][0];
        assert_eq!(item["action"], "show_verification_ui");
        let flow = item["flow"]["id"].as_str().unwrap().to_owned();
        let code = server.code(&flow, CodePurpose::Verification).await;
        client.submit("verification", &flow, json!({"method": "code", "code": code})).await.expect(200);
        client.sign_in("a@example.org", PASSWORD).await.expect(200);

        server.native().sign_up("b@example.org").await.expect(200);
        let mut browser = server.browser();
        let sent = browser.sign_in("b@example.org", PASSWORD).await.expect(303);
        assert!(sent.location().starts_with("http://ui.example/verification?flow="));
        browser.whoami().await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn an_expired_login_is_replaced() {
    with_server(json!({}), |server| async move {
        let mut native = server.native();
        let id = native.begin("login").await;
        let mut browser = server.browser();
        let other = browser.begin("login").await;
        let token = browser.csrf_token("login", &other).await;
        server.advance(3600);
        let gone = native.submit("login", &id, json!({"method": "password"})).await.expect(410);
        assert_eq!(gone.error_id(), "self_service_flow_expired");
        assert!(gone.json["since"].is_u64() && gone.json["expired_at"].is_string());
        let new = gone.json["use_flow_id"].as_str().unwrap().to_owned();
        assert_eq!(native.fetch("login", &new).await.messages(), [4_010_001]);
        let sent =
            browser.submit("login", &other, json!({"method": "password", "csrf_token": token})).await.expect(303);
        assert_ne!(sent.sent_to("flow"), other);
    })
    .await;
}

#[tokio::test]
async fn a_code_is_a_second_factor_if_configured() {
    let config = json!({"selfservice": {"methods": {"code": {"mfa_enabled": true}}}});
    with_server(config, |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let needed = client.whoami().await.expect(403);
        assert_eq!(needed.error_id(), "session_aal2_required");
        assert_eq!(needed.json["redirect_browser_to"], "http://id.example:4433/self-service/login/browser?aal=aal2");
        // There is only one address, so the code is sent at once.
        let id = client.begin_with("login", "?aal=aal2").await;
        let flow = client.fetch("login", &id).await.expect(200);
        assert_eq!(flow.json["state"], "sent_email");
        assert!(flow.messages().contains(&1_010_025));
        let stranger = json!({"method": "code", "address": "b@example.org"});
        assert_eq!(client.submit("login", &id, stranger).await.expect(400).messages(), [4_010_010]);
        let code = server.code(&id, CodePurpose::Login).await;
        let done = client.submit("login", &id, json!({"method": "code", "code": code})).await.expect(200);
        assert_eq!(done.json["session"]["authenticator_assurance_level"], "aal2");
        assert_eq!(client.whoami().await.expect(200).json["authentication_methods"].as_array().unwrap().len(), 2);

        // It is not offered as a first factor.
        let mut other = server.native();
        let id = other.begin("login").await;
        other.submit("login", &id, json!({"method": "code", "identifier": "a@example.org"})).await.expect(404);
        // A browser that signs in is redirected to the second step.
        let mut browser = server.browser();
        let sent = browser.sign_in("a@example.org", PASSWORD).await.expect(303);
        assert!(sent.location().starts_with("http://id.example:4433/self-service/login/browser?aal=aal2"));
        let native = server.native().sign_in("a@example.org", PASSWORD).await.expect(200);
        assert!(native.json["session"].get("identity").is_none(), "one factor does not show the identity");
    })
    .await;
}

#[tokio::test]
async fn anonymous_requests_write_no_event() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("ada@example.org").await.expect(200);
        let before = server.events().await;
        server.native().sign_in("nobody@example.org", "not the password").await.expect(400);
        server.native().get("/self-service/login/api").await.expect(200);
        server.native().get("/self-service/registration/api").await.expect(200);
        assert_eq!(server.events().await, before);
    })
    .await;
}

#[tokio::test]
async fn the_events_of_a_form_that_is_rejected_again_and_again_are_bounded() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        client.sign_up("ada@example.org").await.expect(200);
        let id = client.begin("settings").await;
        let before = server.events().await.len();
        for _ in 0..40 {
            client.submit("settings", &id, json!({"method": "password", "password": "short"})).await.expect(400);
        }
        assert_eq!(server.events().await.len(), before + 30);
    })
    .await;
}
