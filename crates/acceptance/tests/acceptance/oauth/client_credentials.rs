//! Client credentials (RFC 6749 section 4.4).

use std::time::Duration;

use acceptance::suite::{Suite, with_config_on_both_engines};
use anyhow::{Result, ensure};
use http::StatusCode;
use ory_hydra_client::models::OAuth2Client;

use super::{Credentials, config, introspect, register, token};

/// Enough that a write per token would be noticed.
const TOKENS: u64 = 40;

fn machine() -> OAuth2Client {
    OAuth2Client {
        grant_types: Some(vec!["client_credentials".to_owned()]),
        scope: Some("read write".to_owned()),
        audience: Some(vec!["https://api.example.org".to_owned()]),
        token_endpoint_auth_method: Some("client_secret_basic".to_owned()),
        ..OAuth2Client::new()
    }
}

fn fields(scope: &str) -> Vec<(&'static str, String)> {
    vec![("grant_type", "client_credentials".to_owned()), ("scope", scope.to_owned())]
}

#[tokio::test]
async fn a_client_gets_only_its_registered_scopes() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let client = register(suite, machine()).await?;
        let tokens = token(suite, &client, &fields("read")).await?.expect_status(StatusCode::OK)?;
        ensure!(tokens.at("/token_type").as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")));
        ensure!(tokens.at("/refresh_token").is_null(), "RFC 6749 section 4.4.3: no refresh token");
        let access = tokens.at("/access_token").as_str().unwrap_or_default().to_owned();
        ensure!(access.starts_with("ory_at_"), "{access}");
        let introspected = introspect(suite, &access).await?;
        ensure!(introspected["active"] == true && introspected["scope"] == "read", "{introspected}");
        ensure!(introspected["sub"] == client.id, "{introspected}");
        let refused = token(suite, &client, &fields("admin")).await?.expect_status(StatusCode::BAD_REQUEST)?;
        ensure!(refused.at("/error") == "invalid_scope", "{}", refused.summary());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_wrong_secret_is_refused_with_a_challenge() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let client = register(suite, machine()).await?;
        for impostor in [
            Credentials { secret: "wrong".to_owned(), ..client.clone() },
            Credentials { id: "unknown".to_owned(), ..client.clone() },
            Credentials { secret: String::new(), ..client },
        ] {
            let refused = token(suite, &impostor, &fields("read")).await?.expect_status(StatusCode::UNAUTHORIZED)?;
            ensure!(refused.at("/error") == "invalid_client", "{}", refused.summary());
            ensure!(refused.header("www-authenticate").starts_with("Basic"), "RFC 6749 section 5.2");
        }
        Ok(())
    })
    .await
}

/// A server generates its first keys after it began to answer, and writes them.
async fn signing_keys_are_made(suite: &Suite) -> Result<()> {
    for set in ["hydra.openid.id-token", "hydra.jwt.access-token"] {
        let url = suite.oauth_admin(&format!("/admin/keys/{set}"));
        let mut tries = 0;
        while !suite.api().get(&url).await?.at("/keys/0").is_object() {
            tries += 1;
            ensure!(tries < 400, "no key in {set}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_access_token_causes_no_write() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let client = register(suite, machine()).await?;
        token(suite, &client, &fields("read")).await?.expect_status(StatusCode::OK)?;
        signing_keys_are_made(suite).await?;
        let before = suite.database().usage().write_transactions;
        for _ in 0..TOKENS {
            token(suite, &client, &fields("read")).await?.expect_status(StatusCode::OK)?;
        }
        let spent = suite.database().usage().write_transactions - before;
        ensure!(spent == 0, "an access token costs no row: {spent} writes for {TOKENS} tokens");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_tampered_token_is_inactive() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let client = register(suite, machine()).await?;
        let tokens = token(suite, &client, &fields("read")).await?.expect_status(StatusCode::OK)?;
        let access = tokens.at("/access_token").as_str().unwrap_or_default().to_owned();
        let middle = access.len() / 2;
        let mut tampered = access.clone();
        let other = if &access[middle..=middle] == "A" { "B" } else { "A" };
        tampered.replace_range(middle..=middle, other);
        for token in [tampered.as_str(), "ory_at_", "", "x.y.z", &access[..middle]] {
            let page = suite.api().post(suite.oauth_admin("/admin/oauth2/introspect"), &[("token", token)]).await?;
            ensure!(page.at("/active") != true && !page.status.is_server_error(), "{}", page.summary());
        }
        Ok(())
    })
    .await
}
