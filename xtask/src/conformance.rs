//! Programs of others against the real server: the official clients, the applications of the guides, and the front end
//! components of the system that `identity` replaces.
//!
//! `crates/acceptance/clients` holds a program for each language, and those that drive Chromium. A program is copied into a
//! temporary folder, and what it needs comes from the package registries. The official clients for Rust are driven by the
//! acceptance tests.

mod server;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;

use self::server::Server;
use crate::process::Process;
use crate::steps::target_directory;
use crate::tools;

const CLIENTS: &str = "crates/acceptance/clients";

/// The interpreter of the folder's own environment.
const PYTHON: &str = "environment/bin/python";

/// A group of programs that are run together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// The official client for Go
    Go,
    /// The official clients for JavaScript
    Node,
    /// The official clients for Python
    Python,
    /// The official clients for Rust
    Rust,
    /// The applications of docs/guides/add-sign-in-to-my-application.md, in Chromium
    Guides,
    /// The proxies of docs/guides/put-it-behind-a-proxy.md, in Chromium
    Proxies,
    /// Ory Elements, in Chromium
    Elements,
    /// The pages of Ory's reference front end, in Chromium
    Reference,
}

/// What the suites of one run share.
struct Run<'a> {
    root: &'a Path,
    target: PathBuf,
    binary: PathBuf,
    folder: tempfile::TempDir,
    /// Started for the first suite that wants it.
    server: Option<Server>,
}

/// Runs every suite although one fails, so that one night tells everything.
pub(crate) fn run(root: &Path, suite: Option<Suite>, binary: Option<PathBuf>) -> Result<()> {
    let suites: Vec<Suite> = suite.map_or_else(|| Suite::value_variants().to_vec(), |it| vec![it]);
    for program in suites.iter().flat_map(|suite| suite.programs()) {
        if !tools::on_path(program) {
            bail!("conformance needs `{program}`: install it, or name a suite that does not need it");
        }
    }
    tools::provide(root)?;
    if suites.contains(&Suite::Proxies) {
        tools::provide_proxies(root)?;
    }
    let target = target_directory(root)?;
    let binary = if let Some(binary) = binary {
        // The programs run in other folders.
        binary.canonicalize().with_context(|| format!("there is no {}", binary.display()))?
    } else {
        Process::cargo(root, &["build", "--package", "server", "--bin", "kleis"]).run()?;
        target.join("debug/kleis")
    };
    let mut run = Run { root, target, binary, folder: tempfile::tempdir()?, server: None };
    let outcomes: Vec<(Suite, Result<()>)> = suites.into_iter().map(|suite| (suite, run.suite(suite))).collect();
    eprintln!();
    for (suite, outcome) in &outcomes {
        match outcome {
            Ok(()) => eprintln!("passed  {suite:?}"),
            Err(error) => eprintln!("FAILED  {suite:?}: {error:#}"),
        }
    }
    let failed = outcomes.iter().filter(|(_, outcome)| outcome.is_err()).count();
    if failed > 0 {
        bail!("{failed} of {} suites failed", outcomes.len());
    }
    Ok(())
}

impl Suite {
    /// What must be installed, besides what Debian's packages bring.
    const fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Go => &["go"],
            Self::Node | Self::Elements | Self::Reference => &["node", "npm"],
            Self::Python => &["python3"],
            Self::Rust => &[],
            Self::Guides => &["node", "npm", "python3", "go", "openssl"],
            Self::Proxies => &["node", "npm", "openssl", "curl"],
        }
    }
}

impl Run<'_> {
    fn suite(&mut self, suite: Suite) -> Result<()> {
        eprintln!("\n==> {suite:?}");
        match suite {
            Suite::Go => {
                let folder = self.copy("go")?;
                Process::new(&folder, "go", &["build", "-o", "client", "."]).run()?;
                self.client(Process::new(&folder, &path_in(&folder, "client")?, &[]))
            }
            Suite::Node => {
                let folder = self.copy("node")?;
                install_node_packages(&folder)?;
                self.client(Process::new(&folder, "node", &["client.mjs"]))
            }
            Suite::Python => {
                let folder = self.copy("python")?;
                Process::new(&folder, "python3", &["-m", "venv", "environment"]).run()?;
                let pip = ["-m", "pip", "install", "--quiet", "--requirement", "requirements.txt"];
                Process::new(&folder, &path_in(&folder, PYTHON)?, &pip).run()?;
                self.client(Process::new(&folder, &path_in(&folder, PYTHON)?, &["client.py"]))
            }
            Suite::Rust => {
                let arguments = ["test", "--package", "acceptance", "--test", "acceptance", "sdk"];
                Process::cargo(self.root, &arguments).run()
            }
            Suite::Guides => self.browser("guides.mjs"),
            Suite::Proxies => self.browser("proxies.mjs"),
            Suite::Elements => self.browser("elements.mjs"),
            Suite::Reference => self.browser("reference.mjs"),
        }
    }

    /// Runs a client with the addresses of the server.
    fn client(&mut self, process: Process) -> Result<()> {
        let server = match self.server.take() {
            Some(server) => server,
            None => Server::start(&self.binary, self.folder.path())?,
        };
        let server = self.server.insert(server);
        server.addresses.iter().fold(process, |process, (name, url)| process.with_env(name, url)).run()
    }

    /// Runs a program that starts servers of its own and drives Chromium.
    fn browser(&self, program: &str) -> Result<()> {
        let folder = self.copy("browser")?;
        install_node_packages(&folder)?;
        let process = Process::new(&folder, "node", &[program]).without_cargo_variables();
        process
            .with_env("CONFORMANCE_BINARY", text(&self.binary)?)
            .with_env("CONFORMANCE_GUIDES", &path_in(self.root, "docs/guides")?)
            .with_env("CARGO_TARGET_DIR", &self.crates()?)
            .run()
    }

    /// Where programs in Rust are built: their crates are compiled once, not every night.
    fn crates(&self) -> Result<String> {
        path_in(&self.target, "conformance")
    }

    fn copy(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.path().join(name);
        copy_files(&self.root.join(CLIENTS).join(name), &folder)?;
        Ok(folder)
    }
}

fn install_node_packages(folder: &Path) -> Result<()> {
    Process::new(folder, "npm", &["install", "--no-audit", "--no-fund", "--ignore-scripts"]).run()
}

fn path_in(folder: &Path, file: &str) -> Result<String> {
    Ok(text(&folder.join(file))?.to_owned())
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not text", path.display()))
}

fn copy_files(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| format!("{} cannot be read", from.display()))? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
