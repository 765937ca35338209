//! The HTTP metrics that dashboards of the replaced services read (`http_requests_total` and others).
//!
//! Labels are the route pattern, the method and the status: bounded, whatever a client sends. A known combination costs
//! two shared locks and no allocation.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

use super::Registry;

const SECONDS: [f64; 15] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];
const BYTES: [f64; 7] = [100.0, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];

/// One answered request.
#[derive(Clone, Copy, Debug)]
pub struct HttpObservation<'a> {
    pub method: &'a str,
    /// The route pattern, for instance `/admin/identities/{id}`; `None` when no route matched.
    pub endpoint: Option<&'a str>,
    pub code: u16,
    pub took: Duration,
    pub request_bytes: u64,
    pub response_bytes: u64,
}

/// The HTTP metrics of one service. A cheap clone.
#[derive(Clone, Debug)]
pub struct HttpMetrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    requests: Family<ByEndpoint, Counter>,
    durations: Family<ByEndpoint, Histogram, fn() -> Histogram>,
    response_times: Family<Endpoint, Histogram, fn() -> Histogram>,
    response_sizes: Family<ByCode, Histogram, fn() -> Histogram>,
    request_sizes: Family<ByCode, Histogram, fn() -> Histogram>,
    statuses: Family<ByStatus, Counter>,
    /// By endpoint, then by method and code.
    series: RwLock<HashMap<Box<str>, Vec<Row>>>,
}

type Row = (&'static str, u16, Series);

/// The metrics that one combination of endpoint, method and code counts into.
#[derive(Clone, Debug)]
struct Series {
    requests: Counter,
    duration: Histogram,
    response_time: Histogram,
    response_size: Histogram,
    request_size: Histogram,
    status: Counter,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByEndpoint {
    code: u16,
    method: &'static str,
    endpoint: Arc<str>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByCode {
    code: u16,
    method: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Endpoint {
    endpoint: Arc<str>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByStatus {
    method: &'static str,
    status_bucket: &'static str,
}

impl HttpMetrics {
    /// Registers the metrics and returns the handle for counting.
    pub fn register(registry: &Registry) -> Self {
        let seconds: fn() -> Histogram = || Histogram::new(SECONDS);
        let bytes: fn() -> Histogram = || Histogram::new(BYTES);
        let inner = Inner {
            requests: Family::default(),
            durations: Family::new_with_constructor(seconds),
            response_times: Family::new_with_constructor(seconds),
            response_sizes: Family::new_with_constructor(bytes),
            request_sizes: Family::new_with_constructor(bytes),
            statuses: Family::default(),
            series: RwLock::default(),
        };
        registry.register("http_requests", "Answered requests", inner.requests.clone());
        registry.register("http_requests_duration_seconds", "Time to the answer", inner.durations.clone());
        registry.register("http_response_time_seconds", "Time to the answer by endpoint", inner.response_times.clone());
        registry.register("http_response_size_bytes", "Size of answers", inner.response_sizes.clone());
        registry.register("http_requests_size_bytes", "Size of requests", inner.request_sizes.clone());
        registry.register("http_requests_statuses", "Answered requests by class", inner.statuses.clone());
        Self(Arc::new(inner))
    }

    pub fn observe(&self, seen: &HttpObservation<'_>) {
        let method = known_method(seen.method);
        let endpoint = seen.endpoint.unwrap_or("unmatched");
        let count = |series: &Series| {
            let seconds = seen.took.as_secs_f64();
            series.requests.inc();
            series.duration.observe(seconds);
            series.response_time.observe(seconds);
            series.response_size.observe(approximate(seen.response_bytes));
            series.request_size.observe(approximate(seen.request_bytes));
            series.status.inc();
        };
        let all = self.0.series.read().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(endpoint).and_then(|rows| rows.iter().find(|row| row.0 == method && row.1 == seen.code));
        if let Some((_, _, series)) = known {
            count(series);
            return;
        }
        drop(all);
        let series = self.series(endpoint, method, seen.code);
        count(&series);
        let mut all = self.0.series.write().unwrap_or_else(PoisonError::into_inner);
        let rows = all.entry(endpoint.into()).or_default();
        if !rows.iter().any(|row| row.0 == method && row.1 == seen.code) {
            rows.push((method, seen.code, series));
        }
    }

    fn series(&self, endpoint: &str, method: &'static str, code: u16) -> Series {
        let inner = &self.0;
        let endpoint: Arc<str> = endpoint.into();
        let by_endpoint = ByEndpoint { code, method, endpoint: endpoint.clone() };
        let by_code = ByCode { code, method };
        Series {
            requests: inner.requests.get_or_create_owned(&by_endpoint),
            duration: inner.durations.get_or_create_owned(&by_endpoint),
            response_time: inner.response_times.get_or_create_owned(&Endpoint { endpoint }),
            response_size: inner.response_sizes.get_or_create_owned(&by_code),
            request_size: inner.request_sizes.get_or_create_owned(&by_code),
            status: inner.statuses.get_or_create_owned(&ByStatus { method, status_bucket: bucket(code) }),
        }
    }
}

/// A client may send any word as a method, which must not become a label.
fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("other")
}

fn bucket(code: u16) -> &'static str {
    match code {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

#[expect(clippy::cast_precision_loss, reason = "a histogram of sizes needs no exact bytes beyond 2^53")]
fn approximate(bytes: u64) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Build;

    #[test]
    fn requests_are_counted_under_the_names_that_dashboards_read() {
        let registry = Registry::new("identity", &Build { version: "1.2.3", hash: "abc", build_time: "now" });
        let metrics = HttpMetrics::register(&registry);
        let seen = HttpObservation {
            method: "GET",
            endpoint: Some("/sessions/{id}"),
            code: 200,
            took: Duration::from_millis(3),
            request_bytes: 10,
            response_bytes: 2000,
        };
        metrics.observe(&seen);
        metrics.observe(&seen);
        metrics.observe(&HttpObservation { method: "BREW", endpoint: None, code: 404, ..seen });
        let text = registry.encode(crate::metrics::Form::OpenMetrics);
        for line in [
            r#"http_requests_total{app="identity",version="1.2.3",hash="abc",buildTime="now",code="200",method="GET",endpoint="/sessions/{id}"} 2"#,
            r#"code="404",method="other",endpoint="unmatched"} 1"#,
            r#"status_bucket="2xx"} 2"#,
            "http_requests_duration_seconds_bucket",
            "http_response_time_seconds_sum",
            "http_response_size_bytes_count",
            "http_requests_size_bytes_count",
            "process_resident_memory_bytes",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}
