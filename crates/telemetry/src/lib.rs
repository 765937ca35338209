//! Logs, metrics and traces for operators.
//!
//! Invariants:
//! - A secret never reaches a log line: headers, query strings and fields that contain bearer values are replaced before they
//!   are written ([`Redaction`]), unless the operator disables this explicitly.
//! - A metric's labels come from bounded sets: route patterns, known methods, status codes. They never contain a path or a
//!   person.
//! - This crate neither reads the environment nor opens a port; `server` decides what is installed and where it is shown.
//! - Nothing is sent anywhere but to the configured collector.

mod config;
mod logs;
pub mod machine;
pub mod metrics;
mod otlp;
mod redaction;
mod traces;

pub use config::{LogConfig, LogFormat, LogLevel, TracingConfig, TracingProvider, TracingProviders};
pub use logs::{LogLayer, Sink};
pub use redaction::Redaction;
pub use traces::{TraceError, Traces, record_answer, request_span};

use std::sync::Arc;

use base::{Clock, TrustStore};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The name and version of this program, in every log line and on every metric.
#[derive(Clone, Copy, Debug)]
pub struct ServiceName {
    pub name: &'static str,
    pub version: &'static str,
}

/// The destination of log lines.
pub struct Output {
    pub sink: Sink,
    /// Whether a person reads them on a terminal.
    pub colours: bool,
}

/// Installs `log` and `tracing` as the destination of all logs and spans of this process. Called once, by the binary.
///
/// # Errors
/// When the tracing settings have no usable collector, or another destination was installed before.
pub fn install(
    service: ServiceName,
    log: &LogConfig,
    tracing: &TracingConfig,
    trust: &TrustStore,
    clock: Clock,
    output: Output,
) -> Result<Traces, TraceError> {
    let redaction = Arc::new(Redaction::new(log));
    let layer = LogLayer::new(service, log.format, redaction, clock, output.sink).with_colours(output.colours);
    let traces = Traces::start(service, tracing, trust)?;
    let registry = tracing_subscriber::registry();
    let installed = match traces.layer() {
        // The filter comes first, so that disabled events cost nothing.
        None => registry.with(log.level.filter()).with(layer).try_init(),
        // The level of the log does not affect traces, and log events are not sent with spans.
        Some(spans) => {
            let traced = Targets::new().with_target(traces::TARGET, LevelFilter::TRACE);
            registry.with(layer.with_filter(log.level.filter())).with(spans.with_filter(traced)).try_init()
        }
    };
    installed.map_err(|_| TraceError::AlreadyInstalled)?;
    Ok(traces)
}
