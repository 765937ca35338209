//! The form after each step: the details that front ends depend on.

use serde_json::{Value, json};

use super::{Client, FlowReply as _, PASSWORD, Reply, with_server};
use crate::domain::code::CodePurpose;

fn passwordless(more: &Value) -> Value {
    let mut config = json!({
        "security": {"account_enumeration": {"mitigate": false}},
        "selfservice": {"methods": {"code": {"passwordless_enabled": true}}},
    });
    test_client::merge(&mut config, more.clone());
    config
}

#[tokio::test]
async fn a_two_step_sign_up_has_no_active_method_until_a_code_is_sent() {
    let style = passwordless(&json!({"selfservice": {"flows": {"registration": {"style": "profile_first"}}}}));
    with_server(style, |server| async move {
        let mut client = server.spa();
        let id = client.begin("registration").await;
        let traits = json!({"email": "a@example.org"});
        let active = |reply: &Reply| reply.json.get("active").cloned();
        let chosen =
            client.submit("registration", &id, json!({"method": "profile", "traits": traits})).await.expect(400);
        assert_eq!(chosen.messages(), [1_040_009]);
        assert_eq!(active(&chosen), None);
        let refused = client
            .submit("registration", &id, json!({"method": "password", "password": "short", "traits": traits}))
            .await
            .expect(400);
        assert_eq!(refused.node_messages("password"), [4_000_032]);
        assert_eq!(active(&refused), None, "a refused password leaves every method in the form");
        let sent = client.submit("registration", &id, json!({"method": "code", "traits": traits})).await.expect(400);
        assert_eq!(active(&sent), Some(json!("code")));
        let back = json!({"method": "code", "screen": "credential-selection", "traits": traits});
        let chosen = client.submit("registration", &id, back).await.expect(400);
        assert_eq!(active(&chosen), None);
        assert_eq!(chosen.json["state"], "choose_method");
    })
    .await;
}

#[tokio::test]
async fn a_refused_sign_in_leaves_every_method_in_the_form() {
    with_server(passwordless(&json!({})), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut client = server.native();
        let id = client.begin("login").await;
        let wrong = json!({"method": "password", "identifier": "a@example.org", "password": "wrong password"});
        let refused = client.submit("login", &id, wrong).await.expect(400);
        assert_eq!(refused.messages(), [4_000_006]);
        assert_eq!(refused.json.get("active"), None);
        let unknown = json!({"method": "code", "identifier": "b@example.org"});
        let refused = client.submit("login", &id, unknown).await.expect(400);
        assert_eq!(refused.messages(), [4_000_035]);
        assert_eq!(refused.json.get("active"), None);
        let sent = json!({"method": "code", "identifier": "a@example.org"});
        assert_eq!(client.submit("login", &id, sent).await.expect(400).json["active"], "code");
    })
    .await;
}

#[tokio::test]
async fn an_unknown_identifier_keeps_its_field() {
    let style = passwordless(&json!({"selfservice": {"flows": {"login": {"style": "identifier_first"}}}}));
    with_server(style, |server| async move {
        let mut client = server.spa();
        let id = client.begin("login").await;
        let unknown = json!({"method": "identifier_first", "identifier": "b@example.org"});
        let refused = client.submit("login", &id, unknown).await.expect(400);
        assert_eq!(refused.node_messages("identifier"), [4_000_037]);
        assert_eq!(refused.node("identifier")["attributes"]["type"], "text");
        assert_eq!(refused.json.get("active"), None);
    })
    .await;
}

#[tokio::test]
async fn a_code_as_the_only_method_is_sent_at_once_for_every_identifier() {
    let config = json!({
        "security": {"account_enumeration": {"mitigate": true}},
        "selfservice": {
            "flows": {"login": {"style": "identifier_first"}},
            "methods": {"code": {"passwordless_enabled": true}, "password": {"enabled": false}},
        },
    });
    with_server(config, |server| async move {
        let mut answers = Vec::new();
        for name in ["a@example.org", "b@example.org"] {
            let mut client = server.native();
            let id = client.begin("login").await;
            let named = json!({"method": "identifier_first", "identifier": name});
            let sent = client.submit("login", &id, named).await.expect(400);
            assert_eq!(sent.json["state"], "sent_email");
            assert_eq!(sent.json["active"], "code");
            assert_eq!(sent.messages(), [1_010_014]);
            answers.push(sent.nodes().join(" ").replace(name, ""));
        }
        assert_eq!(answers[0], answers[1]);
    })
    .await;
}

/// Signs up with a password and begins a sign-in, up to the code.
async fn sent_code(client: &mut Client, body: Value) -> (String, Reply) {
    let id = client.begin("login").await;
    let sent = client.submit("login", &id, body).await.expect(400);
    assert_eq!(sent.json["state"], "sent_email");
    (id, sent)
}

#[tokio::test]
async fn the_nodes_of_the_code_state_have_the_order_of_the_contract() {
    with_server(passwordless(&json!({})), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let ask = json!({"method": "code", "identifier": "a@example.org"});
        let mut native = server.native();
        let begun = native.begin("login").await;
        let label = native.fetch("login", &begun).await.node("identifier")["meta"]["label"].clone();
        let (id, sent) = sent_code(&mut native, ask.clone()).await;
        assert_eq!(
            sent.nodes(),
            [
                "default/identifier/hidden/a@example.org",
                "code/method/hidden/code",
                "code/code/text/",
                "code/method/submit/code",
                "code/resend/submit/code",
            ]
        );
        assert_eq!(sent.node("identifier")["meta"]["label"], label, "the label of the visible field stays");
        let wrong = native.submit("login", &id, json!({"method": "code", "code": "000000"})).await.expect(400);
        assert_eq!(
            wrong.nodes(),
            [
                "default/csrf_token/hidden/",
                "default/identifier/hidden/a@example.org",
                "code/code/text/",
                "code/resend/submit/code",
                "code/method/hidden/code",
                "code/method/submit/code",
            ]
        );
        let (_, sent) = sent_code(&mut server.spa(), ask).await;
        assert_eq!(sent.nodes().last().unwrap(), "default/csrf_token/hidden/");

        let mut client = server.spa();
        let id = client.begin("registration").await;
        let traits = json!({"email": "b@example.org", "name": {"first": "B"}});
        let sent = client.submit("registration", &id, json!({"method": "code", "traits": traits})).await.expect(400);
        assert_eq!(
            sent.nodes(),
            [
                "default/csrf_token/hidden/",
                "default/traits.email/hidden/b@example.org",
                "default/traits.name.first/hidden/B",
                "default/traits.name.last/hidden/",
                "code/method/hidden/code",
                "code/code/text/",
                "code/method/submit/code",
                "code/resend/submit/code",
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn the_button_of_a_second_factor_becomes_the_hidden_identifier() {
    let config = json!({"selfservice": {"methods": {"code": {"mfa_enabled": true}}}});
    with_server(config, |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let id = client.begin_with("login", "?aal=aal2").await;
        let sent = client.fetch("login", &id).await.expect(200);
        assert_eq!(
            sent.nodes(),
            [
                "code/identifier/hidden/a@example.org",
                "code/method/hidden/code",
                "code/code/text/",
                "code/method/submit/code",
                "code/resend/submit/code",
            ]
        );
        assert_eq!(sent.node("identifier")["meta"]["label"]["id"], 1_010_023);
    })
    .await;
}

#[tokio::test]
async fn the_second_step_of_an_identifier_first_sign_in_keeps_the_field_in_its_place() {
    let style = passwordless(&json!({
        "security": {"account_enumeration": {"mitigate": true}},
        "selfservice": {"flows": {"login": {"style": "identifier_first"}}},
    }));
    with_server(style, |server| async move {
        let mut client = server.native();
        let id = client.begin("login").await;
        let label = client.fetch("login", &id).await.node("identifier")["meta"]["label"].clone();
        for name in ["a@example.org", "b@example.org"] {
            let named = json!({"method": "identifier_first", "identifier": name});
            let second = client.submit("login", &id, named).await.expect(400);
            assert_eq!(
                second.nodes(),
                [
                    &format!("identifier_first/identifier/hidden/{name}"),
                    "default/csrf_token/hidden/",
                    "password/password/password/",
                    "password/method/submit/password",
                    "code/method/submit/code",
                ]
            );
            assert_eq!(second.node("identifier")["meta"]["label"], label);
            assert_eq!(second.node("identifier")["attributes"]["autocomplete"], "username webauthn");
        }
    })
    .await;
}

#[tokio::test]
async fn only_a_two_step_sign_up_has_a_profile_step() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        let id = client.begin("registration").await;
        let body = json!({"method": "profile", "traits": {"email": "a@example.org"}});
        assert_eq!(client.submit("registration", &id, body).await.expect(400).messages(), [4_010_003]);
        let body = json!({"screen": "previous", "traits": {"email": "a@example.org"}});
        assert_eq!(client.submit("registration", &id, body).await.expect(400).messages(), [4_010_003]);
    })
    .await;
}

#[tokio::test]
async fn rejected_settings_keep_their_state_and_have_no_active_method() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let id = client.begin("settings").await;
        let shown = client.fetch("settings", &id).await.expect(200);
        assert_eq!(shown.json["organization_id"], Value::Null);
        assert!(shown.json.as_object().unwrap().contains_key("organization_id"));
        let short = json!({"method": "password", "password": "short"});
        let refused = client.submit("settings", &id, short.clone()).await.expect(400);
        assert_eq!((&refused.json["state"], refused.json.get("active")), (&json!("show_form"), None));
        let body = json!({"method": "password", "password": "another good password"});
        assert_eq!(client.submit("settings", &id, body).await.expect(200).json["state"], "success");
        assert_eq!(client.submit("settings", &id, short).await.expect(400).json["state"], "success");
    })
    .await;
}

#[tokio::test]
async fn the_code_of_a_refused_form_still_works() {
    with_server(passwordless(&json!({})), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut client = server.spa();
        let (id, _) = sent_code(&mut client, json!({"method": "code", "identifier": "a@example.org"})).await;
        client.submit("login", &id, json!({"method": "code", "code": "000000"})).await.expect(400);
        let code = server.code(&id, CodePurpose::Login).await;
        client.submit("login", &id, json!({"method": "code", "code": code})).await.expect(200);
        client.whoami().await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn two_errors_of_one_field_have_the_order_of_the_contract() {
    let schema = json!({
        "type": "object",
        "properties": {"traits": {"type": "object", "properties": {
            "email": {"type": "string", "pattern": "^x", "minLength": 9, "format": "email", "title": "Mail",
                      "ory.sh/kratos": {"credentials": {"password": {"identifier": true}}}},
        }}},
    });
    let encoded = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(schema.to_string())
    };
    let config = json!({"identity": {
        "default_schema_id": "strict",
        "schemas": [{"id": "strict", "url": format!("base64://{encoded}")}],
    }});
    with_server(config, |server| async move {
        let mut client = server.native();
        let id = client.begin("registration").await;
        let body = json!({"method": "password", "password": PASSWORD, "traits": {"email": "a"}});
        let refused = client.submit("registration", &id, body).await.expect(400);
        assert_eq!(refused.node_messages("traits.email"), [4_000_040, 4_000_003, 4_000_004]);

        let id = client.begin("login").await;
        let label = client.fetch("login", &id).await.node("identifier")["meta"]["label"].clone();
        assert_eq!(label["context"], json!({"title": "Mail", "name": "traits.email"}));
    })
    .await;
}
