//! Concurrent submissions to one flow.

use base::TenantId;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use super::{FlowReply as _, TestServer, with_server};
use crate::domain::code::CodePurpose;
use crate::domain::flow::{Flow, FlowId, Registration};
use crate::domain::message::validation;
use crate::flows::refusal::Refusal;
use crate::flows::visitor::Browser;
use crate::storage;

const VICTIM: &str = "victim@example.org";
const OWN: &str = "mallory@example.org";

/// How often a race is repeated. Increase it to measure.
const TRIES: usize = 3;

fn passwordless() -> Value {
    json!({
        "selfservice": {"methods": {"code": {"passwordless_enabled": true}}},
        "security": {"account_enumeration": {"mitigate": false}},
    })
}

fn by_code(email: &str) -> Value {
    json!({"method": "code", "traits": {"email": email}})
}

fn with_code(email: &str, code: &str) -> Value {
    json!({"method": "code", "code": code, "traits": {"email": email}})
}

async fn registration(server: &TestServer, id: &str) -> Flow<Registration> {
    let id: FlowId = id.parse().unwrap();
    storage::flows::find(&mut server.identity.database.read(TenantId::DEFAULT), id).await.unwrap().unwrap()
}

/// Whether a code that is sent to this address signs in.
async fn has_account(server: &TestServer, email: &str) -> bool {
    let mut client = server.native();
    let id = client.begin("login").await;
    let reply = client.submit("login", &id, json!({"method": "code", "identifier": email})).await;
    reply.json["state"] == "sent_email"
}

#[tokio::test]
async fn a_stale_error_does_not_overwrite_another_submission() {
    with_server(passwordless(), |server| async move {
        let mut client = server.native();
        let id = client.begin("registration").await;
        client.submit("registration", &id, by_code(VICTIM)).await.expect(400);
        let mut stale = registration(&server, &id).await;
        client.submit("registration", &id, by_code(OWN)).await.expect(400);

        let browser = Browser::renewed(&server.identity.rng);
        let refusal = Refusal::general(validation::traits_changed());
        server.identity.refuse_submission(&server.cx(), &mut stale, &browser, refusal).await.unwrap();
        let stored = registration(&server, &id).await;
        assert!(stored.details.code_traits.as_deref().unwrap().contains(OWN), "{:?}", stored.details);
        assert_eq!(client.fetch("registration", &id).await.messages(), [4_000_036], "the error is shown");

        let code = server.code(&id, CodePurpose::Registration).await;
        client.submit("registration", &id, with_code(VICTIM, &code)).await.expect(400);
        assert!(!has_account(&server, VICTIM).await);
        client.submit("registration", &id, with_code(OWN, &code)).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_registration_code_confirms_only_the_address_that_it_was_sent_to() {
    with_server(passwordless(), |server| async move {
        let mut client = server.native();
        let id = client.begin("registration").await;
        client.submit("registration", &id, by_code(OWN)).await.expect(400);
        let code = server.code(&id, CodePurpose::Registration).await;
        // Simulates a flow that was changed by mistake.
        let mut flow = registration(&server, &id).await;
        flow.details.code_traits = flow.details.code_traits.map(|traits| traits.replace(OWN, VICTIM));
        let mut tx = server.identity.database.write(TenantId::DEFAULT).await.unwrap();
        storage::flows::update(&mut tx, &mut flow).await.unwrap();
        tx.commit().await.unwrap();

        let refused = client.submit("registration", &id, with_code(VICTIM, &code)).await.expect(400);
        assert_eq!(refused.messages(), [4_000_036]);
        assert!(!has_account(&server, VICTIM).await);
    })
    .await;
}

#[tokio::test]
async fn no_race_of_submissions_registers_an_unverified_address() {
    with_server(passwordless(), |server| async move {
        let mut registered = 0;
        for _ in 0..TRIES {
            let mut client = server.native();
            let id = client.begin("registration").await;
            client.submit("registration", &id, by_code(VICTIM)).await.expect(400);
            let refused = (0..8).map(|_| {
                let mut client = client.clone();
                let id = id.clone();
                async move { client.submit("registration", &id, with_code(VICTIM, "000000")).await }
            });
            let mut own = client.clone();
            join(own.submit("registration", &id, by_code(OWN)), join_all(refused)).await;
            // Against so many refusals the change can lose; then the open code is still the one of the first address.
            let traits = registration(&server, &id).await.details.code_traits;
            if !traits.is_some_and(|traits| traits.contains(OWN)) {
                client.submit("registration", &id, by_code(OWN)).await.expect(400);
            }
            let code = server.code(&id, CodePurpose::Registration).await;
            let last = client.submit("registration", &id, with_code(VICTIM, &code)).await;
            registered += usize::from(last.status == 200);
            server.advance(3600);
        }
        assert!(!has_account(&server, VICTIM).await);
        println!("{registered} of {TRIES} tries registered an unverified address");
        assert_eq!(registered, 0);
    })
    .await;
}

#[tokio::test]
async fn one_of_many_concurrent_recovery_codes_is_accepted() {
    with_server(json!({"feature_flags": {"use_continue_with_transitions": true}}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        for _ in 0..TRIES {
            let mut client = server.native();
            let id = client.begin("recovery").await;
            client.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(200);
            let code = server.code(&id, CodePurpose::Recovery).await;
            let replies = join_all((0..40).map(|_| {
                let (mut client, id, code) = (client.clone(), id.clone(), code.clone());
                async move { client.submit("recovery", &id, json!({"method": "code", "code": code})).await }
            }))
            .await;
            let let_in = |reply: &&super::Reply| reply.continue_with().iter().any(|it| it == "set_ory_session_token");
            let winners = replies.iter().filter(let_in).count();
            println!("{winners} of 40 submissions were accepted");
            assert_eq!(winners, 1);
            server.advance(3600);
        }
    })
    .await;
}

#[tokio::test]
async fn one_of_many_concurrent_verification_codes_is_accepted() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("a@example.org").await.expect(200);
        let mut client = server.native();
        let id = client.begin("verification").await;
        client.submit("verification", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(200);
        let code = server.code(&id, CodePurpose::Verification).await;
        let replies = join_all((0..40).map(|_| {
            let (mut client, id, code) = (client.clone(), id.clone(), code.clone());
            async move { client.submit("verification", &id, json!({"method": "code", "code": code})).await }
        }))
        .await;
        let winners = replies.iter().filter(|reply| reply.json["state"] == "passed_challenge").count();
        assert_eq!(winners, 1);
    })
    .await;
}

#[tokio::test]
async fn one_of_two_concurrent_recoveries_is_accepted_and_none_fails() {
    for _ in 0..TRIES {
        with_server(json!({}), |server| async move {
            // The network of the sign-up is familiar, the other one is not: both have a code.
            server.native().sign_up("a@example.org").await.expect(200);
            let mut familiar = server.native();
            let mut stranger = server.native();
            stranger.http.address = Some(std::net::Ipv4Addr::new(10, 0, 0, 1).into());
            let mut flows = Vec::new();
            for client in [&mut stranger, &mut familiar] {
                let id = client.begin("recovery").await;
                client.submit("recovery", &id, json!({"method": "code", "email": "a@example.org"})).await.expect(200);
                let code = server.code(&id, CodePurpose::Recovery).await;
                flows.push((id, json!({"method": "code", "code": code})));
            }
            let [(one, first), (other, second)] = <[_; 2]>::try_from(flows).unwrap();
            let answers =
                join(stranger.submit("recovery", &one, first), familiar.submit("recovery", &other, second)).await;
            let answers = [answers.0.expect(200), answers.1.expect(200)];
            let passed = answers.iter().filter(|answer| answer.json["state"] == "passed_challenge").count();
            assert_eq!(passed, 1, "{} {}", answers[0].json, answers[1].json);
        })
        .await;
    }
}
