//! The admin API over identities, through the official SDK.

use acceptance::suite::with_config_on_both_engines;
use anyhow::{Context as _, Result, ensure};
use http::StatusCode;
use ory_kratos_client::apis::identity_api;
use ory_kratos_client::models::{CreateIdentityBody, UpdateIdentityBody, update_identity_body};
use serde_json::json;

use super::{admin_sdk, config, explain, log_in};

#[tokio::test]
async fn an_identity_is_created_read_changed_and_deleted() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let sdk = admin_sdk(suite);
        let body = CreateIdentityBody::new("default".to_owned(), json!({ "email": "carol@example.org" }));
        let created = identity_api::create_identity(&sdk, Some(body)).await.map_err(explain)?;
        let read = identity_api::get_identity(&sdk, &created.id, None).await.map_err(explain)?;
        ensure!(read.traits == created.traits && read.schema_id == "default");

        let body = UpdateIdentityBody::new(
            "default".to_owned(),
            update_identity_body::StateEnum::Active,
            json!({ "email": "caroline@example.org" }),
        );
        identity_api::update_identity(&sdk, &created.id, Some(body)).await.map_err(explain)?;
        let read = identity_api::get_identity(&sdk, &created.id, None).await.map_err(explain)?;
        ensure!(read.traits == Some(json!({ "email": "caroline@example.org" })), "{:?}", read.traits);

        identity_api::delete_identity(&sdk, &created.id).await.map_err(explain)?;
        ensure!(identity_api::get_identity(&sdk, &created.id, None).await.is_err());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_identifier_belongs_to_one_identity() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let url = suite.identity_admin("/admin/identities");
        let mut client = suite.api();
        let body = json!({
            "schema_id": "default",
            "traits": { "email": "dave@example.org" },
            "credentials": { "password": { "config": { "password": "a fine long password" } } },
        });
        client.json(http::Method::POST, &url, &body).await?.expect_status(StatusCode::CREATED)?;
        client.json(http::Method::POST, &url, &body).await?.expect_status(StatusCode::CONFLICT)?;
        log_in(suite, "dave@example.org", "a fine long password").await?;
        // Addresses are compared without letter case.
        log_in(suite, "Dave@Example.org", "a fine long password").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_list_is_paged_by_tokens_that_cannot_be_forged() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let mut client = suite.api();
        for number in 0..5 {
            let body = json!({ "schema_id": "default", "traits": { "email": format!("p{number}@example.org") } });
            let created = client.json(http::Method::POST, suite.identity_admin("/admin/identities"), &body).await?;
            created.expect_status(StatusCode::CREATED)?;
        }
        let mut url = suite.identity_admin("/admin/identities?page_size=2");
        let mut seen = Vec::new();
        loop {
            let page = client.get(&url).await?.expect_status(StatusCode::OK)?;
            let ids = page.at("").as_array().context("a list")?.clone();
            seen.extend(ids.iter().map(|identity| identity["id"].clone()));
            let link = page.header("link").to_owned();
            let next = link.split(',').find(|part| part.contains("rel=\"next\""));
            let Some(next) = next.and_then(|part| part.split(['<', '>']).nth(1)) else { break };
            url = url::Url::parse(&suite.identity_admin(""))?.join(next)?.to_string();
        }
        let count = seen.len();
        seen.dedup();
        ensure!(count == 5 && seen.len() == 5, "{seen:?}");
        let forged = client.get(suite.identity_admin("/admin/identities?page_token=MQ")).await?;
        forged.expect_status(StatusCode::BAD_REQUEST)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn invalid_traits_are_refused_with_the_name_of_their_field() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let body = json!({ "schema_id": "default", "traits": { "email": "not an address" } });
        let refused = suite.api().json(http::Method::POST, suite.identity_admin("/admin/identities"), &body).await?;
        let refused = refused.expect_status(StatusCode::BAD_REQUEST)?;
        ensure!(refused.text().contains("email"), "{}", refused.summary());
        Ok(())
    })
    .await
}
