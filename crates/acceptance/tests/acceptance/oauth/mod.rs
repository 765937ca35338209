//! OAuth 2 and OpenID Connect from the view of relying parties and login applications, through the official SDK.

mod client_credentials;
mod clients;
mod code_flow;
mod connections;
mod discovery;
mod logout;
mod openid_connect;
mod refresh;
mod sdk;
mod second_factors;
mod single_logout;

use acceptance::browser::Browser;
use acceptance::page::query;
use acceptance::suite::Suite;
use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ory_hydra_client::apis::configuration::Configuration;
use ory_hydra_client::apis::o_auth2_api;
use ory_hydra_client::models::{AcceptOAuth2ConsentRequest, AcceptOAuth2LoginRequest, OAuth2Client};
use serde_json::{Value, json};
use sha2::Digest as _;
use url::Url;

pub(crate) const CALLBACK: &str = "http://127.0.0.1:1/callback";
pub(crate) const VERIFIER: &str = "a-code-verifier-that-is-long-enough-0123456789";
pub(crate) const SUBJECT: &str = "alice";

/// The URL of the test's own login application, whose work is done through the admin API.
const LOGIN: &str = "http://127.0.0.1:1/login";
const CONSENT: &str = "http://127.0.0.1:1/consent";

/// A separate login and consent application, as in most installations of Hydra.
pub(crate) fn config() -> Value {
    json!({ "oauth": { "urls": { "login": LOGIN, "consent": CONSENT } } })
}

/// The official client for the admin listener.
pub(crate) fn admin_sdk(suite: &Suite) -> Configuration {
    Configuration { base_path: suite.oauth_admin("").trim_end_matches('/').to_owned(), ..Configuration::new() }
}

/// A web application that may refresh.
pub(crate) fn web_client() -> OAuth2Client {
    OAuth2Client {
        client_name: Some("A web application".to_owned()),
        redirect_uris: Some(vec![CALLBACK.to_owned()]),
        grant_types: Some(vec!["authorization_code".to_owned(), "refresh_token".to_owned()]),
        response_types: Some(vec!["code".to_owned()]),
        scope: Some("openid offline_access profile".to_owned()),
        audience: Some(vec!["https://api.example.org".to_owned()]),
        token_endpoint_auth_method: Some("client_secret_basic".to_owned()),
        ..OAuth2Client::new()
    }
}

/// The id and the secret of a registered client.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) id: String,
    pub(crate) secret: String,
}

pub(crate) async fn register(suite: &Suite, client: OAuth2Client) -> Result<Credentials> {
    let created = o_auth2_api::create_o_auth2_client(&admin_sdk(suite), client).await.map_err(explain)?;
    Ok(Credentials {
        id: created.client_id.context("a client has an id")?,
        secret: created.client_secret.unwrap_or_default(),
    })
}

/// The authorization URL of a relying party.
pub(crate) fn authorize_url(suite: &Suite, client: &Credentials, more: &[(&str, &str)]) -> Result<Url> {
    let mut url = Url::parse(&suite.oauth("/oauth2/auth"))?;
    let challenge = URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(VERIFIER));
    url.query_pairs_mut()
        .append_pair("client_id", &client.id)
        .append_pair("response_type", "code")
        .append_pair("redirect_uri", CALLBACK)
        .append_pair("scope", "openid offline_access")
        .append_pair("state", "a-state-of-the-test")
        .append_pair("nonce", "a-nonce-of-the-test")
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .extend_pairs(more);
    Ok(url)
}

/// The work of the login application: accepts for the test's subject, and returns the URL that the browser goes to.
pub(crate) async fn accept_login(suite: &Suite, challenge: &str, remember: bool) -> Result<String> {
    let mut accept = AcceptOAuth2LoginRequest::new(SUBJECT.to_owned());
    accept.remember = Some(remember);
    accept.remember_for = Some(3600);
    let to = o_auth2_api::accept_o_auth2_login_request(&admin_sdk(suite), challenge, Some(accept)).await;
    Ok(to.map_err(explain)?.redirect_to)
}

/// The work of the consent application: grants the requested scopes.
pub(crate) async fn accept_consent(suite: &Suite, challenge: &str, remember: bool) -> Result<String> {
    let sdk = admin_sdk(suite);
    let request = o_auth2_api::get_o_auth2_consent_request(&sdk, challenge).await.map_err(explain)?;
    let mut accept = AcceptOAuth2ConsentRequest::new();
    accept.grant_scope = request.requested_scope;
    accept.grant_access_token_audience = request.requested_access_token_audience;
    accept.remember = Some(remember);
    let to = o_auth2_api::accept_o_auth2_consent_request(&sdk, challenge, Some(accept)).await;
    Ok(to.map_err(explain)?.redirect_to)
}

/// Signs in and consents, from the authorization URL to the callback URL of the relying party.
pub(crate) async fn authorize(suite: &Suite, browser: &mut Browser, url: &Url, remember: bool) -> Result<Url> {
    let page = browser.get(url).await?;
    let login = browser.follow_until(page, LOGIN).await?;
    let challenge = query(&login, "login_challenge").context("a login challenge")?;
    let page = browser.get(accept_login(suite, &challenge, remember).await?).await?;
    let consent = browser.follow_until(page, CONSENT).await?;
    let challenge = query(&consent, "consent_challenge").context("a consent challenge")?;
    let page = browser.get(accept_consent(suite, &challenge, remember).await?).await?;
    browser.follow_until(page, CALLBACK).await
}

/// The fields that redeem the code of a callback.
pub(crate) fn redemption(callback: &Url) -> Result<Vec<(&'static str, String)>> {
    Ok(vec![
        ("grant_type", "authorization_code".to_owned()),
        ("code", query(callback, "code").with_context(|| format!("no code in {callback}"))?),
        ("redirect_uri", CALLBACK.to_owned()),
        ("code_verifier", VERIFIER.to_owned()),
    ])
}

/// Sends a token request of that client.
pub(crate) async fn token(
    suite: &Suite,
    client: &Credentials,
    fields: &[(&str, String)],
) -> Result<acceptance::page::Page> {
    let mut api = suite.api().with_header("authorization", &basic(client));
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    api.post(suite.oauth("/oauth2/token"), &fields).await
}

/// HTTP Basic authentication of a client.
pub(crate) fn basic(client: &Credentials) -> String {
    let credentials = format!("{}:{}", client.id, client.secret);
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(credentials))
}

/// Introspects a token at the admin API.
pub(crate) async fn introspect(suite: &Suite, token: &str) -> Result<Value> {
    let page = suite.api().post(suite.oauth_admin("/admin/oauth2/introspect"), &[("token", token)]).await?;
    Ok(page.expect_status(http::StatusCode::OK)?.at(""))
}

/// An error of the SDK with the server's message.
pub(crate) fn explain<T: std::fmt::Debug>(error: ory_hydra_client::apis::Error<T>) -> anyhow::Error {
    match error {
        ory_hydra_client::apis::Error::ResponseError(answer) => {
            anyhow::anyhow!("{}: {}", answer.status, answer.content)
        }
        other => anyhow::anyhow!("{other:?}"),
    }
}
