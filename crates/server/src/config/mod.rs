//! Configuration: files, environment and flags become one tree, which is checked as a whole before anything is opened.
//!
//! One `kleis.yml` has a section for each service, with the keys of the file that the service replaces; `dsn`, `log`, `tracing`
//! and `secrets` at the top are the defaults of every section. A file of a replaced program is read as its section. In order of
//! precedence, lowest first: defaults, files in their order, environment, flags.
//!
//! Invariants:
//! - All faults are reported together, with the path of the key and without its value.
//! - A configured key without effect is reported at the start ([`Config::notices`]).
//! - Defaults are per key: a file that sets one key changes only that key.
//! - The services of one process share one database, so that one transaction can end the sessions of an identity and everything
//!   that depends on them.

mod document;
pub(crate) mod environment;
mod fault;
mod features;
mod file;
pub(crate) mod keys;
mod listeners;
pub(crate) mod schema;
mod secrets;
pub(crate) mod shared;
mod spelling;

use std::collections::BTreeMap;
use std::path::PathBuf;

use base::{Objects, PlainToken};
use serde_json::{Value, json};

pub use crate::services::{Service, UnknownService};
pub use fault::{Fault, Faults, Notice, Severity};
pub(crate) use keys::HttpClient;
pub use listeners::{Listener, Material, MaterialError, Timeouts, Tls};
pub use shared::{Admin, Shared};

use keys::Common;
use schema::Schemas;
use spelling::Spelling;

/// The sources of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The services to run; all of them when empty.
    pub services: Vec<Service>,
    pub files: Vec<PathBuf>,
    /// The environment, as names and values.
    pub environment: Vec<(String, String)>,
    /// Values of flags, by dotted keys.
    pub flags: Vec<(String, Value)>,
    /// The replaced program whose name was used to call this one, if any.
    pub called_as: Option<Service>,
}

/// A configuration without faults.
#[derive(Clone, Debug)]
pub struct Config {
    pub services: Vec<Service>,
    pub shared: Shared,
    /// Whether files or the environment set anything.
    pub is_configured: bool,
    /// Whether development mode is on, by `--dev` or a section's `dev`.
    pub is_development: bool,
    /// Notes about a configuration that can be used.
    pub notices: Vec<Notice>,
    sections: BTreeMap<Service, Value>,
    spelling: Spelling,
}

impl Config {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// All faults of all sources.
    pub fn load(sources: &Sources) -> Result<Self, Faults> {
        let services = selected(&sources.services);
        let known = Service::with(&sources.services);
        let schemas = Schemas::new(&known);
        let mut faults = Vec::new();
        let mut tree = json!({});
        let mut spelling = Spelling::default();
        spelling.classic.extend(sources.called_as.map(|service| (service, None)));
        for path in &sources.files {
            match file::read(path, &services) {
                Ok(placed) => {
                    if let Some(service) = placed.classic {
                        let name = path.file_name().unwrap_or(path.as_os_str());
                        spelling.classic.insert(service, Some(name.to_string_lossy().into_owned()));
                    }
                    document::merge(&mut tree, placed.value);
                }
                Err(fault) => faults.push(fault),
            }
        }
        let dsn_of_files = tree.get("dsn").cloned();
        spelling.variables = environment::apply(&sources.environment, &services, &schemas, &mut tree, &mut faults)?;
        if let [service] = services.as_slice() {
            let keys = spelling.variables.iter().filter_map(|variable| variable.path.strip_prefix(service.name()));
            for key in keys.filter_map(|key| key.strip_prefix('.')) {
                prefer_shared_key(&mut tree, *service, key);
            }
        }
        let is_configured = holds_anything(&tree);
        for (key, value) in &sources.flags {
            let path: Vec<_> = key.split('.').map(|step| document::Step::Key(step.to_owned())).collect();
            document::set(&mut tree, &path, value.clone());
            spelling.forget_variables_of(key);
        }
        if tree.get("dsn") != dsn_of_files.as_ref() {
            // Flags and the environment take precedence over every file.
            for service in &known {
                if let Some(section) = tree.get_mut(service.name()).and_then(Value::as_object_mut) {
                    section.remove("dsn");
                }
            }
        }
        validate(&tree, &schemas, &mut faults);
        if !faults.is_empty() {
            return Err(sorted(faults, &spelling));
        }
        Self::compose(services, tree, is_configured, spelling)
    }

    /// A configuration for tests and for programs that embed Kleis: `tree` has the content of a `kleis.yml`.
    ///
    /// # Errors
    /// All faults of the tree.
    pub fn from_value(services: &[Service], tree: Value) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        validate(&tree, &Schemas::new(&Service::with(services)), &mut faults);
        if !faults.is_empty() {
            return Err(sorted(faults, &Spelling::default()));
        }
        let is_configured = holds_anything(&tree);
        Self::compose(selected(services), tree, is_configured, Spelling::default())
    }

    fn compose(
        services: Vec<Service>,
        mut tree: Value,
        is_configured: bool,
        spelling: Spelling,
    ) -> Result<Self, Faults> {
        let is_development =
            Service::with(&services).iter().any(|service| tree.get(service.name()).is_some_and(|it| it["dev"] == true));
        let mut sections: BTreeMap<Service, Value> = BTreeMap::new();
        for service in &services {
            let section = tree.as_object_mut().and_then(|tree| tree.remove(service.name())).unwrap_or(json!({}));
            sections.insert(*service, section);
        }
        let mut notices: Vec<Notice> =
            sections.iter().flat_map(|(service, section)| features::report(*service, section, &services)).collect();
        for (service, file) in spelling.classic.iter().filter(|(service, _)| !services.contains(service)) {
            let file = file.clone().unwrap_or_else(|| service.to_string());
            notices.push(Notice::warning(file, format!("configures {service}, which does not run: it has no effect")));
        }
        let shared = Shared::compose(&tree, &sections, &mut notices)
            .map_err(|faults| Faults(faults.0.into_iter().map(|fault| spelling.fault(fault)).collect()))?;
        let derived = secrets::provide(&mut sections, tree.get("secrets"));
        // A secret that others are derived from has an effect.
        notices.retain(|notice| derived.iter().all(|it| it.source != notice.path));
        notices.extend(derived.into_iter().map(|it| it.notice));
        for (service, section) in &mut sections {
            if !spelling.classic.contains_key(service) {
                document::fill(section, &(service.definition().configuration.defaults_of_ours)());
            }
        }
        let notices =
            notices.into_iter().map(|notice| Notice { path: spelling.path(&notice.path), ..notice }).collect();
        let config = Self { services, shared, is_configured, is_development, notices, sections, spelling };
        Ok(config)
    }

    /// The missing protections that this configuration relies on: faults, unless `accept_unsupported` lists them.
    pub(crate) fn missing_protections(&self) -> (Vec<Fault>, Vec<Notice>) {
        let missing =
            self.sections.iter().flat_map(|(service, section)| features::missing_protections(*service, section));
        let (mut faults, mut notices) = (Vec::new(), Vec::new());
        for protection in missing {
            if self.shared.accept_unsupported.iter().any(|name| name == protection.name) {
                notices.push(self.spell_notice(protection.accepted()));
            } else {
                faults.push(self.spell(protection.fault()));
            }
        }
        (faults, notices)
    }

    /// The fault with its path as the file spells it.
    pub(crate) fn spell(&self, fault: Fault) -> Fault {
        self.spelling.fault(fault)
    }

    pub(crate) fn spell_notice(&self, notice: Notice) -> Notice {
        Notice { path: self.spelling.path(&notice.path), ..notice }
    }

    /// The services whose files are those of the programs that they replace.
    pub(crate) fn classic_services(&self) -> Vec<Service> {
        self.spelling.classic.keys().copied().collect()
    }

    /// Whether `service` is configured as the program that it replaces.
    pub(crate) fn is_classic(&self, service: Service) -> bool {
        self.spelling.classic.contains_key(&service)
    }

    pub fn runs(&self, service: Service) -> bool {
        self.services.contains(&service)
    }

    /// A copy of the section of `service` as its type, with `defaults` for missing keys.
    ///
    /// # Errors
    /// A value that the schema allows and the type does not.
    pub fn section<T: serde::de::DeserializeOwned>(&self, service: Service, defaults: &Value) -> Result<T, Fault> {
        let mut section = self.sections.get(&service).cloned().unwrap_or(json!({}));
        document::fill(&mut section, defaults);
        // The path of the key is public, the value is not: serde's message quotes it only for enumerations.
        serde_path_to_error::deserialize(Objects(section))
            .map_err(|error| Fault::new(format!("{service}.{}", error.path()), error.inner().to_string()))
    }

    /// A copy of the section of `service`.
    pub(crate) fn section_value(&self, service: Service) -> Value {
        self.sections.get(&service).cloned().unwrap_or(json!({}))
    }

    /// The listener `name` (`public`, `admin`, `proxy`, `api`) of `service`.
    ///
    /// # Errors
    /// A setting that cannot be used.
    pub fn listener(&self, service: Service, name: &str) -> Result<Listener, Fault> {
        let section = self.sections.get(&service);
        Listener::of(service, name, section.and_then(|section| section.get("serve")), self.is_development)
    }

    /// The value at a dotted path within the section of `service`.
    pub fn value(&self, service: Service, path: &str) -> Option<&Value> {
        document::get(self.sections.get(&service)?, path)
    }

    /// The limits of the outbound client of `service`.
    ///
    /// # Errors
    /// A value that the schema allows and the type does not.
    pub(crate) fn http_client(&self, service: Service) -> Result<HttpClient, Fault> {
        self.section::<Common>(service, &Value::Null).map(|common| common.clients.http)
    }

    /// The configured revision of the section of `service`, or else a digest of the whole section, including the defaults of
    /// the start.
    pub fn revision(&self, service: Service) -> String {
        if let Ok(Common { revision: Some(revision), .. }) = self.section(service, &Value::Null) {
            return revision;
        }
        let section = self.sections.get(&service).map(Value::to_string).unwrap_or_default();
        let digest = PlainToken::received(section).digest();
        digest.as_bytes().iter().fold(String::with_capacity(64), |text, byte| text + &format!("{byte:02x}"))
    }

    /// Sets `value` at a dotted path within the section of `service`, unless a value exists there.
    pub fn set_default(&mut self, service: Service, path: &str, value: Value) {
        if let Some(section) = self.sections.get_mut(&service) {
            document::set_default(section, path, value);
        }
    }

    /// Sets secrets where none are set; see [`Config::lacks_secrets`].
    pub fn set_default_secrets(&mut self, generated: &Value) {
        for (service, section) in &mut self.sections {
            secrets::share(*service, section, Some(generated));
        }
    }

    /// Whether a service has neither a secret of its own nor a shared one.
    pub fn lacks_secrets(&self) -> bool {
        self.sections.iter().any(|(service, section)| secrets::are_missing(*service, section))
    }
}

/// A key of the section that a variable set, also at the top, where it takes precedence: a file may have set it there.
fn prefer_shared_key(tree: &mut Value, service: Service, key: &str) {
    let first = key.split('.').next().unwrap_or(key);
    if !shared::OF_SECTIONS.contains(&first) || tree.get(first).is_none() {
        return;
    }
    let section = tree.get(service.name());
    if let Some(value) = section.and_then(|section| document::get(section, key)).cloned() {
        let path: Vec<_> = key.split('.').map(|step| document::Step::Key(step.to_owned())).collect();
        document::set(tree, &path, value);
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

fn validate(tree: &Value, schemas: &Schemas, faults: &mut Vec<Fault>) {
    let mut validated = || -> Result<(), Fault> {
        if !holds_anything(tree) {
            return Ok(());
        }
        schemas.root()?.validate(tree, faults);
        for service in schemas.services() {
            if let Some(section) = tree.get(service.name()).filter(|it| it.is_object()) {
                schemas.of(service)?.validate(section, faults);
            }
        }
        Ok(())
    };
    if let Err(fault) = validated() {
        faults.push(fault);
    }
}

fn sorted(faults: Vec<Fault>, spelling: &Spelling) -> Faults {
    let mut faults: Vec<Fault> = faults.into_iter().map(|fault| spelling.fault(fault)).collect();
    faults.sort();
    faults.dedup();
    Faults(faults)
}

/// The dotted paths that do not exist in the schema of `service`; `*` stands for any step.
#[cfg(test)]
pub(crate) fn unknown_to_the_schema<'a>(service: Service, paths: &[&'a str]) -> Vec<&'a str> {
    let schemas = Schemas::default();
    let schema = schemas.of(service).unwrap();
    paths.iter().copied().filter(|path| !schema.knows(path)).collect()
}

#[cfg(test)]
mod tests;
