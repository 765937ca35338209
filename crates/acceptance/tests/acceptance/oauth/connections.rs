//! Connected applications on the account page: a person sees which clients may use the account, and disconnects one.

use std::time::Duration;

use acceptance::browser::Browser;
use acceptance::page::Page;
use acceptance::suite::with_config_on_both_engines;
use anyhow::{Context as _, Result, ensure};
use http::StatusCode;
use ory_hydra_client::models::OAuth2Client;
use url::Url;

use super::{CALLBACK, authorize_url, redemption, register, token, web_client};
use crate::identity::{self, PASSWORD};

const ALICE: &str = "alice@example.org";
const CONSENT: &str = "form:has(button[value=allow])";
const CONNECTION: &str = "form[action*=\"/ui/connections\"]";

/// Signs in on the page of identity, if the page asks for it.
pub(crate) async fn sign_in(browser: &mut Browser, page: Page) -> Result<Page> {
    let Ok(form) = page.form("form:has([name=identifier])") else { return Ok(page) };
    let form = form.fill("identifier", ALICE)?.fill("password", PASSWORD)?.press("method", "password")?;
    browser.submit(&form).await
}

/// Allows the request on the consent page.
async fn allow(browser: &mut Browser, page: &Page) -> Result<Url> {
    let form = page.form(CONSENT).with_context(|| page.summary())?.press("decision", "allow")?;
    let page = browser.send_form(&form).await?;
    browser.follow_until(page, CALLBACK).await
}

#[tokio::test]
async fn a_person_disconnects_an_application_and_its_tokens_end() -> Result<()> {
    with_config_on_both_engines(identity::config(), async |suite| {
        identity::register(suite, ALICE).await?;
        let name = Some("<b>Photo</b> Album".to_owned());
        let client = register(suite, OAuth2Client { client_name: name, ..web_client() }).await?;
        let other = register(suite, OAuth2Client { client_name: Some("Calendar".to_owned()), ..web_client() }).await?;

        let mut browser = suite.browser();
        let mut refresh_tokens = Vec::new();
        for client in [&client, &other] {
            suite.advance(Duration::from_secs(1));
            let page = browser.open(authorize_url(suite, client, &[])?).await?;
            let page = sign_in(&mut browser, page).await?;
            let callback = allow(&mut browser, &page).await?;
            let tokens = token(suite, client, &redemption(&callback)?).await?.expect_status(StatusCode::OK)?;
            refresh_tokens.push(tokens.at("/refresh_token").as_str().context("a refresh token")?.to_owned());
        }

        let settings = suite.identity("/self-service/settings/browser");
        let page = browser.open(&settings).await?.expect_status(StatusCode::OK)?;
        let shown = page.text();
        ensure!(shown.contains("&#60;b&#62;Photo&#60;/b&#62; Album") && shown.contains("Calendar"), "{shown}");
        ensure!(shown.find("Calendar") < shown.find("Album"), "the newest consent comes first");

        let ending = format!("{CONNECTION}:has(button[value=\"{}\"])", client.id);
        let form = page.form(&ending)?.press("client", &client.id)?;
        let forged = browser.clone().submit(&form.clone().tamper("csrf_token", "forged")).await?;
        ensure!(forged.status == StatusCode::FORBIDDEN, "{}", forged.summary());
        let page = browser.submit(&form).await?.expect_status(StatusCode::OK)?;
        ensure!(page.text().contains("can no longer use your account"), "{}", page.summary());
        ensure!(page.form(&ending).is_err() && page.text().contains("Calendar"), "one is gone, the other stays");

        let refresh = |token: &str| [("grant_type", "refresh_token".to_owned()), ("refresh_token", token.to_owned())];
        let refused = token(suite, &client, &refresh(&refresh_tokens[0])).await?;
        ensure!((refused.status, refused.at("/error")) == (StatusCode::BAD_REQUEST, "invalid_grant".into()));
        token(suite, &other, &refresh(&refresh_tokens[1])).await?.expect_status(StatusCode::OK)?;

        let page = browser.open(authorize_url(suite, &client, &[])?).await?.expect_status(StatusCode::OK)?;
        ensure!(page.form(CONSENT).is_ok(), "consent is asked again: {}", page.summary());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn disconnecting_an_application_requires_a_recent_sign_in() -> Result<()> {
    let mut config = identity::config();
    config["identity"]["selfservice"]["flows"]["settings"]["privileged_session_max_age"] = "10m".into();
    with_config_on_both_engines(config, async |suite| {
        identity::register(suite, ALICE).await?;
        let client = register(suite, web_client()).await?;
        let mut browser = suite.browser();
        let page = browser.open(authorize_url(suite, &client, &[])?).await?;
        let page = sign_in(&mut browser, page).await?;
        allow(&mut browser, &page).await?;

        suite.advance(std::time::Duration::from_mins(11));
        let page = browser.open(suite.identity("/self-service/settings/browser")).await?;
        let form = page.form(CONNECTION)?.press("client", &client.id)?;
        let page = browser.submit(&form).await?.expect_status(StatusCode::OK)?;
        ensure!(page.text().contains("Confirm it"), "a new proof is asked: {}", page.summary());
        let form = page.form("form:has([name=password])")?;
        // The page already shows the account.
        let form = form.fill("password", PASSWORD)?.press("method", "password")?;
        let page = browser.submit(&form).await?.expect_status(StatusCode::OK)?;
        let form = page.form(CONNECTION).with_context(|| page.summary())?.press("client", &client.id)?;
        let page = browser.submit(&form).await?.expect_status(StatusCode::OK)?;
        ensure!(page.text().contains("can no longer use your account"), "{}", page.summary());
        Ok(())
    })
    .await
}
