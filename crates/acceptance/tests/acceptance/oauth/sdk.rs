//! All operations of the official client that this server supports, called in the way of programs for the replaced system.
//! Their behaviour is tested elsewhere; here the client must be able to read the answers.

use acceptance::browser::Browser;
use acceptance::page::query;
use acceptance::suite::{Suite, with_config_on_both_engines};
use anyhow::{Context as _, Result, ensure};
use ory_hydra_client::apis::configuration::Configuration;
use ory_hydra_client::apis::{jwk_api, metadata_api, o_auth2_api, oidc_api, wellknown_api};
use ory_hydra_client::models::{
    CreateJsonWebKeySet, JsonPatch, OAuth2Client, OAuth2ClientTokenLifespans, RejectOAuth2Request,
};
use serde_json::json;
use url::Url;

use super::{CALLBACK, CONSENT, LOGIN, SUBJECT, accept_consent, accept_login, admin_sdk, config, explain, web_client};

const LOGOUT: &str = "http://127.0.0.1:1/logout";

/// The official client for the public listener.
fn public_sdk(suite: &Suite) -> Configuration {
    Configuration { base_path: suite.oauth("").trim_end_matches('/').to_owned(), ..Configuration::new() }
}

/// The client sends neither a secret nor a code verifier, so this is a public client.
fn public_client() -> OAuth2Client {
    OAuth2Client { token_endpoint_auth_method: Some("none".to_owned()), ..web_client() }
}

/// The authorization URL of that client.
fn sign_in_url(suite: &Suite, client_id: &str) -> Result<Url> {
    let mut url = Url::parse(&suite.oauth("/oauth2/auth"))?;
    url.query_pairs_mut()
        .append_pair("client_id", client_id)
        .append_pair("response_type", "code")
        .append_pair("redirect_uri", CALLBACK)
        .append_pair("scope", "openid offline_access")
        .append_pair("state", "a-state-of-the-test");
    Ok(url)
}

/// Begins a sign-in; returns the login challenge.
async fn begin(suite: &Suite, browser: &mut Browser, client_id: &str) -> Result<String> {
    let page = browser.get(sign_in_url(suite, client_id)?).await?;
    let login = browser.follow_until(page, LOGIN).await?;
    query(&login, "login_challenge").context("a login challenge")
}

/// Begins a sign-in and signs in; returns the consent challenge.
async fn begin_consent(suite: &Suite, browser: &mut Browser, client_id: &str) -> Result<String> {
    let challenge = begin(suite, browser, client_id).await?;
    let page = browser.get(accept_login(suite, &challenge, true).await?).await?;
    let consent = browser.follow_until(page, CONSENT).await?;
    query(&consent, "consent_challenge").context("a consent challenge")
}

#[tokio::test]
async fn the_official_client_manages_clients() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let sdk = admin_sdk(suite);
        let created = o_auth2_api::create_o_auth2_client(&sdk, web_client()).await.map_err(explain)?;
        let id = created.client_id.clone().context("an id")?;
        let secret = created.client_secret.context("a secret")?;
        let mut read = o_auth2_api::get_o_auth2_client(&sdk, &id).await.map_err(explain)?;
        read.client_name = Some("Another name".to_owned());
        let changed = o_auth2_api::set_o_auth2_client(&sdk, &id, read).await.map_err(explain)?;
        ensure!(changed.client_name.as_deref() == Some("Another name"));
        let name = JsonPatch {
            value: Some(Some(json!("A third name"))),
            ..JsonPatch::new("replace".to_owned(), "/client_name".to_owned())
        };
        let patched = o_auth2_api::patch_o_auth2_client(&sdk, &id, vec![name]).await.map_err(explain)?;
        ensure!(patched.client_name.as_deref() == Some("A third name"));
        let lifespans = OAuth2ClientTokenLifespans {
            client_credentials_grant_access_token_lifespan: Some("5m0s".to_owned()),
            ..OAuth2ClientTokenLifespans::new()
        };
        let set = o_auth2_api::set_o_auth2_client_lifespans(&sdk, &id, Some(lifespans)).await.map_err(explain)?;
        ensure!(set.client_credentials_grant_access_token_lifespan.as_deref() == Some("5m0s"));
        let listed = o_auth2_api::list_o_auth2_clients(&sdk, Some(10), None, Some("A third name"), None).await;
        ensure!(listed.map_err(explain)?.iter().any(|it| it.client_id.as_ref() == Some(&id)));

        let rotated: OAuth2Client = rotate(suite, &id).await?;
        ensure!(rotated.client_secret.is_some_and(|new| new != secret), "a rotation gives a new secret");
        suite
            .api()
            .send(
                http::Method::DELETE,
                &Url::parse(&suite.oauth_admin(&format!("/admin/clients/{id}/secrets/rotate")))?,
                None,
                Vec::new().into(),
            )
            .await?
            .expect_status(http::StatusCode::OK)?;
        o_auth2_api::delete_o_auth2_token(&sdk, &id).await.map_err(explain)?;
        o_auth2_api::delete_o_auth2_client(&sdk, &id).await.map_err(explain)?;
        ensure!(o_auth2_api::get_o_auth2_client(&sdk, &id).await.is_err());
        Ok(())
    })
    .await
}

/// This version of the client does not have the operation, but has the type of its answer.
async fn rotate(suite: &Suite, id: &str) -> Result<OAuth2Client> {
    let url = suite.oauth_admin(&format!("/admin/clients/{id}/secrets/rotate"));
    suite.api().json(http::Method::POST, url, &json!({})).await?.expect_status(http::StatusCode::OK)?.json()
}

#[tokio::test]
async fn the_official_client_answers_challenges_and_handles_tokens() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let (sdk, public) = (admin_sdk(suite), public_sdk(suite));
        let client = o_auth2_api::create_o_auth2_client(&sdk, public_client()).await.map_err(explain)?;
        let id = client.client_id.context("an id")?;
        let mut browser = suite.browser();

        let challenge = begin(suite, &mut browser, &id).await?;
        let no = || Some(RejectOAuth2Request { error: Some("no".to_owned()), ..RejectOAuth2Request::new() });
        let to = o_auth2_api::reject_o_auth2_login_request(&sdk, &challenge, no()).await.map_err(explain)?;
        let page = browser.get(to.redirect_to).await?;
        let callback = browser.follow_until(page, CALLBACK).await?;
        ensure!(query(&callback, "error").as_deref() == Some("no"), "{callback}");

        let challenge = begin(suite, &mut browser, &id).await?;
        let asked = o_auth2_api::get_o_auth2_login_request(&sdk, &challenge).await.map_err(explain)?;
        ensure!(asked.client.client_id.as_ref() == Some(&id) && !asked.skip);
        let challenge = begin_consent(suite, &mut browser, &id).await?;
        let to = o_auth2_api::reject_o_auth2_consent_request(&sdk, &challenge, no()).await.map_err(explain)?;
        let page = browser.get(to.redirect_to).await?;
        ensure!(query(&browser.follow_until(page, CALLBACK).await?, "error").as_deref() == Some("no"));

        let challenge = begin_consent(suite, &mut browser, &id).await?;
        let page = browser.get(accept_consent(suite, &challenge, true).await?).await?;
        let code = query(&browser.follow_until(page, CALLBACK).await?, "code").context("a code")?;
        let exchange = o_auth2_api::oauth2_token_exchange(
            &public,
            "authorization_code",
            Some(&id),
            Some(&code),
            Some(CALLBACK),
            None,
        );
        let tokens = exchange.await.map_err(explain)?;
        let access = tokens.access_token.context("an access token")?;
        let refresh = tokens.refresh_token.context("a refresh token")?;

        let live = o_auth2_api::introspect_o_auth2_token(&sdk, &access, Some("openid")).await.map_err(explain)?;
        ensure!(live.active && live.sub.as_deref() == Some(SUBJECT));
        let as_bearer = Configuration { oauth_access_token: Some(access.clone()), ..public_sdk(suite) };
        let person = oidc_api::get_oidc_user_info(&as_bearer).await.map_err(explain)?;
        ensure!(person.sub.as_deref() == Some(SUBJECT));
        let again = o_auth2_api::oauth2_token_exchange(&public, "refresh_token", Some(&id), None, None, Some(&refresh));
        let refresh = again.await.map_err(explain)?.refresh_token.context("a successor")?;
        o_auth2_api::revoke_o_auth2_token(&public, &refresh, Some(&id), None).await.map_err(explain)?;
        let ended = o_auth2_api::introspect_o_auth2_token(&sdk, &refresh, None).await.map_err(explain)?;
        ensure!(!ended.active, "a revoked token is not live");

        let list = || o_auth2_api::list_o_auth2_consent_sessions(&sdk, SUBJECT, Some(10), None, None);
        let consents = list().await.map_err(explain)?;
        let consent = consents.first().context("a consent")?;
        ensure!(consent.grant_scope.as_ref().is_some_and(|scope| scope.contains(&"openid".to_owned())));
        let consent_id = consent.consent_request_id.as_deref();
        let revoke = o_auth2_api::revoke_o_auth2_consent_sessions;
        revoke(&sdk, None, None, consent_id, None).await.map_err(explain)?;
        revoke(&sdk, Some(SUBJECT), Some(&id), None, None).await.map_err(explain)?;
        revoke(&sdk, Some(SUBJECT), None, None, Some(true)).await.map_err(explain)?;
        ensure!(list().await.map_err(explain)?.is_empty());
        let sid = consent.consent_request.as_ref().and_then(|it| it.login_session_id.clone());
        let end = o_auth2_api::revoke_o_auth2_login_sessions;
        end(&sdk, None, Some(&sid.context("a session")?)).await.map_err(explain)?;
        end(&sdk, Some(SUBJECT), None).await.map_err(explain)?;
        let challenge = begin(suite, &mut browser, &id).await?;
        ensure!(!o_auth2_api::get_o_auth2_login_request(&sdk, &challenge).await.map_err(explain)?.skip);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_official_client_signs_people_out() -> Result<()> {
    let mut config = config();
    config["oauth"]["urls"]["logout"] = json!(LOGOUT);
    with_config_on_both_engines(config, async |suite| {
        let (sdk, public) = (admin_sdk(suite), public_sdk(suite));
        // Without a session the browser is redirected.
        let mut outside = suite.browser();
        ensure!(outside.get(format!("{}/oauth2/sessions/logout", public.base_path)).await?.status.is_redirection());
        let client = o_auth2_api::create_o_auth2_client(&sdk, public_client()).await.map_err(explain)?;
        let id = client.client_id.context("an id")?;
        let mut browser = suite.browser();
        begin_consent(suite, &mut browser, &id).await?;
        let ask = async |browser: &mut Browser| {
            let page = browser.get(suite.oauth("/oauth2/sessions/logout")).await?;
            let asked = browser.follow_until(page, LOGOUT).await?;
            query(&asked, "logout_challenge").context("a logout challenge")
        };
        let challenge = ask(&mut browser).await?;
        let asked = o_auth2_api::get_o_auth2_logout_request(&sdk, &challenge).await.map_err(explain)?;
        ensure!(asked.subject.as_deref() == Some(SUBJECT) && asked.rp_initiated == Some(false));
        o_auth2_api::reject_o_auth2_logout_request(&sdk, &challenge).await.map_err(explain)?;
        let challenge = ask(&mut browser).await?;
        let to = o_auth2_api::accept_o_auth2_logout_request(&sdk, &challenge).await.map_err(explain)?;
        ensure!(browser.get(to.redirect_to).await?.status.is_redirection());
        let challenge = begin(suite, &mut browser, &id).await?;
        ensure!(!o_auth2_api::get_o_auth2_login_request(&sdk, &challenge).await.map_err(explain)?.skip);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_official_client_manages_keys() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let (sdk, public) = (admin_sdk(suite), public_sdk(suite));
        let algorithms = ["RS256", "ES256", "EdDSA"];
        for algorithm in algorithms {
            let key = CreateJsonWebKeySet::new(algorithm.to_owned(), algorithm.to_lowercase(), "sig".to_owned());
            let created = jwk_api::create_json_web_key_set(&sdk, "of-the-test", key).await.map_err(explain)?;
            ensure!(
                created.keys.is_some_and(|keys| keys[0].alg == algorithm && keys[0].kid == algorithm.to_lowercase())
            );
        }
        let set = jwk_api::get_json_web_key_set(&sdk, "of-the-test").await.map_err(explain)?;
        ensure!(set.keys.as_ref().is_some_and(|keys| keys.len() == algorithms.len()));
        let one = jwk_api::get_json_web_key(&sdk, "of-the-test", "es256").await.map_err(explain)?;
        let key = one.keys.and_then(|keys| keys.into_iter().next()).context("a key")?;
        let written = jwk_api::set_json_web_key(&sdk, "of-the-test", "es256", Some(key)).await.map_err(explain)?;
        ensure!(written.kid == "es256");
        let written = jwk_api::set_json_web_key_set(&sdk, "a-copy", Some(set)).await.map_err(explain)?;
        ensure!(written.keys.is_some_and(|keys| keys.len() == algorithms.len()));
        jwk_api::delete_json_web_key(&sdk, "a-copy", "eddsa").await.map_err(explain)?;
        let left = jwk_api::get_json_web_key_set(&sdk, "a-copy").await.map_err(explain)?;
        ensure!(left.keys.is_some_and(|keys| keys.len() == algorithms.len() - 1));
        jwk_api::delete_json_web_key_set(&sdk, "a-copy").await.map_err(explain)?;
        ensure!(jwk_api::get_json_web_key_set(&sdk, "a-copy").await.is_err());

        let published = wellknown_api::discover_json_web_keys(&public).await.map_err(explain)?;
        ensure!(published.keys.is_some_and(|keys| !keys.is_empty() && keys.iter().all(|key| key.d.is_none())));
        // Its model of the discovery document requires `device_authorization_endpoint`, which is not supported.
        ensure!(oidc_api::discover_oidc_configuration(&public).await.is_err());
        for sdk in [&sdk, &public] {
            metadata_api::is_alive(sdk).await.map_err(explain)?;
            metadata_api::is_ready(sdk).await.map_err(explain)?;
        }
        ensure!(metadata_api::get_version(&sdk).await.map_err(explain)?.version.is_some_and(|it| !it.is_empty()));
        Ok(())
    })
    .await
}
