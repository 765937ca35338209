//! Settings of Kratos that this version does not support.

use std::collections::BTreeMap;

use serde_json::Value;
use service::configuration::values::{get, get_item, leaves, text};
use service::{Notice, Protection, Unsupported};

use crate::config::Flows;

pub(super) const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("ciphers.algorithm", "has no effect: stored data is always sealed with XChaCha20-Poly1305"),
    ("hashers.argon2.expected_duration", "has no effect: it only served to calibrate the other settings"),
    ("hashers.argon2.expected_deviation", "has no effect: it only served to calibrate the other settings"),
    ("hashers.pbkdf2", "has no effect: new hashes use bcrypt or argon2"),
    ("database.cleanup", "has no effect: expired rows are always deleted, in small batches"),
    ("courier.templates.verifiable_address_changed", "has no effect: this message is not sent in this version"),
    ("courier.worker", "has no effect: every serving process sends mail when it is due"),
    ("expose-metrics-port", "has no effect: metrics are at /metrics/prometheus of the admin listener"),
    ("enterprise", "has no effect: it belongs to another edition of the replaced program"),
    ("organizations", "has no effect: it belongs to another edition of the replaced program"),
    ("selfservice.methods.b2b", "has no effect: it belongs to another edition of the replaced program"),
    ("preview", "has no effect: every read sees all earlier writes"),
    ("feature_flags.legacy_allow_insecure_origins", "has no effect: such origins are never allowed"),
];

pub(super) const UNSUPPORTED: &[Unsupported] = &[
    Unsupported {
        text: "security keys (WebAuthn) are not supported yet: people cannot register one or sign in with one, and people who \
               have an imported one cannot sign in where a second factor is required",
        keys: &["selfservice.methods.webauthn"],
        switch: Some("selfservice.methods.webauthn.enabled"),
    },
    Unsupported {
        text: "passkeys are not supported yet: people cannot register one or sign in with one",
        keys: &["selfservice.methods.passkey"],
        switch: Some("selfservice.methods.passkey.enabled"),
    },
    Unsupported {
        text: "sign-in with other providers is not supported yet: no provider is offered on the pages",
        keys: &["selfservice.methods.oidc"],
        switch: Some("selfservice.methods.oidc.enabled"),
    },
    Unsupported {
        text: "device-bound keys (deviceauthn) are not supported yet: people cannot register one or sign in with one",
        keys: &["selfservice.methods.deviceauthn"],
        switch: Some("selfservice.methods.deviceauthn.enabled"),
    },
    Unsupported {
        text: "SAML is not supported yet: no provider is offered on the pages",
        keys: &["selfservice.methods.saml"],
        switch: Some("selfservice.methods.saml.enabled"),
    },
    Unsupported {
        text: "CAPTCHAs are not supported: attempts are limited without them",
        keys: &["selfservice.methods.captcha"],
        switch: Some("selfservice.methods.captcha.enabled"),
    },
    Unsupported {
        text: "the password migration hook is not called yet: people whose password was not imported must recover their \
               account",
        keys: &["selfservice.methods.password.config.migrate_hook"],
        switch: Some("selfservice.methods.password.config.migrate_hook.enabled"),
    },
    Unsupported {
        text: "sessions are not exchanged for JWTs yet: tokenize_as is rejected",
        keys: &["session.whoami.tokenizer"],
        switch: None,
    },
];

/// Unsupported hooks, each kind once, and values that are replaced.
pub(super) fn notices(section: &Value) -> Vec<Notice> {
    let mut notices = hooks(section);
    if text(section, "hashers.algorithm") == Some("pbkdf2") {
        let message = "pbkdf2 is not supported for new hashes: bcrypt is used; existing hashes are still verified";
        notices.push(Notice::warning("hashers.algorithm", message));
    }
    notices
}

fn hooks(section: &Value) -> Vec<Notice> {
    let flows = get(section, "selfservice.flows").cloned().unwrap_or_default();
    let Ok(flows) = serde_json::from_value::<Flows>(flows) else { return Vec::new() };
    let mut by_kind: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for hook in flows.unperformed_hooks() {
        if let Some((path, kind)) = hook.split_once(": ") {
            by_kind.entry(kind.to_owned()).or_default().push(path.to_owned());
        }
    }
    let notice = |(kind, paths): (String, Vec<String>)| {
        let what = if kind == "web_hook" { "web-hooks are not called yet" } else { "this hook is not supported" };
        let (first, rest) = paths.split_first()?;
        let others = if rest.is_empty() { String::new() } else { format!("; also {}", rest.join(", ")) };
        Some(Notice::warning(first, format!("{kind}: {what}{others}")))
    };
    by_kind.into_iter().filter_map(notice).collect()
}

/// Web-hooks that can reject a flow, and second factors that are required of every user.
pub(super) fn protections(section: &Value) -> Vec<Protection> {
    let hook = |path| Protection {
        name: "interrupting_web_hooks",
        key: path,
        consequence: "this web-hook may stop the flow, but web-hooks are not called yet: a flow that it would reject would continue",
    };
    interrupting_hooks(section).into_iter().map(hook).chain(second_factors(section)).collect()
}

/// The paths of web-hooks whose response can stop a flow or change the identity.
fn interrupting_hooks(section: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for path in leaves(section) {
        let hook = path.strip_suffix(".config.can_interrupt").or_else(|| path.strip_suffix(".config.response.parse"));
        let Some(hook) = hook.filter(|hook| is_hook(hook)) else { continue };
        let at = |path: &str| get_item(section, path);
        let is_set = at(&path).and_then(Value::as_bool) == Some(true);
        let is_web_hook = at(&format!("{hook}.hook")).and_then(Value::as_str) == Some("web_hook");
        if is_set && is_web_hook && !found.iter().any(|known| known == hook) {
            found.push(hook.to_owned());
        }
    }
    found
}

fn is_hook(path: &str) -> bool {
    path.starts_with("selfservice.flows.") && path.split('.').any(|step| step == "hooks")
}

/// A second factor that is required of every user. `highest_available` is not: it is enforced, so users who have an
/// unsupported factor cannot sign in without it, and no other user can have one.
fn second_factors(section: &Value) -> Vec<Protection> {
    let demands = ["session.whoami.required_aal", "selfservice.flows.settings.required_aal"];
    let demands = demands.into_iter().filter(|path| text(section, path) == Some("aal2"));
    let protection = |path: &str| Protection {
        name: "second_factors",
        key: path.to_owned(),
        consequence: "this requires a second factor of every person, but no page asks people to set one up yet: people who \
                      have none could sign in without one",
    };
    demands.map(protection).collect()
}
