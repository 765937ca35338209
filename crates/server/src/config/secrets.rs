//! Provides the configured secrets to the services, which use different names for them.
//!
//! Invariants:
//! - A service's own secret takes precedence over the one at the top of the configuration.
//! - A missing secret is derived, for its purpose alone, from a secret that is set for another purpose, so that nodes with the
//!   same configuration have the same secret.

use std::collections::BTreeMap;

use base::Secret;
use base::seal::derive_secret;
use serde_json::{Value, json};
use service::Secrets;

use super::{Notice, Service, document};

/// The sources of a missing secret, in order of preference.
const SOURCES: [&str; 4] = ["default", "system", "cipher", "cookie"];

/// A secret that was derived from another one.
pub(super) struct Derived {
    pub(super) notice: Notice,
    /// The path of the other one.
    pub(super) source: String,
}

/// Sets the top-level secrets, `shared`, where the sections have none, and derives what is still missing.
pub(super) fn provide(sections: &mut BTreeMap<Service, Value>, shared: Option<&Value>) -> Vec<Derived> {
    for (service, section) in sections.iter_mut() {
        share(*service, section, shared);
    }
    let mut all = Vec::new();
    let services: Vec<Service> = sections.keys().copied().collect();
    for service in services {
        let Secrets { required, purpose, .. } = service.definition().secrets;
        let (Some(section), Some(name)) = (sections.get(&service), required) else { continue };
        if !are_missing(service, section) {
            continue;
        }
        let own = find(&format!("{service}.secrets"), document::get(section, "secrets"));
        let top = || find("secrets", shared);
        let other = || {
            sections
                .iter()
                .find_map(|(other, section)| find(&format!("{other}.secrets"), document::get(section, "secrets")))
        };
        let Some((source, list)) = own.or_else(top).or_else(other) else { continue };
        let derive = |text: &str| derive_secret(&Secret::new(text.to_owned()), purpose).expose().clone();
        let derived: Vec<String> = list.iter().filter_map(Value::as_str).map(derive).collect();
        let message = format!("is not set; it is derived from {source}, which must be the same on every node");
        let notice = Notice::information(format!("{service}.secrets.{name}"), message);
        all.push(Derived { notice, source });
        if let Some(section) = sections.get_mut(&service) {
            document::set_default(section, &format!("secrets.{name}"), json!(derived));
        }
    }
    all
}

/// The first list of secrets under `place` that can be a source, and its name.
fn find(place: &str, secrets: Option<&Value>) -> Option<(String, Vec<Value>)> {
    SOURCES.iter().find_map(|name| {
        let list = secrets?.get(*name)?.as_array().filter(|list| !list.is_empty())?;
        Some((format!("{place}.{name}"), list.clone()))
    })
}

/// Sets `secrets` where those of `section` are missing.
pub(super) fn share(service: Service, section: &mut Value, secrets: Option<&Value>) {
    let (Some(secrets), Some(principal)) = (secrets, service.definition().secrets.required) else { return };
    let mut under = json!({});
    if let Some(value) = secrets.get(principal).or_else(|| secrets.get("default")).or_else(|| secrets.get("system")) {
        document::set_default(&mut under, principal, value.clone());
    }
    for name in service.definition().secrets.shared {
        if let Some(value) = secrets.get(*name) {
            document::set_default(&mut under, name, value.clone());
        }
    }
    document::fill(section, &json!({ "secrets": under }));
}

pub(super) fn are_missing(service: Service, section: &Value) -> bool {
    service
        .definition()
        .secrets
        .required
        .is_some_and(|name| document::get(section, &format!("secrets.{name}")).is_none())
}
