//! Limits on attempts (`docs/adr/0008-attempt-limits.md`): strangers are limited, and owners are not locked out.

use std::net::IpAddr;

use base::Context;
use base64::Engine as _;
use serde_json::json;

use crate::components::attempts::{AdmittedGuess, Caller, Target};
use crate::storage::tests::count_rows;

use super::{Client, FlowReply as _, PASSWORD, TestServer, with_server};
use crate::domain::code::CodePurpose;

/// An address that no other request used.
fn elsewhere(number: u32) -> IpAddr {
    std::net::Ipv4Addr::from(0x0a00_0000 + number).into()
}

fn at(mut client: Client, number: u32) -> Client {
    client.http.address = Some(elsewhere(number));
    client
}

/// Wrong passwords for one name, each from another address. Returns how many a limit rejected.
async fn attack(server: &TestServer, name: &str, guesses: u32) -> usize {
    let mut refused = 0;
    for number in 0..guesses {
        let reply = at(server.native(), number).sign_in(name, "wrong password").await;
        match reply.status.as_u16() {
            400 => {}
            429 => refused += 1,
            other => panic!("{other}: {}", reply.json),
        }
    }
    refused
}

/// Admits a guess of a stranger, as if it were being checked.
async fn admit(server: &TestServer, cx: &Context, name: &str) -> Option<AdmittedGuess> {
    let caller = Caller::at(cx);
    let target = Target::Secret { name, person: None };
    server.identity.attempts.admit(cx, &caller, &target, false).await.ok()
}

async fn counters(server: &TestServer) -> i64 {
    count_rows(&server.identity.database).await[0]
}

async fn open_codes(server: &TestServer) -> i64 {
    count_rows(&server.identity.database).await[1]
}

async fn messages(server: &TestServer) -> i64 {
    count_rows(&server.identity.database).await[2]
}

#[tokio::test]
async fn an_owner_signs_in_during_an_attack_from_a_familiar_network() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        assert_eq!(attack(&server, "a@example.org", 120).await, 110, "ten guesses are checked");
        server.native().sign_in("a@example.org", PASSWORD).await.expect(200);
        // The owner's own mistakes do not depend on the attack either.
        server.native().sign_in("a@example.org", "a slip of the pen").await.expect(400);
        server.native().sign_in("a@example.org", PASSWORD).await.expect(200);
        // Strangers may guess again once every ten minutes.
        server.advance(3601);
        assert_eq!(attack(&server, "a@example.org", 20).await, 14);
    })
    .await;
}

#[tokio::test]
async fn an_owner_signs_in_during_an_attack_from_a_familiar_device_in_any_network() {
    with_server(json!({}), |server| async move {
        let mut owner = server.browser();
        owner.sign_up("a@example.org").await.expect(303);
        assert_eq!(owner.http.cookie("kleis_device").map(str::len), Some(32));
        owner.http.cookies.remove("ory_kratos_session");
        attack(&server, "a@example.org", 30).await;
        let device = owner.http.cookie("kleis_device").unwrap().to_owned();
        let mut moved = at(owner, 10_000);
        moved.sign_in("a@example.org", PASSWORD).await.expect(303);
        assert_eq!(moved.whoami().await.expect(200).json["identity"]["traits"]["email"], "a@example.org");
        assert_eq!(moved.http.cookie("kleis_device"), Some(device.as_str()));
        // The network is familiar now too.
        at(server.native(), 10_000).sign_in("a@example.org", PASSWORD).await.expect(200);

        // The device of another person is not familiar, and neither is an invented cookie.
        let mut other = server.browser();
        other.sign_up("b@example.org").await.expect(303);
        other.http.cookies.remove("ory_kratos_session");
        for cookie in [other.http.cookie("kleis_device").unwrap().to_owned(), "x".repeat(32), "nonsense".to_owned()] {
            let mut stranger = at(server.spa(), 10_001);
            stranger.http.set_cookie("kleis_device", &cookie);
            stranger.sign_in("a@example.org", PASSWORD).await.expect(429);
        }
    })
    .await;
}

#[tokio::test]
async fn unknown_and_known_names_have_the_same_limits() {
    with_server(json!({}), |server| async move {
        at(server.native(), 1).sign_up("a@example.org").await.expect(200);
        let mut seen = Vec::new();
        for name in ["a@example.org", "nobody@example.org"] {
            let mut answers = Vec::new();
            for number in 0..14 {
                let reply = at(server.native(), 100 + number).sign_in(name, "wrong password").await;
                let wait = reply.headers.get("retry-after").map(|it| it.to_str().unwrap().to_owned());
                answers.push((reply.status, reply.messages(), wait));
            }
            seen.push(answers);
        }
        assert_eq!(seen[0], seen[1]);
        assert_eq!(seen[0][10].2.as_deref(), Some("600"));
    })
    .await;
}

#[tokio::test]
async fn a_second_name_of_an_attacked_person_is_not_revealed() {
    let schema = json!({
        "type": "object",
        "properties": {"traits": {"type": "object", "properties": {
            "email": {"type": "string", "format": "email", "ory.sh/kratos": {"credentials": {"password": {"identifier": true}}}},
            "name": {"type": "string", "ory.sh/kratos": {"credentials": {"password": {"identifier": true}}}},
        }}},
    });
    let url = format!("base64://{}", base64::engine::general_purpose::STANDARD.encode(schema.to_string()));
    let config = json!({"identity": {"default_schema_id": "two", "schemas": [{"id": "two", "url": url}]}});
    with_server(config, |server| async move {
        let mut client = server.native();
        let id = client.begin("registration").await;
        let traits = json!({"email": "a@example.org", "name": "ada"});
        client
            .submit("registration", &id, json!({"method": "password", "password": PASSWORD, "traits": traits}))
            .await
            .expect(200);
        attack(&server, "a@example.org", 30).await;
        let mut seen = Vec::new();
        for name in ["ada", "nobody"] {
            let mut statuses = Vec::new();
            for number in 0..12 {
                statuses.push(at(server.native(), 200 + number).sign_in(name, "wrong password").await.status);
            }
            seen.push(statuses);
        }
        assert_eq!(seen[0], seen[1]);
        assert_eq!(seen[0][9].as_u16(), 400);
        assert_eq!(seen[0][10].as_u16(), 429);
        server.advance(600);
        // Meanwhile even the right password is rejected for strangers, but the owner is not affected.
        server.native().sign_in("ada", PASSWORD).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_successful_sign_in_writes_no_counter() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let before = counters(&server).await;
        for _ in 0..15 {
            server.native().sign_in("a@example.org", PASSWORD).await.expect(200);
        }
        at(server.native(), 1).sign_in("a@example.org", PASSWORD).await.expect(200);
        assert_eq!(counters(&server).await, before);
    })
    .await;
}

#[tokio::test]
async fn guesses_that_were_never_checked_are_not_counted() {
    with_server(json!({}), |server| async move {
        let name = "a@example.org";
        let cx = server.cx();
        let visitor_less = |number: u32| Context { client_address: Some(elsewhere(number)), ..cx.clone() };
        // As many guesses as allowed are admitted and dropped, as when the hashing pool is overloaded.
        for number in 0..50 {
            let cx = visitor_less(number % 3);
            let guess = admit(&server, &cx, name).await.expect("nothing was checked");
            drop(guess);
        }
        assert_eq!(counters(&server).await, 0);
        // Rejected guesses are not counted either: after ten failures the wait does not grow.
        server.native().sign_up(name).await.expect(200);
        attack(&server, name, 10).await;
        let wait = |reply: super::Reply| reply.expect(429).headers["retry-after"].to_str().unwrap().to_owned();
        let first = wait(at(server.native(), 77).sign_in(name, PASSWORD).await);
        attack(&server, name, 40).await;
        assert_eq!(wait(at(server.native(), 77).sign_in(name, PASSWORD).await), first);
    })
    .await;
}

#[tokio::test]
async fn only_checked_guesses_at_existing_accounts_are_recorded() {
    with_server(json!({}), |server| async move {
        let person = server.native().sign_up("a@example.org").await.expect(200).json["identity"]["id"].clone();
        let failed = async || {
            let page = base::PageRequest { size: 1000, after: None };
            let mut tx = server.identity.database.read(server.cx().tenant);
            let events = jobs::list_events(&mut tx, page).await.unwrap().items;
            events.into_iter().filter(|event| event.name == "LoginFailed").collect::<Vec<_>>()
        };
        attack(&server, "nobody@example.org", 3).await;
        assert!(failed().await.is_empty());
        attack(&server, "a@example.org", 40).await;
        let events = failed().await;
        assert_eq!(events.len(), 10, "the limit of strangers");
        for event in events {
            assert_eq!((json!(event.subject), event.actor.as_str()), (person.clone(), "anonymous"));
            assert_eq!(event.attributes["SelfServiceMethodUsed"], "password");
            assert_eq!(event.attributes["ErrorReason"], "the password is wrong");
        }
    })
    .await;
}

#[tokio::test]
async fn concurrent_guesses_do_not_exceed_the_limit() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let cx = Context { client_address: Some(elsewhere(1)), ..server.cx() };
        let mut admitted = Vec::new();
        for _ in 0..40 {
            admitted.extend(admit(&server, &cx, "a@example.org").await);
        }
        assert_eq!(admitted.len(), 10);
        for guess in admitted {
            let mut tx = server.identity.database.write(cx.tenant).await.unwrap();
            server.identity.attempts.count_failure(&mut tx, &cx, &guess).await.unwrap();
            tx.commit().await.unwrap();
            drop(guess);
        }
        assert!(admit(&server, &cx, "a@example.org").await.is_none());
    })
    .await;
}

/// Opens recovery flows for one person, each from its own address, and guesses five times in each.
async fn guess_codes(server: &TestServer, flows: u32) -> (usize, usize) {
    let (mut checked, mut refused) = (0, 0);
    for number in 0..flows {
        let mut client = at(server.native(), number);
        let id = client.begin("recovery").await;
        client.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(200);
        for _ in 0..5 {
            let reply = client.submit("recovery", &id, json!({"method": "code", "code": "000000"})).await;
            match reply.status.as_u16() {
                200 => checked += 1,
                429 => refused += 1,
                other => panic!("{other}: {}", reply.json),
            }
        }
    }
    (checked, refused)
}

#[tokio::test]
async fn guesses_at_codes_count_for_the_person_over_all_flows() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mails = messages(&server).await;
        let (checked, refused) = guess_codes(&server, 200).await;
        // Ten, plus the first guess at each code that was sent.
        assert!(checked <= 10 + 5, "{checked} guesses were checked");
        assert_eq!(checked + refused, 1000);
        assert_eq!(messages(&server).await - mails, 5);
        assert_eq!(open_codes(&server).await, 1, "one code for the person");
        // Passwords and codes share a budget, and the owner has a separate one.
        at(server.native(), 5_000).sign_in("a@example.org", PASSWORD).await.expect(429);
        server.native().sign_in("a@example.org", PASSWORD).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn an_owner_on_a_new_device_recovers_while_passwords_are_guessed() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        attack(&server, "a@example.org", 50).await;
        let mut owner = at(server.spa(), 9_000);
        let id = owner.begin("recovery").await;
        owner.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(200);
        let code = server.code(&id, CodePurpose::Recovery).await;
        owner.submit("recovery", &id, json!({"method": "code", "code": code})).await.expect(422);
        owner.whoami().await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn an_owner_recovers_from_a_familiar_network_while_strangers_ask_for_codes() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut owner = server.spa();
        let id = owner.begin("recovery").await;
        owner.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(200);
        guess_codes(&server, 20).await;
        let code = server.code(&id, CodePurpose::Recovery).await;
        owner.submit("recovery", &id, json!({"method": "code", "code": code})).await.expect(422);

        // They can also request a new one after strangers used up their budget.
        let mut again = server.spa();
        let id = again.begin("recovery").await;
        again.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(200);
        server.code(&id, CodePurpose::Recovery).await;
    })
    .await;
}

/// The links of the recovery mails that were sent.
async fn mailed_links(server: &TestServer) -> Vec<String> {
    let link = |mail: crate::domain::message_queue::Message| {
        mail.content.template_data["recovery_url"].as_str().map(str::to_owned)
    };
    server.mails().await.into_iter().filter_map(link).collect()
}

/// How many of the links are accepted on a new device.
async fn let_in_by(server: &TestServer, links: &[String]) -> usize {
    let mut let_in = 0;
    for link in links {
        let mut browser = at(server.browser(), 9_000);
        browser.follow(link).await.expect(303);
        let_in += usize::from(browser.whoami().await.status == 200);
    }
    let_in
}

#[tokio::test]
async fn an_owner_on_a_new_device_recovers_by_the_newest_mail_of_a_flood() {
    #[derive(Clone, Copy)]
    enum Then {
        Nothing,
        NameAnother,
        EndTheFlow,
    }
    for then in [Then::Nothing, Then::NameAnother, Then::EndTheFlow] {
        with_server(json!({}), |server| async move {
            server.native().sign_up("a@example.org").await.expect(200);
            at(server.native(), 8_000).sign_up("stranger@example.org").await.expect(200);
            let code = |email: &str| json!({"method": "code", "email": email});
            for number in 0..12 {
                let mut stranger = at(server.native(), number);
                let id = stranger.begin("recovery").await;
                stranger.submit("recovery", &id, code("a@example.org")).await.expect(200);
                match then {
                    Then::NameAnother => {
                        stranger.submit("recovery", &id, code("nobody@example.org")).await.expect(200);
                    }
                    // The budget for messages to a stranger's own address is used up too.
                    Then::EndTheFlow if number == 0 => {
                        stranger.submit("recovery", &id, code("stranger@example.org")).await.expect(200);
                        let own = server.code(&id, CodePurpose::Recovery).await;
                        stranger.submit("recovery", &id, json!({"method": "code", "code": own})).await.expect(200);
                    }
                    Then::Nothing | Then::EndTheFlow => {}
                }
            }
            // The budget for this address is used up: the owner's own request sends no mail.
            let before = mailed_links(&server).await;
            let mut owner = at(server.spa(), 9_000);
            let id = owner.begin("recovery").await;
            owner.submit("recovery", &id, code("a@example.org")).await.expect(200);
            let links = mailed_links(&server).await;
            assert_eq!(links, before);
            assert_eq!(let_in_by(&server, &[links.clone(), links].concat()).await, 1, "the newest link, once");
        })
        .await;
    }
}

#[tokio::test]
async fn a_link_does_not_outlive_a_recovery_or_a_new_password() {
    with_server(json!({}), |server| async move {
        let mut owner = server.browser();
        owner.sign_up("a@example.org").await.expect(303);
        owner.http.cookies.remove("ory_kratos_session");
        for changes_password in [true, false] {
            let mut stranger = at(server.spa(), 1);
            let id = stranger.begin("recovery").await;
            stranger.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(200);
            let links = mailed_links(&server).await;
            if changes_password {
                let mut owner = server.native();
                owner.sign_in("a@example.org", PASSWORD).await.expect(200);
                let id = owner.begin("settings").await;
                let body = json!({"method": "password", "password": "another good password"});
                owner.submit("settings", &id, body).await.expect(200);
            } else {
                let mut familiar = server.spa();
                familiar.http.set_cookie("kleis_device", owner.http.cookie("kleis_device").unwrap());
                let id = familiar.begin("recovery").await;
                familiar.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(200);
                let code = server.code(&id, CodePurpose::Recovery).await;
                familiar.submit("recovery", &id, json!({"method": "code", "code": code})).await.expect(422);
            }
            assert_eq!(let_in_by(&server, &links).await, 0, "password changed: {changes_password}");
        }
    })
    .await;
}

#[tokio::test]
async fn links_that_are_switched_off_are_in_no_mail() {
    let off = json!({"selfservice": {"methods": {"link": {"enabled": false}}}});
    for (change, has_link) in [(json!({}), true), (off, false)] {
        with_server(change, |server| async move {
            server.native().sign_up("a@example.org").await.expect(200);
            let mut asker = server.spa();
            let id = asker.begin("recovery").await;
            asker.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(200);
            let mails = server.mails().await;
            let mail = mails.iter().find(|mail| mail.content.body.contains("recover your account")).unwrap();
            assert_eq!(mail.content.body.contains("/self-service/recovery?flow="), has_link);
            assert_eq!(mail.content.template_data.get("recovery_url").is_some(), has_link);
        })
        .await;
    }
}

#[tokio::test]
async fn a_new_code_invalidates_the_older_ones_of_the_person() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut flows = Vec::new();
        for _ in 0..2 {
            let mut client = server.spa();
            let id = client.begin("recovery").await;
            client.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(200);
            let code = server.code(&id, CodePurpose::Recovery).await;
            flows.push((client, id, code));
        }
        let (mut newer, id, code) = flows.pop().unwrap();
        let (mut older, old_id, old_code) = flows.pop().unwrap();
        let wrong = older.submit("recovery", &old_id, json!({"method": "code", "code": old_code})).await.expect(200);
        assert_eq!(wrong.messages(), [4_060_006]);
        newer.submit("recovery", &id, json!({"method": "code", "code": code})).await.expect(422);
    })
    .await;
}

#[tokio::test]
async fn a_superseded_code_is_answered_like_the_code_of_an_unknown_account() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut answers = Vec::new();
        for (number, email) in [(1, "a@example.org"), (3, "nobody@example.org")] {
            let mut older = at(server.spa(), number);
            let id = older.begin("recovery").await;
            older.submit("recovery", &id, json!({"method": "code", "email": email})).await.expect(200);
            let mut newer = at(server.spa(), number + 1);
            let newer_id = newer.begin("recovery").await;
            newer.submit("recovery", &newer_id, json!({"method": "code", "email": email})).await.expect(200);
            let mut seen = Vec::new();
            for _ in 0..7 {
                let reply = older.submit("recovery", &id, json!({"method": "code", "code": "000000"})).await;
                seen.push((reply.status.as_u16(), reply.messages()));
            }
            answers.push(seen);
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0][5], (400, vec![4_000_001]), "no more guesses at this code");
    })
    .await;
}

#[tokio::test]
async fn a_new_code_is_accepted_after_five_wrong_ones() {
    let config = json!({"selfservice": {"methods": {"code": {"passwordless_enabled": true}}}});
    with_server(config, |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        for (flow, purpose, ask, wrong_status, right_status) in [
            ("recovery", CodePurpose::Recovery, json!({"method": "code", "email": "a@example.org"}), 200, 422),
            ("verification", CodePurpose::Verification, json!({"method": "code", "email": "a@example.org"}), 200, 200),
            ("login", CodePurpose::Login, json!({"method": "code", "identifier": "a@example.org"}), 400, 200),
        ] {
            server.advance(7200);
            let mut client = server.spa();
            let id = client.begin(flow).await;
            client.submit(flow, &id, ask.clone()).await;
            for _ in 0..5 {
                client.submit(flow, &id, json!({"method": "code", "code": "000000"})).await.expect(wrong_status);
            }
            let code = server.code(&id, purpose).await;
            let late = client.submit(flow, &id, json!({"method": "code", "code": code})).await.expect(400);
            assert_eq!(late.messages(), [4_000_001], "{flow}: a new code must be requested");
            client.submit(flow, &id, ask).await;
            let code = server.code(&id, purpose).await;
            client.submit(flow, &id, json!({"method": "code", "code": code})).await.expect(right_status);
        }
    })
    .await;
}

#[tokio::test]
async fn no_code_is_stored_when_its_mail_is_not_sent() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let before = messages(&server).await;
        let mut shown = Vec::new();
        for number in 0..7 {
            let mut client = at(server.native(), number);
            let id = client.begin("recovery").await;
            let reply =
                client.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(200);
            shown.push((reply.nodes(), reply.messages()));
        }
        assert!(shown.iter().all(|answer| *answer == shown[0]), "the responses are equal");
        assert_eq!(messages(&server).await - before, 5);
        assert_eq!(open_codes(&server).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_hundred_and_thirty_sign_ups_from_one_address_send_thirty_mails() {
    with_server(json!({}), |server| async move {
        for number in 0..130 {
            server.native().sign_up(&format!("stranger{number}@example.org")).await.expect(200);
        }
        assert_eq!(messages(&server).await, 30);
        // If the mail is the purpose of the request, the response asks the client to wait.
        let mut client = server.native();
        let id = client.begin("verification").await;
        let ask = json!({"method": "code", "email": "stranger129@example.org"});
        let refused = client.submit("verification", &id, ask.clone()).await.expect(429);
        assert!(refused.headers.contains_key("retry-after"));
        // One more message is allowed every 30 seconds.
        server.advance(30);
        client.submit("verification", &id, ask).await.expect(200);
        assert_eq!(messages(&server).await, 31);
        // Another address is not affected.
        at(server.native(), 1).sign_up("b@example.org").await.expect(200);
        assert_eq!(messages(&server).await, 32);
    })
    .await;
}

#[tokio::test]
async fn a_stolen_password_makes_no_client_familiar_before_the_second_factor() {
    let config = json!({"selfservice": {"methods": {"code": {"mfa_enabled": true}}}});
    with_server(config, |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut guesses = 0;
        for number in 0..40 {
            let mut thief = at(server.native(), number);
            if thief.sign_in("a@example.org", PASSWORD).await.status != 200 {
                continue;
            }
            let id = thief.begin_with("login", "?aal=aal2").await;
            for _ in 0..5 {
                let reply = thief.submit("login", &id, json!({"method": "code", "code": "000000"})).await;
                guesses += usize::from(reply.status == 400 && reply.messages() == [4_010_008]);
            }
        }
        assert!(guesses <= 10 + 5, "{guesses} second factors were guessed");
    })
    .await;
}

#[tokio::test]
async fn limits_are_configurable() {
    let limits = json!({"security": {"attempt_limits": {
        "guesses": {"stranger": {"burst": 2, "refill": "1m"}},
        "messages": {"network": {"burst": 1}},
    }}});
    with_server(limits, |server| async move {
        assert_eq!(attack(&server, "a@example.org", 5).await, 3);
        server.advance(60);
        assert_eq!(attack(&server, "a@example.org", 2).await, 1);
        for name in ["b@example.org", "c@example.org"] {
            server.native().sign_up(name).await.expect(200);
        }
        assert_eq!(messages(&server).await, 1);
    })
    .await;
}
