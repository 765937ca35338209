//! The lifecycle of authenticator apps and backup codes, through the official SDK and on the pages without scripts.

use std::time::Duration;

use acceptance::browser::Browser;
use acceptance::page::Page;
use acceptance::suite::{Suite, with_config_on_both_engines};
use anyhow::{Context as _, Result, ensure};
use http::{Method, StatusCode};
use ory_kratos_client::apis::frontend_api;
use ory_kratos_client::models::{
    AuthenticatorAssuranceLevel, PerformNativeLogoutBody, Session, UpdateLoginFlowBody,
    UpdateLoginFlowWithLookupSecretMethod, UpdateLoginFlowWithTotpMethod, UpdateSettingsFlowBody,
    UpdateSettingsFlowWithLookupMethod, UpdateSettingsFlowWithTotpMethod,
};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

use super::{PASSWORD, config, explain, log_in, public_sdk, register, register_and_log_in, submit, submit_to};

const ALICE: &str = "alice@example.org";

/// How long a code is valid.
pub(crate) const STEP: Duration = Duration::from_secs(30);

const CODE_INVALID: u64 = 4_000_008;
const BACKUP_CODE_USED: u64 = 4_000_012;

/// A configuration with both methods.
pub(crate) fn with_second_factors() -> Value {
    let mut config = config();
    config["identity"]["selfservice"]["methods"] =
        json!({ "totp": { "enabled": true, "config": { "issuer": "Example" } }, "lookup_secret": { "enabled": true } });
    config
}

/// An authenticator app with one secret.
pub(crate) struct App(Totp);

impl App {
    /// The secret as a page shows it; spaces are ignored.
    pub(crate) fn with(secret: &str) -> Result<Self> {
        let secret: String = secret.split_whitespace().collect();
        let secret = Secret::try_from_base32(secret).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        Ok(Self(Builder::new().with_secret(secret).build_noncompliant()))
    }

    /// The current code of the app.
    pub(crate) fn code(&self, suite: &Suite) -> Result<String> {
        Ok(self.0.generate(u64::try_from(suite.clock().now().unix_seconds())?).to_string())
    }
}

/// The attributes of the node with that id.
fn node(flow: &Page, id: &str) -> Result<Value> {
    let nodes = flow.at("/ui/nodes");
    let found = nodes.as_array().into_iter().flatten().map(|node| &node["attributes"]).find(|it| it["id"] == id);
    found.cloned().with_context(|| format!("no {id}: {}", flow.summary()))
}

async fn settings(suite: &Suite, token: &str) -> Result<Page> {
    let mut client = suite.api().with_header("x-session-token", token);
    client.get(suite.identity("/self-service/settings/api")).await?.expect_status(StatusCode::OK)
}

fn action(flow: &Page) -> Result<String> {
    Ok(flow.at("/ui/action").as_str().with_context(|| flow.summary())?.to_owned())
}

/// Sets up an app as a native application does.
pub(crate) async fn link(suite: &Suite, token: &str) -> Result<App> {
    let flow = settings(suite, token).await?;
    let secret = node(&flow, "totp_secret_key")?["text"]["context"]["secret"].clone();
    let app = App::with(secret.as_str().context("a secret")?)?;
    let mut form = UpdateSettingsFlowWithTotpMethod::new("totp".to_owned());
    form.totp_code = Some(app.code(suite)?);
    let body = UpdateSettingsFlowBody::Totp(Box::new(form));
    let linked = submit_to(suite, &action(&flow)?, token, &body).await?.expect_status(StatusCode::OK)?;
    ensure!(linked.at("/state") == "success", "{}", linked.summary());
    Ok(app)
}

/// Generates backup codes and confirms them.
pub(crate) async fn make_codes(suite: &Suite, token: &str) -> Result<Vec<String>> {
    let action = action(&settings(suite, token).await?)?;
    let ask = async |change: fn(&mut UpdateSettingsFlowWithLookupMethod)| {
        let mut form = UpdateSettingsFlowWithLookupMethod::new("lookup_secret".to_owned());
        change(&mut form);
        let body = UpdateSettingsFlowBody::LookupSecret(Box::new(form));
        submit_to(suite, &action, token, &body).await?.expect_status(StatusCode::OK)
    };
    let made = ask(|form| form.lookup_secret_regenerate = Some(true)).await?;
    let listed = node(&made, "lookup_secret_codes")?["text"]["context"]["secrets"].clone();
    let listed = listed.as_array().context("codes")?.iter().map(|it| it["context"]["secret"].as_str());
    let codes: Option<Vec<String>> = listed.map(|code| code.map(str::to_owned)).collect();
    let confirmed = ask(|form| form.lookup_secret_confirm = Some(true)).await?;
    ensure!(confirmed.at("/state") == "success", "{}", confirmed.summary());
    codes.context("a code is hidden")
}

/// A new flow that asks for the second factor of the session of `token`.
async fn second_step(suite: &Suite, token: &str) -> Result<Page> {
    let mut client = suite.api().with_header("x-session-token", token);
    client.get(suite.identity("/self-service/login/api?aal=aal2")).await?.expect_status(StatusCode::OK)
}

fn totp(code: &str) -> UpdateLoginFlowBody {
    UpdateLoginFlowBody::Totp(Box::new(UpdateLoginFlowWithTotpMethod::new("totp".to_owned(), code.to_owned())))
}

fn backup(code: &str) -> UpdateLoginFlowBody {
    let form = UpdateLoginFlowWithLookupSecretMethod::new(code.to_owned(), "lookup_secret".to_owned());
    UpdateLoginFlowBody::LookupSecret(Box::new(form))
}

/// Submits the second factor with the official client.
async fn prove(suite: &Suite, token: &str, body: UpdateLoginFlowBody) -> Result<Session> {
    let flow = second_step(suite, token).await?.at("/id");
    let flow = flow.as_str().context("an id")?;
    let proved = frontend_api::update_login_flow(&public_sdk(suite), flow, body, Some(token), None).await;
    Ok(*proved.map_err(explain)?.session)
}

/// The id of the message that refuses the second factor.
async fn refusal(suite: &Suite, token: &str, body: UpdateLoginFlowBody) -> Result<Value> {
    let action = action(&second_step(suite, token).await?)?;
    let refused = submit_to(suite, &action, token, &body).await?.expect_status(StatusCode::BAD_REQUEST)?;
    Ok(refused.at("/ui/messages/0/id"))
}

fn ensure_proved(session: &Session, method: &str) -> Result<()> {
    ensure!(session.authenticator_assurance_level == Some(AuthenticatorAssuranceLevel::Aal2), "{session:?}");
    let methods = json!(session.authentication_methods);
    ensure!(methods[0]["method"] == "password" && methods[1]["method"] == method, "{methods}");
    Ok(())
}

#[tokio::test]
async fn the_official_client_sets_factors_up_uses_them_and_replaces_a_lost_app() -> Result<()> {
    with_config_on_both_engines(with_second_factors(), async |suite| {
        let sdk = public_sdk(suite);
        let first = register_and_log_in(suite, ALICE).await?;
        let app = link(suite, &first).await?;
        let body = PerformNativeLogoutBody::new(first);
        frontend_api::perform_native_logout(&sdk, body).await.map_err(explain)?;

        let token = log_in(suite, ALICE, PASSWORD).await?;
        ensure!(frontend_api::to_session(&sdk, Some(&token), None, None).await.is_err(), "a password is not enough");
        ensure!(refusal(suite, &token, totp(&app.code(suite)?)).await? == CODE_INVALID, "it set the app up");
        suite.advance(STEP);
        ensure_proved(&prove(suite, &token, totp(&app.code(suite)?)).await?, "totp")?;
        frontend_api::to_session(&sdk, Some(&token), None, None).await.map_err(explain)?;

        let codes = make_codes(suite, &token).await?;
        ensure!(codes.len() == 12);
        let token = log_in(suite, ALICE, PASSWORD).await?;
        ensure_proved(&prove(suite, &token, backup(&codes[4])).await?, "lookup_secret")?;
        let other = log_in(suite, ALICE, PASSWORD).await?;
        ensure!(refusal(suite, &other, backup(&codes[4])).await? == BACKUP_CODE_USED);

        let mut form = UpdateSettingsFlowWithTotpMethod::new("totp".to_owned());
        form.totp_unlink = Some(true);
        let removed = submit(suite, "settings", &token, &UpdateSettingsFlowBody::Totp(Box::new(form))).await?;
        removed.expect_status(StatusCode::OK)?;
        let found = link(suite, &token).await?;
        suite.advance(STEP);
        ensure!(refusal(suite, &other, totp(&app.code(suite)?)).await? == CODE_INVALID, "the lost app counts no more");
        ensure_proved(&prove(suite, &other, totp(&found.code(suite)?)).await?, "totp")
    })
    .await
}

#[tokio::test]
async fn a_person_with_an_imported_secret_signs_in() -> Result<()> {
    with_config_on_both_engines(with_second_factors(), async |suite| {
        let secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
        let body = json!({
            "schema_id": "default",
            "traits": { "email": ALICE },
            "credentials": {
                "password": { "config": { "password": PASSWORD } },
                "totp": { "config": { "totp_url": format!("otpauth://totp/Old:alice?issuer=Old&secret={secret}") } },
            },
        });
        let created = suite.api().json(Method::POST, suite.identity_admin("/admin/identities"), &body).await?;
        let created = created.expect_status(StatusCode::CREATED)?;
        ensure!(!created.text().contains(secret), "a secret must not be returned");
        let token = log_in(suite, ALICE, PASSWORD).await?;
        ensure_proved(&prove(suite, &token, totp(&App::with(secret)?.code(suite)?)).await?, "totp")
    })
    .await
}

/// The selector of the form that contains a field or a button of that name.
pub(crate) fn form_with(name: &str) -> String {
    format!("form:has([name=\"{name}\"])")
}

/// Signs in with the password on the page; returns the next page.
async fn sign_in(suite: &Suite, browser: &mut Browser) -> Result<Page> {
    let page = browser.open(suite.identity("/self-service/login/browser")).await?.expect_status(StatusCode::OK)?;
    let form = page.form(&form_with("identifier"))?.fill("identifier", ALICE)?.fill("password", PASSWORD)?;
    browser.submit(&form.press("method", "password")?).await?.expect_status(StatusCode::OK)
}

/// The assurance level of the browser's session.
async fn level(suite: &Suite, browser: &Browser) -> Result<Value> {
    let mut api = browser.clone().with_header("accept", "application/json");
    Ok(api.get(suite.identity("/sessions/whoami")).await?.at("/authenticator_assurance_level"))
}

/// Presses a button of the settings; returns the next page.
async fn press(suite: &Suite, browser: &mut Browser, name: &str) -> Result<Page> {
    let page = browser.open(suite.identity("/self-service/settings/browser")).await?.expect_status(StatusCode::OK)?;
    browser.submit(&page.form(&form_with(name))?.press(name, "true")?).await?.expect_status(StatusCode::OK)
}

/// Sets up an app on the page.
async fn link_by_page(suite: &Suite, browser: &mut Browser) -> Result<App> {
    let page = browser.open(suite.identity("/self-service/settings/browser")).await?.expect_status(StatusCode::OK)?;
    ensure!(page.text().contains("src=\"data:image/png;base64,"), "no picture: {}", page.summary());
    let app = App::with(&page.text_of(".key").with_context(|| page.summary())?)?;
    let form = page.form(&form_with("totp_code"))?.fill("totp_code", &app.code(suite)?)?;
    let page = browser.submit(&form.press("method", "totp")?).await?.expect_status(StatusCode::OK)?;
    ensure!(page.text_of(".key").is_none(), "the secret is shown no more: {}", page.summary());
    Ok(app)
}

#[tokio::test]
async fn the_pages_set_factors_up_and_ask_for_them_without_scripts() -> Result<()> {
    with_config_on_both_engines(with_second_factors(), async |suite| {
        register(suite, ALICE).await?;
        let mut browser = suite.browser();
        sign_in(suite, &mut browser).await?;
        let app = link_by_page(suite, &mut browser).await?;
        let page = press(suite, &mut browser, "lookup_secret_regenerate").await?;
        let codes = page.text_of(".codes").with_context(|| page.summary())?;
        let codes: Vec<&str> = codes.split(' ').collect();
        ensure!(codes.len() == 12 && codes.iter().all(|code| code.len() == 8), "{codes:?}");
        let form = page.form(&form_with("lookup_secret_confirm"))?.press("lookup_secret_confirm", "true")?;
        let page = browser.submit(&form).await?.expect_status(StatusCode::OK)?;
        ensure!(page.text_of(".codes").is_none(), "the codes are hidden: {}", page.summary());

        suite.advance(STEP);
        let mut browser = suite.browser();
        let page = sign_in(suite, &mut browser).await?;
        ensure!(page.text_of("h1").as_deref() == Some("One more step"), "{}", page.summary());
        let first = page.form("form:has(.button.primary)")?;
        ensure!(first.value("totp_code").is_some(), "the app comes first: {first:?}");
        ensure!(level(suite, &browser).await?.is_null());
        let form = first.fill("totp_code", &app.code(suite)?)?.press("method", "totp")?;
        browser.submit(&form).await?.expect_status(StatusCode::OK)?;
        ensure!(level(suite, &browser).await? == "aal2");

        let mut browser = suite.browser();
        for (code, is_accepted) in [(codes[2], true), (codes[2], false)] {
            browser.cookies.clear();
            let page = sign_in(suite, &mut browser).await?;
            let form = page.form(&form_with("lookup_secret"))?.fill("lookup_secret", code)?;
            let page = browser.submit(&form.press("method", "lookup_secret")?).await?;
            ensure!(level(suite, &browser).await?.is_string() == is_accepted, "{}", page.summary());
            ensure!(page.text_of("[role=alert]").is_some() != is_accepted, "{}", page.summary());
        }

        browser.cookies.clear();
        let page = sign_in(suite, &mut browser).await?;
        let form = page.form(&form_with("lookup_secret"))?.fill("lookup_secret", codes[3])?;
        browser.submit(&form.press("method", "lookup_secret")?).await?.expect_status(StatusCode::OK)?;
        let page = press(suite, &mut browser, "lookup_secret_reveal").await?;
        ensure!(page.text().matches("<s ").count() == 2, "two codes are struck through: {}", page.summary());
        ensure!(page.text().contains(codes[0]) && !page.text().contains(codes[2]), "{}", page.summary());
        press(suite, &mut browser, "totp_unlink").await?;
        let found = link_by_page(suite, &mut browser).await?;
        ensure!(found.code(suite)? != app.code(suite)?, "the app has a new secret");
        Ok(())
    })
    .await
}
