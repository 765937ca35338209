//! What a start is given from outside of the configuration.

use std::net::IpAddr;
use std::path::PathBuf;

use base::{Clock, Rng, TrustStore};

/// What a program gets from its surroundings.
#[derive(Clone, Debug)]
pub struct Environment {
    pub clock: Clock,
    pub rng: Rng,
    /// The authorities that outbound calls trust; `trusted_ca` adds to them.
    pub trust: TrustStore,
    /// Where the database and the secrets go that nobody configured.
    pub data_dir: PathBuf,
    /// Takes free ports on loopback where no port is configured, instead of the usual ones.
    pub free_ports: bool,
    /// Applies migrations that are missing; without, they stop the start.
    pub migrate: bool,
    /// Starts although the secrets do not fit the database.
    pub accept_new_secrets: bool,
    /// Where public listeners stand that name no host.
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

/// What the preparation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Serve,
    /// Takes no address, and makes neither a directory nor a file.
    Examine,
}
