//! The authorizer `keto_engine_acp_ory`: the request that the engine receives, and the effect of its answers.

use super::*;
use crate::tests::harness::{answer, server};

fn rule(base_url: &str, settings: Value) -> Value {
    let mut config = json!({
        "base_url": base_url,
        "required_action": "docs:{{ .MatchContext.Method | lower }}",
        "required_resource": "docs:{{ .MatchContext.URL.Path }}",
    });
    config.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    json!({
        "authenticators": [{"handler": "anonymous", "config": {"subject": "alice"}}],
        "authorizer": {"handler": "keto_engine_acp_ory", "config": config},
    })
}

#[tokio::test]
async fn the_engine_receives_action_resource_and_subject() {
    let (url, seen) = server(|_, _| answer(200, &[], r#"{"allowed": true}"#)).await;
    let request = Request::get("http://h/a/b");
    run(rule(&format!("{url}/keto/"), json!({})), &request, &fixtures::services()).await.unwrap();
    run(rule(&url, json!({"flavor": "exact", "subject": "s:{{ print .Subject }}"})), &request, &fixtures::services())
        .await
        .unwrap();
    let seen = seen.lock().unwrap();
    let paths: Vec<_> = seen.iter().map(|(parts, _)| parts.uri.to_string()).collect();
    assert_eq!(paths, ["/keto/engines/acp/ory/regex/allowed", "/engines/acp/ory/exact/allowed"]);
    assert_eq!(
        (seen[0].0.method.as_str(), &seen[0].0.headers["content-type"]),
        ("POST", &"application/json".parse().unwrap())
    );
    let body = |index: usize| serde_json::from_str::<Value>(&seen[index].1).unwrap();
    let context = json!({"remoteIpAddress": "", "requestedAt": "2026-11-22T00:00:00Z"});
    assert_eq!(body(0), json!({"action": "docs:get", "resource": "docs:/a/b", "subject": "alice", "context": context}));
    assert_eq!(body(1)["subject"], "s:alice");
}

#[tokio::test]
async fn only_an_allowed_decision_allows() {
    for (status, body, expected) in [
        (200, r#"{"allowed": true}"#, None),
        (200, r#"{"allowed": false}"#, Some(403)),
        (403, r#"{"allowed": false}"#, Some(403)),
        (403, r#"{"allowed": true}"#, Some(403)),
        (200, "", Some(500)),
        (200, r#"{"allowed": "true"}"#, Some(500)),
        (204, r#"{"allowed": true}"#, Some(500)),
        (302, r#"{"allowed": true}"#, Some(500)),
        (404, "<html>", Some(500)),
        (500, r#"{"allowed": true}"#, Some(500)),
    ] {
        let (url, _) = server(move |_, _| answer(status, &[("location", "/")], body)).await;
        let answer = run(rule(&url, json!({})), &Request::get("http://h/"), &fixtures::services()).await;
        assert_eq!(answer.err().map(|failure| failure.status.as_u16()), expected, "{status} {body}");
    }
    let refused = run(rule("http://127.0.0.1:1", json!({})), &Request::get("http://h/"), &fixtures::services()).await;
    assert_eq!(refused.unwrap_err().status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[test]
fn a_rule_with_wrong_settings_is_invalid() {
    let error = |settings: Value| invalid(rule("http://h", settings));
    for setting in ["base_url", "required_action", "required_resource"] {
        let message = error(json!({setting: ""}));
        assert!(message.ends_with(&format!("requires the setting `{setting}`")), "{message}");
    }
    assert!(error(json!({"base_url": "ftp://h"})).contains("neither http nor https"));
    assert!(error(json!({"flavor": "../../x"})).contains("none of regex, glob and exact"));
}
