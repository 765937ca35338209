//! The measured program: the release binary, in an empty folder, on its own ports.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_client::merge;
use tokio::process::{Child, Command};

use crate::load::{Shot, once};

/// The time limit of a start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running `kleis serve`.
pub(crate) struct Program {
    process: Child,
    pub(crate) ports: Ports,
    /// The time from the start of the process to the first ready answer.
    pub(crate) ready_after: Duration,
    // Dropped last, because the program keeps its files there.
    folder: TempDir,
}

/// The address of each listener.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) identity: SocketAddr,
    pub(crate) identity_admin: SocketAddr,
    pub(crate) oauth: SocketAddr,
    pub(crate) oauth_admin: SocketAddr,
    pub(crate) gateway: SocketAddr,
    pub(crate) gateway_api: SocketAddr,
    pub(crate) permissions_read: SocketAddr,
    pub(crate) permissions_write: SocketAddr,
    pub(crate) permissions_metrics: SocketAddr,
    permissions_opl: SocketAddr,
}

impl Ports {
    fn choose() -> Result<Self> {
        let address = || anyhow::Ok(SocketAddr::from(([127, 0, 0, 1], test_client::free_port())));
        Ok(Self {
            identity: address()?,
            identity_admin: address()?,
            oauth: address()?,
            oauth_admin: address()?,
            gateway: address()?,
            gateway_api: address()?,
            permissions_read: address()?,
            permissions_write: address()?,
            permissions_metrics: address()?,
            permissions_opl: address()?,
        })
    }

    fn config(&self) -> Value {
        let listen = |address: SocketAddr| json!({ "host": address.ip().to_string(), "port": address.port() });
        let mut public = listen(self.identity);
        // The clients of the bench use 127.0.0.1; the other URLs follow this one.
        public["base_url"] = json!(format!("http://{}/", self.identity));
        let (read, write) = (listen(self.permissions_read), listen(self.permissions_write));
        let (opl, metrics) = (listen(self.permissions_opl), listen(self.permissions_metrics));
        json!({
            "identity": { "serve": { "public": public, "admin": listen(self.identity_admin) } },
            "oauth": { "serve": { "public": listen(self.oauth), "admin": listen(self.oauth_admin) } },
            "permissions": { "serve": { "read": read, "write": write, "opl": opl, "metrics": metrics } },
            "gateway": { "serve": { "proxy": listen(self.gateway), "api": listen(self.gateway_api) } },
        })
    }
}

impl Program {
    /// Starts the binary with `config` (the content of a `kleis.yml`) on free ports, and waits until it is ready.
    pub(crate) async fn start(binary: &Path, config: Value) -> Result<Self> {
        Self::start_knowing_ports(binary, |_| config).await
    }

    /// Like [`Program::start`], with a configuration that contains the program's own addresses.
    pub(crate) async fn start_knowing_ports(binary: &Path, config: impl FnOnce(&Ports) -> Value) -> Result<Self> {
        Self::start_in(tempfile::tempdir()?, binary, config).await
    }

    /// Starts in a folder that may already have a database.
    pub(crate) async fn start_in(folder: TempDir, binary: &Path, config: impl FnOnce(&Ports) -> Value) -> Result<Self> {
        let ports = Ports::choose()?;
        let mut tree = ports.config();
        merge(&mut tree, config(&ports));
        let file: PathBuf = folder.path().join("kleis.json");
        std::fs::write(&file, tree.to_string())?;
        let started = Instant::now();
        let mut process = Command::new(binary)
            .args(["serve", "--config"])
            .arg(&file)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let ready = Shot::get(ports.identity, "/health/ready");
        loop {
            if once(&ready).await.is_ok() {
                break;
            }
            if let Some(status) = process.try_wait()? {
                bail!("the program ended before it was ready ({status})");
            }
            if started.elapsed() > PATIENCE {
                bail!("the program is not ready");
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(Self { process, ports, ready_after: started.elapsed(), folder })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The resident memory of the process, in bytes.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        let id = self.process.id().context("the program has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024)
    }

    /// The CPU time of the process so far, user and system.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        // Linux reports hundredths of a second, whatever the kernel's own tick is.
        const TICK: Duration = Duration::from_millis(10);
        let id = self.process.id().context("the program has ended")?;
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
        // The second field, the name, is the only one that can contain spaces.
        let (_, fields) = stat.rsplit_once(')').context("no name in stat")?;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
        let ticks = ticks.sum::<Result<u32, _>>()?;
        Ok(TICK * ticks)
    }

    /// The sum of a counter over all of its labels, from the metrics of a listener.
    pub(crate) async fn metric(&self, admin: SocketAddr, name: &str) -> Result<f64> {
        let client = base::Clock::system();
        let mut client = acceptance::browser::Browser::api(client);
        let page = client.get(format!("http://{admin}/admin/metrics/prometheus")).await?;
        let lines = page.text();
        let values = lines.lines().filter(|line| line.starts_with(name));
        Ok(values.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }
}

/// The same configuration on a PostgreSQL database. Nodes of one database share a secret, so the program does not generate one.
pub(crate) fn on_postgres(mut config: Value, url: &str) -> Value {
    config["dsn"] = Value::from(url);
    config["secrets"] = json!({ "default": ["a-default-secret-of-32-bytes-for-a-bench"] });
    config
}
