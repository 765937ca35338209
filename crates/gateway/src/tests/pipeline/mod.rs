//! Complete rules and requests: the order of handlers, and invalid rules.

use contracts::Link;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::fixtures::{self, FakeIntrospection, Request, fake_sessions, run};
use crate::domain::session::Session;
use crate::pipeline::Pipeline;

mod authorization;
mod permissions;
mod policy_engine;
mod tokens;
mod upstreams;
mod visitors;

fn extra(session: &Session) -> Value {
    session.extra.get().map_or(Value::Null, std::borrow::Cow::into_owned)
}

fn invalid(rule: Value) -> String {
    let services = fixtures::services();
    Pipeline::compile(&fixtures::rule(rule), &fixtures::config(), &services).unwrap_err().to_string()
}

#[tokio::test]
async fn the_http_url_of_the_in_process_session_check_uses_no_network() {
    let (fake, sessions) = fake_sessions();
    let services = fixtures::services_beside(sessions, Link::unset());
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
async fn a_session_without_a_subject_is_accepted_unless_the_rule_requires_one() {
    let (_, sessions) = fake_sessions();
    let services = fixtures::services_beside(sessions, Link::unset());
    let request = Request::get("http://h/").header("cookie", "session=valid-alice");
    let rule = |require: bool| {
        let settings = json!({"check_session_url": "kleis://identity/sessions/whoami", "subject_from": "none",
                              "require_subject": require});
        json!({"authenticators": [{"handler": "cookie_session", "config": settings}]})
    };
    assert_eq!(run(rule(false), &request, &services).await.unwrap().subject, "");
    assert_eq!(run(rule(true), &request, &services).await.unwrap_err().status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_access_token_is_introspected_in_process() {
    let services = fixtures::services_beside(Link::unset(), Link::to(std::sync::Arc::new(FakeIntrospection)));
    let rule = |more: Value| {
        let mut settings =
            json!({"introspection_url": "http://oauth.local/admin/oauth2/introspect", "scope_strategy": "exact"});
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"authenticators": [{"handler": "oauth2_introspection", "config": settings}]})
    };
    let with = |token: &str| Request::get("http://h/").header("authorization", &format!("Bearer {token}"));
    let session = run(rule(json!({"required_scope": ["a"]})), &with("good"), &services).await.unwrap();
    assert_eq!(session.subject, "alice");
    assert_eq!(extra(&session), json!({"k": "v", "username": "", "client_id": "c", "scope": "a b"}));
    let status = async |more: Value, token: &str| run(rule(more), &with(token), &services).await.unwrap_err().status;
    assert_eq!(status(json!({}), "bad").await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(json!({}), "outage").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(status(json!({"required_scope": ["c"]}), "good").await, StatusCode::FORBIDDEN);
    assert_eq!(status(json!({"target_audience": ["x"]}), "good").await, StatusCode::FORBIDDEN);
    assert_eq!(status(json!({"trusted_issuers": ["x"]}), "good").await, StatusCode::FORBIDDEN);
    assert_eq!(status(json!({"prefix": "ory_at_"}), "good").await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn deny_rejects_authenticated_requests() {
    let failure =
        run(json!({"authorizer": {"handler": "deny"}}), &Request::get("http://h/"), &fixtures::services()).await;
    assert_eq!(failure.unwrap_err().status, StatusCode::FORBIDDEN);
    let rule = json!({"authenticators": [{"handler": "unauthorized", "on_invalid": "next"}, {"handler": "noop"}]});
    let failure = run(rule, &Request::get("http://h/"), &fixtures::services()).await;
    assert_eq!(failure.unwrap_err().status, StatusCode::UNAUTHORIZED);
}

#[test]
fn a_rule_with_a_missing_handler_or_setting_is_invalid_with_a_reason() {
    for (rule, reason) in [
        (json!({"authenticators": []}), "it has no authenticators"),
        (json!({"authorizer": {"handler": ""}}), "it has no authorizer"),
        (json!({"mutators": []}), "it has no mutators"),
        (
            json!({"authenticators": [{"handler": "oauth2_client_credentials"}]}),
            "`oauth2_client_credentials` is not supported by this gateway",
        ),
        (json!({"authorizer": {"handler": "keto_engine_acp_ory"}}), "requires the setting `base_url`"),
        (json!({"authorizer": {"handler": "permission"}}), "requires the setting `namespace`"),
        (json!({"mutators": [{"handler": "hydrator"}]}), "`hydrator` is not supported"),
        (json!({"mutators": [{"handler": "cookie"}]}), "`cookie` is not supported"),
        (json!({"authenticators": [{"handler": "what"}]}), "`what` is not known"),
        (json!({"authenticators": [{"handler": "jwt"}]}), "requires the setting `jwks_urls`"),
        (
            json!({"authenticators": [{"handler": "jwt", "config": {"jwks_urls": ["x"], "allowed_algorithms": ["HS256"]}}]}),
            "the algorithm `HS256`, which is not supported",
        ),
        (json!({"authenticators": [{"handler": "cookie_session"}]}), "requires the setting `check_session_url`"),
        (
            json!({"authenticators": [{"handler": "cookie_session", "config":
            {"check_session_url": "http://x", "clear_invalid_cookies": true}}]}),
            "`only`",
        ),
        (
            json!({"authenticators": [{"handler": "oauth2_introspection", "config": {"introspection_url": "ftp://x"}}]}),
            "neither http nor https",
        ),
        (json!({"errors": [{"handler": "redirect"}]}), "requires the setting `to`"),
    ] {
        let error = invalid(rule);
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_handler_must_be_enabled() {
    let mut config = fixtures::config();
    config.authorizers.get_mut("allow").unwrap().enabled = false;
    let error = Pipeline::compile(&fixtures::rule(json!({})), &config, &fixtures::services()).unwrap_err();
    assert_eq!(error.to_string(), "the authorizer `allow` is not enabled in the configuration");
}
