//! What a listener does with good, slow and late clients.

#![expect(clippy::disallowed_methods, reason = "the server and its clients are tasks of the test")]

use std::time::Duration;

use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::{Listener, ListenerLimits};
use crate::PeerAddress;

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
async fn a_request_knows_its_peer() {
    let (address, _stop, _) = start(ListenerLimits::default()).await;
    let answer = exchange(address, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("127.0.0.1"), "{answer}");
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
    assert!(!answer.contains("200"), "{answer}");
    let answer =
        exchange(address, "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 10\r\n\r\nabc").await;
    assert!(answer.ends_with("stalled"), "{answer}");
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn what_is_under_way_is_finished_before_the_end() {
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
