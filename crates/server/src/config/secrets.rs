//! How the secrets at the top of the configuration reach the sections, which call them by different names.

use serde_json::{Value, json};

use super::{Service, document};

/// The name of the secret that a service cannot do without.
const fn principal(service: Service) -> Option<&'static str> {
    match service {
        Service::Identity => Some("default"),
        Service::Oauth => Some("system"),
        // The gateway signs with keys that its rules name.
        Service::Gateway => None,
    }
}

/// Lays `secrets` beneath those of `section`.
pub(super) fn share(service: Service, section: &mut Value, secrets: Option<&Value>) {
    let (Some(secrets), Some(principal)) = (secrets, principal(service)) else { return };
    let mut under = json!({});
    if let Some(value) = secrets.get(principal).or_else(|| secrets.get("default")).or_else(|| secrets.get("system")) {
        document::set_default(&mut under, principal, value.clone());
    }
    let others: &[&str] =
        if service == Service::Identity { &["cookie", "cipher", "pagination"] } else { &["cookie", "pagination"] };
    for name in others {
        if let Some(value) = secrets.get(*name) {
            document::set_default(&mut under, name, value.clone());
        }
    }
    document::fill(section, &json!({ "secrets": under }));
}

pub(super) fn are_missing(service: Service, section: &Value) -> bool {
    principal(service).is_some_and(|name| document::get(section, &format!("secrets.{name}")).is_none())
}
