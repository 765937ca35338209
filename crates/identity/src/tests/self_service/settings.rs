use base64::Engine as _;
use serde_json::json;

use super::{FlowReply as _, PASSWORD, with_server};

#[tokio::test]
async fn settings_need_a_session() {
    with_server(json!({}), |server| async move {
        assert_eq!(server.spa().get("/self-service/settings/browser").await.expect(401).error_id(), "session_inactive");
        assert_eq!(server.native().get("/self-service/settings/api").await.expect(401).error_id(), "session_inactive");
        let form = json!({"method": "password", "password": PASSWORD}).to_string();
        for query in ["", "?flow=9b6a3c7e-1f0a-4a55-8f4c-000000000000"] {
            let path = format!("/self-service/settings{query}");
            server.native().post(&path, "application/json", &form).await.expect(401);
        }
        server.native().get("/self-service/settings/flows?id=9b6a3c7e-1f0a-4a55-8f4c-000000000000").await.expect(401);
        let sent =
            server.browser().get("/self-service/settings/browser?return_to=http://www.example/app").await.expect(303);
        assert_eq!(
            sent.location(),
            "http://id.example:4433/self-service/login/browser?return_to=http%3A%2F%2Fwww.example%2Fapp"
        );
    })
    .await;
}

#[tokio::test]
async fn the_form_shows_what_can_be_changed() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let id = client.begin("settings").await;
        let flow = client.fetch("settings", &id).await.expect(200);
        assert_eq!(
            flow.nodes(),
            [
                "default/csrf_token/hidden/",
                "profile/traits.email/email/a@example.org",
                "profile/traits.name.first/text/",
                "profile/traits.name.last/text/",
                "profile/method/submit/profile",
                "password/password/password/",
                "password/method/submit/password",
            ]
        );
        assert_eq!(flow.json["state"], "show_form");
        assert_eq!(flow.json["identity"]["traits"]["email"], "a@example.org");

        let mut other = server.native();
        other.sign_up("b@example.org").await.expect(200);
        assert_eq!(other.fetch("settings", &id).await.expect(403).error_id(), "security_identity_mismatch");
        let reply = other.submit("settings", &id, json!({"method": "password", "password": "another password"})).await;
        assert_eq!(reply.expect(403).error_id(), "security_identity_mismatch");
    })
    .await;
}

#[tokio::test]
async fn a_form_does_not_change_lists_and_disabled_traits() {
    let schema = json!({"type": "object", "properties": {"traits": {"type": "object", "properties": {
        "email": {"type": "string", "format": "email", "ory.sh/kratos": {"credentials": {"password": {"identifier": true}}}},
        "nick": {"type": "string"},
        "badge": {"type": "string", "disableFormField": true},
        "tags": {"type": "array", "items": {"type": "string"}},
        "free": {"type": "array"},
        "home": {"type": "object", "properties": {"city": {"type": "string"}, "rooms": {"type": "array"}}},
    }}}});
    let url = format!("base64://{}", base64::engine::general_purpose::STANDARD.encode(schema.to_string()));
    let config = json!({"identity": {"default_schema_id": "a", "schemas": [{"id": "a", "url": url}]}});
    with_server(config, |server| async move {
        let many: Vec<String> = (0..300).map(|number| format!("tag {number}")).collect();
        let free = json!([1, "2", true, null, [], [[3]], {}, {"a.b": [1.5], "5": "x"}]);
        let traits = json!({
            "email": "a@example.org", "nick": "ada", "badge": "7", "tags": many, "free": free,
            "home": {"city": "Ghent", "rooms": [{"n": 5}]},
        });
        let mut client = server.native();
        let id = client.begin("registration").await;
        let body = json!({"method": "password", "password": PASSWORD, "traits": traits});
        client.submit("registration", &id, body).await.expect(200);
        client.sign_in("a@example.org", PASSWORD).await.expect(200);

        // Browsers do not send disabled inputs.
        let id = client.begin("settings").await;
        let path = format!("/self-service/settings?flow={id}");
        let body = "method=profile&traits.email=a%40example.org&traits.nick=lovelace&traits.home.city=Bruges";
        let saved = client.post(&path, "application/x-www-form-urlencoded", body).await.expect(200);
        let mut expected = traits.clone();
        expected["nick"] = json!("lovelace");
        expected["home"]["city"] = json!("Bruges");
        assert_eq!(saved.json["identity"]["traits"], expected);

        // Submitted members are changed; an omitted text is removed.
        let id = client.begin("settings").await;
        let body = json!({"method": "profile", "traits": {"email": "a@example.org", "tags": [], "free": [1]}});
        let saved = client.submit("settings", &id, body).await.expect(200);
        let rest =
            json!({"email": "a@example.org", "badge": "7", "tags": [], "free": [1], "home": {"rooms": [{"n": 5}]}});
        assert_eq!(saved.json["identity"]["traits"], rest);
    })
    .await;
}

#[tokio::test]
async fn a_new_password_replaces_the_old_one() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let id = client.begin("settings").await;
        let same =
            client.submit("settings", &id, json!({"method": "password", "password": PASSWORD})).await.expect(400);
        assert_eq!(same.node_messages("password"), [4_000_039]);
        assert_eq!(same.json["identity"]["traits"]["email"], "a@example.org");
        let done = client
            .submit("settings", &id, json!({"method": "password", "password": "a better password"}))
            .await
            .expect(200);
        assert_eq!(done.json["state"], "success");
        assert_eq!(done.messages(), [1_050_001]);
        assert!(done.continue_with().is_empty());
        server.native().sign_in("a@example.org", PASSWORD).await.expect(400);
        server.native().sign_in("a@example.org", "a better password").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn the_hook_ends_other_sessions_with_a_new_password_where_the_default_is_off() {
    let hooks = json!({
        "selfservice": {"flows": {"settings": {"after": {"password": {"hooks": [{"hook": "revoke_active_sessions"}]}}}}},
        "security": {"revoke_active_sessions": false},
    });
    with_server(hooks, |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let mut elsewhere = server.native();
        elsewhere.sign_in("a@example.org", PASSWORD).await.expect(200);
        let id = client.begin("settings").await;
        client
            .submit("settings", &id, json!({"method": "password", "password": "a better password"}))
            .await
            .expect(200);
        client.whoami().await.expect(200);
        elsewhere.whoami().await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn an_old_session_changes_names_but_no_credentials_or_addresses() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        server.advance(3600);
        let id = client.begin("settings").await;
        let traits = json!({"email": "a@example.org", "name": {"first": "Ada"}});
        let done = client.submit("settings", &id, json!({"method": "profile", "traits": traits})).await.expect(200);
        assert_eq!(done.json["identity"]["traits"]["name"]["first"], "Ada");
        for body in [
            json!({"method": "password", "password": "a better password"}),
            json!({"method": "profile", "traits": {"email": "b@example.org"}}),
        ] {
            let refused = client.submit("settings", &id, body).await.expect(403);
            assert_eq!(refused.error_id(), "session_refresh_required");
            let url = refused.json["redirect_browser_to"].as_str().unwrap();
            assert!(
                url.starts_with("http://id.example:4433/self-service/login/browser?refresh=true&return_to="),
                "{url}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_browser_signs_in_again_and_the_change_continues() {
    with_server(json!({}), |server| async move {
        let mut client = server.browser();
        client.sign_up("a@example.org").await.expect(303);
        server.advance(3600);
        let id = client.begin("settings").await;
        let sent = client
            .submit("settings", &id, json!({"method": "password", "password": "a better password"}))
            .await
            .expect(303);
        assert!(sent.location().contains("/self-service/login/browser?refresh=true"), "{}", sent.location());
        assert!(client.http.cookie("ory_kratos_continuity").is_some());

        // The URL of the form does not allow another browser to complete it.
        let path = format!("/self-service/settings?flow={id}");
        server.browser().get(&path).await.expect(303);
        server.native().sign_in("a@example.org", PASSWORD).await.expect(200);

        let login = client.get(sent.location()).await.expect(303).sent_to("flow");
        let back = client
            .submit("login", &login, json!({"method": "password", "identifier": "a@example.org", "password": PASSWORD}))
            .await
            .expect(303);
        assert_eq!(back.location(), format!("http://id.example:4433{path}"));
        let done = client.get(back.location()).await.expect(303);
        assert_eq!(done.location(), format!("http://ui.example/settings?flow={id}"));
        assert_eq!(client.fetch("settings", &id).await.messages(), [1_050_001]);
        assert!(client.http.cookie("ory_kratos_continuity").is_none());
        server.native().sign_in("a@example.org", "a better password").await.expect(200);
        let shown = client.get(&path).await.expect(303);
        assert!(shown.location().starts_with("http://ui.example/settings"), "the saved submission is gone");
    })
    .await;
}

#[tokio::test]
async fn a_single_page_application_signs_in_again_and_the_change_continues() {
    with_server(json!({}), |server| async move {
        let mut client = server.spa();
        client.sign_up("a@example.org").await.expect(200);
        server.advance(3600);
        let id = client.begin("settings").await;
        let body = json!({"method": "password", "password": "a better password"});
        let refused = client.submit("settings", &id, body).await.expect(403);
        assert_eq!(refused.error_id(), "session_refresh_required");
        assert!(client.http.cookie("ory_kratos_continuity").is_some());

        let login = client.get(refused.json["redirect_browser_to"].as_str().unwrap()).await.expect(200);
        let login = login.json["id"].as_str().unwrap().to_owned();
        let body = json!({"method": "password", "identifier": "a@example.org", "password": PASSWORD});
        let back = client.submit("login", &login, body).await.expect(200);
        assert_eq!(back.continue_with(), ["redirect_browser_to"]);
        let url = back.json["continue_with"][0]["redirect_browser_to"].as_str().unwrap().to_owned();
        assert_eq!(url, format!("http://id.example:4433/self-service/settings?flow={id}"));
        let done = client.get(&url).await.expect(200);
        assert_eq!((done.messages(), &done.json["state"]), (vec![1_050_001], &json!("success")));
        assert!(client.http.cookie("ory_kratos_continuity").is_none());
        server.native().sign_in("a@example.org", "a better password").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_new_address_is_verified_anew() {
    with_server(json!({}), |server| async move {
        let mut client = server.spa();
        client.sign_up("a@example.org").await.expect(200);
        server.native().sign_up("taken@example.org").await.expect(200);
        let id = client.begin("settings").await;
        let taken = client
            .submit("settings", &id, json!({"method": "profile", "traits": {"email": "taken@example.org"}}))
            .await
            .expect(400);
        assert_eq!(taken.messages(), [4_000_007]);
        let wrong = client
            .submit("settings", &id, json!({"method": "profile", "traits": {"email": "nonsense"}}))
            .await
            .expect(400);
        assert_eq!(wrong.node_messages("traits.email"), [4_000_040]);
        let done = client
            .submit("settings", &id, json!({"method": "profile", "traits": {"email": "b@example.org"}}))
            .await
            .expect(200);
        assert_eq!(done.json["identity"]["verifiable_addresses"][0]["value"], "b@example.org");
        assert_eq!(done.json["identity"]["verifiable_addresses"][0]["verified"], false);
        assert_eq!(done.continue_with(), ["redirect_browser_to"]);
        assert!(server.mails().await.iter().any(|mail| mail.recipient == "b@example.org"));
        server.native().sign_in("a@example.org", PASSWORD).await.expect(400);
        server.native().sign_in("b@example.org", PASSWORD).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn an_expired_settings_flow_is_replaced() {
    with_server(json!({"session": {"lifespan": "10h"}}), |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let id = client.begin("settings").await;
        server.advance(3601);
        client.fetch("settings", &id).await.expect(410);
        let gone = client
            .submit("settings", &id, json!({"method": "profile", "traits": {"email": "a@example.org"}}))
            .await
            .expect(410);
        let new = gone.json["use_flow_id"].as_str().unwrap().to_owned();
        assert_eq!(client.fetch("settings", &new).await.messages(), [4_050_001]);
        let none = client.submit("settings", &new, json!({})).await.expect(400);
        assert_eq!(none.messages(), [4_010_004]);
    })
    .await;
}
