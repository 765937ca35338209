//! A real browser: Chromium, driven over `WebDriver`. For tests that need a browser: scripts, passkeys, layout.

use std::io::{Read as _, Write as _};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// A cold start on a busy machine is slow.
const PATIENCE: Duration = Duration::from_mins(1);

/// No window, and no requests of the browser itself.
const ARGUMENTS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
];

/// A browser with its own profile. It ends when dropped, so that a failed test leaves no process behind.
#[derive(Debug)]
pub struct Chrome {
    pub client: Client,
    driver: Driver,
}

/// The `WebDriver` server, which starts browsers.
#[derive(Debug)]
struct Driver {
    port: u16,
    // Killed when dropped, after its browsers have ended; the profile is deleted last.
    _process: Child,
    _profile: TempDir,
}

impl Drop for Driver {
    /// The driver ends its browsers on shutdown; a kill would leave them running.
    fn drop(&mut self) {
        let Ok(mut stream) = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) else { return };
        let request = b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let answered = stream.set_read_timeout(Some(Duration::from_secs(5))).and_then(|()| stream.write_all(request));
        // It closes the connection when the browsers have ended. Otherwise the kill that follows must do.
        let _ = answered.and_then(|()| stream.read_to_end(&mut Vec::new()));
    }
}

impl Chrome {
    pub async fn start() -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start chromedriver; install Chromium and its driver")?;
        let port = tokio::time::timeout(PATIENCE, port_of(&mut driver)).await.context("chromedriver is silent")??;
        let user_data = format!("--user-data-dir={}", profile.path().display());
        let driver = Driver { port, _process: driver, _profile: profile };
        let mut arguments: Vec<String> = ARGUMENTS.iter().map(|argument| (*argument).to_owned()).collect();
        arguments.push(user_data);
        let capabilities = json!({ "browserName": "chrome", "goog:chromeOptions": { "args": arguments } });
        let Value::Object(capabilities) = capabilities else { bail!("capabilities are an object") };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities.into_iter().collect::<Capabilities>());
        let address = format!("http://127.0.0.1:{port}");
        let client =
            tokio::time::timeout(PATIENCE, builder.connect(&address)).await.context("Chromium is silent")??;
        Ok(Self { client, driver })
    }

    /// Writes a screenshot of the page to `folder/name.png`.
    pub async fn screenshot(&self, folder: &Path, name: &str) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        let picture = self.client.screenshot().await?;
        std::fs::write(folder.join(format!("{name}.png")), picture).context("cannot keep the picture")
    }

    /// Ends the browser before the test continues.
    pub async fn close(self) -> Result<()> {
        self.client.close().await?;
        drop(self.driver);
        Ok(())
    }
}

/// The driver chooses a free port and prints it: `ChromeDriver was started successfully on port 40001.`
async fn port_of(driver: &mut Child) -> Result<u16> {
    let output = driver.stdout.take().context("chromedriver has no output")?;
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return port.trim_end_matches('.').parse().with_context(|| format!("no port in: {line}"));
        }
    }
    bail!("chromedriver ended before it was ready")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn chromium_shows_a_page_and_ends() {
        let chrome = Chrome::start().await.unwrap();
        chrome.client.goto("data:text/html,<title>Kleis</title>").await.unwrap();
        assert_eq!(chrome.client.title().await.unwrap(), "Kleis");
        chrome.close().await.unwrap();
    }
}
