//! The semantics of an HTTP intermediary (RFC 9110, 9112, 9113): responses without a body, interim responses, trailers,
//! framing, protocol upgrades, and both versions on both sides.

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, Version};
use http_body::Frame;
use http_body_util::{BodyExt as _, Empty, StreamBody};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::harness::{Running, drain_head, echo_upstream, exchange, head, raw_upstream, read_head, rule};
use crate::tests::fixtures::spawn;

/// An upstream that sends each connection the same response, byte for byte.
async fn saying(answer: &'static str) -> String {
    raw_upstream(move |mut stream| async move {
        drain_head(&mut stream).await;
        let _ = stream.write_all(answer.as_bytes()).await;
    })
    .await
}

fn with_method(method: &str) -> Value {
    json!({"match": {"url": "http://<[^/]*>/a", "methods": [method]}})
}

#[tokio::test]
async fn the_response_to_head_has_the_length_and_not_the_body() {
    let upstream = saying("HTTP/1.1 200 OK\r\ncontent-length: 42\r\netag: \"x\"\r\n\r\n").await;
    let running = Running::start(json!([rule("/a", &upstream, with_method("HEAD"))]), json!({})).await;
    let answer = exchange(running.proxy, "HEAD", "/a", &[], b"").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-length")), (200, Some("42")));
    assert_eq!((answer.header("etag"), answer.text.len()), (Some("\"x\""), 0));
    assert_eq!(running.get("/a", &[]).await.status, 404, "a rule for HEAD does not match GET");
}

#[tokio::test]
async fn responses_without_a_body_stay_without_one() {
    for answer in ["HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\netag: \"x\"\r\n\r\n"] {
        let running = Running::start(json!([rule("/a", &saying(answer).await, json!({}))]), json!({})).await;
        let got = running.get("/a", &[("if-none-match", "\"x\"")]).await;
        assert_eq!((got.status.as_str(), got.text.len()), (&answer[9..12], 0));
        assert_eq!(got.header("transfer-encoding"), None);
    }
}

#[tokio::test]
async fn a_client_gets_100_continue_only_when_the_request_is_allowed() {
    let upstream = echo_upstream().await;
    let denied = json!({"authorizer": {"handler": "deny"}});
    let rules = json!([rule("/up", &upstream, json!({})), rule("/no", &upstream, denied)]);
    let running = Running::start(rules, json!({})).await;
    let waiting = [("content-length", "5"), ("expect", "100-continue"), ("connection", "close")];

    let mut stream = BufReader::new(TcpStream::connect(running.proxy).await.unwrap());
    stream.write_all(head("POST", "/no", &waiting).as_bytes()).await.unwrap();
    assert_eq!(read_head(&mut stream).await.0, 403, "the body is not read");

    let mut stream = BufReader::new(TcpStream::connect(running.proxy).await.unwrap());
    stream.write_all(head("POST", "/up", &waiting).as_bytes()).await.unwrap();
    assert_eq!(read_head(&mut stream).await.0, 100);
    stream.write_all(b"hello").await.unwrap();
    assert_eq!(read_head(&mut stream).await.0, 200);
    let mut body = String::new();
    stream.read_to_string(&mut body).await.unwrap();
    let seen: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&seen["length"], seen["headers"].get("expect")), (&json!(5), None));
}

#[tokio::test]
async fn interim_responses_of_the_upstream_are_not_final() {
    let answer = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n\
                  HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let running = Running::start(json!([rule("/a", &saying(answer).await, json!({}))]), json!({})).await;
    let got = running.get("/a", &[]).await;
    assert_eq!((got.status.as_u16(), got.text.as_str(), got.header("link")), (200, "ok", None));
}

#[tokio::test]
async fn trailers_of_a_response_reach_a_client_that_accepts_them() {
    let answer =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 7\r\n\r\n";
    let running = Running::start(json!([rule("/a", &saying(answer).await, json!({}))]), json!({})).await;
    let got = running.get("/a", &[("te", "trailers")]).await;
    assert_eq!((got.status.as_u16(), got.header("trailer")), (200, Some("x-sum")));
    assert!(got.text.ends_with("0\r\nx-sum: 7\r\n\r\n"), "{:?}", got.text);
}

#[tokio::test]
async fn transfer_encoding_takes_precedence_over_content_length() {
    // RFC 9112 section 6.1: `Content-Length` next to `Transfer-Encoding` must not be forwarded.
    let upstream = echo_upstream().await;
    let running = Running::start(json!([rule("/up", &upstream, json!({}))]), json!({})).await;
    for framing in [
        [("content-length", "3"), ("transfer-encoding", "chunked"), ("connection", "close")],
        [("transfer-encoding", "chunked"), ("content-length", "3"), ("connection", "close")],
    ] {
        let mut stream = BufReader::new(TcpStream::connect(running.proxy).await.unwrap());
        stream.write_all(head("POST", "/up", &framing).as_bytes()).await.unwrap();
        stream.write_all(b"5\r\nhello\r\n0\r\n\r\n").await.unwrap();
        let (status, _) = read_head(&mut stream).await;
        let mut body = String::new();
        stream.read_to_string(&mut body).await.unwrap();
        let seen: Value = serde_json::from_str(&body).unwrap_or_default();
        assert!(status == 400 || (seen["length"] == 5 && seen["headers"].get("content-length").is_none()), "{body}");
    }
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let running = Running::start(json!([rule("/a", &saying(answer).await, json!({}))]), json!({})).await;
    let got = running.get("/a", &[]).await;
    assert_eq!((got.status.as_u16(), got.header("content-length")), (200, None), "{got:?}");
}

#[tokio::test]
async fn an_upgrade_to_h2c_cannot_bypass_the_rules() {
    // An upstream that would switch to HTTP/2 on this connection, on which no rule would check the requests.
    let upstream = raw_upstream(|mut stream| async move {
        let request = drain_head(&mut stream).await;
        let upgrades = request.to_ascii_lowercase().contains("upgrade");
        let answer: &str = if upgrades {
            "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: h2c\r\n\r\n"
        } else {
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
        };
        let _ = stream.write_all(answer.as_bytes()).await;
    })
    .await;
    let running = Running::start(json!([rule("/a", &upstream, json!({}))]), json!({})).await;
    // Upgrades other than WebSocket are not forwarded; if several are offered, the upstream cannot choose another one.
    for (protocol, expected) in [("h2c", 200), ("HTTP/2.0", 200), ("TLS/1.2", 200), ("websocket, h2c", 502)] {
        let fields = [("connection", "Upgrade, HTTP2-Settings"), ("upgrade", protocol), ("http2-settings", "AAMAAABk")];
        let mut stream = BufReader::new(TcpStream::connect(running.proxy).await.unwrap());
        stream.write_all(head("GET", "/a", &fields).as_bytes()).await.unwrap();
        assert_eq!(read_head(&mut stream).await.0, expected, "{protocol}");
    }
}

#[tokio::test]
async fn a_request_with_a_trailing_slash_matches_the_rule_without_one() {
    let upstream = echo_upstream().await;
    let slashed = rule("/never/", &upstream, json!({}));
    let running = Running::start(json!([rule("/a", &upstream, json!({})), slashed]), json!({})).await;
    assert_eq!(running.get("/a/", &[]).await.json["uri"], "/a/");
    for path in ["/never/", "/never"] {
        assert_eq!(running.get(path, &[]).await.status, 404, "{path}");
    }
}

/// A client that uses HTTP/2 with prior knowledge.
#[expect(clippy::disallowed_methods, reason = "the client of a test is not part of the product")]
fn http2_client() -> Client<HttpConnector, Empty<Bytes>> {
    Client::builder(TokioExecutor::new()).http2_only(true).build_http()
}

/// The result of a call over HTTP/2: status, body, trailers.
async fn over_http2(running: &Running, path: &str, headers: &[(&str, &str)]) -> (StatusCode, Bytes, HeaderMap) {
    let uri = format!("http://{}{path}", running.proxy);
    let request = http::Request::builder().uri(uri).version(Version::HTTP_2);
    let request = headers.iter().fold(request, |it, (name, value)| it.header(*name, *value));
    let answer = http2_client().request(request.body(Empty::new()).unwrap()).await.unwrap();
    let status = answer.status();
    let whole = answer.into_body().collect().await.unwrap();
    let trailers = whole.trailers().cloned().unwrap_or_default();
    (status, whole.to_bytes(), trailers)
}

#[tokio::test]
async fn a_client_may_use_http2_when_the_upstream_does_not() {
    let upstream = echo_upstream().await;
    let named = json!({"mutators": [{"handler": "header", "config": {"headers": {"X-User": "{{ print .Subject }}"}}}]});
    let running = Running::start(json!([rule("/a", &upstream, named)]), json!({})).await;
    let sent = [("cookie", "a=1"), ("cookie", "b=2"), ("x-user", "mallory"), ("te", "trailers")];
    let (status, body, _) = over_http2(&running, "/a?q=1", &sent).await;
    let seen: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, &seen["uri"]), (StatusCode::OK, &json!("/a?q=1")));
    assert_eq!((&seen["headers"]["cookie"], &seen["headers"]["x-user"]), (&json!("a=1; b=2"), &json!("anonymous")));
    assert_eq!(seen["headers"]["host"], json!(upstream.strip_prefix("http://").unwrap()));
    assert_eq!(over_http2(&running, "/none", &[]).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_grpc_like_call_keeps_its_trailers() {
    let app = axum::Router::new().fallback(|request: Request| async move {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let data = Bytes::from(format!("{:?} {:?}", request.version(), request.headers().get("te")));
        let frames = [Ok::<_, std::convert::Infallible>(Frame::data(data)), Ok(Frame::trailers(trailers))];
        axum::response::Response::new(Body::new(StreamBody::new(futures_util::stream::iter(frames))))
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = format!("h2c://{}", listener.local_addr().unwrap());
    spawn(async move { axum::serve(listener, app).await });
    let running = Running::start(json!([rule("/service/call", &upstream, json!({}))]), json!({})).await;
    let (status, body, trailers) = over_http2(&running, "/service/call", &[("te", "trailers")]).await;
    assert_eq!((status, &trailers["grpc-status"]), (StatusCode::OK, &HeaderValue::from_static("0")));
    assert_eq!(body, "HTTP/2.0 Some(\"trailers\")");
}
