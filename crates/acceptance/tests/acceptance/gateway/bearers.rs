//! Programs with and without a token at one URL: tokens of the OAuth2 service in the same process, and signed tokens of another
//! issuer.

use std::time::Duration;

use acceptance::suite::{Suite, with_config_on_both_engines};
use acceptance::upstream::Upstream;
use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use jose::{Algorithm, Jwk, JwkSet, SigningKey};
use ory_hydra_client::models::OAuth2Client;
use serde_json::{Value, json};

use super::super::oauth::{register, token};
use super::{Visit, config, pair};

fn rules(upstream: &str, keys: &Value) -> Value {
    let introspection = json!({ "handler": "oauth2_introspection" });
    let jwks_url = format!("base64://{}", STANDARD.encode(keys.to_string()));
    let jwt = json!({ "handler": "jwt", "config": { "jwks_urls": [jwks_url], "allowed_algorithms": ["ES256"] } });
    [pair("token", upstream, &introspection, "noop"), pair("jwt", upstream, &jwt, "anonymous")].concat().into()
}

/// An access token by client credentials, and the client's id.
async fn access_token(suite: &Suite) -> Result<(String, String)> {
    let machine = OAuth2Client {
        grant_types: Some(vec!["client_credentials".to_owned()]),
        token_endpoint_auth_method: Some("client_secret_basic".to_owned()),
        ..OAuth2Client::new()
    };
    let client = register(suite, machine).await?;
    let fields = [("grant_type", "client_credentials".to_owned())];
    let tokens = token(suite, &client, &fields).await?.expect_status(StatusCode::OK)?;
    let token = tokens.at("/access_token").as_str().context("an access token")?.to_owned();
    Ok((format!("Bearer {token}"), client.id))
}

#[tokio::test]
async fn tokens_that_are_valid_expired_or_nonsense() -> Result<()> {
    let upstream = Upstream::start().await?;
    let key = Jwk::generate(Algorithm::ES256, "k1".to_owned())?;
    let published = JwkSet { keys: vec![key.to_public()] }.to_public_value();
    let config = config(&rules(&upstream.url(), &published));
    with_config_on_both_engines(config, async |suite| {
        let (expired, _) = access_token(suite).await?;
        suite.advance(Duration::from_hours(2));
        let (good, client) = access_token(suite).await?;
        let signer = SigningKey::new(&key)?;
        let now = suite.clock().now().unix_seconds();
        let jwt = |expires_at: i64| {
            let token = signer.sign(&json!({ "sub": "alice", "exp": expires_at }))?;
            anyhow::Ok(format!("Bearer {token}"))
        };
        let (fresh, old) = (jwt(now + 60)?, jwt(now - 60)?);
        let of = |what, rule, token, strict, lenient| Visit::get(what, rule, ("authorization", token), strict, lenient);
        for visit in [
            of("a live token", "token", good.as_str(), client.as_str(), client.as_str()),
            of("an expired token", "token", &expired, "401", "-"),
            of("a token that never was", "token", "Bearer ory_at_made-up", "401", "-"),
            of("no token", "token", "", "", "-"),
            of("a signed token", "jwt", &fresh, "alice", "alice"),
            of("an expired signed token", "jwt", &old, "401", "-"),
            of("what looks like a signed token", "jwt", "Bearer a.b.c", "401", "-"),
            of("an opaque token", "jwt", "Bearer opaque", "401", "-"),
            of("no token", "jwt", "", "anonymous", "-"),
        ] {
            visit.check(suite).await?;
        }
        Ok(())
    })
    .await
}
