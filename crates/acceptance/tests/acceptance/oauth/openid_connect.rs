//! A relying party built with a third-party library.

use acceptance::browser::Browser;
use acceptance::page::query;
use acceptance::suite::{Suite, with_config_on_both_engines};
use anyhow::{Context as _, Result, anyhow, ensure};
use http::{Method, StatusCode};
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, RedirectUrl, Scope, TokenResponse as _,
};

use ory_hydra_client::models::OAuth2Client;
use serde_json::{Value, json};

use super::{CALLBACK, SUBJECT, authorize, config, register, web_client};
use crate::identity::{self, PASSWORD};

/// The error type that the library requires.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failed(String);

/// Sends a request of the library, by a browser without cookies.
async fn send(mut client: Browser, request: HttpRequest) -> Result<HttpResponse, Failed> {
    let (head, body) = request.into_parts();
    let url = url::Url::parse(&head.uri.to_string()).map_err(|error| Failed(error.to_string()))?;
    for name in ["authorization", "accept"] {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        client = client.with_header(name, value);
    }
    let content_type = head.headers.get("content-type").and_then(|value| value.to_str().ok());
    let page = client.send(head.method, &url, content_type, body.into()).await;
    let page = page.map_err(|error| Failed(format!("{error:#}")))?;
    let mut response = HttpResponse::new(page.body.to_vec());
    *response.status_mut() = page.status;
    *response.headers_mut() = page.headers;
    Ok(response)
}

#[tokio::test]
async fn a_library_signs_a_person_in() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let credentials = register(suite, web_client()).await?;
        let outside = suite.api();
        let http = |request: HttpRequest| send(outside.clone(), request);
        let document = suite.api().get(suite.oauth("/.well-known/openid-configuration")).await?;
        let issuer = document.at("/issuer").as_str().context("an issuer")?.to_owned();
        let metadata = CoreProviderMetadata::discover_async(IssuerUrl::new(issuer)?, &http).await?;
        let client = CoreClient::from_provider_metadata(
            metadata,
            ClientId::new(credentials.id.clone()),
            Some(ClientSecret::new(credentials.secret.clone())),
        )
        .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned())?);

        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        let callback = authorize(suite, &mut suite.browser(), &url, false).await?;
        ensure!(query(&callback, "state").as_deref() == Some(state.secret().as_str()));
        let code = AuthorizationCode::new(query(&callback, "code").context("a code")?);

        let tokens = client.exchange_code(code)?.set_pkce_verifier(verifier).request_async(&http).await?;
        let id_token = tokens.id_token().context("an ID token")?;
        let id_verifier = client.id_token_verifier();
        let claims = id_token.claims(&id_verifier, &nonce)?;
        ensure!(claims.subject().as_str() == SUBJECT);
        if let Some(expected) = claims.access_token_hash() {
            let key = id_token.signing_key(&id_verifier)?;
            let actual = AccessTokenHash::from_token(tokens.access_token(), id_token.signing_alg()?, key)?;
            ensure!(*expected == actual, "at_hash belongs to the access token");
        }
        let asked = client.user_info(tokens.access_token().clone(), Some(claims.subject().clone()))?;
        let person: CoreUserInfoClaims = asked.request_async(&http).await.map_err(|error| anyhow!("{error:?}"))?;
        ensure!(person.subject().as_str() == SUBJECT);
        Ok(())
    })
    .await
}

/// An account whose address is verified.
pub(super) async fn create_ada(suite: &Suite) -> Result<Value> {
    let ada = json!({
        "schema_id": "default",
        "traits": { "email": "ada@example.org", "name": { "first": "Ada", "last": "Lovelace" } },
        "credentials": { "password": { "config": { "password": PASSWORD } } },
        "verifiable_addresses": [{ "value": "ada@example.org", "via": "email", "verified": true, "status": "completed" }],
    });
    let created = suite.api().json(Method::POST, suite.identity_admin("/admin/identities"), &ada).await?;
    Ok(created.expect_status(StatusCode::CREATED)?.at("/id"))
}

/// Signs in and allows everything on our own pages; returns the callback URL of the relying party.
pub(super) async fn through_our_own_pages(browser: &mut Browser, url: &url::Url) -> Result<url::Url> {
    let page = browser.open(url).await?;
    let form = page.form("form:has([name=identifier])")?.fill("identifier", "ada@example.org")?;
    let page = browser.submit(&form.fill("password", PASSWORD)?.press("method", "password")?).await?;
    let form = page.form("form:has(button[value=allow])").with_context(|| page.summary())?;
    let page = browser.send_form(&form.press("decision", "allow")?).await?;
    browser.follow_until(page, CALLBACK).await
}

#[tokio::test]
async fn a_library_gets_the_claims_of_a_person_through_our_own_pages() -> Result<()> {
    with_config_on_both_engines(identity::config(), async |suite| {
        let id = create_ada(suite).await?;
        let scope = Some("openid profile email".to_owned());
        let credentials = register(suite, OAuth2Client { scope, ..web_client() }).await?;
        let outside = suite.api();
        let http = |request: HttpRequest| send(outside.clone(), request);
        let document = suite.api().get(suite.oauth("/.well-known/openid-configuration")).await?;
        ensure!(document.at("/scopes_supported").to_string().contains("email"), "{}", document.summary());
        let issuer = document.at("/issuer").as_str().context("an issuer")?.to_owned();
        let metadata = CoreProviderMetadata::discover_async(IssuerUrl::new(issuer)?, &http).await?;
        let client = CoreClient::from_provider_metadata(
            metadata,
            ClientId::new(credentials.id.clone()),
            Some(ClientSecret::new(credentials.secret.clone())),
        )
        .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned())?);
        let (url, _, nonce) = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(["profile", "email"].map(|scope| Scope::new(scope.to_owned())))
            .url();
        let callback = through_our_own_pages(&mut suite.browser(), &url).await?;
        let code = AuthorizationCode::new(query(&callback, "code").with_context(|| callback.to_string())?);
        let tokens = client.exchange_code(code)?.request_async(&http).await?;
        let id_token = tokens.id_token().context("an ID token")?;
        let claims = id_token.claims(&client.id_token_verifier(), &nonce)?;
        let asked = client.user_info(tokens.access_token().clone(), Some(claims.subject().clone()))?;
        let person: CoreUserInfoClaims = asked.request_async(&http).await.map_err(|error| anyhow!("{error:?}"))?;
        for (subject, email, verified, name) in [
            (claims.subject(), claims.email(), claims.email_verified(), claims.name()),
            (person.subject(), person.email(), person.email_verified(), person.name()),
        ] {
            ensure!(id == subject.as_str(), "{id} {subject:?}");
            ensure!(email.is_some_and(|email| email.as_str() == "ada@example.org") && verified == Some(true));
            let name = name.and_then(|name| name.get(None)).context("a name")?;
            ensure!(name.as_str() == "Ada Lovelace", "{name:?}");
        }
        Ok(())
    })
    .await
}
