//! Runs other programs, visibly: each command is printed before it starts, and its failure names it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

/// One command line, to be run in the repository's root.
pub(crate) struct Process {
    command: Command,
    line: String,
}

impl Process {
    pub(crate) fn new(root: &Path, program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(root);
        Self { command, line: format!("{program} {}", arguments.join(" ")) }
    }

    /// `cargo`, the same one that runs this program.
    pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> Self {
        Self::new(root, "cargo", arguments)
    }

    /// Without the variables by which the `cargo` that runs this program would choose the compiler of another one.
    pub(crate) fn without_cargo_variables(mut self) -> Self {
        for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN", "RUSTFLAGS", "CARGO_TARGET_DIR"] {
            self.command.env_remove(name);
        }
        self
    }

    pub(crate) fn with_env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self.line = format!("{name}={value} {}", self.line);
        self
    }

    /// Runs to the end with this terminal's input and output.
    pub(crate) fn run(mut self) -> Result<()> {
        eprintln!("==> {}", self.line);
        let started = Instant::now();
        let status = self.command.status().with_context(|| format!("cannot start `{}`", self.line))?;
        eprintln!("    {:.1} s", started.elapsed().as_secs_f32());
        if !status.success() {
            bail!("`{}` failed ({status})", self.line);
        }
        Ok(())
    }

    /// Runs to the end and gives back what it wrote to its standard output.
    pub(crate) fn output(mut self) -> Result<String> {
        let output =
            self.command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start `{}`", self.line))?;
        if !output.status.success() {
            bail!("`{}` failed ({})", self.line, output.status);
        }
        String::from_utf8(output.stdout).with_context(|| format!("`{}` did not write UTF-8", self.line))
    }
}
