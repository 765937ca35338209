//! A login at `oauth` asks for the person's second factor, and the ID token contains how the person signed in.

use acceptance::browser::Browser;
use acceptance::page::Page;
use acceptance::suite::{Suite, with_config_on_both_engines};
use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{CALLBACK, Credentials, authorize_url, redemption, register, token, web_client};
use crate::identity::PASSWORD;
use crate::identity::second_factors::{App, STEP, form_with, with_second_factors};

const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/// An account with an authenticator app.
async fn create_ada(suite: &Suite) -> Result<()> {
    let ada = json!({
        "schema_id": "default",
        "traits": { "email": "ada@example.org" },
        "credentials": {
            "password": { "config": { "password": PASSWORD } },
            "totp": { "config": { "totp_url": format!("otpauth://totp/Example:ada?secret={SECRET}") } },
        },
    });
    let created = suite.api().json(Method::POST, suite.identity_admin("/admin/identities"), &ada).await?;
    created.expect_status(StatusCode::CREATED).map(drop)
}

async fn give_password(browser: &mut Browser, page: &Page) -> Result<Page> {
    let form = page.form(&form_with("identifier"))?.fill("identifier", "ada@example.org")?;
    browser.submit(&form.fill("password", PASSWORD)?.press("method", "password")?).await?.expect_status(StatusCode::OK)
}

/// Submits the second factor, allows everything, and returns the claims of the ID token.
async fn claims(suite: &Suite, browser: &mut Browser, client: &Credentials, page: &Page) -> Result<Value> {
    let form = page.form(&form_with("totp_code")).with_context(|| "the second factor is asked for".to_owned())?;
    let form = form.fill("totp_code", &App::with(SECRET)?.code(suite)?)?.press("method", "totp")?;
    let page = browser.submit(&form).await?;
    let form = page.form("form:has(button[value=allow])")?.press("decision", "allow")?;
    let page = browser.send_form(&form).await?;
    let callback = browser.follow_until(page, CALLBACK).await?;
    let tokens = token(suite, client, &redemption(&callback)?).await?.expect_status(StatusCode::OK)?.at("");
    let id_token = tokens["id_token"].as_str().context("an ID token")?;
    let payload = id_token.split('.').nth(1).context("three parts")?;
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload)?)?)
}

fn ensure_two_factors(claims: &Value) -> Result<()> {
    ensure!(claims["acr"] == "aal2", "{claims}");
    // RFC 8176 section 2.
    ensure!(claims["amr"] == json!(["pwd", "otp", "mfa"]), "{claims}");
    Ok(())
}

#[tokio::test]
async fn a_login_in_a_code_flow_asks_for_the_second_factor_and_the_id_token_contains_it() -> Result<()> {
    with_config_on_both_engines(with_second_factors(), async |suite| {
        create_ada(suite).await?;
        let client = register(suite, web_client()).await?;
        let url = authorize_url(suite, &client, &[])?;
        let mut browser = suite.browser();
        let page = browser.open(&url).await?;
        let page = give_password(&mut browser, &page).await?;
        ensure!(page.form("form:has(button[value=allow])").is_err(), "a password alone: {}", page.summary());
        ensure_two_factors(&claims(suite, &mut browser, &client, &page).await?)?;

        // A session that began with only the password is confirmed, and then asked for the second factor.
        suite.advance(STEP);
        let mut browser = suite.browser();
        let page = browser.open(suite.identity("/self-service/login/browser")).await?;
        give_password(&mut browser, &page).await?;
        let page = browser.open(&url).await?;
        let form = page.form(&form_with("password"))?.fill("password", PASSWORD)?.press("method", "password")?;
        let page = browser.submit(&form).await?;
        ensure_two_factors(&claims(suite, &mut browser, &client, &page).await?)
    })
    .await
}
