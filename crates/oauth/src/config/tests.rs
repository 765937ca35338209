use super::*;
use crate::domain::lifespan::RefreshTokenLifespan;

fn config(json: serde_json::Value) -> Config {
    serde_json::from_value(json).unwrap()
}

#[test]
fn the_defaults_are_valid() {
    Config::default().validate().unwrap();
}

#[test]
fn an_issuer_without_tls_needs_dev_or_this_machine() {
    let http = serde_json::json!({"urls": {"self": {"issuer": "http://auth.example/"}}});
    assert_eq!(config(http.clone()).validate().unwrap_err().key, "urls.self.issuer");
    let mut dev = http;
    dev["dev"] = true.into();
    config(dev).validate().unwrap();
}

#[test]
fn pairwise_subjects_require_a_salt() {
    let error = config(serde_json::json!({"oidc": {"subject_identifiers": {"supported_types": ["pairwise"]}}}))
        .validate()
        .unwrap_err();
    assert_eq!(error.key, "oidc.subject_identifiers.pairwise.salt");
}

#[test]
fn an_empty_list_of_subject_types_stands_for_public() {
    let config = config(serde_json::json!({"oidc": {"subject_identifiers": {"supported_types": []}}}));
    config.validate().unwrap();
    assert!(config.supports_subject_type(SubjectType::Public) && !config.supports_subject_type(SubjectType::Pairwise));
}

#[test]
fn refresh_tokens_may_never_expire() {
    for value in [serde_json::json!(-1), serde_json::json!("-1")] {
        let config = config(serde_json::json!({"ttl": {"refresh_token": value}}));
        assert_eq!(config.ttl.refresh_token, RefreshTokenLifespan::Unlimited);
    }
}

#[test]
fn the_grace_period_is_limited() {
    let grace = |count| {
        let refresh_token = serde_json::json!({"rotation_grace_period": "24h", "rotation_grace_reuse_count": count});
        config(serde_json::json!({"oauth2": {"grant": {"refresh_token": refresh_token}}})).rotation_grace()
    };
    assert_eq!(grace(0), Duration::from_mins(5));
    assert_eq!(grace(1), Duration::from_hours(24));
}

#[test]
fn paths_join_with_one_slash() {
    let config = config(serde_json::json!({"urls": {"self": {"issuer": "https://a.example/x/"}}}));
    assert_eq!(config.token_url(), "https://a.example/x/oauth2/token");
    assert_eq!(config.issuer(), "https://a.example/x/");
}
