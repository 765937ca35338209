//! The inputs that a service is built from, and the result that it returns to `server`.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use base::{Clock, Rng, Sealer};
use database::Database;
use jobs::Handler;
use serde::de::DeserializeOwned;
use serde_json::Value;
use telemetry::metrics::Collector;
use tokio::sync::watch;
use ui::Ui;
use url::Url;
use web::outbound::Client;

use crate::diagnosis::Diagnosis;
use crate::links::Links;
use crate::report::Report;

/// The future that builds a service.
pub type Building<'a> = Pin<Box<dyn Future<Output = Option<Built>> + Send + 'a>>;
/// A background task.
pub type Background = Pin<Box<dyn Future<Output = ()> + Send>>;
/// Starts a background task. It runs until the receiver changes to `true`: a task that returns earlier counts as a failure.
pub type StartTask = Box<dyn FnOnce(watch::Receiver<bool>) -> Background + Send>;

/// The parts that a service is built from.
pub struct Parts {
    /// The section with the defaults that are derived from the listeners.
    pub section: Value,
    pub database: Database,
    pub clock: Clock,
    pub rng: Rng,
    /// `None` for a service that seals nothing.
    pub sealer: Option<Sealer>,
    /// The client for outbound calls, with the limits of the section.
    pub http: Client,
    /// The layout of pages.
    pub ui: Ui,
    pub links: Links,
    pub directory: Directory,
    /// Files that are kept for the next start; `None` when nothing may be written.
    pub files: Option<Arc<dyn KeptFiles>>,
}

impl Parts {
    /// Deserializes the section. A value that the schema allows and the type does not is reported.
    pub fn read_section<T: DeserializeOwned>(&self, report: &mut Report) -> Option<T> {
        let section = serde_path_to_error::deserialize(self.section.clone());
        // The path of the key is public, the value is not: serde's message quotes it only for enumerations.
        section.map_err(|error| report.fault(error.path().to_string(), error.inner().to_string())).ok()
    }
}

/// The addresses and URLs of the listeners of the services in this process.
#[derive(Clone, Debug, Default)]
pub struct Directory(BTreeMap<(String, String), (Option<SocketAddr>, String)>);

impl Directory {
    pub fn insert(&mut self, service: &str, listener: &str, address: Option<SocketAddr>, base_url: &str) {
        self.0.insert((service.to_owned(), listener.to_owned()), (address, base_url.to_owned()));
    }

    /// The URL under which clients reach the listener, ending in a slash.
    pub fn base_url(&self, service: &str, listener: &str) -> Option<&str> {
        self.0.get(&(service.to_owned(), listener.to_owned())).map(|(_, url)| url.as_str())
    }

    /// The URLs of these listeners: those under which clients reach them, and those of their addresses.
    pub fn urls(&self, service: &str, listeners: &[&str]) -> Vec<Url> {
        let found = || listeners.iter().filter_map(|name| self.0.get(&(service.to_owned(), (*name).to_owned())));
        let called = found().filter_map(|(_, url)| url.parse().ok());
        let by_address = found().filter_map(|(address, _)| format!("http://{}/", (*address)?).parse().ok());
        called.chain(by_address).collect()
    }
}

/// Files in the data directory.
pub trait KeptFiles: Send + Sync {
    /// The content of a file. If it does not exist, `fresh` generates the content, which is written. A damaged file is refused.
    ///
    /// # Errors
    /// When the file cannot be read or written, or is damaged.
    fn kept(
        &self,
        name: &str,
        is_whole: &dyn Fn(&Value) -> bool,
        fresh: &dyn Fn() -> Value,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>>;
}

/// A dependency without which a service cannot work.
#[async_trait]
pub trait Check: Send + Sync {
    /// The name in the report of a failure, for instance `database`.
    fn name(&self) -> &'static str;

    async fn run(&self) -> Result<(), String>;

    /// What an operator should correct, although the service works.
    async fn warning(&self) -> Option<String> {
        None
    }

    /// What an operator should correct in the data. Only `kleis doctor` asks for it, because the answer may take seconds.
    async fn examine(&self) -> Option<Diagnosis> {
        None
    }
}

/// A service that is ready to serve.
#[derive(Default)]
pub struct Built {
    /// The router of each listener, by the listener's name.
    pub routers: Vec<(&'static str, axum::Router)>,
    pub handlers: Vec<Arc<dyn Handler>>,
    /// The checks of its health, besides the database.
    pub checks: Vec<Arc<dyn Check>>,
    /// Its own metrics, besides those of requests and of the database.
    pub metrics: Vec<Box<dyn Collector>>,
    pub background: Vec<StartTask>,
}

impl Built {
    /// Adds a background task, which runs until the shutdown.
    pub fn beside<F>(&mut self, begin: impl FnOnce(watch::Receiver<bool>) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.background.push(Box::new(move |stopped| Box::pin(begin(stopped))));
    }
}
