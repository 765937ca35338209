//! Submissions and their responses: body formats, spellings, cookies, parameters.

use serde_json::json;

use super::{FlowReply as _, PASSWORD, with_server};

fn passwordless() -> serde_json::Value {
    json!({
        "security": {"account_enumeration": {"mitigate": false}},
        "selfservice": {"methods": {"code": {"passwordless_enabled": true}}},
    })
}

#[tokio::test]
async fn an_unreadable_submission_is_reported_in_the_form() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("z@example.org").await.expect(200);
        for flow in ["login", "registration", "recovery", "verification"] {
            for (content_type, body) in [
                ("application/json", "{\"method\": "),
                ("application/json", "[]"),
                ("text/plain", "method=password"),
                ("application/x-www-form-urlencoded", "traits=1&traits.email=2"),
            ] {
                let mut client = server.native();
                let id = client.begin(flow).await;
                let path = format!("/self-service/{flow}?flow={id}");
                let reply = client.post(&path, content_type, body).await;
                if content_type.contains("urlencoded") && flow == "login" {
                    continue;
                }
                let reply = reply.expect(400);
                assert_eq!(reply.messages(), [4_000_001], "{flow} {content_type} {}", reply.json);
                assert_eq!(reply.json["id"], id.as_str());
            }
        }
        // Another browser cannot read the flow.
        let mut owner = server.spa();
        let id = owner.begin("login").await;
        let path = format!("/self-service/login?flow={id}");
        let stranger = server.spa().post(&path, "application/json", "{").await.expect(403);
        assert_eq!(stranger.error_id(), "security_csrf_violation");
        assert_eq!(owner.post(&path, "application/json", "{").await.expect(400).messages(), [4_000_001]);

        let mut person = server.spa();
        person.sign_up("a@example.org").await.expect(200);
        let id = person.begin("settings").await;
        let reply =
            person.post(&format!("/self-service/settings?flow={id}"), "application/json", "{").await.expect(400);
        assert_eq!(reply.messages(), [4_000_001]);
        assert!(reply.json["identity"]["id"].is_string());
    })
    .await;
}

#[tokio::test]
async fn a_transient_payload_is_shown_in_the_answer_and_never_stored() {
    with_server(passwordless(), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let payload = json!({"shop": 7});
        for (flow, body) in [
            ("recovery", json!({"method": "code", "email": "a@example.org"})),
            ("verification", json!({"method": "code", "email": "a@example.org"})),
            ("login", json!({"method": "code", "identifier": "a@example.org"})),
            ("registration", json!({"method": "code", "traits": {"email": "b@example.org"}})),
        ] {
            let mut client = server.native();
            let id = client.begin(flow).await;
            let mut body = body;
            body["transient_payload"] = payload.clone();
            let sent = client.submit(flow, &id, body).await;
            assert_eq!(sent.json["state"], "sent_email", "{flow} {}", sent.json);
            assert_eq!(sent.json["transient_payload"], payload, "{flow}");
            assert_eq!(client.fetch(flow, &id).await.json.get("transient_payload"), None, "{flow}");
        }
    })
    .await;
}

#[tokio::test]
async fn multipart_forms_are_read_like_other_forms() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        let id = client.begin("registration").await;
        let path = format!("/self-service/registration?flow={id}");
        let part = |name: &str, value: &str| {
            format!("--bound\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let file = "--bound\r\nContent-Disposition: form-data; name=\"method\"; filename=\"x\"\r\n\r\npassword\r\n";
        let refused = client
            .post(&path, "multipart/form-data; boundary=bound", &format!("{file}--bound--\r\n"))
            .await
            .expect(400);
        assert_eq!(refused.messages(), [4_000_001]);
        let refused = client.post(&path, "multipart/form-data", "x").await.expect(400);
        assert_eq!(refused.messages(), [4_000_001]);
        let body = [
            part("method", "password"),
            part("password", PASSWORD),
            part("traits.email", "a@example.org"),
            part("traits.name.first", "Adä"),
            "--bound--\r\n".to_owned(),
        ]
        .concat();
        let done = client.post(&path, "multipart/form-data; boundary=bound", &body).await.expect(200);
        assert_eq!(done.json["identity"]["traits"], json!({"email": "a@example.org", "name": {"first": "Adä"}}));
    })
    .await;
}

#[tokio::test]
async fn spaces_around_an_address_are_ignored() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        for flow in ["recovery", "verification"] {
            let mut client = server.native();
            let id = client.begin(flow).await;
            let sent =
                client.submit(flow, &id, json!({"method": "code", "email": " a@example.org "})).await.expect(200);
            assert_eq!(sent.node("email")["attributes"]["value"], "a@example.org", "{flow}");
        }
        assert_eq!(server.mails().await.iter().filter(|mail| mail.recipient == "a@example.org").count(), 3);
        server.native().sign_in(" a@example.org ", PASSWORD).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn unusual_mail_addresses_sign_up_and_get_their_mail() {
    with_server(json!({}), |server| async move {
        for address in ["jörg@example.org", "\"quoted local\"@example.org"] {
            server.native().sign_up(address).await.expect(200);
            server.native().sign_in(address, PASSWORD).await.expect(200);
            assert!(server.mails().await.iter().any(|mail| mail.recipient == address), "{address}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_password_is_the_same_on_every_keyboard() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        let id = client.begin("registration").await;
        let traits = json!({"email": "a@example.org"});
        let body = json!({"method": "password", "password": "glücklicher Käfer", "traits": traits});
        client.submit("registration", &id, body).await.expect(200);
        server.native().sign_in("a@example.org", "glu\u{308}cklicher\u{a0}Ka\u{308}fer").await.expect(200);
        server.native().sign_in("a@example.org", "glucklicher Kafer").await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn the_session_cookie_comes_last() {
    with_server(json!({}), |server| async move {
        let mut client = server.spa();
        client.sign_up("a@example.org").await.expect(200);
        let mut other = server.spa();
        let done = other.sign_in("a@example.org", PASSWORD).await.expect(200);
        let cookies = done.set_cookies();
        assert!(cookies.len() > 1, "{cookies:?}");
        assert_eq!(cookies.last().unwrap().name(), "ory_kratos_session", "{cookies:?}");
    })
    .await;
}

#[tokio::test]
async fn a_session_is_not_silently_converted_to_a_token() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        client.get("/sessions/whoami?tokenize_as=x").await.expect(401);
        client.sign_up("a@example.org").await.expect(200);
        let refused = client.get("/sessions/whoami?tokenize_as=x").await.expect(400);
        assert_eq!(refused.json["error"]["details"]["field"], "tokenize_as");
        let device = client.whoami().await.expect(200).json["devices"][0].clone();
        assert_eq!(device["location"], "");
        assert!(device.get("user_agent").is_some());
    })
    .await;
}

#[tokio::test]
async fn the_sample_error_has_an_id() {
    with_server(json!({}), |server| async move {
        let error = server.native().get("/self-service/errors?id=stub:500").await.expect(200);
        error.json["id"].as_str().unwrap().parse::<base::uuid::Uuid>().unwrap();
        assert_eq!(error.json["error"]["code"], 500);
    })
    .await;
}

#[tokio::test]
async fn a_page_size_below_one_is_the_default() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        server.native().sign_in("a@example.org", PASSWORD).await.expect(200);
        for size in ["-1", "0", "1"] {
            let others = client.get(&format!("/sessions?page_size={size}")).await.expect(200);
            assert_eq!(others.json.as_array().unwrap().len(), 1, "{size}");
        }
        client.get("/sessions?page_size=x").await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn lists_of_every_kind_are_sent_as_form_fields() {
    let schema = json!({
        "type": "object",
        "properties": {"traits": {"type": "object", "required": ["email"], "properties": {
            "email": {"type": "string", "format": "email", "ory.sh/kratos": {"credentials": {"password": {"identifier": true}}}},
            "tags": {"type": "array", "items": {"type": "string"}},
            "sizes": {"type": "array", "items": {"type": "integer"}},
            "votes": {"type": "array", "items": {"type": "boolean"}},
            "homes": {"type": "array", "items": {"type": "object", "properties": {"rooms": {"type": "number"}}}},
        }}},
    });
    let encoded = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(schema.to_string())
    };
    let config = json!({"identity": {
        "default_schema_id": "lists",
        "schemas": [{"id": "lists", "url": format!("base64://{encoded}")}],
    }});
    with_server(config, |server| async move {
        let mut client = server.native();
        let id = client.begin("registration").await;
        let path = format!("/self-service/registration?flow={id}");
        let body = "method=password&password=correct+horse+battery&traits.email=a%40example.org&traits.tags=a&traits.tags=b\
                    &traits.sizes.0=4&traits.sizes.1=5&traits.votes=true&traits.homes.1.rooms=2.5&traits.homes.0.rooms=3";
        let done = client.post(&path, "application/x-www-form-urlencoded", body).await.expect(200);
        assert_eq!(
            done.json["identity"]["traits"],
            json!({"email": "a@example.org", "tags": ["a", "b"], "sizes": [4, 5], "votes": [true],
                   "homes": [{"rooms": 3}, {"rooms": 2.5}]})
        );
    })
    .await;
}
