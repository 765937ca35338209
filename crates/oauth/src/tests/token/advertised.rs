//! Uses every value of the discovery document as a client would.

use std::sync::Arc;

use async_trait::async_trait;
use base::{Context, Timestamp};
use contracts::{ActiveSession, SessionCheck, SessionCredentials, Sessions, Unavailable};
use jose::{Algorithm, Jwk, SigningKey};
use oauth_types::GrantType;
use serde_json::json;
use test_client::Client;
use uuid::Uuid;

use super::*;
use crate::tests::authorization::authorize;

const ADA: Uuid = Uuid::from_u128(1);

/// An identity service with a session of Ada.
struct AdaIsSignedIn;

#[async_trait]
impl Sessions for AdaIsSignedIn {
    async fn check(&self, _: &Context, _: &SessionCredentials) -> Result<SessionCheck, Unavailable> {
        let traits = json!({
            "email": "ada@example.org", "phone": "+4912345", "name": "Ada Lovelace", "given_name": "Ada",
            "family_name": "Lovelace", "middle_name": "K", "nickname": "ada", "preferred_username": "ada",
            "profile": "https://ada.example", "picture": "https://ada.example/a.png", "website": "https://ada.example",
            "gender": "female", "birthdate": "1815-12-10", "zoneinfo": "Europe/London", "locale": "en",
            "address": {"country": "UK"},
        });
        Ok(SessionCheck::Active(Box::new(ActiveSession {
            session_id: Uuid::from_u128(2),
            identity_id: ADA,
            authenticated_at: Timestamp::EPOCH,
            expires_at: Timestamp::MAX,
            aal: "aal1".to_owned(),
            amr: vec!["password".to_owned()],
            whoami: json!({"identity": {"traits": traits, "updated_at": "2026-01-01T00:00:00Z"}}).into(),
        })))
    }

    async fn end(&self, _: &Context, _: Uuid) -> Result<(), Unavailable> {
        Ok(())
    }
}

async fn provider() -> (TestServer, Value) {
    let config = json!({
        "urls": {
            "self": {"issuer": "https://op.example/"},
            "login": "https://id.example/login", "registration": "https://id.example/registration",
        },
        "oidc": {"subject_identifiers": {"supported_types": ["public", "pairwise"], "pairwise": {"salt": "some salt"}}},
    });
    let server = TestServer::new(sqlite().await, config);
    server.oauth.sessions.set(Arc::new(AdaIsSignedIn));
    let document = get(&server, "/.well-known/openid-configuration").await.json;
    (server, document)
}

#[track_caller]
fn list(document: &Value, name: &str) -> Vec<String> {
    let values = document[name].as_array().unwrap_or_else(|| panic!("{name}")).iter();
    let values: Vec<String> = values.map(|value| value.as_str().unwrap().to_owned()).collect();
    assert!(!values.is_empty(), "{name}");
    values
}

/// Registers `client_id` for everything that discovery advertises.
async fn client(server: &TestServer, document: &Value, client_id: &str, more: Value) {
    let mut client = json!({
        "client_id": client_id, "skip_consent": true, "scope": list(document, "scopes_supported").join(" "),
        "response_types": list(document, "response_types_supported"),
        "grant_types": list(document, "grant_types_supported"),
    });
    client.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.client(client).await;
}

fn query(client_id: &str, response_type: &str, more: &str) -> String {
    let pairs = [
        ("client_id", client_id),
        ("response_type", response_type),
        ("redirect_uri", CALLBACK),
        ("state", "some-state"),
        ("nonce", "some-nonce"),
    ];
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish() + more
}

/// Ada logs in; returns the parameters that the client receives.
async fn sign_in(server: &TestServer, browser: &mut Client, query: &str) -> Vec<(String, String)> {
    let challenge = server.begin(browser, query).await;
    let login = json!({"subject": ADA, "remember": true, "identity_provider_session_id": Uuid::from_u128(2)});
    let answer = server.pass(browser, "login", &challenge, login).await;
    if answer.status == StatusCode::OK {
        assert!(answer.text.contains(CALLBACK) && answer.text.contains("name=\"code\""), "{answer}");
        return vec![("form_post".to_owned(), String::new())];
    }
    let location = answer.redirect();
    let text = location.fragment().or(location.query()).unwrap_or_default();
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn value_of(answer: &[(String, String)], name: &str) -> Option<String> {
    answer.iter().find(|(its, _)| its == name).map(|(_, value)| value.clone())
}

async fn tokens(server: &TestServer, client_id: &str, more: &str, fields: &[(&str, &str)]) -> Reply {
    let answer = sign_in(server, &mut server.browser(), &query(client_id, "code", more)).await;
    let code = value_of(&answer, "code").unwrap_or_else(|| panic!("{answer:?}"));
    assert_eq!(value_of(&answer, "iss").as_deref(), Some("https://op.example/"), "RFC 9207 is advertised");
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("client_id", client_id),
        ("client_secret", "averylongsecret"),
    ];
    form.extend(fields);
    post(server, "/oauth2/token", &form).await.expect(200)
}

#[tokio::test]
async fn every_advertised_endpoint_is_served_and_no_other_grant_is_advertised() {
    let (server, document) = provider().await;
    let endpoints = document
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| name.ends_with("_endpoint") || name.as_str() == "jwks_uri");
    let mut count = 0;
    for (name, url) in endpoints {
        let path = Url::parse(url.as_str().unwrap()).unwrap().path().to_owned();
        let status = get(&server, &path).await.status;
        assert_ne!(status, StatusCode::NOT_FOUND, "{name}: {path}");
        count += 1;
    }
    assert_eq!(count, 6, "{document}");
    // The device authorization grant is not supported.
    assert!(!document.to_string().contains("device"), "{document}");
    post(&server, "/oauth2/device/auth", &[("client_id", "shop")]).await.expect_error(400, "unsupported_grant_type");
}

#[tokio::test]
async fn every_advertised_response_type_and_mode_works() {
    let (server, document) = provider().await;
    client(&server, &document, "shop", json!({})).await;
    for response_type in list(&document, "response_types_supported") {
        let answer = sign_in(&server, &mut server.browser(), &query("shop", &response_type, "&scope=openid")).await;
        for name in response_type.split(' ') {
            let name = if name == "token" { "access_token" } else { name };
            assert!(value_of(&answer, name).is_some(), "{response_type}: {answer:?}");
        }
    }
    for mode in list(&document, "response_modes_supported") {
        let more = format!("&scope=openid&response_mode={mode}");
        let answer = sign_in(&server, &mut server.browser(), &query("shop", "code", &more)).await;
        let expected = if mode == "form_post" { "form_post" } else { "code" };
        assert!(value_of(&answer, expected).is_some(), "{mode}: {answer:?}");
    }
}

#[tokio::test]
async fn every_advertised_grant_type_yields_a_token() {
    let (server, document) = provider().await;
    client(&server, &document, "shop", json!({})).await;
    for grant_type in list(&document, "grant_types_supported") {
        let token = match GrantType::parse(&grant_type) {
            Some(GrantType::Implicit) => {
                let answer = sign_in(&server, &mut server.browser(), &query("shop", "token", "")).await;
                value_of(&answer, "access_token").unwrap()
            }
            Some(GrantType::ClientCredentials) => {
                token(&server, &[("grant_type", &grant_type)]).await.string("/access_token")
            }
            Some(GrantType::AuthorizationCode) => tokens(&server, "shop", "", &[]).await.string("/access_token"),
            Some(GrantType::RefreshToken) => {
                let first = tokens(&server, "shop", "&scope=offline_access", &[]).await.string("/refresh_token");
                refresh(&server, &first).await.string("/access_token")
            }
            other => panic!("{grant_type} is advertised, but not used here: {other:?}"),
        };
        assert!(is_active(&server, &token).await, "{grant_type}");
    }
}

#[tokio::test]
async fn every_advertised_prompt_has_its_effect() {
    let (server, document) = provider().await;
    client(&server, &document, "shop", json!({})).await;
    let mut browser = server.browser();
    sign_in(&server, &mut browser, &query("shop", "code", "&scope=openid")).await;
    for prompt in list(&document, "prompt_values_supported") {
        let begin = authorize(&query("shop", "code", &format!("&scope=openid&prompt={prompt}")));
        let answer = browser.get(&begin).await;
        let page = answer.redirect();
        let challenge = answer.parameter("login_challenge").unwrap();
        let skip = server.look("login", &challenge).await.json["skip"].clone();
        match prompt.as_str() {
            "none" => assert_eq!(skip, true),
            "login" | "select_account" => assert_eq!(skip, false, "{prompt}"),
            "create" => assert_eq!((page.path(), skip), ("/registration", json!(false))),
            "consent" => {
                let answer = server.pass(&mut browser, "login", &challenge, json!({"subject": ADA})).await;
                assert!(answer.parameter("consent_challenge").is_some(), "{answer}");
            }
            other => panic!("{other} is advertised, but not used here"),
        }
    }
}

#[tokio::test]
async fn every_advertised_authentication_method_and_algorithm_authenticates() {
    const ASSERTION: (&str, &str) = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let (server, document) = provider().await;
    let secret = ("client_secret", "averylongsecret");
    for method in list(&document, "token_endpoint_auth_methods_supported") {
        let more = json!({"token_endpoint_auth_method": method});
        let grant = ("grant_type", "client_credentials");
        let reply = match method.as_str() {
            "client_secret_post" => {
                client(&server, &document, &method, more).await;
                post(&server, "/oauth2/token", &[grant, ("client_id", &method), secret]).await
            }
            "client_secret_basic" => {
                client(&server, &document, &method, more).await;
                post_basic(&server, "/oauth2/token", &method, secret.1, &[grant]).await
            }
            "none" => {
                client(
                    &server,
                    &document,
                    &method,
                    json!({"client_secret": null, "token_endpoint_auth_method": method}),
                )
                .await;
                post(&server, "/oauth2/revoke", &[("client_id", &method), ("token", "x")]).await
            }
            "private_key_jwt" => {
                for name in list(&document, "token_endpoint_auth_signing_alg_values_supported") {
                    let key = Jwk::generate(name.parse::<Algorithm>().unwrap(), "k".to_owned()).unwrap();
                    let registration = json!({
                        "client_secret": null, "token_endpoint_auth_method": method,
                        "token_endpoint_auth_signing_alg": name, "jwks": {"keys": [key.to_public_value()]},
                    });
                    client(&server, &document, &name, registration).await;
                    let claims = json!({
                        "iss": name, "sub": name, "aud": document["token_endpoint"], "jti": name,
                        "exp": server.cx().now.unix_seconds() + 60,
                    });
                    let assertion = SigningKey::new(&key).unwrap().sign(&claims).unwrap();
                    let reply =
                        post(&server, "/oauth2/token", &[grant, ASSERTION, ("client_assertion", &assertion)]).await;
                    assert_eq!(reply.status, StatusCode::OK, "{name}: {reply}");
                }
                continue;
            }
            other => panic!("{other} is advertised, but not used here"),
        };
        assert_eq!(reply.status, StatusCode::OK, "{method}: {reply}");
    }
}

#[tokio::test]
async fn every_advertised_subject_type_scope_claim_and_signature_is_served() {
    let (server, document) = provider().await;
    for subject_type in list(&document, "subject_types_supported") {
        client(&server, &document, &subject_type, json!({"subject_type": subject_type})).await;
        let reply = tokens(&server, &subject_type, "&scope=openid", &[]).await;
        let (header, claims) = decode(&reply.string("/id_token"));
        assert_eq!(claims["sub"] == json!(ADA), subject_type == "public", "{subject_type}");
        let algorithm = header["alg"].as_str().unwrap().to_owned();
        for name in ["id_token_signing_alg_values_supported", "id_token_signed_response_alg"] {
            assert_eq!(list(&document, name), std::slice::from_ref(&algorithm));
        }
    }
    for algorithm in list(&document, "userinfo_signing_alg_values_supported") {
        client(&server, &document, &algorithm, json!({"userinfo_signed_response_alg": algorithm})).await;
        let scopes = list(&document, "scopes_supported").join("+");
        let reply = tokens(&server, &algorithm, &format!("&scope={scopes}"), &[]).await;
        let granted = reply.string("/scope");
        for scope in list(&document, "scopes_supported") {
            assert!(granted.split(' ').any(|it| it == scope), "{scope}: {granted}");
        }
        let shown = userinfo(&server, &reply.string("/access_token")).await;
        let claims = if algorithm == "none" {
            shown.json
        } else {
            let (header, claims) = decode(shown.json.as_str().unwrap());
            assert_eq!(header["alg"], json!(algorithm));
            assert!(list(&document, "userinfo_signed_response_alg").contains(&algorithm));
            claims
        };
        for claim in list(&document, "claims_supported") {
            assert!(claims.get(&claim).is_some(), "{claim}: {claims}");
        }
    }
}

#[tokio::test]
async fn every_advertised_challenge_method_is_checked_and_unsupported_features_are_rejected() {
    let (server, document) = provider().await;
    client(&server, &document, "shop", json!({})).await;
    // RFC 7636 appendix B.
    let (verifier, challenge) =
        ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    for method in list(&document, "code_challenge_methods_supported") {
        let more = format!("&code_challenge={challenge}&code_challenge_method={method}");
        tokens(&server, "shop", &more, &[("code_verifier", verifier)]).await;
    }
    for (member, parameter, error) in [
        ("request_parameter_supported", "request", "request_not_supported"),
        ("request_uri_parameter_supported", "request_uri", "request_uri_not_supported"),
    ] {
        assert_eq!(document[member], false);
        let begin = authorize(&query("shop", "code", &format!("&scope=openid&{parameter}=x")));
        let answer = server.browser().get(&begin).await;
        assert_eq!(answer.parameter("error").as_deref(), Some(error));
    }
}
