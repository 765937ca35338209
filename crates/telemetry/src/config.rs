//! The `log` and `tracing` sections of the configuration, with the keys of the files that Kleis replaces.

use serde::Deserialize;
use tracing_subscriber::filter::{LevelFilter, Targets};

/// What is logged, and how.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LogConfig {
    /// The least important level that is written.
    pub level: LogLevel,
    pub format: LogFormat,
    /// Writes values that are otherwise replaced. For debugging on a machine without real people's data.
    pub leak_sensitive_values: bool,
    /// What stands in the place of a sensitive value.
    pub redaction_text: Option<String>,
    /// Header names whose values are replaced, beside those that always are.
    pub additional_redacted_headers: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    Panic,
    Fatal,
    Error,
    #[serde(alias = "warning")]
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    /// Our own crates at the level, libraries no lower than warnings: their details would drown ours.
    pub(crate) fn filter(self) -> Targets {
        let level = match self {
            Self::Panic | Self::Fatal | Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        };
        let libraries = if self == Self::Trace { LevelFilter::DEBUG } else { level.min(LevelFilter::WARN) };
        let mut filter = Targets::new().with_default(level);
        for library in ["h2", "hyper", "hyper_util", "rustls", "tokio_postgres", "opentelemetry", "opentelemetry_sdk"] {
            filter = filter.with_target(library, libraries);
        }
        filter.with_target(crate::traces::TARGET, LevelFilter::OFF)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One line for people.
    #[default]
    Text,
    Json,
    JsonPretty,
    /// Graylog Extended Log Format 1.1.
    Gelf,
}

/// Where spans go; nowhere until a provider is named.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TracingConfig {
    pub provider: Option<TracingProvider>,
    pub service_name: Option<String>,
    pub deployment_environment: Option<String>,
    pub providers: TracingProviders,
}

impl TracingConfig {
    /// Why no spans can be sent although a provider is named.
    pub fn missing(&self) -> Option<&'static str> {
        let address = match self.provider? {
            TracingProvider::Zipkin => {
                return Some("zipkin is not spoken: name otel, with the OTLP port of the collector");
            }
            TracingProvider::Otel => &self.providers.otlp.server_url,
            TracingProvider::Jaeger => &self.providers.jaeger.local_agent_address,
        };
        address.is_none().then_some("tracing.providers names no address for it")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TracingProvider {
    /// The agent's own protocol is obsolete: spans go to the same host over OTLP.
    Jaeger,
    Otel,
    /// Not spoken: see [`TracingConfig::missing`].
    Zipkin,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TracingProviders {
    pub jaeger: Jaeger,
    pub otlp: Otlp,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Jaeger {
    /// `host:port` of the agent. The port is the old protocol's; OTLP over HTTP is spoken on 4318.
    pub local_agent_address: Option<String>,
    pub sampling: JaegerSampling,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct JaegerSampling {
    pub trace_id_ratio: Option<f64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Otlp {
    /// `host:port` of a collector that speaks OTLP over HTTP.
    pub server_url: Option<String>,
    /// Plain HTTP instead of HTTPS.
    pub insecure: bool,
    pub sampling: OtlpSampling,
    pub authorization_header: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct OtlpSampling {
    pub sampling_ratio: Option<f64>,
}
