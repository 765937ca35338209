//! Converts the configuration to the types of the domain and of the operations.

use std::time::Duration;

use base::Secret;

use super::{Config, HashAlgorithm};
use crate::domain::authorization_request::AuthorizationRules;
use crate::domain::claims::{AccessTokenClaims, TokenSettings};
use crate::domain::client::{AccessTokenStrategy, ClientId, SubjectType};
use crate::domain::client_secret::SecretHasher;
use crate::domain::client_validation::ClientPolicy;

impl Config {
    pub(crate) fn authorization_rules(&self) -> AuthorizationRules {
        AuthorizationRules {
            scope_matching: self.strategies.scope,
            require_pkce: self.oauth2.pkce.enforced,
            require_pkce_of_public_clients: self.oauth2.pkce.enforced_for_public_clients,
            allow_insecure_redirects: self.dev,
        }
    }

    pub(crate) fn client_policy(&self) -> ClientPolicy {
        ClientPolicy {
            default_scope: self.oidc.dynamic_client_registration.default_scope.clone(),
            pairwise_supported: self.supports_subject_type(SubjectType::Pairwise),
            jwt_access_tokens: self.strategies.access_token.0 == AccessTokenStrategy::Jwt,
            disabled_grant_types: self.oauth2.grant_types_disabled.clone(),
        }
    }

    /// How client secrets that an operator chose are hashed.
    pub(crate) fn secret_hasher(&self) -> SecretHasher {
        let hashers = &self.oauth2.hashers;
        match hashers.algorithm {
            HashAlgorithm::Pbkdf2 => SecretHasher::Pbkdf2 { iterations: hashers.pbkdf2.iterations },
            HashAlgorithm::Bcrypt => SecretHasher::Bcrypt { cost: hashers.bcrypt.cost },
        }
    }

    /// The maximum time of a login, from its beginning to the code.
    pub(crate) fn challenge_lifetime(&self) -> Duration {
        self.ttl.login_consent_request.get()
    }

    pub(crate) fn pairwise_salt(&self) -> Option<&Secret<String>> {
        self.oidc.subject_identifiers.pairwise.as_ref().map(|pairwise| &pairwise.salt)
    }

    /// The authorization endpoint with a query.
    pub(crate) fn authorization_url(&self, query: &str) -> String {
        let endpoint = match &self.webfinger.oidc_discovery.auth_url {
            Some(url) => url.clone(),
            None => self.public_url("/oauth2/auth"),
        };
        format!("{endpoint}?{query}")
    }

    /// A configured page: a URL, or a path below the public URL.
    pub(crate) fn absolute(&self, page: &str) -> String {
        if page.starts_with('/') { self.public_url(page) } else { page.to_owned() }
    }

    /// Where the browser is redirected after a logout without `post_logout_redirect_uri`.
    pub(crate) fn default_post_logout_url(&self) -> String {
        match &self.urls.post_logout_redirect {
            Some(page) => self.absolute(page),
            None => self.public_url(crate::domain::logout::SIGNED_OUT_PATH),
        }
    }

    /// The authorization endpoint with a verifier. The verifier contains the entire request, so no other parameter is
    /// repeated.
    pub(crate) fn verifier_url(&self, client: &ClientId, name: &str, verifier: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("client_id", client.as_str()).append_pair(name, verifier);
        self.authorization_url(&query.finish())
    }

    /// The end-session endpoint with a verifier.
    pub(crate) fn logout_verifier_url(&self, verifier: &str) -> String {
        let query =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("logout_verifier", verifier).finish();
        self.public_url(&format!("/oauth2/sessions/logout?{query}"))
    }

    /// The accepted audiences of a client assertion (RFC 7523 section 3).
    pub(crate) fn assertion_audiences(&self) -> Vec<String> {
        vec![
            self.token_url(),
            self.public_url("/oauth2/token"),
            self.issuer_url("/oauth2/token"),
            self.issuer().to_owned(),
        ]
    }

    pub(crate) fn token_settings(&self) -> TokenSettings {
        let oauth2 = &self.oauth2;
        TokenSettings {
            issuer: self.issuer().to_owned(),
            strategy: self.strategies.access_token.0,
            claims: AccessTokenClaims {
                scope_claim: self.strategies.jwt.scope_claim,
                exclude_not_before: oauth2.exclude_not_before_claim,
                allowed_top_level: oauth2.allowed_top_level_claims.clone(),
                mirror_top_level: oauth2.mirror_top_level_claims,
                preserve_ext: oauth2.preserve_ext_claims,
            },
        }
    }

    /// The maximum time that a signed token may be presented: the lifespan of tokens, or of a session for ID token
    /// hints.
    pub(crate) fn longest_signed_lifespan(&self) -> Duration {
        let ttl = &self.ttl;
        ttl.access_token.get().max(ttl.id_token.get()).max(ttl.authentication_session.get())
    }
}
