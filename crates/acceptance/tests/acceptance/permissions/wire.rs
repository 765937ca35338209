//! What arrives at clients: gRPC as they speak it, by HTTP/2 that TLS negotiates and with trailers; and the metrics.

use std::sync::Arc;

use acceptance::private_authority::PrivateAuthority;
use acceptance::suite::{Engine, Suite};
use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut as _, Bytes};
use http::{HeaderMap, Method, Request, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use url::Url;

/// A connection to a listener, and the task that drives it.
struct Connection {
    requests: SendRequest<Full<Bytes>>,
    authority: String,
    _driver: JoinSet<()>,
}

impl Connection {
    async fn open(authority: &PrivateAuthority, url: &str) -> Result<Self> {
        let port = Url::parse(url)?.port().context("a port")?;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes())?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let socket = TcpStream::connect(("127.0.0.1", port)).await?;
        let stream = TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost")?, socket).await?;
        ensure!(stream.get_ref().1.alpn_protocol() == Some(b"h2"), "HTTP/2 was not negotiated");
        let (requests, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        let mut driver = JoinSet::new();
        driver.spawn(async {
            // Its end is seen by the requests.
            let _ = connection.await;
        });
        Ok(Self { requests, authority: format!("localhost:{port}"), _driver: driver })
    }

    /// The message of the answer, if there is one, and the trailers.
    async fn call(&mut self, method: &str, message: &Value) -> Result<(Value, HeaderMap)> {
        let message = message.to_string();
        let mut frame = vec![0];
        frame.put_u32(u32::try_from(message.len())?);
        frame.put_slice(message.as_bytes());
        let uri = format!("https://{}/{method}", self.authority);
        let request = Request::post(uri).header("content-type", "application/grpc+json").header("te", "trailers");
        let answer = self.requests.send_request(request.body(Full::from(frame))?).await?;
        ensure!((answer.status(), answer.version()) == (StatusCode::OK, Version::HTTP_2), "{answer:?}");
        ensure!(answer.headers().get("content-type").is_some_and(|it| it == "application/grpc+json"), "{answer:?}");
        let headers = answer.headers().clone();
        let body = answer.into_body().collect().await?;
        // Without a message the trailers are the headers.
        let trailers = body.trailers().cloned().unwrap_or(headers);
        let bytes = body.to_bytes();
        let message = bytes.get(5..).map(serde_json::from_slice).transpose()?.unwrap_or_default();
        Ok((message, trailers))
    }
}

#[tokio::test]
async fn a_call_by_grpc_over_tls_is_answered_with_trailers() -> Result<()> {
    let authority = PrivateAuthority::new()?;
    let (certificate, key) = authority.certificate()?;
    let pem = |text: &str| json!({ "base64": STANDARD.encode(text) });
    let mut config = super::namespaces();
    config["permissions"]["serve"]["read"]["tls"] = json!({ "cert": pem(&certificate), "key": pem(&key) });
    let suite = Suite::start_with(Engine::Sqlite, config).await?;
    let created = suite.api().json(Method::PUT, suite.permissions("write", super::TUPLES), &super::viewer("a")).await?;
    created.expect_status(StatusCode::CREATED)?;

    let mut connection = Connection::open(&authority, &suite.permissions("read", "/")).await?;
    let check = "ory.keto.relation_tuples.v1alpha2.CheckService/Check";
    let tuple = |namespace: &str, object: &str| json!({ "tuple": { "namespace": namespace, "object": object, "relation": "viewer", "subject": { "id": "alice" } } });
    for (object, allowed) in [("a", json!(true)), ("b", Value::Null)] {
        let (answer, trailers) = connection.call(check, &tuple("Doc", object)).await?;
        ensure!(trailers.get("grpc-status").is_some_and(|it| it == "0"), "{trailers:?}");
        // What has the default value is not in JSON.
        ensure!(answer["allowed"] == allowed && answer["snaptoken"].is_string(), "{answer}");
    }
    let (answer, trailers) = connection.call(check, &tuple("Nope", "a")).await?;
    ensure!(answer.is_null() && trailers.get("grpc-status").is_some_and(|it| it == "5"), "{answer} {trailers:?}");
    let (answer, trailers) = connection.call("grpc.health.v1.Health/Check", &json!({})).await?;
    ensure!(answer["status"] == "SERVING" && trailers.get("grpc-status").is_some_and(|it| it == "0"), "{answer}");
    suite.stop().await;
    Ok(())
}

/// The metrics of the service itself, on its own listener.
#[tokio::test]
async fn the_metrics_listener_has_the_state_of_the_graph_and_the_calls() -> Result<()> {
    acceptance::suite::with_config_on_both_engines(super::namespaces(), async |suite| {
        let created =
            suite.api().json(Method::PUT, suite.permissions("write", super::TUPLES), &super::viewer("a")).await?;
        created.expect_status(StatusCode::CREATED)?;
        let url = suite.permissions("metrics", "/metrics/prometheus");
        let value = async |name: &str| {
            let page = suite.api().get(&url).await?.expect_status(StatusCode::OK)?;
            let text = page.text();
            let line = text.lines().find(|line| line.split([' ', '{']).next() == Some(name));
            let line = line.with_context(|| format!("no {name} in {text}"))?;
            anyhow::Ok(line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok()).context("a number")?)
        };
        for _ in 0..300 {
            if value("permissions_graphs_ready").await? >= 1.0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        for (name, least) in [
            ("permissions_graphs_ready", 1.0),
            ("permissions_graph_tuples", 1.0),
            ("permissions_graph_bytes", 1.0),
            ("permissions_graph_watermark", 1.0),
            ("http_requests_total", 1.0),
        ] {
            let value = value(name).await?;
            ensure!(value >= least, "{name} is {value}");
        }
        Ok(())
    })
    .await
}
