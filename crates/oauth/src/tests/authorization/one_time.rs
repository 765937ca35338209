//! One-time redemption of challenges: no replay succeeds, however late, and whatever happened to the login in the meantime.

use std::sync::Arc;

use database::{Dsn, Reaper};
use tokio::task::JoinSet;

use super::*;
use crate::{MIGRATIONS, RETENTION};

async fn sqlite() -> Database {
    database::testing::sqlite(&[jobs::MIGRATIONS, MIGRATIONS]).await
}

/// The number of rows of a table that the reaper would delete.
async fn reap(server: &TestServer, table: &str) -> u64 {
    let reaper = Reaper::new(server.oauth.database.clone(), RETENTION.iter().copied());
    let reaped = reaper.reap(server.cx().now, 10).await.unwrap();
    reaped.iter().filter(|it| it.table == table).map(|it| it.rows).sum()
}

#[track_caller]
fn assert_refused(answer: &Reply) {
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer}");
    assert!(answer.text.contains("access_denied"), "{answer}");
}

async fn assert_gone(server: &TestServer, what: &str, challenge: &str) {
    let answer = server.look(what, challenge).await;
    assert_eq!(answer.status, StatusCode::GONE, "{what}: {answer}");
    assert!(answer.json["redirect_to"].as_str().unwrap().starts_with("https://op.example/oauth2/auth?"));
}

#[tokio::test]
async fn a_login_cannot_be_replayed_after_the_session_ended() {
    database::testing::on_both_engines(&[jobs::MIGRATIONS, MIGRATIONS], |database| async move {
        let server = TestServer::with_applications(database);
        server.client(json!({})).await;
        let mut browser = server.browser();
        let challenge = server.begin(&mut browser, &request("")).await;
        let back = server.accept("login", &challenge, json!({"subject": "ada", "remember": true})).await;
        let before = browser.clone();
        assert!(browser.get(back.as_str()).await.parameter("consent_challenge").is_some());
        server.admin(Method::DELETE, "/admin/oauth2/auth/sessions/login?subject=ada", Value::Null).await.expect(204);

        for _ in 0..2 {
            let mut again = before.clone();
            assert_refused(&again.get(back.as_str()).await);
            assert!(again.cookie("ory_hydra_session").is_none());
            assert_gone(&server, "login", &challenge).await;
            server.wait(14 * 60);
            assert_eq!(reap(&server, "oauth_login_sessions").await, 0, "the row guards the challenge");
        }
        server.wait(3 * 60);
        // The challenge has expired, so the row is no longer needed.
        let mut again = before.clone();
        assert_eq!(again.get(back.as_str()).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(reap(&server, "oauth_login_sessions").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_login_with_a_short_lifespan_cannot_be_replayed_either() {
    let mut config = TestServer::applications();
    config["ttl"] = json!({"authentication_session": "1s"});
    let server = TestServer::new(sqlite().await, config);
    server.client(json!({})).await;
    let mut browser = server.browser();
    let challenge = server.begin(&mut browser, &request("")).await;
    let back = server.accept("login", &challenge, json!({"subject": "ada", "remember": true})).await;
    assert!(browser.get(back.as_str()).await.parameter("consent_challenge").is_some());
    server.wait(60);
    assert_eq!(reap(&server, "oauth_login_sessions").await, 0);
    assert_refused(&browser.get(back.as_str()).await);
}

#[tokio::test]
async fn a_revoked_consent_cannot_be_replayed_however_long_challenges_live() {
    let mut config = TestServer::applications();
    config["ttl"] = json!({"login_consent_request": "3h"});
    let server = TestServer::new(sqlite().await, config);
    server.client(json!({})).await;
    let mut browser = server.browser();
    let challenge = server.begin(&mut browser, &request("")).await;
    let challenge = server.log_in(&mut browser, &challenge, json!({"subject": "ada", "remember": true})).await;
    let back = server.accept("consent", &challenge, json!({"grant_scope": ["openid"]})).await;
    assert!(browser.get(back.as_str()).await.parameter("code").is_some());
    let uri = "/admin/oauth2/auth/sessions/consent?subject=ada&all=true";
    assert_eq!(server.admin(Method::DELETE, uri, Value::Null).await.status, StatusCode::NO_CONTENT);

    server.wait(2 * 60 * 60);
    assert_eq!(reap(&server, "oauth_grants").await, 0);
    assert_refused(&browser.get(back.as_str()).await);
    assert_gone(&server, "consent", &challenge).await;
    server.wait(61 * 60);
    assert_eq!(reap(&server, "oauth_grants").await, 1);
}

#[tokio::test]
async fn a_rejection_is_sent_once_and_is_final() {
    database::testing::on_both_engines(&[jobs::MIGRATIONS, MIGRATIONS], |database| async move {
        let server = TestServer::with_applications(database);
        server.client(json!({})).await;
        let mut browser = server.browser();
        let challenge = server.begin(&mut browser, &request("")).await;
        let accepted = server.accept("login", &challenge, json!({"subject": "ada"})).await;
        let rejected = server.reject("login", &challenge).await;
        let answer = browser.get(rejected.as_str()).await;
        assert_eq!(answer.parameter("error").as_deref(), Some("no"));
        assert_refused(&browser.get(rejected.as_str()).await);
        assert_refused(&browser.get(accepted.as_str()).await);
        assert_gone(&server, "login", &challenge).await;

        let challenge = server.begin(&mut browser, &request("")).await;
        let back = server.accept("login", &challenge, json!({"subject": "ada"})).await;
        let too_late = server.reject("login", &challenge).await;
        let challenge = browser.get(back.as_str()).await.parameter("consent_challenge").unwrap();
        assert_refused(&browser.get(too_late.as_str()).await);
        let accepted = server.accept("consent", &challenge, json!({"grant_scope": ["openid"]})).await;
        let rejected = server.reject("consent", &challenge).await;
        let answer = browser.get(rejected.as_str()).await;
        assert_eq!(answer.parameter("error").as_deref(), Some("no"));
        assert_refused(&browser.get(rejected.as_str()).await);
        assert_refused(&browser.get(accepted.as_str()).await);
        assert_gone(&server, "consent", &challenge).await;
        // The markers expire together with their challenges.
        server.wait(31 * 60);
        assert_eq!(reap(&server, "oauth_used_challenges").await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_login_that_reuses_a_session_counts_once() {
    database::testing::on_both_engines(&[jobs::MIGRATIONS, MIGRATIONS], |database| async move {
        let server = TestServer::with_applications(database);
        server.client(json!({})).await;
        let mut browser = server.browser();
        server.sign_in(&mut browser, &request(""), json!({"subject": "ada", "remember": true})).await;
        let challenge = server.begin(&mut browser, &request("")).await;
        assert_eq!(server.look("login", &challenge).await.json["skip"], true);
        let back = server.accept("login", &challenge, json!({"subject": "ada"})).await;
        assert!(browser.get(back.as_str()).await.parameter("consent_challenge").is_some());
        assert_refused(&browser.get(back.as_str()).await);
        assert_gone(&server, "login", &challenge).await;
    })
    .await;
}

/// Two processes on one PostgreSQL database.
async fn two_nodes() -> [Arc<TestServer>; 2] {
    let dsn: Dsn = database::testing::postgres_dsn().await;
    let mut nodes = Vec::new();
    for seed in [7, 8] {
        let database = Database::open(&dsn).await.unwrap();
        database.migrate(&[jobs::MIGRATIONS, MIGRATIONS], Timestamp::EPOCH).await.unwrap();
        nodes.push(Arc::new(TestServer::seeded(database, TestServer::applications(), seed)));
    }
    nodes.try_into().unwrap_or_else(|_| panic!("two nodes"))
}

/// 64 concurrent requests, to both nodes in turn.
async fn visits(nodes: &[Arc<TestServer>; 2], browser: &Client, url: &Url) -> Vec<Reply> {
    let mut visits = JoinSet::new();
    for number in 0..64 {
        let (mut visitor, url) = (nodes[number % 2].browser(), url.clone());
        visitor.cookies = browser.cookies.clone();
        visits.spawn(async move { visitor.get(url.as_str()).await });
    }
    visits.join_all().await
}

#[tokio::test]
async fn with_two_nodes_a_challenge_is_redeemed_once_and_both_report_it() {
    let nodes = two_nodes().await;
    nodes[0].client(json!({})).await;
    let mut browser = nodes[0].browser();
    let login_challenge = nodes[0].begin(&mut browser, &request("")).await;
    // The node that issued the challenge may cache for a moment that it is unused.
    assert_eq!(nodes[0].look("login", &login_challenge).await.status, StatusCode::OK);
    let back = nodes[1].accept("login", &login_challenge, json!({"subject": "ada"})).await;
    let answers = visits(&nodes, &browser, &back).await;
    let (passed, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == StatusCode::FOUND);
    assert_eq!(passed.len(), 1);
    for answer in refused {
        assert_refused(answer);
    }
    browser.keep_cookies(passed[0]);

    let consent_challenge = passed[0].parameter("consent_challenge").unwrap();
    assert_eq!(nodes[0].look("consent", &consent_challenge).await.status, StatusCode::OK);
    let back = nodes[0].accept("consent", &consent_challenge, json!({"grant_scope": ["openid"]})).await;
    let answers = visits(&nodes, &browser, &back).await;
    let (passed, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == StatusCode::SEE_OTHER);
    assert_eq!(passed.len(), 1);
    for answer in refused {
        assert_refused(answer);
    }

    for node in &nodes {
        database::testing::read_changes(&node.oauth.database).await;
        assert_gone(node, "login", &login_challenge).await;
        assert_gone(node, "consent", &consent_challenge).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_logout_during_consent_leaves_no_active_grant() {
    let nodes = two_nodes().await;
    nodes[0].client(json!({})).await;
    for round in 0..20 {
        let mut browser = nodes[0].browser();
        let subject = format!("ada-{round}");
        let challenge = nodes[0].begin(&mut browser, &request("")).await;
        let challenge = nodes[0].log_in(&mut browser, &challenge, json!({"subject": subject})).await;
        let back = nodes[0].accept("consent", &challenge, json!({"grant_scope": ["openid"]})).await;
        let uri = format!("/admin/oauth2/auth/sessions/login?subject={subject}");
        let (answer, ended) =
            tokio::join!(browser.get(back.as_str()), nodes[1].admin(Method::DELETE, &uri, Value::Null));
        assert_eq!(ended.status, StatusCode::NO_CONTENT);
        let callback = answer.redirect();
        if parameter(&callback, "code").is_some() {
            let tokens = nodes[0].redeem(&callback).await;
            assert_eq!(tokens.json["error"], "invalid_grant", "{tokens}");
        } else {
            assert_eq!(parameter(&callback, "error").as_deref(), Some("login_required"));
        }
    }
}
