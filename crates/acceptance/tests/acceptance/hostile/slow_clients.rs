//! Slow clients: each is disconnected within a time limit, and other clients do not wait for it.

use std::time::{Duration, Instant};

use acceptance::suite::Engine;
use anyhow::{Context as _, Result, ensure};
use http::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::routes::Place;
use super::world::World;

/// The head of a request may take five seconds.
const HEAD_BOUND: Duration = Duration::from_secs(12);
/// A stalled body is cut off after a quarter of a minute on a public listener.
const STALL_BOUND: Duration = Duration::from_secs(25);
/// A trickling body is cut off with its answer, after a minute.
const TRICKLE_BOUND: Duration = Duration::from_secs(80);

/// The public listeners, and a route on each that reads a body.
const PUBLIC: [(Place, &str, &str); 2] = [
    (Place::IdentityPublic, "/self-service/login?flow={login}", "application/json"),
    (Place::OauthPublic, "/oauth2/token", "application/x-www-form-urlencoded"),
];

/// Reads until the server closes the connection; a reset counts as well.
async fn rest(stream: &mut TcpStream, bound: Duration) -> Result<String> {
    let mut received = Vec::new();
    let reading = stream.read_to_end(&mut received);
    let _ = tokio::time::timeout(bound, reading).await.context("the connection is still there")?;
    Ok(String::from_utf8_lossy(&received).into_owned())
}

/// Writes `text` byte by byte until the server closes the connection or all of it is sent.
async fn trickle(stream: &mut TcpStream, text: &str, pause: Duration) {
    for byte in text.bytes() {
        if stream.write_all(&[byte]).await.is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
    }
}

/// Other clients are served while slow clients are connected.
async fn serves_others(world: &World) -> Result<()> {
    let started = Instant::now();
    for url in
        [world.suite.identity("/health/ready"), world.suite.oauth("/health/ready"), world.suite.gateway("/open/a")]
    {
        world.suite.api().get(url).await?.expect_status(StatusCode::OK)?;
    }
    ensure!(started.elapsed() < Duration::from_secs(3), "others wait: {:?}", started.elapsed());
    Ok(())
}

#[tokio::test]
async fn a_head_that_trickles_or_never_comes_ends_its_connection() -> Result<()> {
    let world = World::on_sqlite().await?;
    let mut waiting = tokio::task::JoinSet::new();
    for place in Place::ALL {
        let address = world.authority(place)?;
        for head in
            ["", "GET / HTTP/1.1\r\nX-Filler: 0123456789012345678901234567890123456789012345678901234567890123456789"]
        {
            let mut stream = TcpStream::connect(&address).await?;
            waiting.spawn(async move {
                let (mut reading, mut writing) = stream.split();
                let mut received = Vec::new();
                let write = async {
                    for byte in head.bytes() {
                        if writing.write_all(&[byte]).await.is_err() {
                            return;
                        }
                        tokio::time::sleep(Duration::from_millis(250)).await;
                    }
                };
                let read = tokio::time::timeout(HEAD_BOUND, reading.read_to_end(&mut received));
                let ((), read) = tokio::join!(write, read);
                read.is_ok() && !received.starts_with(b"HTTP/1.1 2")
            });
        }
    }
    for _ in 0..6 {
        serves_others(&world).await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    while let Some(ended) = waiting.join_next().await {
        ensure!(ended?, "a slow head was not cut off within {HEAD_BOUND:?}");
    }
    world.end().await
}

#[tokio::test]
async fn a_body_that_stalls_is_answered_with_408() -> Result<()> {
    let world = World::on_sqlite().await?;
    let mut streams = Vec::new();
    for (place, path, kind) in PUBLIC {
        for length in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
            let mut stream = TcpStream::connect(world.authority(place)?).await?;
            let start = if length.starts_with('C') { "{\"a\":" } else { "5\r\n{\"a\":\r\n" };
            let (path, host) = (world.fill(path), world.authority(place)?);
            let head =
                format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\n{length}\r\n\r\n{start}");
            stream.write_all(head.as_bytes()).await?;
            streams.push((place, stream));
        }
    }
    serves_others(&world).await?;
    for (place, mut stream) in streams {
        let answer = rest(&mut stream, STALL_BOUND).await.with_context(|| format!("{place:?}"))?;
        ensure!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("\"error\""), "{place:?}: {answer}");
    }
    world.end().await
}

#[tokio::test]
async fn a_body_that_trickles_forever_is_cut_off() -> Result<()> {
    let world = World::on_sqlite().await?;
    let mut trickling = tokio::task::JoinSet::new();
    for (place, path, kind) in PUBLIC {
        let (path, host) = (world.fill(path), world.authority(place)?);
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: 1000\r\n\r\n");
        let mut stream = TcpStream::connect(&host).await?;
        stream.write_all(head.as_bytes()).await?;
        trickling.spawn(async move {
            trickle(&mut stream, &" ".repeat(70), Duration::from_secs(1)).await;
            (place, rest(&mut stream, Duration::from_secs(10)).await)
        });
    }
    let started = Instant::now();
    while let Some(ended) = trickling.join_next().await {
        let (place, answer) = ended?;
        let answer = answer.with_context(|| format!("{place:?}"))?;
        ensure!(answer.starts_with("HTTP/1.1 408 "), "{place:?}: {answer}");
        ensure!(started.elapsed() < TRICKLE_BOUND, "{place:?}: after {:?}", started.elapsed());
    }
    world.end().await
}

#[tokio::test]
async fn a_client_that_does_not_read_is_disconnected() -> Result<()> {
    let timeout = json!({ "read": "300ms", "write": "500ms", "idle": "300ms" });
    let serve = json!({ "gateway": { "serve": { "api": { "timeout": timeout }, "proxy": { "timeout": timeout } } } });
    let world = World::start(Engine::Sqlite, serve).await?;
    // The application behind the proxy returns what it receives.
    let echoed = "x".repeat(256 * 1024);
    for (place, line, body) in [(Place::GatewayApi, "GET /rules", ""), (Place::GatewayProxy, "POST /open/a", &echoed)] {
        let host = world.authority(place)?;
        let mut stream = TcpStream::connect(&host).await?;
        let length = body.len();
        let request = format!("{line} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{body}");
        let requests = request.repeat(20);
        let started = Instant::now();
        // If no client reads the answers, both directions fill up and nothing makes progress.
        let flood = async { while stream.write_all(requests.as_bytes()).await.is_ok() {} };
        let ended = tokio::time::timeout(Duration::from_secs(45), flood).await;
        ensure!(ended.is_ok(), "{place:?}: a client that does not read holds its connection");
        serves_others(&world).await.with_context(|| format!("after {:?}", started.elapsed()))?;
    }
    world.end().await
}

#[tokio::test]
async fn the_timeouts_of_a_listener_can_be_configured() -> Result<()> {
    let timeout = json!({ "read": "300ms", "write": "5s", "idle": "600ms" });
    let serve = json!({ "gateway": { "serve": { "api": { "timeout": timeout }, "proxy": { "timeout": timeout } } } });
    let world = World::start(Engine::Sqlite, serve).await?;
    for place in [Place::GatewayApi, Place::GatewayProxy] {
        let host = world.authority(place)?;
        let mut slow = TcpStream::connect(&host).await?;
        slow.write_all(b"GET /open/a HTTP/1.1\r\n").await?;
        let answer = rest(&mut slow, Duration::from_secs(4)).await.with_context(|| format!("{place:?}"))?;
        ensure!(!answer.contains(" 200 "), "{place:?}: {answer}");

        let mut idle = TcpStream::connect(&host).await?;
        idle.write_all(format!("GET /health/alive HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await?;
        let answer = rest(&mut idle, Duration::from_secs(4)).await.with_context(|| format!("{place:?} idles"))?;
        ensure!(answer.starts_with("HTTP/1.1 "), "{place:?}: {answer}");
    }
    world.end().await
}
