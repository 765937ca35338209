//! The real program, under its own name or under the name of a program that it replaces.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use test_client::free_port;

/// The maximal wait for something that usually happens much sooner.
const PATIENCE: Duration = Duration::from_mins(1);

/// A directory to run in, with a link to the program under each name.
pub(crate) struct RunDirectory {
    pub(crate) place: TempDir,
}

impl RunDirectory {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let place = tempfile::tempdir().unwrap();
        for name in ["kleis", "kratos", "hydra", "oathkeeper", "keto"] {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kleis"), place.path().join(name)).unwrap();
        }
        for (name, text) in files {
            std::fs::write(place.path().join(name), text).unwrap();
        }
        Self { place }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// The command of a line, such as `hydra serve all`, with only these variables in its environment.
    pub(crate) fn command(&self, line: &str, environment: &[(&str, &str)]) -> Command {
        let mut words = line.split(' ');
        let mut command = Command::new(self.path(words.next().unwrap()));
        command.args(words).current_dir(self.place.path()).env_clear().envs(environment.iter().copied());
        command.env("KLEIS_LOG_FORMAT", "json").stdin(Stdio::null());
        command
    }

    /// Runs the line to its end.
    pub(crate) fn run(&self, line: &str, environment: &[(&str, &str)]) -> CommandOutput {
        CommandOutput::of(self.command(line, environment).output().unwrap())
    }

    /// Runs a line that serves, on free ports. Returns when it serves, or with its output if it ended before that.
    pub(crate) fn serve(&self, line: &str, environment: &[(&str, &str)]) -> Result<Program, CommandOutput> {
        Program::start(self.command(line, environment))
    }
}

/// The output of a command that ended.
#[derive(Debug)]
pub(crate) struct CommandOutput {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl CommandOutput {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), output: text(output.stdout), errors: text(output.stderr) }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.output).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// A running program and where its listeners are.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    /// Addresses by `service/listener`.
    pub(crate) listeners: BTreeMap<String, String>,
    /// The log until it served.
    pub(crate) log: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    fn start(mut command: Command) -> Result<Self, CommandOutput> {
        for listener in [
            "IDENTITY_SERVE_PUBLIC",
            "IDENTITY_SERVE_ADMIN",
            "OAUTH_SERVE_PUBLIC",
            "OAUTH_SERVE_ADMIN",
            "GATEWAY_SERVE_PROXY",
            "GATEWAY_SERVE_API",
            "PERMISSIONS_SERVE_READ",
            "PERMISSIONS_SERVE_WRITE",
            "PERMISSIONS_SERVE_OPL",
            "PERMISSIONS_SERVE_METRICS",
        ] {
            command.env(format!("KLEIS_{listener}_PORT"), free_port().to_string());
        }
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut listeners, mut log) = (BTreeMap::new(), String::new());
        for line in &mut lines {
            let line = line.unwrap();
            let record: Value = serde_json::from_str(&line).unwrap_or_default();
            let _ = writeln!(log, "{line}");
            match record["msg"].as_str() {
                Some("listening") => {
                    let text = |name: &str| record[name].as_str().unwrap().to_owned();
                    listeners.insert(format!("{}/{}", text("service"), text("listener")), text("address"));
                }
                Some("ready" | "running, and not ready") => {
                    // The output must be read, because a full pipe would block the program.
                    std::thread::spawn(move || lines.for_each(drop));
                    return Ok(Self { child, listeners, log });
                }
                _ => {}
            }
        }
        let code = child.wait().unwrap().code();
        Err(CommandOutput { code, output: String::new(), errors: log })
    }

    pub(crate) fn url(&self, listener: &str) -> String {
        format!("http://{}", self.listeners[listener])
    }

    /// The status and the text of the answer to a `GET`.
    pub(crate) fn get(&self, listener: &str, path: &str) -> (u16, String) {
        let address = &self.listeners[listener];
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        (answer[9..12].parse().unwrap(), answer)
    }

    /// The resident memory of the process.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Stops the program with a signal, as an operator does.
    pub(crate) fn stop(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}
