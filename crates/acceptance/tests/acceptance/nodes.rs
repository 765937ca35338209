//! Two nodes on one PostgreSQL database: a race has one winner, and a change of one node is visible to the other within a
//! second.

use std::time::{Duration, Instant};

use acceptance::suite::Suite;
use anyhow::{Context as _, Result, ensure};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::identity::second_factors::{self, STEP, with_second_factors};
use crate::identity::{self, PASSWORD, log_in, register_and_log_in};
use crate::oauth::{
    Credentials, admin_sdk, authorize, authorize_url, basic, config, introspect, redemption, register, token,
    web_client,
};

const RACERS: usize = 64;

/// The time in which a change must become visible everywhere.
const EVERYWHERE: Duration = Duration::from_secs(1);

/// Sends the same token request 64 times at once, alternating between the nodes.
async fn race(
    nodes: &[Suite; 2],
    client: &Credentials,
    fields: &[(&'static str, String)],
) -> Result<Vec<(u16, Value)>> {
    let mut racers = JoinSet::new();
    for number in 0..RACERS {
        let node = &nodes[number % 2];
        let mut api = node.api().with_header("authorization", &basic(client));
        let (url, fields) = (node.oauth("/oauth2/token"), fields.to_vec());
        racers.spawn(async move {
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let page = api.post(url, &fields).await?;
            anyhow::Ok((page.status.as_u16(), page.at("")))
        });
    }
    let mut answers = Vec::new();
    while let Some(answer) = racers.join_next().await {
        answers.push(answer??);
    }
    Ok(answers)
}

fn winners(answers: &[(u16, Value)]) -> Result<Vec<&Value>> {
    for (status, body) in answers {
        ensure!([200, 400].contains(status), "{status}: {body}");
        // A request that lost by a moment may be retried; a later one has no valid token.
        let is_loss = ["invalid_grant", "invalid_request"].iter().any(|error| body["error"] == *error);
        ensure!(*status == 200 || is_loss, "{status}: {body}");
    }
    Ok(answers.iter().filter(|(status, _)| *status == 200).map(|(_, body)| body).collect())
}

fn refreshing(tokens: &Value) -> Vec<(&'static str, String)> {
    let refresh = tokens["refresh_token"].as_str().unwrap_or_default();
    vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", refresh.to_owned())]
}

/// Repeats the check until `holds`, up to the time in which a change must become visible.
async fn within_a_second(what: &str, holds: impl AsyncFn() -> Result<bool>) -> Result<()> {
    let started = Instant::now();
    while !holds().await? {
        ensure!(started.elapsed() < EVERYWHERE, "not seen within a second: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

async fn stop(nodes: [Suite; 2]) {
    let [one, other] = nodes;
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_code_that_both_nodes_redeem_leaves_at_most_one_token_family() -> Result<()> {
    let nodes = Suite::start_two_nodes(config()).await?;
    let client = register(&nodes[0], web_client()).await?;
    let mut browser = nodes[0].browser();
    let callback = authorize(&nodes[0], &mut browser, &authorize_url(&nodes[0], &client, &[])?, false).await?;
    let answers = race(&nodes, &client, &redemption(&callback)?).await?;
    let winners = winners(&answers)?;
    ensure!(winners.len() == 1, "{} redeemed the code", winners.len());
    // The others were replays, which revoked the tokens of the first (RFC 6749 section 4.1.2).
    let access = winners[0]["access_token"].as_str().context("a token")?;
    for node in &nodes {
        within_a_second("the replay", async || Ok(introspect(node, access).await?["active"] == false)).await?;
    }
    stop(nodes).await;
    Ok(())
}

#[tokio::test]
async fn a_refresh_token_that_both_nodes_use_has_one_successor() -> Result<()> {
    let mut config = config();
    config["oauth"]["oauth2"] = json!({ "grant": { "refresh_token": { "rotation_grace_period": "10s" } } });
    let nodes = Suite::start_two_nodes(config).await?;
    let client = register(&nodes[0], web_client()).await?;
    let mut browser = nodes[0].browser();
    let callback = authorize(&nodes[0], &mut browser, &authorize_url(&nodes[0], &client, &[])?, false).await?;
    let first = token(&nodes[0], &client, &redemption(&callback)?).await?.expect_status(StatusCode::OK)?.at("");
    let answers = race(&nodes, &client, &refreshing(&first)).await?;
    let winners = winners(&answers)?;
    let successor = winners.first().context("no request succeeded")?;
    ensure!(winners.iter().all(|it| it["refresh_token"] == successor["refresh_token"]), "two token families");
    token(&nodes[1], &client, &refreshing(successor)).await?.expect_status(StatusCode::OK)?;
    stop(nodes).await;
    Ok(())
}

#[tokio::test]
async fn without_a_grace_period_a_refresh_race_has_at_most_one_winner() -> Result<()> {
    let nodes = Suite::start_two_nodes(config()).await?;
    let client = register(&nodes[0], web_client()).await?;
    let mut browser = nodes[0].browser();
    let callback = authorize(&nodes[0], &mut browser, &authorize_url(&nodes[0], &client, &[])?, false).await?;
    let first = token(&nodes[0], &client, &redemption(&callback)?).await?.expect_status(StatusCode::OK)?.at("");
    let answers = race(&nodes, &client, &refreshing(&first)).await?;
    ensure!(winners(&answers)?.len() <= 1, "two token families");
    stop(nodes).await;
    Ok(())
}

#[tokio::test]
async fn a_change_of_one_node_is_visible_to_the_other_within_a_second() -> Result<()> {
    let mut both = config();
    both["identity"] = identity::config()["identity"].clone();
    let nodes = Suite::start_two_nodes(both).await?;
    let session = register_and_log_in(&nodes[0], "alice@example.org").await?;
    let is_signed_in = async || {
        let mut api = nodes[1].api().with_header("x-session-token", &session);
        anyhow::Ok(api.get(nodes[1].identity("/sessions/whoami")).await?.status == StatusCode::OK)
    };
    ensure!(is_signed_in().await?, "a session is valid on every node");
    let client = register(&nodes[0], web_client()).await?;
    let mut browser = nodes[0].browser();
    let callback = authorize(&nodes[0], &mut browser, &authorize_url(&nodes[0], &client, &[])?, false).await?;
    let tokens = token(&nodes[0], &client, &redemption(&callback)?).await?.expect_status(StatusCode::OK)?.at("");
    let access = tokens["access_token"].as_str().context("a token")?;
    ensure!(introspect(&nodes[1], access).await?["active"] == true, "a token is valid on every node");

    let body = json!({ "session_token": session });
    let url = nodes[0].identity("/self-service/logout/api");
    nodes[0].api().json(Method::DELETE, url, &body).await?.expect_status(StatusCode::NO_CONTENT)?;
    within_a_second("the logout", async || Ok(!is_signed_in().await?)).await?;

    ory_hydra_client::apis::o_auth2_api::delete_o_auth2_client(&admin_sdk(&nodes[0]), &client.id)
        .await
        .map_err(crate::oauth::explain)?;
    within_a_second("the client's end", async || Ok(introspect(&nodes[1], access).await?["active"] == false)).await?;
    let refused = token(&nodes[1], &client, &refreshing(&tokens)).await?;
    ensure!(refused.status == StatusCode::UNAUTHORIZED, "{}", refused.summary());
    stop(nodes).await;
    Ok(())
}

/// Submits the same second factor in 48 flows at once, alternating between the nodes; returns how often it was accepted.
async fn race_second_factor(nodes: &[Suite; 2], session: &str, body: &Value) -> Result<usize> {
    const FORMS: usize = 48;
    let mut forms = Vec::new();
    for number in 0..FORMS {
        let node = &nodes[number % 2];
        let mut client = node.api().with_header("x-session-token", session);
        let flow =
            client.get(node.identity("/self-service/login/api?aal=aal2")).await?.expect_status(StatusCode::OK)?;
        let id = flow.at("/id").as_str().context("an id")?.to_owned();
        forms.push((client, node.identity(&format!("/self-service/login?flow={id}"))));
    }
    let mut racers = JoinSet::new();
    for (mut client, url) in forms {
        let body = body.clone();
        racers.spawn(async move { client.json(Method::POST, url, &body).await });
    }
    let mut accepted = 0;
    while let Some(answer) = racers.join_next().await {
        let page = answer??;
        ensure!([StatusCode::OK, StatusCode::BAD_REQUEST].contains(&page.status), "{}", page.summary());
        accepted += usize::from(page.status == StatusCode::OK);
    }
    Ok(accepted)
}

#[tokio::test]
async fn a_second_factor_submitted_to_both_nodes_is_accepted_once() -> Result<()> {
    let mut config = with_second_factors();
    // The test is about the use of a code, not about attempt limits.
    let room = json!({ "burst": 1_000, "refill": "1s" });
    config["identity"]["security"] = json!({ "attempt_limits": { "guesses": { "familiar": room, "stranger": room } } });
    let nodes = Suite::start_two_nodes(config).await?;
    let email = "alice@example.org";
    let owner = register_and_log_in(&nodes[0], email).await?;
    let app = second_factors::link(&nodes[0], &owner).await?;
    let codes = second_factors::make_codes(&nodes[0], &owner).await?;
    for node in &nodes {
        node.advance(STEP);
    }
    for body in [
        json!({ "method": "totp", "totp_code": app.code(&nodes[0])? }),
        json!({ "method": "lookup_secret", "lookup_secret": codes[0] }),
    ] {
        let session = log_in(&nodes[0], email, PASSWORD).await?;
        let accepted = race_second_factor(&nodes, &session, &body).await?;
        ensure!(accepted == 1, "{} was accepted {accepted} times", body["method"]);
    }
    stop(nodes).await;
    Ok(())
}
