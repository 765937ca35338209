//! What each command does, as a list of steps.

use std::path::Path;

use anyhow::Result;

use crate::process::Process;
use crate::{tidy, tools};

pub(crate) fn check(root: &Path) -> Result<()> {
    tidy(root)?;
    Process::cargo(root, &["fmt", "--all", "--check"]).run()?;
    Process::cargo(root, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]).run()
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

pub(crate) fn tidy(root: &Path) -> Result<()> {
    eprintln!("==> tidy");
    tidy::run(root)
}

/// `snapshots` is what to do with one that differs: `no` fails the test, `always` takes the new one.
fn run_tests(root: &Path, filter: Option<&str>, snapshots: &str) -> Result<()> {
    let mut arguments = vec!["test", "--workspace", "--no-fail-fast"];
    arguments.extend(filter);
    Process::cargo(root, &arguments).with_env("INSTA_UPDATE", snapshots).run()
}
