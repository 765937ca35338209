//! Metrics in the Prometheus manner.
//!
//! Each service has a [`Registry`] of its own, because the names that dashboards know (`http_requests_total`, ...) are
//! the same in every service and tell them apart by the constant label `app`.

mod http;
mod process;

pub use http::{HttpMetrics, HttpObservation};
pub use prometheus_client::collector::Collector;
pub use prometheus_client::encoding;
pub use prometheus_client::metrics::counter::{ConstCounter, Counter};
pub use prometheus_client::metrics::family::Family;
pub use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
pub use prometheus_client::metrics::histogram::Histogram;
pub use prometheus_client::registry::Metric;

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};

use prometheus_client::registry;

/// The media type of [`Registry::encode`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What this build is, on every metric.
#[derive(Clone, Debug)]
pub struct Build {
    pub version: &'static str,
    pub hash: &'static str,
    pub build_time: &'static str,
}

/// The metrics of one service. A cheap clone.
#[derive(Clone, Debug)]
pub struct Registry(Arc<RwLock<registry::Registry>>);

impl Registry {
    /// An empty registry whose metrics carry `app` and the build.
    pub fn new(app: &'static str, build: &Build) -> Self {
        let labels = [("app", app), ("version", build.version), ("hash", build.hash), ("buildTime", build.build_time)];
        let labels = labels.into_iter().map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)));
        let mut inner = registry::Registry::with_labels(labels);
        inner.register_collector(Box::new(process::ProcessCollector));
        Self(Arc::new(RwLock::new(inner)))
    }

    /// Adds a metric. A counter's name is written without its suffix `_total`.
    pub fn register(&self, name: &str, help: &str, metric: impl Metric) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).register(name, help, metric);
    }

    /// Adds something that is measured when it is asked for.
    pub fn register_collector(&self, collector: impl Collector) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).register_collector(Box::new(collector));
    }

    /// Everything, as `OpenMetrics` text.
    pub fn encode(&self) -> String {
        let mut text = String::with_capacity(16 * 1024);
        let registry = self.0.read().unwrap_or_else(PoisonError::into_inner);
        // Writing to a string cannot fail; a collector that gives up leaves what came before it.
        if prometheus_client::encoding::text::encode(&mut text, &registry).is_err() {
            tracing::warn!("a metric could not be encoded");
        }
        text
    }
}
