//! The matched path is the forwarded path: a request that can be read in two ways is answered with 400. Requests are written
//! byte by byte, because an HTTP client would not send them.

use acceptance::suite::Suite;
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{behind, rule};

fn rules(upstream: &str) -> Value {
    json!([rule("open", upstream, &json!([{ "handler": "noop" }]))])
}

/// Sends a raw request line, and returns the status and the body.
async fn raw(suite: &Suite, target: &str) -> Result<(u16, String)> {
    let address = url::Url::parse(&suite.gateway("/"))?;
    let port = address.port().context("a port")?;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let request = format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.with_context(|| answer.clone())?, answer))
}

#[tokio::test]
async fn an_ambiguous_path_is_refused() -> Result<()> {
    behind(rules, async |suite| {
        for target in [
            "/open/..%2fsecret",
            "/open/%2e%2e%2fsecret",
            "/open/..;/secret",
            "/open/..\\secret",
            "/open/%5c..%5csecret",
            "/open/%00",
            "/open/%ff",
            "/open/%",
            "/open/%252e%252e/secret",
            "/../open/",
        ] {
            let (status, answer) = raw(suite, target).await?;
            ensure!(status == 400, "{target}: {answer}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_path_that_leaves_its_rule_is_refused() -> Result<()> {
    behind(rules, async |suite| {
        for target in ["/open/../secret", "/open/%2e%2e/secret", "/open/./../secret", "/OPEN/x", "/open"] {
            let (status, answer) = raw(suite, target).await?;
            ensure!(matches!(status, 400 | 404), "{target}: {answer}");
        }
        let (status, answer) = raw(suite, "/open/a/b%20c?q=%2F..%2F").await?;
        ensure!(status == 200 && answer.contains("/open/a/b%20c"), "{answer}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn without_a_rule_every_request_is_refused() -> Result<()> {
    behind(rules, async |suite| {
        let answer = suite.api().get(suite.gateway("/elsewhere")).await?;
        ensure!(answer.status == http::StatusCode::NOT_FOUND, "{}", answer.summary());
        ensure!(answer.at("/error/code") == 404, "{}", answer.summary());
        Ok(())
    })
    .await
}
