//! Servers whose certificates come from a private authority: every outbound call reaches them when the authority is
//! configured or in the system's store, and refuses them otherwise. (The database and the trace collector have tests of
//! their own.)

use std::time::Duration;

use acceptance::page::Page;
use acceptance::private_authority::{PrivateAuthority, TlsServer};
use acceptance::smtp_sink::{SmtpSink, SmtpTls};
use acceptance::suite::Suite;
use anyhow::{Context as _, Result, bail, ensure};
use axum::Router;
use axum::routing::{get, post};
use base::TrustStore;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::oauth;

const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trusted {
    ByConfiguration,
    BySystem,
    Not,
}

/// A server that is an upstream, a key set, a session check, a token hook and a client's logout endpoint.
async fn server(authority: &PrivateAuthority) -> Result<TlsServer> {
    let router = Router::new()
        .route("/app/{*rest}", get(async || "the application"))
        .route("/keys", get(async || axum::Json(json!({ "keys": [] }))))
        .route("/session", get(async || axum::Json(json!({ "subject": "alice" }))))
        .route("/token-hook", post(async || StatusCode::NO_CONTENT))
        .route("/logout", post(async || StatusCode::OK));
    authority.serve(router).await
}

fn rule(name: &str, upstream: &str, authenticator: &Value) -> Value {
    json!({
        "id": name,
        "match": { "url": format!("http://<localhost|127.0.0.1>:<[0-9]+>/app/{name}"), "methods": ["GET"] },
        "upstream": { "url": upstream },
        "authenticators": [authenticator],
        "authorizer": { "handler": "allow" },
        "mutators": [{ "handler": "noop" }],
    })
}

fn config(server: &TlsServer, mail: &SmtpSink) -> Value {
    let upstream = server.url("");
    let rules = json!([
        rule("upstream", &upstream, &json!({ "handler": "noop" })),
        rule("session", &upstream, &json!({ "handler": "cookie_session" })),
        rule("keys", &upstream, &json!({ "handler": "jwt" })),
    ]);
    let mut config = crate::gateway::config(&rules);
    config["gateway"]["access_rules"]["repositories"] =
        json!([format!("inline://{}", STANDARD.encode(rules.to_string()))]);
    config["gateway"]["authenticators"]["cookie_session"]["config"] =
        json!({ "check_session_url": server.url("/session"), "preserve_path": true });
    config["gateway"]["authenticators"]["jwt"]["config"] = json!({ "jwks_urls": [server.url("/keys")] });
    config["oauth"] = oauth::config()["oauth"].clone();
    config["oauth"]["oauth2"] = json!({ "token_hook": server.url("/token-hook") });
    config["identity"]["courier"] = json!({ "smtp": { "connection_uri": mail.connection_uri() } });
    config
}

async fn start(authority: &PrivateAuthority, trusted: Trusted, mut config: Value) -> Result<Suite> {
    let trust = match trusted {
        Trusted::BySystem => TrustStore::of(Vec::new()).with_pem(authority.pem().as_bytes())?,
        Trusted::ByConfiguration | Trusted::Not => TrustStore::bundled(),
    };
    if trusted == Trusted::ByConfiguration {
        config["trusted_ca"] = json!([{ "base64": STANDARD.encode(authority.pem()) }]);
    }
    Suite::start_trusting(trust, config).await
}

fn expect(answer: Page, status: StatusCode) -> Result<()> {
    answer.expect_status(status).map(drop)
}

async fn ask(suite: &Suite, path: &str) -> Result<Page> {
    suite.api().with_header("cookie", "a=b").get(suite.gateway(path)).await
}

/// Calls the gateway with a token of an unknown key, so that it fetches the keys.
async fn ask_with_a_token(suite: &Suite, path: &str) -> Result<Page> {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let token = format!("{}.{}.AAAA", part(json!({ "alg": "RS256", "kid": "a" })), part(json!({ "sub": "alice" })));
    let mut api = suite.api().with_header("authorization", &format!("Bearer {token}"));
    api.get(suite.gateway(path)).await
}

/// Issues tokens to a client, which calls the token hook, then ends the login, which calls the client's logout endpoint.
async fn sign_in_and_out(suite: &Suite, server: &TlsServer) -> Result<Page> {
    let mut registration = oauth::web_client();
    registration.backchannel_logout_uri = Some(server.url("/logout"));
    let client = oauth::register(suite, registration).await?;
    let mut browser = suite.browser();
    let url = oauth::authorize_url(suite, &client, &[])?;
    let callback = oauth::authorize(suite, &mut browser, &url, true).await?;
    let tokens = oauth::token(suite, &client, &oauth::redemption(&callback)?).await?;
    let ended = format!("/admin/oauth2/auth/sessions/login?subject={}", oauth::SUBJECT);
    let mut api = suite.api();
    api.json(Method::DELETE, suite.oauth_admin(&ended), &Value::Null).await?.expect_status(StatusCode::NO_CONTENT)?;
    Ok(tokens)
}

/// Requests a recovery mail for an account.
async fn ask_for_a_mail(suite: &Suite) -> Result<()> {
    let mut api = suite.api();
    let person = json!({ "schema_id": "default", "traits": { "email": "alice@example.org" } });
    let created = api.json(Method::POST, suite.identity_admin("/admin/identities"), &person).await?;
    created.expect_status(StatusCode::CREATED)?;
    let flow = api.get(suite.identity("/self-service/recovery/api")).await?.expect_status(StatusCode::OK)?;
    let action = flow.at("/ui/action").as_str().context("an action")?.to_owned();
    let body = json!({ "method": "code", "email": "alice@example.org" });
    api.json(Method::POST, action, &body).await?.expect_status(StatusCode::OK)?;
    Ok(())
}

/// The first message in the admin API, after an attempt to send it.
async fn message_after_a_try(suite: &Suite) -> Result<Value> {
    let listed = suite.identity_admin("/admin/courier/messages");
    let tried = async {
        loop {
            let page = suite.api().get(&listed).await?;
            let id = page.at("/0/id");
            if let Some(id) = id.as_str() {
                let message = suite.api().get(suite.identity_admin(&format!("/admin/courier/messages/{id}"))).await?;
                if message.at("/dispatches/0").is_object() && message.at("/status") != "processing" {
                    return anyhow::Ok(message.json::<Value>()?);
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, tried).await.context("no message was tried")?
}

async fn until_asked_for(server: &TlsServer, path: &str) -> Result<()> {
    let asked = async {
        while !server.asked().iter().any(|it| it == path) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, asked).await.is_err() {
        bail!("{path} was not requested, but {:?}", server.asked());
    }
    Ok(())
}

#[tokio::test]
async fn a_trusted_private_authority_is_accepted_by_every_outbound_call() -> Result<()> {
    for trusted in [Trusted::ByConfiguration, Trusted::BySystem] {
        let authority = PrivateAuthority::new()?;
        let server = server(&authority).await?;
        let mail = SmtpSink::start_with(SmtpTls::Implicit(authority.acceptor()?)).await?;
        let suite = start(&authority, trusted, config(&server, &mail)).await?;

        expect(ask(&suite, "/app/upstream").await?, StatusCode::OK)?;
        expect(ask(&suite, "/app/session").await?, StatusCode::OK)?;
        expect(ask_with_a_token(&suite, "/app/keys").await?, StatusCode::UNAUTHORIZED)?;
        expect(sign_in_and_out(&suite, &server).await?, StatusCode::OK)?;
        until_asked_for(&server, "/logout").await?;
        let expected = ["/app/session", "/app/upstream", "/keys", "/logout", "/session", "/token-hook"];
        ensure!(server.asked() == expected, "{trusted:?}: {:?}", server.asked());

        ask_for_a_mail(&suite).await?;
        ensure!(mail.first_to("alice@example.org").await?.code(6).is_ok());
        suite.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_mail_server_of_a_trusted_private_authority_is_accepted_after_starttls() -> Result<()> {
    let authority = PrivateAuthority::new()?;
    let server = server(&authority).await?;
    let mail = SmtpSink::start_with(SmtpTls::StartTls(authority.acceptor()?)).await?;
    let suite = start(&authority, Trusted::ByConfiguration, config(&server, &mail)).await?;
    ask_for_a_mail(&suite).await?;
    ensure!(mail.first_to("alice@example.org").await?.code(6).is_ok());
    suite.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_unknown_authority_is_refused_by_every_outbound_call() -> Result<()> {
    let authority = PrivateAuthority::new()?;
    let server = server(&authority).await?;
    let modes = [SmtpTls::Implicit(authority.acceptor()?), SmtpTls::StartTls(authority.acceptor()?)];
    for mode in modes {
        let mail = SmtpSink::start_with(mode).await?;
        let suite = start(&authority, Trusted::Not, config(&server, &mail)).await?;
        expect(ask(&suite, "/app/upstream").await?, StatusCode::BAD_GATEWAY)?;
        let answer = ask(&suite, "/app/session").await?;
        ensure!(answer.status.is_client_error(), "{}", answer.summary());
        let answer = ask_with_a_token(&suite, "/app/keys").await?;
        ensure!(!answer.status.is_success(), "{}", answer.summary());
        let answer = sign_in_and_out(&suite, &server).await?;
        ensure!(!answer.status.is_success(), "{}", answer.summary());
        ask_for_a_mail(&suite).await?;
        let message = message_after_a_try(&suite).await?;
        ensure!(message["status"] == "queued", "{message}");
        ensure!(message.to_string().contains("UnknownIssuer"), "{message}");
        ensure!(mail.mails().is_empty() && server.asked().is_empty(), "{:?}", server.asked());
        suite.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn an_authority_that_cannot_be_read_stops_the_start() -> Result<()> {
    let entries = json!([{ "path": "/nowhere/ca.pem" }, { "base64": STANDARD.encode("hello") }]);
    let Err(error) = Suite::start_with(acceptance::suite::Engine::Sqlite, json!({ "trusted_ca": entries })).await
    else {
        bail!("the server started")
    };
    let text = format!("{error:#}");
    ensure!(text.contains("trusted_ca.0: /nowhere/ca.pem cannot be read"), "{text}");
    ensure!(text.contains("trusted_ca.1: no certificate in it"), "{text}");
    Ok(())
}
