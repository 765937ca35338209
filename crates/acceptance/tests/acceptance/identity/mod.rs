//! Accounts from the view of clients, through the official SDK and through pages.

mod account_lifecycle;
mod admin;
mod attacks;
mod browser_flows;
mod chromium;
mod enumeration;
mod pages;
mod sdk;
pub(crate) mod second_factors;
mod sessions;

use acceptance::page::Page;
use acceptance::suite::Suite;
use anyhow::{Context as _, Result};
use http::{Method, StatusCode};
use ory_kratos_client::apis::configuration::Configuration;
use ory_kratos_client::models::{
    UpdateLoginFlowBody, UpdateLoginFlowWithPasswordMethod, UpdateRegistrationFlowBody,
    UpdateRegistrationFlowWithPasswordMethod,
};
use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Registration signs in and asks to verify the address, as in most installations.
pub(crate) fn config() -> Value {
    json!({
        "identity": {
            "selfservice": {
                "flows": {
                    "verification": { "enabled": true, "use": "code" },
                    "recovery": { "enabled": true, "use": "code" },
                    "registration": {
                        "after": { "password": { "hooks": [{ "hook": "session" }, { "hook": "show_verification_ui" }] } }
                    },
                },
            },
        },
    })
}

/// The official client for the public listener.
pub(crate) fn public_sdk(suite: &Suite) -> Configuration {
    sdk(&suite.identity(""))
}

/// The official client for the admin listener.
pub(crate) fn admin_sdk(suite: &Suite) -> Configuration {
    sdk(&suite.identity_admin(""))
}

fn sdk(base: &str) -> Configuration {
    Configuration { base_path: base.trim_end_matches('/').to_owned(), ..Configuration::new() }
}

/// Begins a native flow of that kind and submits `body` to it, with the session of `token` if there is one.
///
/// The official client for Rust writes the body. It cannot read flows: its enums consume the `node_type` that its structs
/// require. So answers are read as JSON.
pub(crate) async fn submit(suite: &Suite, kind: &str, token: &str, body: &impl Serialize) -> Result<Page> {
    let mut client = suite.api().with_header("x-session-token", token);
    let start = suite.identity(&format!("/self-service/{kind}/api"));
    let flow = client.get(start).await?.expect_status(StatusCode::OK)?;
    submit_to(suite, flow.at("/ui/action").as_str().context("a flow has an action")?, token, body).await
}

/// Submits `body` to the flow with that action.
pub(crate) async fn submit_to(suite: &Suite, action: &str, token: &str, body: &impl Serialize) -> Result<Page> {
    let mut client = suite.api().with_header("x-session-token", token);
    let body = serde_json::to_string(body)?;
    client.send(Method::POST, &Url::parse(action)?, Some("application/json"), body.into()).await
}

/// Registers an account as a native application does.
pub(crate) async fn register(suite: &Suite, email: &str) -> Result<Page> {
    let traits = json!({ "email": email });
    let form = UpdateRegistrationFlowWithPasswordMethod::new("password".to_owned(), PASSWORD.to_owned(), traits);
    let body = UpdateRegistrationFlowBody::Password(Box::new(form));
    submit(suite, "registration", "", &body).await?.expect_status(StatusCode::OK)
}

/// Signs in as a native application does; the answer may be a refusal.
pub(crate) async fn try_log_in(suite: &Suite, email: &str, password: &str) -> Result<Page> {
    let form = UpdateLoginFlowWithPasswordMethod::new(email.to_owned(), "password".to_owned(), password.to_owned());
    submit(suite, "login", "", &UpdateLoginFlowBody::Password(Box::new(form))).await
}

/// Signs in, and returns the session token.
pub(crate) async fn log_in(suite: &Suite, email: &str, password: &str) -> Result<String> {
    session_token(&try_log_in(suite, email, password).await?.expect_status(StatusCode::OK)?)
}

/// Registers, and returns the session token.
pub(crate) async fn register_and_log_in(suite: &Suite, email: &str) -> Result<String> {
    session_token(&register(suite, email).await?)
}

pub(crate) fn session_token(page: &Page) -> Result<String> {
    page.at("/session_token").as_str().map(str::to_owned).with_context(|| page.summary())
}

/// An error of the SDK with the server's message.
pub(crate) fn explain<T: std::fmt::Debug>(error: ory_kratos_client::apis::Error<T>) -> anyhow::Error {
    match error {
        ory_kratos_client::apis::Error::ResponseError(answer) => {
            anyhow::anyhow!("{}: {}", answer.status, answer.content)
        }
        other => anyhow::anyhow!("{other:?}"),
    }
}
