//! The start: everything is opened, checked and bound before anything is served.

use std::sync::Arc;

use axum::Router;
use base::causes::chain;
use database::{Database, MigrationError};
use jobs::Worker;
use service::{AdminListener, Kind, PublicListener};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::checks;
use super::environment::{Environment, Purpose};
use super::findings::Findings;
use super::prepare::{BoundListener, Prepared, prepare};
use super::running::Running;
use super::secret_check::{self, SecretsError};
use super::selection::{configured_url, migrations_of, retention_of};
use crate::config::{Config, Faults, Service, Severity};
use crate::data_dir::DataDirError;
use crate::http::browsers::Policy;
use crate::http::listen::{Audience, Site};
use crate::http::loopback;
use crate::http::path::Rewrite;
use crate::http::refusals::Refusals as _;
use crate::http::{ListenerBounds, admin, health, with_bounds_and_error_format};

/// Why a program does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// All faults that were found before anything was written.
    #[error(transparent)]
    Faults(#[from] Faults),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error("cannot write to the database; check its permissions and its free space")]
    Database(#[from] database::Error),
    #[error("cannot apply the migrations")]
    Migration(#[from] MigrationError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
}

/// Starts the configured services.
///
/// # Errors
/// All faults; nothing is served then.
pub async fn start(config: Config, environment: Environment) -> Result<Running, StartError> {
    let mut findings = Findings::of(&config);
    let prepared = Box::pin(prepare(config, &environment, Purpose::Serve, &mut findings)).await;
    let notices = findings.sorted_notices();
    for notice in &notices {
        match notice.severity {
            Severity::Failure => tracing::error!(key = notice.path, "{}", notice.message),
            Severity::Warning => tracing::warn!(key = notice.path, "{}", notice.message),
            Severity::Information => tracing::info!(key = notice.path, "{}", notice.message),
        }
    }
    findings.refuse()?;
    // Without faults everything was built.
    let Some(prepared) = prepared else { return Err(Faults(Vec::new()).into()) };
    let Prepared { config, parts, reservation, addresses, mut built, listeners, sealers, generated, status: _ } =
        prepared;
    let database = parts.database.clone();
    if environment.migrate {
        bring_up_to_date(&database, &config, &environment).await?;
    }
    if let (Some(data_dir), Some(secrets)) = (&parts.data_dir, &generated) {
        data_dir.keep_secrets(secrets)?;
    }
    if let Err(error) = checks::takes_writes(&database).await {
        tracing::warn!(
            "the database refuses writes, and /health/ready is 503 until it accepts them: {}",
            chain(&error)
        );
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
    let health = config.services.iter().map(|service| built.observed(*service).map(|(_, health)| health.clone()));
    let health = health.collect::<Result<Vec<_>, _>>()?;
    let edge = parts.plain_edge();
    let data_dir = parts.data_dir.as_ref().map(|data_dir| data_dir.path().to_owned());
    let logged = notices.into_iter().filter(|it| it.severity == Severity::Failure).map(|it| it.message).collect();
    Ok(Running { addresses, database, worker, data_dir, logged, health, edge, stop, tasks, reservation })
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

/// The clients of a listener.
fn audience(listener: &service::Listener) -> Audience {
    match listener.kind {
        Kind::Public(_) => Audience::Public,
        Kind::Admin(_) => Audience::Admin,
        Kind::Proxy | Kind::Grpc => Audience::Upstream,
    }
}

/// How the paths of a listener are rewritten before routing.
fn rewrite(listener: &service::Listener) -> Rewrite {
    match listener.kind {
        Kind::Public(_) => Rewrite::Trimmed,
        Kind::Admin(AdminListener { is_below_admin: true, .. }) => Rewrite::UnderAdmin,
        Kind::Admin(_) | Kind::Proxy | Kind::Grpc => Rewrite::Untouched,
    }
}

/// Adds health, authentication, CORS rules and the edge to the router of a service.
fn assemble(
    listener: BoundListener,
    router: Router,
    config: &Config,
    parts: &super::parts::Parts,
    built: &super::services::Built,
) -> Result<Site, Faults> {
    let BoundListener { service, kind, settings, address, socket, tls } = listener;
    let (metrics, health) = built.observed(service)?;
    let format = service.definition().error_format;
    let router = match &kind.kind {
        Kind::Public(public) => {
            let router = public_routes(config, service, kind, public, router.merge(health::public(health)));
            let router = with_bounds_and_error_format(
                format,
                ListenerBounds::public(config.shared.bounds.submission_bytes),
                router,
            );
            let router = match built.error_pages(config, service, kind) {
                Some(pages) => pages.around(router),
                None => router,
            };
            settings.cors.around(router, public.paths_of_clients)
        }
        Kind::Admin(admin) => {
            let router = router.merge(health::admin(health));
            let router = if admin.answers_revision { router.merge(health::revision(health)) } else { router };
            let router = with_bounds_and_error_format(format, ListenerBounds::admin(admin.usual_body), router);
            let router = if admin.acts_as_admin { admin::as_holder(router) } else { router };
            let (who, open) = (&config.shared.admin, admin.open_paths);
            let router = admin::serve_private_keys(admin::guard(router, who, open), who, tls.is_some());
            let router = Policy::of(format, &address, &settings, who, open).around(router);
            let router = router.layer(axum::Extension(health.readiness()));
            settings.cors.around(web::rpc::answer_refusals(router), &[])
        }
        // Every path belongs to the upstream or the procedures, and bodies stream as long as they make progress.
        Kind::Proxy => settings.cors.around(router, &[]),
        Kind::Grpc => router,
    };
    let router = if kind.is_admin() { router } else { config.shared.strict_transport_security.around(router) };
    let router = parts.edge(&kind.kind, &settings, metrics).around(router);
    let mut limits = audience(kind).limits(&settings.timeout);
    limits.malformed_request = format.malformed_request();
    Ok(Site { socket, tls, limits, rewrite: rewrite(kind), router })
}

fn public_routes(
    config: &Config,
    service: Service,
    listener: &service::Listener,
    public: &PublicListener,
    router: Router,
) -> Router {
    match public.is_first_page {
        Some(is_first_page) => {
            loopback::redirect_to(configured_url(config, service, listener).unwrap_or_default(), is_first_page, router)
        }
        None => router,
    }
}

#[cfg(test)]
mod tests;
