//! The start: everything is opened, checked and bound before anything is served.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use base::{Clock, Rng, TrustStore};
use database::{Database, MigrationError, MigrationSet, Retention};
use jobs::Worker;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::findings::Findings;
use super::prepare::{BoundListener, Prepared, Purpose, prepare};
use super::running::Running;
use super::secret_check::{self, SecretsError};
use crate::config::{Config, Faults, Service, Severity};
use crate::data_dir::DataDirError;
use crate::http::browsers::Policy;
use crate::http::listen::{Audience, Site};
use crate::http::loopback::{self, IsFirstPage};
use crate::http::path::Rewrite;
use crate::http::refusals::Words;
use crate::http::{ListenerBounds, admin, health, with_manners};
use crate::storage;

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
    /// Where public listeners stand that name no host.
    pub listen: Option<IpAddr>,
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
            listen: None,
        }
    }
}

/// Why a program does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// What was found before anything was written: everything at once.
    #[error(transparent)]
    Faults(#[from] Faults),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error("the database cannot be written")]
    Database(#[from] database::Error),
    #[error("the database cannot be brought up to date")]
    Migration(#[from] MigrationError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
}

/// Starts what the configuration says.
///
/// # Errors
/// Everything that stands in the way; nothing is served then.
pub async fn start(config: Config, environment: Environment) -> Result<Running, StartError> {
    let mut findings = Findings::of(&config);
    let prepared = Box::pin(prepare(config, &environment, Purpose::Serve, &mut findings)).await;
    for notice in findings.sorted_notices() {
        match notice.severity {
            Severity::Warning => tracing::warn!(key = notice.path, "{}", notice.message),
            Severity::Information => tracing::info!(key = notice.path, "{}", notice.message),
        }
    }
    findings.refuse()?;
    // Without a fault everything was built.
    let Some(prepared) = prepared else { return Err(Faults(Vec::new()).into()) };
    let Prepared { config, parts, addresses, mut built, listeners, sealers, generated, status: _ } = prepared;
    let database = parts.database.clone();
    if environment.migrate {
        bring_up_to_date(&database, &config, &environment).await?;
    }
    if let (Some(data_dir), Some(secrets)) = (&parts.data_dir, &generated) {
        data_dir.keep_secrets(secrets)?;
    }
    let now = environment.clock.now();
    let errors = secret_check::record(&database, &sealers, environment.accept_new_secrets, now).await?;
    errors.into_iter().next().map_or(Ok(()), Err)?;

    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let retention = retention_of(&config);
    let worker = Worker::new(database.clone(), environment.clock, environment.rng, built.take_handlers(), retention)
        .with_event_retention(config.shared.events.into());
    let worker = Arc::new(worker);
    tasks.spawn({
        let (worker, stopped) = (worker.clone(), stopped.clone());
        async move { Box::pin(worker.run(stopped)).await }
    });
    for listener in listeners {
        let router = built.take_router(listener.service, listener.kind.name);
        let site = assemble(listener, router, &config, &parts, &built)?;
        tasks.spawn(site.serve(stopped.clone()));
    }
    built.spawn_background(&mut tasks, &stopped);
    let edge = parts.plain_edge();
    let data_dir = parts.data_dir.as_ref().map(|data_dir| data_dir.path().to_owned());
    Ok(Running { addresses, database, worker, data_dir, edge, stop, tasks })
}

async fn bring_up_to_date(
    database: &Database,
    config: &Config,
    environment: &Environment,
) -> Result<(), MigrationError> {
    for step in database.migrate(&migrations_of(config), environment.clock.now()).await? {
        tracing::info!(service = step.service, version = step.version, name = step.name, "migration applied");
    }
    Ok(())
}

/// The tables of the services that run.
pub(crate) fn migrations_of(config: &Config) -> Vec<MigrationSet> {
    let services = config.services.iter().filter_map(|service| super::services::migrations(*service));
    [jobs::MIGRATIONS, storage::MIGRATIONS].into_iter().chain(services).collect()
}

pub(super) fn retention_of(config: &Config) -> Vec<Retention> {
    let services = config.services.iter().map(|service| super::services::retention(*service));
    std::iter::once(jobs::RETENTION).chain(services).flatten().copied().collect()
}

/// A kind of listener.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) port: u16,
    pub(super) is_admin: bool,
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

pub(super) const fn listeners_of(service: Service) -> [Kind; 2] {
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

/// The port of a listener that is configured nowhere.
pub(crate) fn usual_port(service: Service, name: &str) -> u16 {
    listeners_of(service).iter().find(|kind| kind.name == name).map_or(0, |kind| kind.port)
}

pub(crate) fn is_admin_listener(service: Service, name: &str) -> bool {
    listeners_of(service).iter().any(|kind| kind.name == name && kind.is_admin)
}

/// The pages by which a browser begins a visit, and the keys that say at which address it belongs, the first one set
/// first.
fn first_pages(service: Service, kind: Kind) -> Option<(&'static [&'static str], IsFirstPage)> {
    match service {
        Service::Identity if !kind.is_admin => Some((&["serve.public.base_url"], |path| {
            let begins_flow = path.starts_with("/self-service/") && path.ends_with("/browser");
            let is_page = path == "/" || (path.starts_with("/ui/") && !path.starts_with("/ui/static/"));
            begins_flow || is_page || path == "/.well-known/change-password"
        })),
        Service::Oauth if !kind.is_admin => Some((&["urls.self.public", "urls.self.issuer"], |path| {
            ["/oauth2/auth", "/oauth2/sessions/logout"].contains(&path)
        })),
        Service::Identity | Service::Oauth | Service::Gateway => None,
    }
}

/// Puts health, guard, cross-origin rules and the edge around what a service answers with.
fn assemble(
    listener: BoundListener,
    router: Router,
    config: &Config,
    parts: &super::parts::Parts,
    built: &super::services::Built,
) -> Result<Site, Faults> {
    let BoundListener { service, kind, settings, address, socket, tls } = listener;
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
        let router = match first_pages(service, kind) {
            Some((keys, is_first_page)) => {
                let base_url = keys.iter().find_map(|key| config.value(service, key)?.as_str()).unwrap_or_default();
                loopback::lead_to(base_url, is_first_page, router)
            }
            None => router,
        };
        let router = with_manners(Words::of(service), bounds, router);
        match built.error_pages(config, service) {
            Some(pages) if !kind.is_admin => pages.around(router),
            _ => router,
        }
    };
    // A decision of the gateway concerns the visitor that it is asked about.
    let router = if kind.is_admin && service != Service::Gateway { admin::as_holder(router) } else { router };
    let router = if kind.is_admin {
        let (admin, open) = (&config.shared.admin, admin::open_paths(service));
        let router = admin::serve_private_keys(admin::guard(router, admin, open), admin, tls.is_some());
        Policy::of(Words::of(service), &address, &settings, admin, open).around(router)
    } else {
        router
    };
    let own_rules = if service == Service::Oauth && !kind.is_admin { oauth::PATHS_OF_CLIENTS } else { &[] };
    let router = settings.cors.around(router, own_rules);
    let router = if kind.is_admin { router } else { config.shared.strict_transport_security.around(router) };
    let router = parts.edge(&settings, metrics).around(router);
    let mut limits = kind.audience().limits(&settings.timeout);
    limits.malformed_request = Words::of(service).malformed_request();
    Ok(Site { socket, tls, limits, rewrite: kind.rewrite, router })
}

#[cfg(test)]
mod tests;
