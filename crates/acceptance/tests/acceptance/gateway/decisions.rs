//! Decisions for another proxy, which asks about each request and forwards it itself.

use acceptance::page::Page;
use acceptance::suite::Suite;
use anyhow::{Result, ensure};
use serde_json::json;
use url::Url;

use super::visitors::{cookie, signed_in};
use super::{behind, pair};

/// A decision with the headers that Traefik and nginx send, and a cookie.
async fn described(suite: &Suite, path: &str, cookie: &str) -> Result<Page> {
    let here = Url::parse(&suite.gateway("/"))?;
    let host = format!("127.0.0.1:{}", here.port().unwrap_or_default());
    let client = suite.api().with_header("x-forwarded-method", "GET").with_header("x-forwarded-proto", "http");
    let client = client.with_header("x-forwarded-host", &host).with_header("x-forwarded-uri", path);
    client.with_header("cookie", cookie).get(suite.gateway_api("/decisions")).await
}

#[tokio::test]
async fn another_proxy_gets_the_subject_of_a_request() -> Result<()> {
    let rules = |upstream: &str| pair("page", upstream, &json!({ "handler": "cookie_session" }), "anonymous").into();
    behind(rules, async |suite| {
        let (browser, id) = signed_in(suite, "alice@example.org").await?;
        let cookie = cookie(suite, &browser)?;
        let stale = "ory_kratos_session=made-up";
        for (path, cookie, status, user) in [
            ("/strict-page/a?b=c", cookie.as_str(), 200, id.as_str()),
            ("/strict-page/a", "", 200, "anonymous"),
            ("/strict-page/a", stale, 401, ""),
            ("/lenient-page/a", &cookie, 200, &id),
            ("/lenient-page/a", stale, 200, ""),
            ("/elsewhere", &cookie, 404, ""),
            ("/lenient-page/..%2fa", &cookie, 400, ""),
        ] {
            let page = described(suite, path, cookie).await?;
            let got = (page.status.as_u16(), page.header("x-user-id"));
            ensure!(got == (status, user), "{path} with {cookie}: {got:?}: {}", page.summary());
        }
        // Envoy keeps method and host, and appends the path.
        let page =
            suite.api().with_header("cookie", &cookie).get(suite.gateway_api("/decisions/strict-page/a")).await?;
        ensure!(page.status == 200 && page.header("x-user-id") == id, "{}", page.summary());
        let refused =
            suite.api().with_header("cookie", stale).get(suite.gateway_api("/decisions/strict-page/a")).await?;
        ensure!(refused.status == 401, "{}", refused.summary());
        Ok(())
    })
    .await
}
