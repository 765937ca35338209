//! Bodies that are begun and never finished, many on one connection by HTTP/2: one client holds a bounded part of the memory, the
//! rest is refused, and other clients are served.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base::bounds::{SUBMISSION, WAITING_BODIES_BYTES};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;

use super::routes::Place;
use super::world::World;

const STREAMS: usize = 250;
/// Less than any endpoint accepts.
const BYTES: usize = SUBMISSION.bytes - 8 * 1024;
/// Streams that fit into the part of one client, if the requests took nothing else.
const FIT: usize = WAITING_BODIES_BYTES / 2 / BYTES;

type Body = BoxBody<Bytes, std::convert::Infallible>;

struct Client {
    requests: SendRequest<Body>,
    url: String,
    content_type: &'static str,
    _driver: JoinSet<()>,
}

impl Client {
    async fn connect(world: &World, from: Ipv4Addr, target: &Target) -> Result<Self> {
        let authority = world.authority(target.place)?;
        let address: SocketAddr = ([127, 0, 0, 1], authority.rsplit(':').next().context("a port")?.parse()?).into();
        let socket = TcpSocket::new_v4()?;
        socket.bind((IpAddr::V4(from), 0).into())?;
        let stream = socket.connect(address).await?;
        let (requests, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        let mut driver = JoinSet::new();
        driver.spawn(async move { drop(connection.await) });
        let url = format!("http://{authority}{}", target.path);
        Ok(Self { requests, url, content_type: target.content_type, _driver: driver })
    }

    async fn send(&mut self, body: Body) -> Result<(StatusCode, HeaderMap, Bytes)> {
        self.requests.ready().await?;
        let request = Request::post(&self.url).header("content-type", self.content_type).header("te", "trailers");
        let (parts, body) = self.requests.send_request(request.body(body)?).await?.into_parts();
        Ok((parts.status, parts.headers, body.collect().await?.to_bytes()))
    }
}

struct Target {
    place: Place,
    path: &'static str,
    content_type: &'static str,
    /// Where a body that goes on begins.
    start: &'static [u8],
    /// A whole body, and whether this is an answer to it.
    whole: &'static [u8],
    answers: fn(StatusCode, &HeaderMap) -> bool,
    /// Whether this refuses what is too much of one client.
    refuses: fn(StatusCode, &HeaderMap, &[u8]) -> bool,
}

const TARGETS: [Target; 2] = [
    Target {
        place: Place::OauthPublic,
        path: "/oauth2/token",
        content_type: "application/x-www-form-urlencoded",
        start: b"grant_type=",
        whole: b"grant_type=unknown",
        answers: |status, _| status == StatusCode::BAD_REQUEST,
        refuses: |status, headers, body| {
            let text = String::from_utf8_lossy(body);
            status == StatusCode::TOO_MANY_REQUESTS
                && headers.get("retry-after").is_some_and(|it| it == "1")
                && text.contains("temporarily_unavailable")
        },
    },
    Target {
        place: Place::PermissionsRead,
        path: "/ory.keto.relation_tuples.v1alpha2.CheckService/Check",
        content_type: "application/grpc",
        start: &[0, 0, 2, 0, 0],
        whole: &[0, 0, 0, 0, 0],
        answers: |_, headers| headers.get("grpc-status").is_some_and(|it| it == "3"),
        refuses: |status, headers, _| {
            status == StatusCode::OK && headers.get("grpc-status").is_some_and(|it| it == "8")
        },
    },
];

/// Sends the start and `BYTES` in all, and never ends.
fn unfinished(start: &'static [u8]) -> Body {
    let rest = Bytes::from(vec![b'x'; BYTES - start.len()]);
    let pieces = stream::iter([Bytes::from_static(start), rest]).chain(stream::pending());
    BodyExt::boxed(StreamBody::new(pieces.map(|piece| Ok(Frame::data(piece)))))
}

#[tokio::test]
async fn one_client_holds_a_bounded_part_of_the_memory_with_unfinished_bodies() -> Result<()> {
    let world = World::on_sqlite().await?;
    for target in &TARGETS {
        let mut clients = Vec::new();
        for _ in 0..(2 * FIT).div_ceil(STREAMS) {
            clients.push(Client::connect(&world, Ipv4Addr::LOCALHOST, target).await?);
        }
        let (mut waiting, sent) = (JoinSet::new(), clients.len() * STREAMS);
        for client in &clients {
            for _ in 0..STREAMS {
                let requests = client.requests.clone();
                let (url, content_type) = (client.url.clone(), client.content_type);
                let mut client = Client { requests, url, content_type, _driver: JoinSet::new() };
                waiting.spawn(async move { client.send(unfinished(target.start)).await });
            }
        }
        // What fits is answered when it has stalled, after a quarter of a minute; the rest at once.
        let mut refused = 0;
        while refused < sent - FIT {
            let next = tokio::time::timeout(Duration::from_secs(10), waiting.join_next()).await;
            let answer = next.with_context(|| format!("{}: {refused} of {sent} are refused", target.path))?;
            let (status, headers, body) = answer.context("an answer")???;
            ensure!((target.refuses)(status, &headers, &body), "{}: {status} {headers:?}", target.path);
            refused += 1;
        }
        let mut other = Client::connect(&world, Ipv4Addr::new(127, 0, 0, 2), target).await?;
        let (status, headers, _) = other.send(Full::from(target.whole).boxed()).await?;
        ensure!((target.answers)(status, &headers), "{}: {status} {headers:?}", target.path);
        waiting.abort_all();
    }
    world.end().await
}
