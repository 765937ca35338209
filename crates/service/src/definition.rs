//! The definition of a service.

use base::seal::Purpose;
use database::{MigrationSet, Retention};
use schemars::Schema;
use serde_json::Value;

use crate::build::{Building, Directory, Parts};
use crate::diagnosis::{Diagnosing, Examined};
use crate::listener::{ErrorFormat, Listener};
use crate::report::{Notice, Report};

/// Everything that `server` needs to know about a service.
pub struct Definition {
    /// Its section in the configuration, the prefix of its tables, and its name everywhere else.
    pub name: &'static str,
    /// The program whose files and command lines it accepts.
    pub replaced: Option<Replaced>,
    pub configuration: Configuration,
    pub secrets: Secrets,
    /// The migrations of its tables, if it has any.
    pub migrations: Option<MigrationSet>,
    /// The retention rules of its tables.
    pub retention: &'static [Retention],
    pub listeners: &'static [Listener],
    /// The services that it calls when they run in another process.
    pub remotes: &'static [Remote],
    pub error_format: ErrorFormat,
    /// The names of the texts that it shows, besides those of `ui`.
    pub text_names: fn() -> Vec<ui::TextName>,
    /// Builds the service. It returns `None` when the section cannot be used, and reports the reason. It must not write
    /// anything.
    pub build: for<'a> fn(Parts, &'a mut Report) -> Building<'a>,
    /// The findings of `kleis doctor` about the section.
    pub diagnose: for<'a> fn(Examined<'a>) -> Diagnosing<'a>,
}

/// A replaced program.
pub struct Replaced {
    pub program: &'static str,
    /// The file that it reads without the flag `--config`, in the home directory.
    pub default_file: Option<&'static str>,
    /// The prefix of environment variables that its deployments set.
    pub environment_prefix: &'static str,
    /// Top-level keys of its files that no file of another replaced program has.
    pub keys: &'static [&'static str],
    /// The names of its listeners, which it serves apart. They select the service on the command line.
    pub listeners: &'static [&'static str],
    /// Whether these members, besides `keys`, identify one of its files.
    pub recognizes: fn(&serde_json::Map<String, Value>) -> bool,
}

/// The section of a service.
pub struct Configuration {
    /// The JSON schema that validates the section.
    pub schema: &'static str,
    /// The keys that the type of the section reads.
    pub keys: fn() -> Schema,
    /// Values of unset keys, derived from the listeners.
    pub defaults: fn(&Defaults<'_>) -> Vec<(&'static str, Value)>,
    /// Defaults of a section in a `kleis.yml`. A file of the replaced program keeps the defaults of that program.
    pub defaults_of_ours: fn() -> Value,
    /// Keys without an effect, with the reason; the keys below them have no effect either.
    pub without_effect: &'static [(&'static str, &'static str)],
    /// Features of the replaced program that are missing.
    pub unsupported: &'static [Unsupported],
    /// Further notices about a section.
    pub notices: fn(&Value) -> Vec<Notice>,
    /// The missing protections that a section relies on.
    pub missing_protections: fn(&Value) -> Vec<Protection>,
    /// Keys with URLs that browsers see.
    pub public_urls: &'static [&'static str],
    /// Whether the section has the key `dev`, which relaxes checks for development.
    pub has_development_mode: bool,
}

impl Configuration {
    /// A section with only a schema and keys.
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

/// The values that defaults are derived from.
pub struct Defaults<'a> {
    /// The section as it is configured.
    pub section: &'a Value,
    /// The value of the top-level `trusted_proxies`.
    pub trusted_proxies: &'a Value,
    pub directory: &'a Directory,
}

/// A feature of a replaced program that is missing.
pub struct Unsupported {
    /// Its name for people, and the consequence of its absence.
    pub text: &'static str,
    /// Its keys; the first one is named in the report.
    pub keys: &'static [&'static str],
    /// The key that switches it on; without such a key it is on when any of its keys is set.
    pub switch: Option<&'static str>,
}

/// A configured feature that protects and that is missing: it stops the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// Its name in `accept_unsupported`.
    pub name: &'static str,
    pub key: String,
    pub consequence: &'static str,
}

/// The secrets of a service, in `secrets` of its section.
#[derive(Clone, Copy)]
pub struct Secrets {
    /// The list that the service requires. If it is not set, it is derived from another secret, or generated.
    pub required: Option<&'static str>,
    /// The purpose of the derivation of the required list.
    pub purpose: Purpose,
    /// The lists that it seals with, in order. The first secret seals, all of them open.
    pub sealing: &'static [&'static str],
    /// The lists that are taken from the top level when the section has none.
    pub shared: &'static [&'static str],
}

impl Secrets {
    /// A service that seals nothing.
    pub const NONE: Self = Self { required: None, purpose: Purpose("none"), sealing: &[], shared: &[] };
}

/// Another service that this one calls.
pub struct Remote {
    pub service: &'static str,
    pub api: RemoteApi,
    /// The URL of its admin API, or of the listener that answers.
    pub url: RemoteKey,
    /// The URL of its public API, if it is called as well.
    pub public_url: Option<RemoteKey>,
    /// Headers of the requests.
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

/// The API that a remote service is called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoteApi {
    /// Login requests, subjects and consents of an OAuth 2 service.
    OAuth2,
    /// Sessions of an identity service.
    Sessions,
    /// Checks of a permission service.
    Permissions,
}
