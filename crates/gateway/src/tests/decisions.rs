//! The API: decisions for other proxies, rules, keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::harness::{Running, config, exchange, gateway, rule};
use crate::Readiness;

fn forwarded<'a>(method: &'a str, uri: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("x-forwarded-method", method),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "api.example"),
        ("x-forwarded-uri", uri),
    ]
}

fn named() -> serde_json::Value {
    let mutators = json!([{"handler": "header", "config": {"headers": {
        "X-User": "{{ print .Subject }}", "X-Query": "{{ .MatchContext.URL.Query.Get \"q\" }}",
        "X-Group": "{{ printIndex .MatchContext.RegexpCaptureGroups 1 }}"
    }}}]);
    rule("/named/<.*>", "", json!({"mutators": mutators}))
}

#[tokio::test]
async fn traefik_and_nginx_describe_the_request_in_headers() {
    let running = Running::start(
        json!([named(), rule("/post", "", json!({"match": {"url": "http://<.*>/post", "methods": ["POST"]}}))]),
        json!({}),
    )
    .await;
    let granted = running.decide("/decisions", &forwarded("GET", "/named/x?q=1")).await;
    assert_eq!((granted.status.as_u16(), granted.text.len()), (200, 0));
    assert_eq!(granted.header("x-user"), Some("anonymous"));
    assert_eq!((granted.header("x-query"), granted.header("x-group")), (Some("1"), Some("x")));
    assert_eq!(running.decide("/decisions", &forwarded("POST", "/post")).await.status, 200);
    assert_eq!(running.decide("/decisions", &forwarded("GET", "/post")).await.status, 404);
    assert_eq!(running.decide("/decisions", &forwarded("GET", "/named/..%2fx")).await.status, 400);
}

#[tokio::test]
async fn envoy_appends_the_path_and_keeps_method_and_host() {
    let running = Running::start(json!([named(), rule("/other", "", json!({}))]), json!({})).await;
    let granted = running.decide("/decisions/named/x", &[("host", "api.example")]).await;
    assert_eq!((granted.status.as_u16(), granted.header("x-user")), (200, Some("anonymous")));
    let other = running.decide("/decisions/other", &[("x-user", "forged")]).await;
    assert_eq!((other.status.as_u16(), other.header("x-user")), (200, None), "a forged header is not echoed");
    assert_eq!(other.header("x-envoy-auth-headers-to-remove"), Some("x-group,x-query,x-user"));
}

#[tokio::test]
async fn a_forged_header_is_removed_under_the_name_with_which_it_was_sent() {
    let running = Running::start(json!([named()]), json!({})).await;
    let sent = [("host", "api.example"), ("x_user", "forged"), ("x.user", "forged"), ("x-mine", "7")];
    let granted = running.decide("/decisions/named/x", &sent).await;
    assert_eq!((granted.status.as_u16(), granted.header("x-user")), (200, Some("anonymous")));
    assert_eq!((granted.header("x_user"), granted.header("x.user")), (None, None));
    assert_eq!(granted.header("x-envoy-auth-headers-to-remove"), Some("x.user,x_user"));
}

#[tokio::test]
async fn a_bare_decision_is_about_a_url_without_a_path() {
    let mut bare = rule("", "", json!({}));
    bare["match"]["url"] = json!("http://api.example");
    let running =
        Running::start(json!([bare, rule("/", "", json!({"authorizer": {"handler": "deny"}}))]), json!({})).await;
    assert_eq!(running.decide("/decisions", &[]).await.status, 200);
    assert_eq!(running.decide("/decisions/", &[]).await.status, 403);
    assert_eq!(running.decide("/decisions", &forwarded("GET", "/")).await.status, 403);
}

#[tokio::test]
async fn a_security_section_can_disable_forwarded_headers() {
    let rules = json!([rule("/a", "", json!({}))]);
    for (setting, status) in [("trust", 200), ("ignore", 403)] {
        let changes = json!({"security": {"decision": {"x_forwarded_headers": setting}}});
        let running = Running::start(rules.clone(), changes).await;
        assert_eq!(running.decide("/decisions", &forwarded("GET", "/a")).await.status, status, "{setting}");
    }
}

#[tokio::test]
async fn noop_returns_the_requests_own_headers() {
    let running = Running::start(json!([rule("/a", "", json!({}))]), json!({})).await;
    let granted = running.decide("/decisions/a", &[("authorization", ""), ("x-mine", "m")]).await;
    assert_eq!((granted.header("x-mine"), granted.header("content-length")), (Some("m"), Some("0")));
}

#[tokio::test]
async fn forwarded_headers_of_an_unlisted_peer_are_rejected() {
    let changes = json!({"serve": {"api": {"trusted_proxies": ["10.0.0.0/8"]}}});
    let running = Running::start(json!([rule("/<.*>", "", json!({}))]), changes).await;
    assert_eq!(running.decide("/decisions", &forwarded("GET", "/a")).await.status, 403);
    assert_eq!(running.decide("/decisions/a", &[]).await.status, 200);
}

#[tokio::test]
async fn error_handlers_use_the_original_url() {
    let errors = json!({
        "authorizer": {"handler": "deny"},
        "errors": [{"handler": "redirect", "config": {"to": "https://login.example/", "return_to_query_param": "back"}}],
    });
    let handlers = json!({"errors": {"handlers": {"redirect": {"enabled": true, "config": {"to": "/"}}}}});
    let running = Running::start(json!([rule("/a", "", errors)]), handlers).await;
    let denied = running.decide("/decisions", &forwarded("GET", "/a?x=%31")).await;
    assert_eq!(denied.status, 302);
    let location = denied.header("location").unwrap();
    assert_eq!(location, "https://login.example/?back=http%3A%2F%2Fapi.example%2Fa%3Fx%3D%2531");
}

#[tokio::test]
async fn a_request_of_a_rule_whose_pattern_is_not_valid_is_answered_by_no_other_rule() {
    for strategy in ["regexp", "glob"] {
        let (broken, all) =
            if strategy == "regexp" { ("/<admin|owner>/<[>", "/<.*>") } else { ("/<{admin,owner}>/<{>", "/<**>") };
        let mut rules = vec![rule(broken, "", json!({})), rule(all, "", json!({})), rule("/users<", "", json!({}))];
        for (rule, path) in rules.iter_mut().zip([broken, all, "/users<"]) {
            rule["match"]["url"] = json!(format!("http://api.example{path}"));
        }
        rules[2]["match"]["methods"] = json!(["POST"]);
        let source = format!("inline://{}", STANDARD.encode(json!(rules).to_string()));
        let changes = json!({"access_rules": {"matching_strategy": strategy, "repositories": [source]}});
        let running = Running::start(json!([]), changes).await;
        let status = async |method, path| running.decide("/decisions", &forwarded(method, path)).await.status.as_u16();
        for (path, expected) in
            [("/admin/users", 500), ("/owner/x", 500), ("/", 200), ("/admins", 200), ("/users", 200)]
        {
            assert_eq!(status("GET", path).await, expected, "{strategy} {path}");
        }
        assert_eq!(status("POST", "/users/1").await, 500, "{strategy}");
        assert_eq!(status("POST", "/user").await, 200, "{strategy}");
    }
}

#[tokio::test]
async fn rules_are_listed_in_pages_and_shown_by_id() {
    let mut rules: Vec<_> = (0..60).map(|number| rule(&format!("/{number}"), "", json!({}))).collect();
    rules.push(rule("/invalid", "", json!({"mutators": []})));
    let running = Running::start(json!(rules), json!({})).await;
    let list = async |query: &str| running.decide(&format!("/rules{query}"), &[]).await.json;
    let ids = |list: &serde_json::Value| {
        list.as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list("").await.as_array().unwrap().len(), 50);
    assert_eq!(list("?limit=x&offset=-1").await.as_array().unwrap().len(), 50);
    assert_eq!(list("?limit=9999").await.as_array().unwrap().len(), 60, "invalid rules are not shown");
    assert_eq!(ids(&list("?limit=2&offset=3").await), ["/3", "/4"]);
    let one = running.decide("/rules/%2F7", &[]).await;
    assert_eq!((one.status.as_u16(), &one.json["match"]["methods"][0]), (200, &json!("GET")));
    assert_eq!(running.decide("/rules/none", &[]).await.status, 404);
    assert_eq!(exchange(running.api, "POST", "/rules", &[], b"{}").await.status, 405);
}

#[tokio::test]
async fn id_tokens_verify_with_the_published_keys() {
    let mutators =
        json!([{"handler": "id_token", "config": {"issuer_url": "https://gw/", "jwks_url": crate::IN_PROCESS_KEYS}}]);
    let running = Running::start(json!([rule("/a", "", json!({"mutators": mutators}))]), json!({})).await;
    assert!(running.gateway.signs_with_ephemeral_keys(), "this is logged when the rules are loaded");
    let granted = running.decide("/decisions/a", &[("authorization", "")]).await;
    let token = granted.header("authorization").unwrap().strip_prefix("Bearer ").unwrap().to_owned();
    let published = running.decide("/.well-known/jwks.json", &[]).await.json;
    assert!(published["keys"][0].get("d").is_none());
    let keys = jose::JwkSet::parse(&published).unwrap();
    let verified =
        jose::Jws::parse(&token).unwrap().verify(&keys.keys.iter().collect(), &jose::Algorithm::ALL).unwrap();
    assert_eq!(verified.claims::<serde_json::Value>().unwrap()["sub"], "anonymous");
}

#[tokio::test]
async fn only_rules_that_sign_with_ephemeral_keys_are_reported() {
    let running = Running::start(json!([rule("/a", "", json!({}))]), json!({})).await;
    assert!(!running.gateway.signs_with_ephemeral_keys());
    let named = json!([{"handler": "id_token", "config": {"issuer_url": "x", "jwks_url": "file:///keys.json"}}]);
    let running = Running::start(json!([rule("/a", "", json!({"mutators": named}))]), json!({})).await;
    assert!(!running.gateway.signs_with_ephemeral_keys());
}

#[tokio::test]
async fn unreadable_keys_are_500_and_no_keys_are_an_empty_set() {
    let handler = json!({"mutators": {"noop": {"enabled": true}, "id_token": {"enabled": true, "config": {"issuer_url": "x", "jwks_url": "file:///none"}}}});
    let running = Running::start(json!([rule("/a", "", json!({}))]), handler).await;
    assert_eq!(running.decide("/.well-known/jwks.json", &[]).await.status, 500);
    let running = Running::start(json!([rule("/a", "", json!({}))]), json!({})).await;
    assert_eq!(running.decide("/.well-known/jwks.json", &[]).await.json, json!({"keys": []}));
}

#[tokio::test]
async fn a_gateway_without_a_valid_rule_is_not_ready_unless_none_is_configured() {
    let ready = async |rules| Running::start(rules, json!({})).await.gateway.readiness();
    assert_eq!(ready(json!([])).await, Readiness::NoRules);
    assert_eq!(ready(json!([rule("/a", "", json!({"mutators": []}))])).await, Readiness::NoRules);
    assert_eq!(ready(json!([rule("/a", "", json!({}))])).await, Readiness::Ready);
    let none = gateway(config(&json!([]), json!({"access_rules": {"repositories": []}})));
    assert_eq!(none.readiness(), Readiness::Ready);
}
