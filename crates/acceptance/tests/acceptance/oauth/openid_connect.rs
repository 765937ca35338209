//! A relying party built with a library that knows nothing of us.

use acceptance::browser::Browser;
use acceptance::page::query;
use acceptance::suite::with_config_on_both_engines;
use anyhow::{Context as _, Result, anyhow, ensure};
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, RedirectUrl, Scope, TokenResponse as _,
};

use super::{CALLBACK, SUBJECT, authorize, config, register, web_client};

/// What the library's errors must be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failed(String);

/// One request of the library, sent by a browser without cookies.
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
