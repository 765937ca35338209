//! Authorization requests (RFC 6749 section 4.1.1): parsing never panics, and an answer goes only to a registered redirect URI.
#![no_main]

use std::sync::LazyLock;

use base::Timestamp;
use libfuzzer_sys::fuzz_target;
use oauth::domain::authorization_request::{AuthorizationRequest, AuthorizationRules};
use oauth::domain::client::{Client, ClientId, ClientMetadata};
use oauth_types::{Parameters, ScopeMatching};
use serde_json::json;

const REGISTERED: [&str; 3] = ["https://a.example/cb", "http://127.0.0.1/cb", "com.example.app:/cb"];

static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let metadata: ClientMetadata = serde_json::from_value(json!({
        "redirect_uris": REGISTERED, "response_types": ["code", "code id_token", "token"], "scope": "openid a",
        "grant_types": ["authorization_code", "implicit"], "token_endpoint_auth_method": "none",
    }))
    .expect("metadata");
    Client {
        id: ClientId::parse("client").expect("an id"),
        secrets: Vec::new(),
        metadata,
        registration_token: None,
        token_epoch: 1,
        version: 1,
        created_at: Timestamp::EPOCH,
        updated_at: Timestamp::EPOCH,
    }
});

fuzz_target!(|input: (&[u8], bool)| {
    let (query, strict) = input;
    let Ok(parameters) = Parameters::parse(query) else { return };
    let rules = AuthorizationRules {
        scope_matching: ScopeMatching::Wildcard,
        require_pkce: strict,
        require_pkce_of_public_clients: strict,
        allow_insecure_redirects: !strict,
    };
    let target = match AuthorizationRequest::validate(&parameters, &CLIENT, rules) {
        Ok(request) => Some(request.target),
        Err(refusal) => refusal.target,
    };
    if let Some(target) = target {
        let uri = target.redirect_uri;
        // Only the port of a loopback address may differ (RFC 8252 section 7.3).
        let is_loopback = uri.starts_with("http://127.0.0.1:") && uri.ends_with("/cb");
        assert!(REGISTERED.contains(&uri.as_str()) || is_loopback, "{uri}");
    }
});
