//! Arguments that several commands share.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use crate::config::{Config, Faults, Service, Sources};

/// Where the configuration comes from.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ConfigArguments {
    /// A configuration file: a kleis.yml, or the file of a program that a service replaces; later ones win
    #[arg(short, long = "config", value_name = "FILE", env = "KLEIS_CONFIG", value_delimiter = ',')]
    pub(crate) files: Vec<PathBuf>,
    /// Where the database and the secrets go that nobody configured
    #[arg(long, value_name = "DIRECTORY", env = "KLEIS_DATA", default_value = "kleis-data")]
    pub(crate) data: PathBuf,
    #[arg(long, value_name = "URL", help = "The database: sqlite:///path, postgres://user@host/name or memory")]
    pub(crate) dsn: Option<String>,
}

impl ConfigArguments {
    /// Reads and judges files, environment and flags.
    pub(crate) fn load(&self, services: &[Service]) -> Result<Config, Faults> {
        let flags = self.dsn.iter().map(|dsn| ("dsn".to_owned(), Value::from(dsn.as_str()))).collect();
        Config::load(&Sources {
            services: services.to_vec(),
            files: self.files.clone(),
            environment: super::environment(),
            flags,
        })
    }
}
