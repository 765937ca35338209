//! Derives the settings of the authorization endpoint's operations from the configuration.

use std::time::Duration;

use crate::OAuth;
use crate::config::HashAlgorithm;
use crate::domain::authorization_request::AuthorizationRules;
use crate::domain::client::{AccessTokenStrategy, SubjectType};
use crate::domain::client_secret::SecretHasher;
use crate::domain::client_validation::ClientPolicy;

impl OAuth {
    pub(crate) fn authorization_rules(&self) -> AuthorizationRules {
        let config = self.config();
        AuthorizationRules {
            scope_matching: config.strategies.scope,
            require_pkce: config.oauth2.pkce.enforced,
            require_pkce_of_public_clients: config.oauth2.pkce.enforced_for_public_clients,
            allow_insecure_redirects: config.dev,
        }
    }

    pub(crate) fn client_policy(&self) -> ClientPolicy {
        let config = self.config();
        ClientPolicy {
            default_scope: config.oidc.dynamic_client_registration.default_scope.clone(),
            pairwise_supported: config.supports_subject_type(SubjectType::Pairwise),
            jwt_access_tokens: config.strategies.access_token.0 == AccessTokenStrategy::Jwt,
            disabled_grant_types: config.oauth2.grant_types_disabled.clone(),
        }
    }

    /// The hash for chosen secrets.
    pub(crate) fn secret_hasher(&self) -> SecretHasher {
        let hashers = &self.config().oauth2.hashers;
        match hashers.algorithm {
            HashAlgorithm::Pbkdf2 => SecretHasher::Pbkdf2 { iterations: hashers.pbkdf2.iterations },
            HashAlgorithm::Bcrypt => SecretHasher::Bcrypt { cost: hashers.bcrypt.cost },
        }
    }

    /// The maximum duration of a flow from its start to the code.
    pub(crate) fn challenge_lifetime(&self) -> Duration {
        self.config().ttl.login_consent_request.get()
    }

    pub(crate) fn pairwise_salt(&self) -> Option<&str> {
        self.config().oidc.subject_identifiers.pairwise.as_ref().map(|pairwise| pairwise.salt.expose().as_str())
    }

    /// The authorization endpoint with a query.
    pub(crate) fn authorization_url(&self, query: &str) -> String {
        let endpoint = match &self.config().webfinger.oidc_discovery.auth_url {
            Some(url) => url.clone(),
            None => self.config().public_url("/oauth2/auth"),
        };
        format!("{endpoint}?{query}")
    }

    /// A configured page: a URL, or a path below the public URL.
    pub(crate) fn absolute(&self, page: &str) -> String {
        if page.starts_with('/') { self.config().public_url(page) } else { page.to_owned() }
    }

    /// The default redirect after a logout.
    pub(crate) fn default_post_logout_url(&self) -> String {
        match &self.config().urls.post_logout_redirect {
            Some(page) => self.absolute(page),
            None => self.config().public_url(crate::domain::logout::SIGNED_OUT_PATH),
        }
    }
}
