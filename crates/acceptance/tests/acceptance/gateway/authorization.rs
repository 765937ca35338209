//! Native applications with a session token, and rules with an authorization server, with the real services.

use std::sync::{Arc, Mutex};

use acceptance::suite::{Engine, Suite, with_config_on_both_engines};
use acceptance::upstream::Upstream;
use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::super::identity::{log_in, register, session_token};
use super::{Visit, config, outcome, pair, rule};

const ALICE: &str = "alice@example.org";

fn bearer(more: &Value) -> Value {
    let mut config = json!({ "check_session_url": "kleis://identity/sessions/whoami" });
    for (key, value) in more.as_object().into_iter().flatten() {
        config[key] = value.clone();
    }
    json!({ "handler": "bearer_token", "config": config })
}

fn rules(upstream: &str) -> Value {
    let header = json!({ "token_from": { "header": "X-Session-Token" } });
    let prefixed = json!({ "prefix": "ory_st_" });
    [
        pair("bearer", upstream, &bearer(&json!({})), "anonymous"),
        pair("header", upstream, &bearer(&header), "anonymous"),
        pair("prefixed", upstream, &bearer(&prefixed), "anonymous"),
        pair("query", upstream, &bearer(&json!({ "token_from": { "query_parameter": "token" } })), "anonymous"),
    ]
    .concat()
    .into()
}

#[tokio::test]
async fn a_native_application_is_authenticated_by_its_session_token() -> Result<()> {
    let upstream = Upstream::start().await?;
    with_config_on_both_engines(config(&rules(&upstream.url())), async |suite| {
        let registered = register(suite, ALICE).await?;
        let id = registered.at("/identity/id").as_str().context("an identity")?.to_owned();
        let token = session_token(&registered)?;
        let (valid, forged) = (format!("Bearer {token}"), format!("Bearer {token}x"));
        for visit in [
            Visit::get("a valid token", "bearer", ("authorization", &valid), &id, &id),
            Visit::get("a forged token", "bearer", ("authorization", &forged), "401", "-"),
            Visit::get("no token", "bearer", ("x-other", "x"), "anonymous", "-"),
            Visit::get("a token in its header", "header", ("x-session-token", &token), &id, &id),
            Visit::get("a forged one", "header", ("x-session-token", "ory_st_made-up"), "401", "-"),
            Visit::get("a token with the prefix", "prefixed", ("authorization", &valid), &id, &id),
            Visit::get("a token without it", "prefixed", ("authorization", "Bearer other"), "401", "-"),
            Visit { method: Method::POST, ..Visit::get("a POST", "bearer", ("authorization", &valid), &id, &id) },
        ] {
            visit.check(suite).await?;
        }
        let page = suite.api().get(suite.gateway(&format!("/strict-query/page?token={token}"))).await?;
        ensure!(outcome(&page) == id, "{}", page.summary());
        end_session(suite, &token).await?;
        Visit::get("a session that was ended", "bearer", ("authorization", &valid), "401", "-").check(suite).await
    })
    .await
}

/// Signs the native application out.
async fn end_session(suite: &Suite, token: &str) -> Result<()> {
    let body = json!({ "session_token": token });
    let page = suite.api().json(Method::DELETE, suite.identity("/self-service/logout/api"), &body).await?;
    page.expect_status(StatusCode::NO_CONTENT)?;
    Ok(())
}

#[tokio::test]
async fn a_token_of_another_process_is_checked_over_http() -> Result<()> {
    let identity_suite = Suite::start_with(Engine::Sqlite, super::super::identity::config()).await?;
    let upstream = Upstream::start().await?;
    // The settings of a migrated configuration.
    let settings = json!({
        "check_session_url": identity_suite.identity("/sessions/whoami"), "preserve_path": true, "force_method": "GET",
        "subject_from": "identity.id", "extra_from": "@this",
        "token_from": { "header": "X-Session-Token" }, "forward_http_headers": ["X-Session-Token"],
    });
    let rules = pair("far", &upstream.url(), &bearer(&settings), "anonymous");
    let gateway_suite = Suite::start_with(Engine::Sqlite, config(&rules.into())).await?;
    let registered = register(&identity_suite, ALICE).await?;
    let id = registered.at("/identity/id").as_str().context("an identity")?.to_owned();
    let token = log_in(&identity_suite, ALICE, super::super::identity::PASSWORD).await?;
    let visit = |what, token, strict, lenient| Visit::get(what, "far", ("x-session-token", token), strict, lenient);
    visit("a valid token", token.as_str(), id.as_str(), id.as_str()).check(&gateway_suite).await?;
    visit("a made-up token", "ory_st_made-up", "401", "-").check(&gateway_suite).await?;
    identity_suite.stop().await;
    visit("a service that has gone", &token, "403", "-").check(&gateway_suite).await?;
    gateway_suite.stop().await;
    Ok(())
}

type Asked = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// An authorization server that denies every request that contains the word `secret`.
async fn policies() -> Result<(String, Asked, JoinSet<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/check", listener.local_addr()?);
    let asked = Asked::default();
    let noted = asked.clone();
    let app = Router::new().fallback(move |headers: HeaderMap, body: Bytes| {
        let text = String::from_utf8_lossy(&body).into_owned();
        let status = if text.contains("secret") { StatusCode::FORBIDDEN } else { StatusCode::OK };
        if let Ok(mut noted) = noted.lock() {
            noted.push((headers, text));
        }
        std::future::ready((status, [("x-scope", "all")]))
    });
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        // It ends with its task set; the result does not matter.
        let _ = axum::serve(listener, app).await;
    });
    Ok((url, asked, serving))
}

#[tokio::test]
async fn an_authorization_server_decides_and_the_application_gets_its_headers() -> Result<()> {
    let (upstream, (policies, asked, _serving)) = (Upstream::start().await?, policies().await?);
    let mut document = rule("document", &upstream.url(), &json!([bearer(&json!({}))]));
    document["authorizer"] = json!({ "handler": "remote_json", "config": {
        "remote": policies, "forward_response_headers_to_upstream": ["X-Scope"],
        "payload": r#"{"subject": "{{ print .Subject }}", "path": "{{ .MatchContext.URL.Path }}"}"#,
        "headers": { "X-Email": "{{ print .Extra.identity.traits.email }}" },
    } });
    let mut body = rule("body", &upstream.url(), &json!([{ "handler": "anonymous" }]));
    body["authorizer"] = json!({ "handler": "remote", "config": { "remote": policies } });
    with_config_on_both_engines(config(&json!([document, body])), async |suite| {
        let registered = register(suite, ALICE).await?;
        let id = registered.at("/identity/id").as_str().context("an identity")?.to_owned();
        let bearer = format!("Bearer {}", session_token(&registered)?);
        asked.lock().map_err(|_| anyhow::anyhow!("poisoned"))?.clear();

        let mut client = suite.api().with_header("authorization", &bearer).with_header("x-scope", "forged");
        let page = client.get(suite.gateway("/document/page")).await?.expect_status(StatusCode::OK)?;
        ensure!(outcome(&page) == id && page.at("/headers/x-scope") == json!(["all"]), "{}", page.summary());
        client.get(suite.gateway("/document/secret")).await?.expect_status(StatusCode::FORBIDDEN)?;
        suite.api().get(suite.gateway("/document/page")).await?.expect_status(StatusCode::UNAUTHORIZED)?;

        let send = async |body: Value| suite.api().json(Method::POST, suite.gateway("/body/page"), &body).await;
        let page = send(json!({ "word": "open" })).await?.expect_status(StatusCode::OK)?;
        ensure!(page.at("/body") == r#"{"word":"open"}"#, "{}", page.summary());
        send(json!({ "word": "secret" })).await?.expect_status(StatusCode::FORBIDDEN)?;

        let asked = asked.lock().map_err(|_| anyhow::anyhow!("poisoned"))?;
        let bodies: Vec<&str> = asked.iter().map(|(_, body)| body.as_str()).collect();
        let question = |path: &str| format!(r#"{{"subject": "{id}", "path": "/document/{path}"}}"#);
        let (open, secret) = (r#"{"word":"open"}"#, r#"{"word":"secret"}"#);
        ensure!(bodies == [question("page").as_str(), &question("secret"), open, secret], "{bodies:?}");
        let header = |name: &str| asked[0].0.get(name).and_then(|value| value.to_str().ok());
        ensure!(header("x-email") == Some(ALICE) && header("authorization") == Some(&bearer), "{:?}", asked[0].0);
        Ok(())
    })
    .await
}
