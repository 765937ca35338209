//! The `oauth` section of the configuration: the keys of Ory Hydra, with a few additions.
//!
//! Invariants: each value is well-formed by itself. Combinations of values (an issuer without TLS outside `dev`, pairwise
//! subjects without a salt) are checked when the service is built, before anything is served.

mod defaults;
mod hook;
mod rules;

use std::time::Duration;

use base::{GoDuration, Secret};
use jose::Algorithm;
use oauth_types::ScopeMatching;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::domain::claims::ScopeClaim;
use crate::domain::client::{AccessTokenStrategy, SubjectType};
use crate::domain::lifespan::Ttl;

pub(crate) use hook::{ApiKeyPlace, Hook};

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// Relaxes checks for development: an issuer without TLS and insecure redirect URIs are accepted, and cookies are
    /// not `Secure`.
    pub dev: bool,
    pub oauth2: OAuth2,
    pub oidc: Oidc,
    pub serve: Serve,
    pub strategies: Strategies,
    pub ttl: Ttl,
    pub urls: Urls,
    pub webfinger: Webfinger,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct OAuth2 {
    /// Whether JWT access tokens have no claim `nbf`.
    pub exclude_not_before_claim: bool,
    /// Custom claims that are also at the top level of JWT access tokens.
    pub allowed_top_level_claims: Vec<String>,
    /// Whether custom claims are under `ext` as well.
    pub mirror_top_level_claims: bool,
    /// With `mirror_top_level_claims: false`, whether claims that are not at the top level stay under `ext`.
    pub preserve_ext_claims: bool,
    pub pkce: Pkce,
    pub client_credentials: ClientCredentials,
    pub grant: GrantSettings,
    /// Grant types that no client can be registered for. Clients that have one keep it.
    pub grant_types_disabled: Vec<String>,
    pub keys: Keys,
    pub hashers: Hashers,
    /// The URL that is called before tokens are issued.
    pub token_hook: Option<Hook>,
    /// The URL that is called before a refresh token is rotated; `token_hook` is called afterwards.
    pub refresh_token_hook: Option<Hook>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Pkce {
    /// Whether every authorization code flow must use PKCE (RFC 7636).
    pub enforced: bool,
    /// Whether clients without a secret must use PKCE.
    pub enforced_for_public_clients: bool,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ClientCredentials {
    /// Whether a request without `scope` gets all scopes of the client.
    pub default_grant_allowed_scope: bool,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GrantSettings {
    pub refresh_token: RefreshTokenSettings,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RefreshTokenSettings {
    /// For how long a rotated refresh token can be used again; the response has the same successor. At most 5 minutes,
    /// or 180 days when `rotation_grace_reuse_count` is set.
    pub rotation_grace_period: GoDuration,
    /// How often a rotated refresh token can be used again within the period. 0 does not limit it.
    pub rotation_grace_reuse_count: u32,
}

/// How this server signs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Keys {
    /// The algorithm of new signing keys: `RS256`, `ES256` or `EdDSA`. Unset, a key has the algorithm of the previous
    /// one; the first key for ID tokens is `RS256`, the first for JWT access tokens `ES256`.
    #[schemars(with = "Option<String>")]
    pub algorithm: Option<Algorithm>,
    /// After how long a new signing key takes over. `0s` never rotates keys.
    pub rotation_period: GoDuration,
}

/// How client secrets that people choose are hashed; generated ones need no slow hash.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Hashers {
    /// The algorithm of hashes of client secrets that operators choose. Generated secrets need no slow hash.
    pub algorithm: HashAlgorithm,
    pub bcrypt: Bcrypt,
    pub pbkdf2: Pbkdf2,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HashAlgorithm {
    Bcrypt,
    #[default]
    Pbkdf2,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Bcrypt {
    /// The cost of a bcrypt hash, between 4 and 31: each step doubles the work.
    pub cost: u32,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Pbkdf2 {
    /// The number of iterations of a PBKDF2 hash.
    pub iterations: u32,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Oidc {
    pub dynamic_client_registration: DynamicClientRegistration,
    pub subject_identifiers: SubjectIdentifiers,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DynamicClientRegistration {
    /// The scope of clients that are registered without one.
    pub default_scope: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SubjectIdentifiers {
    /// The kinds of subject identifiers that clients can have: `public`, `pairwise`. An empty list stands for `public`.
    #[serde(deserialize_with = "defaults::types_or_public")]
    #[schemars(with = "Vec<String>")]
    pub supported_types: Vec<SubjectType>,
    pub pairwise: Option<Pairwise>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Pairwise {
    /// The salt of pairwise subject identifiers, at least 8 characters. When it changes, every client sees other
    /// subjects.
    pub salt: Secret<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Serve {
    pub cookies: Cookies,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Cookies {
    /// The domain of the cookies. Unset, they belong to the host of the service alone.
    pub domain: Option<String>,
    /// Whether the cookies are `Secure` when `dev` is on. Without `dev` they always are.
    pub secure: bool,
    /// The `SameSite` attribute of the cookies.
    pub same_site_mode: SameSite,
    pub names: CookieNames,
    pub paths: CookiePaths,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum SameSite {
    Strict,
    Lax,
    #[default]
    None,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CookieNames {
    /// The name of the cookie that protects the login step.
    pub login_csrf: String,
    /// The name of the cookie that protects the consent step.
    pub consent_csrf: String,
    /// The name of the cookie that remembers a login.
    pub session: String,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CookiePaths {
    /// The path of the cookie that remembers a login.
    pub session: String,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Strategies {
    /// How a requested scope is compared with the scopes of the client: as equal texts (`exact`), or with `*` for a
    /// segment (`wildcard`).
    #[schemars(with = "String")]
    pub scope: ScopeMatching,
    /// The format of access tokens of clients that do not choose one.
    pub access_token: AccessTokenFormat,
    pub jwt: JwtStrategy,
}

/// The format of access tokens of clients that do not choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct AccessTokenFormat(#[schemars(with = "String")] pub AccessTokenStrategy);

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct JwtStrategy {
    /// The claim of JWT access tokens that has the scope: `scp` as a list (`list`), `scope` as a text (`string`), or
    /// both.
    #[schemars(with = "String")]
    pub scope_claim: ScopeClaim,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Urls {
    #[serde(rename = "self")]
    pub own: OwnUrls,
    /// The login page. Unset, it is the one of the identity service.
    pub login: Option<String>,
    /// The registration page. Unset, it is the one of the identity service.
    pub registration: Option<String>,
    /// The consent page. Unset, it is the built-in page.
    pub consent: Option<String>,
    /// The logout page. Unset, it is the built-in page.
    pub logout: Option<String>,
    /// The page that shows errors. Unset, it is the built-in page.
    pub error: Option<String>,
    /// Where a browser goes after a logout that names no `post_logout_redirect_uri`.
    pub post_logout_redirect: Option<String>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct OwnUrls {
    /// The issuer, `iss` in tokens, exactly as it is written here. Unset, it follows from the address of the public
    /// listener.
    pub issuer: String,
    /// The URL of the public endpoints. Unset, it is the issuer.
    pub public: Option<String>,
    /// The URL of the admin endpoints. Unset, it follows from the address of the admin listener.
    pub admin: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Webfinger {
    pub jwks: Jwks,
    pub oidc_discovery: OidcDiscovery,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Jwks {
    /// Key sets that are published at `/.well-known/jwks.json` besides the signing keys.
    pub broadcast_keys: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct OidcDiscovery {
    /// `jwks_uri` of the discovery document. Unset, it is the endpoint of this service; the same holds for the
    /// following keys.
    pub jwks_url: Option<String>,
    /// `token_endpoint` of the discovery document.
    pub token_url: Option<String>,
    /// `authorization_endpoint` of the discovery document.
    pub auth_url: Option<String>,
    /// `registration_endpoint` of the discovery document. Unset, the document has none.
    pub client_registration_url: Option<String>,
    /// `userinfo_endpoint` of the discovery document.
    pub userinfo_url: Option<String>,
    /// More `claims_supported` of the discovery document.
    pub supported_claims: Vec<String>,
    /// More `scopes_supported` of the discovery document.
    pub supported_scope: Vec<String>,
}

/// A configuration error: the key and the reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct ConfigError {
    pub key: &'static str,
    pub reason: String,
}

impl ConfigError {
    pub(crate) fn new(key: &'static str, reason: impl Into<String>) -> Self {
        Self { key, reason: reason.into() }
    }
}

const GRACE_LIMIT: Duration = Duration::from_mins(5);
const COUNTED_GRACE_LIMIT: Duration = Duration::from_hours(180 * 24);

impl Config {
    /// Checks combinations of keys, and constraints beyond types.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.validate_urls()?;
        let hashers = &self.oauth2.hashers;
        if !(4..=31).contains(&hashers.bcrypt.cost) {
            return Err(ConfigError::new("oauth2.hashers.bcrypt.cost", "must be between 4 and 31"));
        }
        if !(1_000..=10_000_000).contains(&hashers.pbkdf2.iterations) {
            return Err(ConfigError::new("oauth2.hashers.pbkdf2.iterations", "must be between 1000 and 10000000"));
        }
        let identifiers = &self.oidc.subject_identifiers;
        if identifiers.supported_types.contains(&SubjectType::Pairwise)
            && identifiers.pairwise.as_ref().is_none_or(|pairwise| pairwise.salt.expose().len() < 8)
        {
            let reason = "pairwise subject identifiers require a salt of at least 8 characters";
            return Err(ConfigError::new("oidc.subject_identifiers.pairwise.salt", reason));
        }
        if !matches!(self.oauth2.keys.algorithm, None | Some(Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA)) {
            return Err(ConfigError::new("oauth2.keys.algorithm", "choose RS256, ES256 or EdDSA"));
        }
        Ok(())
    }

    fn validate_urls(&self) -> Result<(), ConfigError> {
        let issuer = parse_http_url("urls.self.issuer", &self.urls.own.issuer)?;
        let is_local = match issuer.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if issuer.scheme() != "https" && !self.dev && !is_local {
            let reason = "must be an https URL (OpenID Connect Discovery section 3), unless 'dev' is on";
            return Err(ConfigError::new("urls.self.issuer", reason));
        }
        if issuer.query().is_some() || issuer.fragment().is_some() {
            return Err(ConfigError::new("urls.self.issuer", "must have neither query nor fragment"));
        }
        for (key, url) in [("urls.self.public", &self.urls.own.public), ("urls.self.admin", &self.urls.own.admin)] {
            if let Some(url) = url {
                parse_http_url(key, url)?;
            }
        }
        Ok(())
    }

    pub fn issuer(&self) -> &str {
        &self.urls.own.issuer
    }

    /// A path below the address of the public endpoints.
    pub fn public_url(&self, path: &str) -> String {
        join(self.urls.own.public.as_deref().unwrap_or(&self.urls.own.issuer), path)
    }

    /// A path below the issuer.
    pub fn issuer_url(&self, path: &str) -> String {
        join(&self.urls.own.issuer, path)
    }

    pub fn token_url(&self) -> String {
        self.webfinger.oidc_discovery.token_url.clone().unwrap_or_else(|| self.public_url("/oauth2/token"))
    }

    pub fn supports_subject_type(&self, subject_type: SubjectType) -> bool {
        self.oidc.subject_identifiers.supported_types.contains(&subject_type)
    }

    /// How long a rotated refresh token still returns its successor.
    pub fn rotation_grace(&self) -> Duration {
        let settings = &self.oauth2.grant.refresh_token;
        let limit = if settings.rotation_grace_reuse_count > 0 { COUNTED_GRACE_LIMIT } else { GRACE_LIMIT };
        settings.rotation_grace_period.get().min(limit)
    }
}

fn parse_http_url(key: &'static str, text: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(text).map_err(|error| ConfigError::new(key, error.to_string()))?;
    if matches!(url.scheme(), "http" | "https") && url.has_host() {
        Ok(url)
    } else {
        Err(ConfigError::new(key, "must be an absolute http or https URL"))
    }
}

fn join(base: &str, path: &str) -> String {
    format!("{}{path}", base.strip_suffix('/').unwrap_or(base))
}

#[cfg(test)]
mod tests;
