//! What Kleis tells its operators: logs, metrics and traces.
//!
//! What always holds:
//! - A secret never reaches a log line: headers, query strings and fields that carry bearer values are replaced before
//!   they are written ([`Redaction`]), unless the operator asks for them by name.
//! - A metric's labels come from bounded sets: route patterns, known methods, status codes. Never a path, never a person.
//! - Nothing here reads the environment or opens a port; `server` decides what is installed and where it is shown.
//! - Nothing is ever sent to anyone but the collector that the configuration names.

mod config;
mod logs;
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

/// Who speaks: stands in every log line and on every metric.
#[derive(Clone, Copy, Debug)]
pub struct ServiceName {
    pub name: &'static str,
    pub version: &'static str,
}

/// Where log lines go.
pub struct Output {
    pub sink: Sink,
    /// Whether a person reads them on a terminal.
    pub colours: bool,
}

/// Makes `log` and `tracing` the destination of everything this process says. Called once, by the binary.
///
/// # Errors
/// When the tracing settings name no usable collector, or another destination was installed before.
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
        // One filter before everything else: what nobody wants costs nothing.
        None => registry.with(log.level.filter()).with(layer).try_init(),
        // The level of the log does not decide what is traced, and what is logged does not travel.
        Some(spans) => {
            let traced = Targets::new().with_target(traces::TARGET, LevelFilter::TRACE);
            registry.with(layer.with_filter(log.level.filter())).with(spans.with_filter(traced)).try_init()
        }
    };
    installed.map_err(|_| TraceError::AlreadyInstalled)?;
    Ok(traces)
}
