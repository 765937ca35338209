//! The operations of people and clients, one function per operation, for measurements of their cost.

use acceptance::browser::Browser;
use acceptance::page::Page;
use acceptance::smtp_sink::SmtpSink;
use anyhow::{Context as _, Result};
use base::Clock;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::code_flow;
use crate::program::Program;

const PASSWORD: &str = "correct horse battery staple";

/// A program whose operations are counted. Its password hashing is cheap, which does not affect the counts.
pub(crate) fn config(mail: &SmtpSink) -> Value {
    let mut config = code_flow::config();
    config["log"] = json!({ "level": "error" });
    config["identity"] = json!({
        "dev": true,
        "hashers": { "algorithm": "bcrypt", "bcrypt": { "cost": 4 } },
        "courier": { "smtp": { "connection_uri": mail.connection_uri() } },
        "selfservice": {
            "methods": {
                "password": { "config": { "haveibeenpwned_enabled": false } },
                "code": { "enabled": true },
                "totp": { "enabled": true },
                "lookup_secret": { "enabled": true },
            },
            "flows": {
                "recovery": { "enabled": true, "use": "code" },
                "verification": { "enabled": false },
                "registration": { "after": { "password": { "hooks": [{ "hook": "session" }] } } },
            },
        },
    });
    config
}

pub(crate) fn email(number: u32) -> String {
    format!("registrant{number}@example.org")
}

pub(crate) async fn register(program: &Program, number: u32) -> Result<()> {
    let body = json!({ "method": "password", "password": PASSWORD, "traits": { "email": email(number) } });
    submit(program, "registration", &body).await?.expect_status(StatusCode::OK).map(drop)
}

/// Signs in as a native application, and returns the session token.
pub(crate) async fn sign_in(program: &Program, number: u32) -> Result<String> {
    let body = json!({ "method": "password", "identifier": email(number), "password": PASSWORD });
    let done = submit(program, "login", &body).await?.expect_status(StatusCode::OK)?;
    done.at("/session_token").as_str().map(str::to_owned).context("a login has a token")
}

/// Signs in as a single-page application that requests JSON and keeps cookies.
pub(crate) async fn sign_in_as_json(program: &Program, number: u32) -> Result<()> {
    let mut browser = Browser::api(Clock::system());
    let flow = browser.get(url(program, "/self-service/login/browser")).await?.expect_status(StatusCode::OK)?;
    let id = flow.at("/id").as_str().context("a flow has an id")?.to_owned();
    let fetched = browser.get(url(program, &format!("/self-service/login/flows?id={id}"))).await?;
    let flow = fetched.expect_status(StatusCode::OK)?;
    let (action, csrf_token) = (action(&flow)?, node(&flow, "name", "csrf_token")?["value"].clone());
    let identifier = email(number);
    let body =
        json!({ "method": "password", "identifier": identifier, "password": PASSWORD, "csrf_token": csrf_token });
    browser.json(Method::POST, action, &body).await?.expect_status(StatusCode::OK)?;
    browser.get(url(program, "/sessions/whoami")).await?.expect_status(StatusCode::OK).map(drop)
}

/// Signs in on the built-in pages, up to the page after the sign-in.
pub(crate) async fn sign_in_as_html(program: &Program, number: u32) -> Result<()> {
    let mut browser = Browser::new(Clock::system());
    let page = browser.open(url(program, "/self-service/login/browser")).await?.expect_status(StatusCode::OK)?;
    let form = page.form("form:has([name=password])")?;
    let form = form.fill("identifier", &email(number))?.fill("password", PASSWORD)?.press("method", "password")?;
    browser.submit(&form).await?.expect_status(StatusCode::OK).map(drop)
}

/// Sets up an authenticator app in the settings.
pub(crate) async fn set_up_app(program: &Program, session_token: &str) -> Result<()> {
    let mut api = Browser::api(Clock::system()).with_header("x-session-token", session_token);
    let flow = api.get(url(program, "/self-service/settings/api")).await?.expect_status(StatusCode::OK)?;
    let shown = node(&flow, "id", "totp_secret_key")?;
    let secret = shown["text"]["context"]["secret"].as_str().context("a secret")?;
    let secret = Secret::try_from_base32(secret).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let app = Builder::new().with_secret(secret).build_noncompliant();
    let code = app.generate(u64::try_from(Clock::system().now().unix_seconds())?).to_string();
    let body = json!({ "method": "totp", "totp_code": code });
    api.json(Method::POST, action(&flow)?, &body).await?.expect_status(StatusCode::OK).map(drop)
}

/// Creates backup codes in the settings and confirms them.
pub(crate) async fn create_backup_codes(program: &Program, session_token: &str) -> Result<()> {
    let mut api = Browser::api(Clock::system()).with_header("x-session-token", session_token);
    let flow = api.get(url(program, "/self-service/settings/api")).await?.expect_status(StatusCode::OK)?;
    let action = action(&flow)?;
    for button in ["lookup_secret_regenerate", "lookup_secret_confirm"] {
        api.json(Method::POST, &action, &json!({ button: true })).await?.expect_status(StatusCode::OK)?;
    }
    Ok(())
}

/// Requests a code by mail and submits it.
pub(crate) async fn recover(program: &Program, mail: &SmtpSink, number: u32) -> Result<()> {
    let sent = submit(program, "recovery", &json!({ "method": "code", "email": email(number) })).await?;
    let sent = sent.expect_status(StatusCode::OK)?;
    let code = mail.first_to(&email(number)).await?.code(6)?;
    let body = json!({ "method": "code", "code": code });
    Browser::api(Clock::system())
        .json(Method::POST, action(&sent)?, &body)
        .await?
        .expect_status(StatusCode::OK)
        .map(drop)
}

async fn submit(program: &Program, kind: &str, body: &Value) -> Result<Page> {
    let mut api = Browser::api(Clock::system());
    let flow = api.get(url(program, &format!("/self-service/{kind}/api"))).await?.expect_status(StatusCode::OK)?;
    api.json(Method::POST, action(&flow)?, body).await
}

fn url(program: &Program, path: &str) -> String {
    format!("http://{}{path}", program.ports.identity)
}

/// Where a flow is submitted.
fn action(flow: &Page) -> Result<String> {
    flow.at("/ui/action").as_str().map(str::to_owned).context("a flow has an action")
}

/// The attributes of the node whose attribute `name` is `value`.
fn node(flow: &Page, name: &str, value: &str) -> Result<Value> {
    let nodes = flow.at("/ui/nodes");
    let mut attributes = nodes.as_array().into_iter().flatten().map(|node| &node["attributes"]);
    attributes.find(|it| it[name] == value).cloned().with_context(|| format!("no {value}: {}", flow.summary()))
}

/// A registered client, and its `Authorization` header.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) registered: Value,
    basic: String,
}

impl Client {
    /// A client that logs people in.
    pub(crate) async fn register(program: &Program) -> Result<Self> {
        Ok(Self::new(code_flow::client(program).await?))
    }

    /// A client that requests tokens in its own name.
    pub(crate) async fn of_its_own(program: &Program) -> Result<Self> {
        let body = json!({ "grant_types": ["client_credentials"], "scope": "read" });
        let url = format!("http://{}/admin/clients", program.ports.oauth_admin);
        let created = Browser::api(Clock::system()).json(Method::POST, url, &body).await?;
        Ok(Self::new(created.expect_status(StatusCode::CREATED)?.at("")))
    }

    fn new(registered: Value) -> Self {
        let text = |name: &str| registered[name].as_str().unwrap_or_default();
        let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", text("client_id"), text("client_secret"))));
        Self { registered, basic }
    }

    pub(crate) async fn client_credentials(&self, program: &Program) -> Result<String> {
        let answer = self.token(program, &[("grant_type", "client_credentials"), ("scope", "read")]).await?;
        answer["access_token"].as_str().map(str::to_owned).context("an access token")
    }

    /// Returns the next refresh token.
    pub(crate) async fn refresh(&self, program: &Program, refresh_token: &str) -> Result<String> {
        let answer = self.token(program, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await?;
        answer["refresh_token"].as_str().map(str::to_owned).context("a refresh token")
    }

    async fn token(&self, program: &Program, fields: &[(&str, &str)]) -> Result<Value> {
        let mut api = Browser::api(Clock::system()).with_header("authorization", &self.basic);
        let answer = api.post(format!("http://{}/oauth2/token", program.ports.oauth), fields).await?;
        Ok(answer.expect_status(StatusCode::OK)?.at(""))
    }
}

pub(crate) async fn introspect(program: &Program, token: &str) -> Result<()> {
    let url = format!("http://{}/admin/oauth2/introspect", program.ports.oauth_admin);
    let answer = Browser::api(Clock::system()).post(url, &[("token", token)]).await?.expect_status(StatusCode::OK)?;
    anyhow::ensure!(answer.at("/active") == true, "not active: {}", answer.text());
    Ok(())
}
