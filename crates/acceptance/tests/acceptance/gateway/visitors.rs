//! Signed-in, anonymous and stale visitors of one address, as the original serves them and with our additions.

use acceptance::browser::Browser;
use acceptance::page::Page;
use acceptance::suite::Suite;
use anyhow::{Context as _, Result, ensure};
use http::StatusCode;
use serde_json::{Value, json};

use super::super::identity::{PASSWORD, register};
use super::{behind, rule};

const ALICE: &str = "alice@example.org";

/// Two rules side by side: the original's behaviour, and the one that lets stale visitors in as strangers.
fn rules(upstream: &str) -> Value {
    let session = |more: Value| {
        let mut handler = json!({ "handler": "cookie_session", "config": { "subject_from": "identity.id" } });
        for (key, value) in more.as_object().into_iter().flatten() {
            handler[key] = value.clone();
        }
        handler
    };
    let anonymous = json!({ "handler": "anonymous" });
    let welcoming = json!({ "handler": "anonymous", "config": { "ignore_authorization_header": true } });
    json!([
        rule("strict", upstream, &json!([session(json!({})), anonymous])),
        rule("lenient", upstream, &json!([session(json!({ "on_invalid": "next" })), welcoming])),
    ])
}

/// A browser in which Alice is signed in, and her id.
async fn signed_in(suite: &Suite) -> Result<(Browser, String)> {
    let registered = register(suite, ALICE).await?;
    let id = registered.at("/identity/id").as_str().context("an identity")?.to_owned();
    let mut browser = suite.api();
    let flow = browser.get(suite.identity("/self-service/login/browser")).await?.expect_status(StatusCode::OK)?;
    let action = flow.at("/ui/action").as_str().context("an action")?.to_owned();
    let nodes = flow.at("/ui/nodes");
    let csrf = nodes.as_array().context("nodes")?.iter().find(|node| node["attributes"]["name"] == "csrf_token");
    let csrf = csrf.context("a CSRF token")?["attributes"]["value"].clone();
    let body = json!({ "method": "password", "identifier": ALICE, "password": PASSWORD, "csrf_token": csrf });
    browser.json(http::Method::POST, action, &body).await?.expect_status(StatusCode::OK)?;
    Ok((browser, id))
}

/// Who the application thinks it is that asks.
fn visitor(page: &Page) -> Value {
    page.at("/headers/x-user-id/0")
}

#[tokio::test]
async fn a_session_is_known_to_the_application_by_the_identity_behind_it() -> Result<()> {
    behind(rules, async |suite| {
        let (mut browser, id) = signed_in(suite).await?;
        for name in ["strict", "lenient"] {
            let page = browser.get(suite.gateway(&format!("/{name}/page?x=1"))).await?.expect_status(StatusCode::OK)?;
            ensure!(visitor(&page) == id.as_str(), "{}", page.summary());
            ensure!(page.at("/path") == format!("/{name}/page") && page.at("/query") == "x=1", "{}", page.summary());
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn without_a_session_a_visitor_is_anonymous() -> Result<()> {
    behind(rules, async |suite| {
        let stranger = suite.api();
        for name in ["strict", "lenient"] {
            for cookie in ["", "theme=dark; lang=de"] {
                let mut visitor_of = stranger.clone().with_header("cookie", cookie);
                let page =
                    visitor_of.get(suite.gateway(&format!("/{name}/page"))).await?.expect_status(StatusCode::OK)?;
                ensure!(visitor(&page) == "anonymous", "{name} {cookie}: {}", page.summary());
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_stale_session_is_refused_or_anonymous_as_the_rule_says() -> Result<()> {
    behind(rules, async |suite| {
        let (browser, _) = signed_in(suite).await?;
        let stale = browser.clone();
        let mut leaving = browser.clone();
        let logout = leaving.get(suite.identity("/self-service/logout/browser")).await?;
        let url = logout.at("/logout_url").as_str().context("a log-out address")?.to_owned();
        leaving.get(url).await?;
        let here = url::Url::parse(&suite.gateway("/"))?;
        let mut tampered = suite.api();
        tampered.cookies.set(&here, "ory_kratos_session", "made-up");
        for mut visitor_of in [stale, tampered] {
            let refused = visitor_of.get(suite.gateway("/strict/page")).await?;
            ensure!(refused.status == StatusCode::UNAUTHORIZED, "{}", refused.summary());
            let page = visitor_of.get(suite.gateway("/lenient/page")).await?.expect_status(StatusCode::OK)?;
            ensure!(visitor(&page) == "anonymous", "{}", page.summary());
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_authorization_header_keeps_a_visitor_from_being_anonymous_unless_the_rule_says() -> Result<()> {
    behind(rules, async |suite| {
        let mut visitor_of = suite.api().with_header("authorization", "Basic YTpi");
        let refused = visitor_of.get(suite.gateway("/strict/page")).await?;
        ensure!(refused.status == StatusCode::UNAUTHORIZED, "{}", refused.summary());
        let page = visitor_of.get(suite.gateway("/lenient/page")).await?.expect_status(StatusCode::OK)?;
        ensure!(visitor(&page) == "anonymous", "{}", page.summary());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nobody_names_himself() -> Result<()> {
    behind(rules, async |suite| {
        let mut liar = suite.api().with_header("x-user-id", "admin").with_header("X_User_Id", "admin");
        let page = liar.get(suite.gateway("/strict/page")).await?.expect_status(StatusCode::OK)?;
        ensure!(page.at("/headers/x-user-id") == json!(["anonymous"]), "{}", page.summary());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_disabled_person_is_out_at_the_door_at_once() -> Result<()> {
    behind(rules, async |suite| {
        let (mut browser, id) = signed_in(suite).await?;
        browser.get(suite.gateway("/strict/page")).await?.expect_status(StatusCode::OK)?;
        let patch = json!([{ "op": "replace", "path": "/state", "value": "inactive" }]);
        let url = suite.identity_admin(&format!("/admin/identities/{id}"));
        suite.api().json(http::Method::PATCH, url, &patch).await?.expect_status(StatusCode::OK)?;
        let refused = browser.get(suite.gateway("/strict/page")).await?;
        ensure!(refused.status == StatusCode::UNAUTHORIZED, "{}", refused.summary());
        Ok(())
    })
    .await
}
