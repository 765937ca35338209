//! Server metadata (OpenID Connect Discovery, RFC 8414) and keys (RFC 7517).

use acceptance::suite::with_config_on_both_engines;
use anyhow::{Context as _, Result, ensure};
use http::StatusCode;
use serde_json::json;

use super::config;

#[tokio::test]
async fn both_documents_are_equal_and_every_endpoint_exists() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let mut client = suite.api();
        let openid = client.get(suite.oauth("/.well-known/openid-configuration")).await?;
        let openid = openid.expect_status(StatusCode::OK)?.at("");
        let oauth = client.get(suite.oauth("/.well-known/oauth-authorization-server")).await?;
        ensure!(oauth.expect_status(StatusCode::OK)?.at("/issuer") == openid["issuer"]);
        for member in
            ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "revocation_endpoint"]
        {
            let url = openid[member].as_str().with_context(|| format!("{member} is missing"))?;
            ensure!(client.get(url).await?.status != StatusCode::NOT_FOUND, "{member}: {url}");
        }
        ensure!(openid["code_challenge_methods_supported"] == json!(["S256"]), "{openid}");
        ensure!(openid["authorization_response_iss_parameter_supported"] == true, "RFC 9207 section 3");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn published_keys_are_public() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let keys = suite.api().get(suite.oauth("/.well-known/jwks.json")).await?.expect_status(StatusCode::OK)?;
        let keys = keys.at("/keys");
        let keys = keys.as_array().context("a key set")?;
        ensure!(!keys.is_empty());
        for key in keys {
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                ensure!(key[private].is_null(), "a private key is published: {}", key["kid"]);
            }
        }
        Ok(())
    })
    .await
}
