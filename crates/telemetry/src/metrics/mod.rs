//! Metrics in the Prometheus format.
//!
//! Each service has its own [`Registry`], because the names that dashboards use (`http_requests_total`, ...) are the same in
//! every service. The constant label `app` distinguishes them.

mod http;
mod older;
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

/// The two forms of metrics: `OpenMetrics`, and the older text that a scraper without `Accept` expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    OpenMetrics,
    Text,
}

impl Form {
    /// The form for the `Accept` headers of a request.
    pub fn accepted<'a>(headers: impl IntoIterator<Item = &'a str>) -> Self {
        let essence = |range: &str| range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let mut ranges = headers.into_iter().flat_map(|header| header.split(','));
        if ranges.any(|range| essence(range) == "application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }

    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// The build, as labels of every metric.
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
    /// An empty registry whose metrics have the labels `app` and those of the build.
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

    /// Adds metrics that are measured on each request for them.
    pub fn register_collector(&self, collector: Box<dyn Collector>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).register_collector(collector);
    }

    /// All metrics.
    pub fn encode(&self, form: Form) -> String {
        let mut text = String::with_capacity(16 * 1024);
        let registry = self.0.read().unwrap_or_else(PoisonError::into_inner);
        // Writing to a string cannot fail; a failed collector leaves the text that was written before it.
        if prometheus_client::encoding::text::encode(&mut text, &registry).is_err() {
            tracing::warn!("a metric could not be encoded");
        }
        match form {
            Form::OpenMetrics => text,
            Form::Text => older::of(&text),
        }
    }
}
