//! One definition for each service.

use base::seal::Purpose;
use database::{MigrationSet, Retention};
use schemars::Schema;
use serde_json::Value;

use crate::build::{Building, Directory, Parts};
use crate::diagnosis::{Diagnosing, Examined};
use crate::listener::{ErrorFormat, Listener};
use crate::report::{Notice, Report};

/// Everything that `server` knows about a service.
pub struct Definition {
    /// Its section in the configuration, the prefix of its tables, and its name everywhere else.
    pub name: &'static str,
    /// The program whose files and command lines it accepts.
    pub replaced: Option<Replaced>,
    pub configuration: Configuration,
    pub secrets: Secrets,
    /// Its tables, if it has some.
    pub migrations: Option<MigrationSet>,
    /// What it deletes when it has expired.
    pub retention: &'static [Retention],
    pub listeners: &'static [Listener],
    /// The services that it asks, when they run in another process.
    pub remotes: &'static [Remote],
    pub error_format: ErrorFormat,
    /// Builds the service. It returns nothing when the section cannot be used, and the report says why. Nothing may be
    /// written.
    pub build: for<'a> fn(Parts, &'a mut Report) -> Building<'a>,
    /// What `kleis doctor` says about the section.
    pub diagnose: for<'a> fn(Examined<'a>) -> Diagnosing<'a>,
}

/// A replaced program.
pub struct Replaced {
    pub program: &'static str,
    /// The prefix of environment variables that its deployments set.
    pub environment_prefix: &'static str,
    /// Keys at the top of its files that the files of no other replaced program have.
    pub keys: &'static [&'static str],
    /// Names of its listeners, which it serves apart. They select the service on the command line.
    pub listeners: &'static [&'static str],
    /// Whether a file of its has these members, besides `keys`.
    pub recognizes: fn(&serde_json::Map<String, Value>) -> bool,
}

/// The section of a service.
pub struct Configuration {
    /// The JSON schema by which the section is validated.
    pub schema: &'static str,
    /// What the type of the section reads.
    pub keys: fn() -> Schema,
    /// Values of keys that are set nowhere, which follow from where the listeners are.
    pub defaults: fn(&Defaults<'_>) -> Vec<(&'static str, Value)>,
    /// Defaults of a section that is not a file of the replaced program, which keeps the defaults of that program.
    pub defaults_of_ours: fn() -> Value,
    /// Keys without an effect, and why; what is below such a key has none either.
    pub without_effect: &'static [(&'static str, &'static str)],
    /// Features of the replaced program that are missing.
    pub unsupported: &'static [Unsupported],
    /// More to report about a section.
    pub notices: fn(&Value) -> Vec<Notice>,
    /// The protections that a section relies on and that are missing.
    pub missing_protections: fn(&Value) -> Vec<Protection>,
    /// Keys with URLs that browsers see.
    pub public_urls: &'static [&'static str],
    /// Whether the section has the key `dev`, which relaxes checks for development.
    pub has_development_mode: bool,
}

impl Configuration {
    /// A section with nothing beyond its keys.
    pub const fn new(schema: &'static str, keys: fn() -> Schema) -> Self {
        Self {
            schema,
            keys,
            defaults: |_| Vec::new(),
            defaults_of_ours: || Value::Null,
            without_effect: &[],
            unsupported: &[],
            notices: |_| Vec::new(),
            missing_protections: |_| Vec::new(),
            public_urls: &[],
            has_development_mode: false,
        }
    }
}

/// What defaults follow from.
pub struct Defaults<'a> {
    /// The section as it is configured.
    pub section: &'a Value,
    /// The value of `trusted_proxies` at the top.
    pub trusted_proxies: &'a Value,
    pub directory: &'a Directory,
}

/// A feature of a replaced program that is missing.
pub struct Unsupported {
    /// Its name for people, and what follows from its absence.
    pub text: &'static str,
    /// Where it is configured; the first is named in the report.
    pub keys: &'static [&'static str],
    /// The key that switches it on; without such a key it is on when any of its keys is set.
    pub switch: Option<&'static str>,
}

/// A feature that protects, that is configured, and that is missing: it stops the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// How `accept_unsupported` names it.
    pub name: &'static str,
    pub key: String,
    pub consequence: &'static str,
}

/// The secrets of a service, in `secrets` of its section.
#[derive(Clone, Copy)]
pub struct Secrets {
    /// The list that it cannot do without. It is derived from another secret, or generated, when it is not set.
    pub required: Option<&'static str>,
    /// What the required list is derived for.
    pub purpose: Purpose,
    /// The lists that it seals with, in their order. The first secret seals, all of them open.
    pub sealing: &'static [&'static str],
    /// The lists that are taken from the top when the section has none.
    pub shared: &'static [&'static str],
}

impl Secrets {
    /// A service that seals nothing.
    pub const NONE: Self = Self { required: None, purpose: Purpose("none"), sealing: &[], shared: &[] };
}

/// A service that this one asks.
pub struct Remote {
    pub service: &'static str,
    pub api: RemoteApi,
    /// The URL of its admin API.
    pub url: RemoteKey,
    /// The URL of its public API, where it is asked, too.
    pub public_url: Option<RemoteKey>,
    /// Headers of requests.
    pub headers: RemoteKey,
}

/// A key, and its description for the reference.
#[derive(Clone, Copy)]
pub struct RemoteKey {
    pub path: &'static str,
    pub description: &'static str,
}

impl Remote {
    pub fn keys(&self) -> impl Iterator<Item = RemoteKey> {
        [Some(self.url), self.public_url, Some(self.headers)].into_iter().flatten()
    }
}

/// The API by which a remote service is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoteApi {
    /// Login requests, subjects and consents of an OAuth 2 service.
    OAuth2,
    /// Sessions of an identity service.
    Sessions,
}
