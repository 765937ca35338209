//! Tokens that the gateway signs: they can be verified with the keys that any node publishes.

use acceptance::suite::{Engine, Suite};
use acceptance::upstream::Upstream;
use anyhow::{Context as _, Result, ensure};
use http::{Method, StatusCode};
use jose::{Algorithm, JwkSet, Jws};
use serde_json::{Value, json};
use test_client::free_port;

use super::{config, rule};

#[tokio::test]
async fn nodes_sign_with_one_key_set_that_the_oauth_service_keeps() -> Result<()> {
    let (upstream, port) = (Upstream::start().await?, free_port());
    let mut signing = rule("signed", &upstream.url(), &json!([{ "handler": "anonymous" }]));
    let jwks_url = format!("http://127.0.0.1:{port}/admin/keys/gateway");
    let settings = json!({ "issuer_url": "https://gateway.example/", "jwks_url": jwks_url });
    signing["mutators"] = json!([{ "handler": "id_token", "config": settings }]);
    let mut config = config(&json!([signing]));
    config["gateway"]["mutators"]["id_token"] = json!({ "enabled": true, "config": settings });
    // The gateway reads the private key from the admin API, without a token.
    config["admin"] = json!({ "serve_private_keys": true });
    config["dsn"] = json!(database::testing::postgres_url().await);
    let mut first = config.clone();
    first["oauth"]["serve"] = json!({ "admin": { "port": port } });
    let nodes = [Suite::start_with(Engine::Postgres, first).await?, Suite::start_with(Engine::Postgres, config).await?];
    let key = json!({ "alg": "ES256", "use": "sig", "kid": "door" });
    nodes[0].api().json(Method::POST, &jwks_url, &key).await?.expect_status(StatusCode::CREATED)?;
    for node in &nodes {
        let page = node.api().get(node.gateway("/signed/page")).await?.expect_status(StatusCode::OK)?;
        let header = page.at("/headers/authorization/0");
        let token = header.as_str().and_then(|it| it.strip_prefix("Bearer ")).context("a token")?;
        for publisher in &nodes {
            let published = publisher.api().get(publisher.gateway_api("/.well-known/jwks.json")).await?;
            ensure!(!published.text().contains("\"d\""), "no private part is published: {}", published.summary());
            let keys = JwkSet::parse(&published.at(""))?;
            let verified = Jws::parse(token)?.verify(&keys.keys.iter().collect(), &[Algorithm::ES256])?;
            let claims: Value = verified.claims().context("claims")?;
            ensure!(claims["sub"] == "anonymous" && claims["iss"] == "https://gateway.example/", "{claims}");
        }
    }
    for node in nodes {
        node.stop().await;
    }
    Ok(())
}
