//! What concerns the whole process: the database, logs, traces, who may use the admin listeners, whose word is taken for
//! a client's address.

use std::collections::BTreeMap;

use base::{GoDuration, Secret};
use jobs::EventRetention;
use serde::Deserialize;
use serde_json::{Value, json};
use telemetry::{LogConfig, TracingConfig};
use web::Network;

use super::honoured::covers;
use super::listeners::Material;
use super::{Fault, Faults, Notice, Service, document};
use crate::http::hsts::StrictTransportSecurity;

/// Keys of every section that this crate obeys, whatever the service does.
const HONOURED: &[&str] = &[
    "dsn",
    "log.level",
    "log.format",
    "log.leak_sensitive_values",
    "log.redaction_text",
    "log.additional_redacted_headers",
    "tracing.provider",
    "tracing.service_name",
    "tracing.deployment_environment",
    "tracing.providers.jaeger.local_agent_address",
    "tracing.providers.jaeger.sampling.trace_id_ratio",
    "tracing.providers.otlp.server_url",
    "tracing.providers.otlp.insecure",
    "tracing.providers.otlp.sampling.sampling_ratio",
    "tracing.providers.otlp.authorization_header",
    "version",
    "revision",
    "secrets.default",
    "secrets.system",
    "secrets.cipher",
    // Nothing is ever sent to anyone.
    "sqa",
    "sqa-opt-out",
    // Mail is always sent by the process that serves.
    "watch-courier",
];

/// Keys of each listener that this crate obeys.
const OF_LISTENERS: &[&str] = &[
    "host",
    "port",
    "base_url",
    "socket.owner",
    "socket.group",
    "socket.mode",
    "tls.enabled",
    "tls.key",
    "tls.cert",
    "cors.enabled",
    "cors.allowed_origins",
    "cors.allowed_methods",
    "cors.allowed_headers",
    "cors.exposed_headers",
    "cors.allow_credentials",
    "cors.max_age",
    "request_log.disable_for_health",
    "timeout.read",
    "timeout.write",
    "timeout.idle",
];

/// Keys that hold for all listeners of a service that do not say otherwise.
const OF_ALL_LISTENERS: &[&str] = &["serve.tls.enabled", "serve.tls.key", "serve.tls.cert"];

/// Keys by which the outbound client of a service is bounded.
const OF_CLIENTS: &[&str] = &["clients.http.disallow_private_ip_ranges", "clients.http.private_ip_exception_urls"];

/// Whether this crate obeys the key at `path` in the section of `service`.
pub(super) fn is_honoured(service: Service, path: &str) -> bool {
    let of_listener = |name: &&str| {
        let key = path.strip_prefix("serve.").and_then(|it| it.strip_prefix(*name)).and_then(|it| it.strip_prefix('.'));
        key.is_some_and(|key| covers(OF_LISTENERS, key))
    };
    crate::wiring::listener_names(service).iter().any(of_listener)
        || [HONOURED, OF_ALL_LISTENERS, OF_CLIENTS].iter().any(|keys| covers(keys, path))
}

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
    pub bounds: Bounds,
    pub strict_transport_security: StrictTransportSecurity,
    /// Addresses and networks (`10.0.0.0/8`) of proxies whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// Certificate authorities that outbound calls trust beside the system's.
    pub trusted_ca: Vec<Material>,
    pub events: Events,
    /// Features that protect, that this version lacks, and without which the start is accepted.
    pub accept_unsupported: Vec<String>,
}

/// How long the event log keeps what happened.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default)]
pub struct Events {
    pub retention: GoDuration,
    /// Events of issued tokens, which are many.
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
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default)]
pub struct Bounds {
    /// The largest body that endpoints take which anyone can call.
    pub submission_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { submission_bytes: base::bounds::SUBMISSION.bytes }
    }
}

/// Who may use the admin listeners.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Admin {
    /// Bearer tokens, any of which opens the admin API.
    pub tokens: Vec<Secret<String>>,
    /// The authority whose client certificates open the admin API.
    pub client_ca: Option<Material>,
    /// Host names by which programs call an admin listener on loopback, beside loopback names and `serve.admin.base_url`.
    pub hosts: Vec<String>,
    /// Shows the private parts of keys to callers that proved nothing.
    pub serve_private_keys: bool,
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
    /// What the top of the tree says, or else the sections. The process has one database, so that sections must not name
    /// two; and one log, so that the first section's is used, and a notice says so.
    pub(super) fn compose(
        tree: &Value,
        sections: &BTreeMap<Service, Value>,
        notices: &mut Vec<Notice>,
    ) -> Result<Self, Faults> {
        let mut own = json!({});
        let mut faults = Vec::new();
        for key in [
            "dsn",
            "log",
            "tracing",
            "admin",
            "bounds",
            "strict_transport_security",
            "ui",
            "trusted_proxies",
            "trusted_ca",
            "events",
            "accept_unsupported",
        ] {
            if let Some(value) = tree.get(key) {
                document::set_default(&mut own, key, value.clone());
            }
        }
        for key in ["dsn", "log", "tracing"] {
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
        let mut shared: Self = serde_path_to_error::deserialize(own)
            .map_err(|error| Fault::new(error.path().to_string(), error.inner().to_string()))?;
        if let Some(reason) = shared.tracing.missing() {
            notices.push(Notice::warning("tracing.provider", format!("no traces are sent: {reason}")));
            shared.tracing.provider = None;
        }
        Ok(shared)
    }
}
