//! A session between its first and its second factor, whatever the method: where it continues, what is recorded, what a recovery
//! keeps.

use serde_json::json;

use super::totp::{code_of, enabled, link, second_factor};
use super::{FlowReply as _, PASSWORD, with_server};
use crate::domain::code::CodePurpose;

#[tokio::test]
async fn guesses_after_many_other_rejections_are_recorded() {
    with_server(enabled(), |server| async move {
        let mut owner = server.native();
        owner.sign_up("a@example.org").await.expect(200);
        link(&server, &mut owner).await;
        let mut thief = server.native();
        thief.sign_in("a@example.org", PASSWORD).await.expect(200);
        let id = thief.begin_with("login", "?aal=aal2").await;
        for _ in 0..35 {
            thief.submit("login", &id, json!({"method": "nonsense"})).await.expect(400);
        }
        let before = server.events().await.len();
        thief.submit("login", &id, json!({"method": "totp", "totp_code": "000000"})).await.expect(400);
        assert_eq!(server.events().await.len(), before + 1);
    })
    .await;
}

#[tokio::test]
async fn the_start_says_that_a_recovery_removes_second_factors_where_addresses_are_never_verified() {
    let flows = |recovery: bool, verification: bool| json!({"recovery": {"enabled": recovery}, "verification": {"enabled": verification}});
    for (recovery, verification, totp, is_said) in
        [(true, false, true, true), (true, true, true, false), (false, false, true, false), (true, false, false, false)]
    {
        let methods = json!({"totp": {"enabled": totp}});
        let config = json!({"selfservice": {"methods": methods, "flows": flows(recovery, verification)}});
        with_server(config, |server| async move {
            let keys: Vec<String> = server.identity.remarks().into_iter().map(|remark| remark.key).collect();
            let is_named = keys.iter().any(|key| key == "identity.selfservice.flows.verification.enabled");
            assert_eq!(is_named, is_said, "{recovery} {verification} {totp}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_browser_that_stopped_at_the_second_factor_continues_there() {
    with_server(enabled(), |server| async move {
        let mut owner = server.native();
        owner.sign_up("a@example.org").await.expect(200);
        let secret = link(&server, &mut owner).await;
        let mut browser = server.browser();
        browser.sign_in("a@example.org", PASSWORD).await.expect(303);
        let again = browser.get("/self-service/login/browser?return_to=http://www.example/app").await.expect(303);
        let expected =
            "http://id.example:4433/self-service/login/browser?aal=aal2&return_to=http%3A%2F%2Fwww.example%2Fapp";
        assert_eq!(again.location(), expected);
        let mut native = server.native();
        native.sign_in("a@example.org", PASSWORD).await.expect(200);
        let refused = native.get("/self-service/login/api").await.expect(403);
        assert_eq!(refused.error_id(), "session_aal2_required");
        server.advance(60);
        second_factor(&mut native, json!({"method": "totp", "totp_code": code_of(&server, &secret)})).await.expect(200);
        let complete = native.get("/self-service/login/api").await.expect(400);
        assert_eq!(complete.error_id(), "session_already_available");
    })
    .await;
}

#[tokio::test]
async fn the_settings_after_a_recovery_continue_after_the_second_factor() {
    with_server(enabled(), |server| async move {
        let mut owner = server.native();
        owner.sign_up("a@example.org").await.expect(200);
        server.verify(&mut owner, "a@example.org").await;
        let secret = link(&server, &mut owner).await;
        let mut browser = server.browser();
        let id = browser.begin("recovery").await;
        browser.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(303);
        let code = server.code(&id, CodePurpose::Recovery).await;
        let passed = browser.submit("recovery", &id, json!({"method": "code", "code": code})).await.expect(303);
        let id = passed.sent_to("flow");
        let denied = browser.fetch("settings", &id).await.expect(403);
        let url = denied.json["redirect_browser_to"].as_str().unwrap();
        let back = format!("http%3A%2F%2Fid.example%3A4433%2Fself-service%2Fsettings%3Fflow%3D{id}");
        assert_eq!(url, format!("http://id.example:4433/self-service/login/browser?aal=aal2&return_to={back}"));

        server.advance(60);
        let step = browser.get(url).await.expect(303).sent_to("flow");
        let body = json!({"method": "totp", "totp_code": code_of(&server, &secret)});
        let proved = browser.submit("login", &step, body).await.expect(303);
        let page = browser.get(proved.location()).await.expect(303);
        assert_eq!(page.location(), format!("http://ui.example/settings?flow={id}"));
        browser.fetch("settings", &id).await.expect(200);
    })
    .await;
}
