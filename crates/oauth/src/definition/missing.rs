//! Settings of Hydra that are not supported.

use serde_json::Value;
use service::configuration::values::{get, is_true};
use service::{Notice, Protection, Unsupported};

pub(super) const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("feature_flags.legacy_allow_insecure_origins", "has no effect: such origins are never allowed"),
    ("serve.cookies.same_site_legacy_workaround", "has no effect: no supported browser needs it"),
    ("oauth2.session.encrypt_at_rest", "has no effect: sessions are always sealed at rest"),
    ("db.ignore_unknown_table_columns", "has no effect: older versions work with newer tables anyway"),
    ("cgroups", "has no effect: container limits are always respected"),
    ("hsm", "has no effect: keys in hardware are not supported"),
];

pub(super) const UNSUPPORTED: &[Unsupported] = &[
    Unsupported {
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
    Unsupported {
        text: "the JWT bearer grant (RFC 7523) is not supported yet: its requests are refused",
        keys: &["oauth2.grant.jwt"],
        switch: None,
    },
    Unsupported {
        text: "dynamic client registration (RFC 7591) is not supported yet: clients are registered through the admin API",
        keys: &["oidc.dynamic_client_registration.enabled"],
        switch: Some("oidc.dynamic_client_registration.enabled"),
    },
    Unsupported {
        text: "client ID metadata documents are not supported yet: clients are registered through the admin API",
        keys: &["oauth2.client_id_metadata_document"],
        switch: Some("oauth2.client_id_metadata_document.enabled"),
    },
];

pub(super) fn notices(section: &Value) -> Vec<Notice> {
    const TYPES: &str = "oidc.subject_identifiers.supported_types";
    let types = get(section, TYPES).and_then(Value::as_array);
    let is_empty = types.is_some_and(Vec::is_empty);
    is_empty.then(|| Notice::warning(TYPES, "names no type; public is used")).into_iter().collect()
}

pub(super) fn protections(section: &Value) -> Vec<Protection> {
    let hardware_keys = is_true(section, "hsm.enabled").then(|| Protection {
        name: "hardware_keys",
        key: "hsm.enabled".to_owned(),
        consequence: "keys in hardware are not supported: signing keys would be sealed in the database",
    });
    hardware_keys.into_iter().collect()
}
