//! The service value: the components that operations use.

use std::sync::Arc;
use std::time::Duration;

use base::{Clock, Context, Rng, Sealer};
use contracts::{Connections, Link, LoginRequests, SubjectObserver};
use database::Database;
use jobs::Handler;

use crate::components::attempts::Attempts;
use crate::components::breaches::BreachList;
use crate::components::codes::Codes;
use crate::components::courier::{
    Courier, CourierParts, HttpDeliveries, HttpDeliveryConfigError, SmtpConfigError, SmtpDelivery, Templates,
};
use crate::components::hashing::{HashAlgorithm, Hasher, HashingLimits, default_lanes};
use crate::components::policy::{CodePolicy, FlowPolicy, SessionPolicy};
use crate::components::schemas::{SchemaLoadError, Schemas};
use crate::components::sessions::Sessions;
use crate::components::totals::Totals;
use crate::components::urls::{InvalidUrl, Urls};
use crate::config::{Config, HasherAlgorithm};
use crate::domain::password_hash::Argon2Parameters;
use crate::domain::password_policy::PasswordPolicy;
use crate::jobs::deliver_message::DeliverMessage;
use crate::storage::TenantSealer;

/// The dependencies of the service.
pub struct Parts {
    pub config: Config,
    pub database: Database,
    pub clock: Clock,
    pub rng: Rng,
    pub sealer: Sealer,
    pub http: web::outbound::Client,
    /// The layout of the account pages.
    pub ui: ui::Ui,
    /// Answers login challenges; unset without an OAuth2 service.
    pub login_requests: Link<dyn LoginRequests>,
    /// Is notified when a session or a user ends.
    pub subject_observer: Link<dyn SubjectObserver>,
    /// Lists the clients that a user consented to; unset without an OAuth2 service.
    pub connections: Link<dyn Connections>,
}

/// A configuration that cannot be served. Every message names its key.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(transparent)]
    Schema(#[from] SchemaLoadError),
    #[error(transparent)]
    Smtp(#[from] SmtpConfigError),
    #[error(transparent)]
    HttpDelivery(#[from] HttpDeliveryConfigError),
    #[error(transparent)]
    Place(#[from] InvalidUrl),
    #[error("{key}: {problem}")]
    Key { key: &'static str, problem: &'static str },
}

/// All errors of the configuration.
#[derive(Debug)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl std::fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// The identity service.
pub struct Identity {
    pub(crate) config: Arc<Config>,
    pub(crate) database: Database,
    pub(crate) rng: Rng,
    pub(crate) sealer: Sealer,
    pub(crate) schemas: Schemas,
    pub(crate) hasher: Hasher,
    pub(crate) breaches: BreachList,
    pub(crate) urls: Arc<Urls>,
    pub(crate) flow_policy: Arc<FlowPolicy>,
    pub(crate) session_policy: Arc<SessionPolicy>,
    pub(crate) code_policy: Arc<CodePolicy>,
    pub(crate) attempts: Arc<Attempts>,
    pub(crate) courier: Arc<Courier>,
    pub(crate) codes: Codes,
    pub(crate) sessions: Sessions,
    pub(crate) totals: Totals,
    pub(crate) ui: ui::Ui,
    pub(crate) login_requests: Link<dyn LoginRequests>,
    pub(crate) connections: Link<dyn Connections>,
}

impl Identity {
    /// Builds the service. Schemas over HTTP are not fetched yet: see [`Identity::load_schemas`].
    pub fn new(parts: Parts) -> Result<Arc<Self>, ConfigErrors> {
        let Parts { config, database, clock: _, rng, sealer, http, ui, login_requests, subject_observer, connections } =
            parts;
        let (config, _) = config.adjusted(default_lanes());
        let config = Arc::new(config);
        let mut errors = check(&config);
        let refuse_references = config.security.disallow_ref_in_identity_schemas;
        let schemas = keep(Schemas::new(&config.identity, refuse_references, http.clone()), &mut errors);
        let urls = keep(Urls::new(&config), &mut errors);
        let smtp = keep(SmtpDelivery::new(&config.courier.smtp, http.trust()), &mut errors);
        let http_deliveries = keep(HttpDeliveries::new(&config.courier, &http), &mut errors);
        let (Some(schemas), Some(urls), Some(smtp), Some(http_deliveries), true) =
            (schemas, urls, smtp, http_deliveries, errors.is_empty())
        else {
            return Err(ConfigErrors(errors));
        };
        let (algorithm, limits) = hashing(&config);
        let urls = Arc::new(urls);
        let flow_policy = Arc::new(FlowPolicy::new(config.clone()));
        let session_policy = Arc::new(SessionPolicy::new(config.clone()));
        let code_policy = Arc::new(CodePolicy::new(config.clone()));
        let attempts = Attempts::new(database.clone(), rng.clone(), config.security.attempt_limits.resolve());
        let attempts = Arc::new(attempts);
        let courier = Arc::new(Courier::new(CourierParts {
            database: database.clone(),
            rng: rng.clone(),
            sealer: sealer.clone(),
            templates: Templates::new(&config.courier, ui.clone()),
            smtp,
            http: http_deliveries,
            retries: config.courier.message_retries,
        }));
        let ui = ui.under(urls.public_path());
        Ok(Arc::new(Self {
            hasher: Hasher::new(algorithm, limits, rng.clone()),
            breaches: BreachList::new(&config.selfservice.methods.password.config, &http),
            codes: Codes {
                database: database.clone(),
                rng: rng.clone(),
                sealer: sealer.clone(),
                ui: ui.clone(),
                urls: urls.clone(),
                flows: flow_policy.clone(),
                policy: code_policy.clone(),
                attempts: attempts.clone(),
                courier: courier.clone(),
            },
            sessions: Sessions::new(
                database.clone(),
                rng.clone(),
                sealer.clone(),
                subject_observer,
                session_policy.clone(),
                urls.clone(),
            ),
            totals: Totals::default(),
            config,
            database,
            rng,
            sealer,
            schemas,
            urls,
            flow_policy,
            session_policy,
            code_policy,
            attempts,
            courier,
            ui,
            login_requests,
            connections,
        }))
    }

    /// Fetches the schemas over HTTP. If it fails, each request tries again.
    pub async fn load_schemas(&self) -> Result<(), SchemaLoadError> {
        self.schemas.load().await
    }

    /// The jobs that this service performs.
    pub fn handlers(&self) -> Vec<Arc<dyn Handler>> {
        vec![Arc::new(DeliverMessage(self.courier.clone()))]
    }

    /// The sealer for rows of the request's tenant.
    pub(crate) fn tenant_sealer<'s>(&'s self, cx: &Context) -> TenantSealer<'s> {
        TenantSealer::new(&self.sealer, cx.tenant)
    }

    pub(crate) fn password_policy(&self) -> PasswordPolicy {
        let config = &self.config.selfservice.methods.password.config;
        PasswordPolicy {
            min_length: config.min_password_length,
            check_similarity: config.identifier_similarity_check_enabled,
            max_breaches: config.max_breaches,
        }
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

/// Returns the value, or records its error and returns `None`.
fn keep<T>(built: Result<T, impl Into<ConfigError>>, errors: &mut Vec<ConfigError>) -> Option<T> {
    built.map_err(|error| errors.push(error.into())).ok()
}

/// Settings that would be unsafe or could never work, although each key is well-formed.
fn check(config: &Config) -> Vec<ConfigError> {
    let mut errors = Vec::new();
    let mut refuse = |key, problem| errors.push(ConfigError::Key { key, problem });
    let methods = &config.selfservice.methods;
    if methods.password.config.min_password_length < 6 {
        refuse("selfservice.methods.password.config.min_password_length", "must be 6 or more");
    }
    if methods.code.passwordless_enabled && methods.code.mfa_enabled {
        refuse(
            "selfservice.methods.code",
            "passwordless_enabled and mfa_enabled exclude each other: one code cannot be two factors",
        );
    }
    errors
}

fn hashing(config: &Config) -> (HashAlgorithm, HashingLimits) {
    let argon2 = &config.hashers.argon2;
    let limits = HashingLimits {
        queue_deadline: Duration::from_secs(10),
        ..HashingLimits::for_this_machine(argon2.dedicated_memory.kib())
    };
    let algorithm = match config.hashers.algorithm {
        HasherAlgorithm::Bcrypt => HashAlgorithm::Bcrypt { cost: config.hashers.bcrypt.cost },
        HasherAlgorithm::Argon2 => HashAlgorithm::Argon2id {
            parameters: Argon2Parameters {
                memory_kib: argon2.memory.kib(),
                iterations: argon2.iterations,
                parallelism: argon2.parallelism.unwrap_or_else(default_lanes),
                key_length: argon2.key_length as usize,
            },
            salt_length: argon2.salt_length as usize,
        },
    };
    (algorithm, limits)
}
