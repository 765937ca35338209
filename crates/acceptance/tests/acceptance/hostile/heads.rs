//! Request heads that violate HTTP, and unusual header values.

use anyhow::{Context as _, Result, ensure};

use super::routes::{Place, ROUTES};
use super::verdict::{about, refused, refused_by_the_parser, refused_or_led_on, sane};
use super::wire::{Answer, Request, exchange, read_all, send};
use super::world::World;

/// A public path of each listener.
fn open_path(place: Place) -> &'static str {
    if place == Place::GatewayProxy { "/open/a" } else { "/health/ready" }
}

/// Sends a raw request with path and host filled in.
async fn raw(world: &World, place: Place, text: &str) -> Result<Answer> {
    let text = text.replace("{path}", open_path(place)).replace("{host}", &world.authority(place)?);
    exchange(world, place, text.as_bytes()).await
}

/// RFC 9112 section 3.2: exactly one `Host`.
#[tokio::test]
async fn a_request_without_one_host_is_refused() -> Result<()> {
    let world = World::on_sqlite().await?;
    for place in Place::ALL {
        for hosts in ["", "Host: {host}\r\nHost: {host}\r\n", "Host: {host}\r\nhost: evil.example\r\n"] {
            let answer =
                raw(&world, place, &format!("GET {{path}} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n")).await?;
            ensure!(answer.status == 400, "{place:?} {hosts:?}: {}", answer.summary());
            refused(place, &answer)?;
        }
        // HTTP/1.0 does not require it.
        let answer = raw(&world, place, "GET {path} HTTP/1.0\r\n\r\n").await?;
        sane(place, &answer)?;
        ensure!(place == Place::GatewayProxy || answer.status == 200, "{place:?}: {}", answer.summary());
    }
    world.end().await
}

#[tokio::test]
async fn the_host_of_a_request_is_never_used_as_our_own_name() -> Result<()> {
    let world = World::on_sqlite().await?;
    let hosts = [
        "evil.example",
        "evil.example:80",
        "a@evil.example",
        "evil.example/x",
        "[::1",
        "",
        " ",
        "a b",
        "..",
        "\u{e9}",
        "%00",
        "a,b",
    ];
    for route in ROUTES.iter().filter(|route| route.method == "GET") {
        for host in hosts {
            let path = world.fill(route.path);
            let head = format!(
                "GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Host: evil.example\r\nConnection: close\r\n\r\n"
            );
            let answer = exchange(&world, route.place, head.as_bytes()).await?;
            if answer.body.is_empty() && answer.status == 400 {
                refused_by_the_parser(&answer)?;
                continue;
            }
            sane(route.place, &answer).with_context(|| about(route, host))?;
            // The proxy forwards the requested host to its upstream.
            let shown = format!("{} {}", answer.header("location"), answer.text());
            ensure!(
                route.place == Place::GatewayProxy || !shown.contains("evil.example"),
                "{}: {shown}",
                about(route, host)
            );
        }
    }
    world.end().await
}

#[tokio::test]
async fn a_head_that_is_not_http_is_refused() -> Result<()> {
    let world = World::on_sqlite().await?;
    let many = (0..300).map(|n| format!("X-{n}: {n}\r\n")).collect::<Vec<_>>().concat();
    let large = format!("X: {}\r\n", "y".repeat(100_000));
    let heads = [
        "\r\n\r\n{path}\r\n\r\n",
        "GET\r\n\r\n",
        "GET {path}\r\n\r\n",
        "GET {path} HTTP/1.1 x\r\nHost: {host}\r\n\r\n",
        "GET {path} HTTP/9.9\r\nHost: {host}\r\n\r\n",
        "GET {path} HTTP/2.0\r\nHost: {host}\r\n\r\n",
        "GET {path} http/1.1\r\nHost: {host}\r\n\r\n",
        "G\u{e9}T {path} HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "GET  {path} HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nX Y: z\r\n\r\n",
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nX : z\r\n\r\n",
        "GET {path} HTTP/1.1\r\nHost: {host}\r\n: z\r\n\r\n",
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nX\r\n\r\n",
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nX: a\r\n b\r\n\r\n",
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nX: a\u{0}b\r\n\r\n",
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nX: a\rY: b\r\n\r\n",
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: -1\r\n\r\n",
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1e3\r\n\r\n",
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1, 2\r\n\r\nab",
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: gzip\r\n\r\nab",
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}\r\n\r\n",
    ];
    let many = format!("GET {{path}} HTTP/1.1\r\nHost: {{host}}\r\n{many}\r\n");
    let large = format!("GET {{path}} HTTP/1.1\r\nHost: {{host}}\r\n{large}\r\n");
    for place in Place::ALL {
        for head in heads.into_iter().chain([many.as_str(), &large]) {
            let shown: String = head.chars().take(120).collect();
            let answer = raw(&world, place, head).await.with_context(|| format!("{place:?} {shown:?}"))?;
            if answer.body.is_empty() {
                refused_by_the_parser(&answer).with_context(|| format!("{place:?} {shown:?}"))?;
            } else {
                refused(place, &answer).with_context(|| format!("{place:?} {shown:?}"))?;
            }
        }
    }
    world.end().await
}

/// RFC 9112 section 6.1: chunks take precedence over a length, and the connection closes, so that the rest is not parsed as a
/// request.
#[tokio::test]
async fn a_body_of_two_lengths_smuggles_no_second_request() -> Result<()> {
    let world = World::on_sqlite().await?;
    for place in Place::ALL {
        let path = open_path(place);
        let host = world.authority(place)?;
        for lengths in [
            "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n",
            "Content-Length: 6\r\nTransfer-Encoding: Chunked\r\n",
        ] {
            let smuggled = format!("GET {path}?smuggled HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            let text = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\n{lengths}\r\n0\r\n\r\n{smuggled}");
            let received = read_all(&world, place, text.as_bytes()).await?;
            let received = String::from_utf8_lossy(&received).into_owned();
            let answers = received.matches("HTTP/1.1 ").count();
            ensure!(answers == 1, "{place:?} {lengths:?}: {answers} answers: {received}");
            ensure!(!received.starts_with("HTTP/1.1 5"), "{place:?} {lengths:?}: {received}");
        }
    }
    world.end().await
}

#[tokio::test]
async fn a_broken_chunk_is_refused() -> Result<()> {
    let world = World::on_sqlite().await?;
    let chunks = [
        "zz\r\nab\r\n0\r\n\r\n",
        "-1\r\n\r\n",
        "ffffffffffffffffff\r\n",
        "2\r\nabcd\r\n0\r\n\r\n",
        "2;x=\u{0}\r\nab\r\n0\r\n\r\n",
        " 2\r\nab\r\n0\r\n\r\n",
        "\r\n\r\n",
    ];
    for route in
        ROUTES.iter().filter(|route| (route.reads_json() || route.reads_forms()) && route.place != Place::GatewayProxy)
    {
        let kind = if route.reads_json() { "application/json" } else { "application/x-www-form-urlencoded" };
        for chunk in chunks {
            let head = format!(
                "{} {} HTTP/1.1\r\nHost: {}\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{chunk}",
                route.method,
                world.fill(route.path),
                world.authority(route.place)?
            );
            let answer = exchange(&world, route.place, head.as_bytes()).await.with_context(|| about(route, chunk))?;
            refused_or_led_on(route.place, &answer).with_context(|| about(route, chunk))?;
        }
    }
    world.end().await
}

/// Unsupported methods are refused.
#[tokio::test]
async fn a_method_that_is_not_served_is_refused() -> Result<()> {
    let world = World::on_sqlite().await?;
    for route in ROUTES {
        let path = world.fill(route.path);
        for method in ["TRACE", "PROPFIND", "get", "M-SEARCH", "X".repeat(500).as_str(), "LINK"] {
            let answer = send(&world, route.place, &Request::new(method, &path)).await?;
            // Decisions are about any method, and an upstream may support any method.
            // The rules of the gateway compare methods without case, as the original does.
            let takes_any = path.starts_with("/sessions/whoami")
                || route.place == Place::GatewayApi
                || (route.place == Place::GatewayProxy && method == "get");
            sane(route.place, &answer).with_context(|| about(route, method))?;
            if !takes_any {
                refused(route.place, &answer).with_context(|| about(route, method))?;
            }
        }
    }
    for place in Place::ALL {
        let host = world.authority(place)?;
        for line in ["OPTIONS *", "CONNECT evil.example:443", "CONNECT *", "CONNECT /", "OPTIONS http://evil.example"] {
            let head = format!("{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            let answer = exchange(&world, place, head.as_bytes()).await.with_context(|| format!("{place:?} {line}"))?;
            if answer.body.is_empty() && answer.status == 400 {
                refused_by_the_parser(&answer).with_context(|| format!("{place:?} {line}"))?;
            } else {
                refused(place, &answer).with_context(|| format!("{place:?} {line}"))?;
            }
        }
    }
    world.end().await
}

#[tokio::test]
async fn unusual_header_values_affect_no_route() -> Result<()> {
    let world = World::on_sqlite().await?;
    let long = "a".repeat(20_000);
    let ranges = "text/html;q=0.1,".repeat(1_000);
    let commas = ",".repeat(10_000);
    let headers = [
        ("Accept", ";;;,,,q=,*/*;q=nan"),
        ("Accept", ranges.as_str()),
        ("Accept", "\u{e9}"),
        ("Accept-Language", "\u{202e}, de;q=-1, *;q=1e309, x-\u{e9}"),
        ("Accept-Language", &commas),
        ("Authorization", "Basic"),
        ("Authorization", "Basic !!!!"),
        ("Authorization", "Basic Og=="),
        ("Authorization", "Basic /////w=="),
        ("Authorization", "Bearer"),
        ("Authorization", "Bearer  \t "),
        ("Authorization", "\u{e9} \u{e9}"),
        ("Authorization", "Negotiate YII="),
        ("Authorization", &long),
        ("Content-Type", "application/json; charset=\u{e9}"),
        ("Content-Encoding", "gzip"),
        ("Origin", "null"),
        ("Origin", "http://evil.example"),
        ("Origin", "\u{e9}:///%%"),
        ("Referer", "http://[::"),
        ("User-Agent", "\u{202e}\u{1f511}"),
        ("User-Agent", &long),
        ("X-Forwarded-For", "1.2.3.4, ::ffff:999, evil, "),
        ("X-Forwarded-For", &commas),
        ("X-Forwarded-Proto", "javascript"),
        ("X-Forwarded-Host", "a/b@c:d"),
        ("X-Forwarded-Uri", "/../..//%00"),
        ("X-Forwarded-Method", "a b"),
        ("Forwarded", "for=\"[::1\";proto=x;;;=,"),
        ("X-Session-Token", "\u{e9}%00"),
        ("X-Request-Id", "\u{e9}"),
        ("Traceparent", "00-zz-zz-zz"),
        ("Traceparent", "ff-00000000000000000000000000000000-0000000000000000-00"),
        ("Expect", "200-maybe"),
        ("Upgrade", "websocket"),
        ("Connection", "upgrade, close, \u{e9}"),
        ("Range", "bytes=0-0,-1,9-1"),
        ("If-None-Match", "\"\\\""),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Csrf-Token", "\u{e9}"),
        ("TE", "trailers, deflate;q=0.5"),
        ("Max-Forwards", "-1"),
    ];
    for route in ROUTES {
        for (name, value) in headers {
            let request = Request::new(route.method, world.fill(route.path)).header(name, value);
            let answer = send(&world, route.place, &request).await?;
            sane(route.place, &answer).with_context(|| about(route, (name, value)))?;
        }
    }
    world.end().await
}
