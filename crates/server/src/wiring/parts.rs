//! The shared parts that every service is built from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use base::{Clock, Rng, Sealer, Secret, TrustStore};
use database::Database;
use serde_json::Value;
use service::Kind;
use telemetry::metrics::{Build, Collector, HttpMetrics, Registry};
use url::Url;
use web::language::Languages;
use web::outbound::{Client, Destinations};
use web::{Edge, TrustedProxies};

use super::checks::{DatabaseAnswers, DatabaseUsage};
use super::table_sizes::TableSizes;
use crate::config::{Config, Fault, HttpClient, Listener, Service};
use crate::data_dir::DataDir;
use crate::http::health::{Check, Health};
use crate::http::socket::Address;

const BUILD: Build = Build {
    version: crate::VERSION,
    hash: match option_env!("KLEIS_COMMIT") {
        Some(hash) => hash,
        None => "unknown",
    },
    build_time: match option_env!("KLEIS_BUILD_TIME") {
        Some(at) => at,
        None => "unknown",
    },
};

/// The parts that the whole process shares.
pub(super) struct Parts {
    pub(super) database: Database,
    pub(super) clock: Clock,
    pub(super) rng: Rng,
    pub(super) proxies: TrustedProxies,
    /// The languages of the pages.
    pub(super) languages: Languages,
    pub(super) table_sizes: TableSizes,
    pub(super) trust: TrustStore,
    /// The client for services in other processes. It may reach private networks, because their URLs are configured.
    pub(super) remote_services: Client,
    /// The data directory, if the process has one.
    pub(super) data_dir: Option<DataDir>,
}

/// What a service adds to its health and to its metrics.
#[derive(Default)]
pub(super) struct OfService {
    pub(super) checks: Vec<Arc<dyn Check>>,
    pub(super) metrics: Vec<Box<dyn Collector>>,
}

impl Parts {
    /// The client for outbound calls, with the limits of the section of `service`.
    pub(super) fn outbound(&self, config: &Config, service: Service) -> Result<Client, Fault> {
        let HttpClient { disallow_private_ip_ranges, private_ip_exception_urls } = config.http_client(service)?;
        if !disallow_private_ip_ranges {
            return Ok(Client::new(Destinations::Any, &self.trust));
        }
        let host = |url: &String| Url::parse(url).ok()?.host_str().map(str::to_owned);
        let hosts = private_ip_exception_urls.iter().filter_map(host);
        Ok(Client::new(Destinations::public_only(hosts), &self.trust))
    }

    /// The registry of `service`, its request metrics, and its health, with the checks and metrics of its own.
    pub(super) fn observe(
        &self,
        config: &Config,
        service: Service,
        OfService { checks: more, metrics: own }: OfService,
    ) -> (HttpMetrics, Health) {
        let registry = Registry::new(service.name(), &BUILD);
        registry.register_collector(Box::new(DatabaseUsage(self.database.clone())));
        let table_sizes = self.table_sizes.of(service, config.services.first() == Some(&service));
        registry.register_collector(Box::new(table_sizes));
        for collector in own {
            registry.register_collector(collector);
        }
        let metrics = HttpMetrics::register(&registry);
        let database: Arc<dyn Check> = Arc::new(DatabaseAnswers::new(self.database.clone()));
        let revision = config.revision(service).into();
        (metrics, Health { checks: std::iter::once(database).chain(more).collect(), registry, revision })
    }

    /// The edge of an application that is not one of the services.
    pub(super) fn plain_edge(&self) -> Edge {
        Edge {
            clock: self.clock.clone(),
            rng: self.rng.clone(),
            proxies: self.proxies.clone(),
            metrics: None,
            quiet_health: false,
            languages: self.languages.clone(),
            repeats_request_id: &[],
        }
    }

    /// The edge of a listener.
    pub(super) fn edge(&self, kind: &Kind, listener: &Listener, metrics: &HttpMetrics) -> Edge {
        let repeats_request_id = match kind {
            Kind::Admin(admin) => admin.repeats_request_id,
            Kind::Public(_) | Kind::Proxy | Kind::Grpc => &[],
        };
        Edge {
            metrics: Some(metrics.clone()),
            quiet_health: listener.request_log.disable_for_health,
            repeats_request_id,
            ..self.plain_edge()
        }
    }
}

/// The sealer of `service`: the first of its secrets seals, all of them open.
pub(super) fn sealer(config: &Config, rng: &Rng, service: Service) -> Result<Sealer, Fault> {
    let keys = service.definition().secrets.sealing;
    let lists = keys.iter().filter_map(|key| config.value(service, &format!("secrets.{key}"))?.as_array());
    let secrets: Vec<_> = lists.flatten().filter_map(Value::as_str).map(|text| Secret::new(text.to_owned())).collect();
    let missing = || Fault::new(format!("{service}.secrets.{}", keys.last().unwrap_or(&"default")), "is missing");
    Sealer::new(&secrets, rng.clone()).ok_or_else(missing)
}

/// The URL of a listener, from its address. `this_machine` is the name of this machine.
pub(super) fn base_url(listener: &Listener, address: &Address, has_tls: bool, this_machine: &str) -> String {
    if let Some(url) = &listener.base_url {
        return url.clone();
    }
    let scheme = if has_tls { "https" } else { "http" };
    match address {
        Address::Tcp(address) if is_called_localhost(address.ip()) => {
            format!("{scheme}://{this_machine}:{}/", address.port())
        }
        Address::Tcp(address) => format!("{scheme}://{address}/"),
        Address::Unix(_) => format!("{scheme}://localhost/"),
    }
}

fn is_called_localhost(address: IpAddr) -> bool {
    address.is_unspecified() || address == Ipv4Addr::LOCALHOST || address == Ipv6Addr::LOCALHOST
}
