//! The overhead of a rule: the gateway against the same proxy without rules, in the same run and on the same machine.
//!
//! Run with `cargo bench -p gateway`. Upstream, proxies and clients share this process, so the absolute rates mean little;
//! compare the ratios (budget: at least 0.7 with a session check and a header). The last column counts the allocations of
//! the whole process per request, upstream and client included.

use std::alloc::System;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base::{Clock, Context, Rng};
use base64::Engine as _;
use contracts::{ActiveSession, Link, SessionCheck, SessionCredentials, Sessions, Unavailable};
use gateway::{Gateway, LocalServices, Parts};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde_json::{Value, json};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use web::listener::{Listener, ListenerLimits};
use web::{Edge, TrustedProxies};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(800);
const CONNECTIONS: usize = 32;

/// One authenticated user. Requests share the session document, as they do in the identity service.
struct SignedIn(Arc<Value>);

impl SignedIn {
    fn new() -> Self {
        let device = json!({"id": "d", "ip_address": "127.0.0.1", "user_agent": "bench", "location": ""});
        let address = json!({"id": "a", "value": "a@example.org", "via": "email", "verified": true});
        Self(Arc::new(json!({
            "id": "s", "active": true, "authenticator_assurance_level": "aal1",
            "authentication_methods": [{"method": "password", "aal": "aal1"}],
            "identity": {
                "id": "0b1c", "schema_id": "default", "state": "active", "traits": {"email": "a@example.org"},
                "verifiable_addresses": [address], "recovery_addresses": [address],
            },
            "devices": [device],
        })))
    }
}

#[async_trait]
impl Sessions for SignedIn {
    async fn check(&self, cx: &Context, _: &SessionCredentials) -> Result<SessionCheck, Unavailable> {
        Ok(SessionCheck::Active(Box::new(ActiveSession {
            session_id: uuid::Uuid::nil(),
            identity_id: uuid::Uuid::nil(),
            authenticated_at: cx.now,
            expires_at: cx.now,
            aal: "aal1".to_owned(),
            amr: Vec::new(),
            whoami: self.0.clone(),
        })))
    }

    async fn end(&self, _: &Context, _: uuid::Uuid) -> Result<(), Unavailable> {
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "the servers end with the process")]
fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}

async fn listen(router: Router, stop: &watch::Receiver<bool>) -> anyhow::Result<SocketAddr> {
    let edge = Edge {
        clock: Clock::system(),
        rng: Rng::seeded(1),
        proxies: TrustedProxies::default(),
        metrics: None,
        quiet_health: true,
        languages: web::language::Languages::default(),
        repeats_request_id: &[],
    };
    let socket = TcpListener::bind("127.0.0.1:0").await?;
    let address = socket.local_addr()?;
    let listener = Listener { socket, tls: None, limits: ListenerLimits::default(), router: edge.around(router) };
    spawn(listener.serve(stop.clone()));
    Ok(address)
}

/// The same listener and client pool without the gateway.
#[derive(Clone)]
struct Bare {
    client: Client<HttpConnector, Body>,
    upstream: SocketAddr,
}

#[expect(clippy::disallowed_methods, reason = "the baseline is a proxy")]
fn pool() -> Client<HttpConnector, Body> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector)
}

impl Bare {
    async fn forward(State(bare): State<Self>, mut request: Request) -> Response {
        let path = request.uri().path_and_query().map_or("/", |it| it.as_str());
        let Ok(uri) = format!("http://{}{path}", bare.upstream).parse() else {
            return http::StatusCode::BAD_REQUEST.into_response();
        };
        *request.uri_mut() = uri;
        request.headers_mut().remove(http::header::HOST);
        match bare.client.request(request).await {
            Ok(response) => response.map(Body::new),
            Err(_) => http::StatusCode::BAD_GATEWAY.into_response(),
        }
    }
}

fn rule(path: &str, upstream: SocketAddr, handlers: Value) -> Value {
    let mut rule = json!({
        "id": path,
        "match": {"url": format!("http://<[^/]+>{path}<.*>"), "methods": ["GET"]},
        "authenticators": [{"handler": "noop"}],
        "authorizer": {"handler": "allow"},
        "mutators": [{"handler": "noop"}],
        "upstream": {"url": format!("http://{upstream}")},
    });
    if let (Some(rule), Value::Object(handlers)) = (rule.as_object_mut(), handlers) {
        rule.extend(handlers);
    }
    rule
}

async fn gateway(rules: &Value) -> anyhow::Result<Arc<Gateway>> {
    let rules = base64::engine::general_purpose::STANDARD.encode(rules.to_string());
    let config = serde_json::from_value(json!({
        "access_rules": {"repositories": [format!("inline://{rules}")]},
        "authenticators": {"noop": {"enabled": true}, "anonymous": {"enabled": true}, "cookie_session": {"enabled": true}},
        "authorizers": {"allow": {"enabled": true}},
        "mutators": {"noop": {"enabled": true}, "header": {"enabled": true}},
    }))?;
    let gateway = Gateway::new(Parts {
        config,
        rng: Rng::seeded(1),
        http: web::outbound::Client::new(web::outbound::Destinations::Any, &base::TrustStore::bundled()),
        sessions: Link::to(Arc::new(SignedIn::new())),
        introspection: Link::unset(),
        permissions: Link::unset(),
        local: LocalServices::default(),
        generated_keys: jose::JwkSet::default(),
        keeps_generated_keys: false,
    })?;
    gateway.load_rules().await?;
    Ok(gateway)
}

/// One client connection that sends one request after another.
async fn client(to: SocketAddr, path: &'static str, stop: Arc<AtomicBool>, served: Arc<AtomicU64>) {
    let request = format!("GET {path} HTTP/1.1\r\nhost: api.example\r\ncookie: session=x\r\naccept: */*\r\n\r\n");
    let Ok(mut stream) = TcpStream::connect(to).await else { return };
    let _ = stream.set_nodelay(true);
    let mut buffer = [0; 4096];
    while !stop.load(Ordering::Relaxed) {
        if stream.write_all(request.as_bytes()).await.is_err() {
            return;
        }
        let mut seen = 0;
        // The body ends in a full stop, which occurs nowhere else in the response.
        while seen == 0 || buffer[seen - 1] != b'.' {
            match stream.read(&mut buffer[seen..]).await {
                Ok(length @ 1..) => seen += length,
                _ => return,
            }
        }
        if buffer.starts_with(b"HTTP/1.1 200") {
            served.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Requests per second, and allocations per request.
async fn measure(to: SocketAddr, path: &'static str) -> (f64, f64) {
    let (stop, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let region = Region::new(ALLOCATOR);
    let started = Instant::now();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        clients.spawn(client(to, path, stop.clone(), served.clone()));
    }
    tokio::time::sleep(ROUND).await;
    stop.store(true, Ordering::Relaxed);
    clients.join_all().await;
    #[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are small")]
    let (served, allocations) = (served.load(Ordering::Relaxed) as f64, region.change().allocations as f64);
    (served / started.elapsed().as_secs_f64(), allocations / served.max(1.0))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (_stop, stopped) = watch::channel(false);
    let upstream = listen(Router::new().fallback(|| std::future::ready("hello.")), &stopped).await?;
    let bare = Bare { client: pool(), upstream };
    let bare = listen(Router::new().fallback(Bare::forward).with_state(bare), &stopped).await?;

    let session = json!({
        "authenticators": [
            {"handler": "cookie_session", "config": {"check_session_url": "kleis://identity/sessions/whoami", "only": ["session"]}},
            {"handler": "anonymous"},
        ],
        "mutators": [{"handler": "header", "config": {"headers": {"X-User-Id": "{{ print .Subject }}"}}}],
    });
    let template = json!({"mutators": [{"handler": "header", "config": {"headers": {
        "X-Who": "{{ .Subject }}:{{ printIndex .MatchContext.RegexpCaptureGroups 0 }}"}}}]});
    let few = json!([
        rule("/noop", upstream, json!({})),
        rule("/session", upstream, session.clone()),
        rule("/template", upstream, template),
    ]);
    let many: Vec<Value> = (0..10_000)
        .map(|number| {
            let mut rule = rule(&format!("/{number}/"), upstream, json!({}));
            rule["match"]["url"] = json!(format!("http://host{number}.example/<.*>"));
            rule
        })
        .chain([{
            let mut rule = rule("/session", upstream, session);
            rule["match"]["url"] = json!("http://api.example/session<.*>");
            rule
        }])
        .collect();
    let (few, many) = (gateway(&few).await?, gateway(&json!(many)).await?);
    let proxy = listen(few.public_router(), &stopped).await?;
    let crowded = listen(many.public_router(), &stopped).await?;

    let cases: [(&str, SocketAddr, &'static str); 6] = [
        ("upstream alone", upstream, "/noop"),
        ("proxy without rules", bare, "/noop"),
        ("noop, 3 rules", proxy, "/noop"),
        ("session and header, 3 rules", proxy, "/session"),
        ("interpreted template, 3 rules", proxy, "/template"),
        ("session and header, 10001 rules", crowded, "/session"),
    ];
    let mut seen = vec![(Vec::new(), Vec::new()); cases.len()];
    for round in 0..=ROUNDS {
        for ((_, to, path), (rates, allocations)) in cases.iter().zip(&mut seen) {
            let (rate, allocated) = measure(*to, path).await;
            // The first round fills pools and caches.
            if round > 0 {
                rates.push(rate);
                allocations.push(allocated);
            }
        }
    }
    let bare_rates = seen[1].0.clone();
    println!("{:<34} {:>10} {:>9} {:>12}", "", "requests/s", "of bare", "allocations");
    for ((name, _, _), (rates, allocations)) in cases.iter().zip(seen) {
        // Interleave the rounds, so that a busy machine slows all cases alike.
        let ratios = rates.iter().zip(&bare_rates).map(|(rate, bare)| rate / bare).collect();
        println!("{name:<34} {:>10.0} {:>9.2} {:>12.0}", median(rates), median(ratios), median(allocations));
    }
    Ok(())
}
