//! Rules in a file: the file is watched while the server runs, and without a valid rule the server is not ready. Forwarded
//! bodies are streamed, whatever their size.

use std::time::Duration;

use acceptance::suite::{Engine, Suite};
use acceptance::upstream::Upstream;
use anyhow::{Result, ensure};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use url::Url;

use super::{config, rule};

/// Repeats the request until the answer has that status: a change is noticed within seconds.
async fn eventually(suite: &Suite, url: &str, status: StatusCode) -> Result<()> {
    for _ in 0..300 {
        if suite.api().get(url).await?.status == status {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let page = suite.api().get(url).await?;
    page.expect_status(status).map(|_| ())
}

#[tokio::test]
async fn a_server_is_ready_with_its_first_valid_rule_and_follows_the_file() -> Result<()> {
    let (upstream, folder) = (Upstream::start().await?, tempfile::tempdir()?);
    let file = folder.path().join("rules.json");
    let open = |name: &str| rule(name, &upstream.url(), &json!([{ "handler": "noop" }]));
    let mut config = config(&json!([]));
    config["gateway"]["access_rules"]["repositories"] = json!([format!("file://{}", file.display())]);
    let suite = Suite::start_with(Engine::Sqlite, config).await?;
    let write = |rules: Value| std::fs::write(&file, rules.to_string());

    let ready = suite.gateway_api("/health/ready");
    let page = suite.api().get(&ready).await?.expect_status(StatusCode::SERVICE_UNAVAILABLE)?;
    ensure!(page.at("/errors/rules_loaded").is_string(), "{}", page.summary());
    write(json!([open("first")]))?;
    eventually(&suite, &ready, StatusCode::OK).await?;
    eventually(&suite, &suite.gateway("/first/page"), StatusCode::OK).await?;

    write(json!([open("second")]))?;
    eventually(&suite, &suite.gateway("/second/page"), StatusCode::OK).await?;
    eventually(&suite, &suite.gateway("/first/page"), StatusCode::NOT_FOUND).await?;
    suite.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_body_may_be_larger_than_our_own_forms() -> Result<()> {
    let upstream = Upstream::start().await?;
    let rules = json!([rule("up", &upstream.url(), &json!([{ "handler": "noop" }]))]);
    let suite = Suite::start_with(Engine::Sqlite, config(&rules)).await?;
    let body = Bytes::from(vec![b'x'; 6 << 20]);
    let url = Url::parse(&suite.gateway("/up/load"))?;
    let page = suite.api().send(Method::POST, &url, Some("text/plain"), body.clone()).await?;
    let page = page.expect_status(StatusCode::OK)?;
    ensure!(
        page.at("/body").as_str().is_some_and(|it| it.len() == body.len()),
        "the received body differs from the sent one"
    );
    suite.stop().await;
    Ok(())
}
