//! The service value, cheap to clone. Operations are methods on it, each in its own file.

use std::sync::Arc;

use base::{Clock, Rng, Sealer};
use contracts::{Link, Sessions};
use database::Database;
use oauth_types::GrantType;
use web::outbound::Client as HttpClient;

use crate::components::{
    Challenges, ClientAuthenticator, Clients, Grants, KeySets, KeySettings, LoginSessions, SigningKeys, Subjects,
    TokenHooks, Tokens,
};
use crate::config::{Config, ConfigError};

/// The components of the service.
pub struct Parts {
    pub config: Config,
    pub database: Database,
    pub clock: Clock,
    pub rng: Rng,
    pub sealer: Sealer,
    /// For URLs that clients registered: key sets, sector identifiers, back-channel logout.
    pub http: HttpClient,
    pub sessions: Link<dyn Sessions>,
    /// The layout of the built-in pages.
    pub ui: ui::Ui,
}

/// The OAuth 2.0 service: what its operations work with.
pub struct OAuth {
    pub(crate) config: Config,
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) rng: Rng,
    pub(crate) sealer: Sealer,
    pub(crate) http: HttpClient,
    pub(crate) sessions: Link<dyn Sessions>,
    pub(crate) ui: ui::Ui,
    pub(crate) clients: Arc<Clients>,
    pub(crate) authenticator: ClientAuthenticator,
    pub(crate) challenges: Challenges,
    pub(crate) subjects: Subjects,
    pub(crate) login_sessions: LoginSessions,
    pub(crate) grants: Grants,
    pub(crate) keys: Arc<SigningKeys>,
    pub(crate) key_sets: KeySets,
    pub(crate) tokens: Tokens,
    pub(crate) token_hooks: TokenHooks,
}

impl OAuth {
    pub fn new(parts: Parts) -> Result<Arc<Self>, ConfigError> {
        let Parts { config, database, clock, rng, sealer, http, sessions, ui } = parts;
        config.validate()?;
        warn_of_unknown_grant_types(&config);
        let oauth2 = &config.oauth2;
        let settings = config.token_settings();
        let (policy, hasher) = (config.client_policy(), config.secret_hasher());
        let clients = Clients::new(database.clone(), http.clone(), rng.clone(), policy, hasher);
        let clients = Arc::new(clients);
        let keys = SigningKeys::new(
            database.clone(),
            sealer.clone(),
            rng.clone(),
            config.issuer(),
            KeySettings { algorithm: oauth2.keys.algorithm, rotation_period: oauth2.keys.rotation_period.get() },
        );
        let keys = Arc::new(keys);
        let (token_hook, refresh_token_hook) = (oauth2.token_hook.clone(), oauth2.refresh_token_hook.clone());
        Ok(Arc::new(Self {
            authenticator: ClientAuthenticator::new(
                database.clone(),
                &http,
                &rng,
                clients.clone(),
                config.assertion_audiences(),
            ),
            challenges: Challenges::new(database.clone(), sealer.clone(), config.challenge_lifetime()),
            login_sessions: LoginSessions::new(
                database.clone(),
                rng.clone(),
                sessions.clone(),
                config.issuer(),
                config.challenge_lifetime(),
            ),
            grants: Grants::new(database.clone(), sealer.clone()),
            subjects: Subjects::new(config.pairwise_salt().cloned()),
            token_hooks: TokenHooks::new(http.clone(), token_hook, refresh_token_hook, settings.clone()),
            key_sets: KeySets {
                keys: keys.clone(),
                sealer: sealer.clone(),
                rng: rng.clone(),
                broadcast: config.webfinger.jwks.broadcast_keys.clone(),
                rotation_period: oauth2.keys.rotation_period.get(),
                longest_signed_lifespan: config.longest_signed_lifespan(),
            },
            tokens: Tokens::new(database.clone(), sealer.clone(), rng.clone(), keys.clone(), settings),
            clients,
            keys,
            config,
            database,
            clock,
            rng,
            sealer,
            http,
            sessions,
            ui,
        }))
    }
}

fn warn_of_unknown_grant_types(config: &Config) {
    for name in config.oauth2.grant_types_disabled.iter().filter(|name| GrantType::parse(name).is_none()) {
        tracing::warn!(
            grant_type = name,
            "oauth2.grant_types_disabled names an unknown grant type, which has no effect"
        );
    }
}

impl std::fmt::Debug for OAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OAuth")
    }
}
