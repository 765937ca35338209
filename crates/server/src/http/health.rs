//! Health, version and metrics, for load balancers, orchestrators and dashboards.
//!
//! `alive` reports that the process answers; `ready` that it can do its work. The public listeners report only the result, the
//! admin listeners also the reason, and what an operator should correct although the service works.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use telemetry::metrics::{Form, Registry};

pub(crate) use service::Check;

/// The state of the health endpoints of one service. A cheap clone.
#[derive(Clone)]
pub(crate) struct Health {
    pub(crate) checks: Arc<[Arc<dyn Check>]>,
    pub(crate) registry: Registry,
    /// Changes when the configuration changes.
    pub(crate) revision: Arc<str>,
}

/// The endpoints of a public listener: only health.
pub(crate) fn public(health: &Health) -> Router {
    Router::new()
        .route("/health/alive", get(alive))
        .route("/health/ready", get(ready_or_not))
        .with_state(health.clone())
}

/// The endpoints of an admin listener, at the root and under `/admin`.
pub(crate) fn admin(health: &Health) -> Router {
    let routes = || {
        Router::new()
            .route("/health/alive", get(alive))
            .route("/health/ready", get(ready_and_why))
            .route("/version", get(version))
            .route("/metrics/prometheus", get(prometheus))
    };
    routes().nest("/admin", routes()).with_state(health.clone())
}

/// `GET /health/config`: shows whether two processes run with the same configuration, without revealing it.
pub(crate) fn revision(health: &Health) -> Router {
    let routes = || Router::new().route("/health/config", get(show_revision));
    routes().nest("/admin", routes()).with_state(health.clone())
}

async fn show_revision(State(health): State<Health>) -> String {
    health.revision.to_string()
}

async fn alive() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

async fn version() -> Json<Value> {
    Json(json!({ "version": crate::VERSION }))
}

async fn ready_or_not(State(health): State<Health>) -> Response {
    let mut errors = health.failures().await;
    if errors.is_empty() {
        return alive().await.into_response();
    }
    errors.values_mut().for_each(|it| *it = "this check failed; the admin listener gives the reason".into());
    unready(&errors)
}

async fn ready_and_why(State(health): State<Health>) -> Response {
    health.explained().await
}

async fn prometheus(State(health): State<Health>, headers: HeaderMap) -> Response {
    let form = Form::accepted(headers.get_all(ACCEPT).iter().filter_map(|it| it.to_str().ok()));
    let media_type = HeaderValue::from_static(form.content_type());
    ([(CONTENT_TYPE, media_type)], health.registry.encode(form)).into_response()
}

impl Health {
    /// The same checks, for health protocols of a service.
    pub(crate) fn readiness(&self) -> service::Readiness {
        service::Readiness::new(self.checks.clone())
    }

    /// What an admin listener answers: the failed checks with their reasons, or else the warnings.
    async fn explained(&self) -> Response {
        let errors = self.failures().await;
        if !errors.is_empty() {
            return unready(&errors);
        }
        let mut warnings = Map::new();
        for check in self.checks.iter() {
            if let Some(warning) = check.warning().await {
                warnings.insert(check.name().to_owned(), warning.into());
            }
        }
        if warnings.is_empty() {
            return alive().await.into_response();
        }
        Json(json!({ "status": "ok", "warnings": warnings })).into_response()
    }

    /// The failed checks with their reasons.
    pub(crate) async fn failures(&self) -> Map<String, Value> {
        let mut errors = Map::new();
        for check in self.checks.iter() {
            if let Err(reason) = check.run().await {
                errors.insert(check.name().to_owned(), reason.into());
            }
        }
        errors
    }
}

fn unready(errors: &Map<String, Value>) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "errors": errors }))).into_response()
}
