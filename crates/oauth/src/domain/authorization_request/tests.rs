//! The validation rules of the authorization endpoint.

use base::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::domain::client::ClientId;

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn client(changes: &Value) -> Client {
    let mut metadata = json!({
        "redirect_uris": ["https://shop.example/cb"],
        "scope": "openid offline_access photos.*",
        "audience": ["https://api.example/v1"],
        "response_types": ["code", "code id_token", "token"],
        "grant_types": ["authorization_code", "refresh_token"],
    });
    for (name, value) in changes.as_object().unwrap() {
        metadata[name] = value.clone();
    }
    Client {
        id: ClientId::parse("shop").unwrap(),
        secrets: Vec::new(),
        metadata: serde_json::from_value(metadata).unwrap(),
        registration_token: None,
        token_epoch: 0,
        version: 1,
        created_at: Timestamp::EPOCH,
        updated_at: Timestamp::EPOCH,
    }
}

/// A valid request with some parameters changed; `null` removes one.
fn query(changes: &Value) -> Parameters {
    let mut parameters = json!({
        "client_id": "shop", "response_type": "code", "redirect_uri": "https://shop.example/cb", "state": "12345678",
        "scope": "openid photos.read",
    });
    for (name, value) in changes.as_object().unwrap() {
        parameters[name] = value.clone();
    }
    let pairs = parameters.as_object().unwrap().iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    Parameters::parse(text.as_bytes()).unwrap()
}

fn validate(changes: &Value) -> Result<AuthorizationRequest, Refusal> {
    AuthorizationRequest::validate(&query(changes), &client(&json!({})), AuthorizationRules::default())
}

/// The error code, and whether the error is sent to the client.
fn refused(result: Result<AuthorizationRequest, Refusal>) -> (ErrorCode, bool) {
    let refusal = result.unwrap_err();
    let RefusalError::Ours(error) = &refusal.error else { panic!("{refusal}") };
    (error.code, refusal.target.is_some())
}

#[test]
fn a_valid_request_is_accepted() {
    let request =
        validate(&json!({"code_challenge": CHALLENGE, "code_challenge_method": "S256", "max_age": "10"})).unwrap();
    assert_eq!(request.target.redirect_uri, "https://shop.example/cb");
    assert_eq!(request.target.mode, ResponseMode::Query);
    assert_eq!(request.target.state.as_deref(), Some("12345678"));
    assert_eq!(request.scope.to_string(), "openid photos.read");
    assert_eq!(request.max_age, Some(10));
    assert!(request.code_challenge.is_some() && request.redirect_uri_sent && request.is_openid());
}

#[test]
fn errors_before_the_redirect_uri_is_known_are_shown_to_the_user() {
    let cases = [
        (json!({"response_mode": "jwt"}), ErrorCode::UnsupportedResponseMode),
        (json!({"redirect_uri": null}), ErrorCode::InvalidRequest),
        (json!({"redirect_uri": "https://shop.example/cb/"}), ErrorCode::InvalidRequest),
        (json!({"redirect_uri": "https://shop.example/CB"}), ErrorCode::InvalidRequest),
        (json!({"redirect_uri": "https://shop.example/cb#x"}), ErrorCode::InvalidRequest),
        (json!({"redirect_uri": "/cb"}), ErrorCode::InvalidRequest),
        (json!({"redirect_uri": "https://shop.example.evil/cb"}), ErrorCode::InvalidRequest),
    ];
    for (changes, code) in cases {
        assert_eq!(refused(validate(&changes)), (code, false), "{changes}");
    }
}

#[test]
fn errors_after_the_redirect_uri_is_known_are_sent_to_the_client() {
    let cases = [
        (json!({"scope": "openid mail"}), ErrorCode::InvalidScope),
        (json!({"audience": "https://other.example"}), ErrorCode::InvalidRequest),
        (json!({"registration": "{}"}), ErrorCode::RegistrationNotSupported),
        (json!({"request": "x.y.z"}), ErrorCode::RequestNotSupported),
        (json!({"request_uri": "https://shop.example/r"}), ErrorCode::RequestUriNotSupported),
        (json!({"response_type": null}), ErrorCode::UnsupportedResponseType),
        (json!({"response_type": "none"}), ErrorCode::UnsupportedResponseType),
        (json!({"response_type": "id_token"}), ErrorCode::UnsupportedResponseType),
        (json!({"response_type": "token"}), ErrorCode::UnauthorizedClient),
        (json!({"response_type": "id_token code"}), ErrorCode::InvalidRequest),
        (json!({"response_type": "id_token code", "scope": "photos.read"}), ErrorCode::InvalidScope),
        (json!({"response_type": "token", "response_mode": "query"}), ErrorCode::UnsupportedResponseMode),
        (json!({"state": "1234567"}), ErrorCode::InvalidState),
        (json!({"state": null}), ErrorCode::InvalidState),
        (json!({"nonce": "1234567"}), ErrorCode::InsufficientEntropy),
        (json!({"prompt": "dance"}), ErrorCode::InvalidRequest),
        (json!({"prompt": "none login"}), ErrorCode::InvalidRequest),
        (json!({"max_age": "-1"}), ErrorCode::InvalidRequest),
        (json!({"max_age": "soon"}), ErrorCode::InvalidRequest),
        (json!({"code_challenge": CHALLENGE}), ErrorCode::InvalidRequest),
        (json!({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}), ErrorCode::InvalidRequest),
        (json!({"code_challenge": "short", "code_challenge_method": "S256"}), ErrorCode::InvalidRequest),
        (json!({"code_challenge_method": "S256"}), ErrorCode::InvalidRequest),
    ];
    for (changes, code) in cases {
        assert_eq!(refused(validate(&changes)), (code, true), "{changes}");
    }
}

#[test]
fn an_error_is_sent_in_the_default_mode_unless_one_is_requested() {
    let mode = |changes: Value| validate(&changes).unwrap_err().target.unwrap().mode;
    assert_eq!(mode(json!({"scope": "mail"})), ResponseMode::Query);
    assert_eq!(mode(json!({"response_type": "token"})), ResponseMode::Fragment);
    assert_eq!(mode(json!({"response_type": "token", "response_mode": "form_post"})), ResponseMode::FormPost);
}

#[test]
fn front_channel_tokens_require_a_registered_response_type() {
    let implicit = client(&json!({
        "response_types": ["token id_token", "code id_token token"], "grant_types": ["authorization_code", "implicit"],
    }));
    let check =
        |changes: Value| AuthorizationRequest::validate(&query(&changes), &implicit, AuthorizationRules::default());
    for types in ["id_token token", "TOKEN id_token", "id_token token code"] {
        let request = check(json!({"response_type": types, "nonce": "12345678"})).unwrap();
        assert_eq!(request.target.mode, ResponseMode::Fragment, "{types}");
    }
    let in_a_form =
        check(json!({"response_type": "id_token token", "nonce": "12345678", "response_mode": "form_post"}));
    assert_eq!(in_a_form.unwrap().target.mode, ResponseMode::FormPost);
    let in_the_query = check(json!({"response_type": "id_token token", "nonce": "12345678", "response_mode": "query"}));
    assert_eq!(in_the_query.unwrap_err().target.unwrap().mode, ResponseMode::Fragment);
}

#[test]
fn a_single_registered_redirect_uri_may_be_omitted_without_openid() {
    let request = validate(&json!({"redirect_uri": null, "scope": "photos.read"})).unwrap();
    assert_eq!(request.target.redirect_uri, "https://shop.example/cb");
    assert!(!request.redirect_uri_sent);
    let several = client(&json!({"redirect_uris": ["https://shop.example/cb", "https://shop.example/2"]}));
    let parameters = query(&json!({"redirect_uri": null, "scope": "photos.read"}));
    let result = AuthorizationRequest::validate(&parameters, &several, AuthorizationRules::default());
    assert_eq!(refused(result), (ErrorCode::InvalidRequest, false));
}

#[test]
fn the_port_of_a_loopback_address_is_ignored() {
    let native = client(&json!({"redirect_uris": ["http://127.0.0.1/cb"], "token_endpoint_auth_method": "none"}));
    let check = |uri: &str| {
        AuthorizationRequest::validate(&query(&json!({"redirect_uri": uri})), &native, AuthorizationRules::default())
    };
    assert_eq!(check("http://127.0.0.1:5123/cb").unwrap().target.redirect_uri, "http://127.0.0.1:5123/cb");
    assert_eq!(refused(check("http://localhost:5123/cb")), (ErrorCode::InvalidRequest, false));
    assert_eq!(refused(check("http://127.0.0.1:5123/other")), (ErrorCode::InvalidRequest, false));
}

#[test]
fn plain_http_is_for_the_local_machine_or_for_development() {
    let insecure = client(&json!({"redirect_uris": ["http://shop.example/cb"]}));
    let parameters = query(&json!({"redirect_uri": "http://shop.example/cb"}));
    let check = |allow_insecure_redirects| {
        let rules = AuthorizationRules { allow_insecure_redirects, ..AuthorizationRules::default() };
        AuthorizationRequest::validate(&parameters, &insecure, rules)
    };
    assert_eq!(refused(check(false)), (ErrorCode::InvalidRequest, true));
    assert!(check(true).is_ok());
}

#[test]
fn pkce_replaces_state() {
    assert!(validate(&json!({"state": null, "code_challenge": CHALLENGE, "code_challenge_method": "S256"})).is_ok());
}

#[test]
fn pkce_is_required_if_configured() {
    let check =
        |rules: AuthorizationRules, client: &Client| AuthorizationRequest::validate(&query(&json!({})), client, rules);
    let (confidential, public) = (client(&json!({})), client(&json!({"token_endpoint_auth_method": "none"})));
    let of_all = AuthorizationRules { require_pkce: true, ..AuthorizationRules::default() };
    let of_public = AuthorizationRules { require_pkce_of_public_clients: true, ..AuthorizationRules::default() };
    assert_eq!(refused(check(of_all, &confidential)), (ErrorCode::InvalidRequest, true));
    assert!(check(of_public, &confidential).is_ok());
    assert_eq!(refused(check(of_public, &public)), (ErrorCode::InvalidRequest, true));
}

#[test]
fn a_client_without_the_grant_is_rejected_before_login() {
    let machine = client(&json!({"grant_types": ["client_credentials"]}));
    let result = AuthorizationRequest::validate(&query(&json!({})), &machine, AuthorizationRules::default());
    assert_eq!(refused(result), (ErrorCode::UnauthorizedClient, true));
}

#[test]
fn consent_is_never_skipped_for_public_clients_with_a_private_scheme() {
    let skips = |metadata: Value, changes: Value| {
        let client = client(&metadata);
        AuthorizationRequest::validate(&query(&changes), &client, AuthorizationRules::default())
            .unwrap()
            .may_skip_consent(&client)
    };
    assert!(skips(json!({}), json!({})));
    assert!(!skips(json!({}), json!({"prompt": "consent"})));
    assert!(skips(json!({"token_endpoint_auth_method": "none"}), json!({})));
    let app = json!({"redirect_uris": ["com.example.app:/cb"], "token_endpoint_auth_method": "none"});
    assert!(!skips(app, json!({"redirect_uri": "com.example.app:/cb"})));
}

#[test]
fn a_validated_request_round_trips_through_its_parameters() {
    let parameters = query(
        &json!({"acr_values": "a b", "ui_locales": "de en", "login_hint": "ada@example.org", "nonce": "12345678"}),
    );
    let checked =
        AuthorizationRequest::validate(&parameters, &client(&json!({})), AuthorizationRules::default()).unwrap();
    let stored = Parameters::parse(parameters.to_query().as_bytes()).unwrap();
    assert_eq!(AuthorizationRequest::interpret(&stored, checked.target.clone()), Ok(checked));
}
