//! Two processes of the real program on one PostgreSQL database, under load: a check with the token of an acknowledged change, or
//! with `latest=true`, never misses the change, whichever node is asked, while nodes are killed and started again; a
//! revocation reaches the other node within a second without a token.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails, fails the test")]
#![expect(clippy::disallowed_methods, reason = "clients are tasks of the test, and the test waits for real processes")]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_client::free_port;
use tokio::task::JoinHandle;
use web::outbound::{Client, Destinations};

const MODEL: &str = r#"
class User implements Namespace {}
class Group implements Namespace { related: { members: User[] } }
class Doc implements Namespace {
    related: { viewers: (User | SubjectSet<Group, "members">)[] }
    permits = { view: (ctx: Context): boolean => this.related.viewers.includes(ctx.subject) }
}
"#;

const CLIENTS: usize = 8;
/// How often each node is killed.
const KILLS: usize = 2;
/// The time in which a revocation must reach the other node.
const EVERYWHERE: Duration = Duration::from_secs(1);

/// Where the two nodes are. The addresses stay the same when a node is started again.
struct Place {
    folder: TempDir,
    /// The ports of `read`, `write`, `opl` and `metrics` of each node.
    ports: [[u16; 4]; 2],
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dsn = database::testing::postgres_url().await;
        let ports = [0, 1].map(|_| [0, 1, 2, 3].map(|_| free_port()));
        for (node, ports) in ports.iter().enumerate() {
            let listener = |index: usize| json!({ "host": "127.0.0.1", "port": ports[index] });
            let config = json!({
                "dsn": dsn,
                "secrets": { "default": ["a default secret for two nodes of a test"] },
                "permissions": {
                    "namespaces": { "location": format!("base64://{}", STANDARD.encode(MODEL)) },
                    "serve": { "read": listener(0), "write": listener(1), "opl": listener(2), "metrics": listener(3) },
                },
            });
            // JSON is YAML.
            std::fs::write(folder.path().join(format!("{node}.yml")), config.to_string()).unwrap();
        }
        Self { folder, ports }
    }

    fn path(&self, name: String) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts a node and returns when it is ready.
    fn start(&self, node: usize) -> Node {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kleis"));
        command.args(["serve", "permissions", "--config"]).arg(self.path(format!("{node}.yml")));
        command.arg("--data").arg(self.path(format!("data-{node}"))).env_clear().env("KLEIS_LOG_FORMAT", "json");
        // It ends with the value, also when it does not become ready.
        let mut started =
            Node(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
        let mut lines = BufReader::new(started.0.stderr.take().unwrap()).lines();
        let mut log = String::new();
        for line in &mut lines {
            let line = line.unwrap();
            let record: Value = serde_json::from_str(&line).unwrap_or_default();
            if record["msg"] == "ready" {
                // The output must be read, because a full pipe would block the program.
                std::thread::spawn(move || lines.for_each(drop));
                return started;
            }
            log.push_str(&line);
            log.push('\n');
        }
        panic!("node {node} did not start: {log}");
    }

    fn client(&self) -> Wire {
        let http = Client::new(Destinations::Any, &base::TrustStore::bundled());
        Wire { http, ports: self.ports }
    }
}

/// A running node. It ends with the test.
struct Node(Child);

impl Node {
    /// As `kill -9` does.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A client of both nodes.
#[derive(Clone)]
struct Wire {
    http: Client,
    ports: [[u16; 4]; 2],
}

impl Wire {
    /// The status, the token and the body of an answer. `None`: the node is gone, or goes away.
    async fn send(&self, method: Method, port: u16, path: &str, body: &Value) -> Option<(u16, String, Value)> {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let mut request = Request::new(Bytes::from(text));
        *request.method_mut() = method;
        *request.uri_mut() = format!("http://127.0.0.1:{port}{path}").parse().unwrap();
        request.headers_mut().insert("content-type", "application/json".parse().unwrap());
        let answer = self.http.send(request).await.ok()?;
        let token = answer.headers().get("snaptoken").and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
        Some((answer.status().as_u16(), token, serde_json::from_slice(answer.body()).unwrap_or_default()))
    }

    /// Changes a tuple at a node, and returns the token if the change was acknowledged.
    async fn change(&self, node: usize, action: &str, tuple: &Value) -> Option<String> {
        let body = json!([{ "action": action, "relation_tuple": tuple }]);
        match self.send(Method::PATCH, self.ports[node][1], "/admin/relation-tuples", &body).await? {
            (204, token, _) if !token.is_empty() => Some(token),
            // The node has started, and has no connection to the database yet.
            (503, ..) => None,
            other => panic!("a change was answered with {other:?}"),
        }
    }

    /// Whether ada may view the object, as a node answers a question with these parameters.
    async fn check(&self, node: usize, object: &str, more: &str) -> Option<bool> {
        let query = format!("namespace=Doc&object={object}&relation=view&{ADA}{more}");
        let path = format!("/relation-tuples/check?{query}");
        match self.send(Method::GET, self.ports[node][0], &path, &Value::Null).await? {
            (200, _, body) if body == json!({ "allowed": true }) => Some(true),
            (403, _, body) if body == json!({ "allowed": false }) => Some(false),
            (503, ..) => None,
            // A token that the database does not have would be 409.
            other => panic!("a check was answered with {other:?}"),
        }
    }
}

const ADA: &str = "subject_set.namespace=User&subject_set.object=ada&subject_set.relation=";

/// The members of the group may view the object.
fn shared(object: &str) -> Value {
    let group = json!({ "namespace": "Group", "object": "g", "relation": "members" });
    json!({ "namespace": "Doc", "object": object, "relation": "viewers", "subject_set": group })
}

fn membership() -> Value {
    let ada = json!({ "namespace": "User", "object": "ada", "relation": "" });
    json!({ "namespace": "Group", "object": "g", "relation": "members", "subject_set": ada })
}

/// What the clients have seen.
#[derive(Default)]
struct Seen {
    is_over: AtomicBool,
    /// Checks that had the change, at each node.
    checks: [AtomicU64; 2],
    /// Changes or checks without an answer.
    unanswered: AtomicU64,
}

impl Seen {
    fn checks(&self) -> [u64; 2] {
        [0, 1].map(|node| self.checks[node].load(Ordering::Relaxed))
    }

    /// Waits until the nodes have answered more checks.
    async fn until_more(&self, nodes: &[usize], checks: u64, phase: &str) {
        let (before, started) = (self.checks(), Instant::now());
        while nodes.iter().any(|node| self.checks()[*node] < before[*node] + checks) {
            let answered = self.checks();
            assert!(started.elapsed() < Duration::from_secs(10), "{phase}: {before:?}, then {answered:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Shares and revokes objects until the end, and asks both nodes after each acknowledged change.
async fn share_and_revoke(wire: Wire, client: usize, seen: Arc<Seen>) {
    for round in 0_usize.. {
        if seen.is_over.load(Ordering::Relaxed) {
            break;
        }
        let (writer, object) = ((client + round) % 2, format!("{client}-{round}"));
        for (action, allowed) in [("insert", true), ("delete", false)] {
            let Some(token) = wire.change(writer, action, &shared(&object)).await else {
                seen.unanswered.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(5)).await;
                break;
            };
            let fresh = if round % 3 == 0 { "&latest=true".to_owned() } else { format!("&snaptoken={token}") };
            for node in [1 - writer, writer] {
                match wire.check(node, &object, &fresh).await {
                    Some(answer) => {
                        assert_eq!(answer, allowed, "{action} of {object} at node {writer}, asked node {node} {fresh}");
                        seen.checks[node].fetch_add(1, Ordering::Relaxed);
                    }
                    None => {
                        seen.unanswered.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
    }
}

fn load(place: &Place) -> (Arc<Seen>, Vec<JoinHandle<()>>) {
    let seen = Arc::new(Seen::default());
    let start = |client| tokio::spawn(share_and_revoke(place.client(), client, seen.clone()));
    let clients = (0..CLIENTS).map(start).collect();
    (seen, clients)
}

async fn end(seen: &Seen, clients: Vec<JoinHandle<()>>) {
    seen.is_over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_never_misses_an_acknowledged_change_while_nodes_are_killed() {
    let place = Place::new().await;
    let mut nodes = [place.start(0), place.start(1)].map(Some);
    place.client().change(0, "insert", &membership()).await.unwrap();
    let (seen, clients) = load(&place);
    seen.until_more(&[0, 1], 100, "both nodes run").await;
    for kill in 0..KILLS * 2 {
        let killed = kill % 2;
        nodes[killed].take().unwrap().kill();
        seen.until_more(&[1 - killed], 50, "one node was killed").await;
        assert!(place.client().check(killed, "a", "").await.is_none(), "a killed node answers");
        nodes[killed] = Some(tokio::task::block_in_place(|| place.start(killed)));
        // It answers before and while it loads the relation tuples.
        seen.until_more(&[0, 1], 100, "the node was started again").await;
    }
    end(&seen, clients).await;
    let unanswered = seen.unanswered.load(Ordering::Relaxed);
    assert!(unanswered > 0, "no node was killed under load");
    println!("checks that had the change, at each node: {:?}; without an answer: {unanswered}", seen.checks());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_is_seen_by_the_other_node_within_a_second_without_a_token() {
    let place = Place::new().await;
    let mut nodes = [place.start(0), place.start(1)].map(Some);
    let wire = place.client();
    wire.change(0, "insert", &membership()).await.unwrap();
    let (seen, clients) = load(&place);
    seen.until_more(&[0, 1], 100, "both nodes run").await;
    let mut longest = Duration::ZERO;
    for round in 0..10 {
        let (writer, other) = (round % 2, (round + 1) % 2);
        let object = format!("revoked-{round}");
        let token = wire.change(writer, "insert", &shared(&object)).await.unwrap();
        assert_eq!(wire.check(other, &object, &format!("&snaptoken={token}")).await, Some(true));
        wire.change(writer, "delete", &shared(&object)).await.unwrap();
        let revoked = Instant::now();
        // In the last rounds the writer is killed right after it acknowledged the revocation.
        if round >= 8 {
            nodes[writer].take().unwrap().kill();
        }
        while wire.check(other, &object, "").await != Some(false) {
            assert!(revoked.elapsed() < EVERYWHERE, "not seen within a second");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        longest = longest.max(revoked.elapsed());
        if round >= 8 {
            nodes[writer] = Some(tokio::task::block_in_place(|| place.start(writer)));
        }
    }
    end(&seen, clients).await;
    println!("the longest time until a revocation was seen: {longest:?}");
}
