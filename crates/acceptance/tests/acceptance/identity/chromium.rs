//! The account pages in a real browser, with the keyboard only.

use std::path::Path;
use std::time::Duration;

use acceptance::chrome::Chrome;
use acceptance::look::{look, look_closely, look_in_languages, press, save_files_in, tab_to, type_text};
use acceptance::suite::{Engine, Suite};
use anyhow::{Context as _, Result, ensure};
use fantoccini::key::Key;
use fantoccini::{Client, Locator};

use super::second_factors::{App, STEP, with_second_factors};
use super::{PASSWORD, config, register};

const ALICE: &str = "alice@example.org";
const SCREENSHOTS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/../screenshots");
const PATIENCE: Duration = Duration::from_secs(20);

/// On SQLite, which starts faster: the pages do not depend on the engine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_signs_in_with_the_keyboard_alone() -> Result<()> {
    let suite = Suite::start_with(Engine::Sqlite, config()).await?;
    register(&suite, ALICE).await?;
    let chrome = Chrome::start().await?;
    let page = &chrome.client;
    page.goto(&suite.identity("/self-service/login/browser")).await?;
    chrome.screenshot(Path::new(SCREENSHOTS), "sign-in").await?;
    page.find(Locator::Css("[name=identifier]")).await?.send_keys(ALICE).await?;
    let tab = char::from(Key::Tab).to_string();
    // The keyboard reaches the password before it leaves the page, however many stops there are.
    for _ in 0..10 {
        page.active_element().await?.send_keys(&tab).await?;
        if page.active_element().await?.attr("name").await?.as_deref() == Some("password") {
            break;
        }
    }
    let focused = page.active_element().await?;
    ensure!(focused.attr("name").await?.as_deref() == Some("password"), "the keyboard reaches the password");
    focused.send_keys(PASSWORD).await?;
    focused.send_keys(&char::from(Key::Enter).to_string()).await?;
    let signed_in = page.wait().at_most(PATIENCE).for_element(Locator::Css("body:not(:has([name=password]))")).await;
    chrome.screenshot(Path::new(SCREENSHOTS), "signed-in").await?;
    signed_in.context("the page with the form is left")?;
    let cookies = page.get_all_cookies().await?;
    let session = cookies.iter().find(|cookie| cookie.name() == "ory_kratos_session").context("a session cookie")?;
    ensure!(session.http_only() == Some(true));
    ensure!(page.execute("return document.cookie", Vec::new()).await? == "", "scripts cannot read a cookie");
    chrome.close().await?;
    suite.stop().await;
    Ok(())
}

async fn wait_for(page: &Client, selector: &str) -> Result<()> {
    let found = page.wait().at_most(PATIENCE).for_element(Locator::Css(selector)).await;
    let url = page.current_url().await?;
    found.map(drop).with_context(|| format!("no {selector} at {url}"))
}

async fn shoot(page: &Client, name: &str) -> Result<()> {
    look(page, &Path::new(SCREENSHOTS).join("second-factors"), name).await
}

/// Checks the page in every language, and at twice its size.
async fn shoot_thoroughly(page: &Client, name: &str) -> Result<()> {
    let folder = Path::new(SCREENSHOTS).join("second-factors");
    look(page, &folder, name).await?;
    look_closely(page, &folder, name).await?;
    look_in_languages(page, &folder, name, &["de", "ar"]).await
}

/// Goes to the field with the keyboard, fills it in and presses Enter; then waits for `next` on the page.
async fn answer(page: &Client, field: &str, text: &str, next: &str) -> Result<()> {
    tab_to(page, &format!("[name={field}]")).await?;
    type_text(page, text).await?;
    press(page, Key::Enter).await?;
    wait_for(page, next).await
}

/// Presses the button with the keyboard; then waits for `next` on the page.
async fn activate(page: &Client, button: &str, next: &str) -> Result<()> {
    tab_to(page, &format!("[name={button}]")).await?;
    press(page, Key::Enter).await?;
    wait_for(page, next).await
}

async fn give_password(suite: &Suite, page: &Client, next: &str) -> Result<()> {
    page.delete_all_cookies().await?;
    page.goto(&suite.identity("/self-service/login/browser")).await?;
    tab_to(page, "[name=identifier]").await?;
    type_text(page, ALICE).await?;
    answer(page, "password", PASSWORD, next).await
}

/// The text that a person copies when they select an element.
async fn copied(page: &Client, selector: &str) -> Result<String> {
    let script =
        "getSelection().selectAllChildren(document.querySelector(arguments[0])); return String(getSelection())";
    let text = page.execute(script, vec![selector.into()]).await?;
    page.execute("getSelection().removeAllRanges()", Vec::new()).await?;
    Ok(text.as_str().context("a text")?.to_owned())
}

/// Checks that the element has the focus; the window itself need not have it.
async fn ensure_opened_at(page: &Client, selector: &str) -> Result<()> {
    wait_for(page, selector).await?;
    let script = "return document.activeElement.matches(arguments[0])";
    let is_there = page.execute(script, vec![selector.into()]).await?;
    ensure!(is_there == true, "the focus is not on {selector}");
    Ok(())
}

/// Presses the button that copies backup codes, and returns what it copies. The clipboard of a browser without a window cannot be
/// read.
async fn codes_to_copy(page: &Client) -> Result<String> {
    let script = "navigator.clipboard.writeText = async (text) => { window.copied = text; }";
    page.execute(script, Vec::new()).await?;
    tab_to(page, "[data-copies]").await?;
    press(page, Key::Enter).await?;
    wait_for(page, ".field:has(.codes) [role=status]:not(:empty)").await?;
    let copied = page.execute("return window.copied", Vec::new()).await?;
    Ok(copied.as_str().context("a text")?.to_owned())
}

/// Copies the codes, and saves them in a file.
async fn copy_and_save(page: &Client, codes: &[&str]) -> Result<()> {
    ensure!(codes_to_copy(page).await?.lines().eq(codes.iter().copied()));
    let folder = tempfile::tempdir()?;
    save_files_in(page, folder.path()).await?;
    tab_to(page, "[data-saves]").await?;
    press(page, Key::Enter).await?;
    let file = folder.path().join("backup-codes.txt");
    let saved = tokio::time::timeout(PATIENCE, async {
        while !file.exists() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        std::fs::read_to_string(&file)
    });
    let saved = saved.await.context("no file was saved")??;
    let (site, listed) = saved.split_once("\n\n").with_context(|| saved.clone())?;
    ensure!(site.contains(':') && listed.lines().eq(codes.iter().copied()), "{saved}");
    Ok(())
}

/// On SQLite, as above.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_sets_second_factors_up_and_signs_in_with_them_by_keyboard() -> Result<()> {
    let suite = Suite::start_with(Engine::Sqlite, with_second_factors()).await?;
    register(&suite, ALICE).await?;
    let chrome = Chrome::start().await?;
    let page = &chrome.client;
    give_password(&suite, page, "body:not(:has([name=password])), [name=totp_code]").await?;

    page.goto(&suite.identity("/self-service/settings/browser")).await?;
    shoot_thoroughly(page, "app-to-set-up").await?;
    let key = copied(page, ".key").await?;
    ensure!(key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "copied with blanks: {key:?}");
    let app = App::with(&key)?;
    answer(page, "totp_code", "000000", "[name=totp_code][aria-invalid=true]").await?;
    shoot(page, "app-refused").await?;
    answer(page, "totp_code", &app.code(&suite)?, "[name=totp_unlink]").await?;
    // Without backup codes, the page leads to them.
    shoot_thoroughly(page, "app-set-up").await?;
    tab_to(page, "[role=status] a").await?;
    press(page, Key::Enter).await?;
    press(page, Key::Tab).await?;
    ensure_opened_at(page, "[name=lookup_secret_regenerate]").await?;
    press(page, Key::Enter).await?;
    wait_for(page, ".codes").await?;
    ensure_opened_at(page, ".codes").await?;
    shoot_thoroughly(page, "codes-new").await?;
    let codes = copied(page, ".codes").await?;
    let codes: Vec<&str> = codes.split_whitespace().collect();
    ensure!(codes.len() == 12, "{codes:?}");
    copy_and_save(page, &codes).await?;
    activate(page, "lookup_secret_confirm", "[name=lookup_secret_reveal]").await?;
    ensure!(page.find(Locator::Css(".alert a")).await.is_err(), "there are codes now");
    shoot(page, "codes-hidden").await?;

    suite.advance(STEP);
    give_password(&suite, page, "[name=totp_code]").await?;
    ensure_opened_at(page, "[name=totp_code]").await?;
    shoot_thoroughly(page, "second-step").await?;
    tab_to(page, "[name=totp_code]").await?;
    type_text(page, &app.code(&suite)?).await?;
    press(page, Key::Enter).await?;
    wait_for(page, "body:not(:has([name=totp_code]))").await?;

    give_password(&suite, page, "[name=lookup_secret]").await?;
    answer(page, "lookup_secret", "abcdefgh", "[role=alert]").await?;
    ensure_opened_at(page, "[name=lookup_secret]").await?;
    shoot(page, "second-step-refused").await?;
    answer(page, "lookup_secret", codes[1], "body:not(:has([name=lookup_secret]))").await?;
    page.goto(&suite.identity("/self-service/settings/browser")).await?;
    activate(page, "lookup_secret_reveal", ".codes").await?;
    ensure_opened_at(page, ".codes").await?;
    shoot_thoroughly(page, "codes-shown").await?;
    ensure!(
        codes_to_copy(page).await?.lines().eq(codes.iter().copied().filter(|code| *code != codes[1])),
        "unused ones"
    );
    // The first button asks, the second one removes.
    tab_to(page, ".confirm:has([name=totp_unlink]) summary").await?;
    press(page, Key::Enter).await?;
    shoot(page, "app-removal").await?;
    tab_to(page, "[name=totp_unlink]").await?;
    press(page, Key::Enter).await?;
    wait_for(page, ".key").await?;
    ensure!(copied(page, ".key").await? != key, "the app that is set up again has a new secret");
    chrome.close().await?;
    suite.stop().await;
    Ok(())
}
