//! Signed tokens: which are accepted, with which keys, and the scopes that the upstream receives.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use jose::{Algorithm, Jwk, JwkSet, SigningKey};

use super::upstreams::bearer;
use super::*;
use crate::tests::harness::{Seen, answer, server};

struct Issuer {
    key: Jwk,
    url: String,
    seen: Seen,
}

impl Issuer {
    async fn start() -> Self {
        let key = Jwk::generate(Algorithm::ES256, "k1".to_owned()).unwrap();
        let document = JwkSet { keys: vec![key.to_public()] }.to_public_value().to_string();
        let (url, seen) = server(move |_, _| answer(200, &[], &document)).await;
        Self { key, url, seen }
    }

    fn token(&self, claims: Value) -> String {
        let mut all =
            json!({"sub": "alice", "iss": "me", "aud": ["a", "b"], "exp": fixtures::START.unix_seconds() + 60});
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        SigningKey::new(&self.key).unwrap().sign(&all).unwrap()
    }

    fn rule(&self, settings: Value) -> Value {
        let mut all = json!({"jwks_urls": [self.url], "allowed_algorithms": ["ES256"]});
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        json!({"authenticators": [{"handler": "jwt", "config": all}]})
    }
}

#[tokio::test]
async fn a_jwt_is_verified_and_its_scopes_are_listed() {
    let issuer = Issuer::start().await;
    let services = fixtures::services();
    let settings = json!({"target_audience": ["b", "a"], "trusted_issuers": ["x", "me"], "scope_strategy": "wildcard",
                          "required_scope": ["read.all"]});
    let session =
        run(issuer.rule(settings), &bearer(&issuer.token(json!({"scope": "read.* write"}))), &services).await.unwrap();
    assert_eq!(session.subject, "alice");
    assert_eq!((&extra(&session)["scp"], extra(&session).get("scope")), (&json!(["read.*", "write"]), None));
}

#[tokio::test]
async fn every_invalid_jwt_is_401() {
    let issuer = Issuer::start().await;
    let services = fixtures::services();
    let now = fixtures::START.unix_seconds();
    let good = json!({});
    let (none, other) = (json!({}), Jwk::generate(Algorithm::ES256, "k1".to_owned()).unwrap());
    let forged = SigningKey::new(&other).unwrap().sign(&json!({"sub": "alice"})).unwrap();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"k1"}"#);
    let mut nameless = issuer.key.clone();
    nameless.kid = None;
    for (what, settings, token) in [
        ("expired", &none, issuer.token(json!({"exp": now - 10}))),
        ("not yet valid", &none, issuer.token(json!({"nbf": now + 11}))),
        ("issued in the future", &none, issuer.token(json!({"iat": now + 11}))),
        ("not yet valid, without leeway", &json!({"leeway": "0s"}), issuer.token(json!({"nbf": now + 1}))),
        ("expired, without leeway", &json!({"leeway": "0s"}), issuer.token(json!({"exp": now}))),
        ("forged", &none, forged),
        ("unsigned", &none, format!("{header}.e30.")),
        ("no kid", &none, SigningKey::new(&nameless).unwrap().sign(&json!({})).unwrap()),
        ("algorithm", &json!({"allowed_algorithms": ["RS256"]}), issuer.token(good.clone())),
        ("audience", &json!({"target_audience": ["a", "c"]}), issuer.token(good.clone())),
        ("issuer", &json!({"trusted_issuers": ["you"]}), issuer.token(good.clone())),
        ("scope", &json!({"scope_strategy": "exact", "required_scope": ["x"]}), issuer.token(good.clone())),
        ("scope without strategy", &json!({"required_scope": ["x"]}), issuer.token(json!({"scp": ["x"]}))),
    ] {
        let failure = run(issuer.rule(settings.clone()), &bearer(&token), &services).await.unwrap_err();
        assert_eq!(failure.status, StatusCode::UNAUTHORIZED, "{what}");
    }
    let opaque = run(issuer.rule(none), &bearer("opaque"), &services).await.unwrap_err();
    assert_eq!(opaque.reason, None, "no authenticator was responsible");
}

#[tokio::test]
async fn a_token_of_another_type_is_rejected_unless_the_rule_accepts_it() {
    let issuer = Issuer::start().await;
    let services = fixtures::services();
    let claims = |more: Value| {
        let mut all = json!({"sub": "alice", "exp": fixtures::START.unix_seconds() + 60});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let typed = |typ: &str, more: Value| SigningKey::new(&issuer.key).unwrap().sign_typed(typ, &claims(more)).unwrap();
    let status = async |settings: &Value, token: &str| {
        let outcome = run(issuer.rule(settings.clone()), &bearer(token), &services).await;
        outcome.map_or_else(|failure| failure.status.as_u16(), |_| 200)
    };
    let none = json!({});
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "JWT", "jwt"] {
        assert_eq!(status(&none, &typed(typ, json!({}))).await, 200, "{typ}");
    }
    let event = json!({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}});
    let id_tokens =
        [json!({"nonce": "n"}), json!({"at_hash": "h"}), json!({"c_hash": "h"}), json!({"token_use": "id"})];
    for typ in ["logout+jwt", "secevent+jwt", "dpop+jwt", "oauth-authz-req+jwt", "example", ""] {
        assert_eq!(status(&none, &typed(typ, json!({}))).await, 401, "{typ}");
    }
    assert_eq!(status(&none, &typed("JWT", event.clone())).await, 401);
    for id_token in &id_tokens {
        assert_eq!(status(&none, &typed("JWT", id_token.clone())).await, 401, "{id_token}");
        let accepting = json!({"accept_id_tokens": true});
        assert_eq!(status(&accepting, &typed("JWT", id_token.clone())).await, 200, "{id_token}");
        assert_eq!(status(&accepting, &typed("JWT", event.clone())).await, 401);
    }
    let logout = json!({"allowed_token_types": ["logout+jwt"]});
    assert_eq!(status(&logout, &typed("logout+jwt", event)).await, 200);
    assert_eq!(status(&logout, &typed("JWT", json!({}))).await, 401);
}

#[tokio::test]
async fn clock_skew_of_some_seconds_is_accepted() {
    let issuer = Issuer::start().await;
    let services = fixtures::services();
    let now = fixtures::START.unix_seconds();
    for claims in [json!({"iat": now + 5, "nbf": now + 5}), json!({"exp": now - 5})] {
        assert!(
            run(issuer.rule(json!({})), &bearer(&issuer.token(claims.clone())), &services).await.is_ok(),
            "{claims}"
        );
        let strict = issuer.rule(json!({"leeway": "4s"}));
        assert!(run(strict, &bearer(&issuer.token(claims.clone())), &services).await.is_err(), "{claims}");
    }
}

#[tokio::test]
async fn unknown_keys_do_not_cause_a_fetch_for_each_token() {
    let issuer = Issuer::start().await;
    let services = fixtures::services();
    let stranger = Jwk::generate(Algorithm::ES256, "k2".to_owned()).unwrap();
    let token = SigningKey::new(&stranger).unwrap().sign(&json!({})).unwrap();
    for _ in 0..5 {
        assert!(run(issuer.rule(json!({})), &bearer(&token), &services).await.is_err());
    }
    assert_eq!(issuer.seen.lock().unwrap().len(), 1);
    let later = bearer(&token).at(fixtures::START.plus(Duration::from_secs(6)));
    assert!(run(issuer.rule(json!({})), &later, &services).await.is_err());
    assert_eq!(issuer.seen.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_cached_token_is_rejected_when_it_expires_or_its_rule_or_key_changes() {
    let issuer = Issuer::start().await;
    let services = fixtures::services();
    let text = issuer.token(json!({}));
    let token = bearer(&text);
    let status = async |settings: Value, request: &Request| {
        let outcome = run(issuer.rule(settings), request, &services).await;
        outcome.map_or_else(|failure| failure.status.as_u16(), |_| 200)
    };
    assert_eq!(status(json!({}), &token).await, 200);
    assert_eq!(status(json!({}), &token).await, 200);
    for other_rule in [
        json!({"target_audience": ["c"]}),
        json!({"trusted_issuers": ["you"]}),
        json!({"allowed_algorithms": ["RS256"]}),
        json!({"allowed_token_types": ["logout+jwt"]}),
        json!({"jwks_urls": ["base64://eyJrZXlzIjpbXX0="]}),
    ] {
        assert_eq!(status(other_rule.clone(), &token).await, 401, "{other_rule}");
    }
    let expired = bearer(&text).at(fixtures::START.plus(Duration::from_secs(70)));
    assert_eq!(status(json!({}), &expired).await, 401);
}

#[tokio::test]
async fn a_token_is_verified_again_when_the_key_set_has_changed() {
    let keys = ["k1", "k1", "k2"].map(|kid| Jwk::generate(Algorithm::ES256, kid.to_owned()).unwrap());
    let published = Arc::new(Mutex::new(keys[0].clone()));
    let (url, seen) = server({
        let published = published.clone();
        move |_, _| {
            let key = published.lock().unwrap().to_public();
            answer(200, &[], &JwkSet { keys: vec![key] }.to_public_value().to_string())
        }
    })
    .await;
    let services = fixtures::services();
    let claims = json!({"sub": "alice", "exp": fixtures::START.unix_seconds() + 3600});
    let token = SigningKey::new(&keys[0]).unwrap().sign(&claims).unwrap();
    let config = json!({"jwks_urls": [url], "allowed_algorithms": ["ES256"]});
    let rule = json!({"authenticators": [{"handler": "jwt", "config": config}]});
    let status = async |seconds: u64| {
        let request = bearer(&token).at(fixtures::START.plus(Duration::from_secs(seconds)));
        run(rule.clone(), &request, &services).await.map_or_else(|failure| failure.status.as_u16(), |_| 200)
    };
    assert_eq!([status(0).await, status(1).await], [200, 200]);
    // The same document again, after the key set's TTL.
    assert_eq!((status(40).await, seen.lock().unwrap().len()), (200, 2));
    // Another key under the same name, then the name is removed.
    *published.lock().unwrap() = keys[1].clone();
    assert_eq!((status(80).await, seen.lock().unwrap().len()), (401, 3));
    *published.lock().unwrap() = keys[2].clone();
    assert_eq!(status(120).await, 401);
    *published.lock().unwrap() = keys[0].clone();
    assert_eq!(status(160).await, 200);
}

#[tokio::test]
async fn keys_are_used_during_an_outage_of_their_issuer_but_not_after_withdrawal() {
    let key = Jwk::generate(Algorithm::ES256, "k1".to_owned()).unwrap();
    let document = JwkSet { keys: vec![key.to_public()] }.to_public_value().to_string();
    let state = Arc::new(Mutex::new(200));
    let (url, seen) = server({
        let state = state.clone();
        move |_, _| answer(*state.lock().unwrap(), &[], &document)
    })
    .await;
    let services = fixtures::services();
    let claims = json!({"sub": "alice", "exp": fixtures::START.unix_seconds() + 3600});
    let token = SigningKey::new(&key).unwrap().sign(&claims).unwrap();
    let config = json!({"jwks_urls": [url], "allowed_algorithms": ["ES256"]});
    let rule = json!({"authenticators": [{"handler": "jwt", "config": config}]});
    let status = async |seconds: u64| {
        let request = bearer(&token).at(fixtures::START.plus(Duration::from_secs(seconds)));
        run(rule.clone(), &request, &services).await.map_or_else(|failure| failure.status.as_u16(), |_| 200)
    };
    assert_eq!(status(0).await, 200);
    *state.lock().unwrap() = 503;
    // The key set is requested once a second.
    assert_eq!([status(31).await, status(31).await], [200, 200]);
    assert_eq!(seen.lock().unwrap().len(), 2);
    assert_eq!([status(329).await, status(330).await], [200, 401]);
    *state.lock().unwrap() = 200;
    assert_eq!([status(330).await, status(331).await], [401, 200]);
    *state.lock().unwrap() = 404;
    assert_eq!([status(360).await, status(361).await], [200, 401]);
}

#[tokio::test]
async fn a_key_verifies_only_with_its_kid_and_only_signatures() {
    let key = Jwk::generate(Algorithm::ES256, "k1".to_owned()).unwrap();
    let token = SigningKey::new(&key).unwrap().sign(&json!({"sub": "alice"})).unwrap();
    let services = fixtures::services();
    let status = async |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let mut public = key.to_public_value();
        change(public.as_object_mut().unwrap());
        let document = base64::engine::general_purpose::STANDARD.encode(json!({"keys": [public]}).to_string());
        let config = json!({"jwks_urls": [format!("base64://{document}")], "allowed_algorithms": ["ES256"]});
        let rule = json!({"authenticators": [{"handler": "jwt", "config": config}]});
        run(rule, &bearer(&token), &services).await.map_or_else(|failure| failure.status.as_u16(), |_| 200)
    };
    assert_eq!(status(&|_| {}).await, 200);
    assert_eq!(status(&|key| drop(key.insert("use".to_owned(), json!("enc")))).await, 401);
    assert_eq!(status(&|key| drop(key.remove("use"))).await, 401);
    assert_eq!(status(&|key| drop(key.remove("kid"))).await, 401);
    assert_eq!(status(&|key| drop(key.insert("kid".to_owned(), json!("k2")))).await, 401);
}

#[tokio::test]
async fn scopes_are_passed_as_a_list_in_scp() {
    let issuer = Issuer::start().await;
    let services = fixtures::services();
    for (claims, expected) in [
        (json!({"scp": ["a", "b"]}), json!(["a", "b"])),
        (json!({"scp": "a b"}), json!(["a", "b"])),
        (json!({"scope": "a  b"}), json!(["a", "b"])),
        (json!({"scopes": ["a"]}), json!(["a"])),
        (json!({"scp": ["a"], "scope": "b"}), json!(["a"])),
        (json!({}), json!([])),
    ] {
        let session = run(issuer.rule(json!({})), &bearer(&issuer.token(claims.clone())), &services).await.unwrap();
        assert_eq!(extra(&session).get("scp").unwrap_or(&Value::Null), &expected, "{claims}");
    }
}

#[tokio::test]
async fn unavailable_keys_are_an_outage_and_not_an_invalid_token() {
    let issuer = Issuer::start().await;
    let services = fixtures::services();
    let mut rule = issuer.rule(json!({"jwks_urls": ["http://127.0.0.1:1/"]}));
    let request = bearer(&issuer.token(json!({})));
    assert_eq!(run(rule.clone(), &request, &services).await.unwrap_err().status, StatusCode::UNAUTHORIZED);
    rule["authenticators"].as_array_mut().unwrap().push(json!({"handler": "noop"}));
    rule["authenticators"][0]["on_invalid"] = json!("next");
    assert!(run(rule.clone(), &request, &services).await.is_err());
    rule["authenticators"][0]["on_unavailable"] = json!("next");
    assert_eq!(run(rule, &request, &services).await.unwrap().authenticator, "noop");
}
