//! What concerns the whole process: the database, logs, traces, who may use the admin listeners, whose word is taken for
//! a client's address.

use std::collections::BTreeMap;

use base::Secret;
use serde::Deserialize;
use serde_json::{Value, json};
use telemetry::{LogConfig, TracingConfig};
use web::Network;

use super::listeners::Material;
use super::{Fault, Faults, Service, document};

/// Keys of every section that this crate obeys, whatever the service does.
pub(super) const HONOURED: &[&str] = &[
    "dsn",
    "log",
    "tracing",
    "version",
    "secrets.default",
    "secrets.system",
    "secrets.cipher",
    // Nothing is ever sent to anyone.
    "sqa",
    "sqa-opt-out",
    // Mail is always sent by the process that serves.
    "watch-courier",
    "serve.*.host",
    "serve.*.port",
    "serve.*.base_url",
    "serve.*.socket",
    "serve.*.tls.enabled",
    "serve.*.tls.key",
    "serve.*.tls.cert",
    "serve.*.cors.enabled",
    "serve.*.cors.allowed_origins",
    "serve.*.cors.allowed_methods",
    "serve.*.cors.allowed_headers",
    "serve.*.cors.exposed_headers",
    "serve.*.cors.allow_credentials",
    "serve.*.cors.max_age",
    "serve.*.request_log",
    "serve.tls.enabled",
    "serve.tls.key",
    "serve.tls.cert",
];

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Shared {
    /// Where the database is; a SQLite file in the data directory when unset.
    pub dsn: Option<Secret<String>>,
    pub log: LogConfig,
    pub tracing: TracingConfig,
    pub admin: Admin,
    /// Looks and words of the built-in pages.
    pub ui: ui::Config,
    /// Addresses and networks (`10.0.0.0/8`) of proxies whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<Network>,
}

/// Who may use the admin listeners.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Admin {
    /// Bearer tokens, any of which opens the admin API.
    pub tokens: Vec<Secret<String>>,
    /// The authority whose client certificates open the admin API.
    pub client_ca: Option<Material>,
    /// Leaves the admin listeners open on any address: something before them must keep strangers out.
    pub unprotected: bool,
}

impl Admin {
    /// Whether a stranger who reaches the listener is turned away.
    pub fn is_protected(&self) -> bool {
        !self.tokens.is_empty() || self.client_ca.is_some()
    }
}

impl Shared {
    /// What the top of the tree says, or else the sections, which must not contradict each other: the process has one
    /// database and one log.
    pub(super) fn compose(tree: &Value, sections: &BTreeMap<Service, Value>) -> Result<Self, Faults> {
        let mut own = json!({});
        let mut faults = Vec::new();
        for key in ["dsn", "log", "tracing", "admin", "ui", "trusted_proxies"] {
            if let Some(value) = tree.get(key) {
                document::set_default(&mut own, key, value.clone());
            }
        }
        for key in ["dsn", "log", "tracing"] {
            let mut said: Option<(Service, &Value)> = None;
            for (service, section) in sections {
                let Some(value) = section.get(key) else { continue };
                match said {
                    Some((first, other)) if other != value => faults.push(Fault::new(
                        format!("{service}.{key}"),
                        format!(
                            "differs from {first}.{key}: services in one process share it; set it once, at the top"
                        ),
                    )),
                    _ => said = Some((*service, value)),
                }
            }
            match (said, tree.get(key)) {
                (Some((service, value)), Some(top)) if key == "dsn" && top != value => faults.push(Fault::new(
                    format!("{service}.dsn"),
                    "differs from dsn: services in one process share one database",
                )),
                (Some((_, value)), _) => document::fill(&mut own, &json!({ key: value })),
                (None, _) => {}
            }
        }
        if !faults.is_empty() {
            return Err(Faults(faults));
        }
        serde_path_to_error::deserialize(own)
            .map_err(|error| Fault::new(error.path().to_string(), error.inner().to_string()).into())
    }
}
