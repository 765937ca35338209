//! Rules with an authorization server: what the upstream receives, and when.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::harness::{
    Running, Seen, answer, drain_head, echo_upstream, exchange, head, raw_upstream, read_head, rule, server,
    verbatim_upstream,
};

fn remote(url: &str) -> Value {
    json!({"authorizer": {"handler": "remote", "config": {
        "remote": url, "forward_response_headers_to_upstream": ["X-Role", "Authorization"],
    }}})
}

/// An upstream that records its requests.
async fn noting() -> (String, Seen) {
    server(|parts, body| {
        let role = parts.headers.get("x-role").map_or("-", |role| role.to_str().unwrap()).to_owned();
        answer(200, &[("x-sum", parts.headers.get("x-sum").map_or("-", |it| it.to_str().unwrap()))], &(role + body))
    })
    .await
}

#[tokio::test]
async fn the_upstream_gets_the_body_that_the_server_saw_and_the_headers_that_it_set() {
    let ((upstream, at_upstream), (url, at_server)) =
        (noting().await, server(|_, _| answer(200, &[("x-role", "writer"), ("authorization", "Bearer up")], "")).await);
    let open = rule("/open", &upstream, json!({}));
    let running = Running::start(json!([rule("/a", &upstream, remote(&url)), open]), json!({})).await;
    let body = "x".repeat(300_000);
    let sent = [("x-role", "admin"), ("X_Role", "admin"), ("content-type", "text/plain")];
    let got = exchange(running.proxy, "POST", "/a", &sent, body.as_bytes()).await;
    assert_eq!((got.status.as_u16(), got.text), (200, format!("writer{body}")));
    {
        let (at_server, seen) = (at_server.lock().unwrap(), at_upstream.lock().unwrap());
        assert_eq!((at_server.len(), seen.len()), (1, 1));
        assert_eq!((at_server[0].1 == body, seen[0].1 == body), (true, true));
        assert_eq!(
            (at_server[0].0.headers["content-type"].as_bytes(), at_server[0].0.headers.get("x-role")),
            (&b"text/plain"[..], None)
        );
        let headers = &seen[0].0.headers;
        assert_eq!((headers["content-length"].as_bytes(), headers.get("x_role")), (&b"300000"[..], None));
        assert_eq!(headers["authorization"], "Bearer up");
    }
    // Under a rule without an authorization server the client cannot set the header either.
    assert_eq!(exchange(running.proxy, "POST", "/open", &sent, b"y").await.text, "-y");
    assert_eq!(running.get("/a", &[]).await.text, "writer");
}

#[tokio::test]
async fn trailers_are_kept_and_a_forged_header_among_them_is_removed() {
    let (upstream, (url, at_server)) = (verbatim_upstream().await, server(|_, _| answer(200, &[], "")).await);
    let running = Running::start(json!([rule("/a", &upstream, remote(&url))]), json!({})).await;
    let mut stream = TcpStream::connect(running.proxy).await.unwrap();
    let sent = [
        ("transfer-encoding", "chunked"),
        ("trailer", "x-role, x-real-ip, x-forwarded-for, x-sum"),
        ("connection", "close"),
    ];
    let text = head("POST", "/a", &sent)
        + "3\r\nabc\r\n2\r\nde\r\n0\r\nx-role: admin\r\nx-real-ip: 6.6.6.6\r\nx-forwarded-for: 6.6.6.6\r\nx-sum: 1\r\n\r\n";
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(Duration::from_secs(5), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.contains("5\r\nabcde\r\n0\r\nx-sum: 1\r\n\r\n"), "{answer}");
    assert_eq!(at_server.lock().unwrap()[0].1, "abcde");
}

#[tokio::test]
async fn a_request_that_is_denied_never_reaches_the_upstream() {
    let ((upstream, at_upstream), (url, at_server)) = (noting().await, server(|_, _| answer(403, &[], "")).await);
    let running = Running::start(json!([rule("/a", &upstream, remote(&url))]), json!({})).await;
    assert_eq!(exchange(running.proxy, "POST", "/a", &[], b"body").await.status, 403);
    assert_eq!((at_server.lock().unwrap().len(), at_upstream.lock().unwrap().len()), (1, 0));
}

#[tokio::test]
async fn a_body_that_is_too_large_or_does_not_arrive_is_rejected_before_the_server_is_called() {
    let ((upstream, at_upstream), (url, at_server)) = (noting().await, server(|_, _| answer(200, &[], "")).await);
    let running = Running::start(json!([rule("/a", &upstream, remote(&url))]), json!({})).await;
    let large = vec![b'x'; (5 << 20) + 1];
    let refused = exchange(running.proxy, "POST", "/a", &[], &large).await;
    assert_eq!(
        (refused.status.as_u16(), refused.json["error"]["message"].as_str()),
        (413, Some("The body of this request is too large"))
    );
    let accepted = exchange(running.proxy, "POST", "/a", &[], &large[1..]).await;
    assert_eq!((accepted.status.as_u16(), accepted.text.len()), (200, 5 << 20));

    let mut stream = BufReader::new(TcpStream::connect(running.proxy).await.unwrap());
    stream.write_all(head("POST", "/a", &[("transfer-encoding", "chunked")]).as_bytes()).await.unwrap();
    let piece = [b"100000\r\n".to_vec(), vec![b'x'; 1 << 20], b"\r\n".to_vec()].concat();
    for _ in 0..6 {
        // The gateway may respond and close before it has read everything.
        if stream.write_all(&piece).await.is_err() {
            break;
        }
    }
    assert_eq!(read_head(&mut stream).await.0, 413);

    let mut stream = BufReader::new(TcpStream::connect(running.proxy).await.unwrap());
    stream.write_all(head("POST", "/a", &[("content-length", "5")]).as_bytes()).await.unwrap();
    stream.write_all(b"ab").await.unwrap();
    assert_eq!(read_head(&mut stream).await.0, 408);
    assert_eq!((at_server.lock().unwrap().len(), at_upstream.lock().unwrap().len()), (1, 1));
}

#[tokio::test]
async fn the_decision_api_sends_its_own_body_to_the_server() {
    let (url, at_server) = server(|_, body| {
        let status = if body.contains("forbidden") { 403 } else { 200 };
        answer(status, &[("x-role", "reader"), ("content-length-of-mine", "7")], "")
    })
    .await;
    let running = Running::start(json!([rule("/a", "", remote(&url))]), json!({})).await;
    let granted = exchange(running.api, "POST", "/decisions/a", &[("x-role", "admin")], b"fine").await;
    assert_eq!((granted.status.as_u16(), granted.header("x-role")), (200, Some("reader")));
    assert_eq!(granted.header("content-length-of-mine"), None);
    assert_eq!(exchange(running.api, "POST", "/decisions/a", &[], b"forbidden").await.status, 403);
    assert_eq!(running.decide("/decisions/a", &[]).await.status, 200);
    let large = vec![b'x'; (5 << 20) + 1];
    assert_eq!(exchange(running.api, "POST", "/decisions/a", &[], &large).await.status, 413);
    let bodies: Vec<String> = at_server.lock().unwrap().iter().map(|(_, body)| body.clone()).collect();
    assert_eq!(bodies, ["fine", "forbidden", ""]);
}

#[tokio::test]
async fn a_server_is_called_once_for_a_tunnel_and_the_session_is_still_watched() {
    let upstream = raw_upstream(|mut stream| async move {
        drain_head(&mut stream).await;
        let answer = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";
        let _ = stream.write_all(answer.as_bytes()).await;
        sleep(Duration::from_secs(10)).await;
    })
    .await;
    let (url, at_server) = server(|_, _| answer(200, &[], "")).await;
    let mut changes = remote(&url);
    changes["authenticators"] = json!([{"handler": "cookie_session", "config": {
        "check_session_url": "kleis://identity/sessions/whoami", "only": ["session"]}}]);
    let running = Running::start(json!([rule("/ws", &upstream, changes)]), json!({})).await;
    for (cookie, stays) in [("session=valid-alice", true), ("session=once-alice", false)] {
        at_server.lock().unwrap().clear();
        let mut stream = BufReader::new(TcpStream::connect(running.proxy).await.unwrap());
        let fields = [("connection", "Upgrade"), ("upgrade", "websocket"), ("cookie", cookie)];
        stream.write_all(head("GET", "/ws", &fields).as_bytes()).await.unwrap();
        assert_eq!(read_head(&mut stream).await.0, 101);
        let ended = timeout(Duration::from_millis(2500), stream.read_u8()).await;
        assert_eq!((ended.is_err(), at_server.lock().unwrap().len()), (stays, 1), "{cookie}");
    }
}

#[tokio::test]
async fn a_rule_without_an_authorization_server_streams_a_body_of_any_length() {
    let upstream = echo_upstream().await;
    let (url, _) = server(|_, _| answer(200, &[], "")).await;
    let json_rule = json!({"authorizer": {"handler": "remote_json", "config": {"remote": url, "payload": "{}"}}});
    let running = Running::start(json!([rule("/a", &upstream, json_rule)]), json!({})).await;
    let large = vec![b'x'; 6 << 20];
    let got = exchange(running.proxy, "POST", "/a", &[], &large).await;
    assert_eq!((got.status.as_u16(), &got.json["length"]), (200, &json!(6 << 20)));
}
