//! Drives a server with the official clients for Rust: a session, identities, clients, a token and its introspection, and
//! permissions. The addresses of the listeners come from the environment. Release 26.2 cannot read flows, so the sign-up is
//! plain HTTP.

mod permissions;

use anyhow::{Context as _, Result, anyhow, ensure};
use ory_hydra_client::apis::configuration::Configuration as Hydra;
use ory_hydra_client::apis::o_auth2_api;
use ory_hydra_client::models::{JsonPatch as ClientPatch, OAuth2Client};
use ory_kratos_client::apis::configuration::Configuration as Kratos;
use ory_kratos_client::apis::{frontend_api, identity_api};
use ory_kratos_client::models::update_identity_body::StateEnum;
use ory_kratos_client::models::{CreateIdentityBody, JsonPatch, UpdateIdentityBody};
use serde_json::{Value, json};

fn address(variable: &str) -> Result<String> {
    std::env::var(variable).with_context(|| format!("{variable} is not set"))
}

fn kratos(variable: &str) -> Result<Kratos> {
    Ok(Kratos { base_path: address(variable)?, ..Kratos::new() })
}

/// Errors of the clients differ by operation, and their `Display` omits the server's message.
fn explain(error: impl std::fmt::Debug) -> anyhow::Error {
    anyhow!("{error:?}")
}

fn ok(what: &str) {
    println!("    ok  {what}");
}

async fn sign_up() -> Result<()> {
    let sdk = kratos("KLEIS_IDENTITY")?;
    let flow = sdk.client.get(format!("{}/self-service/registration/api", sdk.base_path)).send().await?;
    let flow: Value = flow.error_for_status()?.json().await?;
    let action = flow["ui"]["action"].as_str().context("the flow has an action")?;
    let body = json!({
        "method": "password",
        "password": "correct horse battery staple",
        "traits": { "email": "rust@example.org" },
    });
    let registered = sdk.client.post(action).json(&body).send().await?.error_for_status()?;
    let registered: Value = registered.json().await?;
    let token = registered["session_token"].as_str().context("registration signs in")?;
    let session = frontend_api::to_session(&sdk, Some(token), None, None).await.map_err(explain)?;
    let identity = session.identity.context("the session names its identity")?;
    ensure!(session.active == Some(true));
    ensure!(identity.traits == Some(json!({ "email": "rust@example.org" })), "{:?}", identity.traits);
    ok("registration signs in");
    Ok(())
}

async fn manage_identities() -> Result<()> {
    let sdk = kratos("KLEIS_IDENTITY_ADMIN")?;
    let body = CreateIdentityBody::new("default".to_owned(), json!({ "email": "rust-admin@example.org" }));
    let created = identity_api::create_identity(&sdk, Some(body)).await.map_err(explain)?;
    let plan = json!({ "plan": "large" });
    let patch = JsonPatch {
        value: Some(Some(plan.clone())),
        ..JsonPatch::new("add".to_owned(), "/metadata_public".to_owned())
    };
    let patched = identity_api::patch_identity(&sdk, &created.id, Some(vec![patch])).await.map_err(explain)?;
    ensure!(patched.metadata_public == Some(Some(plan)), "the patch is applied");
    ok("an identity is patched");
    let traits = json!({ "email": "rust-2@example.org" });
    let body = UpdateIdentityBody::new("default".to_owned(), StateEnum::Inactive, traits.clone());
    let updated = identity_api::update_identity(&sdk, &created.id, Some(body)).await.map_err(explain)?;
    ensure!(updated.traits == Some(traits), "the update is applied");
    ok("an identity is replaced");
    let name = Some("rust@example.org");
    let found = identity_api::list_identities(&sdk, None, None, None, None, None, None, name, None, None, None);
    ensure!(found.await.map_err(explain)?.len() == 1, "an identity is found by its identifier");
    ok("an identity is found by its identifier");
    identity_api::delete_identity(&sdk, &created.id).await.map_err(explain)?;
    ensure!(identity_api::get_identity(&sdk, &created.id, None).await.is_err(), "a deleted identity is gone");
    ok("a deleted identity is gone");
    Ok(())
}

async fn token_of(sdk: &Hydra, client: &OAuth2Client) -> Result<String> {
    let id = client.client_id.as_deref().context("an id")?;
    let secret = client.client_secret.as_deref();
    let form = [("grant_type", "client_credentials"), ("scope", "jobs.run")];
    let request = sdk.client.post(format!("{}/oauth2/token", address("KLEIS_OAUTH")?)).basic_auth(id, secret);
    let tokens: Value = request.form(&form).send().await?.error_for_status()?.json().await?;
    tokens["access_token"].as_str().map(str::to_owned).context("an access token")
}

async fn use_clients() -> Result<()> {
    let sdk = Hydra { base_path: address("KLEIS_OAUTH_ADMIN")?, ..Hydra::new() };
    let registration = OAuth2Client {
        client_name: Some("Rust".to_owned()),
        grant_types: Some(vec!["client_credentials".to_owned()]),
        scope: Some("jobs.run".to_owned()),
        ..OAuth2Client::new()
    };
    let created = o_auth2_api::create_o_auth2_client(&sdk, registration).await.map_err(explain)?;
    let id = created.client_id.clone().context("an id")?;
    let patch = ClientPatch {
        value: Some(Some(json!("Rust 2"))),
        ..ClientPatch::new("replace".to_owned(), "/client_name".to_owned())
    };
    let patched = o_auth2_api::patch_o_auth2_client(&sdk, &id, vec![patch]).await.map_err(explain)?;
    ensure!(patched.client_name.as_deref() == Some("Rust 2"), "the patch is applied");
    ok("a client is patched");
    let listed = o_auth2_api::list_o_auth2_clients(&sdk, None, None, Some("Rust 2"), None).await.map_err(explain)?;
    ensure!(listed.len() == 1, "a client is found by its name");
    ok("a client is found by its name");
    let token = token_of(&sdk, &created).await?;
    ok("a token is issued");
    let active = o_auth2_api::introspect_o_auth2_token(&sdk, &token, None).await.map_err(explain)?;
    ensure!(active.active && active.client_id.as_ref() == Some(&id), "the token is live: {active:?}");
    ensure!(active.scope.as_deref() == Some("jobs.run"), "{active:?}");
    ok("introspection shows the live token");
    o_auth2_api::delete_o_auth2_client(&sdk, &id).await.map_err(explain)?;
    let inactive = o_auth2_api::introspect_o_auth2_token(&sdk, &token, None).await.map_err(explain)?;
    ensure!(!inactive.active, "the token ends with its client");
    ok("the token ends with its client");
    ensure!(o_auth2_api::get_o_auth2_client(&sdk, &id).await.is_err(), "a deleted client is gone");
    ok("a deleted client is gone");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    sign_up().await?;
    manage_identities().await?;
    use_clients().await?;
    permissions::run().await
}
