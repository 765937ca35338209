//! Configured features that this version does not have: one report for each feature, with its consequence.
//!
//! Invariants:
//! - A key that a schema has and no type reads is reported, unless its feature is switched off in the same section.
//! - A missing feature that protects stops the start. `accept_unsupported` lists the features whose loss is accepted.

use std::collections::BTreeMap;

use serde_json::Value;
use service::Unsupported;
use service::configuration::values::is_true;

use super::keys::{SectionKeys, covers};
use super::{Fault, Notice, Service, document};

/// Whether the key at `path` configures the feature.
fn concerns(feature: &Unsupported, path: &str) -> bool {
    feature.keys.iter().any(|key| covers(key, path))
}

/// One notice for each missing feature that the section of `service` configures.
pub(super) fn report(service: Service, section: &Value, running: &[Service]) -> Vec<Notice> {
    let mut keys = SectionKeys::default();
    let mut notices: BTreeMap<String, Notice> = BTreeMap::new();
    let mut others = Vec::new();
    for path in document::leaves(section).into_iter().filter(|path| !path.is_empty() && !is_hook(path)) {
        let Some(reason) = keys.why_without_effect(service, &path, running) else { continue };
        let feature = service.definition().configuration.unsupported.iter().find(|it| concerns(it, &path));
        if let Some(feature) = feature {
            if feature.switch.is_none_or(|switch| is_true(section, switch)) {
                let key = feature.keys.first().copied().unwrap_or_default();
                let notice = || Notice::warning(format!("{service}.{key}"), feature.text);
                notices.entry(feature.text.to_owned()).or_insert_with(notice);
            }
        } else if let Some(reason) = reason {
            let value = document::get(section, &path);
            if !value.is_some_and(switches_nothing_on) {
                // Keys without effect for the same reason are reported together, under the first of them.
                notices
                    .entry(reason.clone())
                    .or_insert_with(|| Notice::information(format!("{service}.{path}"), reason));
            }
        } else if !document::get(section, &path).is_some_and(is_empty) {
            others.push(path);
        }
    }
    let more = (service.definition().configuration.notices)(section);
    let more = more.into_iter().map(|notice| Notice::of(service, notice));
    let mut notices: Vec<Notice> = notices.into_values().chain(more).collect();
    if !others.is_empty() {
        let message = format!("these keys are not supported yet and have no effect: {}", others.join(", "));
        notices.push(Notice::warning(service.name(), message));
    }
    notices.sort();
    notices
}

/// A configured feature that protects and that this version does not have.
pub(super) struct Protection {
    /// Its name in `accept_unsupported`.
    pub(super) name: &'static str,
    pub(super) path: String,
    consequence: &'static str,
}

impl Protection {
    /// The reason to refuse the start, and how to accept the loss.
    pub(super) fn fault(&self) -> Fault {
        let Self { name, path, consequence } = self;
        let accept = format!("list {name} in accept_unsupported, or set KLEIS_ACCEPT_UNSUPPORTED={name}");
        Fault::new(path.clone(), format!("{consequence}; to start without it, {accept}"))
    }

    pub(super) fn accepted(&self) -> Notice {
        Notice::warning(self.path.clone(), format!("{}; accept_unsupported accepts that", self.consequence))
    }
}

/// The missing protections that the section of `service` configures.
pub(super) fn missing_protections(service: Service, section: &Value) -> Vec<Protection> {
    let missing = (service.definition().configuration.missing_protections)(section);
    let path = |key: &str| format!("{service}.{key}");
    missing
        .into_iter()
        .map(|it| Protection { name: it.name, path: path(&it.key), consequence: it.consequence })
        .collect()
}

fn is_hook(path: &str) -> bool {
    path.starts_with("selfservice.flows.") && path.split('.').any(|step| step == "hooks")
}

/// Whether a value switches nothing on, so that its lack of effect needs no report.
fn switches_nothing_on(value: &Value) -> bool {
    match value {
        Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        other => is_empty(other),
    }
}

/// Whether a value has nothing in it that could have an effect.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// A section in which the feature of `path` is switched on.
#[cfg(test)]
pub(super) fn switch_on(service: Service, path: &str, section: &mut Value) {
    let feature = service.definition().configuration.unsupported.iter().find(|it| concerns(it, path));
    if let Some(switch) = feature.and_then(|feature| feature.switch) {
        let steps: Vec<_> = switch.split('.').map(|step| document::Step::Key(step.to_owned())).collect();
        document::set(section, &steps, Value::from(true));
    }
}
