//! Recovery and verification by link (`use: link`).

use serde_json::{Value, json};

use super::{Client, FlowReply as _, PASSWORD, TestServer, with_server};
use crate::components::courier::Template;
use crate::domain::code::CodePurpose;

fn by_link() -> Value {
    json!({"selfservice": {
        "flows": {"recovery": {"use": "link"}, "verification": {"use": "link"}},
        "methods": {"link": {"enabled": true}},
    }})
}

/// The link that was mailed for a flow.
async fn mailed(server: &TestServer, flow: &str) -> String {
    for mail in server.mails().await {
        let data = &mail.content.template_data;
        let Some(url) = data["recovery_url"].as_str().or(data["verification_url"].as_str()) else { continue };
        if url.contains(flow) {
            assert!(mail.content.body.contains(url) && mail.content.html_body.as_deref().unwrap().contains("token="));
            return url.to_owned();
        }
    }
    panic!("no mail for {flow}");
}

async fn ask(client: &mut Client, flow: &str, email: &str) -> String {
    let id = client.begin(flow).await;
    client.submit(flow, &id, json!({"method": "link", "email": email})).await;
    id
}

#[tokio::test]
async fn a_known_and_an_unknown_address_get_the_same_response() {
    with_server(by_link(), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let before = server.mails().await.len();
        for (flow, message) in [("recovery", 1_060_002), ("verification", 1_080_001)] {
            let mut answers = Vec::new();
            for address in ["a@example.org", "b@example.org"] {
                let mut client = server.native();
                let id = client.begin(flow).await;
                let form = client.fetch(flow, &id).await;
                assert_eq!(form.json["active"], "link");
                let bare = ["default/csrf_token/hidden/", "link/email/email/", "link/method/submit/link"];
                assert_eq!(form.nodes(), bare);
                let before = server.identity.database.usage().statements;
                let sent = client.submit(flow, &id, json!({"method": "link", "email": address})).await.expect(200);
                assert_eq!((sent.messages(), &sent.json["state"]), (vec![message], &json!("sent_email")));
                assert_eq!(sent.node("email")["attributes"]["value"], address);
                let statements = server.identity.database.usage().statements - before;
                answers.push((sent.nodes().join(" ").replace(address, ""), statements));
            }
            let (known, unknown) = (&answers[0], &answers[1]);
            assert_eq!(known.0, unknown.0);
            // The extra statements read the person and their addresses, and store the mail: its row, its job, and its
            // status.
            assert!(known.1 - unknown.1 <= 6, "{answers:?}");
        }
        assert_eq!(server.mails().await.len(), before + 2, "only the known address gets mail");
    })
    .await;
}

#[tokio::test]
async fn unknown_recipients_are_notified_if_configured() {
    let mut config = by_link();
    config["selfservice"]["flows"]["recovery"]["notify_unknown_recipients"] = json!(true);
    config["selfservice"]["flows"]["verification"]["notify_unknown_recipients"] = json!(true);
    with_server(config, |server| async move {
        for flow in ["recovery", "verification"] {
            ask(&mut server.native(), flow, "nobody@example.org").await;
        }
        let mails = server.mails().await;
        assert_eq!(mails.len(), 2);
        for template in [Template::VerificationInvalid, Template::RecoveryInvalid] {
            assert!(mails.iter().any(|mail| mail.template_type == template), "{template:?}");
        }
        assert!(mails.iter().all(|mail| !mail.content.template_data.to_string().contains("token=")));
    })
    .await;
}

#[tokio::test]
async fn a_link_works_once_in_any_browser() {
    with_server(by_link(), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        for asker in [server.browser(), server.spa(), server.native()] {
            let mut asker = asker;
            let id = ask(&mut asker, "recovery", "a@example.org").await;
            let link = mailed(&server, &id).await;
            let mut reader = server.browser();
            let passed = reader.follow(&link).await.expect(303);
            assert!(passed.location().starts_with("http://ui.example/settings?flow="), "{}", passed.location());
            let settings = passed.sent_to("flow");
            assert_eq!(reader.fetch("settings", &settings).await.expect(200).messages(), [1_060_001]);
            let me = reader.whoami().await.expect(200);
            assert_eq!(me.json["authentication_methods"][0]["method"], "link_recovery");
            assert_eq!(me.json["authenticator_assurance_level"], "aal1");
            assert_eq!(me.json["identity"]["verifiable_addresses"][0]["verified"], true);
            asker.whoami().await.expect(401);

            let mut late = server.browser();
            let again = late.follow(&link).await.expect(303);
            assert!(again.location().starts_with("http://ui.example/recovery?flow="));
            assert_eq!(late.fetch("recovery", &again.sent_to("flow")).await.expect(200).messages(), [4_060_004]);
            late.whoami().await.expect(401);
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_of_another_origin_cannot_submit_a_link() {
    with_server(by_link(), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        for flow in ["recovery", "verification"] {
            let id = ask(&mut server.native(), flow, "a@example.org").await;
            let link = mailed(&server, &id).await;
            let mut reader = server.browser();
            let (path, token) = link.split_once("&token=").unwrap();
            for site in ["cross-site", "same-site"] {
                reader.http = reader.http.with_header("sec-fetch-site", site);
                for (path, body) in [(link.as_str(), ""), (path, &format!("token={token}"))] {
                    let bounced = reader.post(path, "application/x-www-form-urlencoded", body).await.expect(303);
                    assert_eq!(bounced.location(), link, "{flow}: the button is shown");
                }
            }
            reader.whoami().await.expect(401);
            reader.http = reader.http.with_header("sec-fetch-site", "same-origin");
            let passed = reader.follow(&link).await.expect(303);
            assert_ne!(passed.location(), link, "{flow}: the link was not used up");
        }
    })
    .await;
}

#[tokio::test]
async fn a_link_of_another_flow_or_kind_is_rejected() {
    with_server(by_link(), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let second = ask(&mut server.native(), "recovery", "a@example.org").await;
        let first = ask(&mut server.native(), "recovery", "a@example.org").await;
        let link = mailed(&server, &first).await;
        let verification = ask(&mut server.native(), "verification", "a@example.org").await;
        let mut reader = server.browser();
        for path in [
            link.replace(&first, &second),
            link.replace(&first, &verification).replace("recovery?", "verification?"),
            format!("{link}x"),
            link.to_lowercase(),
        ] {
            reader.follow(&path).await.expect(303);
            reader.whoami().await.expect(401);
        }
        // Wrong guesses at this flow do not invalidate the right link.
        reader.follow(&link).await.expect(303);
        reader.whoami().await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_new_link_replaces_the_old_one_and_wrong_ones_do_not_invalidate_it() {
    with_server(by_link(), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut asker = server.native();
        let id = ask(&mut asker, "recovery", "a@example.org").await;
        let old = mailed(&server, &id).await;
        asker.submit("recovery", &id, json!({"method": "link", "email": "a@example.org"})).await.expect(200);
        server.browser().follow(&old).await.expect(303);
        let mut reader = server.browser();
        for _ in 0..20 {
            reader.follow(&format!("/self-service/recovery?flow={id}&token=wrong")).await.expect(303);
        }
        let mails = server.mails().await;
        let fresh = mails.iter().map(|mail| mail.content.template_data["recovery_url"].clone());
        let fresh = fresh.filter_map(|url| url.as_str().map(str::to_owned)).find(|url| *url != old).unwrap();
        reader.follow(&fresh).await.expect(303);
        reader.whoami().await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_link_expires_after_its_lifespan() {
    let mut config = by_link();
    config["selfservice"]["methods"]["link"]["config"] =
        json!({"lifespan": "3h", "base_url": "https://go.example/id/"});
    with_server(config, |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        for (wait, status) in [(2 * 3600, 200), (3 * 3600 + 1, 401)] {
            let id = ask(&mut server.native(), "recovery", "a@example.org").await;
            let link = mailed(&server, &id).await;
            let path = link.strip_prefix("https://go.example/id").expect("the configured base").to_owned();
            server.advance(wait);
            let mut reader = server.browser();
            reader.follow(&path).await.expect(303);
            reader.whoami().await.expect(status);
        }
    })
    .await;
}

#[tokio::test]
async fn a_verification_link_ends_on_the_page_of_the_browser_that_opened_it() {
    with_server(by_link(), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        for asker in [server.browser(), server.native()] {
            let mut asker = asker;
            let id = ask(&mut asker, "verification", "a@example.org").await;
            let link = mailed(&server, &id).await;
            let mut reader = server.browser();
            let passed = reader.follow(&link).await.expect(303);
            assert_eq!(passed.location(), format!("http://ui.example/verification?flow={id}"));
            let shown = reader.fetch("verification", &id).await.expect(200);
            assert_eq!((shown.messages(), &shown.json["state"]), (vec![1_080_002], &json!("passed_challenge")));
            assert_eq!(shown.json["ui"]["nodes"][0]["group"], "link");
            reader.whoami().await.expect(401);
            let mut person = server.native();
            person.sign_in("a@example.org", PASSWORD).await.expect(200);
            assert_eq!(person.whoami().await.json["identity"]["verifiable_addresses"][0]["status"], "completed");
            let again = reader.follow(&link).await.expect(303);
            assert_eq!(reader.fetch("verification", &again.sent_to("flow")).await.messages(), [4_070_001]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_sign_up_sends_a_link_unless_a_flow_waits_for_a_code() {
    let waits = json!({"confirm_address_first": true, "after": {"password": {"hooks": []}}});
    for (registration, template, active) in
        [(json!({}), Template::VerificationValid, "link"), (waits, Template::VerificationCodeValid, "code")]
    {
        let mut config = by_link();
        config["selfservice"]["flows"]["registration"] = registration;
        with_server(config, |server| async move {
            let mut client = server.spa();
            let reply = client.sign_up("a@example.org").await.expect(200);
            let mails = server.mails().await;
            assert_eq!(mails.iter().map(|mail| mail.template_type).collect::<Vec<_>>(), [template]);
            if active == "code" {
                let flow = reply.json["continue_with"][0]["flow"]["id"].as_str().unwrap().to_owned();
                // An invented token of a stranger does not affect the sign-up.
                let mut stranger = server.browser();
                let path = format!("/self-service/verification?flow={flow}&token=x");
                let new = stranger.follow(&path).await.expect(303).sent_to("flow");
                stranger.submit("verification", &new, json!({"method": "link", "email": "a@example.org"})).await;
                assert_eq!(server.mails().await.len(), 1);
                let code = server.code(&flow, CodePurpose::Verification).await;
                client.submit("verification", &flow, json!({"method": "code", "code": code})).await.expect(200);
                client.whoami().await.expect(200);
                server.native().sign_in("a@example.org", PASSWORD).await.expect(200);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn the_method_that_is_not_in_use_is_rejected() {
    with_server(by_link(), |server| async move {
        let mut client = server.native();
        let id = client.begin("recovery").await;
        let other =
            client.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(400);
        assert_eq!(other.messages(), [4_010_005]);
        let empty = client.submit("recovery", &id, json!({"method": "link"})).await.expect(400);
        assert_eq!(empty.node_messages("email"), [4_000_002]);
        let phone = client.submit("recovery", &id, json!({"method": "link", "email": "+15550100"})).await.expect(400);
        assert_eq!(phone.node_messages("email"), [4_000_040]);
    })
    .await;
}

#[tokio::test]
async fn viewing_a_link_does_not_use_it() {
    with_server(by_link(), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let id = ask(&mut server.native(), "recovery", "a@example.org").await;
        let link = mailed(&server, &id).await;
        server.browser().head(&link).await.expect(200);
        for mut scanner in [server.browser(), server.spa(), server.native()] {
            scanner.get(&link).await.expect(200);
            scanner.whoami().await.expect(401);
        }
        let verification = ask(&mut server.native(), "verification", "a@example.org").await;
        server.browser().get(&mailed(&server, &verification).await).await.expect(200);
        assert_eq!(server.native().fetch("verification", &verification).await.json["state"], "sent_email");
        let mut reader = server.browser();
        reader.follow(&link).await.expect(303);
        reader.whoami().await.expect(200);
    })
    .await;
}
