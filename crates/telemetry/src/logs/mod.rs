//! Log lines: a layer that combines an event with the fields of its spans, replaces sensitive values and writes one line.
//!
//! Fields whose name has dots (`http_request.path`) are nested in the JSON formats and flat in the text format. Fields that an
//! event does not have are taken from the nearest span that has them, so that a request's id is in each of its lines.

mod fields;
mod filter;
mod format;

use std::io::Write as _;
use std::sync::Arc;

use base::Clock;
use opentelemetry::trace::TraceContextExt as _;
use serde_json::{Map, Value};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::{LogFormat, Redaction, ServiceName};
use fields::Collect;
use format::Line;

/// The destination of lines, one call per line.
#[derive(Clone)]
pub struct Sink(Arc<WriteLine>);

type WriteLine = dyn Fn(&[u8]) + Send + Sync;

impl Sink {
    /// Standard error, so that the data of a command on standard output stays clean.
    pub fn stderr() -> Self {
        // A failed write to standard error cannot be reported anywhere.
        Self::new(|line| drop(std::io::stderr().lock().write_all(line)))
    }

    pub fn new(write: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }
}

/// Writes every event as a line.
pub struct LogLayer {
    service: ServiceName,
    format: LogFormat,
    redaction: Arc<Redaction>,
    clock: Clock,
    sink: Sink,
    colours: bool,
}

impl LogLayer {
    pub fn new(service: ServiceName, format: LogFormat, redaction: Arc<Redaction>, clock: Clock, sink: Sink) -> Self {
        Self { service, format, redaction, clock, sink, colours: false }
    }

    /// Enables colours in the text format, for a terminal.
    #[must_use]
    pub fn with_colours(mut self, colours: bool) -> Self {
        self.colours = colours;
        self
    }
}

/// The fields of a span, kept for the lines of its events.
struct SpanFields(Map<String, Value>);

impl<S> Layer<S> for LogLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Map::new();
        attributes.record(&mut Collect { fields: &mut fields, redaction: &self.redaction });
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(SpanFields(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(SpanFields(fields)) = span.extensions_mut().get_mut() {
            values.record(&mut Collect { fields, redaction: &self.redaction });
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Map::new();
        event.record(&mut Collect { fields: &mut fields, redaction: &self.redaction });
        for span in context.event_scope(event).into_iter().flatten() {
            let extensions = span.extensions();
            let Some(SpanFields(known)) = extensions.get() else { continue };
            for (name, value) in known {
                if !fields.contains_key(name) {
                    fields.insert(name.clone(), value.clone());
                }
            }
        }
        let current = opentelemetry::Context::current();
        let trace = current.span().span_context().clone();
        if trace.is_valid() {
            fields.insert("otel.trace_id".to_owned(), trace.trace_id().to_string().into());
            fields.insert("otel.span_id".to_owned(), trace.span_id().to_string().into());
        }
        let message = match fields.shift_remove("message") {
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let metadata = event.metadata();
        let line = Line {
            service: self.service,
            at: self.clock.now(),
            level: *metadata.level(),
            target: metadata.target(),
            message,
            fields,
        };
        (self.sink.0)(line.write(self.format, self.colours).as_bytes());
    }
}

#[cfg(test)]
mod tests;
