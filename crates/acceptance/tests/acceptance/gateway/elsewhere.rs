//! The location of session checks: the identity service of another process is called over HTTP, the one in the same process by
//! a function call, under any of its URLs.

use acceptance::suite::{Engine, Suite};
use acceptance::upstream::Upstream;
use anyhow::{Context as _, Result, ensure};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use test_client::free_port;

use super::super::identity::{PASSWORD, session_token};
use super::visitors::{cookie, signed_in};
use super::{Visit, config, outcome, pair};

/// A check at that URL, in Oathkeeper's configuration format.
fn check_at(url: &str, more: &Value) -> Value {
    let mut config = json!({ "check_session_url": url, "preserve_path": true });
    for (key, value) in more.as_object().into_iter().flatten() {
        config[key] = value.clone();
    }
    json!({ "handler": "cookie_session", "config": config })
}

#[tokio::test]
async fn sessions_of_another_process_are_checked_over_http() -> Result<()> {
    let identity_suite = Suite::start_with(Engine::Sqlite, super::super::identity::config()).await?;
    let upstream = Upstream::start().await?;
    let whoami = identity_suite.identity("/sessions/whoami");
    let rules: Value = [
        pair("forced", &upstream.url(), &check_at(&whoami, &json!({ "force_method": "GET" })), "anonymous"),
        pair("plain", &upstream.url(), &check_at(&whoami, &json!({})), "anonymous"),
    ]
    .concat()
    .into();
    let gateway_suite = Suite::start_with(Engine::Sqlite, config(&rules)).await?;
    let (browser, id) = signed_in(&identity_suite, "alice@example.org").await?;
    let cookie = cookie(&identity_suite, &browser)?;
    let of = |what, rule, cookie, strict, lenient| Visit::get(what, rule, ("cookie", cookie), strict, lenient);
    for visit in [
        of("a valid session", "plain", cookie.as_str(), id.as_str(), id.as_str()),
        of("a made-up session", "plain", "ory_kratos_session=made-up", "401", "-"),
        Visit { method: Method::POST, ..of("a POST with force_method", "forced", &cookie, &id, &id) },
        // `whoami` of this service answers to any method, unlike that of others.
        Visit { method: Method::POST, ..of("a POST without force_method", "plain", &cookie, &id, &id) },
    ] {
        visit.check(&gateway_suite).await?;
    }
    identity_suite.stop().await;
    of("a service that has gone", "plain", &cookie, "403", "-").check(&gateway_suite).await?;
    gateway_suite.stop().await;
    Ok(())
}

#[tokio::test]
async fn the_service_in_the_same_process_is_recognized_under_each_of_its_urls() -> Result<()> {
    let upstream = Upstream::start().await?;
    let port = free_port();
    let addresses = [
        ("number", format!("http://127.0.0.1:{port}/sessions/whoami")),
        ("name", format!("http://localhost:{port}/sessions/whoami")),
        // This URL is unreachable from here.
        ("outside", "https://auth.example.org/id/sessions/whoami".to_owned()),
    ];
    // Over HTTP the path of the request would replace `whoami`, and find nothing.
    let more = json!({ "preserve_path": false, "forward_http_headers": ["X-Session-Token"] });
    let pairs = addresses.iter().map(|(name, url)| pair(name, &upstream.url(), &check_at(url, &more), "anonymous"));
    let mut config = config(&pairs.flatten().collect());
    config["identity"]["serve"] =
        json!({ "public": { "host": "0.0.0.0", "port": port, "base_url": "https://auth.example.org/id/" } });
    let suite = Suite::start_with(Engine::Sqlite, config).await?;
    let token = register_at(&suite, port).await?;
    for (name, _) in &addresses {
        let url = suite.gateway(&format!("/strict-{name}/page"));
        let client = suite.api().with_header("x-session-token", &token);
        let page = client.with_header("cookie", "ory_kratos_session=x").get(url).await?;
        ensure!(outcome(&page).len() == 36, "{name}: {}", page.summary());
    }
    suite.stop().await;
    Ok(())
}

/// Signs up on that port, whatever the service's public URL is, and returns the session token.
async fn register_at(suite: &Suite, port: u16) -> Result<String> {
    let here = format!("http://127.0.0.1:{port}/");
    let flow = suite.api().get(format!("{here}self-service/registration/api")).await?;
    let action = flow.at("/ui/action").as_str().context("an action")?.replace("https://auth.example.org/id/", &here);
    let body = json!({ "method": "password", "password": PASSWORD, "traits": { "email": "alice@example.org" } });
    let page = suite.api().json(Method::POST, action, &body).await?.expect_status(StatusCode::OK)?;
    session_token(&page)
}
