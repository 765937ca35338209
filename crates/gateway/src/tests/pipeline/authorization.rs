//! Authorization servers: the requests that they receive, and the effect of their responses.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::tests::harness::{answer, server};

/// A rule for authenticated requests, under `remote_json` with these settings.
fn json_rule(settings: Value) -> Value {
    rule("remote_json", json!({"payload": r#"{"subject": "{{ print .Subject }}"}"#}), settings)
}

fn body_rule(settings: Value) -> Value {
    rule("remote", json!({}), settings)
}

fn rule(handler: &str, mut config: Value, settings: Value) -> Value {
    config.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    json!({
        "authenticators": [{"handler": "anonymous",
                            "config": {"subject": "alice", "ignore_authorization_header": true}}],
        "authorizer": {"handler": handler, "config": config},
    })
}

#[tokio::test]
async fn the_server_receives_the_payload_and_the_headers_of_the_rule() {
    let (url, seen) = server(|_, _| answer(200, &[("x-role", "reader"), ("x-other", "o")], "ignored")).await;
    let settings = json!({
        "remote": format!("{url}/check?own=1"),
        "payload": r#"{"subject": "{{ print .Subject }}", "resource": "{{ .MatchContext.URL.Path }}", "method": {{ .MatchContext.Method | toJson }}, "url": "{{ .MatchContext.URL }}"}"#,
        "headers": {"X-Url": "{{ .MatchContext.URL }}", "X-Subject": "{{ print .Subject }}", "X-Empty": "{{ print .Extra.none }}", "X-Fixed": "f"},
        "forward_response_headers_to_upstream": ["X-Role", "X-Absent"],
    });
    let request = Request::new(Method::POST, "http://h/a/b?q=1")
        .header("authorization", "Bearer t")
        .header("cookie", "session=x")
        .header("content-type", "text/plain")
        .body("not for the payload");
    let session = run(json_rule(settings), &request, &fixtures::services()).await.unwrap();
    assert_eq!(session.headers.get("x-role").unwrap(), "reader");
    assert_eq!(session.headers.get("x-absent").unwrap(), "", "an absent header is set to an empty value");
    assert!(session.headers.get("x-other").is_none());
    let (parts, body) = &seen.lock().unwrap()[0];
    assert_eq!((parts.method.as_str(), parts.uri.to_string().as_str()), ("POST", "/check?own=1"));
    assert_eq!(body, r#"{"subject": "alice", "resource": "/a/b", "method": "POST", "url": "http://h/a/b?q=1"}"#);
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!((header("content-type"), header("authorization")), (Some("application/json"), Some("Bearer t")));
    assert_eq!((header("x-subject"), header("x-fixed")), (Some("alice"), Some("f")));
    assert_eq!(header("x-url"), Some("http://h/a/b?q=1"));
    assert_eq!((header("x-empty"), header("cookie")), (None, None));
}

#[tokio::test]
async fn the_server_receives_the_body_and_its_headers() {
    let (url, seen) = server(|_, _| answer(200, &[], "")).await;
    let settings = json!({"remote": url, "headers": {"X-Path": "{{ .MatchContext.URL.Path }}"}});
    let post = || Request::new(Method::POST, "http://h/a").body("a=1&b=2");
    let request = post()
        .header("authorization", "Bearer t")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("content-encoding", "identity")
        .header("cookie", "session=x");
    run(body_rule(settings.clone()), &request, &fixtures::services()).await.unwrap();
    run(body_rule(settings.clone()), &Request::get("http://h/"), &fixtures::services()).await.unwrap();
    {
        let seen = seen.lock().unwrap();
        let (parts, body) = &seen[0];
        assert_eq!((parts.method.as_str(), body.as_str()), ("POST", "a=1&b=2"));
        let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("content-type"), Some("application/x-www-form-urlencoded"));
        assert_eq!((header("content-encoding"), header("authorization")), (Some("identity"), Some("Bearer t")));
        assert_eq!((header("x-path"), header("cookie")), (Some("/a"), None));
        let (parts, body) = &seen[1];
        assert_eq!((parts.method.as_str(), body.as_str()), ("POST", ""), "GET has no body, and the server is called");
        assert!(!parts.headers.contains_key("content-type"));
    }
    // The server and the upstream could interpret it differently.
    for name in ["content-type", "content-encoding"] {
        let twice = post().header(name, "a/b").header(name, "c/d");
        let failure = run(body_rule(settings.clone()), &twice, &fixtures::services()).await.unwrap_err();
        assert_eq!(failure.status, StatusCode::BAD_REQUEST, "{name}");
    }
    assert_eq!(seen.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn each_response_status_of_the_server_has_its_effect() {
    let services = fixtures::services();
    let large: &'static str = Box::leak("x".repeat(2 << 20).into_boxed_str());
    let hasty = json!({"give_up_after": "200ms", "max_delay": "5ms"});
    for (status, body, expected) in [
        (200, "", 200),
        (200, "<!doctype html>", 200),
        (200, large, 500),
        (201, "", 500),
        (204, "", 500),
        (302, "", 500),
        (401, "", 500),
        (403, "", 403),
        (403, "<!doctype html>", 403),
        (404, "", 500),
        (429, "", 429),
        (500, "", 500),
        (503, "", 500),
    ] {
        let (target, followed) = server(|_, _| answer(200, &[], "")).await;
        let (url, seen) =
            server(move |_, _| answer(status, &[("retry-after", "7"), ("location", &target)], body)).await;
        for rule in
            [json_rule(json!({"remote": url, "retry": hasty})), body_rule(json!({"remote": url, "retry": hasty}))]
        {
            let outcome = run(rule, &Request::get("http://h/"), &services).await;
            let got = outcome.as_ref().map_or_else(|failure| failure.status.as_u16(), |_| 200);
            assert_eq!(got, expected, "{status} {body:.20}");
            if got == 429 {
                assert_eq!(outcome.unwrap_err().headers["retry-after"], "7");
            }
        }
        assert_eq!(seen.lock().unwrap().len() > 2, status >= 500, "{status}: only an outage is retried");
        assert!(followed.lock().unwrap().is_empty(), "a redirect is not followed");
    }
}

#[tokio::test]
async fn a_failing_server_is_called_five_times_at_most() {
    let services = fixtures::services();
    for retry in [json!({}), json!({"max_delay": "0s", "give_up_after": "3s"})] {
        let (url, seen) = server(|_, _| answer(503, &[], "")).await;
        let rule = json_rule(json!({"remote": url, "retry": retry}));
        let failure = run(rule, &Request::get("http://h/"), &services).await.unwrap_err();
        assert_eq!(failure.reason.as_deref(), Some("the authorization server answered with 503"), "{retry}");
        assert_eq!(seen.lock().unwrap().len(), 5, "{retry}");
    }
}

#[tokio::test]
async fn the_reason_is_the_last_answer_when_another_try_gets_none() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    // It answers the first call, and no other.
    let serving = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut read = [0; 1024];
        let _ = stream.read(&mut read).await.unwrap();
        stream.write_all(b"HTTP/1.1 503 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.unwrap();
        drop(stream);
        let _second = listener.accept().await.unwrap();
        std::future::pending::<()>().await;
    };
    let (request, services) = (Request::get("http://h/"), fixtures::services());
    let rule = json_rule(json!({"remote": url, "retry": {"give_up_after": "400ms", "max_delay": "5ms"}}));
    let failure = tokio::select! {
        outcome = run(rule, &request, &services) => outcome.unwrap_err(),
        () = serving => unreachable!(),
    };
    assert_eq!(failure.reason.as_deref(), Some("the authorization server answered with 503"));
}

#[tokio::test]
async fn an_unreachable_or_silent_server_is_500_after_the_timeout() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}/", listener.local_addr().unwrap());
    for remote in [silent.as_str(), "http://127.0.0.1:1/"] {
        for give_up_after in ["100ms", "600ms"] {
            let retry = json!({"give_up_after": give_up_after, "max_delay": "1ms"});
            let started = Instant::now();
            let rule = json_rule(json!({"remote": remote, "retry": retry}));
            let failure = run(rule, &Request::get("http://h/"), &fixtures::services()).await.unwrap_err();
            assert_eq!(failure.status, StatusCode::INTERNAL_SERVER_ERROR);
            assert!(started.elapsed() < Duration::from_secs(3), "{remote} {give_up_after}: {:?}", started.elapsed());
        }
    }
}

#[tokio::test]
async fn user_values_cannot_inject_into_the_payload_or_the_headers() {
    let (url, seen) = server(|_, _| answer(200, &[], "")).await;
    let services = fixtures::services();
    let sent = async |subject: &str, settings: Value| {
        seen.lock().unwrap().clear();
        let mut rule = json_rule(settings);
        rule["authenticators"][0]["config"]["subject"] = json!(subject);
        let outcome = run(rule, &Request::get("http://h/"), &services).await.map_err(|it| it.status.as_u16());
        let seen = seen.lock().unwrap();
        outcome.map(|_| serde_json::from_str::<Value>(&seen[0].1).unwrap()).map_err(|status| (status, seen.len()))
    };
    let payload = r#"{"subject": "{{ print .Subject }}", "role": "user"}"#;
    for subject in ["x\",\"role\":\"admin\",\"y\":\"z", "back\\slash", "a\r\nb", "\u{1}\u{2}", "ü", "{{ print 1 }}"] {
        let expected = json!({"subject": subject, "role": "user"});
        assert_eq!(sent(subject, json!({"remote": url, "payload": payload})).await, Ok(expected));
    }
    // Outside quotation marks only a JSON value is allowed; otherwise the server is not called.
    let bare = r#"{"subject": {{ print .Subject }}, "role": "user"}"#;
    assert_eq!(sent("1", json!({"remote": url, "payload": bare})).await, Ok(json!({"subject": 1, "role": "user"})));
    assert_eq!(sent("1, \"role\": \"admin\"", json!({"remote": url, "payload": bare})).await, Err((500, 0)));
    assert_eq!(sent("alice", json!({"remote": url, "payload": "{{ print .Subject }}"})).await, Err((500, 0)));
    // `bob` and `b\u{7f}ob` are different users: neither may be sent as the other.
    let header = json!({"remote": url, "payload": payload, "headers": {"X-Subject": "{{ print .Subject }}"}});
    for subject in ["bob\r\nX-Admin: 1", "b\u{7f}ob", "b\u{0}ob"] {
        assert_eq!(sent(subject, header.clone()).await, Err((500, 0)), "{subject:?}");
    }
    assert!(sent("bob", header).await.is_ok());
}

#[tokio::test]
async fn a_rejection_deletes_invalid_cookies_too() {
    let (_, sessions) = fake_sessions();
    let services = fixtures::services_beside(sessions, Link::unset());
    let (url, seen) = server(|_, _| answer(403, &[], "")).await;
    let mut denied = body_rule(json!({"remote": url}));
    denied["authenticators"] = json!([
        {"handler": "cookie_session", "on_invalid": "next", "config": {
            "check_session_url": "kleis://identity/sessions/whoami", "only": ["session"], "clear_invalid_cookies": true}},
        {"handler": "anonymous"},
    ]);
    let failure = run(denied.clone(), &Request::get("http://h/").header("cookie", "session=forged"), &services).await;
    assert_eq!(failure.unwrap_err().set_cookies.len(), 1);
    denied["authenticators"] = json!([{"handler": "unauthorized"}]);
    assert_eq!(run(denied, &Request::get("http://h/"), &services).await.unwrap_err().status, StatusCode::UNAUTHORIZED);
    assert_eq!(seen.lock().unwrap().len(), 1, "the server is not called for an unauthenticated sender");
}

#[test]
fn invalid_settings_are_rejected_when_the_rule_is_loaded() {
    for (settings, reason) in [
        (json!({}), "requires the setting `remote`"),
        (json!({"remote": "host/path"}), "a `remote` that is not a URL"),
        (json!({"remote": "file:///etc/passwd"}), "neither http nor https"),
        (json!({"remote": "http://r", "payload": ""}), "requires the setting `payload`"),
        (json!({"remote": "http://r", "payload": "{{ env \"HOME\" }}"}), "has a `payload`"),
        (json!({"remote": "http://r", "payload": "{{ .Subject"}), "has a `payload`"),
        (json!({"remote": "http://r", "headers": {"a b": "x"}}), "`a b`, which is not a header name"),
        (json!({"remote": "http://r", "headers": {"X-A": 1}}), "`X-A` that is not a string"),
        (json!({"remote": "http://r", "headers": {"X-A": "{{ nosuch }}"}}), "calls `nosuch`"),
        (json!({"remote": "http://r", "headers": {"X-A": "a\nb"}}), "is not a valid header value"),
        (json!({"remote": "http://r", "headers": {"Host": "x"}}), "`host`, which rules cannot set"),
        (json!({"remote": "http://r", "headers": {"Transfer-Encoding": "x"}}), "`transfer-encoding`, which rules"),
        (
            json!({"remote": "http://r", "forward_response_headers_to_upstream": ["Content-Length"]}),
            "`content-length`, which rules cannot set",
        ),
        (json!({"remote": "http://r", "forward_response_headers_to_upstream": ["Host"]}), "`host`, which rules"),
        (json!({"remote": "http://r", "retry": {"give_up_after": "soon"}}), "has invalid settings"),
        (json!({"remote": "http://r", "retries": 3}), "unknown field `retries`"),
    ] {
        let error = invalid(json_rule(settings.clone()));
        assert!(error.contains(reason), "{settings}: {error}");
        if !reason.contains("payload") {
            let error = invalid(body_rule(settings.clone()));
            assert!(error.contains(reason), "{settings}: {error}");
        }
    }
    assert!(invalid(body_rule(json!({"remote": "http://r", "payload": "{}"}))).contains("unknown field `payload`"));
}
