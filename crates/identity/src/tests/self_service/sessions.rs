use base::PlainToken;
use contracts::{SessionCheck, SessionCredentials, Sessions as _};
use http::StatusCode;
use serde_json::{Value, json};

use super::{FlowReply as _, PASSWORD, TestServer, with_server};

#[tokio::test]
async fn an_unknown_session_token_is_401() {
    with_server(json!({}), |server| async move {
        let reply = server.native().whoami().await.expect(401);
        assert!(reply.json["error"]["reason"].as_str().unwrap().contains("No active session was found"));
        let mut forged = server.native();
        forged.token = Some("ory_st_forged".to_owned());
        forged.whoami().await.expect(401);
        let mut tampered = server.browser();
        tampered.http.set_cookie("ory_kratos_session", "tampered");
        tampered.whoami().await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_when_it_expires() {
    with_server(json!({"session": {"lifespan": "1h"}}), |server| async move {
        let mut client = server.spa();
        client.sign_up("a@example.org").await.expect(200);
        server.advance(3599);
        client.whoami().await.expect(200);
        server.advance(1);
        client.whoami().await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn a_person_lists_and_ends_their_other_sessions() {
    with_server(json!({}), |server| async move {
        let mut here = server.native();
        here.sign_up("a@example.org").await.expect(200);
        let mut stranger = server.native();
        stranger.sign_up("b@example.org").await.expect(200);
        let strangers = stranger.whoami().await.json["id"].as_str().unwrap().to_owned();
        let mut others = Vec::new();
        for _ in 0..3 {
            let mut other = server.native();
            other.sign_in("a@example.org", PASSWORD).await.expect(200);
            others.push(other);
        }
        let list = here.get("/sessions").await.expect(200);
        assert_eq!(list.json.as_array().unwrap().len(), 3);
        assert_eq!(list.headers["x-total-count"], "3");
        let page = here.get("/sessions?page_size=2").await.expect(200);
        assert_eq!(page.json.as_array().unwrap().len(), 2);
        assert_eq!(here.get(page.next_page().unwrap()).await.expect(200).json.as_array().unwrap().len(), 1);
        here.get("/sessions?page_token=nonsense").await.expect(400);

        let own = here.whoami().await.json["id"].as_str().unwrap().to_owned();
        here.delete(&format!("/sessions/{own}"), None).await.expect(400);
        here.delete(&format!("/sessions/{strangers}"), None).await.expect(204);
        stranger.whoami().await.expect(200);
        let one = others[0].whoami().await.json["id"].as_str().unwrap().to_owned();
        here.delete(&format!("/sessions/{one}"), None).await.expect(204);
        others[0].whoami().await.expect(401);
        let rest = here.delete("/sessions", None).await.expect(200);
        assert_eq!(rest.json["count"], 2);
        others[1].whoami().await.expect(401);
        here.whoami().await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_browser_signs_out_only_with_its_own_link() {
    with_server(json!({}), |server| async move {
        server.spa().get("/self-service/logout/browser").await.expect(401);
        let mut client = server.spa();
        client.sign_up("a@example.org").await.expect(200);
        let mut other = server.spa();
        other.sign_in("a@example.org", PASSWORD).await.expect(200);
        let logout = client.get("/self-service/logout/browser?return_to=http://www.example/app").await.expect(200);
        let url = logout.json["logout_url"].as_str().unwrap().to_owned();
        assert!(logout.json["logout_token"].as_str().unwrap().starts_with("ory_lo_"));
        other.get(&url).await.expect(403);
        client.get("/self-service/logout").await.expect(400);
        client.clone().get("/self-service/logout?token=ory_lo_wrong").await.expect(403);
        client.get(&url).await.expect(204);
        assert!(client.http.cookie("ory_kratos_session").is_none());
        client.whoami().await.expect(401);
        other.whoami().await.expect(200);

        let mut browser = server.browser();
        browser.sign_in("a@example.org", PASSWORD).await.expect(303);
        let session = browser.http.cookies.clone();
        let logout = browser.get("/self-service/logout/browser").await.expect(200);
        let done = browser.get(logout.json["logout_url"].as_str().unwrap()).await.expect(303);
        assert_eq!(done.location(), "http://www.example/");
        browser.http.cookies = session;
        browser.whoami().await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn a_native_client_signs_out_by_its_token() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let token = client.token.clone().unwrap();
        let body = json!({"session_token": token});
        client.delete("/self-service/logout/api", Some(body.clone())).await.expect(204);
        client.whoami().await.expect(401);
        client.delete("/self-service/logout/api", Some(body)).await.expect(204);
        let unknown = json!({"session_token": "ory_st_unknown"});
        client.delete("/self-service/logout/api", Some(unknown)).await.expect(403);
        client.delete("/self-service/logout/api", Some(json!({}))).await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn a_session_check_reports_the_assurance_of_a_session() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let token = client.token.clone().unwrap();
        let check =
            async |credentials: SessionCredentials| server.identity.check(&server.cx(), &credentials).await.unwrap();
        let bearer = |token: &str| SessionCredentials {
            bearer: Some(PlainToken::received(token)),
            ..SessionCredentials::default()
        };
        assert!(matches!(check(SessionCredentials::default()).await, SessionCheck::Absent));
        assert!(matches!(check(bearer("nonsense")).await, SessionCheck::Invalid));
        let SessionCheck::Active(active) = check(bearer(&token)).await else { panic!("an active session") };
        assert_eq!(active.aal, "aal1");
        assert_eq!(active.amr, ["password"]);
        assert_eq!(*active.whoami, client.whoami().await.json);
        let stale = SessionCredentials {
            cookie: Some("ory_kratos_session=x; other=y".to_owned()),
            ..SessionCredentials::default()
        };
        assert!(matches!(check(stale).await, SessionCheck::Invalid));
        server.identity.end(&server.cx(), active.session_id).await.unwrap();
        assert!(matches!(check(bearer(&token)).await, SessionCheck::Invalid));
    })
    .await;
}

#[tokio::test]
async fn password_managers_find_the_settings() {
    with_server(json!({}), |server| async move {
        let reply = server.browser().get("/.well-known/change-password").await.expect(303);
        assert_eq!(reply.location(), "http://ui.example/settings");
    })
    .await;
}

/// Sends a request to the admin port.
pub(super) async fn administer(server: &TestServer, method: &str, path: &str, body: Value) -> StatusCode {
    server.operator().json(method.parse().unwrap(), path, &body).await.status
}

#[tokio::test]
async fn an_unsupported_second_factor_is_not_bypassed() {
    with_server(json!({"session": {"whoami": {"required_aal": "highest_available"}}}), |server| async move {
        let body = json!({
            "schema_id": "default",
            "traits": {"email": "a@example.org"},
            "credentials": {
                "password": {"config": {"password": PASSWORD}},
                "totp": {"config": {"totp_url": "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP"}},
            },
        });
        assert_eq!(administer(&server, "POST", "/admin/identities", body).await, StatusCode::CREATED);
        let mut client = server.native();
        client.sign_in("a@example.org", PASSWORD).await.expect(200);
        assert_eq!(client.whoami().await.expect(403).error_id(), "session_aal2_required");
        let bearer = client.token.clone().map(PlainToken::received);
        let credentials = SessionCredentials { bearer, ..SessionCredentials::default() };
        let checked = server.identity.check(&server.cx(), &credentials).await.unwrap();
        assert!(matches!(checked, SessionCheck::NeedsSecondFactor), "{checked:?}");
    })
    .await;
}

#[tokio::test]
async fn a_cached_session_needs_no_statement() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let cold = client.whoami().await.expect(200).json;
        let before = server.identity.database.usage().statements;
        assert_eq!(client.whoami().await.expect(200).json, cold);
        assert_eq!(server.identity.database.usage().statements, before);
    })
    .await;
}

#[tokio::test]
async fn an_uncached_session_needs_one_statement() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        client.sign_up("a@example.org").await.expect(200);
        let before = server.identity.database.usage().statements;
        let session = client.whoami().await.expect(200).json;
        assert_eq!(server.identity.database.usage().statements - before, 1);
        assert_eq!(session["identity"]["verifiable_addresses"][0]["value"], "a@example.org");
        assert_eq!(session["identity"]["verifiable_addresses"][0]["verified"], false);
        assert_eq!(session["identity"]["recovery_addresses"][0]["value"], "a@example.org");
        assert_eq!(session["devices"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn every_change_invalidates_a_cached_session() {
    with_server(json!({}), |server| async move {
        let warm = async |email: &str| {
            let mut client = server.native();
            client.sign_up(email).await.expect(200);
            let session = client.whoami().await.expect(200).json;
            let path = |of: &Value, what: &str| format!("/admin/{what}/{}", of["id"].as_str().unwrap());
            (client, path(&session["identity"], "identities"), path(&session, "sessions"))
        };
        let (mut renamed, person, session) = warm("a@example.org").await;
        let patch = json!([{"op": "add", "path": "/traits/name", "value": {"first": "Ada"}}]);
        let status = administer(&server, "PATCH", &person, patch).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(renamed.whoami().await.expect(200).json["identity"]["traits"]["name"]["first"], "Ada");
        assert_eq!(administer(&server, "DELETE", &session, Value::Null).await, StatusCode::NO_CONTENT);
        renamed.whoami().await.expect(401);

        let (mut disabled, person, _) = warm("b@example.org").await;
        let patch = json!([{"op": "replace", "path": "/state", "value": "inactive"}]);
        assert_eq!(administer(&server, "PATCH", &person, patch).await, StatusCode::OK);
        disabled.whoami().await.expect(401);

        let (mut signed_out, person, _) = warm("c@example.org").await;
        let status = administer(&server, "DELETE", &format!("{person}/sessions"), Value::Null).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        signed_out.whoami().await.expect(401);

        let (mut deleted, person, _) = warm("d@example.org").await;
        assert_eq!(administer(&server, "DELETE", &person, Value::Null).await, StatusCode::NO_CONTENT);
        deleted.whoami().await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn the_statements_that_end_sessions_do_not_grow_with_their_number() {
    with_server(json!({}), |server| async move {
        let mut kept = server.native();
        kept.sign_up("a@example.org").await.expect(200);
        let mut costs = Vec::new();
        for others in [3, 9] {
            for _ in 0..others {
                server.native().sign_in("a@example.org", PASSWORD).await.expect(200);
            }
            let before = server.identity.database.usage().statements;
            let ended = kept.delete("/sessions", None).await.expect(200).json;
            assert_eq!(ended, json!({ "count": others }));
            costs.push(server.identity.database.usage().statements - before);
        }
        assert_eq!(costs[0], costs[1], "statements for 3 and for 9 sessions");
    })
    .await;
}
