//! The services: each is built from the shared parts and its section, then tied to the others.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use database::{MigrationSet, Retention};
use jobs::Handler;
use telemetry::metrics::HttpMetrics;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::parts::Parts;
use super::running::Addresses;
use super::start::StartError;
use crate::config::{Config, Fault, Service};
use crate::http::health::Health;

/// The tables of a service.
pub(super) fn migrations(service: Service) -> Option<MigrationSet> {
    match service {
        Service::Identity | Service::Oauth | Service::Gateway => None,
    }
}

/// What a service deletes when it has expired.
pub(super) fn retention(service: Service) -> &'static [Retention] {
    match service {
        Service::Identity | Service::Oauth | Service::Gateway => &[],
    }
}

type Background = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Services that are ready to serve.
#[derive(Default)]
pub(super) struct Built {
    routers: BTreeMap<(Service, &'static str), Router>,
    observed: BTreeMap<Service, (HttpMetrics, Health)>,
    handlers: Vec<Arc<dyn Handler>>,
    background: Vec<Box<dyn FnOnce(watch::Receiver<bool>) -> Background + Send>>,
}

impl Built {
    pub(super) fn take_router(&mut self, service: Service, listener: &'static str) -> Router {
        self.routers.remove(&(service, listener)).unwrap_or_default()
    }

    pub(super) fn take_handlers(&mut self) -> Vec<Arc<dyn Handler>> {
        std::mem::take(&mut self.handlers)
    }

    pub(super) fn observed(&self, service: Service) -> Result<&(HttpMetrics, Health), StartError> {
        self.observed.get(&service).ok_or_else(|| Fault::new(service.name(), "was not built").into())
    }

    pub(super) fn spawn_background(&mut self, tasks: &mut JoinSet<()>, stopped: &watch::Receiver<bool>) {
        for task in std::mem::take(&mut self.background) {
            tasks.spawn(task(stopped.clone()));
        }
    }
}

/// Builds what the configuration names and ties the links between them.
pub(super) fn build(config: &mut Config, parts: &Parts, addresses: &Addresses) -> Result<Built, StartError> {
    let mut built = Built::default();
    for service in config.services.clone() {
        built.observed.insert(service, parts.observe(service));
    }
    let _ = addresses;
    Ok(built)
}
