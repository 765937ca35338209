//! Authenticated, anonymous and expired sessions on one URL: the requests, and the headers that the upstream receives. Each
//! case runs four times: with the identity service in process and over HTTP, under a rule in Oathkeeper's format and under
//! one that enables the extensions.

use http::Response;
use http::request::Parts;

use super::*;
use crate::tests::harness::{answer, server};

/// The outcome of a request: the name that the upstream receives, `-` for none, or the status of the rejection.
type Received = Result<String, u16>;

#[expect(clippy::unnecessary_wraps, reason = "used next to `Err(status)`")]
fn received(name: &str) -> Received {
    Ok(name.to_owned())
}

/// A rule in Oathkeeper's format.
fn oathkeeper_rule(check_session_url: &str, cookie_settings: Value) -> Value {
    let mut cookie = json!({
        "check_session_url": check_session_url, "preserve_path": true, "subject_from": "identity.id",
        "only": ["session"], "force_method": "GET",
    });
    merge(&mut cookie, cookie_settings);
    json!({
        "authenticators": [{"handler": "cookie_session", "config": cookie}, {"handler": "anonymous"}],
        "mutators": [{"handler": "header", "config": {"headers": {"X-User-Id": "{{ print .Subject }}"}}}],
    })
}

/// The same with all extensions enabled.
fn opted_in(check_session_url: &str, cookie_settings: Value) -> Value {
    let mut rule = oathkeeper_rule(check_session_url, cookie_settings);
    merge(&mut rule["authenticators"][0], json!({"on_invalid": "next", "on_unavailable": "next"}));
    rule["authenticators"][1] = json!({"handler": "anonymous", "config": {"ignore_authorization_header": true}});
    rule["mutators"][0]["config"] = json!({
        "omit_empty": true, "headers": {"X-User-Id": "{{ if .Authenticated }}{{ print .Subject }}{{ end }}"},
    });
    rule
}

fn merge(under: &mut Value, over: Value) {
    under.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
}

async fn user(rule: Value, request: &Request) -> Received {
    let (_, sessions) = fake_sessions();
    let services = fixtures::services_beside(sessions, Link::unset());
    match run(rule, request, &services).await {
        Ok(session) => Ok(session.headers.get("x-user-id").map_or("-", |value| value.to_str().unwrap()).to_owned()),
        Err(failure) => Err(failure.status.as_u16()),
    }
}

/// `whoami` over HTTP, with the same users as [`testing::FakeSessions`].
fn whoami(parts: &Parts, _: &str) -> Response<String> {
    if parts.method != Method::GET {
        return answer(405, &[], "{}");
    }
    match web::cookies::get(&parts.headers, "session") {
        Some(user) if user.starts_with("valid-") => {
            answer(200, &[], &json!({"active": true, "identity": {"id": &user[6..]}}).to_string())
        }
        Some("aal1") => answer(403, &[], "{}"),
        Some("outage") => answer(503, &[], "{}"),
        _ => answer(401, &[], "{}"),
    }
}

const BESIDE_US: &str = "kleis://identity/sessions/whoami";

struct Case {
    what: &'static str,
    settings: Value,
    request: Request,
    /// In process and over HTTP, under a rule in Oathkeeper's format.
    oathkeeper: [Received; 2],
    /// The same, under the rule with the extensions.
    opted_in: [Received; 2],
}

fn case(what: &'static str, request: Request, oathkeeper: [Received; 2], opted_in: [Received; 2]) -> Case {
    Case { what, settings: json!({}), request, oathkeeper, opted_in }
}

/// All cases except those with tokens, which follow below.
fn cases() -> Vec<Case> {
    let with = |cookie: &str| Request::get("http://h/").header("cookie", cookie);
    let post = || Request::new(Method::POST, "http://h/").header("cookie", "session=valid-alice");
    let basic = || Request::get("http://h/").header("authorization", "Basic eDp5");
    let everywhere = |received: Received| [received.clone(), received];
    let alice = || everywhere(received("alice"));
    let (unnamed, anonymous) = (|| everywhere(received("-")), || everywhere(received("anonymous")));
    let unauthorized = || everywhere(Err(401));
    vec![
        case("a valid session", with("session=valid-alice"), alice(), alice()),
        case("among other cookies", with("a=b; session=valid-alice; c=d"), alice(), alice()),
        case("no cookie", Request::get("http://h/"), anonymous(), unnamed()),
        case("only unrelated cookies", with("theme=dark"), anonymous(), unnamed()),
        Case {
            settings: json!({"only": []}),
            ..case("only unrelated cookies, and the rule names none", with("theme=dark"), unauthorized(), unnamed())
        },
        Case {
            settings: json!({"only": []}),
            ..case("no cookie, and the rule names none", Request::get("http://h/"), anonymous(), unnamed())
        },
        case("a stale session", with("session=stale"), unauthorized(), unnamed()),
        case("a revoked session", with("session=revoked"), unauthorized(), unnamed()),
        case("a tampered cookie", with("session=valid"), unauthorized(), unnamed()),
        case("an empty cookie", with("session="), unauthorized(), unnamed()),
        case("a session that needs a second factor", with("session=aal1"), unauthorized(), unnamed()),
        // In process an outage is reported as one; over HTTP it keeps the status that Oathkeeper uses.
        case("a session store that fails", with("session=outage"), [Err(503), Err(401)], unnamed()),
        case("a POST with force_method", post(), alice(), alice()),
        Case {
            settings: json!({"force_method": ""}),
            ..case(
                "a POST without force_method",
                post(),
                [received("alice"), Err(401)],
                [received("alice"), received("-")],
            )
        },
        case("no cookie and an Authorization header", basic(), unauthorized(), unnamed()),
        case(
            "a session and an Authorization header",
            basic().header("cookie", "session=valid-alice"),
            alice(),
            alice(),
        ),
    ]
}

#[tokio::test]
async fn one_url_serves_authenticated_anonymous_and_expired_sessions() {
    let (url, _) = server(whoami).await;
    let url = format!("{url}/sessions/whoami");
    for Case { what, settings, request, oathkeeper, opted_in: opted } in cases() {
        for (place, url) in [BESIDE_US, url.as_str()].into_iter().enumerate() {
            let got = user(oathkeeper_rule(url, settings.clone()), &request).await;
            assert_eq!(got, oathkeeper[place], "{what}, as in Oathkeeper, {url}");
            let got = user(opted_in(url, settings.clone()), &request).await;
            assert_eq!(got, opted[place], "{what}, opted in, {url}");
        }
    }
}

#[tokio::test]
async fn an_unreachable_session_store_rejects_requests_unless_the_rule_opts_out() {
    let request = Request::get("http://h/").header("cookie", "session=valid-alice");
    let nowhere = "http://127.0.0.1:1/sessions/whoami";
    assert_eq!(user(oathkeeper_rule(nowhere, json!({})), &request).await, Err(403));
    assert_eq!(user(opted_in(nowhere, json!({})), &request).await, received("-"));
    let services = fixtures::services();
    let alone = |rule: Value| run(rule, &request, &services);
    let failure = alone(oathkeeper_rule(BESIDE_US, json!({}))).await.unwrap_err();
    assert_eq!(failure.status, StatusCode::SERVICE_UNAVAILABLE, "no identity service runs in this process");
    assert_eq!(alone(opted_in(BESIDE_US, json!({}))).await.unwrap().subject, "anonymous");
}

#[tokio::test]
async fn a_session_store_that_never_responds_is_unreachable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/sessions/whoami", listener.local_addr().unwrap());
    let request = Request::get("http://h/").header("cookie", "session=valid-alice");
    let both = async {
        tokio::join!(user(oathkeeper_rule(&url, json!({})), &request), user(opted_in(&url, json!({})), &request))
    };
    let in_time = tokio::time::timeout(std::time::Duration::from_secs(8), both).await;
    assert_eq!(in_time.expect("a check ends within five seconds"), (Err(403), received("-")));
}

#[tokio::test]
async fn each_extension_enables_only_its_own_case() {
    let with = |cookie: &str| Request::get("http://h/").header("cookie", cookie);
    let basic = Request::get("http://h/").header("authorization", "Basic eDp5");
    let rule = |entry: Value, anonymous: Value| {
        let mut rule = oathkeeper_rule(BESIDE_US, json!({}));
        merge(&mut rule["authenticators"][0], entry);
        rule["authenticators"][1]["config"] = anonymous;
        rule
    };
    let invalid = || rule(json!({"on_invalid": "next"}), json!({}));
    let unavailable = || rule(json!({"on_unavailable": "next"}), json!({}));
    let header = || rule(json!({}), json!({"ignore_authorization_header": true}));
    for (what, request, answers) in [
        ("stale", with("session=stale"), [received("anonymous"), Err(401), Err(401)]),
        ("outage", with("session=outage"), [Err(503), received("anonymous"), Err(503)]),
        ("Authorization", basic, [Err(401), Err(401), received("anonymous")]),
    ] {
        for (rule, expected) in [invalid(), unavailable(), header()].into_iter().zip(answers) {
            assert_eq!(user(rule.clone(), &request).await, expected, "{what} under {rule}");
        }
    }
}

#[tokio::test]
async fn a_final_noop_accepts_requests_that_anonymous_does_not() {
    let request = Request::get("http://h/").header("authorization", "Basic eDp5");
    let services = fixtures::services();
    let rule = json!({"authenticators": [{"handler": "anonymous"}, {"handler": "noop"}]});
    let session = run(rule, &request, &services).await.unwrap();
    assert_eq!((session.subject.as_str(), session.authenticator), ("", "noop"));
}

#[tokio::test]
async fn an_invalid_bearer_token_falls_through_only_where_the_rule_opts_in() {
    let services = fixtures::services();
    let rule = |on_invalid: &str, ignore: bool| {
        json!({"authenticators": [
            {"handler": "jwt", "on_invalid": on_invalid, "config": {"jwks_urls": ["base64://eyJrZXlzIjpbXX0="]}},
            {"handler": "anonymous", "config": {"ignore_authorization_header": ignore}},
        ]})
    };
    // (token, as in Oathkeeper, `on_invalid` alone, `ignore_authorization_header` alone, both)
    for (token, expected) in [
        // The JWT is invalid, which ends the pipeline unless the rule opts out.
        ("a.b.c", [Err(401), Err(401), Err(401), received("anonymous")]),
        // No authenticator is responsible for an opaque token, and `anonymous` declines because of the header.
        ("opaque", [Err(401), Err(401), received("anonymous"), received("anonymous")]),
    ] {
        let request = Request::get("http://h/").header("authorization", &format!("Bearer {token}"));
        let rules = [rule("fail", false), rule("next", false), rule("fail", true), rule("next", true)];
        for (rule, expected) in rules.into_iter().zip(expected) {
            let outcome = run(rule.clone(), &request, &services).await;
            let got = outcome.map(|session| session.subject).map_err(|failure| failure.status.as_u16());
            assert_eq!(got, expected, "{token} under {rule}");
        }
    }
}

#[tokio::test]
async fn an_expired_token_before_a_noop_is_rejected_unless_the_rule_opts_out() {
    let services = fixtures::services_beside(Link::unset(), Link::to(std::sync::Arc::new(FakeIntrospection)));
    let rule = |on_invalid: &str| {
        json!({"authenticators": [
            {"handler": "oauth2_introspection", "on_invalid": on_invalid,
             "config": {"introspection_url": "kleis://oauth/introspect"}},
            {"handler": "noop"},
        ]})
    };
    let request = Request::get("http://h/").header("authorization", "Bearer expired");
    assert_eq!(run(rule("fail"), &request, &services).await.unwrap_err().status, StatusCode::UNAUTHORIZED);
    assert_eq!(run(rule("next"), &request, &services).await.unwrap().authenticator, "noop");
}

#[tokio::test]
async fn invalid_cookies_are_cleared_and_valid_ones_are_not() {
    let (_, sessions) = fake_sessions();
    let services = fixtures::services_beside(sessions, Link::unset());
    let clearing = || opted_in(BESIDE_US, json!({"clear_invalid_cookies": true}));
    let cleared = async |cookie: &str| {
        let request = Request::get("http://h/").header("cookie", cookie);
        run(clearing(), &request, &services).await.unwrap().set_cookies
    };
    let stale = cleared("session=forged").await;
    assert!(stale[0].to_str().unwrap().starts_with("session=; ") && stale.len() == 1, "{stale:?}");
    assert!(cleared("session=valid-alice").await.is_empty());
    // The login is incomplete: the second factor needs the session.
    assert!(cleared("session=aal1").await.is_empty());
    assert!(cleared("session=outage").await.is_empty());
    let failing = oathkeeper_rule(BESIDE_US, json!({"clear_invalid_cookies": true}));
    let request = Request::get("http://h/").header("cookie", "session=forged");
    assert_eq!(run(failing, &request, &services).await.unwrap_err().set_cookies.len(), 1);
}

#[tokio::test]
async fn one_template_serves_authenticated_and_anonymous_requests() {
    let (_, sessions) = fake_sessions();
    let services = fixtures::services_beside(sessions, Link::unset());
    let mut rule = opted_in(BESIDE_US, json!({}));
    rule["mutators"] = json!([{"handler": "header", "config": {"headers": {
        "X-Who": "{{ .Authenticator }}/{{ .Authenticated }}/{{ .Subject }}/{{ default \"none\" .Extra.identity.traits.email }}"
    }}}]);
    rule["authenticators"][0]["config"]["extra_from"] = json!("@this");
    let who = async |cookie: &str| {
        let request = Request::get("http://h/").header("cookie", cookie);
        run(rule.clone(), &request, &services).await.unwrap().headers.get("x-who").unwrap().clone()
    };
    assert_eq!(who("session=valid-alice").await, "cookie_session/true/alice/alice@example");
    assert_eq!(who("session=forged").await, "anonymous/false/anonymous/none");
}
