//! Outbound calls: web-hooks, key sets, breach lists, other services. A [`Client`] has a pool of connections; each service
//! has one client, with the destinations that its section allows.
//!
//! Invariants: a call ends within its deadline and reads at most its limit; redirects are answers and are not followed; with
//! [`Destinations::PublicOnly`] the connection goes to the address that was checked, so that DNS rebinding has no effect.

mod guard;

use std::error::Error as StdError;
use std::time::Duration;

use base::TrustStore;
use base::causes::chain;
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use guard::Resolver;
pub use guard::{Destinations, is_public};

/// The time and size limits of a call.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub timeout: Duration,
    pub max_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), max_bytes: 1024 * 1024 }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    #[error("{0} is not an http or https URL with a host")]
    InvalidUrl(String),
    /// The address is in a private network, and calls to it are not allowed.
    #[error("{0} is not a public address")]
    Forbidden(String),
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// With all causes: an untrusted certificate is the innermost of several.
    #[error("the call failed: {}", chain(.0.as_ref()))]
    Failed(Box<dyn StdError + Send + Sync>),
}

/// The client. A cheap clone that shares its pool.
#[derive(Clone)]
pub struct Client {
    pool: Pool<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>,
    trust: TrustStore,
    destinations: Destinations,
    limits: Limits,
}

impl Client {
    #[expect(clippy::disallowed_methods, reason = "the client that all other code must use")]
    pub fn new(destinations: Destinations, trust: &TrustStore) -> Self {
        let mut http = HttpConnector::new_with_resolver(Resolver::new(destinations.clone()));
        http.enforce_http(false);
        http.set_connect_timeout(Some(Duration::from_secs(5)));
        http.set_nodelay(true);
        let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let versions: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];
        let tls = rustls::ClientConfig::builder_with_provider(provider).with_protocol_versions(versions);
        let https = match tls {
            Ok(builder) => HttpsConnectorBuilder::new()
                .with_tls_config(builder.with_root_certificates(trust.roots()).with_no_client_auth()),
            Err(_) => unreachable!("the provider supports TLS 1.2 and 1.3"),
        };
        let connector = https.https_or_http().enable_http1().wrap_connector(http);
        let pool = Pool::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(8)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self { pool, trust: trust.clone(), destinations, limits: Limits::default() }
    }

    /// The authorities that this client trusts. Connections without this client trust the same ones.
    pub fn trust(&self) -> &TrustStore {
        &self.trust
    }

    /// The same pool with other limits.
    #[must_use]
    pub fn with_limits(&self, limits: Limits) -> Self {
        Self { limits, ..self.clone() }
    }

    /// Sends a request and reads the whole answer. Any status is an answer. A failure is logged here, with the origin of the
    /// URL and the cause.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, OutboundError> {
        let origin = origin(request.uri());
        let outcome = self.exchange(request).await;
        if let Err(error) = &outcome {
            tracing::warn!(origin, error = %error, "an outbound call failed");
        }
        outcome
    }

    async fn exchange(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, OutboundError> {
        check_url(request.uri(), &self.destinations)?;
        // RFC 9110 section 8.6: some servers answer 411 without it.
        if request.body().is_empty() && [Method::POST, Method::PUT, Method::PATCH].contains(request.method()) {
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let Limits { timeout, max_bytes } = self.limits;
        let call = async {
            let response = self.pool.request(request.map(Full::new)).await.map_err(|error| failed(Box::new(error)))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, max_bytes).collect().await;
            let body = body.map_err(|error| {
                if error.is::<LengthLimitError>() { OutboundError::TooLarge(max_bytes) } else { failed(error) }
            })?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        };
        tokio::time::timeout(timeout, call).await.unwrap_or(Err(OutboundError::Timeout(timeout)))
    }

    /// `GET`s a URL.
    pub async fn get(&self, url: &str) -> Result<Response<Bytes>, OutboundError> {
        let uri: Uri = url.parse().map_err(|_| OutboundError::InvalidUrl(url.to_owned()))?;
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri;
        self.send(request).await
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Scheme, host and port: a path or a query may contain a secret.
fn origin(uri: &Uri) -> String {
    let port = uri.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{}{port}", uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default())
}

/// The resolver gets only names: an address in the URL is checked here.
fn check_url(uri: &Uri, destinations: &Destinations) -> Result<(), OutboundError> {
    let host = uri.host().filter(|_| matches!(uri.scheme_str(), Some("http" | "https")));
    let host = host.ok_or_else(|| OutboundError::InvalidUrl(origin(uri)))?;
    match host.trim_start_matches('[').trim_end_matches(']').parse() {
        Ok(address) if !destinations.allow(host, address) => Err(OutboundError::Forbidden(host.to_owned())),
        _ => Ok(()),
    }
}

fn failed(error: Box<dyn StdError + Send + Sync>) -> OutboundError {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error.as_ref());
    while let Some(it) = cause {
        if let Some(guard::Forbidden(host)) = it.downcast_ref() {
            return OutboundError::Forbidden(host.clone());
        }
        cause = it.source();
    }
    OutboundError::Failed(error)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the server that is called is a task of the test")]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn server(answer: &'static str) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut buffer = [0; 1024];
                let _ = stream.read(&mut buffer).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                if answer.is_empty() {
                    tokio::time::sleep(Duration::from_secs(5)).await;
                }
            }
        });
        format!("http://{address}/")
    }

    #[tokio::test]
    async fn an_answer_is_read_up_to_the_limit_and_within_the_time() {
        let client = Client::new(Destinations::Any, &TrustStore::bundled());
        let url = server("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 5\r\n\r\nhello").await;
        let answer = client.get(&url).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (302, b"hello".as_slice()));
        let tight = client.with_limits(Limits { max_bytes: 4, ..Limits::default() });
        assert!(matches!(tight.get(&url).await, Err(OutboundError::TooLarge(4))));
        let silent = server("").await;
        let hasty = client.with_limits(Limits { timeout: Duration::from_millis(50), ..Limits::default() });
        assert!(matches!(hasty.get(&silent).await, Err(OutboundError::Timeout(_))));
    }

    /// The head of the request that a server gets.
    async fn sent(method: Method, body: &'static str) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let request = Request::builder().method(method).uri(format!("http://{}/", listener.local_addr().unwrap()));
        let client = Client::new(Destinations::Any, &TrustStore::bundled());
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 1024];
            let length = stream.read(&mut buffer).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            String::from_utf8_lossy(&buffer[..length]).to_ascii_lowercase()
        };
        let (head, answer) =
            tokio::join!(serve, client.send(request.body(Bytes::from_static(body.as_bytes())).unwrap()));
        assert_eq!(answer.unwrap().status(), 200);
        head
    }

    #[tokio::test]
    async fn a_request_that_may_have_a_body_says_that_it_has_none() {
        for method in [Method::POST, Method::PUT, Method::PATCH] {
            let head = sent(method.clone(), "").await;
            assert_eq!(head.matches("\r\ncontent-length: 0\r\n").count(), 1, "{head}");
            assert!(!head.contains("transfer-encoding"), "{head}");
            assert!(sent(method, "abc").await.contains("\r\ncontent-length: 3\r\n"));
        }
        for method in [Method::GET, Method::DELETE, Method::HEAD] {
            assert!(!sent(method, "").await.contains("content-length"));
        }
    }

    #[tokio::test]
    async fn private_addresses_are_refused_by_number_and_by_name() {
        let client = Client::new(Destinations::public_only([]), &TrustStore::bundled());
        let url = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        assert!(matches!(client.get(&url).await, Err(OutboundError::Forbidden(_))));
        let by_name = url.replace("127.0.0.1", "localhost");
        assert!(matches!(client.get(&by_name).await, Err(OutboundError::Forbidden(_))));
        assert!(matches!(client.get("http://[::1]:1/").await, Err(OutboundError::Forbidden(_))));
        assert!(matches!(client.get("file:///etc/passwd").await, Err(OutboundError::InvalidUrl(_))));
        let excepted = Client::new(Destinations::public_only(["localhost".to_owned()]), &TrustStore::bundled());
        assert_eq!(excepted.get(&by_name).await.unwrap().status(), 200);
    }
}
