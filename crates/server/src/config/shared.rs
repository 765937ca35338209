//! The configuration of the whole process: the database, logs, traces, access to the admin listeners, trusted proxies.

use std::collections::BTreeMap;

use base::{GoDuration, Objects, Secret};
use jobs::EventRetention;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use telemetry::{LogConfig, TracingConfig};
use web::Network;

use super::listeners::Material;
use super::{Fault, Faults, Notice, Service, document};
use crate::http::hsts::StrictTransportSecurity;

/// The keys of [`Shared`] that a section can have as well.
pub(crate) const OF_SECTIONS: [&str; 3] = ["dsn", "log", "tracing"];

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Shared {
    /// The database: `sqlite:///path`, `postgres://user:password@host/name` or `memory`. Unset, it is a SQLite file in
    /// the data directory; `gateway` alone keeps none.
    pub dsn: Option<Secret<String>>,
    pub log: LogConfig,
    pub tracing: TracingConfig,
    pub admin: Admin,
    /// Design and texts of the built-in pages.
    pub ui: ui::Config,
    pub bounds: Bounds,
    pub strict_transport_security: StrictTransportSecurity,
    /// Addresses and networks of proxies whose `X-Forwarded-*` headers count.
    pub trusted_proxies: Vec<Network>,
    /// Certificate authorities that outbound connections trust besides those of the system.
    pub trusted_ca: Vec<Material>,
    pub events: Events,
    /// Protections that the configuration relies on, that this version does not have, and without which the server
    /// starts nevertheless.
    pub accept_unsupported: Vec<String>,
}

/// Keys at the top that are not in [`Shared`]: they are read by their paths.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the keys count")]
pub(crate) struct Root {
    /// The version of the format.
    version: String,
    secrets: RootSecrets,
}

/// The secrets of sections that do not set their own.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the keys count")]
struct RootSecrets {
    /// Secrets for everything that has no secret of its own, at least 16 characters each. The first one seals, all of them
    /// open. Unset, they are generated and kept in the data directory.
    default: Vec<String>,
    /// `secrets.system` of the section `oauth`.
    system: Vec<String>,
    /// `secrets.cipher` of the section `identity`, 32 characters each.
    cipher: Vec<String>,
    /// A secret that missing secrets are derived from, if there is no other.
    cookie: Vec<String>,
    /// It is accepted for files of the replaced programs.
    pagination: Vec<String>,
}

/// How long the event log keeps what happened.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Events {
    /// How long the event log keeps events.
    pub retention: GoDuration,
    /// How long the event log keeps events of issued tokens, which are many.
    pub issued_token_retention: GoDuration,
}

impl Default for Events {
    fn default() -> Self {
        let EventRetention { audit, issued } = EventRetention::default();
        Self { retention: GoDuration::new(audit), issued_token_retention: GoDuration::new(issued) }
    }
}

impl From<Events> for EventRetention {
    fn from(events: Events) -> Self {
        Self { audit: events.retention.get(), issued: events.issued_token_retention.get() }
    }
}

/// What a request may carry (`docs/bounds.md`).
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Bounds {
    /// The largest body of a request to a public listener, in bytes.
    pub submission_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { submission_bytes: base::bounds::SUBMISSION.bytes }
    }
}

/// Who may use the admin listeners.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Admin {
    /// Tokens that admin listeners require as `Authorization: Bearer`, at least 16 characters each. Any of them opens
    /// the admin API.
    pub tokens: Vec<Secret<String>>,
    /// The certificate authority whose client certificates open the admin API. It needs TLS.
    pub client_ca: Option<Material>,
    /// Host names by which programs call an admin listener on loopback, besides loopback names and
    /// `serve.admin.base_url`.
    pub hosts: Vec<String>,
    /// Whether the private parts of keys are shown to callers without a token or certificate.
    pub serve_private_keys: bool,
    /// Whether admin listeners are open on any address. Something in front of them must keep strangers out.
    pub unprotected: bool,
}

impl Admin {
    /// Whether a client without credentials is rejected.
    pub fn is_protected(&self) -> bool {
        !self.tokens.is_empty() || self.client_ca.is_some()
    }
}

impl Shared {
    /// Takes each key from the top of the tree, or else from the sections. The process has one database, so that different ones
    /// in two sections are a fault. It has one log, so that the first section's is used, with a notice.
    pub(super) fn compose(
        tree: &Value,
        sections: &BTreeMap<Service, Value>,
        notices: &mut Vec<Notice>,
    ) -> Result<Self, Faults> {
        let mut own = tree.clone();
        let mut faults = Vec::new();
        for key in OF_SECTIONS {
            let mut used: Option<(Service, &Value)> = None;
            for (service, section) in sections {
                let Some(value) = section.get(key) else { continue };
                match used {
                    Some((first, other)) if other != value && key == "dsn" => faults.push(Fault::new(
                        format!("{service}.dsn"),
                        format!(
                            "differs from {first}.dsn: services in one process share one database; name it with --dsn or \
                             KLEIS_DSN, or run the services in processes of their own"
                        ),
                    )),
                    Some((first, other)) if other != value => notices.push(Notice::warning(
                        format!("{service}.{key}"),
                        format!("has no effect where it differs from {first}.{key}: the services of one process share it"),
                    )),
                    _ => used = Some((*service, value)),
                }
            }
            match (used, tree.get(key)) {
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
        let mut shared: Self = serde_path_to_error::deserialize(Objects(own))
            .map_err(|error| Fault::new(error.path().to_string(), error.inner().to_string()))?;
        if let Some(reason) = shared.tracing.missing() {
            notices.push(Notice::warning("tracing.provider", format!("no traces are sent: {reason}")));
            shared.tracing.provider = None;
        }
        Ok(shared)
    }
}
