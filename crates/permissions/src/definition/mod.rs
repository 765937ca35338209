//! The definition of this service for `server`.
//!
//! Invariant: `server` uses only the keys, listeners and tables that are defined here.

mod metrics;
mod missing;

use std::sync::Arc;

use async_trait::async_trait;
use base::TenantId;
use base::causes::chain;
use serde_json::json;
use service::configuration::schema_of;
use service::{
    AdminListener, Building, Built, Check, Configuration, Definition, Diagnosing, Diagnosis, ErrorFormat, Kind,
    Listener, Parts, Replaced, Report, Secrets, Verdict,
};

use crate::{Config, Permissions};

/// A listener for programs that ask or change something about everyone.
const LISTENER: AdminListener = AdminListener { is_below_admin: false, open_paths: OPEN_PATHS, ..AdminListener::API };

/// Prefixes of paths that need no token: those of every admin listener, and the same by remote procedure calls.
/// The metadata of `AuthZEN` are for clients that have no token yet.
const OPEN_PATHS: &[&str] = &[
    "/health/",
    "/admin/health/",
    "/version",
    "/admin/version",
    crate::grpc::HEALTH,
    crate::grpc::VERSION,
    crate::http::METADATA,
];

pub const DEFINITION: Definition = Definition {
    name: "permissions",
    replaced: Some(Replaced {
        program: "keto",
        default_file: Some("keto.yml"),
        environment_prefix: "KETO_",
        keys: &["namespaces", "limit"],
        listeners: &["read", "write", "opl", "metrics"],
        recognizes: |_| false,
    }),
    configuration: Configuration {
        defaults_of_ours: || json!({ "namespaces": [], "write_validation": "strict" }),
        without_effect: missing::WITHOUT_EFFECT,
        unsupported: missing::UNSUPPORTED,
        ..Configuration::new(include_str!("../config.schema.json"), schema_of::<Config>)
    },
    // The secret for its tokens is in the database.
    secrets: Secrets::NONE,
    migrations: Some(crate::MIGRATIONS),
    retention: crate::RETENTION,
    listeners: &[
        Listener {
            name: "read",
            port: 4466,
            url_keys: &[],
            kind: Kind::Admin(AdminListener { repeats_request_id: crate::http::AUTHZEN, ..LISTENER }),
        },
        Listener { name: "write", port: 4467, url_keys: &[], kind: Kind::Admin(LISTENER) },
        Listener { name: "opl", port: 4469, url_keys: &[], kind: Kind::Admin(LISTENER) },
        Listener { name: "metrics", port: 4468, url_keys: &[], kind: Kind::Admin(LISTENER) },
    ],
    remotes: &[],
    error_format: ErrorFormat::Rest,
    text_names: Vec::new,
    build: |parts, report| -> Building<'_> { Box::pin(build(parts, report)) },
    diagnose: |_| -> Diagnosing<'_> { Box::pin(async { Vec::new() }) },
};

async fn build(parts: Parts, report: &mut Report) -> Option<Built> {
    let config = parts.read_section::<Config>(report)?;
    let Parts { database, clock, rng, http, links, directory, .. } = parts;
    let read_url = directory.base_url("permissions", "read").unwrap_or_default().parse();
    let read_url =
        read_url.map_err(|error| report.fault("serve.read.base_url", format!("is not a URL: {error}"))).ok()?;
    let permissions = Permissions::new(crate::Parts { config, database, clock, rng, read_url, http });
    let permissions = permissions.map_err(|error| report.error(&error)).ok()?;
    links.permissions.set(permissions.clone());
    // Without a model the service reports that it is not ready and keeps trying.
    if let Err(fault) = permissions.load_model().await {
        report.fail("namespaces", fault.to_string());
    } else if let Some(warning) = permissions.models.warning() {
        report.warn("namespaces", warning);
    } else if let Some(summary) = permissions.models.summary() {
        report.inform("namespaces", summary);
    }
    let mut built = Built {
        routers: vec![
            ("read", permissions.read_router()),
            ("write", permissions.write_router()),
            ("opl", permissions.opl_router()),
            // Every listener has the metrics; this one has nothing else.
            ("metrics", permissions.metrics_router()),
        ],
        checks: vec![Arc::new(ModelLoaded(permissions.clone())), Arc::new(TuplesInMemory(permissions.clone()))],
        metrics: vec![Box::new(metrics::GraphMetrics(permissions.clone()))],
        ..Built::default()
    };
    let follower = permissions.clone();
    built.beside(move |stopped| follower.follow_changes(stopped));
    built.beside(move |stopped| permissions.watch_model(stopped));
    Some(built)
}

/// A permission model is in force.
pub(crate) struct ModelLoaded(pub(crate) Arc<Permissions>);

#[async_trait]
impl Check for ModelLoaded {
    fn name(&self) -> &'static str {
        "model_loaded"
    }

    async fn run(&self) -> Result<(), String> {
        let models = &self.0.models;
        match (models.current(), models.fault()) {
            (Ok(_), _) => Ok(()),
            (Err(_), Some(fault)) => Err(fault.to_string()),
            (Err(unloaded), None) => Err(unloaded.to_string()),
        }
    }

    async fn warning(&self) -> Option<String> {
        self.0.models.warning()
    }

    async fn examine(&self) -> Option<Diagnosis> {
        let Self(permissions) = self;
        let found = permissions.count_without_condition(TenantId::DEFAULT, permissions.clock.now()).await;
        let kinds = found.unwrap_or_else(|error| vec![format!("they cannot be counted: {}", chain(&error))]);
        if kinds.is_empty() {
            return None;
        }
        let consequence = if permissions.models.current().is_ok_and(|model| model.schema.is_strict()) {
            "do not count in strict mode: write them again with a condition, or delete them"
        } else {
            "still count: write them again with a condition, delete them, or set permissions.feature_flags.strict_mode: true"
        };
        let why = format!(
            "relation tuples without a condition whose types need one by now {consequence}; {}",
            kinds.join(", ")
        );
        Some(Diagnosis::new("tuples", Verdict::Warning, why))
    }
}

/// Relation tuples that should be in memory fit. Without them the tables answer checks, so the service is ready.
pub(crate) struct TuplesInMemory(pub(crate) Arc<Permissions>);

#[async_trait]
impl Check for TuplesInMemory {
    fn name(&self) -> &'static str {
        "relation_tuples_in_memory"
    }

    async fn run(&self) -> Result<(), String> {
        Ok(())
    }

    async fn warning(&self) -> Option<String> {
        let misfits = self.0.graphs.misfits().into_iter();
        let reasons: Vec<String> = misfits.map(|(tenant, it)| format!("tenant {}: {it}", tenant.as_i32())).collect();
        let consequence = "relation tuples are not kept in memory: the tables answer checks, and searches are 503";
        (!reasons.is_empty()).then(|| format!("{consequence}; {}", reasons.join("; ")))
    }
}
