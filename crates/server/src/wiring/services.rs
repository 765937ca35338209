//! The services: each is built from the shared parts and its section, then tied to the others.
//!
//! What one service needs to know of another (the login page, the issuer) follows from where the listeners stand, unless
//! the configuration says otherwise.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use base::causes::chain;
use base::{Context, RequestId, TenantId};
use contracts::Link;
use database::{MigrationSet, Retention};
use gateway::{Gateway, LocalServices};
use identity::Identity;
use jobs::Handler;
use jose::{Algorithm, Jwk, JwkSet};
use oauth::OAuth;
use serde_json::{Value, json};
use telemetry::metrics::HttpMetrics;
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

use super::checks::RulesLoaded;
use super::findings::Findings;
use super::parts::{Parts, sealer};
use super::running::Addresses;
use crate::config::{Config, Fault, Faults, Notice, Service};
use crate::http::error_pages::ErrorPages;
use crate::http::health::{Check, Health};
use crate::neighbours::{self, OauthElsewhere};

/// The tables of a service.
pub(super) fn migrations(service: Service) -> Option<MigrationSet> {
    match service {
        Service::Identity => Some(identity::MIGRATIONS),
        Service::Oauth => Some(oauth::MIGRATIONS),
        // It keeps its rules in files and its sessions with the others.
        Service::Gateway => None,
    }
}

/// What a service deletes when it has expired.
pub(super) fn retention(service: Service) -> &'static [Retention] {
    match service {
        Service::Identity => identity::RETENTION,
        Service::Oauth => oauth::RETENTION,
        Service::Gateway => &[],
    }
}

type Background = Pin<Box<dyn Future<Output = ()> + Send>>;
type Begin = Box<dyn FnOnce(watch::Receiver<bool>) -> Background + Send>;

/// Services that are ready to serve.
#[derive(Default)]
pub(super) struct Built {
    routers: BTreeMap<(Service, &'static str), Router>,
    observed: BTreeMap<Service, (HttpMetrics, Health)>,
    handlers: Vec<Arc<dyn Handler>>,
    background: Vec<Begin>,
    ui: Option<ui::Ui>,
}

impl Built {
    /// The pages on which the public listener of `service` refuses, for a service that has pages.
    pub(super) fn error_pages(&self, config: &Config, service: Service) -> Option<ErrorPages> {
        let text = |service, key: &str| config.value(service, key).and_then(Value::as_str);
        let own_url = match service {
            Service::Identity => text(service, "serve.public.base_url"),
            Service::Oauth => text(service, "urls.self.public").or_else(|| text(service, "urls.self.issuer")),
            Service::Gateway => return None,
        };
        let path = own_url.and_then(|url| Url::parse(url).ok()).map(|url| url.path().to_owned()).unwrap_or_default();
        let start = text(Service::Identity, "serve.public.base_url").filter(|_| config.runs(Service::Identity));
        let start = start.or_else(|| text(Service::Oauth, "urls.identity_provider.publicUrl"));
        let for_programs = if service == Service::Oauth { oauth::PATHS_OF_CLIENTS } else { &[] };
        Some(ErrorPages::new(self.ui.as_ref()?.under(&path), start, for_programs))
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

    pub(super) fn spawn_background(&mut self, tasks: &mut JoinSet<()>, stopped: &watch::Receiver<bool>) {
        for begin in std::mem::take(&mut self.background) {
            tasks.spawn(begin(stopped.clone()));
        }
    }

    /// Work beside the requests. It lasts until the end: a task that returned would count as a failure.
    fn beside<F>(&mut self, begin: impl FnOnce(watch::Receiver<bool>) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.background.push(Box::new(move |stopped| Box::pin(begin(stopped))));
    }
}

/// The ties between services, tied when both ends are built.
#[derive(Default)]
struct Links {
    sessions: Link<dyn contracts::Sessions>,
    introspection: Link<dyn contracts::TokenIntrospection>,
    login_requests: Link<dyn contracts::LoginRequests>,
    subject_observer: Link<dyn contracts::SubjectObserver>,
    connections: Link<dyn contracts::Connections>,
}

/// Builds what the configuration names and ties the links between them. A service that cannot be built is missing then, and
/// `findings` say why.
pub(super) async fn build(config: &mut Config, parts: &Parts, addresses: &Addresses, findings: &mut Findings) -> Built {
    set_defaults(config, addresses);
    let links = Links::default();
    let mut built = Built::default();
    let table_sizes = parts.table_sizes.clone();
    built.beside(move |stopped| table_sizes.keep(stopped));
    let ui = ui::Ui::new(config.shared.ui.clone());
    for finding in config.shared.ui.contrast_findings() {
        findings.notice(config, Notice::warning(format!("ui.{}", finding.key), finding.to_string()));
    }
    let ui = findings.keep(config, "ui", ui).or_else(|| ui::Ui::new(ui::Config::default()).ok());
    let Some(ui) = ui else { return built };
    built.ui = Some(ui.clone());
    for service in config.services.clone() {
        let mut more: Option<Arc<dyn Check>> = None;
        match service {
            Service::Identity => build_identity(config, parts, &links, &ui, &mut built, findings).await,
            Service::Oauth => build_oauth(config, parts, &links, &ui, &mut built, findings),
            Service::Gateway => {
                let gateway = build_gateway(config, parts, &links, addresses, &mut built, findings).await;
                more = gateway.map(|gateway| Arc::new(RulesLoaded(gateway)) as Arc<dyn Check>);
            }
        }
        built.observed.insert(service, parts.observe(config, service, more));
    }
    built
}

/// What follows from where the listeners stand, and what makes a start without configuration useful.
fn set_defaults(config: &mut Config, addresses: &Addresses) {
    let url = |service, listener| addresses.base_url(service, listener).map(str::to_owned);
    if let Some(public) = url(Service::Identity, "public") {
        config.set_default(Service::Identity, "serve.public.base_url", public.into());
    }
    let remote = config.value(Service::Oauth, "urls.identity_provider.publicUrl").and_then(Value::as_str);
    if let Some(public) = url(Service::Identity, "public").or_else(|| remote.map(str::to_owned)) {
        for (key, path) in
            [("login", "self-service/login/browser"), ("registration", "self-service/registration/browser")]
        {
            let page = format!("{}/{path}", public.trim_end_matches('/'));
            config.set_default(Service::Oauth, &format!("urls.{key}"), page.into());
        }
    }
    if let Some(admin) = url(Service::Identity, "admin") {
        config.set_default(Service::Identity, "serve.admin.base_url", admin.into());
    }
    if let Some(public) = url(Service::Oauth, "public") {
        // OpenID Connect Discovery section 4.1 takes the slash off anyway; without it issuers compare alike everywhere.
        config.set_default(Service::Oauth, "urls.self.issuer", public.trim_end_matches('/').into());
    }
    if let Some(admin) = url(Service::Oauth, "admin") {
        config.set_default(Service::Oauth, "urls.self.admin", admin.into());
    }
}

async fn build_identity(
    config: &Config,
    parts: &Parts,
    links: &Links,
    ui: &ui::Ui,
    built: &mut Built,
    findings: &mut Findings,
) {
    let oauth = if config.runs(Service::Oauth) {
        Some(OauthElsewhere {
            login_requests: links.login_requests.clone(),
            subject_observer: links.subject_observer.clone(),
            connections: links.connections.clone(),
            handlers: Vec::new(),
        })
    } else {
        findings.keep_value(config, OauthElsewhere::named_by(config, &parts.neighbours, &parts.rng))
    };
    let section = config.section::<identity::Config>(Service::Identity, &Value::Null);
    let section = findings.keep_value(config, section);
    for adjustment in section.iter().flat_map(identity::Config::adjustments) {
        let key = format!("{}.{}", Service::Identity, adjustment.key);
        findings.notice(config, Notice::warning(key, adjustment.message));
    }
    let sealer = findings.keep_value(config, sealer(config, &parts.rng, Service::Identity));
    let http = findings.keep_value(config, parts.outbound(config, Service::Identity));
    let (Some(oauth), Some(section), Some(sealer), Some(http)) = (oauth, section, sealer, http) else { return };
    let identity = Identity::new(identity::Parts {
        config: section,
        database: parts.database.clone(),
        clock: parts.clock.clone(),
        rng: parts.rng.clone(),
        sealer,
        http,
        ui: ui.clone(),
        login_requests: oauth.login_requests,
        subject_observer: oauth.subject_observer,
        connections: oauth.connections,
    });
    let identity = match identity {
        Ok(identity) => identity,
        Err(errors) => {
            errors.0.iter().for_each(|error| findings.service_fault(config, Service::Identity, error));
            return;
        }
    };
    if let Err(error) = identity.load_schemas().await {
        // Whoever serves them may only be on the way up; a request tries again.
        let message =
            format!("a schema cannot be fetched yet, and is tried again when it is needed: {}", chain(&error));
        findings.notice(config, Notice::warning("identity.identity.schemas", message));
    }
    for remark in identity.remarks() {
        findings.notice(config, Notice::warning(format!("{}.{}", Service::Identity, remark.key), remark.message));
    }
    built.routers.insert((Service::Identity, "public"), identity.public_router());
    built.routers.insert((Service::Identity, "admin"), identity.admin_router());
    built.handlers.extend(identity.handlers().into_iter().chain(oauth.handlers));
    links.sessions.set(Arc::new(identity));
}

fn build_oauth(config: &Config, parts: &Parts, links: &Links, ui: &ui::Ui, built: &mut Built, findings: &mut Findings) {
    let sessions = if config.runs(Service::Identity) {
        Some(links.sessions.clone())
    } else {
        findings.keep_value(config, neighbours::sessions(config, &parts.neighbours))
    };
    let section = findings.keep_value(config, config.section(Service::Oauth, &Value::Null));
    let sealer = findings.keep_value(config, sealer(config, &parts.rng, Service::Oauth));
    let http = findings.keep_value(config, parts.outbound(config, Service::Oauth));
    let (Some(sessions), Some(section), Some(sealer), Some(http)) = (sessions, section, sealer, http) else { return };
    let oauth = OAuth::new(oauth::Parts {
        config: section,
        database: parts.database.clone(),
        clock: parts.clock.clone(),
        rng: parts.rng.clone(),
        sealer,
        http,
        sessions,
        ui: ui.clone(),
    });
    let oauth = match oauth {
        Ok(oauth) => oauth,
        Err(error) => return findings.service_fault(config, Service::Oauth, &error),
    };
    built.routers.insert((Service::Oauth, "public"), oauth.public_router());
    built.routers.insert((Service::Oauth, "admin"), oauth.admin_router());
    built.handlers.extend(oauth.handlers());
    let cx = Context::for_background(parts.clock.now(), TenantId::DEFAULT, RequestId(parts.rng.uuid()));
    built.beside({
        let oauth = oauth.clone();
        // Keys are made ahead, beside the first requests: an RSA key takes longer than the rest of the start.
        move |mut stopped| async move {
            if let Err(error) = Box::pin(oauth.published_keys(&cx)).await {
                tracing::warn!(error = &error as &(dyn std::error::Error + 'static), "signing keys are not ready yet");
            }
            drop(stopped.wait_for(|stopped| *stopped).await);
        }
    });
    links.introspection.set(Arc::new(oauth.clone()));
    links.login_requests.set(Arc::new(oauth.clone()));
    links.connections.set(Arc::new(oauth.clone()));
    links.subject_observer.set(Arc::new(oauth));
}

async fn build_gateway(
    config: &Config,
    parts: &Parts,
    links: &Links,
    addresses: &Addresses,
    built: &mut Built,
    findings: &mut Findings,
) -> Option<Gateway> {
    // What they are called outside, and where they listen.
    let known = |service, listeners: [&'static str; 2]| -> Vec<Url> {
        let called = listeners.iter().filter_map(|listener| addresses.base_url(service, listener)?.parse().ok());
        let address = |listener: &&'static str| addresses.address(service, listener)?.tcp();
        let standing = listeners.iter().filter_map(address).filter_map(|it| format!("http://{it}/").parse().ok());
        called.chain(standing).collect()
    };
    let section = findings.keep_value(config, config.section(Service::Gateway, &trusted_by_default(config)));
    let generated_keys = gateway_keys(parts)
        .map_err(|error| findings.fault(config, Service::Gateway.name(), chain(error.as_ref())))
        .ok();
    let http = findings.keep_value(config, parts.outbound(config, Service::Gateway));
    let (section, generated_keys, http) = (section?, generated_keys?, http?);
    let gateway = Gateway::new(gateway::Parts {
        config: section,
        rng: parts.rng.clone(),
        http,
        sessions: links.sessions.clone(),
        introspection: links.introspection.clone(),
        local: LocalServices {
            identity: known(Service::Identity, ["public", "admin"]),
            oauth: known(Service::Oauth, ["public", "admin"]),
        },
        generated_keys,
        keeps_generated_keys: parts.data_dir.is_some(),
    });
    let gateway = match gateway {
        Ok(gateway) => gateway,
        Err(error) => {
            findings.service_fault(config, Service::Gateway, &error);
            return None;
        }
    };
    // Without its rules it is not ready, says so, and keeps looking; a rule that is not valid lets nothing through.
    let _ = gateway.load_rules().await;
    for fault in gateway.rule_faults().await {
        findings.notice(config, Notice::warning("gateway.access_rules.repositories", fault));
    }
    built.routers.insert((Service::Gateway, "proxy"), gateway.public_router());
    built.routers.insert((Service::Gateway, "api"), gateway.admin_router());
    built.beside({
        let gateway = gateway.clone();
        move |stopped| async move {
            gateway.watch_rules(stopped).await;
            gateway.close_tunnels().await;
        }
    });
    Some(gateway)
}

/// Whom the gateway believes where its section lists nobody: whom all believe, and this machine without such a list.
fn trusted_by_default(config: &Config) -> Value {
    let trusted = &config.shared.trusted_proxies;
    if trusted.is_empty() {
        return Value::Null;
    }
    json!({"serve": {"proxy": {"trusted_proxies": trusted}, "api": {"trusted_proxies": trusted}}})
}

/// The keys that the gateway signs with when no others are named: kept with the other generated secrets, or made for this
/// process alone.
fn gateway_keys(parts: &Parts) -> Result<JwkSet, Box<dyn std::error::Error + Send + Sync>> {
    const FILE: &str = "gateway-keys.json";
    let key = Jwk::generate(Algorithm::ES256, parts.rng.uuid().to_string())?;
    let fresh = JwkSet { keys: vec![key] };
    let Some(data_dir) = &parts.data_dir else { return Ok(fresh) };
    let is_whole = |kept: &Value| JwkSet::parse(kept).is_ok();
    let kept = data_dir.kept(FILE, is_whole, || fresh.to_private_value())?;
    Ok(JwkSet::parse(&kept)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_believes_the_listed_proxies_and_without_a_list_this_machine() {
        let believes = |config: Value, peer: &str| {
            let config = Config::from_value(&[], config).unwrap();
            let section: gateway::Config = config.section(Service::Gateway, &trusted_by_default(&config)).unwrap();
            let peer = peer.parse().unwrap();
            (section.serve.proxy.trusted_proxies.contains(peer), section.serve.api.trusted_proxies.contains(peer))
        };
        assert_eq!(believes(json!({}), "127.0.0.1"), (true, true));
        let listed = json!({"trusted_proxies": ["10.0.0.0/8"]});
        assert_eq!(believes(listed.clone(), "10.1.2.3"), (true, true));
        assert_eq!(believes(listed.clone(), "127.0.0.1"), (false, false));
        let mut other = listed;
        other["gateway"] = json!({"serve": {"api": {"trusted_proxies": ["192.0.2.1"]}}});
        assert_eq!(believes(other.clone(), "10.1.2.3"), (true, false));
        assert_eq!(believes(other, "192.0.2.1"), (false, true));
    }
}
