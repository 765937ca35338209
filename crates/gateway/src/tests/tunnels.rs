//! Tunnels: authorized like any request, and how they are closed.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::harness::{Running, drain_head, head, raw_upstream, read_head, rule};

async fn websocket_upstream(answer: &'static str) -> String {
    raw_upstream(move |mut stream| async move {
        drain_head(&mut stream).await;
        let _ = stream.write_all(answer.as_bytes()).await;
        let mut buffer = [0; 64];
        while let Ok(length @ 1..) = stream.read(&mut buffer).await {
            let _ = stream.write_all(&buffer[..length].to_ascii_uppercase()).await;
        }
    })
    .await
}

const UPGRADE: [(&str, &str); 3] =
    [("connection", "keep-alive, Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", "x")];

#[tokio::test]
async fn a_websocket_works_in_both_directions_and_outlives_every_timeout() {
    let answer = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: y\r\n\r\n";
    let upstream = websocket_upstream(answer).await;
    let denied = json!({"authorizer": {"handler": "deny"}});
    let running =
        Running::start(json!([rule("/ws", &upstream, json!({})), rule("/no", &upstream, denied)]), json!({})).await;
    let stream = TcpStream::connect(running.proxy).await.unwrap();
    let mut stream = BufReader::new(stream);
    stream.write_all(head("GET", "/ws", &UPGRADE).as_bytes()).await.unwrap();
    let (status, headers) = read_head(&mut stream).await;
    assert_eq!(status, 101);
    assert_eq!(headers["sec-websocket-accept"], "y");
    for message in [b"hello", b"again"] {
        stream.write_all(message).await.unwrap();
        let mut echo = [0; 5];
        stream.read_exact(&mut echo).await.unwrap();
        assert_eq!(echo.to_vec(), message.to_ascii_uppercase());
        sleep(Duration::from_millis(400)).await;
    }
    running.gateway.close_tunnels().await;
    let mut rest = Vec::new();
    assert_eq!(stream.read_to_end(&mut rest).await.unwrap_or(0), 0, "the tunnel ends with the gateway");
    assert_eq!(running.get("/no", &UPGRADE).await.status, 403);
}

#[tokio::test]
async fn a_websocket_ends_with_the_session_that_opened_it() {
    let answer = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";
    let upstream = websocket_upstream(answer).await;
    let session = |on_invalid: &str| {
        json!({"authenticators": [
            {"handler": "cookie_session", "on_invalid": on_invalid,
             "config": {"check_session_url": "kleis://identity/sessions/whoami", "only": ["session"]}},
            {"handler": "anonymous"},
        ]})
    };
    let rules = json!([rule("/strict", &upstream, session("fail")), rule("/lenient", &upstream, session("next"))]);
    let running = Running::start(rules, json!({})).await;
    // A connection that lost its session is not kept open as anonymous either.
    for (path, cookie, stays) in [
        ("/strict", "session=valid-alice", true),
        ("/strict", "session=once-alice", false),
        ("/lenient", "session=once-bob", false),
        ("/lenient", "theme=dark", true),
    ] {
        let mut stream = BufReader::new(TcpStream::connect(running.proxy).await.unwrap());
        let fields = [&UPGRADE[..], &[("cookie", cookie)]].concat();
        stream.write_all(head("GET", path, &fields).as_bytes()).await.unwrap();
        assert_eq!(read_head(&mut stream).await.0, 101, "{path} {cookie}");
        let ended = timeout(Duration::from_millis(2500), stream.read_u8()).await;
        assert_eq!(ended.is_err(), stays, "{path} {cookie}: {ended:?}");
    }
}

#[tokio::test]
async fn switching_to_a_protocol_that_was_not_requested_is_502() {
    let answer = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: other\r\n\r\n";
    let upstream = websocket_upstream(answer).await;
    let running = Running::start(json!([rule("/ws", &upstream, json!({}))]), json!({})).await;
    let mut stream = BufReader::new(TcpStream::connect(running.proxy).await.unwrap());
    stream.write_all(head("GET", "/ws", &UPGRADE).as_bytes()).await.unwrap();
    assert_eq!(read_head(&mut stream).await.0, 502);
}
