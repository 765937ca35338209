//! The operations of the official client whose answers contain neither a flow nor a step to continue with, because it cannot
//! read those (see [`submit`](super::submit)).

use acceptance::suite::{Suite, with_config_on_both_engines};
use anyhow::{Context as _, Result, ensure};
use http::StatusCode;
use ory_kratos_client::apis::configuration::Configuration;
use ory_kratos_client::apis::{courier_api, frontend_api, identity_api};
use ory_kratos_client::models::{
    CreateIdentityBody, CreateRecoveryCodeForIdentityBody, CreateRecoveryLinkForIdentityBody, Identity, IdentityPatch,
    JsonPatch, PatchIdentitiesBody, UpdateLoginFlowBody, UpdateLoginFlowWithPasswordMethod,
};
use serde_json::{Value, json};

use super::{PASSWORD, admin_sdk, config, explain, log_in, public_sdk, register};

const ALICE: &str = "alice@example.org";

fn with_links() -> Value {
    let mut config = config();
    config["identity"]["selfservice"]["methods"] = json!({ "link": { "enabled": true } });
    config
}

fn body(email: &str) -> CreateIdentityBody {
    CreateIdentityBody::new("default".to_owned(), json!({ "email": email }))
}

async fn find(sdk: &Configuration, identifier: &str) -> Result<Vec<Identity>> {
    let found =
        identity_api::list_identities(sdk, None, None, Some(10), None, None, None, Some(identifier), None, None, None);
    found.await.map_err(explain)
}

#[tokio::test]
async fn the_official_client_manages_people() -> Result<()> {
    with_config_on_both_engines(with_links(), async |suite| {
        let sdk = admin_sdk(suite);
        let mut alice = body(ALICE);
        alice.external_id = Some("external-1".to_owned());
        let alice = identity_api::create_identity(&sdk, Some(alice)).await.map_err(explain)?;
        let found = identity_api::get_identity_by_external_id(&sdk, "external-1", None).await.map_err(explain)?;
        ensure!(found.id == alice.id);
        let patch = IdentityPatch { create: Some(Box::new(body("bob@example.org"))), ..IdentityPatch::new() };
        let batch = PatchIdentitiesBody { identities: Some(vec![patch]) };
        let batch = identity_api::batch_patch_identities(&sdk, Some(batch)).await.map_err(explain)?;
        let bob = batch.identities.and_then(|it| it.into_iter().next()?.identity).context("an id for each")?;
        ensure!(find(&sdk, "bob@example.org").await?.first().is_some_and(|it| it.id == bob));

        let note = JsonPatch {
            value: Some(Some(json!({ "plan": "large" }))),
            ..JsonPatch::new("add".to_owned(), "/metadata_public".to_owned())
        };
        let noted = identity_api::patch_identity(&sdk, &alice.id, Some(vec![note])).await.map_err(explain)?;
        ensure!(noted.metadata_public == Some(Some(json!({ "plan": "large" }))), "{:?}", noted.metadata_public);

        let schemas = identity_api::list_identity_schemas(&sdk, None, None, None, None).await.map_err(explain)?;
        let id = schemas.first().map(|schema| schema.id.clone()).context("a schema")?;
        let schema = identity_api::get_identity_schema(&sdk, &id).await.map_err(explain)?;
        ensure!(schema["properties"]["traits"].is_object(), "{schema}");
        recover(suite, &sdk, &alice.id).await?;
        identity_api::delete_identity(&sdk, &bob).await.map_err(explain)?;
        ensure!(find(&sdk, "bob@example.org").await?.is_empty());
        Ok(())
    })
    .await
}

async fn recover(suite: &Suite, sdk: &Configuration, id: &str) -> Result<()> {
    let code = CreateRecoveryCodeForIdentityBody::new(id.to_owned());
    let code = identity_api::create_recovery_code_for_identity(sdk, Some(code)).await.map_err(explain)?;
    ensure!(code.recovery_code.len() == 6 && code.recovery_link.contains("flow="), "{code:?}");
    let link = CreateRecoveryLinkForIdentityBody::new(id.to_owned());
    let link = identity_api::create_recovery_link_for_identity(sdk, None, Some(link)).await.map_err(explain)?;
    let mut browser = suite.browser();
    let page = browser.get(&link.recovery_link).await?.expect_status(StatusCode::OK)?;
    let opened = browser.send_form(&page.form("form")?).await?.expect_status(StatusCode::SEE_OTHER)?;
    ensure!(opened.location()?.path().contains("settings"), "{}", opened.summary());
    Ok(())
}

#[tokio::test]
async fn the_official_client_signs_in_and_manages_sessions() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let (public, admin) = (public_sdk(suite), admin_sdk(suite));
        register(suite, ALICE).await?;
        let id = find(&admin, ALICE).await?.first().map(|it| it.id.clone()).context("who signed up")?;
        let start = suite.identity("/self-service/login/api");
        let flow = suite.api().get(start).await?.expect_status(StatusCode::OK)?.at("/id");
        let flow = flow.as_str().context("a flow has an id")?;
        let form = UpdateLoginFlowWithPasswordMethod::new(ALICE.to_owned(), "password".to_owned(), PASSWORD.to_owned());
        let form = UpdateLoginFlowBody::Password(Box::new(form));
        let signed_in = frontend_api::update_login_flow(&public, flow, form, None, None).await.map_err(explain)?;
        let (token, session) = (signed_in.session_token.context("a token")?, signed_in.session.id);

        let read = identity_api::get_session(&admin, &session, None).await.map_err(explain)?;
        ensure!(read.active == Some(true));
        let all = identity_api::list_sessions(&admin, None, None, Some(true), None).await.map_err(explain)?;
        let own = identity_api::list_identity_sessions(&admin, &id, None, None, None, None, None).await;
        ensure!(all.len() == 2 && own.map_err(explain)?.len() == 2, "{}", all.len());
        let extended = identity_api::extend_session(&admin, &session).await.map_err(explain)?;
        ensure!(extended.id == session);
        let other = frontend_api::list_my_sessions(&public, None, None, None, None, Some(&token), None).await;
        let other = other.map_err(explain)?.first().map(|it| it.id.clone()).context("the one of the sign-up")?;
        frontend_api::disable_my_session(&public, &other, Some(&token), None).await.map_err(explain)?;
        identity_api::disable_session(&admin, &session).await.map_err(explain)?;
        ensure!(frontend_api::to_session(&public, Some(&token), None, None).await.is_err());
        log_in(suite, ALICE, PASSWORD).await?;
        identity_api::delete_identity_sessions(&admin, &id).await.map_err(explain)?;
        let left = identity_api::list_identity_sessions(&admin, &id, None, None, None, None, Some(true)).await;
        ensure!(left.map_err(explain)?.is_empty());
        messages(&admin).await
    })
    .await
}

/// The mail of the sign-up.
async fn messages(admin: &Configuration) -> Result<()> {
    let messages = courier_api::list_courier_messages(admin, None, None, None, Some(ALICE)).await.map_err(explain)?;
    let message = messages.first().context("a message to confirm the address")?;
    let read = courier_api::get_courier_message(admin, &message.id).await.map_err(explain)?;
    ensure!(read.recipient == ALICE && read.id == message.id);
    Ok(())
}
