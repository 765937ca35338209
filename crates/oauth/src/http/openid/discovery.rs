//! `GET /.well-known/openid-configuration` and `/.well-known/oauth-authorization-server` (OpenID Connect Discovery section
//! 4, RFC 8414 section 3): the supported features, under the names of the specifications.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jose::Algorithm;
use oauth_types::{GrantType, ProviderMetadata};
use web::Cx;

use crate::OAuth;
use crate::config::Config;
use crate::domain::client::SubjectType;
use crate::domain::person_claims;
use crate::domain::signing_key::ID_TOKEN_SET;
use crate::http::token::token_error::TokenError;

/// How long public documents may be cached. A new key is published a day before it signs.
pub(super) const PUBLISHED: &str = "public, max-age=300";

const RESPONSE_TYPES: &[&str] =
    &["code", "code id_token", "id_token", "token id_token", "token", "token id_token code", "code token"];

const AUTHENTICATION_METHODS: &[&str] = &["client_secret_post", "client_secret_basic", "private_key_jwt", "none"];

pub(super) async fn get(State(oauth): State<Arc<OAuth>>, Cx(cx): Cx) -> Result<Response, TokenError> {
    let algorithm = oauth.keys.signer(&cx, ID_TOKEN_SET).await?.algorithm();
    let metadata = describe(&oauth.config, algorithm);
    Ok(([(header::CACHE_CONTROL, PUBLISHED)], Json(metadata)).into_response())
}

fn describe(config: &Config, algorithm: Algorithm) -> ProviderMetadata {
    let overrides = &config.webfinger.oidc_discovery;
    let public = |own: &Option<String>, path: &str| own.clone().unwrap_or_else(|| config.public_url(path));
    let signs = vec![algorithm.to_string()];
    let mut userinfo_signs = owned(&["none"]);
    userinfo_signs.extend(signs.clone());
    let (scopes, claims) = scopes_and_claims(config);
    let subject_types = config.oidc.subject_identifiers.supported_types.iter();
    ProviderMetadata {
        issuer: config.issuer().to_owned(),
        authorization_endpoint: public(&overrides.auth_url, "/oauth2/auth"),
        token_endpoint: config.token_url(),
        jwks_uri: overrides.jwks_url.clone().unwrap_or_else(|| config.issuer_url("/.well-known/jwks.json")),
        userinfo_endpoint: public(&overrides.userinfo_url, "/userinfo"),
        revocation_endpoint: config.issuer_url("/oauth2/revoke"),
        end_session_endpoint: config.issuer_url("/oauth2/sessions/logout"),
        registration_endpoint: overrides.client_registration_url.clone(),
        subject_types_supported: subject_types.copied().map(subject_type).collect(),
        response_types_supported: owned(RESPONSE_TYPES),
        response_modes_supported: owned(&["query", "fragment", "form_post"]),
        grant_types_supported: grant_types(config),
        claims_supported: claims,
        scopes_supported: scopes,
        prompt_values_supported: owned(&["none", "login", "consent", "select_account", "create"]),
        token_endpoint_auth_methods_supported: owned(AUTHENTICATION_METHODS),
        token_endpoint_auth_signing_alg_values_supported: Algorithm::ALL.iter().map(ToString::to_string).collect(),
        id_token_signing_alg_values_supported: signs.clone(),
        id_token_signed_response_alg: signs.clone(),
        userinfo_signed_response_alg: signs,
        userinfo_signing_alg_values_supported: userinfo_signs,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        require_request_uri_registration: false,
        request_object_signing_alg_values_supported: Vec::new(),
        claims_parameter_supported: false,
        code_challenge_methods_supported: owned(&["S256"]),
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
        frontchannel_logout_supported: true,
        frontchannel_logout_session_supported: true,
        authorization_response_iss_parameter_supported: true,
    }
}

fn grant_types(config: &Config) -> Vec<String> {
    [GrantType::AuthorizationCode, GrantType::Implicit, GrantType::ClientCredentials, GrantType::RefreshToken]
        .iter()
        .map(ToString::to_string)
        .filter(|grant_type| !config.oauth2.grant_types_disabled.contains(grant_type))
        .collect()
}

fn scopes_and_claims(config: &Config) -> (Vec<String>, Vec<String>) {
    let (mut scopes, mut claims) = (vec!["offline_access", "offline", "openid"], vec!["sub"]);
    // What a consent application of the operator's says is known to the operator alone.
    if config.urls.consent.is_none() {
        let (of_people, about_people) = person_claims::supported();
        scopes.extend(of_people);
        claims.extend(about_people);
    }
    let with = |own: &[&str], configured: &[String]| {
        let mut names = owned(own);
        names.extend(configured.iter().filter(|name| !own.contains(&name.as_str())).cloned());
        names
    };
    let overrides = &config.webfinger.oidc_discovery;
    (with(&scopes, &overrides.supported_scope), with(&claims, &overrides.supported_claims))
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn subject_type(subject_type: SubjectType) -> String {
    match subject_type {
        SubjectType::Public => "public".to_owned(),
        SubjectType::Pairwise => "pairwise".to_owned(),
    }
}
