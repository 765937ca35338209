//! Configuration: files, environment and flags become one tree, which is judged as a whole before anything is opened.
//!
//! One `kleis.yml` has a section for each service, with the keys of the file that the service replaces; `dsn`, `log`,
//! `tracing` and `secrets` at the top are every section's default. A file of a replaced program is read as its section.
//! Later wins: defaults, files in their order, environment, flags.
//!
//! What always holds:
//! - Every fault is reported, at once, with the path of its key and without its value.
//! - A key that is known and has no effect is reported at the start ([`Config::without_effect`]).
//! - The services of one process share one database: `end this person's sessions` is one transaction.

mod document;
mod environment;
mod fault;
mod file;
mod honoured;
mod listeners;
mod schema;
mod secrets;
mod service;
mod shared;

use std::collections::BTreeMap;
use std::path::PathBuf;

use base::PlainToken;
use serde_json::{Value, json};

pub use fault::{Fault, Faults};
pub use listeners::{Listener, Material, MaterialError, Timeouts, Tls};
pub use service::{Service, UnknownService};
pub use shared::{Admin, Shared};

use schema::Schemas;

/// Where the configuration comes from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The services to run; all of them when empty.
    pub services: Vec<Service>,
    pub files: Vec<PathBuf>,
    /// The environment, as names and texts.
    pub environment: Vec<(String, String)>,
    /// What flags say: dotted keys and values.
    pub flags: Vec<(String, Value)>,
}

/// A configuration without faults.
#[derive(Clone, Debug)]
pub struct Config {
    pub services: Vec<Service>,
    pub shared: Shared,
    /// Whether files or the environment say anything: without, everything listens on loopback.
    pub is_configured: bool,
    /// Keys that are set and have no effect.
    pub without_effect: Vec<Fault>,
    sections: BTreeMap<Service, Value>,
}

impl Config {
    /// Reads and judges everything.
    ///
    /// # Errors
    /// All faults of all sources.
    pub fn load(sources: &Sources) -> Result<Self, Faults> {
        let services = selected(&sources.services);
        let schemas = Schemas::default();
        let mut faults = Vec::new();
        let mut tree = json!({});
        for path in &sources.files {
            match file::read(path, &services) {
                Ok(value) => document::merge(&mut tree, value),
                Err(fault) => faults.push(fault),
            }
        }
        environment::apply(&sources.environment, &services, &schemas, &mut tree, &mut faults)?;
        let is_configured = holds_anything(&tree);
        for (key, value) in &sources.flags {
            let path: Vec<_> = key.split('.').map(|step| document::Step::Key(step.to_owned())).collect();
            document::set(&mut tree, &path, value.clone());
        }
        judge(&tree, &schemas, &mut faults);
        if !faults.is_empty() {
            return Err(sorted(faults));
        }
        Self::compose(services, tree, is_configured)
    }

    /// A configuration for tests and for programs that embed Kleis: `tree` is what a `kleis.yml` would hold.
    ///
    /// # Errors
    /// All faults of the tree.
    pub fn from_value(services: &[Service], tree: Value) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        judge(&tree, &Schemas::default(), &mut faults);
        if !faults.is_empty() {
            return Err(sorted(faults));
        }
        let is_configured = holds_anything(&tree);
        Self::compose(selected(services), tree, is_configured)
    }

    fn compose(services: Vec<Service>, mut tree: Value, is_configured: bool) -> Result<Self, Faults> {
        let mut sections: BTreeMap<Service, Value> = BTreeMap::new();
        for service in &services {
            let section = tree.as_object_mut().and_then(|tree| tree.remove(service.name())).unwrap_or(json!({}));
            sections.insert(*service, section);
        }
        let without_effect =
            sections.iter().flat_map(|(service, section)| ineffective(*service, section, &services)).collect();
        let shared = Shared::compose(&tree, &sections)?;
        for (service, section) in &mut sections {
            secrets::share(*service, section, tree.get("secrets"));
        }
        Ok(Self { services, shared, is_configured, without_effect, sections })
    }

    pub fn runs(&self, service: Service) -> bool {
        self.services.contains(&service)
    }

    /// A copy of the section of `service`, with `defaults` where it is silent, as its type.
    ///
    /// # Errors
    /// A value that the schema allows and the type does not.
    pub fn section<T: serde::de::DeserializeOwned>(&self, service: Service, defaults: &Value) -> Result<T, Fault> {
        let mut section = self.sections.get(&service).cloned().unwrap_or(json!({}));
        document::fill(&mut section, defaults);
        // The path of the key is known, the value must not be shown: serde's message quotes it only for enumerations.
        serde_path_to_error::deserialize(section)
            .map_err(|error| Fault::new(format!("{service}.{}", error.path()), error.inner().to_string()))
    }

    /// The listener `name` (`public`, `admin`, `proxy`, `api`) of `service`.
    ///
    /// # Errors
    /// A setting that cannot be used.
    pub fn listener(&self, service: Service, name: &str) -> Result<Listener, Fault> {
        let section = self.sections.get(&service);
        Listener::of(service, name, section.and_then(|section| section.get("serve")))
    }

    /// The value at a dotted path within the section of `service`.
    pub fn value(&self, service: Service, path: &str) -> Option<&Value> {
        document::get(self.sections.get(&service)?, path)
    }

    /// What the section of `service` calls its revision, or else a digest of all that it says, defaults of the start
    /// included.
    pub fn revision(&self, service: Service) -> String {
        if let Some(revision) = self.value(service, "revision").and_then(Value::as_str) {
            return revision.to_owned();
        }
        let said = self.sections.get(&service).map(Value::to_string).unwrap_or_default();
        let digest = PlainToken::received(said).digest();
        digest.as_bytes().iter().fold(String::with_capacity(64), |text, byte| text + &format!("{byte:02x}"))
    }

    /// Writes `value` at a dotted path within the section of `service`, unless something stands there.
    pub fn set_default(&mut self, service: Service, path: &str, value: Value) {
        if let Some(section) = self.sections.get_mut(&service) {
            document::set_default(section, path, value);
        }
    }

    /// Lays secrets beneath those that are set; see [`Config::lacks_secrets`].
    pub fn set_default_secrets(&mut self, generated: &Value) {
        for (service, section) in &mut self.sections {
            secrets::share(*service, section, Some(generated));
        }
    }

    /// Whether a service has no secret of its own and none was set for all.
    pub fn lacks_secrets(&self) -> bool {
        self.sections.iter().any(|(service, section)| secrets::are_missing(*service, section))
    }
}

fn selected(services: &[Service]) -> Vec<Service> {
    let mut services = if services.is_empty() { Service::ALL.to_vec() } else { services.to_vec() };
    services.sort_unstable();
    services.dedup();
    services
}

fn holds_anything(tree: &Value) -> bool {
    tree.as_object().is_some_and(|tree| !tree.is_empty())
}

fn judge(tree: &Value, schemas: &Schemas, faults: &mut Vec<Fault>) {
    let mut judged = || -> Result<(), Fault> {
        if !holds_anything(tree) {
            return Ok(());
        }
        schemas.root()?.judge(tree, faults);
        for service in Service::ALL {
            if let Some(section) = tree.get(service.name()).filter(|it| it.is_object()) {
                schemas.of(service)?.judge(section, faults);
            }
        }
        Ok(())
    };
    if let Err(fault) = judged() {
        faults.push(fault);
    }
}

/// The keys of a section that are set and that neither its service nor this crate obeys.
fn ineffective(service: Service, section: &Value, running: &[Service]) -> Vec<Fault> {
    let without = document::leaves(section).into_iter().filter(|path| !path.is_empty()).filter_map(|path| {
        let reason = honoured::why_not(service, &path, running)?;
        Some(Fault::new(format!("{service}.{path}"), reason))
    });
    without.collect()
}

fn sorted(mut faults: Vec<Fault>) -> Faults {
    faults.sort();
    faults.dedup();
    Faults(faults)
}

/// The dotted paths that lead nowhere in the schema of `service`; `*` stands for any step.
#[cfg(test)]
pub(crate) fn unknown_to_the_schema<'a>(service: Service, paths: &[&'a str]) -> Vec<&'a str> {
    let schemas = Schemas::default();
    let schema = schemas.of(service).unwrap();
    paths.iter().copied().filter(|path| !schema.knows(path)).collect()
}

#[cfg(test)]
mod tests;
