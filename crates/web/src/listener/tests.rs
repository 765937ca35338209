//! Tests of a listener with fast, slow and stalled clients.

#![expect(clippy::disallowed_methods, reason = "the server and its clients are tasks of the test")]

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::routing::{get, post};
use futures_util::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::{Listener, ListenerLimits, RESETS_PER_CONNECTION, STREAMS_PER_CONNECTION};
use crate::PeerAddress;

const PIECE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

async fn start(limits: ListenerLimits) -> (std::net::SocketAddr, watch::Sender<bool>, tokio::task::JoinHandle<()>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let router = axum::Router::new()
        .route("/", get(|peer: axum::Extension<PeerAddress>| async move { peer.address.ip().to_string() }))
        .route(
            "/slow",
            get(|| async {
                tokio::time::sleep(Duration::from_millis(200)).await;
                "done"
            }),
        )
        .route(
            "/echo",
            post(|body: Result<String, axum::extract::rejection::StringRejection>| async {
                body.unwrap_or_else(|_| "stalled".to_owned())
            }),
        )
        .route("/large", get(|| async { vec![b'x'; 64 * 1024 * 1024] }))
        .route(
            "/pieces",
            get(|| async { Body::from_stream(stream::iter((0..4096).map(|_| Ok::<_, Infallible>(PIECE)))) }),
        );
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(Listener { socket, tls: None, limits, router }.serve(stopped));
    (address, stop, serving)
}

async fn exchange(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = tokio::time::timeout(Duration::from_secs(3), stream.read_to_string(&mut answer)).await;
    answer
}

#[tokio::test]
async fn a_request_has_the_address_of_its_peer() {
    let (address, _stop, _) = start(ListenerLimits::default()).await;
    let answer = exchange(address, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("127.0.0.1"), "{answer}");
}

#[tokio::test]
async fn bytes_that_are_not_a_request_get_an_answer_with_a_body() {
    let (address, _stop, _) = start(ListenerLimits::default()).await;
    for bad in ["GET /?a=\"b\" HTTP/1.1\r\nhost: x\r\n\r\n", "GET / HTTP/1.1\r\nbad header\r\n\r\n"] {
        for is_second in [false, true] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            if is_second {
                let mut answer = [0; 1024];
                stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
                assert!(stream.read(&mut answer).await.unwrap() > 0);
            }
            stream.write_all(bad.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
            assert!(head.starts_with("HTTP/1.1 400 Bad Request"), "{answer}");
            assert!(head.contains("content-type: application/json") && head.contains("connection: close"), "{answer}");
            assert_eq!((&body["error"]["code"], &body["error"]["status"]), (&400.into(), &"Bad Request".into()));
            assert!(body["error"]["reason"].as_str().unwrap().contains("malformed"), "{body}");
        }
    }
}

#[tokio::test]
async fn slow_heads_and_stalled_bodies_are_cut() {
    let limits = ListenerLimits {
        header_timeout: Duration::from_millis(100),
        body_idle_timeout: Duration::from_millis(100),
        ..ListenerLimits::default()
    };
    let (address, _stop, _) = start(limits).await;
    let started = std::time::Instant::now();
    let answer = exchange(address, "GET / HTTP/1.1\r\nhost: x\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    // The same for a second request.
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut answer = [0; 1024];
    for (request, status) in [("GET / HTTP/1.1\r\nhost: x\r\n\r\n", "200"), ("GET / HTTP/1.1\r\n", "408")] {
        stream.write_all(request.as_bytes()).await.unwrap();
        let length = stream.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(format!("HTTP/1.1 {status} ").as_bytes()), "{status}");
    }
    let answer =
        exchange(address, "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 10\r\n\r\nabc").await;
    assert!(answer.ends_with("stalled"), "{answer}");
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn open_requests_finish_before_the_shutdown_ends() {
    let (address, stop, serving) = start(ListenerLimits::default()).await;
    let request = tokio::spawn(exchange_owned(address));
    tokio::time::sleep(Duration::from_millis(50)).await;
    stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(3), serving).await.unwrap().unwrap();
    assert!(request.await.unwrap().ends_with("done"));
    assert!(TcpStream::connect(address).await.is_err());
}

async fn exchange_owned(address: std::net::SocketAddr) -> String {
    exchange(address, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await
}

#[tokio::test]
async fn a_head_that_arrives_in_drops_has_the_same_time_limit() {
    let limits = ListenerLimits { header_timeout: Duration::from_millis(200), ..ListenerLimits::default() };
    let (address, _stop, _) = start(limits).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let started = std::time::Instant::now();
    let mut dropped = 0;
    for byte in b"GET / HTTP/1.1\r\nhost: x\r\nx-filler: 0123456789012345678901234567890123456789\r\n\r\n" {
        if stream.write_all(&[*byte]).await.is_err() {
            break;
        }
        dropped += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(dropped < 60 && started.elapsed() < Duration::from_secs(3), "{dropped}");
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn a_body_that_arrives_in_drops_is_cut_off_where_bodies_are_small() {
    for (body_timeout, is_cut) in [(Some(Duration::from_millis(300)), true), (None, false)] {
        let limits = ListenerLimits { body_timeout, ..ListenerLimits::default() };
        let (address, _stop, _) = start(limits).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = b"POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 8\r\n\r\n";
        stream.write_all(head).await.unwrap();
        for byte in b"01234567" {
            let _ = stream.write_all(&[*byte]).await;
            tokio::time::sleep(Duration::from_millis(80)).await;
        }
        let mut answer = vec![0; 1024];
        let length = stream.read(&mut answer).await.unwrap_or(0);
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        assert_eq!((answer.ends_with("stalled"), answer.ends_with("01234567")), (is_cut, !is_cut), "{answer}");
    }
}

#[tokio::test]
async fn an_http2_connection_may_be_idle_and_is_closed_after_the_limit() {
    let limits = ListenerLimits {
        header_timeout: Duration::from_millis(100),
        keep_alive_timeout: Duration::from_millis(700),
        ..ListenerLimits::default()
    };
    let (address, _stop, _) = start(limits).await;
    let stream = hyper_util::rt::TokioIo::new(TcpStream::connect(address).await.unwrap());
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, stream).await.unwrap();
    let connection = tokio::spawn(connection);
    for _ in 0..3 {
        let request = http::Request::get("http://x/").body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap();
        let answer = sender.send_request(request).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, http::Version::HTTP_2));
        // Longer than the limit for a head, because the bytes in between are not a head.
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let ended = tokio::time::timeout(Duration::from_secs(3), connection).await;
    assert!(ended.is_ok(), "the connection goes on");
}

#[tokio::test]
async fn a_client_that_keeps_an_http2_window_shut_is_cut_off_and_one_that_waits_for_an_answer_is_not() {
    let limits = ListenerLimits { write_timeout: Duration::from_millis(150), ..ListenerLimits::default() };
    let (address, _stop, _) = start(limits).await;
    let stream = hyper_util::rt::TokioIo::new(TcpStream::connect(address).await.unwrap());
    let mut client = hyper::client::conn::http2::Builder::new(hyper_util::rt::TokioExecutor::new());
    client.initial_stream_window_size(1024).initial_connection_window_size(64 * 1024);
    let (mut sender, connection) = client.handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut ask = async |path: &str| {
        let request = http::Request::get(format!("http://x{path}"));
        sender.send_request(request.body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap()).await.unwrap()
    };
    // It takes longer than the limit for a write, but waits for the server.
    let answer = ask("/slow").await;
    assert_eq!(http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes(), "done");
    let unread = ask("/pieces").await;
    assert_eq!(unread.status(), 200);
    assert!(tokio::time::timeout(Duration::from_secs(3), connection).await.is_ok(), "the connection goes on");
}

/// The kinds of HTTP/2 frames that the tests below send and expect (RFC 9113 section 6).
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `GET http://x/`, whole.
fn opened(stream: u32) -> Vec<u8> {
    frame(HEADERS, 0b101, stream, b"\x82\x86\x84\x41\x01x")
}

fn cancelled(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())
}

/// The next frame of one of these kinds: its kind, its stream and its payload.
async fn next_frame(stream: &mut TcpStream, kinds: &[u8]) -> (u8, u32, Vec<u8>) {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]).try_into().unwrap()];
        stream.read_exact(&mut payload).await.unwrap();
        if kinds.contains(&head[3]) {
            return (head[3], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload);
        }
    }
}

async fn connected_by_http2(address: std::net::SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(SETTINGS, 0, 0, &[])].concat();
    stream.write_all(&preface).await.unwrap();
    next_frame(&mut stream, &[SETTINGS]).await;
    stream
}

#[tokio::test]
async fn a_client_may_cancel_all_its_streams_at_once() {
    let (address, _stop, _) = start(ListenerLimits::default()).await;
    let mut stream = connected_by_http2(address).await;
    let ids = || (0..STREAMS_PER_CONNECTION).map(|number| 2 * number + 1);
    let all: Vec<u8> = ids().flat_map(opened).chain(ids().flat_map(cancelled)).collect();
    stream.write_all(&all).await.unwrap();
    let next = 2 * STREAMS_PER_CONNECTION + 1;
    stream.write_all(&opened(next)).await.unwrap();
    let answered = async {
        loop {
            let (kind, id, payload) = next_frame(&mut stream, &[HEADERS, GOAWAY]).await;
            assert_eq!(kind, HEADERS, "{}", payload.escape_ascii());
            if id == next {
                // `:status: 200`
                assert_eq!(payload[0], 0x88);
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), answered).await.unwrap();
}

#[tokio::test]
async fn a_client_that_goes_on_cancelling_streams_loses_its_connection() {
    let (address, _stop, _) = start(ListenerLimits::default()).await;
    let mut stream = connected_by_http2(address).await;
    let count = u32::try_from(100 * RESETS_PER_CONNECTION).unwrap();
    let all: Vec<u8> =
        (0..count).map(|number| 2 * number + 1).flat_map(|id| [opened(id), cancelled(id)].concat()).collect();
    // The listener may have closed the connection before it read all of them.
    let _ = stream.write_all(&all).await;
    let (_, _, payload) = next_frame(&mut stream, &[GOAWAY]).await;
    // The last stream, ENHANCE_YOUR_CALM, and why.
    assert_eq!((&payload[4..8], &payload[8..]), (11_u32.to_be_bytes().as_slice(), b"too_many_resets".as_slice()));
}

#[tokio::test]
async fn an_idle_connection_has_a_longer_limit_than_a_head() {
    let limits = ListenerLimits {
        header_timeout: Duration::from_millis(100),
        keep_alive_timeout: Duration::from_millis(600),
        ..ListenerLimits::default()
    };
    let (address, _stop, _) = start(limits).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut answer = [0; 1024];
    for _ in 0..2 {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let length = stream.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200 OK"));
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let started = std::time::Instant::now();
    let end = tokio::time::timeout(Duration::from_secs(3), stream.read(&mut answer)).await.unwrap();
    assert_eq!(end.unwrap(), 0, "nothing but the end");
    assert!(started.elapsed() > Duration::from_millis(150));
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off_and_one_that_reads_slowly_is_not() {
    let limits = ListenerLimits {
        write_timeout: Duration::from_millis(300),
        // A complete answer is in progress until it is sent.
        keep_alive_timeout: Duration::from_millis(400),
        ..ListenerLimits::default()
    };
    let (address, _stop, _) = start(limits).await;
    let ask = async || {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        stream
    };
    let mut deaf = ask().await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), deaf.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.len() < 60 * 1024 * 1024, "{}", rest.len());

    let mut slow = ask().await;
    let (mut piece, mut received) = (vec![0; 8 * 1024 * 1024], 0);
    while received < 64 * 1024 * 1024 {
        let length = slow.read_exact(&mut piece[..]).await.unwrap_or(0);
        assert!(length > 0, "cut off after {received}");
        received += length;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_client_that_connects_and_sends_nothing_is_closed_without_an_answer() {
    let limits = ListenerLimits { header_timeout: Duration::from_millis(100), ..ListenerLimits::default() };
    let (address, _stop, _) = start(limits).await;
    assert_eq!(exchange(address, "").await, "");
}

#[tokio::test]
async fn a_unix_socket_is_removed_with_its_listener() {
    let place = std::env::temp_dir().join(format!("kleis-listener-{}.sock", std::process::id()));
    let socket = super::UnixSocket::new(tokio::net::UnixListener::bind(&place).unwrap(), place.clone());
    let router = axum::Router::new().route("/", get(|| async { "here" }));
    let (stop, stopped) = watch::channel(false);
    let listener = Listener { socket, tls: None, limits: ListenerLimits::default(), router };
    let serving = tokio::spawn(listener.serve(stopped));
    let mut stream = tokio::net::UnixStream::connect(&place).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("here"), "{answer}");
    stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(3), serving).await.unwrap().unwrap();
    assert!(!place.exists());
}
