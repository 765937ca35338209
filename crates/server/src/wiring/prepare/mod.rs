//! Everything that a start does before it writes and serves: secrets, database, listeners and services are found, built and
//! checked. `doctor` does the same without taking an address.
//!
//! What always holds:
//! - Every fault is collected, whichever step finds it: where one part is missing, a stand-in lets the others be looked at.
//! - Nothing is written: neither tables nor secrets.

use std::path::PathBuf;

use base::causes::chain;
use base::{Rng, TrustStore};
use database::{Database, Dsn, MigrationState, MigrationStatus, TableStatistics};
use serde_json::Value;
use web::TrustedProxies;
use web::language::Languages;
use web::listener::Socket;
use web::outbound::{Client, Destinations};

use super::environment::{Environment, Purpose};
use super::findings::Findings;
use super::parts::{Parts, base_url, sealer};
use super::placement::{self, Placement};
use super::public_urls::name_of_this_machine;
use super::running::Addresses;
use super::secret_check::{self, Sealers, SecretsOrigin};
use super::selection::{migrations_of, retention_of};
use super::self_signed;
use super::services::Built;
use super::table_sizes::TableSizes;
use crate::config::{Config, Listener, Notice, Service};
use crate::data_dir::{self, DataDir, DataDirError};
use crate::http::admin;
use crate::http::self_signed::SelfSigned;
use crate::http::socket::{Address, Bound};
use crate::http::tls::TlsSettings;
use crate::storage::foreign_tables;
use crate::trust;

/// What is ready to serve.
pub(crate) struct Prepared {
    pub(super) config: Config,
    pub(super) parts: Parts,
    pub(super) addresses: Addresses,
    pub(super) built: Built,
    pub(super) listeners: Vec<BoundListener>,
    pub(super) sealers: Sealers,
    /// Secrets that were made now, to be kept once the database exists.
    pub(super) generated: Option<Value>,
    /// The migrations before any is applied; empty without a database.
    pub(crate) status: Vec<MigrationStatus>,
}

/// A listener that has its place and serves nothing yet.
pub(super) struct BoundListener {
    pub(super) service: Service,
    pub(super) kind: &'static service::Listener,
    pub(super) settings: Listener,
    pub(super) address: Address,
    pub(super) socket: Socket,
    pub(super) tls: Option<TlsSettings>,
}

/// Prepares what `config` says and adds whatever is wrong with it to `findings`. What is returned can be served only when
/// there are no faults.
pub(crate) async fn prepare(
    mut config: Config,
    environment: &Environment,
    purpose: Purpose,
    findings: &mut Findings,
) -> Option<Prepared> {
    // The first provider stays: in one process there is one, whoever came first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let Located { dsn, data_dir, generated, origin } = locate(&mut config, environment, purpose, findings);
    let sealers = sealers(&config, &environment.rng, findings);
    let kept_in = data_dir.as_ref().filter(|_| purpose == Purpose::Serve);
    let self_signed = self_signed::for_listeners(&config, kept_in, environment.clock.now(), findings);
    let plans = plan_listeners(&config, environment, self_signed.as_ref(), purpose, findings);
    let trust = match trust::with_configured(&environment.trust, &config) {
        Ok(trust) => trust,
        Err(faults) => {
            findings.faults.extend(faults.0);
            environment.trust.clone()
        }
    };
    let opened = open(&config, dsn, &trust, findings).await;
    let mut status = Vec::new();
    if let Some(database) = &opened {
        status = examine(database, &config, environment, &sealers, &origin, findings).await;
    }
    let mut addresses = Addresses::default();
    let mut listeners = Vec::new();
    let this_machine = name_of_this_machine(&config);
    let may_bind = purpose == Purpose::Serve && findings.faults.is_empty();
    for plan in plans {
        let Plan { service, kind, settings, placement, tls } = plan;
        let name = format!("{service}.serve.{}", kind.name);
        let bound = if may_bind { Some(Bound::bind(&settings, placement.default).await) } else { None };
        let bound = bound.and_then(|bound| findings.keep(&config, &name, bound));
        let address = match &bound {
            Some(bound) => bound.address.clone(),
            None => placement::predicted(&settings, &placement),
        };
        let url = base_url(&settings, &address, tls.is_some(), &this_machine);
        addresses.insert(service, kind.name, address.clone(), url);
        let place = format!("{} on {address}: {}", if may_bind { "listens" } else { "would listen" }, placement.reason);
        findings.notice(&config, Notice::information(name, place));
        if let Some(Bound { socket, .. }) = bound {
            listeners.push(BoundListener { service, kind, settings, address, socket, tls });
        }
    }
    let database = match opened {
        Some(database) => database,
        // It stands in for the one that cannot be opened, so that the services can be looked at.
        None => findings.keep(&config, "dsn", Database::open(&Dsn::memory()).await)?,
    };
    // What an examination builds keeps nothing.
    let data_dir = data_dir.filter(|_| purpose == Purpose::Serve);
    let parts = parts(&config, environment, database, trust, data_dir);
    let built = super::services::build(&mut config, &parts, &addresses, findings).await;
    Some(Prepared { config, parts, addresses, built, listeners, sealers, generated, status })
}

fn parts(
    config: &Config,
    environment: &Environment,
    database: Database,
    trust: TrustStore,
    data_dir: Option<DataDir>,
) -> Parts {
    let statistics = TableStatistics::new(database.clone(), retention_of(config).into_iter().chain([jobs::EVENTS]));
    Parts {
        database,
        clock: environment.clock.clone(),
        rng: environment.rng.clone(),
        proxies: TrustedProxies::new(config.shared.trusted_proxies.iter().copied()),
        languages: Languages::new(config.shared.ui.languages().iter().map(|language| language.locale())),
        table_sizes: TableSizes::new(statistics, environment.clock.clone()),
        remote_services: Client::new(Destinations::Any, &trust),
        trust,
        data_dir,
    }
}

/// Where the database is and where the secrets come from.
struct Located {
    /// `None` when it cannot be known, or when an examination finds no database yet.
    dsn: Option<Dsn>,
    data_dir: Option<DataDir>,
    generated: Option<Value>,
    origin: SecretsOrigin,
}

/// Finds the database's place and the secrets, or makes secrets.
fn locate(config: &mut Config, environment: &Environment, purpose: Purpose, findings: &mut Findings) -> Located {
    let configured: Option<String> = config.shared.dsn.as_ref().map(|dsn| dsn.expose().clone());
    let is_temporary = configured.as_deref().is_some_and(|dsn| dsn == "memory" || dsn.contains(":memory:"));
    let parsed: Option<Result<Dsn, _>> = configured.as_deref().map(str::parse);
    let is_known = parsed.as_ref().is_none_or(Result::is_ok);
    let dsn = parsed.and_then(|dsn| findings.keep(config, "dsn", dsn));
    let (mut data_dir, mut generated, mut origin) = (None, None, SecretsOrigin::Configured);
    let may_generate = matches!(dsn, Some(Dsn::Sqlite(_))) || is_development(config);
    let needs_directory = configured.is_none() || (config.lacks_secrets() && may_generate);
    if needs_directory && !is_temporary {
        data_dir = findings.keep(config, "data directory", data_directory(environment, purpose)).flatten();
    }
    if config.lacks_secrets() {
        if dsn.is_some() && !may_generate {
            let message = "no secret is set, and nodes that share a database must share one: set secrets.default (or \
                           secrets.cipher or secrets.cookie, from which it is derived), or KLEIS_SECRETS_DEFAULT";
            findings.fault(config, "secrets", message);
        }
        let kept = data_dir.as_ref().and_then(|dir| findings.keep(config, "secrets", dir.secrets())).flatten();
        let secrets = kept.clone().unwrap_or_else(|| data_dir::generate(&environment.rng));
        if let Some(dir) = &data_dir {
            let file = dir.secrets_file();
            if matches!(dsn, Some(Dsn::Postgres(_))) {
                let message = format!(
                    "no secret is set: development uses those of {file}; set secrets.default before a second node shares the database"
                );
                findings.notice(config, Notice::warning("secrets", message));
            }
            if kept.is_none() {
                (generated, origin) = (Some(secrets.clone()), SecretsOrigin::Generated { file });
            } else if dsn.as_ref().is_none_or(is_empty_file) {
                // A database that is configured and does not exist yet is a new one; the others were written before.
                origin = SecretsOrigin::Kept { file };
            }
        }
        config.set_default_secrets(&secrets);
    }
    if let Some(directory) = dsn.as_ref().and_then(missing_directory) {
        let message = format!("the directory of the database, {}, does not exist: create it", directory.display());
        findings.fault(config, "dsn", message);
    }
    let dsn = match (dsn, &data_dir) {
        (Some(dsn), _) if purpose == Purpose::Serve || exists(&dsn) => Some(dsn),
        (None, Some(dir)) if is_known && purpose == Purpose::Serve => {
            findings.keep(config, "dsn", dir.database()).map(Dsn::sqlite)
        }
        (None, Some(dir)) if is_known => Some(dir.database_path()).filter(|path| path.exists()).map(Dsn::sqlite),
        _ => None,
    };
    Located { dsn, data_dir, generated, origin }
}

/// The directory of a database file, when there is none.
fn missing_directory(dsn: &Dsn) -> Option<PathBuf> {
    let file = file_of(dsn)?;
    let directory = file.parent()?;
    (!directory.as_os_str().is_empty() && !directory.is_dir()).then(|| directory.to_owned())
}

/// Whether a service runs on somebody's own machine, as its file or `--dev` says.
fn is_development(config: &Config) -> bool {
    let is_set = |service: &Service| config.value(*service, "dev").and_then(Value::as_bool) == Some(true);
    config.services.iter().any(is_set)
}

/// The data directory; an examination makes none.
fn data_directory(environment: &Environment, purpose: Purpose) -> Result<Option<DataDir>, DataDirError> {
    match purpose {
        Purpose::Examine if !environment.data_dir.exists() => Ok(None),
        Purpose::Examine | Purpose::Serve => DataDir::open(&environment.data_dir).map(Some),
    }
}

/// Whether the database is a file without content: one that was truncated, for SQLite fills it when it makes it.
fn is_empty_file(dsn: &Dsn) -> bool {
    file_of(dsn).is_some_and(|path| std::fs::metadata(path).is_ok_and(|file| file.len() == 0))
}

/// Whether there is something to open: a server, or a file that exists.
fn exists(dsn: &Dsn) -> bool {
    matches!(dsn, Dsn::Postgres(_)) || file_of(dsn).is_none_or(|path| path.exists())
}

fn file_of(dsn: &Dsn) -> Option<PathBuf> {
    dsn.to_string().strip_prefix("sqlite://").map(Into::into)
}

/// The services that seal, each with its sealer.
fn sealers(config: &Config, rng: &Rng, findings: &mut Findings) -> Sealers {
    let sealing = config.services.iter().filter(|service| !service.definition().secrets.sealing.is_empty());
    sealing
        .filter_map(|service| Some((*service, findings.keep_value(config, sealer(config, rng, *service))?)))
        .collect()
}

/// A listener before it takes its place.
struct Plan {
    service: Service,
    kind: &'static service::Listener,
    settings: Listener,
    placement: Placement,
    tls: Option<TlsSettings>,
}

fn plan_listeners(
    config: &Config,
    environment: &Environment,
    self_signed: Option<&SelfSigned>,
    purpose: Purpose,
    findings: &mut Findings,
) -> Vec<Plan> {
    let mut plans = Vec::new();
    let admin = &config.shared.admin;
    for service in config.services.clone() {
        for kind in service.definition().listeners {
            let name = format!("{service}.serve.{}", kind.name);
            let settings = findings.keep_value(config, config.listener(service, kind.name)).unwrap_or_default();
            let authority = admin.client_ca.as_ref().filter(|_| kind.is_admin());
            let presented = match self_signed.filter(|_| settings.tls.lacks_certificate()) {
                Some(certificate) => {
                    findings.notice(config, self_signed::notice(certificate, purpose, format!("{name}.tls")));
                    certificate.complete(&settings.tls)
                }
                None => settings.tls.clone(),
            };
            let tls = TlsSettings::of(&presented, authority);
            let tls = findings.keep(config, format!("{name}.tls"), tls).flatten();
            let is_guarded = admin::is_guarded(admin, tls.is_some());
            let placement = placement::of(config, environment, service, kind, &settings, is_guarded);
            if let Some(notice) = placement::unreachable_admin(config, service, kind, &settings, is_guarded) {
                findings.notice(config, notice);
            }
            let address = placement::predicted(&settings, &placement);
            if kind.is_admin() && !address.is_local() && !is_guarded {
                findings.fault(config, format!("{name}.host"), admin::unguarded(&address));
            }
            plans.push(Plan { service, kind, settings, placement, tls });
        }
    }
    plans
}

async fn open(config: &Config, dsn: Option<Dsn>, trust: &TrustStore, findings: &mut Findings) -> Option<Database> {
    findings.keep(config, "dsn", Database::open(&dsn?.trusting(trust)).await)
}

/// Looks at what the database holds; changes nothing.
async fn examine(
    database: &Database,
    config: &Config,
    environment: &Environment,
    sealers: &Sealers,
    origin: &SecretsOrigin,
    findings: &mut Findings,
) -> Vec<MigrationStatus> {
    let status = database.migration_status(&migrations_of(config)).await;
    let Some(status) = findings.keep(config, "dsn", status) else { return Vec::new() };
    // The tables of the database layer itself say nothing about who made the others.
    let is_of_service = |step: &&MigrationStatus| step.service != database::OWN_TABLES;
    let is_ours = status.iter().filter(is_of_service).any(|step| step.state == MigrationState::Applied);
    if !is_ours {
        let programs = foreign_tables::programs(&mut database.read(base::TenantId::DEFAULT)).await;
        let programs = findings.keep(config, "dsn", programs).unwrap_or_default();
        if let Some(program) = programs.first() {
            let message = foreign_tables::message(program);
            findings.fault(config, "dsn", message);
            return status;
        }
    }
    let pending = status.iter().filter(|step| step.state == MigrationState::Pending).count();
    if !environment.migrate && pending > 0 {
        let message = format!("{pending} migrations are missing: run kleis migrate up, or start without --no-migrate");
        findings.fault(config, "dsn", message);
    }
    if !environment.accept_new_secrets {
        let errors = secret_check::check(database, &status, sealers, origin).await;
        for error in findings.keep(config, "dsn", errors).unwrap_or_default() {
            findings.fault(config, "secrets", chain(&error));
        }
    }
    status
}

#[cfg(test)]
mod tests;
