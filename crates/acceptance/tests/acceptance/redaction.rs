//! Logs contain no secret: all log lines of a run, down to the finest level, are searched for every secret of the run.

use std::sync::{Arc, Mutex, PoisonError};

use acceptance::page::query;
use acceptance::suite::{Engine, Suite};
use anyhow::{Context as _, Result, ensure};
use http::{Method, StatusCode};
use serde_json::json;
use telemetry::{LogConfig, LogFormat, LogLayer, Redaction, ServiceName, Sink};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;

use super::{identity, oauth};

const ALICE: &str = "alice@example.org";

#[tokio::test]
async fn the_secrets_of_a_run_are_not_in_its_log() -> Result<()> {
    let log: Arc<Mutex<Vec<u8>>> = Arc::default();
    let sink = {
        let log = log.clone();
        Sink::new(move |line| log.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(line))
    };
    let mut config = identity::config();
    config["oauth"] = oauth::config()["oauth"].clone();
    let suite = Suite::start_with(Engine::Sqlite, config).await?;
    let service = ServiceName { name: "kleis", version: "test" };
    let redaction = Arc::new(Redaction::new(&LogConfig::default()));
    let layer = LogLayer::new(service, LogFormat::Json, redaction, suite.clock(), sink);
    // As with `log.level: trace`: libraries that log the data that they read stay at a level where they do not.
    let libraries = ["h2", "hyper", "hyper_util", "rustls", "tokio_postgres"].map(|name| (name, LevelFilter::DEBUG));
    let levels = Targets::new().with_default(LevelFilter::TRACE).with_targets(libraries);
    // For the whole process: whether an event is enabled is cached for all threads, so that a subscriber of this thread alone
    // would miss events that another test caused first. The additional lines of other tests do no harm.
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(levels).with(layer))?;
    let secrets = use_everything(&suite).await?;
    suite.stop().await;

    let log = String::from_utf8_lossy(&log.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
    ensure!(log.contains("/self-service/login"), "the run was not logged");
    for (what, secret) in secrets {
        ensure!(secret.len() >= 6, "{what} is too short to be looked for: {secret}");
        let line = log.lines().find(|line| line.contains(&secret));
        ensure!(line.is_none(), "{what} is in the log: {}", line.unwrap_or_default());
    }
    Ok(())
}

/// Uses every kind of secret, and returns all of them.
async fn use_everything(suite: &Suite) -> Result<Vec<(&'static str, String)>> {
    let mut secrets = vec![("the password", identity::PASSWORD.to_owned())];
    let token = identity::register_and_log_in(suite, ALICE).await?;
    let mut api = suite.api().with_header("x-session-token", &token);
    api.get(suite.identity("/sessions/whoami")).await?.expect_status(StatusCode::OK)?;
    secrets.push(("a session token", token));
    secrets.push(("a code that was mailed", suite.mail.first_to(ALICE).await?.code(6)?));

    let mut app = suite.api();
    let flow = app.get(suite.identity("/self-service/login/browser")).await?.expect_status(StatusCode::OK)?;
    let action = flow.at("/ui/action").as_str().context("an action")?.to_owned();
    let nodes = flow.at("/ui/nodes");
    let csrf = nodes.as_array().context("nodes")?.iter().find(|node| node["attributes"]["name"] == "csrf_token");
    let csrf = csrf.context("a CSRF token")?["attributes"]["value"].as_str().unwrap_or_default().to_owned();
    let body = json!({
        "method": "password", "identifier": ALICE, "password": identity::PASSWORD, "csrf_token": csrf,
    });
    app.json(Method::POST, action, &body).await?.expect_status(StatusCode::OK)?;
    secrets.push(("a CSRF token", csrf));
    let here = url::Url::parse(&suite.identity("/"))?;
    secrets.extend(app.cookies.visible(&here).map(|cookie| ("a cookie", cookie.value.clone())));

    let client = oauth::register(suite, oauth::web_client()).await?;
    let mut browser = suite.browser();
    let url = oauth::authorize_url(suite, &client, &[])?;
    let callback = oauth::authorize(suite, &mut browser, &url, true).await?;
    let tokens = oauth::token(suite, &client, &oauth::redemption(&callback)?).await?.expect_status(StatusCode::OK)?;
    secrets.push(("a client secret", client.secret));
    secrets.push(("a code verifier", oauth::VERIFIER.to_owned()));
    secrets.push(("an authorization code", query(&callback, "code").unwrap_or_default()));
    for (what, member) in
        [("an access token", "/access_token"), ("a refresh token", "/refresh_token"), ("an ID token", "/id_token")]
    {
        let token = tokens.at(member).as_str().unwrap_or_default().to_owned();
        oauth::introspect(suite, &token).await?;
        secrets.push((what, token));
    }
    Ok(secrets)
}
