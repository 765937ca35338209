//! Session checks and introspection over HTTP, against servers on loopback.

use std::time::Duration;

use http::request::Parts;

use super::*;
use crate::tests::harness::{answer, server};

fn cookie_rule(settings: Value) -> Value {
    json!({"authenticators": [{"handler": "cookie_session", "config": settings}, {"handler": "anonymous"}]})
}

#[tokio::test]
async fn the_session_check_receives_only_cookies_and_forwarded_headers() {
    let (url, seen) = server(|_, _| answer(200, &[], r#"{"subject":"alice","extra":{"a":1}}"#)).await;
    let services = fixtures::services();
    let request = Request::new(Method::POST, "http://api.example/path?q=1")
        .header("cookie", "session=x")
        .header("authorization", "Basic a")
        .header("x-keep", "k");
    let settings = json!({"check_session_url": format!("{url}/check?own=1"), "forward_http_headers": ["X-Keep"],
                          "additional_headers": {"X-Keep": "over", "X-Add": "a"}, "preserve_host": true});
    let session = run(cookie_rule(settings), &request, &services).await.unwrap();
    assert_eq!((session.subject.as_str(), extra(&session)), ("alice", json!({"a": 1})));
    {
        let (parts, _) = &seen.lock().unwrap()[0];
        assert_eq!((parts.method.as_str(), parts.uri.to_string().as_str()), ("POST", "/path?own=1"));
        assert_eq!(
            (&parts.headers["cookie"], &parts.headers["x-keep"]),
            (&"session=x".parse().unwrap(), &"over".parse().unwrap())
        );
        assert_eq!(
            (&parts.headers["x-add"], &parts.headers["x-forwarded-host"]),
            (&"a".parse().unwrap(), &"api.example".parse().unwrap())
        );
        assert!(!parts.headers.contains_key("authorization"));
    }
    let settings = json!({"check_session_url": format!("{url}/check?own=1"), "preserve_path": true,
                          "preserve_query": false, "force_method": "GET"});
    run(cookie_rule(settings), &request, &services).await.unwrap();
    let (parts, _) = &seen.lock().unwrap()[1];
    assert_eq!((parts.method.as_str(), parts.uri.to_string().as_str()), ("GET", "/check?q=1"));
}

#[tokio::test]
async fn a_head_request_calls_the_session_check_with_get() {
    let (url, seen) = server(|_, _| answer(200, &[], r#"{"subject":"alice"}"#)).await;
    let request = Request::new(Method::HEAD, "http://api.example/").header("cookie", "session=x");
    let session = run(cookie_rule(json!({"check_session_url": url})), &request, &fixtures::services()).await.unwrap();
    assert_eq!(session.subject, "alice");
    assert_eq!(seen.lock().unwrap()[0].0.method, Method::GET);
}

#[tokio::test]
async fn preserve_host_takes_precedence_over_an_additional_header() {
    let (url, seen) = server(|_, _| answer(200, &[], r#"{"subject":"alice"}"#)).await;
    let settings = json!({"check_session_url": url, "preserve_host": true,
                          "additional_headers": {"X-Forwarded-Host": "other.example"}});
    let request = Request::get("http://api.example/").header("cookie", "session=x");
    run(cookie_rule(settings), &request, &fixtures::services()).await.unwrap();
    assert_eq!(seen.lock().unwrap()[0].0.headers["x-forwarded-host"], "api.example");
}

#[tokio::test]
async fn each_response_of_the_session_check_has_its_effect() {
    let services = fixtures::services();
    let request = Request::get("http://h/").header("cookie", "session=x");
    // (status, body, by default, with on_invalid, with on_unavailable)
    for (status, body, default, on_invalid, on_unavailable) in [
        (401, "{}", 401, 200, 401),
        (403, "{}", 401, 200, 401),
        (404, "{}", 401, 200, 401),
        (500, "{}", 401, 401, 200),
        (429, "{}", 429, 429, 429),
        (200, "no json", 403, 403, 403),
        (200, r#"{"subject":1}"#, 403, 403, 403),
        (200, r#"{"subject":"a","extra":"text"}"#, 403, 403, 403),
    ] {
        let (url, _) = server(move |_, _| answer(status, &[("retry-after", "7")], body)).await;
        for (entry, expected) in [
            (json!({}), default),
            (json!({"on_invalid": "next"}), on_invalid),
            (json!({"on_unavailable": "next"}), on_unavailable),
        ] {
            let mut rule = cookie_rule(json!({"check_session_url": url}));
            rule["authenticators"][0].as_object_mut().unwrap().extend(entry.as_object().unwrap().clone());
            let outcome = run(rule, &request, &services).await;
            let got = outcome.as_ref().map_or_else(|failure| failure.status.as_u16(), |_| 200);
            assert_eq!(got, expected, "{status} {body} {entry}");
            if got == 429 {
                assert_eq!(outcome.unwrap_err().headers["retry-after"], "7");
            }
        }
    }
    let unreachable = cookie_rule(json!({"check_session_url": "http://127.0.0.1:1/"}));
    assert_eq!(run(unreachable.clone(), &request, &services).await.unwrap_err().status, StatusCode::FORBIDDEN);
    let mut next = unreachable;
    next["authenticators"][0]["on_unavailable"] = json!("next");
    assert_eq!(run(next, &request, &services).await.unwrap().subject, "anonymous");
}

#[tokio::test]
async fn a_403_of_the_session_check_is_a_missing_second_factor_only_if_it_says_so() {
    let request = Request::get("http://h/").header("cookie", "session=x");
    for (body, reason) in [
        (r#"{"error":{"id":"session_aal2_required","code":403}}"#, "the session requires a second factor"),
        (r#"{"error":{"id":"security_csrf_violation"}}"#, "the session check answered with 403"),
        (r#"{"error":"session_aal2_required"}"#, "the session check answered with 403"),
        ("<!doctype html>", "the session check answered with 403"),
        ("", "the session check answered with 403"),
    ] {
        let (url, _) = server(move |_, _| answer(403, &[], body)).await;
        let failure = run(cookie_rule(json!({"check_session_url": url})), &request, &fixtures::services()).await;
        let failure = failure.unwrap_err();
        assert_eq!((failure.status.as_u16(), failure.reason.as_deref()), (401, Some(reason)), "{body}");
    }
}

fn introspection_rule(settings: Value) -> Value {
    json!({"authenticators": [{"handler": "oauth2_introspection", "config": settings}]})
}

pub(super) fn bearer(token: &str) -> Request {
    Request::get("http://h/").header("authorization", &format!("Bearer {token}"))
}

#[tokio::test]
async fn introspection_sends_a_form_and_the_gateways_own_token() {
    let (url, seen) = server(|_: &Parts, body: &str| {
        let reply = if body.contains("grant_type") {
            r#"{"access_token":"gw","expires_in":100,"token_type":"bearer"}"#
        } else {
            r#"{"active":true,"sub":"alice","aud":["x","y"]}"#
        };
        answer(200, &[], reply)
    })
    .await;
    let rule = introspection_rule(json!({
        "introspection_url": format!("{url}/introspect"), "required_scope": ["a", "b"], "target_audience": ["x"],
        "introspection_request_headers": {"X-A": "1", "Content-Type": "text/plain"},
        "pre_authorization": {"enabled": true, "client_id": "c:d", "client_secret": "s", "token_url": format!("{url}/token")},
    }));
    let services = fixtures::services();
    let session = run(rule, &bearer("t&t"), &services).await.unwrap();
    assert_eq!((session.subject.as_str(), &extra(&session)["aud"]), ("alice", &json!(["x", "y"])));
    let seen = seen.lock().unwrap();
    assert_eq!((seen[0].0.uri.path(), seen[0].1.as_str()), ("/token", "grant_type=client_credentials"));
    assert_eq!(seen[0].0.headers["authorization"], "Basic YyUzQWQ6cw==");
    assert_eq!((seen[1].0.uri.path(), seen[1].1.as_str()), ("/introspect", "token=t%26t&scope=a+b"));
    assert_eq!(seen[1].0.headers["authorization"], "Bearer gw");
    assert_eq!(seen[1].0.headers["content-type"], "application/x-www-form-urlencoded");
}

#[tokio::test]
async fn cached_responses_equal_fresh_ones_and_expire_with_the_token() {
    let expiry = fixtures::START.unix_seconds() + 30;
    let (url, seen) = server(move |_: &Parts, body: &str| {
        let active = body.contains("token=good");
        answer(200, &[], &json!({"active": active, "sub": "alice", "scope": "a", "exp": expiry}).to_string())
    })
    .await;
    let rule = introspection_rule(json!({
        "introspection_url": url, "cache": {"enabled": true, "ttl": "60s"}, "scope_strategy": "exact", "required_scope": ["a"],
    }));
    let services = fixtures::services();
    let pipeline = Pipeline::compile(&fixtures::rule(rule), &fixtures::config(), &services).unwrap();
    let introspect = async |token: &str, seconds: u64| {
        let request = bearer(token).at(fixtures::START.plus(Duration::from_secs(seconds)));
        let session = pipeline.run(&request.inbound(), &services).await;
        session.map(|it| (extra(&it).to_string(), it.subject)).map_err(|failure| failure.status)
    };
    let cold = introspect("good", 0).await;
    let warm = introspect("good", 29).await;
    assert!(cold.is_ok() && cold == warm);
    assert_eq!(seen.lock().unwrap().len(), 1);
    assert_eq!(introspect("bad", 0).await, Err(StatusCode::UNAUTHORIZED));
    assert_eq!(introspect("bad", 0).await, Err(StatusCode::UNAUTHORIZED));
    assert_eq!(
        introspect("good", 31).await,
        Err(StatusCode::UNAUTHORIZED),
        "the token has expired, although the cache entry has not"
    );
    assert_eq!(seen.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn introspection_failures_are_distinguished() {
    let services = fixtures::services();
    let hasty = json!({"give_up_after": "2s", "max_delay": "5ms"});
    for (status, body, expected) in [
        (200, r#"{"active":false}"#, 401),
        (200, r#"{"active":true,"token_use":"refresh_token"}"#, 403),
        (200, r#"{"active":true,"exp":1}"#, 401),
        (200, "no json", 500),
        (429, "", 429),
        (404, "", 500),
        (503, "", 500),
    ] {
        let (url, seen) = server(move |_, _| answer(status, &[], body)).await;
        let rule = introspection_rule(json!({"introspection_url": url, "retry": hasty}));
        assert_eq!(run(rule, &bearer("t"), &services).await.unwrap_err().status.as_u16(), expected, "{status} {body}");
        assert_eq!(seen.lock().unwrap().len() > 1, status == 503, "only an outage is retried");
    }
    let rule = introspection_rule(json!({"introspection_url": "http://127.0.0.1:1/", "retry": hasty}));
    assert_eq!(run(rule, &bearer("t"), &services).await.unwrap_err().status, StatusCode::INTERNAL_SERVER_ERROR);
}

fn bearer_rule(settings: Value) -> Value {
    json!({"authenticators": [{"handler": "bearer_token", "config": settings}, {"handler": "anonymous", "config": {
        "ignore_authorization_header": true,
    }}]})
}

#[tokio::test]
async fn the_token_check_receives_only_the_authorization_and_forwarded_headers() {
    let (url, seen) = server(|_, _| answer(200, &[], r#"{"sub":"alice","extra":{"a":1}}"#)).await;
    let services = fixtures::services();
    let request = Request::new(Method::POST, "http://api.example/path?q=1")
        .header("authorization", "Bearer t")
        .header("cookie", "session=x")
        .header("x-keep", "k")
        .header("content-type", "text/plain")
        .body("not for the check");
    let settings = json!({"check_session_url": format!("{url}/check?own=1"), "forward_http_headers": ["X-Keep"],
                          "additional_headers": {"X-Keep": "over", "X-Add": "a"}, "preserve_host": true});
    let session = run(bearer_rule(settings), &request, &services).await.unwrap();
    assert_eq!((session.subject.as_str(), extra(&session)), ("alice", json!({"a": 1})));
    assert_eq!((session.authenticated, session.authenticator), (true, "bearer_token"));
    {
        let (parts, body) = &seen.lock().unwrap()[0];
        assert_eq!((parts.method.as_str(), parts.uri.to_string().as_str()), ("POST", "/path?own=1"));
        assert_eq!((&parts.headers["authorization"], body.as_str()), (&"Bearer t".parse().unwrap(), ""));
        assert_eq!(
            (&parts.headers["x-keep"], &parts.headers["x-add"]),
            (&"over".parse().unwrap(), &"a".parse().unwrap())
        );
        assert_eq!(parts.headers["x-forwarded-host"], "api.example");
        assert!(!parts.headers.contains_key("cookie") && !parts.headers.contains_key("content-type"));
    }
    let settings = json!({"check_session_url": format!("{url}/check?own=1"), "preserve_path": true,
                          "preserve_query": false, "force_method": "GET", "extra_from": "@this", "subject_from": "extra"});
    let refused = run(bearer_rule(settings.clone()), &request, &services).await.unwrap_err();
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "the subject is an object");
    let mut settings = settings;
    settings["subject_from"] = json!("none");
    let session = run(bearer_rule(settings.clone()), &request, &services).await.unwrap();
    assert_eq!((session.subject.as_str(), &extra(&session)["sub"]), ("", &json!("alice")));
    settings["require_subject"] = json!(true);
    assert_eq!(run(bearer_rule(settings), &request, &services).await.unwrap_err().status, StatusCode::UNAUTHORIZED);
    let (parts, _) = &seen.lock().unwrap()[1];
    assert_eq!((parts.method.as_str(), parts.uri.to_string().as_str()), ("GET", "/check?q=1"));
}

#[tokio::test]
async fn a_token_is_read_from_the_configured_location_and_others_are_ignored() {
    let (url, seen) = server(|_, _| answer(200, &[], r#"{"sub":"alice"}"#)).await;
    let services = fixtures::services();
    let request = Request::get("http://h/?token=query")
        .header("authorization", "Bearer header")
        .header("x-key", "sk_key")
        .header("cookie", "token=cookie");
    // (settings, whether the authenticator is responsible)
    for (settings, responsible) in [
        (json!({}), true),
        (json!({"prefix": "hea"}), true),
        (json!({"prefix": "other"}), false),
        (json!({"token_from": {"header": "X-Key"}}), true),
        (json!({"token_from": {"header": "X-Key"}, "prefix": "sk_"}), true),
        (json!({"token_from": {"header": "X-Other"}}), false),
        (json!({"token_from": {"query_parameter": "token"}}), true),
        (json!({"token_from": {"query_parameter": "other"}}), false),
        (json!({"token_from": {"cookie": "token"}}), true),
        (json!({"token_from": {"cookie": "other"}}), false),
    ] {
        let before = seen.lock().unwrap().len();
        let mut all = json!({"check_session_url": url});
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let session = run(bearer_rule(all), &request, &services).await.unwrap();
        assert_eq!(session.subject == "alice", responsible, "{settings}");
        assert_eq!(seen.lock().unwrap().len() - before, usize::from(responsible), "{settings}");
    }
    let basic = Request::get("http://h/").header("authorization", "Basic eDp5");
    let session = run(bearer_rule(json!({"check_session_url": url})), &basic, &services).await.unwrap();
    assert_eq!(session.subject, "anonymous");
}

/// What a server reads, in the order of `whoami`: the header for tokens, then `Authorization`.
fn checked_token(parts: &Parts) -> Option<String> {
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    header("x-session-token").or_else(|| header("authorization")?.strip_prefix("Bearer ").map(str::to_owned))
}

#[tokio::test]
async fn the_token_that_was_found_is_the_one_that_another_server_checks() {
    let (url, seen) = server(|parts: &Parts, _: &str| {
        let person = checked_token(parts).and_then(|token| Some(token.strip_prefix("valid-")?.to_owned()));
        person.map_or_else(|| answer(401, &[], "{}"), |it| answer(200, &[], &json!({"sub": it}).to_string()))
    })
    .await;
    let services = fixtures::services();
    let header = json!({"header": "X-Session-Token"});
    let found = async |token: &str, settings: Value| {
        let request = Request::get(&format!("http://h/?token={token}"))
            .header("x-session-token", token)
            .header("x-key", token)
            .header("cookie", &format!("token={token}"))
            .header("authorization", "Bearer valid-mallory");
        let mut all = json!({"check_session_url": url, "preserve_path": true, "force_method": "GET"});
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let outcome = run(bearer_rule(all), &request, &services).await;
        outcome.map(|session| session.subject).map_err(|failure| failure.status.as_u16())
    };
    for (settings, is_read) in [
        (json!({"token_from": header}), true),
        (json!({"token_from": header, "forward_http_headers": ["X-Session-Token"]}), true),
        (json!({"token_from": {"header": "X-Key"}}), true),
        (json!({"token_from": {"cookie": "token"}}), true),
        (json!({"token_from": {"query_parameter": "token"}}), true),
        // The server gets the token where it is, and does not look for it there.
        (json!({"token_from": {"header": "X-Key"}, "forward_http_headers": ["X-Key"]}), false),
        (json!({"token_from": {"cookie": "token"}, "forward_http_headers": ["Cookie"]}), false),
        (json!({"token_from": {"query_parameter": "token"}, "preserve_query": false}), false),
    ] {
        let expected = if is_read { Ok("alice".to_owned()) } else { Err(401) };
        assert_eq!(found("valid-alice", settings.clone()).await, expected, "{settings}");
        assert_eq!(found("nonsense", settings.clone()).await, Err(401), "{settings}");
    }
    assert_eq!(found("valid-alice", json!({})).await.as_deref(), Ok("mallory"), "the token is in Authorization");
    let seen = seen.lock().unwrap();
    assert!(seen.iter().all(|(parts, _)| parts.headers.get_all("authorization").iter().count() < 2));
}

#[tokio::test]
async fn a_token_that_no_header_can_carry_is_invalid() {
    let (url, seen) = server(|_, _| answer(200, &[], r#"{"sub":"alice"}"#)).await;
    let rule = bearer_rule(json!({"check_session_url": url, "token_from": {"query_parameter": "t"}}));
    let outcome = run(rule, &Request::get("http://h/?t=a%0D%0Ab"), &fixtures::services()).await;
    assert_eq!((outcome.unwrap_err().status, seen.lock().unwrap().len()), (StatusCode::UNAUTHORIZED, 0));
    let settings = json!({"check_session_url": url, "token_from": {"query_parameter": "t"},
                          "additional_headers": {"Authorization": "Bearer service"}});
    assert!(invalid(bearer_rule(settings)).contains("`additional_headers` with an `Authorization`"));
}

#[tokio::test]
async fn each_response_of_the_token_check_has_its_effect() {
    let services = fixtures::services();
    let page = "<!doctype html><form action=/login>";
    let large = Box::leak(format!("{{\"sub\":\"a\",\"x\":\"{}\"}}", "x".repeat(1 << 20)).into_boxed_str());
    // (status, body, by default, with on_invalid, with on_unavailable)
    for (status, body, default, on_invalid, on_unavailable) in [
        (200, r#"{"sub":"a"}"#, 200, 200, 200),
        (401, "{}", 401, 200, 401),
        (403, "{}", 401, 200, 401),
        (302, "", 401, 200, 401),
        (500, "{}", 401, 401, 200),
        (429, "{}", 429, 429, 429),
        (200, page, 403, 403, 403),
        (200, r#"{"sub":["a"]}"#, 403, 403, 403),
        (200, large, 403, 403, 200),
    ] {
        let elsewhere = [("retry-after", "7"), ("location", "http://127.0.0.1:1/login")];
        let (url, _) = server(move |_, _| answer(status, &elsewhere, body)).await;
        for (entry, expected) in [
            (json!({}), default),
            (json!({"on_invalid": "next"}), on_invalid),
            (json!({"on_unavailable": "next"}), on_unavailable),
        ] {
            let mut rule = bearer_rule(json!({"check_session_url": url}));
            rule["authenticators"][0].as_object_mut().unwrap().extend(entry.as_object().unwrap().clone());
            let outcome = run(rule, &bearer("t"), &services).await;
            let got = outcome.as_ref().map_or_else(|failure| failure.status.as_u16(), |_| 200);
            assert_eq!(got, expected, "{status} {body:.60} {entry}");
            if got == 429 {
                assert_eq!(outcome.unwrap_err().headers["retry-after"], "7");
            }
        }
    }
}

#[tokio::test]
async fn the_in_process_check_uses_only_the_extracted_token() {
    let (fake, sessions) = fake_sessions();
    let services = fixtures::services_beside(sessions, Link::unset());
    let request = Request::get("http://h/?token=query")
        .header("authorization", "Bearer header")
        .header("x-session-token", "st")
        .header("x-key", "key")
        .header("cookie", "session=valid-alice");
    let checked = async |settings: Value| {
        let mut all = json!({"check_session_url": "http://identity.local/sessions/whoami"});
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let outcome = run(bearer_rule(all), &request, &services).await;
        let seen = fake.seen.lock().unwrap().pop().unwrap();
        let text = |token: &Option<base::PlainToken>| token.as_ref().map(|it| it.expose().to_owned());
        let credentials = (text(&seen.session_token), seen.cookie.clone(), text(&seen.bearer));
        (credentials, outcome.map(|session| session.subject).map_err(|failure| failure.status.as_u16()))
    };
    let text = |text: &str| Some(text.to_owned());
    let cookie = || text("session=valid-alice");
    // (settings, session token, cookie, bearer)
    for (settings, credentials) in [
        (json!({}), (None, None, text("header"))),
        (json!({"token_from": {"header": "X-Session-Token"}}), (text("st"), None, None)),
        (
            json!({"token_from": {"header": "X-Session-Token"}, "forward_http_headers": ["X-Session-Token"]}),
            (text("st"), None, None),
        ),
        (json!({"token_from": {"query_parameter": "token"}}), (text("query"), None, None)),
        (json!({"token_from": {"cookie": "session"}}), (text("valid-alice"), None, None)),
        (json!({"token_from": {"cookie": "session"}, "forward_http_headers": ["Cookie"]}), (None, cookie(), None)),
        // Two credentials, as the rule says.
        (
            json!({"token_from": {"cookie": "session"}, "forward_http_headers": ["Cookie", "Authorization"]}),
            (None, cookie(), text("header")),
        ),
        // The check would not read this header.
        (json!({"token_from": {"header": "X-Key"}, "forward_http_headers": ["X-Key"]}), (text("key"), None, None)),
    ] {
        assert_eq!(checked(settings.clone()).await.0, credentials, "{settings}");
    }
    // Only the cookie that was found is checked, and not another one beside it.
    let beside = Request::get("http://h/").header("cookie", "apitok=junk; session=valid-alice");
    let rule = json!({"check_session_url": "http://identity.local/sessions/whoami", "token_from": {"cookie": "apitok"},
                      "forward_http_headers": ["Cookie"]});
    assert!(run(bearer_rule(rule), &beside, &services).await.is_err());
    assert_eq!(fake.seen.lock().unwrap().pop().unwrap().cookie.as_deref(), Some("apitok=junk"));
    let by_cookie = json!({"token_from": {"cookie": "session"}, "forward_http_headers": ["Cookie"],
                           "subject_from": "identity.id"});
    assert_eq!(checked(by_cookie).await.1.as_deref(), Ok("alice"));
}
