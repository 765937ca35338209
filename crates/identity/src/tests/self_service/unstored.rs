//! Native flows that have no row until they change.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Client, FlowReply as _, PASSWORD, TestServer, server as start, with_server};
use crate::storage::tests::count_flows;

const KINDS: [&str; 4] = ["login", "registration", "recovery", "verification"];

fn guess(password: &str) -> Value {
    json!({"method": "password", "identifier": "ada@example.org", "password": password})
}

async fn rows(server: &TestServer) -> i64 {
    count_flows(&server.identity.database).await
}

async fn begin(client: &mut Client, kind: &str) -> Value {
    client.get(&format!("/self-service/{kind}/api")).await.expect(200).json
}

#[tokio::test]
async fn a_native_flow_begins_without_the_database_and_is_fetched_as_it_began() {
    with_server(json!({}), |server| async move {
        for kind in KINDS {
            let mut client = server.native();
            let before = server.identity.database.usage();
            let begun = begin(&mut client, kind).await;
            assert_eq!(server.identity.database.usage(), before, "{kind}");
            let id = begun["id"].as_str().unwrap();
            assert_eq!(id.as_bytes()[14], b'8', "{kind}: a UUID of version 8");
            assert_eq!(client.fetch(kind, id).await.expect(200).json, begun);
        }
        assert_eq!(rows(&server).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_flow_with_parameters_or_of_a_browser_has_a_row() {
    with_server(json!({}), |server| async move {
        let mut expected = 0;
        for kind in KINDS {
            for query in ["?", "?return_to=http://www.example/app", "?unknown=1"] {
                server.native().begin_with(kind, query).await;
                expected += 1;
            }
            server.browser().begin(kind).await;
            server.spa().begin(kind).await;
            expected += 2;
            assert_eq!(rows(&server).await, expected, "{kind}");
        }
        let mut client = server.native();
        client.sign_up("ada@example.org").await.expect(200);
        client.begin_with("login", "?refresh=true").await;
        assert_eq!(rows(&server).await, expected + 2, "the verification of the sign-up and the refresh");
    })
    .await;
}

#[tokio::test]
async fn a_password_sign_in_is_one_transaction_of_few_statements() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("ada@example.org").await.expect(200);
        for _ in 0..3 {
            let (before, flows) = (server.identity.database.usage(), rows(&server).await);
            let counted = server.identity.database.usage().statements - before.statements;
            server.native().sign_in("ada@example.org", PASSWORD).await.expect(200);
            let after = server.identity.database.usage();
            assert_eq!(after.write_transactions - before.write_transactions, 1);
            let statements = after.statements - before.statements - counted;
            assert!(statements <= 8, "{statements} statements");
            assert_eq!(rows(&server).await, flows);
        }
    })
    .await;
}

#[tokio::test]
async fn the_first_change_writes_the_row_and_later_ones_update_it() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("ada@example.org").await.expect(200);
        let before = rows(&server).await;
        let mut client = server.native();
        let begun = begin(&mut client, "login").await;
        let id = begun["id"].as_str().unwrap();
        let mut latest = Value::Null;
        for wrong in ["first wrong password", "second wrong password"] {
            let refused = client.submit("login", id, guess(wrong)).await.expect(400);
            assert_eq!(refused.messages(), [4_000_006]);
            latest = client.fetch("login", id).await.expect(200).json;
            assert_eq!(latest, refused.json);
            assert_eq!(rows(&server).await, before + 1);
        }
        for member in ["id", "issued_at", "expires_at", "request_url", "type"] {
            assert_eq!(latest[member], begun[member], "{member}");
        }
        client.submit("login", id, guess(PASSWORD)).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn of_many_first_submissions_none_is_lost_and_none_fails() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("ada@example.org").await.expect(200);
        let before = rows(&server).await;
        let mut client = server.native();
        let id = client.begin("login").await;
        let replies = join_all((0..8).map(|number| {
            let (mut client, id) = (client.clone(), id.clone());
            // Those with a wrong method are refused without a guess.
            let body = if number % 2 == 0 { guess("not the password") } else { json!({"method": "nonsense"}) };
            async move { client.submit("login", &id, body).await }
        }))
        .await;
        for reply in replies {
            reply.expect(400);
        }
        assert_eq!(rows(&server).await, before + 1);
        assert_eq!(client.fetch("login", &id).await.expect(200).messages().len(), 1);
        client.submit("login", &id, guess(PASSWORD)).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_flow_without_a_row_expires_and_is_forgotten_like_a_row() {
    with_server(json!({"selfservice": {"flows": {"login": {"lifespan": "10m"}}}}), |server| async move {
        let mut client = server.native();
        let id = client.begin("login").await;
        server.advance(599);
        client.fetch("login", &id).await.expect(200);
        server.advance(1);
        assert_eq!(client.fetch("login", &id).await.expect(410).error_id(), "self_service_flow_expired");
        let gone = client.submit("login", &id, guess(PASSWORD)).await.expect(410);
        let new = gone.json["use_flow_id"].as_str().unwrap();
        assert_eq!(client.fetch("login", new).await.expect(200).messages(), [4_010_001]);
        server.advance(24 * 3600 - 1);
        client.fetch("login", &id).await.expect(410);
        server.advance(1);
        client.fetch("login", &id).await.expect(404);
        client.submit("login", &id, guess(PASSWORD)).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn another_node_with_another_configuration_continues_the_flow() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("ada@example.org").await.expect(200);
        let change = json!({"selfservice": {
            "methods": {"code": {"passwordless_enabled": true}},
            "flows": {"login": {"lifespan": "10m"}},
        }});
        let other = start(server.identity.database.clone(), change);
        let (mut here, mut there) = (server.native(), other.native());
        let id = here.begin("login").await;
        let by_code = |nodes: &[String]| nodes.iter().any(|node| node.starts_with("code/"));
        assert!(!by_code(&here.fetch("login", &id).await.expect(200).nodes()));
        assert!(by_code(&there.fetch("login", &id).await.expect(200).nodes()));

        here.submit("login", &id, guess("not the password")).await.expect(400);
        let stored = there.fetch("login", &id).await.expect(200);
        assert_eq!(stored.messages(), [4_000_006]);
        assert!(!by_code(&stored.nodes()), "the row takes precedence");
        there.submit("login", &id, guess(PASSWORD)).await.expect(200);

        let second = here.begin("login").await;
        server.advance(600);
        other.advance(600);
        here.fetch("login", &second).await.expect(200);
        there.fetch("login", &second).await.expect(410);
    })
    .await;
}

#[tokio::test]
async fn an_id_that_was_not_issued_for_this_kind_is_unknown() {
    with_server(json!({}), |server| async move {
        let mut client = server.native();
        for kind in KINDS {
            let id = client.begin(kind).await;
            for other in KINDS.into_iter().filter(|other| *other != kind) {
                client.fetch(other, &id).await.expect(404);
                client.submit(other, &id, guess(PASSWORD)).await.expect(404);
            }
            let forged = id.replace(&id[30..], if id.ends_with("000000") { "000001" } else { "000000" });
            client.fetch(kind, &forged).await.expect(404);
            client.submit(kind, &forged, guess(PASSWORD)).await.expect(404);
        }
        assert_eq!(rows(&server).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_page_of_a_browser_cannot_submit_to_it() {
    with_server(json!({}), |server| async move {
        server.native().sign_up("ada@example.org").await.expect(200);
        let before = rows(&server).await;
        let id = server.native().begin("login").await;
        let mut browser = server.spa();
        browser.begin("login").await;
        let refused = browser.submit("login", &id, guess(PASSWORD)).await.expect(400);
        assert!(refused.json["error"]["details"]["found cookies"].is_array(), "{}", refused.json);
        assert_eq!(rows(&server).await, before + 1, "only the flow of the browser");
    })
    .await;
}

#[tokio::test]
async fn a_link_with_a_code_for_an_unsent_verification_leads_to_its_page() {
    with_server(json!({}), |server| async move {
        let id = server.native().begin("verification").await;
        let sent = server.browser().get(&format!("/self-service/verification?flow={id}&code=123456")).await.expect(303);
        assert_eq!(sent.location(), format!("http://ui.example/verification?flow={id}"));
        assert_eq!(rows(&server).await, 0);
    })
    .await;
}
