//! What the holder of a password can do to an account with a second factor.

use serde_json::{Value, json};

use super::lookup_secret::codes;
use super::totp::{code_of, link};
use super::{Client, PASSWORD, Reply, with_server};
use crate::domain::code::CodePurpose;

fn enabled() -> Value {
    json!({"selfservice": {
        "methods": {"totp": {"enabled": true}, "lookup_secret": {"enabled": true}},
        "flows": {"settings": {"required_aal": "aal1"}},
    }})
}

async fn prove(client: &mut Client, code: String) -> Reply {
    let id = client.begin_with("login", "?aal=aal2").await;
    client.submit("login", &id, json!({"method": "totp", "totp_code": code})).await
}

#[tokio::test]
async fn a_recovery_by_a_replaced_address_keeps_the_second_factor() {
    with_server(enabled(), |server| async move {
        let mut owner = server.native();
        owner.sign_up("a@example.org").await.expect(200);
        server.verify(&mut owner, "a@example.org").await;
        let secret = link(&server, &mut owner).await;

        let mut thief = server.native();
        thief.sign_in("a@example.org", PASSWORD).await.expect(200);
        let id = thief.begin("settings").await;
        let body = json!({"method": "profile", "traits": {"email": "thief@example.org"}});
        thief.submit("settings", &id, body).await.expect(200);
        let mut recovered = server.native();
        let id = recovered.begin("recovery").await;
        let body = json!({"method": "code", "email": "thief@example.org"});
        recovered.submit("recovery", &id, body).await.expect(200);
        let code = server.code(&id, CodePurpose::Recovery).await;
        let reply = recovered.submit("recovery", &id, json!({"method": "code", "code": code})).await.expect(200);
        recovered.token = reply.json["continue_with"][0]["ory_session_token"].as_str().map(str::to_owned);
        recovered.whoami().await.expect(403);
        server.advance(60);
        prove(&mut recovered, code_of(&server, &secret)).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn revealed_codes_are_not_shown_to_a_session_without_the_second_factor() {
    with_server(enabled(), |server| async move {
        let mut owner = server.native();
        owner.sign_up("a@example.org").await.expect(200);
        let id = owner.begin("settings").await;
        let made = owner.submit("settings", &id, json!({"lookup_secret_regenerate": true})).await.expect(200);
        let code = codes(&made)[0].clone().unwrap();
        owner.submit("settings", &id, json!({"lookup_secret_confirm": true})).await.expect(200);
        let shows_codes = |flow: &Reply| flow.json.to_string().contains(&code);
        let id = owner.begin("settings").await;
        assert!(shows_codes(&owner.submit("settings", &id, json!({"lookup_secret_reveal": true})).await.expect(200)));
        assert!(shows_codes(&owner.fetch("settings", &id).await.expect(200)));
        let mut thief = server.native();
        thief.sign_in("a@example.org", PASSWORD).await.expect(200);
        assert!(!shows_codes(&thief.fetch("settings", &id).await.expect(200)));
        let refused = thief.submit("settings", &id, json!({"method": "password", "password": "short"})).await;
        assert!(!shows_codes(&refused));
    })
    .await;
}

#[tokio::test]
async fn guesses_at_the_password_do_not_use_up_guesses_at_the_second_factor() {
    with_server(enabled(), |server| async move {
        let mut owner = server.native();
        let signed_up = owner.sign_up("a@example.org").await.expect(200);
        let person = signed_up.json["identity"]["id"].as_str().unwrap().to_owned();
        let secret = link(&server, &mut owner).await;
        server.advance(60);
        let mut elsewhere = server.native();
        elsewhere.http.address = Some([198, 51, 100, 7].into());
        elsewhere.sign_in("a@example.org", PASSWORD).await.expect(200);
        for (number, name) in (0..24).zip([person.as_str(), "a@example.org"].into_iter().cycle()) {
            let mut stranger = server.native();
            stranger.http.address = Some([203, 0, 113, number].into());
            stranger.sign_in(name, "a wrong password").await;
        }
        prove(&mut elsewhere, code_of(&server, &secret)).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_browser_gets_a_new_token_with_the_second_factor() {
    with_server(enabled(), |server| async move {
        let mut owner = server.native();
        owner.sign_up("a@example.org").await.expect(200);
        let secret = link(&server, &mut owner).await;
        server.advance(60);
        let mut browser = server.browser();
        browser.sign_in("a@example.org", PASSWORD).await;
        let mut planted = browser.clone();
        prove(&mut browser, code_of(&server, &secret)).await;
        browser.whoami().await.expect(200);
        planted.whoami().await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn a_browser_gets_a_new_token_with_the_factor_that_it_sets_up() {
    with_server(enabled(), |server| async move {
        let mut browser = server.spa();
        browser.sign_up("a@example.org").await.expect(200);
        let mut planted = browser.clone();
        link(&server, &mut browser).await;
        browser.whoami().await.expect(200);
        planted.whoami().await.expect(401);
    })
    .await;
}
