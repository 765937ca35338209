//! What a configuration asks for and this version does not do: one report for each feature, with its consequence.
//!
//! What always holds:
//! - A key that a schema knows and no type reads is reported, unless its feature is switched off in the same section.
//! - A feature that protects stops the start: without it, what it keeps out would pass. `accept_unsupported` lists
//!   the features whose loss is accepted.

use std::collections::BTreeMap;

use serde_json::Value;

use super::keys::{SectionKeys, covers};
use super::{Fault, Notice, Service, document};

/// A feature of a replaced program that is missing here.
struct Feature {
    of: Service,
    /// Its name for people, and what follows from its absence.
    text: &'static str,
    /// Where it is configured; the first is named in the report.
    keys: &'static [&'static str],
    /// The key that switches it on; without such a key it is on when any of its keys is set.
    switch: Option<&'static str>,
}

impl Feature {
    fn concerns(&self, path: &str) -> bool {
        self.keys.iter().any(|key| covers(key, path))
    }
}

const FEATURES: &[Feature] = &[
    Feature {
        of: Service::Identity,
        text: "security keys (WebAuthn) are not supported yet: nobody can register one or sign in with one, and people who \
               brought one from elsewhere are not let in where a second factor is demanded",
        keys: &["selfservice.methods.webauthn"],
        switch: Some("selfservice.methods.webauthn.enabled"),
    },
    Feature {
        of: Service::Identity,
        text: "passkeys are not supported yet: nobody can register one or sign in with one",
        keys: &["selfservice.methods.passkey"],
        switch: Some("selfservice.methods.passkey.enabled"),
    },
    Feature {
        of: Service::Identity,
        text: "sign-in with other providers is not supported yet: no provider is offered on the pages",
        keys: &["selfservice.methods.oidc"],
        switch: Some("selfservice.methods.oidc.enabled"),
    },
    Feature {
        of: Service::Identity,
        text: "device-bound keys (deviceauthn) are not supported yet: nobody can register one or sign in with one",
        keys: &["selfservice.methods.deviceauthn"],
        switch: Some("selfservice.methods.deviceauthn.enabled"),
    },
    Feature {
        of: Service::Identity,
        text: "SAML is not supported yet: no provider is offered on the pages",
        keys: &["selfservice.methods.saml"],
        switch: Some("selfservice.methods.saml.enabled"),
    },
    Feature {
        of: Service::Identity,
        text: "CAPTCHAs are not supported: attempts are limited without them",
        keys: &["selfservice.methods.captcha"],
        switch: Some("selfservice.methods.captcha.enabled"),
    },
    Feature {
        of: Service::Identity,
        text: "the password migration hook is not called yet: people whose password was not imported must recover their \
               account",
        keys: &["selfservice.methods.password.config.migrate_hook"],
        switch: Some("selfservice.methods.password.config.migrate_hook.enabled"),
    },
    Feature {
        of: Service::Identity,
        text: "sessions are not exchanged for JWTs yet: tokenize_as is refused",
        keys: &["session.whoami.tokenizer"],
        switch: None,
    },
    Feature {
        of: Service::Oauth,
        text: "the device authorization grant (RFC 8628) is not supported yet: its requests are refused",
        keys: &[
            "oauth2.device_authorization",
            "urls.device",
            "ttl.device_user_code",
            "serve.cookies.names.device_csrf",
            "webfinger.oidc_discovery.device_authorization_url",
        ],
        switch: None,
    },
    Feature {
        of: Service::Oauth,
        text: "the JWT bearer grant (RFC 7523) is not supported yet: its requests are refused",
        keys: &["oauth2.grant.jwt"],
        switch: None,
    },
    Feature {
        of: Service::Oauth,
        text: "dynamic client registration (RFC 7591) is not supported yet: clients are registered through the admin API",
        keys: &["oidc.dynamic_client_registration.enabled"],
        switch: Some("oidc.dynamic_client_registration.enabled"),
    },
    Feature {
        of: Service::Oauth,
        text: "client ID metadata documents are not supported yet: clients are registered through the admin API",
        keys: &["oauth2.client_id_metadata_document"],
        switch: Some("oauth2.client_id_metadata_document.enabled"),
    },
    Feature {
        of: Service::Gateway,
        text: "the authenticator oauth2_client_credentials is not supported yet: rules that name it are refused",
        keys: &["authenticators.oauth2_client_credentials"],
        switch: Some("authenticators.oauth2_client_credentials.enabled"),
    },
    Feature {
        of: Service::Gateway,
        text: "the authorizer keto_engine_acp_ory is not supported: rules that name it are refused",
        keys: &["authorizers.keto_engine_acp_ory"],
        switch: Some("authorizers.keto_engine_acp_ory.enabled"),
    },
    Feature {
        of: Service::Gateway,
        text: "the mutator cookie is not supported yet: rules that name it are refused",
        keys: &["mutators.cookie"],
        switch: Some("mutators.cookie.enabled"),
    },
    Feature {
        of: Service::Gateway,
        text: "the mutator hydrator is not supported yet: rules that name it are refused",
        keys: &["mutators.hydrator"],
        switch: Some("mutators.hydrator.enabled"),
    },
];

/// What the section of `service` asks for and does not get: one notice for each feature.
pub(super) fn report(service: Service, section: &Value, running: &[Service]) -> Vec<Notice> {
    let mut keys = SectionKeys::default();
    let mut notices: BTreeMap<String, Notice> = BTreeMap::new();
    let mut others = Vec::new();
    for path in document::leaves(section).into_iter().filter(|path| !path.is_empty() && !is_hook(path)) {
        let Some(reason) = keys.why_without_effect(service, &path, running) else { continue };
        let feature = FEATURES.iter().find(|it| it.of == service && it.concerns(&path));
        if let Some(feature) = feature {
            if feature.switch.is_none_or(|switch| is_true(section, switch)) {
                let key = feature.keys.first().copied().unwrap_or_default();
                let notice = || Notice::warning(format!("{service}.{key}"), feature.text);
                notices.entry(feature.text.to_owned()).or_insert_with(notice);
            }
        } else if let Some(reason) = reason {
            let value = document::get(section, &path);
            if !value.is_some_and(says_nothing) {
                // Keys without an effect for one reason are reported by the first of them.
                notices
                    .entry(reason.clone())
                    .or_insert_with(|| Notice::information(format!("{service}.{path}"), reason));
            }
        } else {
            others.push(path);
        }
    }
    let mut notices: Vec<Notice> = notices.into_values().chain(hooks(service, section)).collect();
    if service == Service::Identity
        && document::get(section, "hashers.algorithm").and_then(Value::as_str) == Some("pbkdf2")
    {
        let message = "pbkdf2 is not supported for new hashes: bcrypt is used; hashes that exist are verified";
        notices.push(Notice::warning("identity.hashers.algorithm", message));
    }
    let types = document::get(section, "oidc.subject_identifiers.supported_types").and_then(Value::as_array);
    if service == Service::Oauth && types.is_some_and(Vec::is_empty) {
        let message = "names no type; public is used";
        notices.push(Notice::warning("oauth.oidc.subject_identifiers.supported_types", message));
    }
    if !others.is_empty() {
        let message = format!("these keys are not supported yet and have no effect: {}", others.join(", "));
        notices.push(Notice::warning(service.name(), message));
    }
    notices.sort();
    notices
}

/// Web-hooks and other hooks that are not performed, each kind once.
fn hooks(service: Service, section: &Value) -> Vec<Notice> {
    if service != Service::Identity {
        return Vec::new();
    }
    let flows = document::get(section, "selfservice.flows").cloned().unwrap_or_default();
    let Ok(flows) = serde_json::from_value::<identity::config::Flows>(flows) else { return Vec::new() };
    let mut by_kind: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for hook in flows.unperformed_hooks() {
        if let Some((path, kind)) = hook.split_once(": ") {
            by_kind.entry(kind.to_owned()).or_default().push(path.to_owned());
        }
    }
    let notice = |(kind, paths): (String, Vec<String>)| {
        let what = if kind == "web_hook" { "web-hooks are not called yet" } else { "this hook is not performed" };
        let (first, rest) = paths.split_first()?;
        let others = if rest.is_empty() { String::new() } else { format!("; also {}", rest.join(", ")) };
        Some(Notice::warning(format!("identity.{first}"), format!("{kind}: {what}{others}")))
    };
    by_kind.into_iter().filter_map(notice).collect()
}

/// A feature that protects, that is configured, and that this version lacks.
pub(super) struct Protection {
    /// How `accept_unsupported` names it.
    pub(super) name: &'static str,
    pub(super) path: String,
    consequence: &'static str,
}

impl Protection {
    /// Why the start is refused, and how to accept the loss.
    pub(super) fn fault(&self) -> Fault {
        let Self { name, path, consequence } = self;
        let accept = format!("list {name} in accept_unsupported, or set KLEIS_ACCEPT_UNSUPPORTED={name}");
        Fault::new(path.clone(), format!("{consequence}; to start without it, {accept}"))
    }

    pub(super) fn accepted(&self) -> Notice {
        Notice::warning(self.path.clone(), format!("{}; accept_unsupported accepts that", self.consequence))
    }
}

/// What the section of `service` relies on for protection and does not get.
pub(super) fn missing_protections(service: Service, section: &Value) -> Vec<Protection> {
    let mut found = Vec::new();
    match service {
        Service::Identity => {
            for path in interrupting_hooks(section) {
                found.push(Protection {
                    name: "interrupting_web_hooks",
                    path: format!("identity.{path}"),
                    consequence: "this web-hook may stop the flow, and web-hooks are not called yet: whatever it would \
                                  refuse would pass",
                });
            }
            found.extend(second_factors(section));
        }
        Service::Oauth if is_true(section, "hsm.enabled") => found.push(Protection {
            name: "hardware_keys",
            path: "oauth.hsm.enabled".to_owned(),
            consequence: "keys in hardware are not supported: signing keys would lie in the database, sealed",
        }),
        Service::Oauth | Service::Gateway => {}
    }
    found
}

/// The paths of web-hooks whose answer can stop a flow or change the person.
fn interrupting_hooks(section: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for path in document::leaves(section) {
        let hook = path.strip_suffix(".config.can_interrupt").or_else(|| path.strip_suffix(".config.response.parse"));
        let Some(hook) = hook.filter(|hook| is_hook(hook)) else { continue };
        let at = |path: &str| document::get_item(section, path);
        let is_set = at(&path).and_then(Value::as_bool) == Some(true);
        let is_web_hook = at(&format!("{hook}.hook")).and_then(Value::as_str) == Some("web_hook");
        if is_set && is_web_hook && !found.iter().any(|known| known == hook) {
            found.push(hook.to_owned());
        }
    }
    found
}

/// A second factor that is demanded of everybody. `highest_available` is no such demand: it is obeyed.
fn second_factors(section: &Value) -> Vec<Protection> {
    let mut found = Vec::new();
    for path in ["session.whoami.required_aal", "selfservice.flows.settings.required_aal"] {
        if document::get(section, path).and_then(Value::as_str) == Some("aal2") {
            found.push(Protection {
                name: "second_factors",
                path: format!("identity.{path}"),
                consequence: "this demands a second factor of everybody, and nobody is led to set one up yet: people who \
                              have none would be let in without one",
            });
        }
    }
    found
}

fn is_hook(path: &str) -> bool {
    path.starts_with("selfservice.flows.") && path.split('.').any(|step| step == "hooks")
}

fn is_true(section: &Value, path: &str) -> bool {
    document::get(section, path).and_then(Value::as_bool) == Some(true)
}

/// A value that switches nothing on: what has no effect is not missed then.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

/// A section in which the feature that `path` belongs to is switched on.
#[cfg(test)]
pub(super) fn switch_on(service: Service, path: &str, section: &mut Value) {
    let feature = FEATURES.iter().find(|it| it.of == service && it.concerns(path));
    if let Some(switch) = feature.and_then(|feature| feature.switch) {
        let steps: Vec<_> = switch.split('.').map(|step| document::Step::Key(step.to_owned())).collect();
        document::set(section, &steps, Value::from(true));
    }
}
