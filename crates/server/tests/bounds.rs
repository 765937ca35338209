//! Sends requests at and above the bounds of every route to the real program. Their CPU time and memory must be proportional to
//! those of a plain request: work before authentication is bounded.
//!
//! The ratios are generous. A quadratic loop, or a decoded value for every byte, exceeds them many times.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails, fails the test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base::bounds::{BodyBounds, DOCUMENT, LIST, PARAMETERS, SUBMISSION, TARGET_BYTES};
use serde_json::Value;
use test_client::free_port;

/// The CPU time of one request at or above a bound, in plain requests to the same route.
const CPU_RATIO: f64 = 500.0;
/// As above, for the route that takes a list of five megabytes.
const CPU_RATIO_OF_LISTS: f64 = 5_000.0;
/// The minimal assumed cost of a plain request, so that a very cheap one does not distort the ratio.
const CHEAPEST_NANOS: f64 = 500_000.0;
/// Concurrent requests.
const AT_ONCE: usize = 16;
/// The allowed growth of the process by concurrent requests, relative to the bytes that they sent.
const MEMORY_RATIO: u64 = 8;
/// Growth without significance: caches, allocator, threads.
const MEMORY_NOISE: u64 = 64 * 1024 * 1024;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// The table of the hostile acceptance tests: rows `METHOD BODY "path";` below the name of their listener.
const ROUTES: &str = include_str!("../../acceptance/tests/acceptance/hostile/routes.rs");

struct Route {
    method: String,
    listener: &'static str,
    path: String,
    json: bool,
    form: bool,
}

fn routes() -> Vec<Route> {
    let mut listener = "";
    let mut routes = Vec::new();
    for line in ROUTES.lines().map(str::trim).skip_while(|line| !line.starts_with("pub(crate) const ROUTES")) {
        match line {
            "IdentityPublic {" => listener = "identity/public",
            "IdentityAdmin {" => listener = "identity/admin",
            "OauthPublic {" => listener = "oauth/public",
            "OauthAdmin {" => listener = "oauth/admin",
            "PermissionsRead {" => listener = "permissions/read",
            "PermissionsWrite {" => listener = "permissions/write",
            "PermissionsOpl {" => listener = "permissions/opl",
            // Its bodies are bounded by the upstream.
            "GatewayProxy {" => listener = "",
            "GatewayApi {" => listener = "gateway/api",
            "};" => break,
            row => {
                let words: Vec<&str> = row.trim_end_matches(';').splitn(3, ' ').collect();
                let [method, body, path] = words.as_slice() else { continue };
                if listener.is_empty() {
                    continue;
                }
                routes.push(Route {
                    method: (*method).to_owned(),
                    listener,
                    path: filled(path.trim_matches('"')),
                    json: body.starts_with("Json"),
                    form: body.ends_with("Form"),
                });
            }
        }
    }
    assert!(routes.len() > 100, "only {} routes were found", routes.len());
    routes
}

/// A path with a value that does not exist in place of each `{name}`.
fn filled(path: &str) -> String {
    let mut text = String::new();
    for part in path.split_inclusive('}') {
        match part.split_once('{') {
            Some((before, _)) => text.extend([before, "00000000-0000-4000-8000-000000000000"]),
            None => text.push_str(part),
        }
    }
    text
}

/// The running program.
struct Program {
    child: Child,
    listeners: BTreeMap<String, String>,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kleis"));
        command.args(["serve", "--data"]).arg(data).env_clear().env("KLEIS_LOG_FORMAT", "json");
        for service in ["IDENTITY_SERVE_PUBLIC", "IDENTITY_SERVE_ADMIN", "OAUTH_SERVE_PUBLIC", "OAUTH_SERVE_ADMIN"] {
            command.env(format!("KLEIS_{service}_PORT"), free_port().to_string());
        }
        for listener in ["PROXY", "API"] {
            command.env(format!("KLEIS_GATEWAY_SERVE_{listener}_PORT"), free_port().to_string());
        }
        for listener in ["READ", "WRITE", "OPL", "METRICS"] {
            command.env(format!("KLEIS_PERMISSIONS_SERVE_{listener}_PORT"), free_port().to_string());
        }
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut listeners = BTreeMap::new();
        let mut seen = String::new();
        for line in &mut lines {
            let line = line.unwrap();
            let record: Value = serde_json::from_str(&line).unwrap_or_default();
            match record["msg"].as_str() {
                Some("listening") => {
                    let text = |name: &str| record[name].as_str().unwrap().to_owned();
                    listeners.insert(format!("{}/{}", text("service"), text("listener")), text("address"));
                }
                Some("ready") => {
                    std::thread::spawn(move || lines.for_each(drop));
                    return Self { child, listeners };
                }
                _ => {}
            }
            let _ = writeln!(seen, "{line}");
        }
        panic!("the program did not start: {seen}");
    }

    /// The status of the answer.
    fn send(&self, listener: &str, method: &str, target: &str, kind: &str, body: &str) -> u16 {
        let address = &self.listeners[listener];
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let head = format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
        let typed = if body.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        let head = format!("{head}{typed}Content-Length: {}\r\n\r\n", body.len());
        // A request that is refused early is not read to its end.
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let status = answer.get(9..12).and_then(|it| std::str::from_utf8(it).ok()?.parse().ok());
        status.unwrap_or_else(|| panic!("{method} {target}: no answer to {} bytes", body.len()))
    }

    fn status(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap()
    }

    /// CPU time of all threads so far, in nanoseconds.
    fn cpu_nanos(&self) -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let of_task = |path: std::path::PathBuf| {
            std::fs::read_to_string(path.join("schedstat")).ok()?.split(' ').next()?.parse::<u64>().ok()
        };
        tasks.filter_map(|task| of_task(task.ok()?.path())).sum()
    }

    fn memory_bytes(&self, name: &str) -> u64 {
        let status = self.status("status");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_start_matches(':').trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
    }

    /// Resets the peak memory of the process and returns its current memory.
    fn forget_peak(&self) -> u64 {
        std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
        self.memory_bytes("VmRSS")
    }

    /// The CPU time that `run` costs the process, in nanoseconds.
    fn cost<T>(&self, run: impl FnOnce() -> T) -> (f64, T) {
        let before = self.cpu_nanos();
        let result = run();
        (nanos(self.cpu_nanos().saturating_sub(before)), result)
    }
}

#[expect(clippy::cast_precision_loss, reason = "durations of seconds at most")]
fn nanos(value: u64) -> f64 {
    value as f64
}

/// JSON documents of different shapes, within `bounds` or with more values than allowed.
fn documents(bounds: BodyBounds) -> Vec<String> {
    let bytes = bounds.bytes;
    let within = |item: &str, values: usize| {
        let repeated = format!("{item},").repeat((bounds.json_values / values - 8).min(bytes / (item.len() + 1) - 8));
        format!("{{\"identities\":[{repeated}{item}]}}")
    };
    let items = |item: &str, more: usize| {
        let repeated = format!("{item},").repeat((bytes - more) / (item.len() + 1) - 1);
        format!("{repeated}{item}")
    };
    let names = |count: usize| (0..count).map(|n| format!("\"a{n}\":1")).collect::<Vec<_>>().join(",");
    vec![
        within("1", 1),
        within("{\"a\":{}}", 4),
        within("{\"create\":{\"schema_id\":\"default\",\"traits\":{\"email\":\"a@b.example\"}}}", 9),
        format!("{{\"traits\":[{}]}}", items("1", 16)),
        format!("[{}]", items("{\"a\":{}}", 8)),
        format!("{{\"identities\":[{}]}}", items("[]", 24)),
        format!("{{{}}}", names(bytes / 16)),
        format!("{{\"identifier\":\"{}\"}}", "x".repeat(bytes - 32)),
        format!("{{\"method\":\"password\",\"password\":\"{}\"}}", "\\n".repeat(bytes / 2 - 32)),
    ]
}

fn joined(count: usize, piece: impl FnMut(usize) -> String) -> String {
    (0..count).map(piece).collect::<Vec<_>>().concat()
}

/// Forms of at most `bytes`.
fn forms(bytes: usize) -> Vec<String> {
    let fields = |count: usize| joined(count, |n| format!("&a{n}=1"));
    let words = |name: &str| {
        let words = joined(bytes / 8, |n| format!("w{n}+"));
        format!("grant_type=client_credentials&client_id=x&{name}={words}")
    };
    vec![
        format!("grant_type=client_credentials{}", fields(PARAMETERS - 2)),
        format!("grant_type=client_credentials{}", fields(bytes / 10)),
        words("scope"),
        words("audience"),
        format!("grant_type=client_credentials{}", "&audience=a".repeat(bytes / 12)),
        words("acr_values"),
        words("ui_locales"),
        words("prompt"),
        format!("identifier={}", "x".repeat(bytes - 16)),
        joined(PARAMETERS, |n| format!("traits.a{n}{}=x&", ".499".repeat(30))),
    ]
}

fn is_procedure(path: &str) -> bool {
    ["/ory.", "/kleis.", "/grpc."].iter().any(|package| path.starts_with(package))
}

#[test]
fn a_request_at_or_above_a_bound_costs_in_proportion() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path());
    let mut dearest: Vec<(f64, String)> = Vec::new();
    for route in routes() {
        let Route { method, listener, path, .. } = &route;
        let takes_lists = (method == "PATCH"
            && ["/admin/identities", "/admin/relation-tuples"].contains(&path.as_str()))
            || path.ends_with("/TransactRelationTuples");
        // A message that is too large is RESOURCE_EXHAUSTED, which is 429 in Connect.
        let too_large = if is_procedure(path) { 429 } else { 413 };
        let is_public = listener.ends_with("public");
        let small = if route.json { "{}" } else { "a=1" };
        let kind = if route.json { JSON } else { FORM };
        let plain = |body: &str| program.send(listener, method, path, kind, body);
        let body = if route.json || route.form { small } else { "" };
        plain(body);
        let (of_ten, _) = program.cost(|| (0..10).map(|_| plain(body)).max());
        let usual = (of_ten / 10.0).max(CHEAPEST_NANOS);
        let allowed = if takes_lists { CPU_RATIO_OF_LISTS } else { CPU_RATIO };
        let mut check = |what: String, target: &str, kind: &str, body: &str| {
            let (cost, status) = program.cost(|| program.send(listener, method, target, kind, body));
            let ratio = cost / usual;
            assert!(ratio < allowed, "{method} {listener} {path}: {what} costs {ratio:.0} plain requests");
            // A gateway without rules is not ready and answers 503.
            assert!(status < 500 || path.contains("/health/"), "{method} {listener} {path}: {what}: {status}");
            dearest.push((ratio, format!("{method} {listener} {path}: {what}: {status}")));
            status
        };

        // A decision is about a request to an application, which has its own bounds.
        let is_decision = path.starts_with("/decisions");
        let separator = if path.contains('?') { '&' } else { '?' };
        let query = |count: usize| joined(count, |n| format!("b{n}=1&"));
        check("256 parameters".to_owned(), &format!("{path}{separator}{}x=1", query(PARAMETERS - 8)), kind, body);
        let (long, over) = ("x".repeat(TARGET_BYTES - path.len() - 8), "x".repeat(64));
        check("a long query".to_owned(), &format!("{path}{separator}x={long}"), kind, body);
        let status = check("300 parameters".to_owned(), &format!("{path}{separator}{}", query(300)), kind, body);
        assert!(status == 400 || is_decision, "{method} {listener} {path}: 300 parameters: {status}");
        let status =
            check("a query that is too long".to_owned(), &format!("{path}{separator}{long}{over}"), kind, body);
        assert!(status == 414 || is_decision, "{method} {listener} {path}: a query that is too long: {status}");

        let at = match (takes_lists, is_public) {
            (true, _) => LIST,
            (false, true) => SUBMISSION,
            (false, false) => DOCUMENT,
        };
        if route.json {
            for (index, document) in documents(at).iter().enumerate() {
                check(format!("document {index} at the bound"), path, JSON, document);
            }
            let body = format!("{{\"identifier\":\"{}\"}}", "x".repeat(at.bytes));
            let status = check("a large document".to_owned(), path, JSON, &body);
            assert_eq!(status, too_large, "{method} {listener} {path}");
        }
        if route.form {
            for (index, form) in forms(SUBMISSION.bytes).iter().enumerate() {
                check(format!("form {index} at the bound"), path, FORM, form);
            }
            let form = joined(80_000, |n| format!("a{n}=1&"));
            assert_eq!(check("80 000 parameters".to_owned(), path, FORM, &form), 413, "{method} {listener} {path}");
        }
    }
    dearest.sort_by(|one, other| other.0.total_cmp(&one.0));
    for (ratio, what) in dearest.iter().take(12) {
        println!("{ratio:8.1} plain requests: {what}");
    }
}

#[test]
fn many_bodies_at_once_keep_the_memory_of_the_process_bounded() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path());
    let flow = "00000000-0000-4000-8000-000000000000";
    let login = format!("/self-service/login?flow={flow}");
    let requests = [
        ("identity/public", "POST", login.as_str(), JSON, SUBMISSION),
        ("identity/public", "POST", login.as_str(), FORM, SUBMISSION),
        ("oauth/public", "POST", "/oauth2/token", FORM, SUBMISSION),
        ("oauth/public", "POST", "/oauth2/auth", FORM, SUBMISSION),
        ("identity/admin", "POST", "/admin/identities", JSON, DOCUMENT),
        ("identity/admin", "PATCH", "/admin/identities", JSON, LIST),
        ("oauth/admin", "POST", "/admin/clients", JSON, DOCUMENT),
    ];
    for (listener, method, target, kind, bounds) in requests {
        program.send(listener, method, target, kind, if kind == JSON { "{}" } else { "a=1" });
        for body in if kind == JSON { documents(bounds) } else { forms(bounds.bytes) } {
            let before = program.forget_peak();
            std::thread::scope(|scope| {
                for _ in 0..AT_ONCE {
                    scope.spawn(|| program.send(listener, method, target, kind, &body));
                }
            });
            let grown = program.memory_bytes("VmHWM").saturating_sub(before);
            let sent = u64::try_from(AT_ONCE * body.len()).unwrap();
            println!("{listener} {target} {kind}: {} KiB sent, {} KiB more memory", sent / 1024, grown / 1024);
            assert!(
                grown <= MEMORY_NOISE + MEMORY_RATIO * sent,
                "{method} {listener} {target}: {sent} bytes made the process grow by {grown}"
            );
        }
    }
}
