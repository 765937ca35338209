//! Sessions, credentials and recovery in the admin API.

use http::Method;

use super::*;

#[tokio::test]
async fn sessions_are_listed_extended_and_ended() {
    on_both(|server| async move {
        let id = server.create("ada@example.org").await;
        let first = server.sign_in(&id).await;
        server.clock.advance(Duration::from_secs(10));
        let second = server.sign_in(&id).await;
        let list = server
            .ask("GET", "/admin/sessions?expand=identity&expand=Devices&active=true", Value::Null)
            .await
            .expect(200);
        let ids: Vec<_> = list.json.as_array().unwrap().iter().map(|session| session["id"].clone()).collect();
        assert_eq!(ids, [json!(second.id), json!(first.id)], "newest first");
        assert_eq!(list.json[0]["identity"]["id"], id.as_str());
        assert_eq!(list.json[0]["devices"][0]["ip_address"], "192.0.2.1");
        let page = server.ask("GET", "/admin/sessions?page_size=1", Value::Null).await.expect(200);
        let next = server.ask("GET", page.next_page().unwrap(), Value::Null).await.expect(200);
        assert_eq!(next.json[0]["id"], json!(first.id));
        assert!(next.next_page().is_none());

        let extended =
            server.ask("PATCH", &format!("/admin/sessions/{}/extend", first.id), Value::Null).await.expect(200);
        let until: Timestamp = extended.json["expires_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(until, server.clock.clock().now().plus(Duration::from_hours(24)));

        server.ask("DELETE", &format!("/admin/sessions/{}", first.id), Value::Null).await.expect(204);
        server.ask("DELETE", &format!("/admin/sessions/{}", first.id), Value::Null).await.expect(204);
        let gone = server.ask("GET", &format!("/admin/sessions/{}", first.id), Value::Null).await.expect(200);
        assert_eq!(gone.json["active"], false);
        let own =
            server.ask("GET", &format!("/admin/identities/{id}/sessions?active=true"), Value::Null).await.expect(200);
        assert_eq!((own.json.as_array().unwrap().len(), &own.headers["x-total-count"]), (1, &"1".parse().unwrap()));
        assert_eq!(own.json[0]["identity"]["id"], id.as_str());

        let none = server
            .ask("POST", "/admin/sessions", json!({"action": "disable", "sessions": [first.id]}))
            .await
            .expect(200);
        assert_eq!(none.json, json!({"processed": 0, "more": false}));
        let some =
            server.ask("POST", "/admin/sessions", json!({"action": "disable", "identities": [id]})).await.expect(200);
        assert_eq!(some.json, json!({"processed": 1, "more": false}));
        let all =
            server.ask("POST", "/admin/sessions", json!({"action": "delete", "identities": ["*"]})).await.expect(200);
        assert_eq!(all.json, json!({"processed": 2, "more": false}));
        for wrong in [
            json!({"action": "disable"}),
            json!({"action": "disable", "identities": [id], "sessions": [first.id]}),
            json!({"action": "disable", "sessions": ["*"]}),
            json!({"action": "dance", "identities": ["*"]}),
        ] {
            server.ask("POST", "/admin/sessions", wrong).await.expect(400);
        }
        server.ask("DELETE", &format!("/admin/identities/{id}/sessions"), Value::Null).await.expect(404);
        server.sign_in(&id).await;
        server.ask("DELETE", &format!("/admin/identities/{id}/sessions"), Value::Null).await.expect(204);
        server.ask("GET", &format!("/admin/sessions/{}", second.id), Value::Null).await.expect(404);
        server.ask("PATCH", &format!("/admin/sessions/{}/extend", second.id), Value::Null).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_disabled_or_deleted_person_is_signed_out_at_once() {
    on_both(|server| async move {
        let id = server.create("ada@example.org").await;
        let session = server.sign_in(&id).await;
        let body = json!({"schema_id": "default", "state": "inactive", "traits": {"email": "ada@example.org"}});
        server.ask("PUT", &format!("/admin/identities/{id}"), body.clone()).await.expect(200);
        let ended = server.ask("GET", &format!("/admin/sessions/{}", session.id), Value::Null).await.expect(200);
        assert_eq!(ended.json["active"], false);
        let mut back = body;
        back["state"] = json!("active");
        server.ask("PUT", &format!("/admin/identities/{id}"), back).await.expect(200);
        let still = server.ask("GET", &format!("/admin/sessions/{}", session.id), Value::Null).await.expect(200);
        assert_eq!(still.json["active"], false, "reactivation does not restore the session");
        server.ask("DELETE", &format!("/admin/identities/{id}"), Value::Null).await.expect(204);
        server.ask("GET", &format!("/admin/sessions/{}", session.id), Value::Null).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_credential_is_deleted_unless_it_is_the_last_first_factor() {
    on_both(|server| async move {
        let body = json!({
            "traits": {"email": "ada@example.org"},
            "credentials": {
                "password": {"config": {"password": "correct horse"}},
                "oidc": {"config": {"providers": [{"provider": "google", "subject": "1"}]}},
                "totp": {"config": {"totp_url": "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP"}},
            },
        });
        let created = server.ask("POST", "/admin/identities", body).await.expect(201);
        let path = format!("/admin/identities/{}/credentials", created.json["id"].as_str().unwrap());
        server.ask("DELETE", &format!("{path}/totp"), Value::Null).await.expect(204);
        server.ask("DELETE", &format!("{path}/totp"), Value::Null).await.expect(404);
        server.ask("DELETE", &format!("{path}/oidc"), Value::Null).await.expect(400);
        server.ask("DELETE", &format!("{path}/oidc?identifier=google:1"), Value::Null).await.expect(204);
        server.ask("DELETE", &format!("{path}/password"), Value::Null).await.expect(400);
        server.ask("DELETE", &format!("{path}/code"), Value::Null).await.expect(400);
        server.ask("DELETE", &format!("{path}/fax"), Value::Null).await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn an_administrator_creates_a_recovery_code() {
    on_both(|server| async move {
        let id = server.create("ada@example.org").await;
        let made = server
            .ask("POST", "/admin/recovery/code?return_to=/ui/welcome", json!({"identity_id": id, "expires_in": "12h"}))
            .await
            .expect(201);
        let code = made.json["recovery_code"].as_str().unwrap();
        assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()));
        let link = made.json["recovery_link"].as_str().unwrap();
        let flow = link.split("flow=").nth(1).unwrap();
        let until: Timestamp = made.json["expires_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(until, server.clock.clock().now().plus(Duration::from_hours(12)));
        // Fetched and submitted without a cookie, by the person who received it.
        let shown =
            server.public(Kind::SinglePage).get(&format!("/self-service/recovery/flows?id={flow}")).await.expect(200);
        assert_eq!(shown.json["state"], "sent_email");
        assert_eq!(shown.json["return_to"], "/ui/welcome");
        let path = format!("/self-service/recovery?flow={flow}");
        // The flow is for this code only: it sends no other one.
        let request = json!({"method": "code", "email": "ada@example.org"});
        let rejected = server.public(Kind::SinglePage).post_json(&path, &request).await.expect(400);
        let at_code =
            rejected.json["ui"]["nodes"].as_array().unwrap().iter().find(|it| it["attributes"]["name"] == "code");
        assert_eq!(at_code.unwrap()["messages"][0]["id"], 4_000_002);
        let mails = server.ask("GET", "/admin/courier/messages", Value::Null).await.expect(200);
        assert_eq!(mails.json, json!([]));
        let passed = server.public(Kind::SinglePage).post_json(&path, &json!({"method": "code", "code": code})).await;
        assert_eq!(passed.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", passed.json);
        assert!(passed.set_cookies().iter().any(|cookie| cookie.name() == "ory_kratos_session"), "{passed}");
        let read = server.ask("GET", &format!("/admin/identities/{id}"), Value::Null).await.expect(200);
        assert_eq!(read.json["verifiable_addresses"][0]["verified"], false, "no address was verified");
        server
            .ask("POST", "/admin/recovery/code", json!({"identity_id": "9b6a3c7e-1f0a-4a55-8f4c-000000000000"}))
            .await
            .expect(404);
        server.ask("POST", "/admin/recovery/code", json!({"identity_id": id, "expires_in": "soon"})).await.expect(400);
        let elsewhere = "/admin/recovery/code?return_to=https://evil.example/";
        let refused = server.ask("POST", elsewhere, json!({"identity_id": id})).await.expect(400);
        assert!(refused.string("/error/reason").contains("return_to"), "{}", refused.json);
    })
    .await;
}

#[tokio::test]
async fn an_administrator_creates_a_recovery_link() {
    on_both(|server| async move {
        let id = server.create("ada@example.org").await;
        let body = json!({"identity_id": id, "expires_in": "12h"});
        let made = server.ask("POST", "/admin/recovery/link?return_to=/ui/welcome", body).await.expect(200);
        let until: Timestamp = made.json["expires_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(until, server.clock.clock().now().plus(Duration::from_hours(12)));
        let link = made.json["recovery_link"].as_str().unwrap();
        let path = link.strip_prefix("http://id.example").unwrap();
        server.public(Kind::Browser).get(path).await.expect(200);
        let passed = server.public(Kind::Browser).request(Method::POST, path, None).await.expect(303);
        assert!(passed.headers["location"].to_str().unwrap().starts_with("http://id.example/ui/settings?flow="));
        let again = server.public(Kind::Browser).request(Method::POST, path, None).await.expect(303);
        assert!(!again.set_cookies().iter().any(|cookie| cookie.name().starts_with("ory_kratos_s")));
        let read = server.ask("GET", &format!("/admin/identities/{id}"), Value::Null).await.expect(200);
        assert_eq!(read.json["verifiable_addresses"][0]["verified"], false, "no address was verified");
        for (query, body, word) in [
            ("", json!({"identity_id": "9b6a3c7e-1f0a-4a55-8f4c-000000000000"}), "identity_id"),
            ("", json!({"identity_id": id, "expires_in": "0s"}), "expires_in"),
            ("?return_to=https://evil.example/", json!({"identity_id": id}), "return_to"),
        ] {
            let refused = server.ask("POST", &format!("/admin/recovery/link{query}"), body).await.expect(400);
            assert!(refused.string("/error/reason").contains(word), "{}", refused.json);
        }
    })
    .await;
}
