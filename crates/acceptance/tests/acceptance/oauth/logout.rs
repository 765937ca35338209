//! Signing out at the provider (OpenID Connect RP-Initiated Logout).

use acceptance::page::query;
use acceptance::suite::with_config_on_both_engines;
use anyhow::{Context as _, Result, ensure};
use http::StatusCode;
use serde_json::json;
use url::Url;

use super::{LOGIN, authorize, authorize_url, config, redemption, register, token, web_client};

const LOGOUT: &str = "http://127.0.0.1:1/logout";
const GOODBYE: &str = "http://127.0.0.1:1/goodbye";

#[tokio::test]
async fn a_relying_party_signs_its_person_out() -> Result<()> {
    let mut config = config();
    config["oauth"]["urls"]["logout"] = json!(LOGOUT);
    with_config_on_both_engines(config, async |suite| {
        let mut registration = web_client();
        registration.post_logout_redirect_uris = Some(vec![GOODBYE.to_owned()]);
        let client = register(suite, registration).await?;
        let mut browser = suite.browser();
        let callback = authorize(suite, &mut browser, &authorize_url(suite, &client, &[])?, true).await?;
        let tokens = token(suite, &client, &redemption(&callback)?).await?.expect_status(StatusCode::OK)?;
        let id_token = tokens.at("/id_token").as_str().context("an ID token")?.to_owned();

        let mut url = Url::parse(&suite.oauth("/oauth2/sessions/logout"))?;
        url.query_pairs_mut()
            .append_pair("id_token_hint", &id_token)
            .append_pair("post_logout_redirect_uri", GOODBYE)
            .append_pair("state", "bye");
        let page = browser.get(&url).await?;
        let asked = browser.follow_until(page, LOGOUT).await?;
        let challenge = query(&asked, "logout_challenge").context("a logout challenge")?;
        let sdk = super::admin_sdk(suite);
        let accepted = ory_hydra_client::apis::o_auth2_api::accept_o_auth2_logout_request(&sdk, &challenge).await;
        let page = browser.get(accepted.map_err(super::explain)?.redirect_to).await?;
        let gone = browser.follow_until(page, GOODBYE).await?;
        ensure!(query(&gone, "state").as_deref() == Some("bye"), "{gone}");

        let page = browser.get(authorize_url(suite, &client, &[])?).await?;
        let login = browser.follow_until(page, LOGIN).await?;
        let challenge = query(&login, "login_challenge").context("a login challenge")?;
        let request = ory_hydra_client::apis::o_auth2_api::get_o_auth2_login_request(&sdk, &challenge).await;
        ensure!(!request.map_err(super::explain)?.skip, "the login has ended");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_unregistered_post_logout_redirect_uri_is_refused() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let mut url = Url::parse(&suite.oauth("/oauth2/sessions/logout"))?;
        url.query_pairs_mut().append_pair("post_logout_redirect_uri", "https://evil.example.org/");
        let mut browser = suite.browser();
        let page = browser.get(&url).await?;
        ensure!(!page.header("location").starts_with("https://evil.example.org"), "{}", page.header("location"));
        Ok(())
    })
    .await
}
