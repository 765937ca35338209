//! Kills the real program repeatedly while many clients write: every acknowledged write exists afterwards, the database is
//! consistent, and the next start needs no repair.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails, fails the test")]
#![expect(clippy::disallowed_methods, reason = "writers are tasks of the test, and the test waits for a real process")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use test_client::free_port;
use tokio::sync::Notify;
use web::outbound::{Client, Destinations};

const WRITERS: usize = 64;
const ROUNDS: u32 = 4;

/// A running program and the address of its OAuth admin listener.
struct Program {
    child: Child,
    admin: String,
}

impl Program {
    /// Starts the program and returns when it is ready.
    fn start(data: &Path, dsn: Option<&str>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kleis"));
        command.args(["serve", "oauth", "--data"]).arg(data);
        command.env_clear().env("KLEIS_LOG_FORMAT", "json");
        let ports = [free_port(), free_port()];
        command.env("KLEIS_OAUTH_SERVE_PUBLIC_PORT", ports[0].to_string());
        command.env("KLEIS_OAUTH_SERVE_ADMIN_PORT", ports[1].to_string());
        if let Some(dsn) = dsn {
            command.env("KLEIS_DSN", dsn).env("KLEIS_OAUTH_SECRETS_SYSTEM", "a secret for a database of many");
        }
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut admin = None;
        let mut seen = String::new();
        for line in &mut lines {
            let line = line.unwrap();
            let record: Value = serde_json::from_str(&line).unwrap_or_default();
            match record["msg"].as_str() {
                Some("listening") if record["listener"] == "admin" => {
                    admin = record["address"].as_str().map(|it| format!("http://{it}"));
                }
                Some("ready") => break,
                _ => {}
            }
            seen.push_str(&line);
            seen.push('\n');
        }
        let Some(admin) = admin else { panic!("the program did not start: {seen}") };
        // The output must be read, because a full pipe would block the program.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, admin }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

async fn call(client: &Client, method: Method, url: String, body: Option<Value>) -> Option<(u16, Value)> {
    let mut request = Request::new(Bytes::from(body.map(|it| it.to_string()).unwrap_or_default()));
    *request.method_mut() = method;
    *request.uri_mut() = url.parse().unwrap();
    request.headers_mut().insert("content-type", "application/json".parse().unwrap());
    let answer = client.send(request).await.ok()?;
    Some((answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap_or_default()))
}

/// Creates clients until the program is gone, and returns the acknowledged ids. Says when there is a first one.
async fn write(client: Client, admin: String, round: u32, writer: usize, begun: Arc<Notify>) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for number in 0.. {
        let id = format!("r{round}-w{writer}-n{number}");
        let body = json!({"client_id": id, "client_name": "survivor", "grant_types": ["client_credentials"]});
        match call(&client, Method::POST, format!("{admin}/admin/clients"), Some(body)).await {
            Some((201, _)) => {
                acknowledged.push(id);
                begun.notify_one();
            }
            Some((status, body)) => panic!("{status}: {body}"),
            None => break,
        }
    }
    acknowledged
}

async fn survives(data: &Path, dsn: Option<&str>) {
    let client = Client::new(Destinations::Any, &base::TrustStore::bundled());
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        let program = Program::start(data, dsn);
        let begun = Arc::new(Notify::new());
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| tokio::spawn(write(client.clone(), program.admin.clone(), round, writer, begun.clone())))
            .collect();
        // A busy machine may need longer for the first write than the time after which the program is killed.
        tokio::time::timeout(Duration::from_secs(20), begun.notified()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300 + 170 * u64::from(round))).await;
        program.kill();
        let before = acknowledged.len();
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
        assert!(acknowledged.len() > before, "nothing was written in round {round}");
    }
    let program = Program::start(data, dsn);
    for id in &acknowledged {
        let url = format!("{}/admin/clients/{id}", program.admin);
        let (status, body) = call(&client, Method::GET, url, None).await.unwrap();
        assert_eq!((status, body["client_id"].as_str()), (200, Some(id.as_str())), "an acknowledged write is gone");
    }
    program.kill();
    println!("{} acknowledged writes survived {ROUNDS} kills", acknowledged.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_writes_survive_on_sqlite() {
    let data = tempfile::tempdir().unwrap();
    survives(data.path(), None).await;
    database::testing::assert_sound(&data.path().join("kleis.db"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_writes_survive_on_postgresql() {
    let data = tempfile::tempdir().unwrap();
    let dsn = database::testing::postgres_url().await;
    survives(data.path(), Some(&dsn)).await;
}
