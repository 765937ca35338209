//! Builds the services: each from the shared parts and its section, in the order of the list, and connects its contracts.
//!
//! What a service needs to know about another (the login page, the issuer) is derived from the addresses of the listeners,
//! unless it is configured.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use jobs::Handler;
use serde_json::{Value, json};
use service::{Defaults, Directory, KeptFiles, Kind, Links, Report, StartTask};
use telemetry::metrics::HttpMetrics;
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

use super::findings::Findings;
use super::parts::{OfService, Parts, sealer};
use super::running::Addresses;
use super::selection::configured_url;
use crate::config::{Config, Fault, Faults, Notice, Service};
use crate::data_dir::DataDir;
use crate::http::error_pages::ErrorPages;
use crate::http::health::{Check, Health};
use crate::remote_services;

/// Services that are ready to serve.
#[derive(Default)]
pub(super) struct Built {
    routers: BTreeMap<(Service, &'static str), Router>,
    observed: BTreeMap<Service, (HttpMetrics, Health)>,
    handlers: Vec<Arc<dyn Handler>>,
    background: Vec<StartTask>,
    ui: Option<ui::Ui>,
}

impl Built {
    /// The error pages of a listener, if it has pages.
    pub(super) fn error_pages(
        &self,
        config: &Config,
        service: Service,
        listener: &service::Listener,
    ) -> Option<ErrorPages> {
        let Kind::Public(public) = &listener.kind else { return None };
        let own_url = configured_url(config, service, listener);
        let path = own_url.and_then(|url| Url::parse(url).ok()).map(|url| url.path().to_owned()).unwrap_or_default();
        let ui = self.ui.as_ref().filter(|_| public.has_pages)?;
        Some(ErrorPages::new(ui.under(&path), start_page(config), public.paths_of_clients))
    }

    pub(super) fn take_router(&mut self, service: Service, listener: &'static str) -> Router {
        self.routers.remove(&(service, listener)).unwrap_or_default()
    }

    pub(super) fn take_handlers(&mut self) -> Vec<Arc<dyn Handler>> {
        std::mem::take(&mut self.handlers)
    }

    pub(super) fn observed(&self, service: Service) -> Result<&(HttpMetrics, Health), Faults> {
        self.observed.get(&service).ok_or_else(|| Fault::new(service.name(), "was not built").into())
    }

    pub(super) fn checks(&self) -> impl Iterator<Item = &Arc<dyn Check>> {
        self.observed.values().flat_map(|(_, health)| health.checks.iter())
    }

    pub(super) fn spawn_background(&mut self, tasks: &mut JoinSet<()>, stopped: &watch::Receiver<bool>) {
        for begin in std::mem::take(&mut self.background) {
            tasks.spawn(begin(stopped.clone()));
        }
    }
}

/// The page where people begin: of a service in this process, or else of one in another process.
fn start_page(config: &Config) -> Option<&str> {
    let here = config.services.iter().find_map(|service| {
        let is_start = |it: &&service::Listener| matches!(&it.kind, Kind::Public(public) if public.is_start);
        configured_url(config, *service, service.definition().listeners.iter().find(is_start)?)
    });
    let elsewhere = || {
        let remotes =
            config.services.iter().flat_map(|it| it.definition().remotes.iter().map(move |remote| (*it, remote)));
        remotes.into_iter().find_map(|(service, remote)| config.value(service, remote.public_url?.path)?.as_str())
    };
    here.or_else(elsewhere)
}

/// Builds the configured services and connects their contracts. A service that cannot be built is missing from the result, and
/// `findings` has the reason.
pub(super) async fn build(config: &mut Config, parts: &Parts, addresses: &Addresses, findings: &mut Findings) -> Built {
    let directory = directory(addresses);
    set_defaults(config, &directory);
    let mut built = Built::default();
    let table_sizes = parts.table_sizes.clone();
    built.background.push(Box::new(move |stopped| Box::pin(table_sizes.keep(stopped))));
    let ui = ui::Ui::new(config.shared.ui.clone());
    for finding in config.shared.ui.contrast_findings() {
        findings.notice(config, Notice::warning(format!("ui.{}", finding.key), finding.to_string()));
    }
    let ui = findings.keep(config, "ui", ui).or_else(|| ui::Ui::new(ui::Config::default()).ok());
    let Some(ui) = ui else { return built };
    built.ui = Some(ui.clone());
    let known = Known { links: Links::default(), directory, ui };
    for service in config.services.clone() {
        let own = match of_service(config, service, parts, &known, findings) {
            Some((of_service, handlers)) => {
                let mut report = Report::default();
                let ready = (service.definition().build)(of_service, &mut report).await;
                findings.add(config, service, report);
                ready.map(|ready| built.add(service, ready, handlers)).unwrap_or_default()
            }
            None => OfService::default(),
        };
        built.observed.insert(service, parts.observe(config, service, own));
    }
    built
}

impl Built {
    /// Returns the checks and the metrics of the service.
    fn add(&mut self, service: Service, ready: service::Built, of_remotes: Vec<Arc<dyn Handler>>) -> OfService {
        let service::Built { routers, handlers, checks, metrics, background } = ready;
        self.routers.extend(routers.into_iter().map(|(listener, router)| ((service, listener), router)));
        self.handlers.extend(handlers.into_iter().chain(of_remotes));
        self.background.extend(background);
        OfService { checks, metrics }
    }
}

/// What the services of this process know about each other.
struct Known {
    links: Links,
    directory: Directory,
    ui: ui::Ui,
}

/// The parts of a service, and the jobs for the services that it calls in other processes.
fn of_service(
    config: &Config,
    service: Service,
    parts: &Parts,
    known: &Known,
    findings: &mut Findings,
) -> Option<(service::Parts, Vec<Arc<dyn Handler>>)> {
    let tied = findings
        .keep_value(config, remote_services::tie(config, service, &known.links, &parts.remote_services, &parts.rng));
    let seals = !service.definition().secrets.sealing.is_empty();
    let sealer = seals.then(|| findings.keep_value(config, sealer(config, &parts.rng, service)));
    let http = findings.keep_value(config, parts.outbound(config, service));
    let (links, handlers) = tied?;
    let of_service = service::Parts {
        section: config.section_value(service),
        database: parts.database.clone(),
        clock: parts.clock.clone(),
        rng: parts.rng.clone(),
        sealer: sealer.flatten(),
        http: http?,
        ui: known.ui.clone(),
        links,
        directory: known.directory.clone(),
        files: parts.data_dir.clone().map(|data_dir| Arc::new(data_dir) as Arc<dyn KeptFiles>),
    };
    Some((of_service, handlers))
}

fn directory(addresses: &Addresses) -> Directory {
    let mut directory = Directory::default();
    for (service, listener, address, url) in addresses.iter() {
        directory.insert(service.name(), listener, address.tcp(), url);
    }
    directory
}

/// Sets the defaults that are derived from the addresses of the listeners.
fn set_defaults(config: &mut Config, directory: &Directory) {
    let trusted_proxies = json!(config.shared.trusted_proxies);
    for service in config.services.clone() {
        let section = config.section_value(service);
        let known = Defaults { section: &section, trusted_proxies: &trusted_proxies, directory };
        for (path, value) in (service.definition().configuration.defaults)(&known) {
            config.set_default(service, path, value);
        }
    }
}

impl KeptFiles for DataDir {
    fn kept(
        &self,
        name: &str,
        is_whole: &dyn Fn(&Value) -> bool,
        fresh: &dyn Fn() -> Value,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self::kept(self, name, is_whole, fresh)?)
    }
}
