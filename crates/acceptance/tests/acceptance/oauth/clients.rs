//! The admin API for clients.

use acceptance::suite::with_config_on_both_engines;
use anyhow::{Context as _, Result, ensure};
use http::{Method, StatusCode};
use ory_hydra_client::apis::o_auth2_api;
use serde_json::json;
use url::Url;

use super::{admin_sdk, config, explain, register, web_client};

#[tokio::test]
async fn a_client_is_created_read_changed_and_deleted() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let sdk = admin_sdk(suite);
        let created = o_auth2_api::create_o_auth2_client(&sdk, web_client()).await.map_err(explain)?;
        let id = created.client_id.clone().context("an id")?;
        ensure!(created.client_secret.is_some(), "the secret is shown once");
        let mut read = o_auth2_api::get_o_auth2_client(&sdk, &id).await.map_err(explain)?;
        ensure!(read.client_secret.is_none(), "and never again");
        ensure!(read.redirect_uris == web_client().redirect_uris);
        read.client_name = Some("Renamed".to_owned());
        let changed = o_auth2_api::set_o_auth2_client(&sdk, &id, read).await.map_err(explain)?;
        ensure!(changed.client_name.as_deref() == Some("Renamed"));
        let listed = o_auth2_api::list_o_auth2_clients(&sdk, None, None, None, None).await.map_err(explain)?;
        ensure!(listed.len() == 1 && listed[0].client_id.as_deref() == Some(&id));
        o_auth2_api::delete_o_auth2_client(&sdk, &id).await.map_err(explain)?;
        ensure!(o_auth2_api::get_o_auth2_client(&sdk, &id).await.is_err());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_patch_cannot_change_another_client() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let (one, two) = (register(suite, web_client()).await?, register(suite, web_client()).await?);
        let url = suite.oauth_admin(&format!("/admin/clients/{}", one.id));
        let patch = json!([
            { "op": "replace", "path": "/client_id", "value": two.id },
            { "op": "replace", "path": "/client_name", "value": "stolen" },
        ]);
        let answer = suite.api().json(Method::PATCH, url, &patch).await?;
        let other = suite.api().get(suite.oauth_admin(&format!("/admin/clients/{}", two.id))).await?;
        ensure!(other.expect_status(StatusCode::OK)?.at("/client_name") != "stolen", "{}", answer.summary());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_invalid_client_is_refused_with_the_name_of_the_field() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        for (field, value) in [
            ("redirect_uris", json!(["not a uri"])),
            ("redirect_uris", json!(["https://example.org/#fragment"])),
            ("token_endpoint_auth_method", json!("telepathy")),
            ("subject_type", json!("nobody")),
        ] {
            let mut client = json!({ "redirect_uris": ["https://example.org/"] });
            client[field] = value.clone();
            let refused = suite.api().json(Method::POST, suite.oauth_admin("/admin/clients"), &client).await?;
            ensure!(refused.status == StatusCode::BAD_REQUEST, "{field}={value}: {}", refused.summary());
            ensure!(refused.text().contains(field), "{field}={value}: {}", refused.summary());
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn answers_to_a_client_can_be_read_by_its_own_and_the_configured_origins() -> Result<()> {
    let mut config = config();
    let cors = json!({ "enabled": true, "allowed_origins": ["https://ops.example.org"] });
    config["oauth"]["serve"] = json!({ "public": { "cors": cors } });
    with_config_on_both_engines(config, async |suite| {
        let mut client = web_client();
        client.token_endpoint_auth_method = Some("none".to_owned());
        client.allowed_cors_origins = Some(vec!["https://app.example.org".to_owned()]);
        let id = register(suite, client).await?.id;
        let url = Url::parse(&suite.oauth("/oauth2/token"))?;
        let fields = [("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_id", id.as_str())];
        let readable = |page: &acceptance::page::Page| page.header("access-control-allow-origin").to_owned();
        for (origin, may_read) in
            [("https://app.example.org", true), ("https://ops.example.org", true), ("https://evil.example.org", false)]
        {
            let mut page =
                suite.api().with_header("origin", origin).with_header("access-control-request-method", "POST");
            let asked = page.send(Method::OPTIONS, &url, None, Vec::new().into()).await?;
            ensure!(asked.status.is_success() && readable(&asked) == origin, "{origin}: {}", asked.summary());
            let answer = suite.api().with_header("origin", origin).post(&url, &fields).await?;
            ensure!(answer.status == StatusCode::BAD_REQUEST, "{}", answer.summary());
            ensure!((readable(&answer) == origin) == may_read, "{origin}: {}", readable(&answer));
        }
        let mut page = suite.api().with_header("origin", "https://app.example.org");
        page = page.with_header("access-control-request-method", "GET");
        let elsewhere = Url::parse(&suite.oauth("/oauth2/auth"))?;
        let asked = page.send(Method::OPTIONS, &elsewhere, None, Vec::new().into()).await?;
        ensure!(readable(&asked).is_empty(), "a client's origins have no effect on pages for people");
        Ok(())
    })
    .await
}
