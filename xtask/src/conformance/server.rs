//! A running `kleis` for the programs of several languages, on free ports and with its own data.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// The time limit until the server is ready.
const START_LIMIT: Duration = Duration::from_mins(1);

/// The permission model that the programs ask about.
const MODEL: &str = include_str!("../../../crates/acceptance/clients/model.ts");

/// The variables of the URLs that the programs read.
const NAMES: [&str; 7] = [
    "KLEIS_IDENTITY",
    "KLEIS_IDENTITY_ADMIN",
    "KLEIS_OAUTH",
    "KLEIS_OAUTH_ADMIN",
    "KLEIS_PERMISSIONS_READ",
    "KLEIS_PERMISSIONS_WRITE",
    "KLEIS_PERMISSIONS_OPL",
];

/// The URLs of a running server, by the names of the variables that the programs read.
pub(super) struct Server {
    process: Child,
    log: PathBuf,
    pub(super) addresses: [(&'static str, String); NAMES.len()],
}

impl Server {
    pub(super) fn start(binary: &Path, folder: &Path) -> Result<Self> {
        let ports = free_ports()?;
        let [identity, identity_admin, oauth, oauth_admin, read, write, opl] = ports;
        let model = folder.join("model.ts");
        std::fs::write(&model, MODEL)?;
        let listener = |port: u16| serde_json::json!({"host": "127.0.0.1", "port": port});
        let configuration = serde_json::json!({
            "identity": {
                "serve": {"public": listener(identity), "admin": listener(identity_admin)},
                "selfservice": {
                    "default_browser_return_url": format!("http://127.0.0.1:{identity}/"),
                    "flows": {"registration": {"after": {"password": {"hooks": [{"hook": "session"}]}}}},
                    "methods": {
                        "password": {"config": {"haveibeenpwned_enabled": false}},
                        "totp": {"enabled": true, "config": {"issuer": "Conformance"}},
                        "lookup_secret": {"enabled": true},
                    },
                },
            },
            "oauth": {"serve": {"public": listener(oauth), "admin": listener(oauth_admin)}},
            "permissions": {
                "serve": {"read": listener(read), "write": listener(write), "opl": listener(opl), "metrics": listener(0)},
                "namespaces": {"location": format!("file://{}", model.display())},
            },
        });
        // JSON is YAML.
        let file = folder.join("kleis.yml");
        std::fs::write(&file, configuration.to_string())?;
        eprintln!("==> kleis serve identity oauth permissions");
        let log = folder.join("kleis.log");
        let output = std::fs::File::create(&log)?;
        let process = Command::new(binary)
            .args(["serve", "identity", "oauth", "permissions", "--dev", "--dsn", "memory", "--config"])
            .arg(&file)
            .arg("--data")
            .arg(folder.join("data"))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("cannot start kleis")?;
        let mut port = ports.iter();
        let addresses =
            NAMES.map(|name| (name, format!("http://127.0.0.1:{}", port.next().copied().unwrap_or_default())));
        let mut server = Self { process, log, addresses };
        for port in ports {
            server.wait_for(port)?;
        }
        Ok(server)
    }

    #[expect(clippy::disallowed_methods, reason = "a command, with one thread, waits for another program")]
    fn wait_for(&mut self, port: u16) -> Result<()> {
        let started = Instant::now();
        while !is_ready(port) {
            if let Some(status) = self.process.try_wait()? {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                bail!("kleis ended before it was ready ({status}):\n{log}");
            }
            if started.elapsed() > START_LIMIT {
                bail!("kleis is not ready on port {port} after {} s", START_LIMIT.as_secs());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.process.kill().and_then(|()| self.process.wait()) {
            eprintln!("    kleis could not be stopped: {error}");
        }
    }
}

/// Free ports.
fn free_ports() -> Result<[u16; NAMES.len()]> {
    // All sockets are open at the same time, so that no port is returned twice.
    let mut listeners = Vec::new();
    let mut ports = [0; NAMES.len()];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(ports)
}

fn is_ready(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
