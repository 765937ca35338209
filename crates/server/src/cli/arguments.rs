//! Arguments that several commands share.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use crate::config::{Config, Faults, Service, Sources};
use crate::services::names;

/// The sources of the configuration.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ConfigArguments {
    /// A configuration file: a kleis.yml, or the file of a replaced program; later files take precedence
    #[arg(short = 'c', long = "config", value_name = "FILE", env = "KLEIS_CONFIG", value_delimiter = ',')]
    pub(crate) files: Vec<PathBuf>,
    /// Directory of the database and the generated secrets
    #[arg(long, value_name = "DIRECTORY", env = "KLEIS_DATA", default_value = "kleis-data")]
    pub(crate) data: PathBuf,
    #[arg(long, value_name = "URL", help = "The database: sqlite:///path, postgres://user@host/name or memory")]
    pub(crate) dsn: Option<String>,
}

impl ConfigArguments {
    /// Reads and checks files, environment and flags.
    pub(crate) fn load(&self, services: &[Service], dev: bool, called_as: Option<Service>) -> Result<Config, Faults> {
        let dsn = self.dsn.iter().map(|dsn| ("dsn".to_owned(), Value::from(dsn.as_str())));
        let has_mode = |service: &Service| service.definition().configuration.has_development_mode;
        let dev = Service::ALL.into_iter().filter(|service| dev && has_mode(service));
        let dev = dev.map(|service| (format!("{service}.dev"), Value::from(true)));
        let flags = dsn.chain(dev).collect();
        let services = if services.is_empty() { called_as.as_slice() } else { services };
        let environment = super::environment();
        let files = self.files(called_as, &environment);
        Config::load(&Sources { services: services.to_vec(), called_as, files, environment, flags })
    }

    /// The files that are named, or else the one that the program whose name was used reads by default, if it exists.
    pub(crate) fn files(&self, called_as: Option<Service>, environment: &[(String, String)]) -> Vec<PathBuf> {
        let replaced = called_as.and_then(|service| service.definition().replaced.as_ref());
        let Some(name) = replaced.and_then(|it| it.default_file).filter(|_| self.files.is_empty()) else {
            return self.files.clone();
        };
        let home = environment.iter().find(|(name, home)| name == "HOME" && !home.is_empty());
        home.map(|(_, home)| Path::new(home).join(name)).filter(|file| file.exists()).into_iter().collect()
    }
}

/// The argument SERVICE of `serve` and `doctor`: a service by its name or by that of the program that it replaces, `all` of
/// them, or the listeners that the replaced programs serve apart (`public`, `admin`, `proxy`, `api`), which always run
/// together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection(Vec<Service>);

impl Selection {
    /// The help text for the names.
    pub(crate) fn help() -> String {
        format!("{}; all when omitted", names().replace(" and ", ", "))
    }

    /// The services of several selections; all services when there is none.
    pub(crate) fn services(selections: &[Self]) -> Vec<Service> {
        selections.iter().flat_map(|selection| selection.0.iter().copied()).collect()
    }
}

impl std::str::FromStr for Selection {
    type Err = crate::config::UnknownService;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "all" {
            return Ok(Self(Vec::new()));
        }
        let serves_apart = |service: &Service| {
            service.definition().replaced.as_ref().is_some_and(|program| program.listeners.contains(&text))
        };
        match Service::ALL.into_iter().find(serves_apart) {
            Some(service) => Ok(Self(vec![service])),
            None => text.parse().map(|service| Self(vec![service])),
        }
    }
}
