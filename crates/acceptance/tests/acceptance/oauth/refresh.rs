//! Refreshing (RFC 6749 section 6, RFC 9700 section 4.14.2), expiry, revocation (RFC 7009).

use std::time::Duration;

use acceptance::suite::{Suite, with_config_on_both_engines};
use anyhow::{Result, ensure};
use http::StatusCode;
use serde_json::Value;

use super::{Credentials, authorize, authorize_url, config, introspect, redemption, register, token, web_client};

async fn tokens(suite: &Suite, client: &Credentials) -> Result<Value> {
    let mut browser = suite.browser();
    let callback = authorize(suite, &mut browser, &authorize_url(suite, client, &[])?, false).await?;
    Ok(token(suite, client, &redemption(&callback)?).await?.expect_status(StatusCode::OK)?.at(""))
}

fn refreshing(tokens: &Value) -> Vec<(&'static str, String)> {
    let refresh = tokens["refresh_token"].as_str().unwrap_or_default();
    vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", refresh.to_owned())]
}

#[tokio::test]
async fn a_reused_refresh_token_ends_its_family() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let client = register(suite, web_client()).await?;
        let first = tokens(suite, &client).await?;
        let second = token(suite, &client, &refreshing(&first)).await?.expect_status(StatusCode::OK)?.at("");
        ensure!(second["refresh_token"] != first["refresh_token"], "refresh tokens rotate");
        let third = token(suite, &client, &refreshing(&second)).await?.expect_status(StatusCode::OK)?.at("");

        suite.advance(Duration::from_mins(5));
        let stolen = token(suite, &client, &refreshing(&first)).await?.expect_status(StatusCode::BAD_REQUEST)?;
        ensure!(stolen.at("/error") == "invalid_grant", "{}", stolen.summary());
        let ended = token(suite, &client, &refreshing(&third)).await?.expect_status(StatusCode::BAD_REQUEST)?;
        ensure!(ended.at("/error") == "invalid_grant", "the thief's use ends the family: {}", ended.summary());
        let access = third["access_token"].as_str().unwrap_or_default();
        ensure!(introspect(suite, access).await?["active"] == false);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn racing_refreshes_never_cause_a_server_error() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let client = register(suite, web_client()).await?;
        let fields = refreshing(&tokens(suite, &client).await?);
        let (one, two, three) = tokio::join!(
            token(suite, &client, &fields),
            token(suite, &client, &fields),
            token(suite, &client, &fields)
        );
        let answers = [one?, two?, three?];
        ensure!(answers.iter().any(|answer| answer.status == StatusCode::OK), "one of them wins");
        for answer in &answers {
            ensure!(!answer.status.is_server_error(), "{}", answer.summary());
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_access_token_expires_and_a_revoked_grant_ends_immediately() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let client = register(suite, web_client()).await?;
        let first = tokens(suite, &client).await?;
        let access = first["access_token"].as_str().unwrap_or_default();
        let seconds = first["expires_in"].as_u64().unwrap_or_default();
        ensure!(introspect(suite, access).await?["active"] == true);
        suite.advance(Duration::from_secs(seconds));
        ensure!(introspect(suite, access).await?["active"] == false, "expired");

        let second = token(suite, &client, &refreshing(&first)).await?.expect_status(StatusCode::OK)?.at("");
        let access = second["access_token"].as_str().unwrap_or_default();
        let basic = [("token", second["refresh_token"].as_str().unwrap_or_default())];
        let mut api = suite.api().with_header("authorization", &super::basic(&client));
        api.post(suite.oauth("/oauth2/revoke"), &basic).await?.expect_status(StatusCode::OK)?;
        ensure!(introspect(suite, access).await?["active"] == false, "the grant's tokens end with it");
        Ok(())
    })
    .await
}
