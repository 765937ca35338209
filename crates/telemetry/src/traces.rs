//! Spans, sent over OTLP to the configured collector. Without a collector nothing is recorded.

use std::time::Duration;

use base::TrustStore;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::otlp::CollectorClient;
use crate::{ServiceName, TracingConfig, TracingProvider};

const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);
/// OTLP over HTTP.
const OTLP_PORT: u16 = 4318;

/// Why tracing cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    #[error("tracing.provider is set, but tracing.providers has no address for it")]
    NoAddress,
    #[error("tracing.provider `zipkin` is not supported: use `otel` with the OTLP port of the collector")]
    Zipkin,
    #[error("the span exporter does not start")]
    Exporter(#[source] opentelemetry_otlp::ExporterBuildError),
    #[error("TLS to the collector cannot be set up")]
    Tls(#[source] rustls::Error),
    #[error("the span exporter needs a running runtime")]
    NoRuntime,
    #[error("logs and traces were installed before")]
    AlreadyInstalled,
}

/// The recorder of spans, if one is configured. Dropping it does not flush: [`Traces::shut_down`] does.
#[derive(Debug)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    pub(crate) fn start(service: ServiceName, config: &TracingConfig, trust: &TrustStore) -> Result<Self, TraceError> {
        let Some(provider) = config.provider else { return Ok(Self(None)) };
        let collector = Collector::of(provider, config)?;
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| TraceError::NoRuntime)?;
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(CollectorClient::new(runtime, EXPORT_TIMEOUT, trust).map_err(TraceError::Tls)?)
            .with_endpoint(collector.endpoint)
            .with_timeout(EXPORT_TIMEOUT);
        if let Some(value) = collector.authorization {
            exporter = exporter.with_headers([("authorization".to_owned(), value)].into());
        }
        let exporter = exporter.build().map_err(TraceError::Exporter)?;
        let name = config.service_name.clone().unwrap_or_else(|| service.name.to_owned());
        let mut resource = Resource::builder_empty()
            .with_service_name(name)
            .with_attribute(KeyValue::new("service.version", service.version));
        if let Some(environment) = &config.deployment_environment {
            resource = resource.with_attribute(KeyValue::new("deployment.environment.name", environment.clone()));
        }
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(collector.ratio)));
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(sampler)
            .with_resource(resource.build())
            .build();
        opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
        Ok(Self(Some(provider)))
    }

    pub(crate) fn layer<S>(&self) -> Option<impl Layer<S>>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let provider = self.0.as_ref()?;
        Some(tracing_opentelemetry::layer().with_tracer(provider.tracer("kleis")).with_target(false))
    }

    /// Whether spans are recorded, so that contexts of callers are worth reading.
    pub fn are_recorded(&self) -> bool {
        self.0.is_some()
    }

    /// Sends what is still queued. Blocks for some seconds at most; call it from a blocking thread.
    pub fn shut_down(&self) {
        if let Some(Err(error)) = self.0.as_ref().map(SdkTracerProvider::shutdown) {
            tracing::warn!(error = &error as &(dyn std::error::Error + 'static), "spans were lost at the end");
        }
    }
}

/// The collector, and the share of spans that it gets.
struct Collector {
    endpoint: String,
    authorization: Option<String>,
    ratio: f64,
}

impl Collector {
    fn of(provider: TracingProvider, config: &TracingConfig) -> Result<Self, TraceError> {
        match provider {
            TracingProvider::Otel => {
                let otlp = &config.providers.otlp;
                let address = otlp.server_url.as_deref().ok_or(TraceError::NoAddress)?;
                let scheme = if otlp.insecure { "http" } else { "https" };
                Ok(Self {
                    endpoint: format!("{scheme}://{address}/v1/traces"),
                    authorization: otlp.authorization_header.clone(),
                    ratio: otlp.sampling.sampling_ratio.unwrap_or(1.0),
                })
            }
            TracingProvider::Jaeger => {
                let jaeger = &config.providers.jaeger;
                let address = jaeger.local_agent_address.as_deref().ok_or(TraceError::NoAddress)?;
                let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
                Ok(Self {
                    endpoint: format!("http://{host}:{OTLP_PORT}/v1/traces"),
                    authorization: None,
                    ratio: jaeger.sampling.trace_id_ratio.unwrap_or(1.0),
                })
            }
            TracingProvider::Zipkin => Err(TraceError::Zipkin),
        }
    }
}

/// Spans of this target are sent to the collector and not logged. Without a collector they are disabled and cost nothing.
pub(crate) const TARGET: &str = "kleis::trace";

/// The span of a request. `endpoint` is the pattern of its route, because a path could identify people. `header` looks up a
/// request header by name.
pub fn request_span(
    method: &str,
    endpoint: Option<&str>,
    request_id: &dyn std::fmt::Display,
    header: impl Fn(&str) -> Option<String>,
) -> tracing::Span {
    let span = tracing::info_span!(
        target: TARGET,
        "request",
        otel.name = tracing::field::Empty,
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        http.request.method = method,
        http.route = endpoint,
        http.response.status_code = tracing::field::Empty,
        request_id = tracing::field::Empty,
    );
    if !span.is_disabled() {
        let name = endpoint.map_or_else(|| method.to_owned(), |endpoint| format!("{method} {endpoint}"));
        span.record("otel.name", name);
        span.record("request_id", tracing::field::display(request_id));
        continue_trace(&span, header);
    }
    span
}

/// Records the status on the span of a request. Only a server error counts as an error (OpenTelemetry's conventions for HTTP
/// servers).
pub fn record_answer(span: &tracing::Span, status: u16) {
    if span.is_disabled() {
        return;
    }
    span.record("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}

/// Makes the current span a part of the caller's trace (W3C Trace Context). `header` looks up a request header by name.
fn continue_trace(span: &tracing::Span, header: impl Fn(&str) -> Option<String>) {
    use tracing_opentelemetry::OpenTelemetrySpanExt as _;
    let Some(parent) = header("traceparent") else { return };
    let carrier = Carrier { parent, state: header("tracestate") };
    let context = opentelemetry::global::get_text_map_propagator(|propagator| propagator.extract(&carrier));
    // Refused only if the span already belongs to another trace, which it keeps then.
    drop(span.set_parent(context));
}

struct Carrier {
    parent: String,
    state: Option<String>,
}

impl opentelemetry::propagation::Extractor for Carrier {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            "traceparent" => Some(&self.parent),
            "tracestate" => self.state.as_deref(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}
