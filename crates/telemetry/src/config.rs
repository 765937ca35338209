//! The `log` and `tracing` sections of the configuration, with the keys of the files that Kleis replaces.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The level and the format of the log.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LogConfig {
    /// The least important level that is logged.
    pub level: LogLevel,
    /// The format of the log: a line for people (`text`), `json`, `json_pretty`, or the Graylog Extended Log Format
    /// (`gelf`).
    pub format: LogFormat,
    /// Whether sensitive values are logged. Use it only on a machine without data of real people.
    pub leak_sensitive_values: bool,
    /// What replaces a sensitive value in the log.
    pub redaction_text: Option<String>,
    /// Names of headers whose values are replaced in the log, besides those that always are.
    pub additional_redacted_headers: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
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

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
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

/// The destination of spans. Without a provider none are sent.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TracingConfig {
    /// Where traces are sent: `otel` (OTLP over HTTP), or `jaeger`, which is sent OTLP as well. Unset, no traces are
    /// sent. `zipkin` is accepted, and no traces are sent.
    pub provider: Option<TracingProvider>,
    /// The name of the service in traces.
    pub service_name: Option<String>,
    /// The name of the deployment in traces, for instance `production`.
    pub deployment_environment: Option<String>,
    pub providers: TracingProviders,
}

impl TracingConfig {
    /// Why no spans can be sent although a provider is configured.
    pub fn missing(&self) -> Option<&'static str> {
        let address = match self.provider? {
            TracingProvider::Zipkin => {
                return Some("zipkin is not supported: set otel, with the OTLP port of the collector");
            }
            TracingProvider::Otel => &self.providers.otlp.server_url,
            TracingProvider::Jaeger => &self.providers.jaeger.local_agent_address,
        };
        address.is_none().then_some("tracing.providers has no address for it")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TracingProvider {
    /// The agent's own protocol is obsolete: spans go to the same host over OTLP.
    Jaeger,
    Otel,
    /// Not supported: see [`TracingConfig::missing`].
    Zipkin,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TracingProviders {
    pub jaeger: Jaeger,
    pub otlp: Otlp,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Jaeger {
    /// The address of the Jaeger agent, as `host:port`. OTLP is sent to port 4318 of this host.
    pub local_agent_address: Option<String>,
    pub sampling: JaegerSampling,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct JaegerSampling {
    /// The share of traces that are sent to Jaeger, between 0 and 1.
    pub trace_id_ratio: Option<f64>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Otlp {
    /// The address of the collector, as `host:port`, which must accept OTLP over HTTP.
    pub server_url: Option<String>,
    /// Whether traces are sent over plain HTTP.
    pub insecure: bool,
    pub sampling: OtlpSampling,
    /// The header `Authorization` of requests to the collector.
    pub authorization_header: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct OtlpSampling {
    /// The share of traces that are sent, between 0 and 1.
    pub sampling_ratio: Option<f64>,
}
