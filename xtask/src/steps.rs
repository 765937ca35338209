//! The steps of each command.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::process::Process;
use crate::{tidy, tools};

pub(crate) fn check(root: &Path) -> Result<()> {
    tidy(root)?;
    Process::cargo(root, &["fmt", "--all", "--check"]).run()?;
    Process::cargo(root, &["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"])
        .run()?;
    // The program as it ships: code that only tests use is not in it.
    Process::cargo(root, &["clippy", "--package", "server", "--bins", "--", "-D", "warnings"]).run()
}

pub(crate) fn fix(root: &Path) -> Result<()> {
    Process::cargo(root, &["clippy", "--workspace", "--all-targets", "--fix", "--allow-dirty", "--allow-staged"])
        .run()?;
    Process::cargo(root, &["fmt", "--all"]).run()
}

pub(crate) fn test(root: &Path, filter: Option<&str>) -> Result<()> {
    tools::provide(root)?;
    if filter.is_none() {
        check(root)?;
    }
    run_tests(root, filter, "no")
}

pub(crate) fn accept(root: &Path, filter: Option<&str>) -> Result<()> {
    tools::provide(root)?;
    run_tests(root, filter, "always")
}

pub(crate) fn bench(root: &Path, group: Option<&str>) -> Result<()> {
    Process::cargo(root, &["build", "--release", "--package", "server", "--bin", "kleis"]).run()?;
    let binary = target_directory(root)?.join("release/kleis");
    let binary = binary.to_str().context("the path of the binary is not text")?;
    let mut arguments = vec!["bench", "--package", "acceptance", "--bench", "budgets", "--", binary];
    arguments.extend(group);
    let measured = Process::cargo(root, &arguments).run();
    if group.is_none_or(|group| group == "permissions") {
        // In process, without a server.
        let arguments = ["bench", "--package", "permissions", "--features", "testing", "--bench", "graph"];
        Process::cargo(root, &arguments).run()?;
    }
    measured
}

/// The test that detects an outdated reference also writes it.
pub(crate) fn docs(root: &Path) -> Result<()> {
    let arguments = ["test", "--workspace", "--test", "reference", "the_reference_is_up_to_date"];
    Process::cargo(root, &arguments).with_env("UPDATE_REFERENCE", "1").run()
}

/// The target directory of cargo, which is not always `target`.
pub(crate) fn target_directory(root: &Path) -> Result<PathBuf> {
    let text = Process::cargo(root, &["metadata", "--no-deps", "--format-version", "1"]).output()?;
    let metadata: serde_json::Value = serde_json::from_str(&text)?;
    metadata["target_directory"]
        .as_str()
        .map(PathBuf::from)
        .context("the output of `cargo metadata` has no target_directory")
}

pub(crate) fn tidy(root: &Path) -> Result<()> {
    eprintln!("==> tidy");
    tidy::run(root)
}

/// `snapshots` is the handling of changed snapshots: `no` fails the test, `always` accepts them.
fn run_tests(root: &Path, filter: Option<&str>, snapshots: &str) -> Result<()> {
    let mut arguments = vec!["test", "--workspace", "--no-fail-fast"];
    arguments.extend(filter);
    Process::cargo(root, &arguments).with_env("INSTA_UPDATE", snapshots).run()
}
