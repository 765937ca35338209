//! When it is ready, the real program shows the URLs of its pages and APIs: in a block for people, in fields for programs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails, fails the test")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;
use test_client::free_port;

const SECRET: &str = "a-planted-secret-of-this-test";

/// How long the program may be silent while it starts.
const READY_TIMEOUT: Duration = Duration::from_mins(1);

struct Program {
    child: Child,
    /// The output until the program was ready and had shown the URLs.
    lines: Vec<String>,
    ports: Vec<u16>,
    folder: tempfile::TempDir,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// Starts all services, and reads until `last` is in a line.
    fn start(format: &str, mail_server: bool, last: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("kleis.yml");
        let smtp = "courier: {smtp: {connection_uri: 'smtp://user:a-planted-secret-of-this-test@127.0.0.1:1/'}}";
        let identity = if mail_server { format!("identity:\n  {smtp}\n") } else { String::new() };
        std::fs::write(&config, format!("log: {{format: {format}}}\n{identity}")).unwrap();
        let ports: Vec<u16> = (0..10).map(|_| free_port()).collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_kleis"));
        command.args(["serve", "-c"]).arg(&config).arg("--data").arg(folder.path().join("data")).env_clear();
        let names = ["IDENTITY_SERVE_PUBLIC", "IDENTITY_SERVE_ADMIN", "OAUTH_SERVE_PUBLIC", "OAUTH_SERVE_ADMIN"];
        let names = names.into_iter().chain([
            "GATEWAY_SERVE_PROXY",
            "GATEWAY_SERVE_API",
            "PERMISSIONS_SERVE_READ",
            "PERMISSIONS_SERVE_WRITE",
            "PERMISSIONS_SERVE_OPL",
            "PERMISSIONS_SERVE_METRICS",
        ]);
        for (name, port) in names.zip(&ports) {
            command.env(format!("KLEIS_{name}_PORT"), port.to_string());
        }
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stderr.take().unwrap());
        let (sender, received) = mpsc::channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut lines = Vec::new();
        while let Ok(line) = received.recv_timeout(READY_TIMEOUT) {
            lines.push(line);
            if lines.last().unwrap().contains(last) {
                return Self { child, lines, ports, folder };
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        panic!("it ended, or was silent for {READY_TIMEOUT:?}, before it was ready: {lines:#?}");
    }

    fn data_directory(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }
}

#[test]
fn people_get_the_urls_in_a_block() {
    let program = Program::start("text", false, "Press Ctrl-C to stop.");
    let assert_shown = |label: &str, place: &str| {
        let is_shown = |line: &String| line.trim_start().starts_with(label) && line.contains(place);
        assert!(program.lines.iter().any(is_shown), "{label} {place}: {:#?}", program.lines);
    };
    let url = |port: usize, path: &str| format!(":{}/{path}", program.ports[port]);
    assert_shown("Account pages", &url(0, ""));
    assert_shown("Mailbox", &url(1, "mailbox"));
    assert_shown("Admin API", &url(1, ""));
    assert_shown("Discovery", &url(2, ".well-known/openid-configuration"));
    assert_shown("Admin API", &url(3, ""));
    assert_shown("Gateway", &url(4, ""));
    assert_shown("Permissions", &url(6, ""));
    assert_shown("Permissions", &url(7, ""));
    assert_shown("Configuration", "kleis.yml");
    assert_shown("Data", &program.data_directory());
}

#[test]
fn programs_get_the_urls_in_the_fields_of_a_record_without_secrets() {
    let program = Program::start("json", true, "\"urls\"");
    let records: Vec<Value> = program.lines.iter().map(|line| serde_json::from_str(line).expect(line)).collect();
    let record = records.last().unwrap();
    let field = |name: &str| {
        let text = record.to_string();
        assert!(text.contains(&format!("\"{name}\":")), "{name}: {text}");
    };
    let apis = ["identity_admin_api", "oauth_admin_api", "permissions_read_api", "permissions_write_api"];
    let others = ["account", "discovery", "gateway", "configuration", "data_directory"];
    apis.into_iter().chain(others).for_each(field);
    assert!(record.to_string().contains(&program.data_directory()), "{record}");
    assert!(!record.to_string().contains("mailbox"), "with a mail server there is no mailbox: {record}");
    assert!(!program.lines.concat().contains(SECRET) && !program.lines.concat().contains("Kleis is ready."));
}
