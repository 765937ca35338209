//! Runs other programs: each command is printed before it starts, and an error contains it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// The beginning of the line that a program prints for each passed check.
const PASSED: &str = "    ok  ";

/// How long a program may run after SIGTERM.
const GRACE: Duration = Duration::from_secs(30);

/// A command line, run in the repository's root.
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

    /// Removes the variables by which the `cargo` that runs this program would select the compiler of another one.
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

    /// Runs to the end with the input and output of this terminal.
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

    /// Runs to the end, but no longer than `limit`. Prints the output, and returns the number of lines that begin with
    /// [`PASSED`].
    pub(crate) fn count(mut self, limit: Duration) -> Result<usize> {
        eprintln!("==> {}", self.line);
        let started = Instant::now();
        self.command.stdout(Stdio::piped());
        let mut child = self.command.spawn().with_context(|| format!("cannot start `{}`", self.line))?;
        let passed = Arc::new(AtomicUsize::new(0));
        let reader = child.stdout.take().map(|output| {
            let passed = Arc::clone(&passed);
            std::thread::spawn(move || show(output, &passed))
        });
        let status = wait(&mut child, limit)?;
        // A process that the program started may still have the output open.
        let end = Instant::now() + Duration::from_secs(1);
        while reader.as_ref().is_some_and(|reader| !reader.is_finished()) && Instant::now() < end {
            pause();
        }
        eprintln!("    {:.1} s", started.elapsed().as_secs_f32());
        match status {
            Some(status) if status.success() => Ok(passed.load(Ordering::Relaxed)),
            Some(status) => bail!("`{}` failed ({status})", self.line),
            None => bail!("`{}` was stopped after {} s", self.line, limit.as_secs()),
        }
    }

    /// Runs to the end and returns its standard output.
    pub(crate) fn output(mut self) -> Result<String> {
        let output =
            self.command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start `{}`", self.line))?;
        if !output.status.success() {
            bail!("`{}` failed ({})", self.line, output.status);
        }
        String::from_utf8(output.stdout).with_context(|| format!("`{}` did not write UTF-8", self.line))
    }
}

fn show(output: ChildStdout, passed: &AtomicUsize) {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        eprintln!("{line}");
        if line.starts_with(PASSED) {
            passed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The exit status, or `None` if the program exceeded the limit and was stopped.
fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    if let Some(status) = wait_for(child, limit)? {
        return Ok(Some(status));
    }
    // SIGTERM first, so that the program can stop what it started.
    let id = child.id().to_string();
    let signalled = Command::new("kill").arg(&id).status();
    if signalled.is_err() || wait_for(child, GRACE)?.is_none() {
        child.kill()?;
        child.wait()?;
    }
    Ok(None)
}

fn wait_for(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    loop {
        let status = child.try_wait()?;
        if status.is_some() || Instant::now() > end {
            return Ok(status);
        }
        pause();
    }
}

#[expect(clippy::disallowed_methods, reason = "a command waits for another program")]
fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        Process::new(Path::new("."), "sh", &["-c", script])
    }

    #[test]
    fn passed_checks_are_counted() -> Result<()> {
        let script = "echo '    ok  one'; echo 'ok  none'; echo '    ok  two'";
        assert_eq!(shell(script).count(Duration::from_secs(10))?, 2);
        Ok(())
    }

    #[test]
    fn a_program_that_fails_or_does_not_end_is_a_failure() {
        let failed = shell("echo '    ok  one'; exit 3").count(Duration::from_secs(10));
        assert!(failed.is_err_and(|it| it.to_string().contains("exit status: 3")));
        let stopped = shell("exec sleep 60").count(Duration::from_millis(100));
        assert!(stopped.is_err_and(|it| it.to_string().contains("was stopped")));
    }
}
