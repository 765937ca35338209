//! The account pages, without scripts: a person fills in the forms of the pages.

use acceptance::browser::Browser;
use acceptance::suite::{Suite, with_config_on_both_engines};
use anyhow::{Context as _, Result, ensure};
use http::StatusCode;

use super::{PASSWORD, config};

const ALICE: &str = "alice@example.org";

/// The selector of the form that contains a field of that name.
fn form_with(field: &str) -> String {
    format!("form:has([name=\"{field}\"])")
}

/// Registers through the pages, whatever the number of steps.
async fn register(suite: &Suite, browser: &mut Browser) -> Result<()> {
    let page =
        browser.open(suite.identity("/self-service/registration/browser")).await?.expect_status(StatusCode::OK)?;
    let form = page.form(&form_with("traits.email"))?.fill("traits.email", ALICE)?;
    let form = match form.value("password") {
        Some(_) => form.fill("password", PASSWORD)?.press("method", "password")?,
        None => form.press("method", "profile")?,
    };
    let page = browser.submit(&form).await?.expect_status(StatusCode::OK)?;
    if let Ok(form) = page.form(&form_with("password")) {
        let form = form.fill("password", PASSWORD)?.press("method", "password")?;
        browser.submit(&form).await?.expect_status(StatusCode::OK)?;
    }
    Ok(())
}

async fn whoami(suite: &Suite, browser: &Browser) -> Result<StatusCode> {
    let mut api = browser.clone().with_header("accept", "application/json");
    Ok(api.get(suite.identity("/sessions/whoami")).await?.status)
}

#[tokio::test]
async fn a_person_registers_verifies_signs_out_and_in_again() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let mut browser = suite.browser();
        register(suite, &mut browser).await?;
        ensure!(whoami(suite, &browser).await? == StatusCode::OK, "registration signs in");

        let mail = suite.mail.first_to(ALICE).await?;
        let page = browser.open(mail.link()?).await?.expect_status(StatusCode::OK)?;
        let form = page.form(&form_with("code"))?;
        let code = mail.code(6)?;
        let form = if form.value("code") == Some(code.as_str()) { form } else { form.fill("code", &code)? };
        browser.submit(&form.press("method", "code")?).await?.expect_status(StatusCode::OK)?;

        let mut api = browser.clone().with_header("accept", "application/json");
        let logout = api.get(suite.identity("/self-service/logout/browser")).await?.expect_status(StatusCode::OK)?;
        let url = logout.at("/logout_url").as_str().context("a logout address")?.to_owned();
        browser.open(url).await?;
        ensure!(whoami(suite, &browser).await? == StatusCode::UNAUTHORIZED, "signed out");

        let page = browser.open(suite.identity("/self-service/login/browser")).await?.expect_status(StatusCode::OK)?;
        let form = page.form(&form_with("identifier"))?.fill("identifier", ALICE)?.fill("password", PASSWORD)?;
        browser.submit(&form.press("method", "password")?).await?;
        ensure!(whoami(suite, &browser).await? == StatusCode::OK, "signed in");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_page_has_csrf_protection_and_a_content_security_policy() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let mut browser = suite.browser();
        for kind in ["login", "registration", "recovery", "verification"] {
            let page = browser.open(suite.identity(&format!("/self-service/{kind}/browser"))).await?;
            let page = page.expect_status(StatusCode::OK)?;
            ensure!(page.header("content-type").starts_with("text/html"), "{}", page.summary());
            let policy = page.header("content-security-policy");
            ensure!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-inline"), "{kind}: {policy}");
            ensure!(page.header("x-content-type-options") == "nosniff", "{kind}");
            ensure!(!page.header("referrer-policy").is_empty(), "{kind}");
            ensure!(page.text().contains("<html lang="), "{kind}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn entered_text_is_escaped() -> Result<()> {
    with_config_on_both_engines(config(), async |suite| {
        let mut browser = suite.browser();
        let page = browser.open(suite.identity("/self-service/login/browser")).await?.expect_status(StatusCode::OK)?;
        let form = page.form(&form_with("identifier"))?;
        let form = form.fill("identifier", "\"><script>alert(1)</script>")?.fill("password", "wrong")?;
        let page = browser.submit(&form.press("method", "password")?).await?;
        ensure!(!page.text().contains("<script>alert"), "{}", page.summary());
        ensure!(!page.text().contains("wrong\""), "a password never comes back");
        Ok(())
    })
    .await
}
