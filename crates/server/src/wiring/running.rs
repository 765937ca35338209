//! A running program: its addresses, and its shutdown.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use database::{Database, Reservation};
use jobs::Worker;
use tokio::sync::watch;
use tokio::task::JoinSet;

use web::Edge;

use crate::config::{Listener, Service, Timeouts};
use crate::http::bounded;
use crate::http::health::Health;
use crate::http::listen::{Audience, Site};
use crate::http::path::Rewrite;
use crate::http::socket::{Address, BindError, Bound, DefaultPlace};

/// The addresses of the listeners and their URLs.
#[derive(Clone, Debug, Default)]
pub struct Addresses(BTreeMap<(Service, &'static str), (Address, String)>);

impl Addresses {
    pub(super) fn insert(&mut self, service: Service, name: &'static str, address: Address, base_url: String) {
        self.0.insert((service, name), (address, base_url));
    }

    /// The address of the listener `name` (`public`, `admin`, `proxy`, `api`) of `service`, when it runs.
    pub fn address(&self, service: Service, name: &'static str) -> Option<&Address> {
        self.0.get(&(service, name)).map(|(address, _)| address)
    }

    /// The URL of that listener, ending in a slash.
    pub fn base_url(&self, service: Service, name: &'static str) -> Option<&str> {
        self.0.get(&(service, name)).map(|(_, url)| url.as_str())
    }

    pub fn iter(&self) -> impl Iterator<Item = (Service, &'static str, &Address, &str)> {
        self.0.iter().map(|((service, name), (address, url))| (*service, *name, address, url.as_str()))
    }
}

/// A running server. Dropping it aborts everything; [`Running::shutdown`] stops it in order.
pub struct Running {
    pub addresses: Addresses,
    pub database: Database,
    /// Runs background jobs. A test may make it run the jobs that are due.
    pub worker: Arc<Worker>,
    /// The directory of the generated secrets, if there are any.
    pub data_dir: Option<PathBuf>,
    /// The failures that the start has logged. A check may have the same reason.
    pub(crate) logged: Vec<String>,
    /// The health of each service.
    pub(super) health: Vec<Health>,
    pub(super) edge: Edge,
    pub(super) stop: watch::Sender<bool>,
    pub(super) tasks: JoinSet<()>,
    /// Until it is dropped, no other process can serve the database file.
    pub(super) reservation: Option<Reservation>,
}

impl Running {
    /// Stops accepting connections, lets open requests and running jobs finish, and returns when all have ended.
    pub async fn shutdown(mut self) {
        // Without a receiver everything has ended already.
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
        drop(self.reservation);
    }

    /// The checks that keep a service from being ready, with their reasons.
    pub(crate) async fn failed_checks(&self) -> BTreeMap<String, String> {
        let mut failed = BTreeMap::new();
        for health in &self.health {
            let reasons = health.failures().await.into_iter();
            failed.extend(reasons.map(|(name, reason)| (name, reason.as_str().unwrap_or_default().to_owned())));
        }
        failed
    }

    /// Serves another application in this process, with the same clock and the same shutdown.
    ///
    /// # Errors
    /// When the address is taken.
    pub(crate) async fn attach(&mut self, address: SocketAddr, router: Router) -> Result<SocketAddr, BindError> {
        let place = DefaultPlace { host: address.ip(), port: address.port() };
        let bound = Bound::bind(&Listener::default(), place).await?;
        let address = bound.address.tcp().unwrap_or(address);
        let router = self.edge.clone().around(bounded(router));
        let limits = Audience::Public.limits(&Timeouts::default());
        let site = Site { socket: bound.socket, tls: None, limits, rewrite: Rewrite::Trimmed, router };
        self.tasks.spawn(site.serve(self.stop.subscribe()));
        Ok(address)
    }

    /// Returns when a listener or the worker ended unexpectedly.
    pub async fn failed(&mut self) {
        self.tasks.join_next().await;
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}
