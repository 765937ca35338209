//! Sessions: how they are listed, and how they end.

use acceptance::suite::with_config_on_both_engines;
use anyhow::{Context as _, Result, ensure};
use http::{Method, StatusCode};
use ory_kratos_client::apis::{frontend_api, identity_api};
use serde_json::{Value, json};

use super::{PASSWORD, admin_sdk, config, explain, log_in, public_sdk, register_and_log_in, try_log_in};

const ALICE: &str = "alice@example.org";

#[tokio::test]
async fn an_unknown_session_token_is_401() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let mut client = suite.api();
        for token in ["", "ory_st_unknown", "not a token"] {
            client = client.with_header("x-session-token", token);
            let answer = client.get(suite.identity("/sessions/whoami")).await?;
            let answer = answer.expect_status(StatusCode::UNAUTHORIZED)?;
            ensure!(answer.at("/error/code") == 401, "{}", answer.summary());
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn other_sessions_are_listed_and_ended() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let sdk = public_sdk(suite);
        let first = register_and_log_in(suite, ALICE).await?;
        let second = log_in(suite, ALICE, PASSWORD).await?;
        let others = frontend_api::list_my_sessions(&sdk, None, None, None, None, Some(&first), None).await;
        ensure!(others.map_err(explain)?.len() == 1, "the own session is not among the others");
        let ended = frontend_api::disable_my_other_sessions(&sdk, Some(&first), None).await.map_err(explain)?;
        ensure!(ended.count == Some(1), "{ended:?}");
        ensure!(frontend_api::to_session(&sdk, Some(&second), None, None).await.is_err());
        frontend_api::to_session(&sdk, Some(&first), None, None).await.map_err(explain)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_sessions_of_a_disabled_or_deleted_person_end_immediately() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let (public, admin) = (public_sdk(suite), admin_sdk(suite));
        for email in [ALICE, "bob@example.org"] {
            let token = register_and_log_in(suite, email).await?;
            let session = frontend_api::to_session(&public, Some(&token), None, None).await.map_err(explain)?;
            let id = session.identity.context("an identity")?.id;
            if email == ALICE {
                let url = suite.identity_admin(&format!("/admin/identities/{id}"));
                let patch = json!([{ "op": "replace", "path": "/state", "value": "inactive" }]);
                suite.api().json(Method::PATCH, url, &patch).await?.expect_status(StatusCode::OK)?;
                let refused = try_log_in(suite, email, PASSWORD).await?;
                ensure!(refused.status == StatusCode::BAD_REQUEST, "{}", refused.summary());
            } else {
                identity_api::delete_identity(&admin, &id).await.map_err(explain)?;
            }
            ensure!(frontend_api::to_session(&public, Some(&token), None, None).await.is_err(), "{email}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_admin_api_never_shows_a_session_token() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let token = register_and_log_in(suite, ALICE).await?;
        let mut client = suite.api();
        for path in ["/admin/sessions", "/admin/identities", "/admin/courier/messages"] {
            let answer = client.json(Method::GET, suite.identity_admin(path), &Value::Null).await?;
            ensure!(!answer.text().contains(&token) && !answer.text().contains("$argon2"), "{}", answer.summary());
        }
        Ok(())
    })
    .await
}
