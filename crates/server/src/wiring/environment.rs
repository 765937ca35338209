//! The inputs of a start besides the configuration.

use std::net::IpAddr;
use std::path::PathBuf;

use base::{Clock, Rng, TrustStore};

/// The environment of a program.
#[derive(Clone, Debug)]
pub struct Environment {
    pub clock: Clock,
    pub rng: Rng,
    /// The authorities that outbound calls trust; `trusted_ca` adds to them.
    pub trust: TrustStore,
    /// The directory of the database and the secrets when none are configured.
    pub data_dir: PathBuf,
    /// Use free ports on loopback, instead of the default ones, where no port is configured.
    pub free_ports: bool,
    /// Apply missing migrations; otherwise they stop the start.
    pub migrate: bool,
    /// Start although the secrets do not match the database.
    pub accept_new_secrets: bool,
    /// The address of public listeners without a host.
    pub listen: Option<IpAddr>,
}

impl Environment {
    /// The operating system's clock and randomness, the bundled authorities, and `./kleis-data`.
    pub fn system() -> Self {
        Self {
            clock: Clock::system(),
            rng: Rng::system(),
            trust: TrustStore::bundled(),
            data_dir: PathBuf::from("kleis-data"),
            free_ports: false,
            migrate: true,
            accept_new_secrets: false,
            listen: None,
        }
    }
}

/// The purpose of a preparation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Serve,
    /// Binds no address and creates neither a directory nor a file.
    Examine,
}
