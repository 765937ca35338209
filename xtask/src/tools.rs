//! The external programs that tests use: a PostgreSQL server and a browser. They are installed by apt-get if possible;
//! otherwise a message says what to install.

use std::path::Path;

use anyhow::{Result, bail};

use crate::process::Process;

/// A program, a check whether it is installed, and its Debian package.
struct Tool {
    package: &'static str,
    is_there: fn() -> bool,
}

const BROWSER: Tool = Tool {
    package: "chromium",
    is_there: || on_path("chromium") || on_path("chromium-browser") || on_path("google-chrome"),
};

const TOOLS: &[Tool] = &[
    Tool { package: "postgresql", is_there: || on_path("initdb") || postgres_in_debian_folder() },
    BROWSER,
    Tool { package: "chromium-driver", is_there: || on_path("chromedriver") },
];

/// The proxies of the guides, and the programs that check them.
const PROXIES: &[Tool] = &[
    BROWSER,
    Tool { package: "nginx", is_there: || on_path("nginx") || Path::new("/usr/sbin/nginx").is_file() },
    Tool { package: "caddy", is_there: || on_path("caddy") },
];

/// Installs the tools of the tests if they are missing.
pub(crate) fn provide(root: &Path) -> Result<()> {
    provide_all(root, TOOLS)
}

/// Installs the browser if it is missing.
pub(crate) fn provide_browser(root: &Path) -> Result<()> {
    provide_all(root, &[BROWSER])
}

/// Installs the browser and the proxies of the guides if they are missing.
pub(crate) fn provide_proxies(root: &Path) -> Result<()> {
    provide_all(root, PROXIES)
}

fn provide_all(root: &Path, tools: &[Tool]) -> Result<()> {
    let missing = missing(tools);
    if missing.is_empty() {
        return Ok(());
    }
    if on_path("apt-get") && is_root(root) {
        install(root, &missing)?;
    }
    let missing = self::missing(tools);
    if !missing.is_empty() {
        bail!(
            "this needs {}: install what is missing (Debian: apt-get install {})",
            missing.join(", "),
            missing.join(" ")
        );
    }
    Ok(())
}

fn missing(tools: &[Tool]) -> Vec<&'static str> {
    tools.iter().filter(|tool| !(tool.is_there)()).map(|tool| tool.package).collect()
}

fn install(root: &Path, packages: &[&str]) -> Result<()> {
    // The package list of a fresh image is empty. With an old list the installation often succeeds, so a failed update is not
    // an error.
    if let Err(error) = Process::new(root, "apt-get", &["update", "--quiet"]).run() {
        eprintln!("    {error:#}; continuing with the known packages");
    }
    let mut arguments = vec!["install", "--yes", "--quiet", "--no-install-recommends"];
    arguments.extend(packages);
    Process::new(root, "apt-get", &arguments).with_env("DEBIAN_FRONTEND", "noninteractive").run()
}

fn is_root(root: &Path) -> bool {
    Process::new(root, "id", &["-u"]).output().is_ok_and(|id| id.trim() == "0")
}

#[expect(clippy::disallowed_methods, reason = "a tool is found where the shell would find it")]
pub(crate) fn on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// Debian installs the server's programs outside the path, in one folder per version.
fn postgres_in_debian_folder() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql");
    versions.is_ok_and(|versions| versions.flatten().any(|version| has_initdb(&version.path())))
}

fn has_initdb(version: &Path) -> bool {
    version.join("bin/initdb").is_file()
}
