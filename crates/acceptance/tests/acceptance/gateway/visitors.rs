//! Signed-in, anonymous and stale visitors of one URL, with real sessions: each case under a rule with Oathkeeper's features
//! only and under one with the additions.

use std::time::Duration;

use acceptance::browser::Browser;
use acceptance::suite::{Suite, with_config_on_both_engines};
use acceptance::upstream::Upstream;
use anyhow::{Context as _, Result, ensure};
use axum::Router;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::super::identity::{PASSWORD, register};
use super::{Visit, behind, config, outcome, pair, rule};

const ALICE: &str = "alice@example.org";
const COOKIE: &str = "ory_kratos_session";

fn session(more: &Value) -> Value {
    json!({ "handler": "cookie_session", "config": more })
}

fn rules(upstream: &str, failing: &str) -> Value {
    [
        pair("session", upstream, &session(&json!({})), "anonymous"),
        pair("any", upstream, &session(&json!({ "only": [] })), "anonymous"),
        pair("failing", upstream, &session(&json!({ "check_session_url": failing })), "anonymous"),
        pair("away", upstream, &session(&json!({ "check_session_url": "http://127.0.0.1:1/" })), "anonymous"),
    ]
    .concat()
    .into()
}

/// A signed-in person: their browser and their id.
pub(super) async fn signed_in(suite: &Suite, email: &str) -> Result<(Browser, String)> {
    let registered = register(suite, email).await?;
    let id = registered.at("/identity/id").as_str().context("an identity")?.to_owned();
    let mut browser = suite.api();
    let flow = browser.get(suite.identity("/self-service/login/browser")).await?.expect_status(StatusCode::OK)?;
    let action = flow.at("/ui/action").as_str().context("an action")?.to_owned();
    let nodes = flow.at("/ui/nodes");
    let csrf = nodes.as_array().context("nodes")?.iter().find(|node| node["attributes"]["name"] == "csrf_token");
    let csrf = csrf.context("a CSRF token")?["attributes"]["value"].clone();
    let body = json!({ "method": "password", "identifier": email, "password": PASSWORD, "csrf_token": csrf });
    let answer = browser.json(Method::POST, action, &body).await?;
    // 422: signed in with one factor, and sent on to the second.
    ensure!(matches!(answer.status.as_u16(), 200 | 422), "{}", answer.summary());
    Ok((browser, id))
}

/// The `Cookie` header of that person's session.
pub(super) fn cookie(suite: &Suite, browser: &Browser) -> Result<String> {
    let here = url::Url::parse(&suite.identity("/"))?;
    let cookie = browser.cookies.get(&here, COOKIE).context("a session cookie")?;
    Ok(format!("{COOKIE}={}", cookie.value))
}

/// An expired session, a revoked one, a valid one, and the id of its identity.
struct Cookies {
    stale: String,
    revoked: String,
    valid: String,
    tampered: String,
    id: String,
}

impl Cookies {
    async fn gather(suite: &Suite) -> Result<Self> {
        let (browser, _) = signed_in(suite, "carol@example.org").await?;
        let stale = cookie(suite, &browser)?;
        suite.advance(Duration::from_hours(2));
        let (mut browser, _) = signed_in(suite, "bob@example.org").await?;
        let revoked = cookie(suite, &browser)?;
        let logout = browser.get(suite.identity("/self-service/logout/browser")).await?;
        let url = logout.at("/logout_url").as_str().context("a logout address")?.to_owned();
        browser.get(url).await?;
        let (browser, id) = signed_in(suite, ALICE).await?;
        let valid = cookie(suite, &browser)?;
        let middle = valid.len() / 2;
        let other = if valid.as_bytes()[middle] == b'A' { "B" } else { "A" };
        let tampered = format!("{}{other}{}", &valid[..middle], &valid[middle + 1..]);
        Ok(Self { stale, revoked, valid, tampered, id })
    }

    fn visits(&self) -> Vec<Visit<'_>> {
        let Self { stale, revoked, valid, tampered, id } = self;
        let with_cookie = |what, cookie: &'static str, strict, lenient| {
            Visit::get(what, "session", ("cookie", cookie), strict, lenient)
        };
        let of = |what, rule, cookie, strict, lenient| Visit::get(what, rule, ("cookie", cookie), strict, lenient);
        vec![
            of("a valid session", "session", valid, id, id),
            with_cookie("no cookie", "", "anonymous", "-"),
            with_cookie("only unrelated cookies", "theme=dark; lang=de", "anonymous", "-"),
            with_cookie("made up", "ory_kratos_session=made-up", "401", "-"),
            of("only unrelated cookies, and the rule names none", "any", "theme=dark", "401", "-"),
            of("a valid session, and the rule names none", "any", valid, id, id),
            of("a stale session", "session", stale, "401", "-"),
            of("a revoked session", "session", revoked, "401", "-"),
            of("a tampered cookie", "session", tampered, "401", "-"),
            of("a session store that fails", "failing", valid, "401", "-"),
            of("a session store out of reach", "away", valid, "403", "-"),
            Visit { method: Method::POST, ..of("a POST", "session", valid, id, id) },
            Visit::get("an Authorization header", "session", ("authorization", "Basic YTpi"), "401", "-"),
            Visit {
                headers: vec![("authorization", "Basic YTpi"), ("cookie", valid)],
                ..of("both", "session", "", id, id)
            },
        ]
    }
}

/// A session check that answers with 503.
async fn failing() -> Result<(String, JoinSet<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let app = Router::new().fallback(|| std::future::ready(StatusCode::SERVICE_UNAVAILABLE));
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        // It ends with its task set; the result does not matter.
        let _ = axum::serve(listener, app).await;
    });
    Ok((url, serving))
}

#[tokio::test]
async fn one_address_serves_visitors_who_are_signed_in_anonymous_or_stale() -> Result<()> {
    let (upstream, (failing, _serving)) = (Upstream::start().await?, failing().await?);
    let mut config = config(&rules(&upstream.url(), &failing));
    config["identity"]["session"] = json!({ "lifespan": "1h" });
    with_config_on_both_engines(config, async |suite| {
        let cookies = Cookies::gather(suite).await?;
        for visit in cookies.visits() {
            visit.check(suite).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_session_without_its_second_factor_is_not_accepted() -> Result<()> {
    let upstream = Upstream::start().await?;
    let mut config = config(&rules(&upstream.url(), "http://127.0.0.1:1/"));
    config["identity"]["selfservice"]["methods"] = json!({ "code": { "mfa_enabled": true } });
    with_config_on_both_engines(config, async |suite| {
        let (browser, _) = signed_in(suite, ALICE).await?;
        let cookie = cookie(suite, &browser)?;
        Visit::get("aal1 where aal2 is asked", "session", ("cookie", &cookie), "401", "-").check(suite).await
    })
    .await
}

#[tokio::test]
async fn the_application_gets_the_identity_of_a_session() -> Result<()> {
    behind(
        |upstream| rules(upstream, "http://127.0.0.1:1/"),
        async |suite| {
            let (mut browser, id) = signed_in(suite, ALICE).await?;
            let page = browser.get(suite.gateway("/strict-session/page?x=1")).await?.expect_status(StatusCode::OK)?;
            ensure!(outcome(&page) == id, "{}", page.summary());
            ensure!(page.at("/path") == "/strict-session/page" && page.at("/query") == "x=1", "{}", page.summary());
            Ok(())
        },
    )
    .await
}

#[tokio::test]
async fn a_client_cannot_set_a_header_that_a_rule_sets() -> Result<()> {
    behind(
        |upstream| rules(upstream, "http://127.0.0.1:1/"),
        async |suite| {
            let mut client = suite.api().with_header("x-user-id", "admin").with_header("X_User_Id", "admin");
            let page = client.get(suite.gateway("/strict-session/page")).await?.expect_status(StatusCode::OK)?;
            ensure!(page.at("/headers/x-user-id") == json!(["anonymous"]), "{}", page.summary());
            ensure!(page.at("/headers/x_user_id").is_null(), "{}", page.summary());
            let page = client.get(suite.gateway("/lenient-session/page")).await?.expect_status(StatusCode::OK)?;
            ensure!(page.at("/headers/x-user-id").is_null(), "{}", page.summary());
            Ok(())
        },
    )
    .await
}

#[tokio::test]
async fn the_gateway_refuses_a_disabled_person_immediately() -> Result<()> {
    behind(
        |upstream| rules(upstream, "http://127.0.0.1:1/"),
        async |suite| {
            let (mut browser, id) = signed_in(suite, ALICE).await?;
            browser.get(suite.gateway("/strict-session/page")).await?.expect_status(StatusCode::OK)?;
            let patch = json!([{ "op": "replace", "path": "/state", "value": "inactive" }]);
            let url = suite.identity_admin(&format!("/admin/identities/{id}"));
            suite.api().json(Method::PATCH, url, &patch).await?.expect_status(StatusCode::OK)?;
            let refused = browser.get(suite.gateway("/strict-session/page")).await?;
            ensure!(refused.status == StatusCode::UNAUTHORIZED, "{}", refused.summary());
            Ok(())
        },
    )
    .await
}

#[tokio::test]
async fn an_invalid_cookie_is_deleted_if_the_rule_enables_it() -> Result<()> {
    let clearing = |upstream: &str| {
        let mut cookie = session(&json!({ "clear_invalid_cookies": true }));
        cookie["on_invalid"] = json!("next");
        json!([rule("clearing", upstream, &json!([cookie, { "handler": "anonymous" }]))])
    };
    behind(clearing, async |suite| {
        let (mut browser, id) = signed_in(suite, ALICE).await?;
        let here = url::Url::parse(&suite.gateway("/clearing/"))?;
        let page = browser.get(suite.gateway("/clearing/page")).await?;
        ensure!(outcome(&page) == id && browser.cookies.get(&here, COOKIE).is_some(), "{}", page.summary());
        browser.cookies.set(&here, COOKIE, "made-up");
        let page = browser.get(suite.gateway("/clearing/page")).await?;
        ensure!(outcome(&page) == "anonymous" && browser.cookies.get(&here, COOKIE).is_none(), "{}", page.summary());
        Ok(())
    })
    .await
}
