//! The service value: a cheap clone around its parts. Operations are methods on it, each in a file of its own.

use std::sync::Arc;
use std::time::Duration;

use base::{Clock, Rng, Sealer};
use contracts::{Link, Sessions};
use database::{Database, ReadCache};
use oauth_types::GrantType;
use web::jwks::{Bounds, Documents, RemoteKeySets};
use web::outbound::{Client as HttpClient, Limits};

use crate::config::{Config, ConfigError};
use crate::domain::claims::AccessTokenClaims;
use crate::memory::{Clients, FailedSecrets, KeyRing, UnusedChallenges, VerifiedSecrets};
use crate::operations::introspect_token::{LIVE_TOKEN_BYTES, LiveAccessToken};

/// What the service is made of.
pub struct Parts {
    pub config: Config,
    pub database: Database,
    pub clock: Clock,
    pub rng: Rng,
    pub sealer: Sealer,
    /// For what clients registered: key sets, sector identifiers, back-channel logout.
    pub http: HttpClient,
    pub sessions: Link<dyn Sessions>,
    /// The frame of the built-in pages.
    pub ui: ui::Ui,
}

/// What the cached access tokens take at most.
const LIVE_TOKENS_BYTES: usize = 32 << 20;

/// For a key set that a client publishes.
const KEY_SET_LIMITS: Limits = Limits { timeout: Duration::from_secs(5), max_bytes: 512 * 1024 };

/// The OAuth 2.0 service.
#[derive(Clone)]
pub struct OAuth(Arc<Inner>);

struct Inner {
    parts: Parts,
    access_token_claims: AccessTokenClaims,
    clients: Clients,
    live_tokens: ReadCache<[u8; 32], LiveAccessToken>,
    unused_challenges: UnusedChallenges,
    keys: KeyRing,
    remote_keys: RemoteKeySets,
    secrets: VerifiedSecrets,
    failed_secrets: FailedSecrets,
}

impl OAuth {
    pub fn new(parts: Parts) -> Result<Self, ConfigError> {
        parts.config.validate()?;
        let oauth2 = &parts.config.oauth2;
        for name in oauth2.grant_types_disabled.iter().filter(|name| GrantType::parse(name).is_none()) {
            tracing::warn!(
                grant_type = name,
                "oauth2.grant_types_disabled names an unknown grant type, which has no effect"
            );
        }
        let access_token_claims = AccessTokenClaims {
            scope_claim: parts.config.strategies.jwt.scope_claim,
            exclude_not_before: oauth2.exclude_not_before_claim,
            allowed_top_level: oauth2.allowed_top_level_claims.clone(),
            mirror_top_level: oauth2.mirror_top_level_claims,
            preserve_ext: oauth2.preserve_ext_claims,
        };
        let secrets = VerifiedSecrets::new(&parts.rng);
        let key_sets = Documents::remote(parts.http.with_limits(KEY_SET_LIMITS));
        Ok(Self(Arc::new(Inner {
            access_token_claims,
            clients: Clients::new(parts.database.clone()),
            live_tokens: ReadCache::new(parts.database.clone(), LIVE_TOKENS_BYTES, LIVE_TOKEN_BYTES),
            unused_challenges: UnusedChallenges::new(parts.database.clone()),
            parts,
            keys: KeyRing::default(),
            remote_keys: RemoteKeySets::new(key_sets, |_| true, Bounds::default()),
            secrets,
            failed_secrets: FailedSecrets::default(),
        })))
    }

    /// Endpoints for browsers, clients and resource servers.
    pub fn public_router(&self) -> axum::Router {
        crate::http::public_routes(self).with_state(self.clone())
    }

    /// Endpoints for operators and applications of the operator.
    pub fn admin_router(&self) -> axum::Router {
        crate::http::admin_routes().with_state(self.clone())
    }

    /// What this service does in the background.
    pub fn handlers(&self) -> Vec<Arc<dyn jobs::Handler>> {
        crate::jobs::handlers(self)
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.parts.config
    }

    pub(crate) fn database(&self) -> &Database {
        &self.0.parts.database
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.parts.clock
    }

    pub(crate) fn rng(&self) -> &Rng {
        &self.0.parts.rng
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        &self.0.parts.sealer
    }

    pub(crate) fn http(&self) -> &HttpClient {
        &self.0.parts.http
    }

    pub(crate) fn sessions(&self) -> &Link<dyn Sessions> {
        &self.0.parts.sessions
    }

    pub(crate) fn ui(&self) -> &ui::Ui {
        &self.0.parts.ui
    }

    pub(crate) fn access_token_claims(&self) -> &AccessTokenClaims {
        &self.0.access_token_claims
    }

    /// Access tokens that were found live a moment ago, by digest.
    pub(crate) fn live_tokens(&self) -> &ReadCache<[u8; 32], LiveAccessToken> {
        &self.0.live_tokens
    }

    pub(crate) fn unused_challenges(&self) -> &UnusedChallenges {
        &self.0.unused_challenges
    }

    pub(crate) fn clients(&self) -> &Clients {
        &self.0.clients
    }

    pub(crate) fn keys(&self) -> &KeyRing {
        &self.0.keys
    }

    pub(crate) fn remote_keys(&self) -> &RemoteKeySets {
        &self.0.remote_keys
    }

    /// Wrong client secrets of a short while ago.
    pub(crate) fn failed_secrets(&self) -> &FailedSecrets {
        &self.0.failed_secrets
    }

    pub(crate) fn verified_secrets(&self) -> &VerifiedSecrets {
        &self.0.secrets
    }
}

impl std::fmt::Debug for OAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OAuth")
    }
}
