//! The fields of an event or a span as JSON values. Sensitive ones are replaced when they are recorded.

use std::error::Error;
use std::fmt::{self, Write as _};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};

use crate::Redaction;

/// Collects recorded fields into a map.
pub(super) struct Collect<'a> {
    pub(super) fields: &'a mut Map<String, Value>,
    pub(super) redaction: &'a Redaction,
}

impl Collect<'_> {
    fn put(&mut self, field: &Field, value: impl FnOnce() -> Value) {
        let name = field.name();
        let value = match self.redaction.replaces(name) {
            Some(text) => text.into(),
            None => value(),
        };
        self.fields.insert(name.to_owned(), value);
    }
}

impl Visit for Collect<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, || format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, || value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, || value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, || value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, || value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, || value.into());
    }

    /// An error with its causes: `Display` of our errors is one fragment, and the causes are appended.
    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        self.put(field, || {
            let mut text = error.to_string();
            let mut source = error.source();
            while let Some(cause) = source {
                // Writing to a string cannot fail.
                let _ = write!(text, ": {cause}");
                source = cause.source();
            }
            text.into()
        });
    }
}
