//! The layout of a page in Chromium: screenshots in both colour schemes, narrow and wide, and automatic checks: nothing
//! overflows, every field has a label, every text has enough contrast, every control is large enough (WCAG 2.2, 1.3.1, 1.4.3,
//! 1.4.10, 2.5.5).

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::Client;
use fantoccini::error::ErrorStatus;
use fantoccini::key::Key;
use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

/// The widths of a phone and of a desktop window.
const WIDTHS: [u32; 2] = [360, 1280];
const SCHEMES: [&str; 2] = ["light", "dark"];

/// Returns the problems of the current page.
const CHECKS: &str = include_str!("look.js");

/// A command of Chromium's debugging protocol, sent through the driver.
#[derive(Debug)]
struct DevTools(Value);

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.0.to_string()))
    }
}

async fn dev_tools(page: &Client, command: &str, parameters: Value) -> Result<Value> {
    let answer = page.issue_cmd(DevTools(json!({ "cmd": command, "params": parameters }))).await;
    answer.with_context(|| format!("{command} failed"))
}

/// Takes a screenshot of the whole page in each scheme and width, as `folder/name-scheme-width.png`, and checks each.
pub async fn look(page: &Client, folder: &Path, name: &str) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    // A screenshot of the whole page has no scrollbar, which would reduce its width.
    dev_tools(page, "Emulation.setScrollbarsHidden", json!({ "hidden": true })).await?;
    for scheme in SCHEMES {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        dev_tools(page, "Emulation.setEmulatedMedia", features).await?;
        look_at_widths(page, folder, &format!("{name}-{scheme}"), &WIDTHS).await?;
    }
    Ok(())
}

/// Makes the browser save files in this folder without a question.
pub async fn save_files_in(page: &Client, folder: &Path) -> Result<()> {
    let behavior = json!({ "behavior": "allow", "downloadPath": folder });
    dev_tools(page, "Browser.setDownloadBehavior", behavior).await.map(drop)
}

/// Takes a screenshot of the page in each of these widths, as `folder/name-width.png`, and checks it.
pub async fn look_at_widths(page: &Client, folder: &Path, name: &str, widths: &[u32]) -> Result<()> {
    for width in widths {
        let screen = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        dev_tools(page, "Emulation.setDeviceMetricsOverride", screen).await?;
        take(page, folder, &format!("{name}-{width}")).await?;
    }
    dev_tools(page, "Emulation.clearDeviceMetricsOverride", json!({})).await?;
    Ok(())
}

/// Takes a screenshot of a wide page at twice its size, and checks it (WCAG 2.2, 1.4.4).
pub async fn look_closely(page: &Client, folder: &Path, name: &str) -> Result<()> {
    // At twice the size the page has half the width.
    let screen = json!({ "width": 640, "height": 450, "deviceScaleFactor": 2, "mobile": false });
    dev_tools(page, "Emulation.setDeviceMetricsOverride", screen).await?;
    take(page, folder, &format!("{name}-zoom-200")).await?;
    dev_tools(page, "Emulation.clearDeviceMetricsOverride", json!({})).await?;
    Ok(())
}

/// Checks the page in each of these languages, and leaves it in English.
pub async fn look_in_languages(page: &Client, folder: &Path, name: &str, languages: &[&str]) -> Result<()> {
    for language in languages {
        speak(page, language).await?;
        look(page, folder, &format!("{name}-{language}")).await?;
    }
    speak(page, "en").await
}

/// Shows the page again in another language.
pub async fn speak(page: &Client, language: &str) -> Result<()> {
    let mut url = page.current_url().await?;
    url.query_pairs_mut().append_pair("lang", language);
    page.goto(url.as_str()).await?;
    let shown = page.execute("return document.documentElement.lang", Vec::new()).await?;
    ensure!(shown == language, "{url} is shown in {shown}");
    Ok(())
}

async fn take(page: &Client, folder: &Path, name: &str) -> Result<()> {
    // Transitions between the colour schemes are finished first.
    page.execute("document.getAnimations().forEach((animation) => animation.finish())", Vec::new()).await?;
    // Only for a page that is taller than the window: for a shorter page that reads from right to left, Chromium would shift
    // the screenshot to the right and cut it.
    let is_taller = "return document.documentElement.scrollHeight > document.documentElement.clientHeight";
    let is_taller = page.execute(is_taller, Vec::new()).await?;
    let picture = json!({ "format": "png", "captureBeyondViewport": is_taller });
    let picture = dev_tools(page, "Page.captureScreenshot", picture).await?;
    let picture = STANDARD.decode(picture["data"].as_str().context("a picture")?)?;
    std::fs::write(folder.join(format!("{name}.png")), picture)?;
    let faults = page.execute(CHECKS, Vec::new()).await?;
    ensure!(faults == json!([]), "{name}: {faults}");
    Ok(())
}

/// Presses Tab until the element of `selector` has the focus, which must be visible at each stop.
pub async fn tab_to(page: &Client, selector: &str) -> Result<()> {
    const STOPS: usize = 60;
    for _ in 0..STOPS {
        press(page, Key::Tab).await?;
        let state = page.execute(FOCUS, vec![json!(selector)]).await?;
        ensure!(state["is_seen"] == true, "the focus is not visible: {}", state["element"]);
        if state["is_there"] == true {
            return Ok(());
        }
    }
    anyhow::bail!("the keyboard does not reach {selector} at {}", page.current_url().await?)
}

/// Types into the focused element.
pub async fn type_text(page: &Client, text: &str) -> Result<()> {
    Ok(page.active_element().await?.send_keys(text).await?)
}

pub async fn press(page: &Client, key: Key) -> Result<()> {
    let sent = page.active_element().await?.send_keys(&char::from(key).to_string()).await;
    match sent {
        // The focused element may be gone after the key changed the page.
        Err(error) if error.is_stale_element_reference() => Ok(()),
        Err(fantoccini::error::CmdError::Standard(error)) if error.error == ErrorStatus::ElementNotInteractable => {
            Ok(())
        }
        other => Ok(other?),
    }
}

const FOCUS: &str = r"
const element = document.activeElement;
const style = getComputedStyle(element);
const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
return {
    is_there: element.matches(arguments[0]),
    is_seen: element === document.body || outlined || style.boxShadow !== 'none',
    element: element.outerHTML.slice(0, 200),
};";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chrome::Chrome;

    #[tokio::test]
    async fn the_screenshot_of_a_short_page_from_right_to_left_is_not_shifted() {
        let chrome = Chrome::start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let html = "<html lang=ar dir=rtl><title>x</title><body style='margin:0'><p style='margin:9px'>x";
        chrome.client.goto(&format!("data:text/html,<!doctype html>{html}")).await.unwrap();
        take(&chrome.client, folder.path(), "page").await.unwrap();
        let taken = std::fs::read(folder.path().join("page.png")).unwrap();
        assert!(taken == chrome.client.screenshot().await.unwrap(), "the screenshot differs from the window");
        chrome.close().await.unwrap();
    }
}
