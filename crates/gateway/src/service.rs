//! The service value, which `server` builds and handlers and tasks use. Cheap to clone.

use std::sync::Arc;

use arc_swap::ArcSwap;
use base::Rng;
use contracts::{Link, PermissionChecks, Sessions, TokenIntrospection};
use jose::JwkSet;

use crate::components::repositories::{Repositories, RepositoryError};
use crate::components::signing_keys::IN_PROCESS_KEYS;
use crate::config::Config;
use crate::pipeline::errors::Fallbacks;
use crate::pipeline::{InProcess, LocalServices, RuleSet, Services};
use crate::proxy::Proxy;

/// The components of a gateway.
pub struct Parts {
    pub config: Config,
    pub rng: Rng,
    pub http: web::outbound::Client,
    pub sessions: Link<dyn Sessions>,
    pub introspection: Link<dyn TokenIntrospection>,
    /// The permission service, of this process or of another.
    pub permissions: Link<dyn PermissionChecks>,
    /// The URLs of the services in this process.
    pub local: LocalServices,
    /// The keys under [`IN_PROCESS_KEYS`](crate::IN_PROCESS_KEYS), with which rules may sign.
    pub generated_keys: JwkSet,
    /// Whether these keys survive a restart. If not, other nodes have other keys as well, and a rule that signs with them
    /// is reported.
    pub keeps_generated_keys: bool,
}

/// The service value.
pub struct Gateway {
    pub(crate) config: Config,
    pub(crate) services: Services,
    pub(crate) keeps_generated_keys: bool,
    pub(crate) fallbacks: Fallbacks,
    pub(crate) rules: ArcSwap<RuleSet>,
    pub(crate) repositories: tokio::sync::Mutex<Repositories>,
    pub(crate) proxy: Proxy,
}

/// A configuration error that prevents the gateway from starting.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("access_rules.repositories.{index}: {source}")]
    Repository { index: usize, source: RepositoryError },
    #[error("the upstream client cannot be built: {0}")]
    Client(#[from] rustls::Error),
}

/// Whether the gateway can serve traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    Ready,
    /// Rules are configured, but none of the loaded ones is valid.
    NoRules,
}

impl Readiness {
    /// The name and description of the failed check for `/health/ready`.
    pub const fn fault(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Ready => None,
            Self::NoRules => Some(("rules_loaded", "no valid access rule is loaded")),
        }
    }
}

impl Gateway {
    pub fn new(parts: Parts) -> Result<Arc<Self>, ConfigError> {
        let Parts { config, rng, http, sessions, introspection, permissions, local, .. } = parts;
        let in_process = InProcess { sessions, introspection, permissions, urls: local };
        let fallbacks = Fallbacks::compile(&config.errors);
        for fault in fallbacks.faults() {
            tracing::error!(fault, "an error handler of `errors.fallback` is invalid: failures become 500");
        }
        let repositories = Repositories::new(&config.access_rules.repositories)
            .map_err(|(index, source)| ConfigError::Repository { index, source })?;
        Ok(Arc::new(Self {
            proxy: Proxy::new(http.trust(), config.serve.proxy.timeout)?,
            services: Services::new(rng, http, in_process, parts.generated_keys),
            keeps_generated_keys: parts.keeps_generated_keys,
            fallbacks,
            rules: ArcSwap::from_pointee(RuleSet::default()),
            repositories: tokio::sync::Mutex::new(repositories),
            config,
        }))
    }

    pub fn readiness(&self) -> Readiness {
        let expects_none = self.config.access_rules.repositories.is_empty();
        let is_ready = expects_none || self.rules.load().valid().next().is_some();
        if is_ready { Readiness::Ready } else { Readiness::NoRules }
    }

    /// Whether rules sign with ephemeral keys, which other nodes and this one after a restart do not have.
    pub fn signs_with_ephemeral_keys(&self) -> bool {
        !self.keeps_generated_keys && self.rules.load().key_urls().iter().any(|url| url == IN_PROCESS_KEYS)
    }

    /// Closes the open tunnels: upgraded connections outlive their requests.
    pub async fn close_tunnels(&self) {
        self.proxy.close_tunnels().await;
    }
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("rules", &self.rules.load().len()).finish_non_exhaustive()
    }
}
