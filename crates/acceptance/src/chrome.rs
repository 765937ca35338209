//! A real browser: Chromium, driven over `WebDriver`. For what only a browser shows: scripts, passkeys, how a page looks.

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

/// It neither shows a window nor calls home.
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

/// One browser with a profile of its own. [`Chrome::close`] ends it; so does dropping it, less politely.
#[derive(Debug)]
pub struct Chrome {
    pub client: Client,
    driver: Child,
    profile: TempDir,
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
        let mut arguments: Vec<String> = ARGUMENTS.iter().map(|argument| (*argument).to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let capabilities = json!({ "browserName": "chrome", "goog:chromeOptions": { "args": arguments } });
        let Value::Object(capabilities) = capabilities else { bail!("capabilities are an object") };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities.into_iter().collect::<Capabilities>());
        let address = format!("http://127.0.0.1:{port}");
        let client =
            tokio::time::timeout(PATIENCE, builder.connect(&address)).await.context("Chromium is silent")??;
        Ok(Self { client, driver, profile })
    }

    /// Writes a picture of the page to `folder/name.png`.
    pub async fn screenshot(&self, folder: &Path, name: &str) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        let picture = self.client.screenshot().await?;
        std::fs::write(folder.join(format!("{name}.png")), picture).context("cannot keep the picture")
    }

    pub async fn close(mut self) -> Result<()> {
        self.client.close().await?;
        self.driver.kill().await?;
        self.profile.close().context("cannot remove the profile")
    }
}

/// The driver chooses a free port and says so: `ChromeDriver was started successfully on port 40001.`
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
