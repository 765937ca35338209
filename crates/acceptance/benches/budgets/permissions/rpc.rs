//! A load generator for gRPC: streams over a few HTTP/2 connections, as clients of many requests use them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use permissions::messages::{health, keto};
use prost::Message;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::load::Outcome;

const CONNECTIONS: usize = 4;
/// Calls that are in progress at the same time on each connection.
const STREAMS: usize = 8;
/// The flag "not compressed" and the length, ahead of a message.
const PREFIX: usize = 5;

static GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// A call that is sent many times.
#[derive(Clone, Debug)]
pub(super) struct Call {
    path: &'static str,
    body: Bytes,
    expected: Expected,
}

#[derive(Clone, Copy, Debug)]
enum Expected {
    Serving,
    Allowed(bool),
}

impl Call {
    /// The procedure that does nothing.
    pub(super) fn empty() -> Self {
        let request = health::HealthCheckRequest { service: String::new() };
        Self { path: "/grpc.health.v1.Health/Check", body: framed(&request), expected: Expected::Serving }
    }

    pub(super) fn check(tuple: keto::RelationTuple, allowed: bool) -> Self {
        let request = keto::CheckRequest { tuple: Some(tuple), ..keto::CheckRequest::default() };
        let path = "/ory.keto.relation_tuples.v1alpha2.CheckService/Check";
        Self { path, body: framed(&request), expected: Expected::Allowed(allowed) }
    }

    fn request(&self, address: SocketAddr) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = format!("http://{address}{}", self.path).parse()?;
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        Ok(request)
    }

    fn verify(&self, mut message: Bytes) -> Result<()> {
        ensure!(message.len() >= PREFIX, "an answer without a message");
        message.advance(PREFIX);
        let is_right = match self.expected {
            Expected::Serving => {
                let status = health::HealthCheckResponse::decode(message)?.status();
                status == health::health_check_response::ServingStatus::Serving
            }
            Expected::Allowed(allowed) => keto::CheckResponse::decode(message)?.allowed == allowed,
        };
        ensure!(is_right, "another answer than {:?}", self.expected);
        Ok(())
    }
}

fn framed(message: &impl Message) -> Bytes {
    let mut body = BytesMut::new();
    body.put_u8(0);
    body.put_u32(u32::try_from(message.encoded_len()).unwrap_or(u32::MAX));
    body.put(message.encode_to_vec().as_slice());
    body.freeze()
}

/// Makes the calls in turn for `time`. An unexpected answer is an error.
pub(super) async fn fire(address: SocketAddr, calls: &Arc<[Call]>, time: Duration) -> Result<Outcome> {
    let started = Instant::now();
    let turn = Arc::new(AtomicUsize::new(0));
    let mut drivers = JoinSet::new();
    let mut streams = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot reach {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        drivers.spawn(connection);
        for _ in 0..STREAMS {
            let (sender, calls, turn) = (sender.clone(), calls.clone(), turn.clone());
            streams.spawn(async move { call_until(sender, address, &calls, &turn, started + time).await });
        }
    }
    let mut latencies = Vec::new();
    while let Some(measured) = streams.join_next().await {
        latencies.extend(measured??);
    }
    Ok(Outcome::of(latencies, started.elapsed()))
}

async fn call_until(
    mut sender: SendRequest<Full<Bytes>>,
    address: SocketAddr,
    calls: &[Call],
    turn: &AtomicUsize,
    end: Instant,
) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let call = calls.get(turn.fetch_add(1, Ordering::Relaxed) % calls.len()).context("a call")?;
        let request = call.request(address)?;
        let started = Instant::now();
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        let (parts, body) = response.into_parts();
        let collected = body.collect().await?;
        latencies.push(started.elapsed());
        let status = |headers: Option<&HeaderMap>| Some(headers?.get(&GRPC_STATUS)?.as_bytes() == b"0");
        let is_ok = status(collected.trailers()).or(status(Some(&parts.headers))) == Some(true);
        ensure!(parts.status == StatusCode::OK && is_ok, "{}: {:?} {:?}", call.path, parts, collected.trailers());
        call.verify(collected.to_bytes())?;
    }
    Ok(latencies)
}
