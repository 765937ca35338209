//! The account pages in a real browser, with the keyboard alone.

use std::path::Path;
use std::time::Duration;

use acceptance::chrome::Chrome;
use acceptance::suite::{Engine, Suite};
use anyhow::{Context as _, Result, ensure};
use fantoccini::Locator;
use fantoccini::key::Key;

use super::{PASSWORD, config, register};

const ALICE: &str = "alice@example.org";
const SCREENSHOTS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/../screenshots");
const PATIENCE: Duration = Duration::from_secs(20);

/// On the database that is quick to start: the pages do not know which one it is.
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
    // However many stops lie between the fields, the keyboard reaches the password before it leaves the page.
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
    ensure!(page.execute("return document.cookie", Vec::new()).await? == "", "scripts see no cookie");
    chrome.close().await?;
    suite.stop().await;
    Ok(())
}
