//! A logout at `oauth`: when it answers, the identity session has ended.

use acceptance::browser::Browser;
use acceptance::suite::{Suite, with_config_on_both_engines};
use anyhow::{Context as _, Result, ensure};
use http::StatusCode;
use url::Url;

use super::openid_connect::{create_ada, through_our_own_pages};
use super::{Credentials, authorize_url, redemption, register, token, web_client};
use crate::identity;

const GOODBYE: &str = "http://127.0.0.1:1/goodbye";
/// The error that this test detects occurred in less than half of all tries.
const TRIES: usize = 20;

async fn whoami(suite: &Suite, browser: &Browser) -> Result<StatusCode> {
    let mut api = browser.clone().with_header("accept", "application/json");
    Ok(api.get(suite.identity("/sessions/whoami")).await?.status)
}

/// Signs in and out again, and checks the session as soon as the logout has answered.
async fn sign_in_and_out(suite: &Suite, client: &Credentials) -> Result<()> {
    let mut browser = suite.browser();
    let callback = through_our_own_pages(&mut browser, &authorize_url(suite, client, &[])?).await?;
    let tokens = token(suite, client, &redemption(&callback)?).await?.expect_status(StatusCode::OK)?;
    ensure!(whoami(suite, &browser).await? == StatusCode::OK, "signed in");
    let mut url = Url::parse(&suite.oauth("/oauth2/sessions/logout"))?;
    let id_token = tokens.at("/id_token").as_str().context("an ID token")?.to_owned();
    url.query_pairs_mut().append_pair("id_token_hint", &id_token).append_pair("post_logout_redirect_uri", GOODBYE);
    let page = browser.get(&url).await?;
    browser.follow_until(page, GOODBYE).await?;
    ensure!(whoami(suite, &browser).await? == StatusCode::UNAUTHORIZED, "the session outlives the answer");
    Ok(())
}

#[tokio::test]
async fn a_logout_has_ended_the_identity_session_when_it_answers() -> Result<()> {
    with_config_on_both_engines(identity::config(), async |suite| {
        create_ada(suite).await?;
        let mut registration = web_client();
        registration.post_logout_redirect_uris = Some(vec![GOODBYE.to_owned()]);
        registration.skip_logout_consent = Some(true);
        let client = register(suite, registration).await?;
        for number in 0..TRIES {
            sign_in_and_out(suite, &client).await.with_context(|| format!("try {number}"))?;
        }
        Ok(())
    })
    .await
}
