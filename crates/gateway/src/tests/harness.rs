//! A gateway on two free ports, upstreams under the control of a test, and a plain HTTP/1.1 client.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::response::IntoResponse;
use base::{Clock, ManualClock, Rng};
use contracts::Link;
use http::request::Parts as RequestParts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use jose::{Algorithm, Jwk, JwkSet};
use serde_json::{Value, json};
use test_client::Reply;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use web::listener::{Listener, ListenerLimits};
use web::{Edge, TrustedProxies};

use crate::tests::fixtures::{self, spawn};
use crate::{Config, Gateway, LocalServices, Parts};

pub(super) struct Running {
    pub(super) gateway: Arc<Gateway>,
    pub(super) proxy: SocketAddr,
    pub(super) api: SocketAddr,
    _stop: watch::Sender<bool>,
}

/// The configuration of the tests: every handler enabled, short timeouts, and the test's overrides.
pub(super) fn config(rules: &Value, changes: Value) -> Config {
    use base64::Engine as _;
    let rules = base64::engine::general_purpose::STANDARD.encode(rules.to_string());
    let mut config = fixtures::every_handler_enabled();
    config["serve"] = json!({"proxy": {"timeout": {"read": "300ms", "write": "300ms"}}});
    config["access_rules"] = json!({"repositories": [format!("inline://{rules}")]});
    for (name, value) in changes.as_object().unwrap() {
        config[name] = value.clone();
    }
    serde_json::from_value(config).unwrap()
}

pub(super) fn gateway(config: Config) -> Arc<Gateway> {
    let (_, sessions) = fixtures::fake_sessions();
    Gateway::new(Parts {
        config,
        rng: Rng::seeded(1),
        http: web::outbound::Client::new(web::outbound::Destinations::Any, &base::TrustStore::bundled()),
        sessions,
        introspection: Link::to(Arc::new(fixtures::FakeIntrospection)),
        permissions: Link::to(Arc::new(fixtures::FakePermissions)),
        local: LocalServices::default(),
        generated_keys: JwkSet { keys: vec![Jwk::generate(Algorithm::ES256, "k".to_owned()).unwrap()] },
        keeps_generated_keys: false,
    })
    .unwrap()
}

/// A rule for everything under `http://<.*>/<path>`, with changes.
pub(super) fn rule(path: &str, upstream: &str, changes: Value) -> Value {
    let mut rule = json!({
        "id": path,
        "match": {"url": format!("http://<[^/]*>{path}"), "methods": ["GET", "POST", "PUT"]},
        "authenticators": [{"handler": "anonymous"}],
        "authorizer": {"handler": "allow"},
        "mutators": [{"handler": "noop"}],
        "upstream": {"url": upstream},
    });
    rule.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    rule
}

impl Running {
    pub(super) async fn start(rules: Value, changes: Value) -> Self {
        let gateway = gateway(config(&rules, changes));
        gateway.load_rules().await.unwrap();
        Self::serve(gateway).await
    }

    pub(super) async fn serve(gateway: Arc<Gateway>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut addresses = Vec::new();
        for router in [gateway.public_router(), gateway.admin_router()] {
            let edge = Edge {
                clock: clock(),
                rng: Rng::seeded(2),
                proxies: TrustedProxies::default(),
                metrics: None,
                quiet_health: true,
                languages: web::language::Languages::default(),
                repeats_request_id: &[],
            };
            let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
            addresses.push(socket.local_addr().unwrap());
            let limits = ListenerLimits { body_idle_timeout: Duration::from_secs(10), ..ListenerLimits::default() };
            let listener = Listener { socket, tls: None, limits, router: edge.around(router) };
            spawn(listener.serve(stopped.clone()));
        }
        Self { gateway, proxy: addresses[0], api: addresses[1], _stop: stop }
    }

    pub(super) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        exchange(self.proxy, "GET", path, headers, b"").await
    }

    pub(super) async fn decide(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        exchange(self.api, "GET", path, headers, b"").await
    }
}

fn clock() -> Clock {
    ManualClock::starting_at(fixtures::START).clock()
}

/// The head of a request. `Host` is `api.example` unless the headers include one.
pub(super) fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        head.push_str("host: api.example\r\n");
    }
    for (name, value) in headers {
        head.extend([*name, ": ", *value, "\r\n"]);
    }
    head + "\r\n"
}

pub(super) async fn exchange(to: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let stream = TcpStream::connect(to).await.unwrap();
    let length = body.len().to_string();
    let mut all = headers.to_vec();
    if !body.is_empty() {
        all.push(("content-length", &length));
    }
    all.push(("connection", "close"));
    let (read, mut write) = stream.into_split();
    let (head, body) = (head(method, path, &all), body.to_vec());
    let sending = spawn(async move {
        write.write_all(head.as_bytes()).await.unwrap();
        let _ = write.write_all(&body).await;
        write
    });
    let mut read = BufReader::new(read);
    let (status, headers) = read_head(&mut read).await;
    let mut body = Vec::new();
    // The server closes the connection after the response; a chunked body is returned as received.
    let _ = read.read_to_end(&mut body).await;
    sending.abort();
    Reply::new(status, headers, &body)
}

pub(super) async fn read_head<R: tokio::io::AsyncBufRead + Unpin>(from: &mut R) -> (StatusCode, HeaderMap) {
    let mut line = String::new();
    from.read_line(&mut line).await.unwrap();
    let status = line.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status line");
    let mut headers = HeaderMap::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line).await.unwrap();
        match line.trim_end().split_once(':') {
            Some((name, value)) => {
                headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value.trim()).unwrap());
            }
            None => return (status, headers),
        }
    }
}

/// Reads a request up to the end of its head, for an upstream with handwritten responses.
pub(super) async fn drain_head(stream: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") && stream.read(&mut byte).await.unwrap_or(0) > 0 {
        seen.push(byte[0]);
    }
    String::from_utf8_lossy(&seen).into_owned()
}

/// An upstream with a handler for each connection.
pub(super) async fn raw_upstream<F>(serve: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serve = Arc::new(serve);
    spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            spawn(serve(stream));
        }
    });
    url
}

/// An upstream that echoes its request verbatim, chunked and with trailers.
pub(super) async fn verbatim_upstream() -> String {
    raw_upstream(|mut stream| async move {
        let mut seen = Vec::new();
        let mut buffer = [0; 1024];
        while !seen.ends_with(b"\r\n\r\n") || !seen.windows(5).any(|it| it == b"0\r\nx-" || it == b"0\r\n\r\n") {
            match stream.read(&mut buffer).await {
                Ok(length @ 1..) => seen.extend_from_slice(&buffer[..length]),
                _ => return,
            }
        }
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", seen.len());
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.write_all(&seen).await;
    })
    .await
}

/// An upstream that responds with the request line and the headers as JSON.
pub(super) async fn echo_upstream() -> String {
    let app = axum::Router::new().fallback(|request: axum::extract::Request| async move {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 64 << 20).await.unwrap();
        let headers: serde_json::Map<String, Value> = parts
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned().into()))
            .collect();
        axum::Json(json!({
            "method": parts.method.as_str(), "uri": parts.uri.to_string(), "headers": headers, "length": body.len(),
        }))
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    spawn(async move { axum::serve(listener, app).await });
    url
}

/// The requests that a server received: heads and bodies.
pub(crate) type Seen = Arc<Mutex<Vec<(RequestParts, String)>>>;

/// A server that records its requests and responds with `answer`.
pub(crate) async fn server<A: IntoResponse + 'static>(
    answer: impl Fn(&RequestParts, &str) -> A + Clone + Send + Sync + 'static,
) -> (String, Seen) {
    let seen = Seen::default();
    let noted = seen.clone();
    let app = axum::Router::new().fallback(move |request: axum::extract::Request| {
        let (answer, noted) = (answer.clone(), noted.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = String::from_utf8(axum::body::to_bytes(body, 8 << 20).await.unwrap().to_vec()).unwrap();
            let response = answer(&parts, &body).into_response();
            noted.lock().unwrap().push((parts, body));
            response
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    spawn(async move { axum::serve(listener, app).await });
    (url, seen)
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response<String> {
    let response =
        headers.iter().fold(Response::builder().status(status), |it, (name, value)| it.header(*name, *value));
    response.body(body.to_owned()).unwrap()
}
