//! The statements that some work ran, by their names.

use std::fmt::Debug;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber as _;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// The result of `work` and the names of the statements that it ran, each with the file of its module: `sessions::INSERT`. Work that
/// it spawns is not recorded.
pub async fn recorded<T>(work: impl Future<Output = T>) -> (T, Vec<String>) {
    let names = Arc::new(Mutex::new(Vec::new()));
    let result = work.with_subscriber(Recorder(names.clone())).await;
    let names = std::mem::take(&mut *names.lock().unwrap_or_else(PoisonError::into_inner));
    (result, names)
}

struct Recorder(Arc<Mutex<Vec<String>>>);

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "database" && metadata.fields().field("statement").is_some()
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Name(&self.0));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Name<'a>(&'a Mutex<Vec<String>>);

impl Visit for Name<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "statement" {
            let parts: Vec<&str> = value.rsplitn(3, "::").collect();
            let name = parts.iter().take(2).rev().copied().collect::<Vec<_>>().join("::");
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
