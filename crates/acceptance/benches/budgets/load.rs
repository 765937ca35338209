//! A load generator: a fixed number of connections, each sending one request after the other, for a fixed time. It runs on the
//! same cores as the server, so its results are only meaningful in comparison.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// A request that is sent many times.
#[derive(Clone, Debug)]
pub(crate) struct Shot {
    pub(crate) address: SocketAddr,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
    expected: StatusCode,
}

/// The results of a measurement.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    latencies: Vec<Duration>,
    took: Duration,
}

impl Shot {
    pub(crate) fn get(address: SocketAddr, path: &str) -> Self {
        Self {
            address,
            method: Method::GET,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            expected: StatusCode::OK,
        }
    }

    pub(crate) fn form(address: SocketAddr, path: &str, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut shot = Self::get(address, path);
        shot.method = Method::POST;
        shot.body = Bytes::from(body);
        shot.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        shot
    }

    pub(crate) fn json(address: SocketAddr, method: Method, path: &str, body: &serde_json::Value) -> Self {
        let mut shot = Self::get(address, path);
        shot.method = method;
        shot.body = Bytes::from(body.to_string());
        shot.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        shot
    }

    /// Another status than 200 is the right one.
    pub(crate) fn expecting(mut self, status: StatusCode) -> Self {
        self.expected = status;
        self
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Result<Self> {
        self.headers.insert(name, HeaderValue::from_str(value)?);
        Ok(self)
    }

    fn request(&self) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.path.parse()?;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(header::HOST, HeaderValue::from_str(&self.address.to_string())?);
        Ok(request)
    }
}

impl Outcome {
    pub(crate) fn of(latencies: Vec<Duration>, took: Duration) -> Self {
        Self { latencies, took }
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.count() / self.took.as_secs_f64()
    }

    pub(crate) fn count(&self) -> f64 {
        f64::from(u32::try_from(self.latencies.len()).unwrap_or(u32::MAX))
    }

    /// The latency at a quantile, 0.5 for the median.
    pub(crate) fn percentile(&self, part: f64) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "an index into a list of some thousands"
        )]
        let index = (sorted.len() as f64 * part) as usize;
        sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
    }

    pub(crate) fn absorb(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.took += other.took;
    }
}

/// Sends `shot` over `connections` connections for `time`. An unexpected answer is an error, because refusals are fast.
pub(crate) async fn fire(shot: &Shot, connections: usize, time: Duration) -> Result<Outcome> {
    fire_in_turn(&Arc::from([shot.clone()]), connections, time).await
}

/// Like [`fire`], with several shots in turn.
pub(crate) async fn fire_in_turn(shots: &Arc<[Shot]>, connections: usize, time: Duration) -> Result<Outcome> {
    let address = shots.first().context("there is nothing to send")?.address;
    let shots = shots.clone();
    let turn = AtomicUsize::new(0);
    let next = move || {
        let turn = turn.fetch_add(1, Ordering::Relaxed) % shots.len();
        shots.get(turn).cloned().context("a shot")
    };
    fire_next(address, connections, time, next).await
}

/// Sends what `next` returns, each once.
pub(crate) async fn fire_next(
    address: SocketAddr,
    connections: usize,
    time: Duration,
    next: impl Fn() -> Result<Shot> + Send + Sync + 'static,
) -> Result<Outcome> {
    let started = Instant::now();
    let mut shooters = JoinSet::new();
    let next = Arc::new(next);
    for _ in 0..connections {
        let next = next.clone();
        shooters.spawn(async move { fire_until(address, &*next, started + time).await });
    }
    let mut outcome = Outcome::default();
    while let Some(latencies) = shooters.join_next().await {
        outcome.latencies.extend(latencies??);
    }
    outcome.took = started.elapsed();
    Ok(outcome)
}

/// Sends `shot` once, over a connection of its own.
pub(crate) async fn once(shot: &Shot) -> Result<()> {
    let stream = TcpStream::connect(shot.address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    exchange(&mut sender, shot).await
}

/// Sends the shots one after the other over one connection.
pub(crate) async fn each(shots: &[Shot]) -> Result<Outcome> {
    let first = shots.first().context("there is nothing to send")?;
    let stream = TcpStream::connect(first.address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let mut outcome = Outcome::default();
    let started = Instant::now();
    for shot in shots {
        let sent = Instant::now();
        exchange(&mut sender, shot).await?;
        outcome.latencies.push(sent.elapsed());
    }
    outcome.took = started.elapsed();
    Ok(outcome)
}

async fn fire_until(
    address: SocketAddr,
    next: &(impl Fn() -> Result<Shot> + Sync),
    end: Instant,
) -> Result<Vec<Duration>> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("cannot reach {address}"))?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let shot = next()?;
        let started = Instant::now();
        exchange(&mut sender, &shot).await?;
        latencies.push(started.elapsed());
    }
    Ok(latencies)
}

async fn exchange(sender: &mut SendRequest<Full<Bytes>>, shot: &Shot) -> Result<()> {
    sender.ready().await?;
    let response = sender.send_request(shot.request()?).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    ensure!(status == shot.expected, "{} {}: {status}: {}", shot.method, shot.path, String::from_utf8_lossy(&body));
    Ok(())
}
