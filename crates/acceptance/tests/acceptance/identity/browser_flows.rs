//! Flows of browsers and single-page applications: cookies, CSRF, redirects.

use acceptance::suite::with_config_on_both_engines;
use anyhow::{Context as _, Result, ensure};
use http::{Method, StatusCode};
use serde_json::json;

use super::{PASSWORD, config, register};

const ALICE: &str = "alice@example.org";

#[tokio::test]
async fn a_single_page_application_signs_in_and_out() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        register(suite, ALICE).await?;
        let mut app = suite.api();
        let flow = app.get(suite.identity("/self-service/login/browser")).await?.expect_status(StatusCode::OK)?;
        let action = flow.at("/ui/action").as_str().context("an action")?.to_owned();
        let nodes = flow.at("/ui/nodes");
        let nodes = nodes.as_array().context("nodes")?;
        let csrf = nodes.iter().find(|node| node["attributes"]["name"] == "csrf_token").context("a CSRF token")?;
        let csrf = csrf["attributes"]["value"].clone();

        let mut body = json!({ "method": "password", "identifier": ALICE, "password": PASSWORD });
        let refused = app.json(Method::POST, &action, &body).await?;
        ensure!(refused.status == StatusCode::FORBIDDEN, "{}", refused.summary());
        ensure!(refused.at("/error/id") == "security_csrf_violation", "{}", refused.summary());

        body["csrf_token"] = csrf;
        let signed_in = app.json(Method::POST, &action, &body).await?.expect_status(StatusCode::OK)?;
        ensure!(signed_in.at("/session/active") == true, "{}", signed_in.summary());
        ensure!(signed_in.at("/session_token").is_null(), "a browser's session has no token");
        let here = url::Url::parse(&suite.identity("/"))?;
        let cookie = app.cookies.get(&here, "ory_kratos_session").context("a session cookie")?;
        ensure!(cookie.http_only && cookie.path == "/", "{cookie:?}");
        ensure!(app.cookies.visible_to_scripts(&here).next().is_none(), "scripts cannot read a cookie");

        let whoami = app.get(suite.identity("/sessions/whoami")).await?.expect_status(StatusCode::OK)?;
        ensure!(whoami.at("/identity/traits/email") == ALICE);
        let again = app.get(suite.identity("/self-service/login/browser")).await?;
        ensure!(again.at("/error/id") == "session_already_available", "{}", again.summary());

        let logout = app.get(suite.identity("/self-service/logout/browser")).await?.expect_status(StatusCode::OK)?;
        let url = logout.at("/logout_url").as_str().context("a logout address")?.to_owned();
        app.get(url).await?.expect_status(StatusCode::NO_CONTENT)?;
        app.get(suite.identity("/sessions/whoami")).await?.expect_status(StatusCode::UNAUTHORIZED)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_flow_belongs_to_the_browser_that_began_it() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let mut mine = suite.api();
        let flow = mine.get(suite.identity("/self-service/login/browser")).await?;
        let id = flow.at("/id").as_str().context("an id")?.to_owned();
        let url = suite.identity(&format!("/self-service/login/flows?id={id}"));
        mine.get(&url).await?.expect_status(StatusCode::OK)?;
        let stolen = suite.api().get(&url).await?.expect_status(StatusCode::FORBIDDEN)?;
        ensure!(stolen.at("/error/id") == "security_csrf_violation", "{}", stolen.summary());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn return_to_leads_only_to_configured_urls() -> Result<()> {
    let mut config = config();
    config["identity"]["selfservice"]["allowed_return_urls"] = json!(["https://app.example.org/home"]);
    with_config_on_both_engines(config, async |suite| {
        let start = |return_to: &str| {
            let query =
                url::form_urlencoded::Serializer::new(String::new()).append_pair("return_to", return_to).finish();
            suite.identity(&format!("/self-service/login/browser?{query}"))
        };
        let mut app = suite.api();
        for allowed in ["https://app.example.org/home", "https://app.example.org/home/x?y=1"] {
            app.get(start(allowed)).await?.expect_status(StatusCode::OK)?;
        }
        for refused in [
            "https://evil.example.org/home",
            "https://app.example.org/homepage",
            "https://app.example.org@evil.example.org/home",
            "https://app.example.org\\@evil.example.org/home",
            "//evil.example.org/home",
            "javascript:alert(1)",
            "https://app.example.org/home/../admin",
        ] {
            let answer = app.get(start(refused)).await?;
            ensure!(answer.status == StatusCode::BAD_REQUEST, "{refused}: {}", answer.summary());
            ensure!(
                answer.at("/error/id") == "self_service_flow_return_to_forbidden",
                "{refused}: {}",
                answer.summary()
            );
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_native_flow_refuses_browsers() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        register(suite, ALICE).await?;
        let mut client = suite.api();
        let flow = client.get(suite.identity("/self-service/login/api")).await?.expect_status(StatusCode::OK)?;
        let action = flow.at("/ui/action").as_str().context("an action")?.to_owned();
        let body = json!({ "method": "password", "identifier": ALICE, "password": PASSWORD });
        let mut script = suite.api().with_header("origin", "https://evil.example.org");
        script.json(Method::POST, &action, &body).await?.expect_status(StatusCode::BAD_REQUEST)?;
        client.json(Method::POST, &action, &body).await?.expect_status(StatusCode::OK)?;
        Ok(())
    })
    .await
}
