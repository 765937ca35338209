//! Accounts as clients see them, through the official SDK and through pages.

mod account_lifecycle;
mod admin;
mod browser_flows;
mod enumeration;
mod pages;
mod sessions;

use acceptance::suite::Suite;
use anyhow::{Context as _, Result};
use ory_kratos_client::apis::configuration::Configuration;
use ory_kratos_client::apis::frontend_api;
use ory_kratos_client::models::{
    SuccessfulNativeLogin, SuccessfulNativeRegistration, UpdateLoginFlowBody, UpdateLoginFlowWithPasswordMethod,
    UpdateRegistrationFlowBody, UpdateRegistrationFlowWithPasswordMethod,
};
use serde_json::{Value, json};

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Registration signs in and asks to verify the address, as most installations have it.
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

/// The official client, asking the public listener.
pub(crate) fn public_sdk(suite: &Suite) -> Configuration {
    sdk(&suite.identity(""))
}

/// The official client, asking the admin listener.
pub(crate) fn admin_sdk(suite: &Suite) -> Configuration {
    sdk(&suite.identity_admin(""))
}

fn sdk(base: &str) -> Configuration {
    Configuration { base_path: base.trim_end_matches('/').to_owned(), ..Configuration::new() }
}

/// Registers an account as a native application does.
pub(crate) async fn register(suite: &Suite, email: &str) -> Result<SuccessfulNativeRegistration> {
    let sdk = public_sdk(suite);
    let flow = frontend_api::create_native_registration_flow(&sdk, None, None, None, None).await?;
    let form = UpdateRegistrationFlowWithPasswordMethod::new(
        "password".to_owned(),
        PASSWORD.to_owned(),
        json!({ "email": email }),
    );
    let body = UpdateRegistrationFlowBody::Password(Box::new(form));
    frontend_api::update_registration_flow(&sdk, &flow.id, body, None).await.map_err(explain)
}

/// Signs in as a native application does.
pub(crate) async fn log_in(suite: &Suite, email: &str, password: &str) -> Result<SuccessfulNativeLogin> {
    let sdk = public_sdk(suite);
    let flow = frontend_api::create_native_login_flow(&sdk, None, None, None, None, None, None, None, None).await?;
    let form = UpdateLoginFlowWithPasswordMethod::new(email.to_owned(), "password".to_owned(), password.to_owned());
    let body = UpdateLoginFlowBody::Password(Box::new(form));
    frontend_api::update_login_flow(&sdk, &flow.id, body, None, None).await.map_err(explain)
}

/// Registers, and gives back the session token.
pub(crate) async fn register_and_log_in(suite: &Suite, email: &str) -> Result<String> {
    register(suite, email).await?.session_token.context("registration signs in")
}

/// An error of the SDK that shows what the server said.
pub(crate) fn explain<T: std::fmt::Debug>(error: ory_kratos_client::apis::Error<T>) -> anyhow::Error {
    match error {
        ory_kratos_client::apis::Error::ResponseError(answer) => {
            anyhow::anyhow!("{}: {}", answer.status, answer.content)
        }
        other => anyhow::anyhow!("{other:?}"),
    }
}
