//! Runs third-party programs against the real server: the official clients, the applications of the guides, and the front end
//! components of the system that `identity` replaces.
//!
//! `crates/acceptance/clients` contains a program for each language, and those that drive Chromium. A program is copied into a
//! temporary folder, its dependencies are installed from the package registries, and it prints a line for each passed check.

mod server;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::ValueEnum;

use self::server::Server;
use crate::process::Process;
use crate::steps::target_directory;
use crate::tools;

const CLIENTS: &str = "crates/acceptance/clients";

/// The interpreter of the virtual environment in the folder.
const PYTHON: &str = "environment/bin/python";

/// The time limit of a program, including the build of its dependencies.
const LIMIT: Duration = Duration::from_mins(30);

/// A group of programs that run together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// The official client for Go. Needs go
    Go,
    /// The official clients for JavaScript, and an authenticator app. Needs node, npm
    Node,
    /// The official clients for Python, and an authenticator app. Needs python3 with its venv
    Python,
    /// The official clients for Rust. Needs nothing more
    Rust,
    /// The published gRPC client of Keto, and gRPC-Web and Connect by reflection. Needs node, npm
    Grpc,
    /// The applications of docs/guides/add-sign-in-to-my-application.md. Needs Chromium, node, npm, python3, go, openssl
    Guides,
    /// The proxies of docs/guides/put-it-behind-a-proxy.md. Needs Chromium, nginx, caddy, node, npm, openssl, curl
    Proxies,
    /// Ory Elements. Needs Chromium, node, npm
    Elements,
    /// The pages of Ory's reference front end. Needs Chromium, node, npm
    Reference,
}

/// The state that the suites of one run share.
struct Run<'a> {
    root: &'a Path,
    target: PathBuf,
    binary: PathBuf,
    folder: tempfile::TempDir,
    /// Started for the first suite that needs it.
    server: Option<Server>,
}

/// Runs every suite even if one fails, so that a nightly run reports everything.
pub(crate) fn run(root: &Path, suite: Option<Suite>, binary: Option<PathBuf>) -> Result<()> {
    let suites: Vec<Suite> = suite.map_or_else(|| Suite::value_variants().to_vec(), |it| vec![it]);
    for program in suites.iter().flat_map(|suite| suite.programs()) {
        if !tools::on_path(program) {
            bail!("conformance needs `{program}`: install it, or name a suite that does not need it");
        }
    }
    if suites.contains(&Suite::Proxies) {
        tools::provide_proxies(root)?;
    } else if suites.iter().any(|suite| suite.needs_browser()) {
        tools::provide_browser(root)?;
    }
    let target = target_directory(root)?;
    let binary = if let Some(binary) = binary {
        // The programs run in other folders.
        binary.canonicalize().with_context(|| format!("there is no {}", binary.display()))?
    } else {
        Process::cargo(root, &["build", "--package", "server", "--bin", "kleis"]).run()?;
        target.join("debug/kleis")
    };
    let folder = tempfile::tempdir()?;
    // The guides call the program by its name.
    let named = folder.path().join("program/kleis");
    std::fs::create_dir(folder.path().join("program"))?;
    std::os::unix::fs::symlink(binary, &named).context("the program cannot be linked")?;
    let mut run = Run { root, target, binary: named, folder, server: None };
    let outcomes: Vec<Outcome> = suites.into_iter().map(|suite| run.outcome(suite)).collect();
    // Stops the server and deletes the folder.
    drop(run);
    eprintln!();
    for Outcome { suite, checks, seconds } in &outcomes {
        match checks {
            Ok(checks) => eprintln!("passed  {suite:?}: {checks} checks, {seconds} s"),
            Err(error) => eprintln!("FAILED  {suite:?}, {seconds} s: {error:#}"),
        }
    }
    let failed = outcomes.iter().filter(|outcome| outcome.checks.is_err()).count();
    if failed > 0 {
        bail!("{failed} of {} suites failed", outcomes.len());
    }
    Ok(())
}

struct Outcome {
    suite: Suite,
    /// The number of passed checks, or why the suite failed.
    checks: Result<usize>,
    seconds: u64,
}

impl Suite {
    /// The programs that must be installed, besides Debian packages.
    const fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Go => &["go"],
            Self::Node | Self::Grpc | Self::Elements | Self::Reference => &["node", "npm"],
            Self::Python => &["python3"],
            Self::Rust => &["cargo"],
            Self::Guides => &["node", "npm", "python3", "go", "openssl"],
            Self::Proxies => &["node", "npm", "openssl", "curl"],
        }
    }

    const fn needs_browser(self) -> bool {
        matches!(self, Self::Guides | Self::Proxies | Self::Elements | Self::Reference)
    }
}

impl Run<'_> {
    fn outcome(&mut self, suite: Suite) -> Outcome {
        let started = Instant::now();
        let checks = self.suite(suite).and_then(|checks| {
            // A program that checks nothing must not count as passed.
            if checks == 0 { Err(anyhow!("nothing was checked")) } else { Ok(checks) }
        });
        Outcome { suite, checks, seconds: started.elapsed().as_secs() }
    }

    fn suite(&mut self, suite: Suite) -> Result<usize> {
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
                let folder = self.copy("rust")?;
                let target = self.crates()?;
                let process = Process::cargo(&folder, &["run", "--quiet"]).without_cargo_variables();
                self.client(process.with_env("CARGO_TARGET_DIR", &target))
            }
            Suite::Grpc => {
                let folder = self.copy("grpc")?;
                install_node_packages(&folder)?;
                self.client(Process::new(&folder, "node", &["client.mjs"]))
            }
            Suite::Guides => self.browser("guides.mjs"),
            Suite::Proxies => self.browser("proxies.mjs"),
            Suite::Elements => self.browser("elements.mjs"),
            Suite::Reference => self.browser("reference.mjs"),
        }
    }

    /// Runs a client with the URLs of the server.
    fn client(&mut self, process: Process) -> Result<usize> {
        let server = match self.server.take() {
            Some(server) => server,
            None => Server::start(&self.binary, self.folder.path())?,
        };
        let server = self.server.insert(server);
        server.addresses.iter().fold(process, |process, (name, url)| process.with_env(name, url)).count(LIMIT)
    }

    /// Runs a program that starts servers itself and drives Chromium.
    fn browser(&self, program: &str) -> Result<usize> {
        let folder = self.copy("browser")?;
        install_node_packages(&folder)?;
        // Folders that the program creates are deleted with this one.
        let temporary = path_in(self.folder.path(), "temporary")?;
        std::fs::create_dir_all(&temporary)?;
        let process = Process::new(&folder, "node", &[program]).without_cargo_variables();
        process
            .with_env("CONFORMANCE_BINARY", text(&self.binary)?)
            .with_env("CONFORMANCE_GUIDES", &path_in(self.root, "docs/guides")?)
            .with_env("CARGO_TARGET_DIR", &self.crates()?)
            .with_env("TMPDIR", &temporary)
            .count(LIMIT)
    }

    /// The target directory of Rust programs, which is kept, so that dependencies are compiled once.
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
