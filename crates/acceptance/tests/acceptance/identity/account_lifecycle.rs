//! An account from its first day to its last session, with the official SDK.

use std::time::Duration;

use acceptance::suite::with_config_on_both_engines;
use anyhow::{Context as _, Result, bail, ensure};
use ory_kratos_client::apis::frontend_api;
use ory_kratos_client::models::update_recovery_flow_with_code_method::MethodEnum as RecoveryMethod;
use ory_kratos_client::models::update_verification_flow_with_code_method::MethodEnum as VerificationMethod;
use ory_kratos_client::models::{
    ContinueWith, PerformNativeLogoutBody, UpdateRecoveryFlowBody, UpdateRecoveryFlowWithCodeMethod,
    UpdateSettingsFlowBody, UpdateSettingsFlowWithPasswordMethod, UpdateVerificationFlowBody,
    UpdateVerificationFlowWithCodeMethod,
};
use serde_json::json;

use super::{PASSWORD, config, explain, log_in, public_sdk, register, register_and_log_in};

const ALICE: &str = "alice@example.org";

#[tokio::test]
async fn a_new_account_verifies_its_address_changes_its_password_and_signs_out() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let sdk = public_sdk(suite);
        let registered = register(suite, ALICE).await?;
        let token = registered.session_token.context("the session hook signs in")?;
        ensure!(registered.identity.traits == Some(json!({ "email": ALICE })));

        let shown = registered.continue_with.unwrap_or_default().into_iter().find_map(|step| match step {
            ContinueWith::ShowVerificationUi(step) => Some(step.flow),
            _ => None,
        });
        let flow = shown.context("show_verification_ui names the flow")?;
        ensure!(flow.verifiable_address == ALICE);
        let mut form = UpdateVerificationFlowWithCodeMethod::new(VerificationMethod::Code);
        form.code = Some(suite.mail.first_to(ALICE).await?.code(6)?);
        let body = UpdateVerificationFlowBody::Code(Box::new(form));
        let verified =
            frontend_api::update_verification_flow(&sdk, &flow.id, body, None, None).await.map_err(explain)?;
        ensure!(verified.state == Some(json!("passed_challenge")), "{:?}", verified.state);

        let session = frontend_api::to_session(&sdk, Some(&token), None, None).await.map_err(explain)?;
        ensure!(session.active == Some(true));
        let identity = session.identity.context("a session has an identity")?;
        let addresses = identity.verifiable_addresses.unwrap_or_default();
        ensure!(addresses.len() == 1 && addresses[0].verified, "{addresses:?}");

        let flow = frontend_api::create_native_settings_flow(&sdk, Some(&token)).await.map_err(explain)?;
        let form =
            UpdateSettingsFlowWithPasswordMethod::new("password".to_owned(), "another long passphrase".to_owned());
        let body = UpdateSettingsFlowBody::Password(Box::new(form));
        let changed = frontend_api::update_settings_flow(&sdk, &flow.id, body, Some(&token), None).await;
        ensure!(changed.map_err(explain)?.state == Some(json!("success")));
        ensure!(log_in(suite, ALICE, PASSWORD).await.is_err(), "the old password is gone");
        let login = log_in(suite, ALICE, "another long passphrase").await?;
        let second = login.session_token.context("a native login has a token")?;
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
async fn a_weak_password_comes_back_with_its_form_and_the_message() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let mut client = suite.api();
        let flow = client.get(suite.identity("/self-service/registration/api")).await?;
        let action = flow.at("/ui/action").as_str().context("a flow has an action")?.to_owned();
        let body = json!({ "method": "password", "password": "short", "traits": { "email": ALICE } });
        let refused = client.json(http::Method::POST, &action, &body).await?;
        let refused = refused.expect_status(http::StatusCode::BAD_REQUEST)?;
        let nodes = refused.at("/ui/nodes");
        let nodes = nodes.as_array().context("the form comes back")?;
        let password = nodes.iter().find(|node| node["attributes"]["name"] == "password");
        let password = password.context("the form has the field")?;
        ensure!(password["messages"][0]["id"] == 4_000_032, "{password}");
        ensure!(!refused.text().contains("\"short\""), "a password never comes back");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_a_mailed_code() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        register(suite, ALICE).await?;
        let sdk = public_sdk(suite);
        let flow = frontend_api::create_native_recovery_flow(&sdk).await.map_err(explain)?;
        let mut form = UpdateRecoveryFlowWithCodeMethod::new(RecoveryMethod::Code);
        form.email = Some(ALICE.to_owned());
        let body = UpdateRecoveryFlowBody::Code(Box::new(form));
        let sent = frontend_api::update_recovery_flow(&sdk, &flow.id, body, None, None).await.map_err(explain)?;
        ensure!(sent.state == Some(json!("sent_email")), "{:?}", sent.state);

        let mail = suite.mail.nth_to(ALICE, 2).await?;
        let mut form = UpdateRecoveryFlowWithCodeMethod::new(RecoveryMethod::Code);
        form.code = Some(mail.code(6)?);
        let body = UpdateRecoveryFlowBody::Code(Box::new(form));
        let passed = frontend_api::update_recovery_flow(&sdk, &flow.id, body, None, None).await.map_err(explain)?;
        ensure!(passed.state == Some(json!("passed_challenge")), "{:?}", passed.state);
        let token = passed.continue_with.unwrap_or_default().into_iter().find_map(|step| match step {
            ContinueWith::SetOrySessionToken(step) => Some(step.ory_session_token),
            _ => None,
        });
        let Some(token) = token else { bail!("a recovered native session has a token") };

        let flow = frontend_api::create_native_settings_flow(&sdk, Some(&token)).await.map_err(explain)?;
        let form = UpdateSettingsFlowWithPasswordMethod::new("password".to_owned(), "remembered this time".to_owned());
        let body = UpdateSettingsFlowBody::Password(Box::new(form));
        frontend_api::update_settings_flow(&sdk, &flow.id, body, Some(&token), None).await.map_err(explain)?;
        log_in(suite, ALICE, "remembered this time").await?;
        Ok(())
    })
    .await
}
