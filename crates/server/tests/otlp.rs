//! The real program sends the span of a request to a collector, at the latest when it stops.

#![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]
#![expect(clippy::disallowed_methods, reason = "the collector is a task of the test, which waits for a real process")]

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use bytes::Bytes;
use http::Request;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use web::listener::{Listener, ListenerLimits, TlsAcceptors};
use web::outbound::{Client, Destinations};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PATIENCE: Duration = Duration::from_mins(1);

/// The received requests: the media type, the authorization, the message.
type Received = Arc<Mutex<Vec<(String, String, Bytes)>>>;

async fn receive(State(received): State<Received>, headers: HeaderMap, body: Bytes) {
    let text = |name| headers.get(name).map(|it| it.to_str().unwrap().to_owned()).unwrap_or_default();
    received.lock().unwrap().push((text("content-type"), text("authorization"), body));
}

/// Always accepts with the same certificate.
struct One(TlsAcceptor);

impl TlsAcceptors for One {
    fn acceptor(&self) -> TlsAcceptor {
        self.0.clone()
    }
}

/// A self-signed certificate for `localhost`, and the PEM that makes clients trust it.
fn own_authority() -> (TlsAcceptor, String) {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.into())
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), certified.cert.pem())
}

async fn collector(received: Received, tls: Option<TlsAcceptor>) -> (String, watch::Sender<bool>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let router = Router::new().route("/v1/traces", post(receive)).with_state(received);
    let (stop, stopped) = watch::channel(false);
    let tls = tls.map(|acceptor| Arc::new(One(acceptor)) as Arc<dyn TlsAcceptors>);
    tokio::spawn(Listener { socket, tls, limits: ListenerLimits::default(), router }.serve(stopped));
    (address, stop)
}

/// Starts the program; returns it and the address of its public listener when it is ready.
///
/// `authority` is a PEM document for `SSL_CERT_FILE`.
async fn program(collector: &str, authority: Option<&str>) -> (Child, String, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let store = data.path().join("authority.pem");
    let config = data.path().join("kratos.yml");
    let insecure = !collector.starts_with("localhost");
    let text = format!(
        "dsn: memory\nlog: {{format: json, level: warn}}\ntracing:\n  provider: otel\n  service_name: a-service\n  \
         providers: {{otlp: {{server_url: '{collector}', insecure: {insecure}, authorization_header: Bearer planted}}}}\n"
    );
    std::fs::write(&config, text).unwrap();
    let ports: Vec<TcpListener> =
        vec![TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap()];
    let ports: Vec<u16> = ports.iter().map(|it| it.local_addr().unwrap().port()).collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kleis"));
    command.args(["serve", "identity", "-c"]).arg(&config).arg("--data").arg(data.path().join("data"));
    command.env_clear().env("KLEIS_IDENTITY_SERVE_PUBLIC_PORT", ports[0].to_string());
    command.env("KLEIS_IDENTITY_SERVE_PUBLIC_HOST", "127.0.0.1");
    command.env("KLEIS_IDENTITY_SERVE_ADMIN_PORT", ports[1].to_string());
    if let Some(pem) = authority {
        std::fs::write(&store, pem).unwrap();
        command.env("SSL_CERT_FILE", &store);
    }
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    // The output must be read, because a full pipe would block the program.
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            eprintln!("{line}");
        }
    });
    (child, format!("http://127.0.0.1:{}", ports[0]), data)
}

async fn ask(url: &str) {
    let client = Client::new(Destinations::Any, &base::TrustStore::bundled());
    let answered = async {
        loop {
            let request = Request::get(format!("{url}/health/alive"));
            let request = request.header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"));
            if client.send(request.body(Bytes::new()).unwrap()).await.is_ok_and(|it| it.status() == 200) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, answered).await.unwrap();
}

/// Makes the program record a span, and stops it.
async fn ask_and_stop((mut child, url, _data): (Child, String, tempfile::TempDir)) {
    ask(&url).await;
    // The span must be sent now, not with the next batch.
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").arg(&id).status().await.unwrap().success());
    assert!(tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap().success());
}

#[tokio::test]
async fn a_collector_of_a_private_authority_is_trusted_with_ssl_cert_file_and_rejected_without() {
    for is_trusted in [true, false] {
        let received = Received::default();
        let (acceptor, pem) = own_authority();
        let (address, _stop) = collector(received.clone(), Some(acceptor)).await;
        let address = address.replace("127.0.0.1", "localhost");
        ask_and_stop(program(&address, is_trusted.then_some(pem.as_str())).await).await;
        let arrived = received.lock().unwrap().iter().flat_map(|(_, _, message)| spans(message)).count();
        assert_eq!(arrived > 0, is_trusted);
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_read_stops_the_start() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kleis"));
    command.args(["serve", "--data", "/nowhere"]).env_clear().env("SSL_CERT_FILE", "/nowhere/ca.pem");
    let output = command.stdout(Stdio::null()).output().await.unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("no certificate can be read from SSL_CERT_FILE"), "{errors}");
}

#[tokio::test]
async fn a_collector_receives_the_span_of_a_request_before_the_program_ends() {
    let received = Received::default();
    let (address, _stop) = collector(received.clone(), None).await;
    ask_and_stop(program(&address, None).await).await;

    let received = received.lock().unwrap();
    let spans: Vec<Span> = received.iter().flat_map(|(_, _, message)| spans(message)).collect();
    let span = spans.iter().find(|span| span.trace_id == TRACE).unwrap();
    assert_eq!((span.name.as_str(), span.kind, span.service.as_str()), ("GET /health/alive", 2, "a-service"));
    let attribute = |name: &str| span.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    assert_eq!(attribute("http.route"), Some(Value::from("/health/alive")));
    assert_eq!(attribute("http.request.method"), Some(Value::from("GET")));
    assert_eq!(attribute("http.response.status_code"), Some(Value::from(200)));
    assert!(received.iter().all(|(kind, secret, _)| kind == "application/x-protobuf" && secret == "Bearer planted"));
}

/// The checked fields of a span (opentelemetry.proto.trace.v1.Span).
struct Span {
    service: String,
    trace_id: String,
    name: String,
    kind: u64,
    attributes: Vec<(String, Value)>,
}

/// The spans of an `ExportTraceServiceRequest`.
fn spans(message: &[u8]) -> Vec<Span> {
    let mut found = Vec::new();
    for resource_spans in Fields::all(message, 1) {
        let resource = Fields::all(resource_spans, 1).concat();
        let of_resource: Vec<_> = Fields::all(&resource, 1).into_iter().map(attribute).collect();
        let service = of_resource.iter().find(|(key, _)| key == "service.name").unwrap().1.clone();
        for scope_spans in Fields::all(resource_spans, 2) {
            for span in Fields::all(scope_spans, 2) {
                let kind = Fields(span).find(|(number, _)| *number == 6);
                found.push(Span {
                    service: service.as_str().unwrap().to_owned(),
                    trace_id: format!("{:032x}", u128::from_be_bytes(Fields::all(span, 1)[0].try_into().unwrap())),
                    name: text(Fields::all(span, 5)[0]),
                    kind: if let Some((_, Field::Number(kind))) = kind { kind } else { 0 },
                    attributes: Fields::all(span, 9).into_iter().map(attribute).collect(),
                });
            }
        }
    }
    found
}

/// A `KeyValue`: its value is a text or a number.
fn attribute(message: &[u8]) -> (String, Value) {
    let value = Fields::all(message, 2).concat();
    let value = match Fields(&value).next() {
        Some((1, Field::Bytes(bytes))) => text(bytes).into(),
        Some((_, Field::Number(number))) => number.into(),
        Some(_) | None => Value::Null,
    };
    (text(Fields::all(message, 1)[0]), value)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The fields of a message in the encoding of protocol buffers.
struct Fields<'a>(&'a [u8]);

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Fields<'a> {
    fn all(message: &'a [u8], wanted: u64) -> Vec<&'a [u8]> {
        let fields = Fields(message).filter_map(|(number, field)| match field {
            Field::Bytes(bytes) if number == wanted => Some(bytes),
            Field::Bytes(_) | Field::Number(_) => None,
        });
        fields.collect()
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    fn varint(&mut self) -> u64 {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        value
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Field<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let tag = self.varint();
        let field = match tag & 7 {
            0 => Field::Number(self.varint()),
            1 => Field::Bytes(self.take(8)),
            5 => Field::Bytes(self.take(4)),
            _ => {
                let length = usize::try_from(self.varint()).unwrap();
                Field::Bytes(self.take(length))
            }
        };
        Some((tag >> 3, field))
    }
}
