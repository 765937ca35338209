//! The lifecycle of an account, with the official SDK.

use std::time::Duration;

use acceptance::suite::with_config_on_both_engines;
use anyhow::{Context as _, Result, ensure};
use http::StatusCode;
use ory_kratos_client::apis::frontend_api;
use ory_kratos_client::models::PerformNativeLogoutBody;
use serde_json::{Value, json};

use super::{
    PASSWORD, config, explain, log_in, public_sdk, register, register_and_log_in, session_token, submit, submit_to,
    try_log_in,
};

const ALICE: &str = "alice@example.org";

/// The step with that action in `continue_with`.
fn continuation(steps: &Value, action: &str) -> Result<Value> {
    let found = steps.as_array().into_iter().flatten().find(|step| step["action"] == action);
    found.cloned().with_context(|| format!("no {action} in {steps}"))
}

#[tokio::test]
async fn a_new_account_verifies_its_address_changes_its_password_and_signs_out() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let sdk = public_sdk(suite);
        let registered = register(suite, ALICE).await?;
        let token = session_token(&registered)?;
        ensure!(registered.at("/identity/traits") == json!({ "email": ALICE }), "{}", registered.summary());

        let step = continuation(&registered.at("/continue_with"), "show_verification_ui")?;
        ensure!(step["flow"]["verifiable_address"] == ALICE, "{step}");
        let code = suite.mail.first_to(ALICE).await?.code(6)?;
        let flow = step["flow"]["id"].as_str().context("the flow has an id")?;
        let action = suite.identity(&format!("/self-service/verification?flow={flow}"));
        let verified = submit_to(suite, &action, "", &json!({ "method": "code", "code": code })).await?;
        let verified = verified.expect_status(StatusCode::OK)?;
        ensure!(verified.at("/state") == "passed_challenge", "{}", verified.summary());

        let session = frontend_api::to_session(&sdk, Some(&token), None, None).await.map_err(explain)?;
        ensure!(session.active == Some(true));
        let identity = session.identity.context("a session has an identity")?;
        let addresses = identity.verifiable_addresses.unwrap_or_default();
        ensure!(addresses.len() == 1 && addresses[0].verified, "{addresses:?}");

        let body = json!({ "method": "password", "password": "another long passphrase" });
        let changed = submit(suite, "settings", &token, &body).await?.expect_status(StatusCode::OK)?;
        ensure!(changed.at("/state") == "success", "{}", changed.summary());
        let refused = try_log_in(suite, ALICE, PASSWORD).await?;
        ensure!(refused.status == StatusCode::BAD_REQUEST, "the old password is gone: {}", refused.summary());
        let second = log_in(suite, ALICE, "another long passphrase").await?;
        ensure!(second != token);

        let body = PerformNativeLogoutBody::new(second.clone());
        frontend_api::perform_native_logout(&sdk, body).await.map_err(explain)?;
        ensure!(frontend_api::to_session(&sdk, Some(&second), None, None).await.is_err(), "signed out");
        frontend_api::to_session(&sdk, Some(&token), None, None).await.map_err(explain)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_session_ends_with_its_lifespan() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let token = register_and_log_in(suite, ALICE).await?;
        let sdk = public_sdk(suite);
        suite.advance(Duration::from_hours(24) - Duration::from_secs(1));
        frontend_api::to_session(&sdk, Some(&token), None, None).await.map_err(explain)?;
        suite.advance(Duration::from_secs(1));
        ensure!(frontend_api::to_session(&sdk, Some(&token), None, None).await.is_err());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_weak_password_is_refused_with_the_form_and_a_message() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let body = json!({ "method": "password", "password": "short", "traits": { "email": ALICE } });
        let refused = submit(suite, "registration", "", &body).await?.expect_status(StatusCode::BAD_REQUEST)?;
        let nodes = refused.at("/ui/nodes");
        let nodes = nodes.as_array().context("the form comes back")?;
        let password = nodes.iter().find(|node| node["attributes"]["name"] == "password");
        let password = password.context("the form has the field")?;
        ensure!(password["messages"][0]["id"] == 4_000_032, "{password}");
        ensure!(!refused.text().contains("\"short\""), "a password is never returned");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_a_mailed_code() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        register(suite, ALICE).await?;
        let sent = submit(suite, "recovery", "", &json!({ "method": "code", "email": ALICE })).await?;
        let sent = sent.expect_status(StatusCode::OK)?;
        ensure!(sent.at("/state") == "sent_email", "{}", sent.summary());

        let code = suite.mail.nth_to(ALICE, 2).await?.code(6)?;
        let action = sent.at("/ui/action").as_str().context("an action")?.to_owned();
        let passed = submit_to(suite, &action, "", &json!({ "method": "code", "code": code })).await?;
        let passed = passed.expect_status(StatusCode::OK)?;
        let step = continuation(&passed.at("/continue_with"), "set_ory_session_token")?;
        let token = step["ory_session_token"].as_str().context("a token")?.to_owned();

        let body = json!({ "method": "password", "password": "remembered this time" });
        submit(suite, "settings", &token, &body).await?.expect_status(StatusCode::OK)?;
        log_in(suite, ALICE, "remembered this time").await?;
        Ok(())
    })
    .await
}
