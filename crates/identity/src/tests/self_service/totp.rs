use futures_util::future::join_all;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use super::sessions::administer;
use super::{Client, FlowReply as _, PASSWORD, Reply, TestServer, with_server};
use crate::domain::code::CodePurpose;

pub(super) fn enabled() -> Value {
    json!({"selfservice": {"methods": {"totp": {"enabled": true, "config": {"issuer": "Example & Co"}}}}})
}

/// The current code of an authenticator app with this secret.
pub(super) fn code_of(server: &TestServer, secret: &str) -> String {
    let key = Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build_noncompliant();
    key.generate(u64::try_from(server.clock.clock().now().unix_seconds()).unwrap()).to_string()
}

fn attributes<'r>(flow: &'r Reply, id: &str) -> &'r Value {
    let nodes = flow.json["ui"]["nodes"].as_array().expect("a flow");
    nodes.iter().find(|node| node["attributes"]["id"] == id).map_or(&Value::Null, |node| &node["attributes"])
}

/// The secret that a form of the settings shows.
pub(super) fn secret_of(flow: &Reply) -> String {
    attributes(flow, "totp_secret_key")["text"]["context"]["secret"].as_str().unwrap().to_owned()
}

/// Sets up an authenticator app in the settings and returns its secret.
pub(super) async fn link(server: &TestServer, client: &mut Client) -> String {
    let id = client.begin("settings").await;
    let secret = secret_of(&client.fetch("settings", &id).await.expect(200));
    let body = json!({"method": "totp", "totp_code": code_of(server, &secret)});
    let linked = client.submit("settings", &id, body).await.expect(200);
    assert_eq!((linked.messages(), &linked.json["state"]), (vec![1_050_001], &json!("success")));
    secret
}

pub(super) async fn second_factor(client: &mut Client, body: Value) -> Reply {
    let id = client.begin_with("login", "?aal=aal2").await;
    client.submit("login", &id, body).await
}

#[tokio::test]
async fn an_app_is_set_up_by_its_first_code_and_removed_again() {
    with_server(enabled(), |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let id = client.begin("settings").await;
        let flow = client.fetch("settings", &id).await.expect(200);
        let of_totp: Vec<String> = flow.nodes().into_iter().filter(|node| node.starts_with("totp/")).collect();
        assert_eq!(of_totp, ["totp///", "totp///", "totp/totp_code/text/", "totp/method/submit/totp"]);
        let picture = attributes(&flow, "totp_qr");
        assert!(picture["src"].as_str().unwrap().starts_with("data:image/png;base64,iVBOR"), "{picture}");
        assert_eq!((&picture["width"], &picture["height"]), (&json!(256), &json!(256)));
        let text = &attributes(&flow, "totp_secret_key")["text"];
        let secret = text["context"]["secret"].as_str().unwrap();
        assert_eq!((&text["id"], text["text"].as_str()), (&json!(1_050_006), Some(secret)));
        assert_eq!(secret.len(), 32);
        let again = client.fetch("settings", &id).await.expect(200);
        assert_eq!(attributes(&again, "totp_secret_key")["text"], *text, "the form keeps its secret");

        let wrong = client.submit("settings", &id, json!({"method": "totp", "totp_code": "000000"})).await.expect(400);
        assert_eq!(wrong.node_messages("totp_code"), [4_000_008]);
        assert_eq!(attributes(&wrong, "totp_secret_key")["text"], *text);
        let none = client.submit("settings", &id, json!({"method": "totp"})).await.expect(400);
        assert_eq!(none.node_messages("totp_code"), [4_000_002]);
        assert_eq!(client.whoami().await.expect(200).json["authenticator_assurance_level"], "aal1");

        let body = json!({"method": "totp", "totp_code": code_of(&server, secret)});
        let linked = client.submit("settings", &id, body).await.expect(200);
        assert_eq!(linked.messages(), [1_050_001]);
        assert_eq!(linked.node("totp_unlink")["attributes"]["value"], "true");
        assert_eq!(attributes(&linked, "totp_secret_key"), &Value::Null, "the secret is no longer shown");
        let session = client.whoami().await.expect(200).json;
        assert_eq!(session["authenticator_assurance_level"], "aal2");
        assert_eq!(session["authentication_methods"][1]["method"], "totp");
        assert!(server.events().await.ends_with(&["SettingsSucceeded".to_owned()].map(|it| it)));

        let removed = client.submit("settings", &id, json!({"totp_unlink": true})).await.expect(200);
        assert_eq!(removed.messages(), [1_050_001]);
        assert_ne!(attributes(&removed, "totp_secret_key")["text"], *text, "a new secret is offered");
        let mut other = server.native();
        other.sign_in("a@example.org", PASSWORD).await.expect(200);
        other.whoami().await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn the_secret_is_sealed_in_the_flow() {
    with_server(enabled(), |server| async move {
        use crate::domain::flow::{Flow, FlowId, Settings};
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let id = client.begin("settings").await;
        let flow = client.fetch("settings", &id).await.expect(200);
        let secret = attributes(&flow, "totp_secret_key")["text"]["context"]["secret"].as_str().unwrap().to_owned();
        let id: FlowId = id.parse().unwrap();
        let mut tx = server.identity.database.read(base::TenantId::DEFAULT);
        let stored: Flow<Settings> = crate::storage::flows::find(&mut tx, id).await.unwrap().unwrap();
        let text = serde_json::to_string(&stored).unwrap();
        assert!(!text.contains(&secret) && !text.contains("otpauth") && !text.contains("data:image"), "{text}");
    })
    .await;
}

#[tokio::test]
async fn a_code_is_the_second_factor_of_a_login_and_works_once() {
    with_server(enabled(), |server| async move {
        let mut owner = server.native();
        owner.sign_up("a@example.org").await.expect(200);
        let secret = link(&server, &mut owner).await;

        let mut client = server.native();
        client.sign_in("a@example.org", PASSWORD).await.expect(200);
        assert_eq!(client.whoami().await.expect(403).error_id(), "session_aal2_required");
        let id = client.begin_with("login", "?aal=aal2").await;
        let form = client.fetch("login", &id).await.expect(200);
        assert_eq!(form.nodes(), ["default/csrf_token/hidden/", "totp/totp_code/text/", "totp/method/submit/totp"]);
        assert_eq!((form.messages(), &form.json["requested_aal"]), (vec![1_010_004], &json!("aal2")));
        let body = |code: &str| json!({"method": "totp", "totp_code": code});
        let used = client.submit("login", &id, body(&code_of(&server, &secret))).await.expect(400);
        assert_eq!(used.messages(), [4_000_008], "the code that set the app up is used");
        let missing = client.submit("login", &id, json!({"method": "totp"})).await.expect(400);
        assert_eq!(missing.node_messages("totp_code"), [4_000_002]);

        server.advance(30);
        let code = code_of(&server, &secret);
        let done = client.submit("login", &id, body(&code)).await.expect(200);
        assert_eq!(done.json["session"]["authenticator_assurance_level"], "aal2");
        let session = client.whoami().await.expect(200).json;
        let methods: Vec<_> =
            session["authentication_methods"].as_array().unwrap().iter().map(|it| &it["method"]).collect();
        assert_eq!(methods, ["password", "totp"]);
        assert_eq!(session["authentication_methods"][1]["aal"], "aal2");

        let mut thief = server.native();
        thief.sign_in("a@example.org", PASSWORD).await.expect(200);
        let replayed = second_factor(&mut thief, body(&code)).await.expect(400);
        assert_eq!(replayed.messages(), [4_000_008], "a code is accepted once (RFC 6238 section 5.2)");
        // The previous code is still in the window, but a later one was used.
        let before = code_of(&server, &secret);
        server.advance(30);
        assert_eq!(second_factor(&mut thief, body(&before)).await.expect(400).messages(), [4_000_008]);
        second_factor(&mut thief, body(&code_of(&server, &secret))).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn one_of_many_concurrent_requests_with_one_code_is_accepted() {
    with_server(enabled(), |server| async move {
        let mut owner = server.native();
        owner.sign_up("a@example.org").await.expect(200);
        let secret = link(&server, &mut owner).await;
        server.advance(60);
        let mut signed_in = server.native();
        signed_in.sign_in("a@example.org", PASSWORD).await.expect(200);
        let mut flows = Vec::new();
        for _ in 0..4 {
            flows.push(signed_in.begin_with("login", "?aal=aal2").await);
        }
        let code = code_of(&server, &secret);
        let submissions = flows.iter().map(|id| {
            let (mut client, body) = (signed_in.clone(), json!({"method": "totp", "totp_code": code}));
            async move { client.submit("login", id, body).await.status.as_u16() }
        });
        let statuses = join_all(submissions).await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    })
    .await;
}

#[tokio::test]
async fn guesses_at_codes_are_limited() {
    with_server(enabled(), |server| async move {
        let mut owner = server.native();
        owner.sign_up("a@example.org").await.expect(200);
        let secret = link(&server, &mut owner).await;
        server.advance(60);
        let mut thief = server.native();
        thief.http.address = Some([198, 51, 100, 7].into());
        thief.sign_in("a@example.org", PASSWORD).await.expect(200);
        let id = thief.begin_with("login", "?aal=aal2").await;
        let mut checked = 0;
        for guess in 0..40 {
            let body = json!({"method": "totp", "totp_code": format!("{guess:06}")});
            if thief.submit("login", &id, body).await.status.as_u16() == 400 {
                checked += 1;
            }
        }
        assert!(checked <= 10, "{checked} guesses were checked");
        let body = json!({"method": "totp", "totp_code": code_of(&server, &secret)});
        assert_ne!(thief.submit("login", &id, body.clone()).await.status.as_u16(), 200);
        // In a familiar network, the owner can still sign in.
        let mut own = server.native();
        own.sign_in("a@example.org", PASSWORD).await.expect(200);
        second_factor(&mut own, body).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn an_imported_secret_signs_in_with_its_parameters() {
    with_server(enabled(), |server| async move {
        for (number, (url, digits)) in [
            ("otpauth://totp/Old:a?secret=JBSWY3DPEHPK3PXP&issuer=Old", 6),
            ("totp://x?secret=jbswy3dpehpk3pxp", 6),
            ("otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&digits=8", 8),
        ]
        .into_iter()
        .enumerate()
        {
            let email = format!("{number}@example.org");
            let body = json!({
                "schema_id": "default",
                "traits": {"email": email},
                "credentials": {"password": {"config": {"password": PASSWORD}}, "totp": {"config": {"totp_url": url}}},
            });
            assert_eq!(administer(&server, "POST", "/admin/identities", body).await.as_u16(), 201);
            let mut client = server.native();
            client.sign_in(&email, PASSWORD).await.expect(200);
            let key =
                Builder::new().with_digits(digits).with_secret(Secret::try_from_base32("JBSWY3DPEHPK3PXP").unwrap());
            let now = u64::try_from(server.clock.clock().now().unix_seconds()).unwrap();
            let code = key.build_noncompliant().generate(now).to_string();
            second_factor(&mut client, json!({"method": "totp", "totp_code": code})).await.expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn setting_up_an_app_needs_a_recent_sign_in_and_an_enabled_method() {
    with_server(enabled(), |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        server.advance(2 * 3600);
        let id = client.begin("settings").await;
        for body in [json!({"method": "totp", "totp_code": "1"}), json!({"totp_unlink": "true"})] {
            let refused = client.submit("settings", &id, body).await.expect(403);
            assert_eq!(refused.error_id(), "session_refresh_required");
        }
    })
    .await;
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let id = client.begin("settings").await;
        assert!(!client.fetch("settings", &id).await.text.contains("totp"));
        client.submit("settings", &id, json!({"method": "totp", "totp_code": "1"})).await.expect(404);
        client.submit("settings", &id, json!({"totp_unlink": true})).await.expect(404);
        let id = client.begin_with("login", "?aal=aal2").await;
        client.submit("login", &id, json!({"method": "totp", "totp_code": "1"})).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn an_outdated_form_changes_nothing() {
    with_server(enabled(), |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let old = client.begin("settings").await;
        let flow = client.fetch("settings", &old).await.expect(200);
        let stale = attributes(&flow, "totp_secret_key")["text"]["context"]["secret"].as_str().unwrap().to_owned();
        let secret = link(&server, &mut client).await;
        server.advance(30);
        let body = json!({"method": "totp", "totp_code": code_of(&server, &stale)});
        client.submit("settings", &old, body).await.expect(400);
        let mut other = server.native();
        other.sign_in("a@example.org", PASSWORD).await.expect(200);
        second_factor(&mut other, json!({"method": "totp", "totp_code": code_of(&server, &secret)})).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_missing_app_is_reported() {
    with_server(enabled(), |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let none = second_factor(&mut client, json!({"method": "totp", "totp_code": "123456"})).await.expect(400);
        assert_eq!(none.messages(), [4_000_011]);
    })
    .await;
}

#[tokio::test]
async fn a_browser_is_redirected_to_the_second_factor_and_back() {
    with_server(enabled(), |server| async move {
        let mut owner = server.native();
        owner.sign_up("a@example.org").await.expect(200);
        let secret = link(&server, &mut owner).await;
        server.advance(60);
        let mut browser = server.browser();
        let id = browser.begin_with("login", "?return_to=http://www.example/app").await;
        let body = json!({"method": "password", "identifier": "a@example.org", "password": PASSWORD});
        let reply = browser.submit("login", &id, body).await.expect(303);
        assert!(
            reply.location().contains("aal=aal2") && reply.location().contains("return_to"),
            "{}",
            reply.location()
        );
        let location = reply.location().to_owned();
        let id = browser.get(&location).await.expect(303).sent_to("flow");
        let body = json!({"method": "totp", "totp_code": code_of(&server, &secret)});
        assert_eq!(browser.submit("login", &id, body).await.expect(303).location(), "http://www.example/app");
        let mut spa = server.spa();
        spa.http.cookies = browser.http.cookies.clone();
        assert_eq!(spa.whoami().await.expect(200).json["authenticator_assurance_level"], "aal2");
    })
    .await;
}

#[tokio::test]
async fn a_stolen_password_cannot_replace_the_second_factor() {
    let change = json!({"selfservice": {
        "methods": {"totp": {"enabled": true}, "lookup_secret": {"enabled": true}},
        "flows": {"settings": {"required_aal": "aal1"}},
    }});
    with_server(change, |server| async move {
        let mut owner = server.native();
        owner.sign_up("a@example.org").await.expect(200);
        link(&server, &mut owner).await;
        let mut thief = server.native();
        thief.sign_in("a@example.org", PASSWORD).await.expect(200);
        let id = thief.begin("settings").await;
        for body in [
            json!({"totp_unlink": true}),
            json!({"lookup_secret_regenerate": true}),
            json!({"lookup_secret_confirm": true}),
            json!({"lookup_secret_reveal": true}),
            json!({"lookup_secret_disable": true}),
        ] {
            let refused = thief.submit("settings", &id, body.clone()).await.expect(403);
            assert_eq!(refused.error_id(), "session_aal2_required", "{body}");
        }
        thief.whoami().await.expect(403);
    })
    .await;
}

#[tokio::test]
async fn setting_up_a_factor_does_not_renew_the_session() {
    with_server(enabled(), |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let before = client.whoami().await.expect(200).json;
        server.advance(600);
        link(&server, &mut client).await;
        let after = client.whoami().await.expect(200).json;
        for time in ["authenticated_at", "expires_at"] {
            assert_eq!(after[time], before[time], "{time}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_recovery_that_first_verifies_the_address_removes_earlier_factors() {
    with_server(enabled(), |server| async move {
        let mut attacker = server.native();
        attacker.sign_up("victim@example.org").await.expect(200);
        link(&server, &mut attacker).await;

        let mut owner = server.native();
        let id = owner.begin("recovery").await;
        owner.submit("recovery", &id, json!({"method": "code", "email": "victim@example.org"})).await.expect(200);
        let code = server.code(&id, CodePurpose::Recovery).await;
        let recovered = owner.submit("recovery", &id, json!({"method": "code", "code": code})).await.expect(200);
        owner.token = recovered.json["continue_with"][0]["ory_session_token"].as_str().map(str::to_owned);
        owner.whoami().await.expect(200);
        let id = owner.begin("settings").await;
        owner
            .submit("settings", &id, json!({"method": "password", "password": "the owner's own one"}))
            .await
            .expect(200);
        attacker.whoami().await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn a_new_key_accepts_steps_that_the_old_one_used() {
    with_server(enabled(), |server| async move {
        let import = |url: &str| {
            json!({
                "schema_id": "default",
                "traits": {"email": "a@example.org"},
                "credentials": {"password": {"config": {"password": PASSWORD}}, "totp": {"config": {"totp_url": url}}},
            })
        };
        let secret = "JBSWY3DPEHPK3PXP";
        let fast = import(&format!("otpauth://totp/x?secret={secret}&period=1"));
        assert_eq!(administer(&server, "POST", "/admin/identities", fast).await.as_u16(), 201);
        let mut client = server.native();
        client.sign_in("a@example.org", PASSWORD).await.expect(200);
        let key = Builder::new().with_step_duration(1).with_secret(Secret::try_from_base32(secret).unwrap());
        let now = u64::try_from(server.clock.clock().now().unix_seconds()).unwrap();
        let code = key.build_noncompliant().generate(now).to_string();
        second_factor(&mut client, json!({"method": "totp", "totp_code": code})).await.expect(200);
        let session = client.whoami().await.expect(200).json;
        let path = format!("/admin/identities/{}", session["identity"]["id"].as_str().unwrap());
        let slow = import(&format!("otpauth://totp/x?secret={secret}"));
        assert_eq!(administer(&server, "PUT", &path, slow).await.as_u16(), 200);
        let mut again = server.native();
        again.sign_in("a@example.org", PASSWORD).await.expect(200);
        let body = json!({"method": "totp", "totp_code": code_of(&server, secret)});
        second_factor(&mut again, body).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn the_hooks_of_the_method_end_other_sessions() {
    let mut change = enabled();
    change["selfservice"]["flows"] =
        json!({"settings": {"after": {"totp": {"hooks": [{"hook": "revoke_active_sessions"}]}}}});
    with_server(change, |server| async move {
        let mut other = server.native();
        other.sign_up("a@example.org").await.expect(200);
        let mut client = server.native();
        client.sign_in("a@example.org", PASSWORD).await.expect(200);
        link(&server, &mut client).await;
        client.whoami().await.expect(200);
        other.whoami().await.expect(401);
    })
    .await;
}
