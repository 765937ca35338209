//! Whole rules against whole requests: how handlers follow each other, and every row of the table of section 14, in the
//! default mode and with the additions that a rule opts into.

use contracts::Link;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::testing::{self, FakeIntrospection, Request, fake_sessions};
use super::*;

mod upstreams;

async fn run(rule: Value, request: &Request, services: &Services) -> Result<Session, Box<Failure>> {
    let pipeline = Pipeline::compile(&testing::rule(rule), &testing::config(), services).unwrap();
    pipeline.run(&request.inbound(), services).await
}

fn invalid(rule: Value) -> String {
    let services = testing::services();
    Pipeline::compile(&testing::rule(rule), &testing::config(), &services).unwrap_err().to_string()
}

/// The rule of section 14, with the identity service in this process.
fn cookie_then_anonymous(entry: Value, cookie_settings: Value, anonymous_settings: Value, header: Value) -> Value {
    let mut cookie = json!({
        "handler": "cookie_session",
        "config": {"check_session_url": "kleis://identity/sessions/whoami", "only": ["session"]},
    });
    cookie.as_object_mut().unwrap().extend(entry.as_object().unwrap().clone());
    cookie["config"].as_object_mut().unwrap().extend(cookie_settings.as_object().unwrap().clone());
    let mut header_settings = json!({"headers": {"X-User-Id": "{{ print .Subject }}"}});
    header_settings.as_object_mut().unwrap().extend(header.as_object().unwrap().clone());
    json!({
        "authenticators": [cookie, {"handler": "anonymous", "config": anonymous_settings}],
        "mutators": [{"handler": "header", "config": header_settings}],
    })
}

fn default_rule() -> Value {
    cookie_then_anonymous(json!({}), json!({}), json!({}), json!({}))
}

fn opted_in_rule() -> Value {
    cookie_then_anonymous(
        json!({"on_invalid": "next", "on_unavailable": "next"}),
        json!({"clear_invalid_cookies": true}),
        json!({"ignore_authorization_header": true}),
        json!({"headers": {"X-User-Id": "{{ if .Authenticated }}{{ print .Subject }}{{ end }}"}, "omit_empty": true}),
    )
}

/// The user that the upstream is told of: a name, `-` for no header at all, or the status of the refusal.
async fn user(rule: &Value, request: &Request) -> Result<String, StatusCode> {
    let (_, sessions) = fake_sessions();
    let services = testing::services_beside(sessions, Link::unset());
    match run(rule.clone(), request, &services).await {
        Ok(session) => Ok(session.headers.get("x-user-id").map_or("-", |value| value.to_str().unwrap()).to_owned()),
        Err(failure) => Err(failure.status),
    }
}

#[tokio::test]
async fn one_route_for_visitors_who_are_signed_in_anonymous_or_stale() {
    let with = |cookie: &str| Request::get("http://h/").header("cookie", cookie);
    let unauthorized = Err(StatusCode::UNAUTHORIZED);
    let ok = |user: &str| Ok(user.to_owned());
    // (what the visitor sends, today's answer, the answer with the additions)
    let table = [
        ("a valid session cookie", with("session=valid-alice"), ok("alice"), ok("alice")),
        ("no cookie", Request::get("http://h/"), ok("anonymous"), ok("-")),
        ("only unrelated cookies", with("theme=dark"), ok("anonymous"), ok("-")),
        ("a stale, revoked or forged cookie", with("session=forged"), unauthorized.clone(), ok("-")),
        ("a session that needs a second factor", with("session=aal1"), unauthorized.clone(), ok("-")),
        ("the session store is out of reach", with("session=outage"), Err(StatusCode::SERVICE_UNAVAILABLE), ok("-")),
        (
            "a POST without force_method",
            Request::new(Method::POST, "http://h/").header("cookie", "session=valid-alice"),
            ok("alice"),
            ok("alice"),
        ),
        (
            "no cookie but an Authorization header",
            Request::get("http://h/").header("authorization", "Basic eDp5"),
            unauthorized,
            ok("-"),
        ),
    ];
    for (what, request, default, opted_in) in table {
        assert_eq!(user(&default_rule(), &request).await, default, "{what}, by default");
        assert_eq!(user(&opted_in_rule(), &request).await, opted_in, "{what}, with the additions");
    }
}

#[tokio::test]
async fn unrelated_cookies_are_checked_when_the_rule_names_none() {
    let request = Request::get("http://h/").header("cookie", "theme=dark");
    let (_, sessions) = fake_sessions();
    let services = testing::services_beside(sessions, Link::unset());
    let rule = |on_invalid: &str| {
        json!({"authenticators": [
            {"handler": "cookie_session", "on_invalid": on_invalid,
             "config": {"check_session_url": "kleis://identity/sessions/whoami"}},
            {"handler": "anonymous"},
        ]})
    };
    assert_eq!(run(rule("fail"), &request, &services).await.unwrap_err().status, StatusCode::UNAUTHORIZED);
    assert_eq!(run(rule("next"), &request, &services).await.unwrap().subject, "anonymous");
}

#[tokio::test]
async fn noop_in_the_end_accepts_whoever_anonymous_turns_away() {
    let request = Request::get("http://h/").header("authorization", "Basic eDp5");
    let services = testing::services();
    let rule = json!({"authenticators": [{"handler": "anonymous"}, {"handler": "noop"}]});
    let session = run(rule, &request, &services).await.unwrap();
    assert_eq!((session.subject.as_str(), session.authenticator), ("", "noop"));
}

#[tokio::test]
async fn an_invalid_bearer_token_falls_through_only_where_the_rule_says_so() {
    let services = testing::services();
    let rule = |on_invalid: &str, ignore: bool| {
        json!({"authenticators": [
            {"handler": "jwt", "on_invalid": on_invalid, "config": {"jwks_urls": ["base64://eyJrZXlzIjpbXX0="]}},
            {"handler": "anonymous", "config": {"ignore_authorization_header": ignore}},
        ]})
    };
    for token in ["a.b.c", "opaque"] {
        let request = Request::get("http://h/").header("authorization", &format!("Bearer {token}"));
        let failure = run(rule("fail", false), &request, &services).await.unwrap_err();
        assert_eq!(failure.status, StatusCode::UNAUTHORIZED, "{token}");
        assert_eq!(run(rule("next", true), &request, &services).await.unwrap().subject, "anonymous", "{token}");
    }
}

#[tokio::test]
async fn an_expired_token_with_noop_behind_it_is_refused_unless_the_rule_says_otherwise() {
    let services = testing::services_beside(Link::unset(), Link::to(std::sync::Arc::new(FakeIntrospection)));
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
async fn cookies_that_are_no_good_are_cleared_and_good_ones_are_not() {
    let (_, sessions) = fake_sessions();
    let services = testing::services_beside(sessions, Link::unset());
    let cleared = async |cookie: &str| {
        let request = Request::get("http://h/").header("cookie", cookie);
        run(opted_in_rule(), &request, &services).await.unwrap().set_cookies
    };
    let stale = cleared("session=forged").await;
    assert!(stale[0].to_str().unwrap().starts_with("session=; Path=/; ") && stale.len() == 1, "{stale:?}");
    assert!(cleared("session=valid-alice").await.is_empty());
    // Signing in is half done: the second factor must find its session.
    assert!(cleared("session=aal1").await.is_empty());
    assert!(cleared("session=outage").await.is_empty());
    let failing = cookie_then_anonymous(json!({}), json!({"clear_invalid_cookies": true}), json!({}), json!({}));
    let request = Request::get("http://h/").header("cookie", "session=forged");
    assert_eq!(run(failing, &request, &services).await.unwrap_err().set_cookies.len(), 1);
}

#[tokio::test]
async fn one_template_serves_everybody() {
    let (_, sessions) = fake_sessions();
    let services = testing::services_beside(sessions, Link::unset());
    let mut rule = opted_in_rule();
    rule["mutators"] = json!([{"handler": "header", "config": {"headers": {
        "X-Who": "{{ .Authenticator }}/{{ .Authenticated }}/{{ .Subject }}/{{ default \"none\" .Extra.identity.traits.email }}"
    }}}]);
    let who = async |cookie: &str| {
        let request = Request::get("http://h/").header("cookie", cookie);
        run(rule.clone(), &request, &services).await.unwrap().headers["x-who"].clone()
    };
    assert_eq!(who("session=valid-alice").await, "cookie_session/true/alice/alice@example");
    assert_eq!(who("session=forged").await, "anonymous/false/anonymous/none");
}

#[tokio::test]
async fn the_session_check_beside_us_needs_no_network_under_its_http_url_either() {
    let (fake, sessions) = fake_sessions();
    let services = testing::services_beside(sessions, Link::unset());
    let rule = json!({"authenticators": [{"handler": "cookie_session", "config": {
        "check_session_url": "http://identity.local/sessions/whoami", "preserve_path": true,
        "subject_from": "identity.id", "extra_from": "@this", "forward_http_headers": ["Authorization", "X-Session-Token"],
    }}]});
    let request = Request::get("http://h/")
        .header("cookie", "session=valid-alice")
        .header("authorization", "Bearer token")
        .header("x-session-token", "st");
    assert_eq!(run(rule, &request, &services).await.unwrap().subject, "alice");
    let seen = fake.seen.lock().unwrap();
    assert_eq!(seen[0].cookie.as_deref(), Some("session=valid-alice"));
    assert_eq!(seen[0].bearer.as_ref().unwrap().expose(), "token");
    assert_eq!(seen[0].session_token.as_ref().unwrap().expose(), "st");
}

#[tokio::test]
async fn without_a_neighbour_an_in_process_check_fails_closed() {
    let request = Request::get("http://h/").header("cookie", "session=valid-alice");
    let failure = run(default_rule(), &request, &testing::services()).await.unwrap_err();
    assert_eq!(failure.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_session_without_a_subject_is_accepted_unless_the_rule_requires_one() {
    let (_, sessions) = fake_sessions();
    let services = testing::services_beside(sessions, Link::unset());
    let request = Request::get("http://h/").header("cookie", "session=valid-alice");
    let rule = |require: bool| {
        cookie_then_anonymous(
            json!({}),
            json!({"subject_from": "none", "require_subject": require}),
            json!({}),
            json!({}),
        )
    };
    assert_eq!(run(rule(false), &request, &services).await.unwrap().subject, "");
    assert_eq!(run(rule(true), &request, &services).await.unwrap_err().status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_access_token_is_introspected_beside_us() {
    let services = testing::services_beside(Link::unset(), Link::to(std::sync::Arc::new(FakeIntrospection)));
    let rule = |more: Value| {
        let mut settings =
            json!({"introspection_url": "http://oauth.local/admin/oauth2/introspect", "scope_strategy": "exact"});
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"authenticators": [{"handler": "oauth2_introspection", "config": settings}]})
    };
    let with = |token: &str| Request::get("http://h/").header("authorization", &format!("Bearer {token}"));
    let session = run(rule(json!({"required_scope": ["a"]})), &with("good"), &services).await.unwrap();
    assert_eq!(session.subject, "alice");
    assert_eq!(session.extra, json!({"k": "v", "username": "", "client_id": "c", "scope": "a b"}));
    let status = async |more: Value, token: &str| run(rule(more), &with(token), &services).await.unwrap_err().status;
    assert_eq!(status(json!({}), "bad").await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(json!({}), "outage").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(status(json!({"required_scope": ["c"]}), "good").await, StatusCode::FORBIDDEN);
    assert_eq!(status(json!({"target_audience": ["x"]}), "good").await, StatusCode::FORBIDDEN);
    assert_eq!(status(json!({"trusted_issuers": ["x"]}), "good").await, StatusCode::FORBIDDEN);
    assert_eq!(status(json!({"prefix": "ory_at_"}), "good").await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn deny_refuses_whoever_is_known() {
    let failure =
        run(json!({"authorizer": {"handler": "deny"}}), &Request::get("http://h/"), &testing::services()).await;
    assert_eq!(failure.unwrap_err().status, StatusCode::FORBIDDEN);
    let rule = json!({"authenticators": [{"handler": "unauthorized", "on_invalid": "next"}, {"handler": "noop"}]});
    let failure = run(rule, &Request::get("http://h/"), &testing::services()).await;
    assert_eq!(failure.unwrap_err().status, StatusCode::UNAUTHORIZED);
}

#[test]
fn a_rule_that_names_what_is_not_there_is_invalid_and_says_why() {
    for (rule, reason) in [
        (json!({"authenticators": []}), "it has no authenticators"),
        (json!({"authorizer": {"handler": ""}}), "it has no authorizer"),
        (json!({"mutators": []}), "it has no mutators"),
        (json!({"authenticators": [{"handler": "bearer_token"}]}), "`bearer_token` is not offered by this gateway"),
        (json!({"authorizer": {"handler": "remote"}}), "`remote` is not offered"),
        (json!({"mutators": [{"handler": "hydrator"}]}), "`hydrator` is not offered"),
        (json!({"mutators": [{"handler": "cookie"}]}), "`cookie` is not offered"),
        (json!({"authenticators": [{"handler": "what"}]}), "`what` is not known"),
        (json!({"authenticators": [{"handler": "jwt"}]}), "needs the setting `jwks_urls`"),
        (
            json!({"authenticators": [{"handler": "jwt", "config": {"jwks_urls": ["x"], "allowed_algorithms": ["HS256"]}}]}),
            "the algorithm `HS256`, which is not offered",
        ),
        (json!({"authenticators": [{"handler": "cookie_session"}]}), "needs the setting `check_session_url`"),
        (
            json!({"authenticators": [{"handler": "cookie_session", "config":
            {"check_session_url": "http://x", "clear_invalid_cookies": true}}]}),
            "`only`",
        ),
        (
            json!({"authenticators": [{"handler": "oauth2_introspection", "config": {"introspection_url": "ftp://x"}}]}),
            "neither http nor https",
        ),
        (json!({"errors": [{"handler": "redirect"}]}), "needs the setting `to`"),
    ] {
        let said = invalid(rule);
        assert!(said.contains(reason), "{said}");
    }
}

#[test]
fn a_handler_must_be_enabled() {
    let mut config = testing::config();
    config.authorizers.get_mut("allow").unwrap().enabled = false;
    let error = Pipeline::compile(&testing::rule(json!({})), &config, &testing::services()).unwrap_err();
    assert_eq!(error.to_string(), "the authorizer `allow` is not enabled in the configuration");
}
