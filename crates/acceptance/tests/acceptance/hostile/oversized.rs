//! Bodies that are too large: the answer is 413, or 429 for a call by Connect, before the whole body is read, and it arrives.

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::routes::{Place, ROUTES, Route};
use super::verdict::{about, refused};
use super::wire::{Answer, exchange};
use super::world::World;

/// A little more than any route accepts.
const TOO_MUCH: usize = 5 * 1024 * 1024 + 64 * 1024;

/// The bodies of the proxy are bounded by its upstream.
fn readers() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| route.media_type().is_some() && route.place != Place::GatewayProxy)
}

fn head(world: &World, route: &Route, length: &str) -> Result<String> {
    let kind = route.media_type().unwrap_or_default();
    let (path, host) = (world.fill(route.path), world.authority(route.place)?);
    Ok(format!("{} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\n{length}\r\n\r\n", route.method))
}

/// 413, or the status of Connect for a message that is too large.
fn status_of(route: &Route) -> u16 {
    let service = route.path.rsplit('/').nth(1).unwrap_or_default();
    if service.ends_with("Service") || service == "grpc.health.v1.Health" { 429 } else { 413 }
}

fn is_too_large(route: &Route, answer: &Answer) -> bool {
    let is_exhausted = || answer.json().is_some_and(|body| body["code"] == "resource_exhausted");
    answer.status == status_of(route) && (answer.status == 413 || is_exhausted())
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_and_the_answer_arrives() -> Result<()> {
    let world = World::on_sqlite().await?;
    for route in readers() {
        let whole = format!("Content-Length: {TOO_MUCH}");
        let text = head(&world, route, &whole)? + &"x".repeat(TOO_MUCH);
        let answer = exchange(&world, route.place, text.as_bytes()).await.with_context(|| about(route, &whole))?;
        ensure!(is_too_large(route, &answer), "{}: {}", about(route, &whole), answer.summary());
        refused(route.place, &answer).with_context(|| about(route, &whole))?;

        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        let text = head(&world, route, "Transfer-Encoding: chunked")? + &chunk.repeat(TOO_MUCH / 0x10000 + 1);
        let answer = exchange(&world, route.place, text.as_bytes()).await.with_context(|| about(route, "chunks"))?;
        ensure!(is_too_large(route, &answer), "{}: {}", about(route, "chunks"), answer.summary());
        refused(route.place, &answer).with_context(|| about(route, "chunks"))?;
    }
    world.end().await
}

/// A gigabyte that is only announced is refused without reading.
#[tokio::test]
async fn an_announced_body_that_is_too_large_is_refused_unread() -> Result<()> {
    let world = World::on_sqlite().await?;
    for route in readers() {
        for length in ["1073741824", "9223372036854775807"] {
            let text = head(&world, route, &format!("Content-Length: {length}"))? + "{";
            let mut stream = TcpStream::connect(world.authority(route.place)?).await?;
            stream.write_all(text.as_bytes()).await?;
            let mut start = [0_u8; 12];
            let reading = stream.read_exact(&mut start);
            let read = tokio::time::timeout(std::time::Duration::from_secs(5), reading).await;
            read.with_context(|| format!("{}: it waits for the rest", about(route, length)))??;
            let expected = format!("HTTP/1.1 {}", status_of(route));
            ensure!(start == expected.as_bytes(), "{}: {}", about(route, length), String::from_utf8_lossy(&start));
        }
    }
    world.end().await
}
