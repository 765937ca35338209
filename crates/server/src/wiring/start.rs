//! The start: everything is opened, checked and bound before anything is served.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use base::{Clock, Rng, TrustStore};
use database::{Census, Database, Dsn, MigrationError, MigrationSet, MigrationState, Retention};
use jobs::Worker;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;
use web::TrustedProxies;
use web::outbound::{Client, Destinations};

use super::parts::{Parts, base_url, sealer};
use super::running::{Addresses, Running};
use super::secret_check::{self, Sealers, SecretsError, SecretsOrigin};
use super::table_sizes::TableSizes;
use crate::config::{Config, Fault, Faults, Listener, Service};
use crate::data_dir::{self, DataDir, DataDirError};
use crate::http::admin::UnprotectedAdmin;
use crate::http::browsers::Policy;
use crate::http::listen::{Audience, Site};
use crate::http::path::Rewrite;
use crate::http::refusals::Words;
use crate::http::socket::{ANYWHERE, BindError, Bound, DefaultPlace, LOOPBACK};
use crate::http::tls::{TlsError, TlsSettings};
use crate::http::{ListenerBounds, admin, health, with_manners};
use crate::{storage, trust};

/// What a program gets from its surroundings.
#[derive(Clone, Debug)]
pub struct Environment {
    pub clock: Clock,
    pub rng: Rng,
    /// The authorities that outbound calls trust; `trusted_ca` adds to them.
    pub trust: TrustStore,
    /// Where the database and the secrets go that nobody configured.
    pub data_dir: PathBuf,
    /// Takes free ports on loopback where no port is configured, instead of the usual ones.
    pub free_ports: bool,
    /// Applies migrations that are missing; without, they stop the start.
    pub migrate: bool,
    /// Starts although the secrets do not fit the database.
    pub accept_new_secrets: bool,
}

impl Environment {
    /// The operating system's clock and randomness, the bundled authorities, and `./kleis-data`.
    pub fn system() -> Self {
        Self {
            clock: Clock::system(),
            rng: Rng::system(),
            trust: TrustStore::bundled(),
            data_dir: PathBuf::from("kleis-data"),
            free_ports: false,
            migrate: true,
            accept_new_secrets: false,
        }
    }
}

/// Why a program does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] Faults),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error("dsn")]
    Dsn(#[from] database::InvalidDsn),
    #[error("the database cannot be opened")]
    Database(#[from] database::Error),
    #[error("the database cannot be brought up to date")]
    Migration(#[from] MigrationError),
    #[error("{0} migrations are missing: run kleis migrate up, or start without --no-migrate")]
    Pending(usize),
    #[error(
        "no secrets are set, and nodes that share a database must share them: set secrets.default, or KLEIS_SECRETS_DEFAULT"
    )]
    NoSharedSecrets,
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error("the listener {0} cannot start: {0}.host and {0}.port say where it stands")]
    Bind(String, #[source] BindError),
    #[error("TLS of {0}")]
    Tls(String, #[source] TlsError),
    #[error(transparent)]
    Unprotected(#[from] UnprotectedAdmin),
    #[error("{service} cannot start")]
    Service { service: Service, source: Box<dyn std::error::Error + Send + Sync> },
}

impl From<Fault> for StartError {
    fn from(fault: Fault) -> Self {
        Self::Config(fault.into())
    }
}

/// Starts what the configuration says.
///
/// # Errors
/// The first thing that stands in the way; nothing is served then.
pub async fn start(mut config: Config, environment: Environment) -> Result<Running, StartError> {
    // The first provider stays: in one process there is one, whoever came first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let Prepared { dsn, data_dir, generated, origin } = prepare(&mut config, &environment)?;
    let trust = trust::with_configured(&environment.trust, &config)?;
    let database = Database::open(&dsn.trusting(&trust)).await?;
    let sealers = sealers(&config, &environment)?;
    let status = database.migration_status(&migrations_of(&config)).await?;
    if !environment.accept_new_secrets {
        refuse(secret_check::check(&database, &status, &sealers, &origin).await?)?;
    }
    bring_up_to_date(&database, &config, &environment).await?;
    if let (Some(data_dir), Some(secrets)) = (&data_dir, &generated) {
        data_dir.keep_secrets(secrets)?;
    }
    let now = environment.clock.now();
    refuse(secret_check::record(&database, &sealers, environment.accept_new_secrets, now).await?)?;
    let mut addresses = Addresses::default();
    let mut bound = Vec::new();
    for service in config.services.clone() {
        for kind in listeners_of(service) {
            let listener = bind(&config, &environment, service, kind).await?;
            let url = base_url(&listener.settings, &listener.bound.address, listener.tls.is_some());
            addresses.insert(service, kind.name, listener.bound.address.clone(), url);
            bound.push(listener);
        }
    }
    let retention: Vec<Retention> = retention_of(&config).into_iter().flatten().copied().collect();
    let census = Census::new(database.clone(), retention.iter().copied().chain([jobs::EVENTS]));
    let parts = Parts {
        database: database.clone(),
        clock: environment.clock.clone(),
        rng: environment.rng.clone(),
        proxies: TrustedProxies::new(config.shared.trusted_proxies.iter().copied()),
        table_sizes: TableSizes::new(census, environment.clock.clone()),
        neighbours: Client::new(Destinations::Any, &trust),
        trust,
        data_dir,
    };
    let mut built = super::services::build(&mut config, &parts, &addresses).await?;

    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let worker = Worker::new(database.clone(), environment.clock, environment.rng, built.take_handlers(), retention)
        .with_event_retention(config.shared.events.into());
    let worker = Arc::new(worker);
    tasks.spawn({
        let (worker, stopped) = (worker.clone(), stopped.clone());
        async move { Box::pin(worker.run(stopped)).await }
    });
    for listener in bound {
        let router = built.take_router(listener.service, listener.kind.name);
        let site = assemble(listener, router, &config, &parts, &built)?;
        tasks.spawn(site.serve(stopped.clone()));
    }
    built.spawn_background(&mut tasks, &stopped);
    let edge = parts.plain_edge();
    Ok(Running { addresses, database, worker, edge, stop, tasks })
}

/// Where the database is and where the secrets come from.
struct Prepared {
    dsn: Dsn,
    data_dir: Option<DataDir>,
    /// Secrets that were made now, to be kept once the database exists.
    generated: Option<Value>,
    origin: SecretsOrigin,
}

/// Finds the database's place and the secrets, or makes secrets.
fn prepare(config: &mut Config, environment: &Environment) -> Result<Prepared, StartError> {
    let configured: Option<String> = config.shared.dsn.as_ref().map(|dsn| dsn.expose().clone());
    let is_temporary = configured.as_deref().is_some_and(|dsn| dsn == "memory" || dsn.contains(":memory:"));
    let dsn: Option<Dsn> = configured.as_deref().map(str::parse).transpose()?;
    let (mut data_dir, mut generated, mut origin) = (None, None, SecretsOrigin::Configured);
    if config.lacks_secrets() {
        match &dsn {
            Some(Dsn::Postgres(_)) => return Err(StartError::NoSharedSecrets),
            Some(Dsn::Sqlite(_)) if is_temporary => config.set_default_secrets(&data_dir::generate(&environment.rng)),
            Some(Dsn::Sqlite(_)) | None => {
                let opened = DataDir::open(&environment.data_dir)?;
                let file = opened.secrets_file();
                if let Some(kept) = opened.secrets()? {
                    config.set_default_secrets(&kept);
                    // A database that is configured and does not exist yet is a new one; the others were written before.
                    if dsn.as_ref().is_none_or(is_empty_file) {
                        origin = SecretsOrigin::Kept { file };
                    }
                } else {
                    let secrets = data_dir::generate(&environment.rng);
                    config.set_default_secrets(&secrets);
                    (generated, origin) = (Some(secrets), SecretsOrigin::Generated { file });
                }
                data_dir = Some(opened);
            }
        }
    }
    let Some(dsn) = dsn else {
        let opened = DataDir::open(&environment.data_dir)?;
        let dsn = Dsn::sqlite(opened.database()?);
        return Ok(Prepared { dsn, data_dir: Some(opened), generated, origin });
    };
    Ok(Prepared { dsn, data_dir, generated, origin })
}

/// Whether the database is a file without content: one that was truncated, for SQLite fills it when it makes it.
fn is_empty_file(dsn: &Dsn) -> bool {
    let name = dsn.to_string();
    name.strip_prefix("sqlite://").is_some_and(|path| std::fs::metadata(path).is_ok_and(|file| file.len() == 0))
}

/// The services that seal, each with its sealer.
fn sealers(config: &Config, environment: &Environment) -> Result<Sealers, StartError> {
    let sealing = config.services.iter().filter(|service| !super::parts::sealing_secrets(**service).is_empty());
    sealing.map(|service| Ok((*service, sealer(config, &environment.rng, *service)?))).collect()
}

fn refuse(errors: Vec<SecretsError>) -> Result<(), SecretsError> {
    errors.into_iter().next().map_or(Ok(()), Err)
}

async fn bring_up_to_date(database: &Database, config: &Config, environment: &Environment) -> Result<(), StartError> {
    let sets = migrations_of(config);
    if environment.migrate {
        for step in database.migrate(&sets, environment.clock.now()).await? {
            tracing::info!(service = step.service, version = step.version, name = step.name, "migration applied");
        }
        return Ok(());
    }
    let steps = database.migration_status(&sets).await?;
    match steps.iter().filter(|step| step.state == MigrationState::Pending).count() {
        0 => Ok(()),
        missing => Err(StartError::Pending(missing)),
    }
}

/// The tables of the services that run.
pub(crate) fn migrations_of(config: &Config) -> Vec<MigrationSet> {
    let services = config.services.iter().filter_map(|service| super::services::migrations(*service));
    [jobs::MIGRATIONS, storage::MIGRATIONS].into_iter().chain(services).collect()
}

fn retention_of(config: &Config) -> Vec<&'static [Retention]> {
    let services = config.services.iter().map(|service| super::services::retention(*service));
    std::iter::once(jobs::RETENTION).chain(services).collect()
}

/// A kind of listener.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    port: u16,
    is_admin: bool,
    rewrite: Rewrite,
}

impl Kind {
    const fn audience(self) -> Audience {
        match self {
            Self { is_admin: true, .. } => Audience::Admin,
            Self { rewrite: Rewrite::Untouched, .. } => Audience::Upstream,
            _ => Audience::Public,
        }
    }
}

const fn listeners_of(service: Service) -> [Kind; 2] {
    const fn kind(name: &'static str, port: u16, is_admin: bool, rewrite: Rewrite) -> Kind {
        Kind { name, port, is_admin, rewrite }
    }
    match service {
        Service::Identity => {
            [kind("public", 4433, false, Rewrite::Trimmed), kind("admin", 4434, true, Rewrite::UnderAdmin)]
        }
        Service::Oauth => {
            [kind("public", 4444, false, Rewrite::Trimmed), kind("admin", 4445, true, Rewrite::UnderAdmin)]
        }
        Service::Gateway => {
            [kind("proxy", 4455, false, Rewrite::Untouched), kind("api", 4456, true, Rewrite::Untouched)]
        }
    }
}

/// What the listeners of a service are called, in the configuration, too.
pub(crate) fn listener_names(service: Service) -> [&'static str; 2] {
    listeners_of(service).map(|kind| kind.name)
}

/// A listener that has its place and serves nothing yet.
struct BoundListener {
    service: Service,
    kind: Kind,
    settings: Listener,
    bound: Bound,
    tls: Option<TlsSettings>,
}

async fn bind(
    config: &Config,
    environment: &Environment,
    service: Service,
    kind: Kind,
) -> Result<BoundListener, StartError> {
    let settings = config.listener(service, kind.name)?;
    let admin = &config.shared.admin;
    let authority = admin.client_ca.as_ref().filter(|_| kind.is_admin);
    let tls = TlsSettings::of(&settings.tls, authority)
        .map_err(|error| StartError::Tls(format!("{service}.serve.{}", kind.name), error))?;
    // What nobody configured is for whoever sits at this machine.
    let is_local = kind.is_admin || !config.is_configured || environment.free_ports;
    let place = DefaultPlace {
        host: if is_local { LOOPBACK } else { ANYWHERE },
        port: if environment.free_ports { 0 } else { kind.port },
    };
    let named = |error| StartError::Bind(format!("{service}.serve.{}", kind.name), error);
    let bound = Bound::bind(&settings, place).await.map_err(named)?;
    if kind.is_admin {
        admin::check(service.name(), &bound.address, admin, tls.is_some())?;
    }
    Ok(BoundListener { service, kind, settings, bound, tls })
}

/// Puts health, guard, cross-origin rules and the edge around what a service answers with.
fn assemble(
    listener: BoundListener,
    router: Router,
    config: &Config,
    parts: &Parts,
    built: &super::services::Built,
) -> Result<Site, StartError> {
    let BoundListener { service, kind, settings, bound, tls } = listener;
    let (metrics, health) = built.observed(service)?;
    let router = if kind.rewrite == Rewrite::Untouched && !kind.is_admin {
        // The gateway's proxy: every path belongs to the upstream, and bodies stream for as long as they move.
        router
    } else {
        let health_routes = if kind.is_admin { health::admin(health) } else { health::public(health) };
        let router = router.merge(health_routes);
        let tells_revision = kind.is_admin && service == Service::Identity;
        let router = if tells_revision { router.merge(health::revision(health)) } else { router };
        let bounds = match (kind.is_admin, service) {
            (false, _) => ListenerBounds::public(config.shared.bounds.submission_bytes),
            (true, Service::Gateway) => ListenerBounds::decisions(),
            (true, Service::Identity | Service::Oauth) => ListenerBounds::admin(),
        };
        with_manners(Words::of(service), bounds, router)
    };
    // A decision of the gateway concerns the visitor that it is asked about.
    let router = if kind.is_admin && service != Service::Gateway { admin::as_holder(router) } else { router };
    let router = if kind.is_admin {
        let (admin, open) = (&config.shared.admin, admin::open_paths(service));
        let router = admin::serve_private_keys(admin::guard(router, admin, open), admin, tls.is_some());
        Policy::of(Words::of(service), &bound.address, &settings, admin, open).around(router)
    } else {
        router
    };
    let own_rules = if service == Service::Oauth && !kind.is_admin { oauth::PATHS_OF_CLIENTS } else { &[] };
    let router = match settings.cors.layer(own_rules) {
        Some(cors) => router.layer(cors),
        None => router,
    };
    let router = if kind.is_admin { router } else { config.shared.strict_transport_security.around(router) };
    let router = parts.edge(&settings, metrics).around(router);
    let mut limits = kind.audience().limits(&settings.timeout);
    limits.malformed_request = Words::of(service).malformed_request();
    Ok(Site { socket: bound.socket, tls, limits, rewrite: kind.rewrite, router })
}

#[cfg(test)]
mod tests;
