//! The proxy: what the upstream receives, what the client receives, and failing connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::harness::{
    Running, drain_head, echo_upstream, exchange, head, raw_upstream, read_head, rule, verbatim_upstream,
};

#[tokio::test]
async fn the_upstream_gets_the_headers_of_the_rule() {
    let upstream = echo_upstream().await;
    let headers =
        json!({"mutators": [{"handler": "header", "config": {"headers": {"X-User": "{{ print .Subject }}"}}}]});
    let running = Running::start(
        json!([rule("/named", &upstream, headers), rule("/plain/<.*>", &format!("{upstream}/base"), json!({}))]),
        json!({}),
    )
    .await;
    let forged = [("x-user", "admin"), ("X_User", "admin"), ("x-forwarded-for", "6.6.6.6"), ("x-other", "o")];
    let seen = running.get("/named?q=%2F", &forged).await.json;
    assert_eq!((&seen["uri"], &seen["headers"]["x-user"]), (&json!("/named?q=%2F"), &json!("anonymous")));
    assert_eq!((seen["headers"].get("x_user"), &seen["headers"]["x-other"]), (None, &json!("o")));
    assert_eq!(seen["headers"]["host"], json!(upstream.strip_prefix("http://").unwrap()));
    // A rule that sets nothing does not forward the forged header either.
    let seen = running.get("/plain/a%20b/../c/", &forged).await.json;
    assert_eq!((&seen["uri"], seen["headers"].get("x-user")), (&json!("/base/plain/c/"), None));
    assert_eq!(seen["headers"].get("x-forwarded-for"), None);
}

#[tokio::test]
async fn headers_that_override_the_request_line_are_removed_unless_the_rule_keeps_them() {
    let upstream = echo_upstream().await;
    let keeping = json!({"upstream": {"url": upstream, "keep_headers": ["X-HTTP-Method-Override"]}});
    let running =
        Running::start(json!([rule("/a", &upstream, json!({})), rule("/kept", &upstream, keeping)]), json!({})).await;
    let sent = [
        ("X-Original-URL", "/admin"),
        ("X_Original_URL", "/admin"),
        ("x-rewrite-url", "/admin"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Method-Override", "DELETE"),
        ("x-mine", "7"),
    ];
    let names = |seen: &Value| -> Vec<String> {
        let names = seen["headers"].as_object().unwrap().keys().filter(|name| name.starts_with('x'));
        let mut names: Vec<String> = names.cloned().collect();
        names.sort();
        names
    };
    assert_eq!(names(&running.get("/a", &sent).await.json), ["x-mine"]);
    assert_eq!(names(&running.get("/kept", &sent).await.json), ["x-http-method-override", "x-mine"]);
    let granted = running.decide("/decisions/a", &sent).await;
    assert_eq!((granted.header("x-original-url"), granted.header("x-mine")), (None, Some("7")));
    let removed = "x-http-method-override,x-method-override,x-original-url,x-rewrite-url,x_original_url";
    assert_eq!(granted.header("x-envoy-auth-headers-to-remove"), Some(removed));
}

#[tokio::test]
async fn host_path_and_forwarded_headers_follow_the_rule() {
    let upstream = echo_upstream().await;
    let settings = json!({"upstream": {"url": upstream, "preserve_host": true, "strip_path": "/api",
                                       "forwarded_headers": true}});
    let running = Running::start(json!([rule("/api/<.*>", "", settings)]), json!({})).await;
    let seen = running.get("/api/x/", &[("host", "shop.example")]).await.json;
    assert_eq!((&seen["uri"], &seen["headers"]["host"]), (&json!("/x/"), &json!("shop.example")));
    assert_eq!(seen["headers"]["x-forwarded-for"], "127.0.0.1");
    assert_eq!(
        (&seen["headers"]["x-forwarded-proto"], &seen["headers"]["x-forwarded-host"]),
        (&json!("http"), &json!("shop.example"))
    );
}

#[tokio::test]
async fn only_a_listed_proxy_may_set_the_scheme() {
    let upstream = echo_upstream().await;
    let mut secure = rule("/s", &upstream, json!({}));
    secure["match"]["url"] = json!("https://api.example/s");
    let https = [("x-forwarded-proto", "https"), ("x-forwarded-for", "1.2.3.4")];
    let start = async |proxies: serde_json::Value| {
        let listener = json!({"trust_forwarded_headers": true, "trusted_proxies": proxies});
        Running::start(json!([secure]), json!({"serve": {"proxy": listener}})).await
    };
    let trusting = start(json!(["127.0.0.1"])).await;
    let seen = trusting.get("/s", &https).await.json;
    assert_eq!(seen["headers"]["x-forwarded-for"], "1.2.3.4");
    assert_eq!(trusting.get("/s", &[]).await.status, 404);
    assert_eq!(start(json!(["10.0.0.0/8"])).await.get("/s", &https).await.status, 404);
}

#[tokio::test]
async fn ambiguous_paths_never_reach_the_upstream() {
    let upstream = echo_upstream().await;
    let running = Running::start(json!([rule("/<.*>", &upstream, json!({}))]), json!({})).await;
    for path in [
        "/public/..%2fadmin",
        "/public/%2e%2e%2fadmin",
        "/public/..;/admin",
        "/public\\..\\admin",
        "/%5c..",
        "/a%00b",
        "/%ff",
        "/%c0%ae%c0%ae/",
        "/%252e%252e/admin",
        "/../admin",
        "/%2e%2e/admin",
        "/a//../admin",
        "/a%2",
        "/a%zz",
    ] {
        let answer = running.get(path, &[]).await;
        assert_eq!(answer.status, 400, "{path}: {answer}");
    }
    for (path, seen) in [("/a/%2e%2e/b", "/b"), ("/a//b/./c", "/a/b/c"), ("/%61dmin", "/admin")] {
        assert_eq!(running.get(path, &[]).await.json["uri"], json!(seen), "{path}");
    }
    // The host of an absolute target must equal that of `Host`.
    assert_eq!(running.get("http://api.example/a", &[]).await.json["uri"], json!("/a"));
    assert_eq!(running.get("http://other.example/a", &[]).await.status, 400);
}

#[tokio::test]
async fn path_parameters_do_not_bypass_a_rule() {
    let upstream = echo_upstream().await;
    let closed = json!({"authenticators": [{"handler": "unauthorized"}]});
    let knows_parameters = json!({"upstream": {"url": upstream, "path_parameters": true}});
    let start = async |open: Value| {
        let rules = json!([rule("/admin/<.*>", &upstream, closed.clone()), rule("/<(?!admin/).*>", &upstream, open)]);
        Running::start(rules, json!({})).await
    };
    let attacks = [
        "/;/admin/x",
        "/admin;/x",
        "/;a=b/admin/x",
        "/admin;v=1/x",
        "/%3b/admin/x",
        "/admin%3B/x",
        "/admin%3bv=1/x",
        "/a/;/../admin/x",
        "/a/;x/../../admin/x",
        "/%61dmin;/x",
        "/open;/x%3b",
        "//admin;/x",
        "/admin/..;/admin;/x",
        "/admin\\;/x",
    ];
    for running in [start(json!({})).await, start(knows_parameters.clone()).await] {
        for path in attacks {
            assert_eq!(running.get(path, &[]).await.status, 400, "{path}");
            let described = [("x-forwarded-host", "api.example"), ("x-forwarded-uri", path)];
            assert_eq!(running.decide("/decisions", &described).await.status, 400, "{path}");
        }
        assert_eq!(running.get("/admin/x", &[]).await.status, 401);
        assert_eq!(running.get("/open/x", &[]).await.status, 200);
    }
    // A rule without the setting accepts no parameters; one with it forwards them unchanged.
    let (without, with) = (start(json!({})).await, start(knows_parameters).await);
    for (path, seen) in [
        ("/a;x=1/b", "/a;x=1/b"),
        ("/a%3bx/b", "/a%3Bx/b"),
        ("/page;jsessionid=7?q=1", "/page;jsessionid=7?q=1"),
        ("/shop/;jsessionid=7", "/shop/;jsessionid=7"),
    ] {
        assert_eq!(without.get(path, &[]).await.status, 400, "{path}");
        assert_eq!(with.get(path, &[]).await.json["uri"], json!(seen), "{path}");
    }
    // A `;` in the query is not a path parameter.
    assert_eq!(without.get("/a?x=1;y=2", &[]).await.json["uri"], json!("/a?x=1;y=2"));
}

#[tokio::test]
async fn each_failure_has_its_status() {
    let upstream = echo_upstream().await;
    let unavailable = "http://127.0.0.1:1";
    let running = Running::start(
        json!([
            rule("/ok", &upstream, json!({})),
            rule("/o<k|o>", &upstream, json!({})),
            rule("/dead", unavailable, json!({})),
            rule("/nowhere", "", json!({})),
            rule("/denied", &upstream, json!({"authorizer": {"handler": "deny"}})),
            rule("/closed", &upstream, json!({"authenticators": [{"handler": "unauthorized"}]})),
            rule("/broken", &upstream, json!({"mutators": [{"handler": "hydrator"}]})),
            rule("/bad(<(>", &upstream, json!({})),
        ]),
        json!({}),
    )
    .await;
    for (path, status) in [
        ("/ok", 500),
        ("/oo", 200),
        ("/dead", 502),
        ("/nowhere", 500),
        ("/denied", 403),
        ("/closed", 401),
        ("/broken", 500),
        ("/none", 404),
    ] {
        let answer = running.get(path, &[]).await;
        assert_eq!(answer.status, status, "{path}");
        if status != 200 {
            assert_eq!(answer.json["error"]["code"], json!(status), "{path}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_dead_upstream_is_answered_by_the_rules_own_error_handler() {
    let to_page = json!({"errors": [{"handler": "redirect", "config": {"to": "/sorry", "when":
        [{"error": ["internal_server_error"], "request": {"header": {"accept": ["text/html"]}}}]}}]});
    let handlers = json!({"errors": {"handlers": {"redirect": {"enabled": true, "config": {"to": "/"}}}}});
    let running = Running::start(json!([rule("/dead", "http://127.0.0.1:1", to_page)]), handlers).await;
    assert_eq!(running.get("/dead", &[("accept", "text/html,*/*")]).await.header("location"), Some("/sorry"));
    assert_eq!(running.get("/dead", &[("accept", "application/json")]).await.status, 502);
}

#[tokio::test]
async fn a_large_body_streams_through_and_its_length_is_kept() {
    let upstream = echo_upstream().await;
    let running = Running::start(json!([rule("/up", &upstream, json!({}))]), json!({})).await;
    let body = vec![7_u8; 32 << 20];
    let answer = exchange(running.proxy, "PUT", "/up", &[], &body).await;
    assert_eq!((answer.status.as_u16(), &answer.json["length"]), (200, &json!(body.len())));
    assert_eq!(answer.json["headers"]["content-length"], json!(body.len().to_string()));
}

#[tokio::test]
async fn a_forged_trailer_is_removed_too() {
    let upstream = verbatim_upstream().await;
    let headers =
        json!({"mutators": [{"handler": "header", "config": {"headers": {"X-User": "{{ print .Subject }}"}}}]});
    let running = Running::start(json!([rule("/up", &upstream, headers)]), json!({})).await;
    let mut stream = TcpStream::connect(running.proxy).await.unwrap();
    let sent = [("transfer-encoding", "chunked"), ("trailer", "x-user, x-sum"), ("connection", "close")];
    stream.write_all(head("POST", "/up", &sent).as_bytes()).await.unwrap();
    stream.write_all(b"2\r\nhi\r\n0\r\nx-user: admin\r\nx-sum: 1\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    timeout(Duration::from_secs(5), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.contains("x-user: anonymous") && !answer.contains("x-user: admin"), "{answer}");
}

#[tokio::test]
async fn responses_are_streamed_and_may_last_longer_than_the_idle_timeout() {
    let upstream = raw_upstream(|mut stream| async move {
        drain_head(&mut stream).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            .await;
        for _ in 0..5 {
            let _ = stream.write_all(b"6\r\ndata: \r\n").await;
            sleep(Duration::from_millis(150)).await;
        }
        let _ = stream.write_all(b"0\r\n\r\n").await;
    })
    .await;
    let running = Running::start(json!([rule("/sse", &upstream, json!({}))]), json!({})).await;
    let mut stream = TcpStream::connect(running.proxy).await.unwrap();
    stream.write_all(head("GET", "/sse", &[("connection", "close")]).as_bytes()).await.unwrap();
    let mut stream = BufReader::new(stream);
    let (status, headers) =
        timeout(Duration::from_millis(140), read_head(&mut stream)).await.expect("the head comes at once");
    assert_eq!(status, 200);
    assert_eq!(headers["content-type"], "text/event-stream");
    let mut body = String::new();
    stream.read_to_string(&mut body).await.unwrap();
    assert_eq!(body.matches("data: ").count(), 5, "{body}");
    assert!(body.ends_with("0\r\n\r\n"), "the end is sent: {body:?}");
}

#[tokio::test]
async fn a_timeout_is_504_before_the_response_and_an_abort_within_it() {
    let silent = raw_upstream(|mut stream| async move {
        drain_head(&mut stream).await;
        sleep(Duration::from_secs(5)).await;
    })
    .await;
    let stalling = raw_upstream(|mut stream| async move {
        drain_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
        sleep(Duration::from_secs(5)).await;
    })
    .await;
    let dying = raw_upstream(|mut stream| async move {
        drain_head(&mut stream).await;
    })
    .await;
    let running = Running::start(
        json!([
            rule("/silent", &silent, json!({})),
            rule("/stalling", &stalling, json!({})),
            rule("/dying", &dying, json!({}))
        ]),
        json!({}),
    )
    .await;
    assert_eq!(running.get("/silent", &[]).await.status, 504);
    let half = running.get("/stalling", &[]).await;
    assert_eq!((half.status.as_u16(), half.text.as_str()), (200, "half"), "truncated, and not padded");
    assert_eq!(running.get("/dying", &[]).await.status, 502);
}

#[tokio::test]
async fn a_slow_upload_continues_while_it_makes_progress_and_is_aborted_when_it_stalls() {
    let upstream = echo_upstream().await;
    let running = Running::start(json!([rule("/up", &upstream, json!({}))]), json!({})).await;
    let mut stream = TcpStream::connect(running.proxy).await.unwrap();
    let request = head("POST", "/up", &[("content-length", "5"), ("connection", "close")]);
    stream.write_all(request.as_bytes()).await.unwrap();
    for _ in 0..5 {
        sleep(Duration::from_millis(150)).await;
        stream.write_all(b"x").await.unwrap();
    }
    assert_eq!(read_head(&mut BufReader::new(stream)).await.0, 200);

    let mut stream = TcpStream::connect(running.proxy).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    assert_eq!(read_head(&mut BufReader::new(stream)).await.0, 408);
}

#[tokio::test]
async fn a_client_that_disconnects_cancels_its_upstream_request() {
    let (open, closed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counters = (open.clone(), closed.clone());
    let upstream = raw_upstream(move |mut stream| {
        let (open, closed) = counters.clone();
        async move {
            drain_head(&mut stream).await;
            open.fetch_add(1, Ordering::SeqCst);
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            closed.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    let running = Running::start(json!([rule("/slow", &upstream, json!({}))]), json!({"serve": {}})).await;
    let mut stream = TcpStream::connect(running.proxy).await.unwrap();
    stream.write_all(head("GET", "/slow", &[]).as_bytes()).await.unwrap();
    let reached = async |counter: &AtomicUsize| {
        while counter.load(Ordering::SeqCst) == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(5), reached(&open)).await.unwrap();
    drop(stream);
    timeout(Duration::from_secs(5), reached(&closed)).await.expect("the upstream's connection ends with the client's");
}

#[tokio::test]
async fn connections_to_an_upstream_are_reused() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = connections.clone();
    let upstream = raw_upstream(move |mut stream| {
        counter.fetch_add(1, Ordering::SeqCst);
        async move {
            for _ in 0..10 {
                drain_head(&mut stream).await;
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
            }
        }
    })
    .await;
    let running = Running::start(json!([rule("/a", &upstream, json!({}))]), json!({})).await;
    for _ in 0..5 {
        assert_eq!(running.get("/a", &[]).await.status, 204);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn only_a_safe_request_is_retried_when_a_kept_connection_was_closed_under_it() {
    // Each connection serves one response and is closed under the second request.
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = seen.clone();
    let upstream = raw_upstream(move |mut stream| {
        let log = log.clone();
        async move {
            for place in 0..2 {
                let head = drain_head(&mut stream).await;
                let Some(method) = head.split(' ').next().filter(|it| !it.is_empty()) else { return };
                log.lock().unwrap().push(format!("{method} {place}"));
                if place == 0 {
                    let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
                }
            }
        }
    })
    .await;
    let methods =
        json!({"match": {"url": "http://<[^/]*>/a", "methods": ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"]}});
    let running = Running::start(json!([rule("/a", &upstream, methods)]), json!({})).await;
    for (method, on_kept) in
        [("GET", 204), ("HEAD", 204), ("OPTIONS", 204), ("POST", 502), ("PUT", 502), ("DELETE", 502)]
    {
        assert_eq!(running.get("/a", &[]).await.status, 204);
        seen.lock().unwrap().clear();
        assert_eq!(exchange(running.proxy, method, "/a", &[], b"").await.status, on_kept, "{method}");
        let kept = format!("{method} 1");
        let sent = if on_kept == 204 { vec![kept, format!("{method} 0")] } else { vec![kept] };
        assert_eq!(*seen.lock().unwrap(), sent);
    }
}

#[tokio::test]
async fn a_request_on_a_fresh_connection_or_with_a_body_is_not_retried() {
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = requests.clone();
    let upstream = raw_upstream(move |mut stream| {
        let counter = counter.clone();
        async move {
            drain_head(&mut stream).await;
            counter.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    let running = Running::start(json!([rule("/a", &upstream, json!({}))]), json!({})).await;
    assert_eq!(running.get("/a", &[]).await.status, 502);
    assert_eq!(requests.load(Ordering::SeqCst), 1);
    assert_eq!(exchange(running.proxy, "POST", "/a", &[], b"x").await.status, 502);
    assert_eq!(requests.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn hop_by_hop_fields_of_a_response_are_removed() {
    let upstream = raw_upstream(|mut stream| async move {
        drain_head(&mut stream).await;
        let answer = "HTTP/1.1 200 OK\r\nconnection: x-hop, close\r\nx-hop: 1\r\nkeep-alive: timeout=5\r\nset-cookie: a=1\r\n\
                      set-cookie: b=2\r\ncontent-length: 2\r\n\r\nok";
        let _ = stream.write_all(answer.as_bytes()).await;
    })
    .await;
    let running = Running::start(json!([rule("/a", &upstream, json!({}))]), json!({})).await;
    let answer = running.get("/a", &[]).await;
    assert_eq!((answer.header("x-hop"), answer.header("keep-alive"), answer.text.as_str()), (None, None, "ok"));
    assert_eq!(answer.set_cookies().len(), 2);
}

#[tokio::test]
async fn an_upstream_may_use_http2_without_tls() {
    let upstream = echo_upstream().await.replace("http://", "h2c://");
    let running = Running::start(json!([rule("/grpc", &upstream, json!({}))]), json!({})).await;
    let answer = running.get("/grpc", &[("te", "trailers")]).await;
    assert_eq!((answer.status.as_u16(), &answer.json["headers"]["te"]), (200, &json!("trailers")));
}

#[tokio::test]
async fn invalid_cookies_are_cleared_in_the_response() {
    let upstream = echo_upstream().await;
    let authenticators = json!({"authenticators": [
        {"handler": "cookie_session", "on_invalid": "next", "config":
            {"check_session_url": "kleis://identity/sessions/whoami", "only": ["session"], "clear_invalid_cookies": true}},
        {"handler": "anonymous"},
    ]});
    let rules =
        json!([rule("/a", &upstream, authenticators.clone()), rule("/dead", "http://127.0.0.1:1", authenticators),]);
    let running = Running::start(rules, json!({})).await;
    for (path, status) in [("/a", 200), ("/dead", 502)] {
        let stale = running.get(path, &[("cookie", "session=stale")]).await;
        assert!(stale.header("set-cookie").unwrap().starts_with("session=; "), "{stale:?}");
        assert_eq!(stale.status, status);
    }
    assert_eq!(running.get("/a", &[("cookie", "session=valid-a")]).await.header("set-cookie"), None);
}
