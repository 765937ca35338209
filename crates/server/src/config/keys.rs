//! Which keys have an effect: those that a type of this build reads. A key that a schema knows and no type reads is reported
//! at the start (`features`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use service::configuration::{Key, Keys, schema_of};

use super::shared::{OF_SECTIONS, Shared};
use super::{Listener, Service, Tls};
use crate::neighbours;

pub(super) use service::configuration::covers;

/// The keys of the sections, each section built when it is first asked for.
#[derive(Default)]
pub(crate) struct SectionKeys(BTreeMap<Service, Keys>);

impl SectionKeys {
    /// The keys of the section of `service` that have an effect in some deployment.
    pub(crate) fn of(&mut self, service: Service) -> &Keys {
        self.0.entry(service).or_insert_with(|| keys_of(service))
    }

    /// Whether `path` in the section of `service` has no effect, and the reason if there is one: `None` is a key that has an
    /// effect, `Some(None)` one that is not supported. `running` are the services of this process.
    #[expect(clippy::option_option, reason = "the outer says whether, the inner why")]
    pub(super) fn why_without_effect(
        &mut self,
        service: Service,
        path: &str,
        running: &[Service],
    ) -> Option<Option<String>> {
        if let Some(key) = neighbours::KEYS.iter().find(|key| key.of == service && covers(key.path, path)) {
            let is_beside = running.contains(&key.names);
            return is_beside.then(|| Some(format!("has no effect: {} runs in this process", key.names)));
        }
        if let Some((_, reason)) = REASONS.iter().find(|(pattern, _)| covers(pattern, path)) {
            return Some(Some((*reason).to_owned()));
        }
        (!self.of(service).contain(path)).then_some(None)
    }
}

fn keys_of(service: Service) -> Keys {
    let mut keys = Keys::of(&crate::wiring::section_schema(service));
    keys.add("", &schema_of::<Common>());
    keys.add("serve.tls", &schema_of::<Tls>());
    for listener in crate::wiring::listener_names(service) {
        keys.add(&format!("serve.{listener}"), &schema_of::<Listener>());
    }
    keys.extend(Keys::of(&schema_of::<Shared>()), |path| OF_SECTIONS.iter().any(|key| covers(key, path)));
    for key in neighbours::KEYS.iter().filter(|key| key.of == service) {
        keys.insert(key.path, Key { description: Some(key.description.to_owned()), default: None });
    }
    keys
}

/// Keys that every section can have, as far as its schema knows them. They are read by their paths.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Common {
    /// The version of the format. It is accepted for files of the replaced programs.
    #[serde(rename = "version")]
    _version: String,
    /// What `/health/config` answers. Unset, it is a digest of the section.
    pub(super) revision: Option<String>,
    pub(super) clients: Clients,
    #[serde(rename = "secrets")]
    _secrets: Secrets,
    /// It is accepted for files of the replaced programs: nothing is sent to anyone.
    #[serde(rename = "sqa-opt-out")]
    _sqa_opt_out: bool,
    #[serde(rename = "sqa")]
    _sqa: Sqa,
    /// It is accepted for files of Kratos: the server always sends mail.
    #[serde(rename = "watch-courier")]
    _watch_courier: bool,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Clients {
    pub(super) http: HttpClient,
}

/// How the outbound client of a service is bounded.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct HttpClient {
    /// Whether requests into private networks are refused.
    pub(crate) disallow_private_ip_ranges: bool,
    /// URLs in private networks that are requested nevertheless.
    pub(crate) private_ip_exception_urls: Vec<String>,
}

/// See `secrets`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Secrets {
    /// Secrets for everything that has no secret of its own, at least 16 characters each. The first one seals, all of them
    /// open.
    #[serde(rename = "default")]
    _default: Vec<String>,
    /// The secrets that seal what the service stores and what it hands out.
    #[serde(rename = "system")]
    _system: Vec<String>,
    /// The secrets that seal what the service stores, 32 characters each. Unset, `secrets.default` is used.
    #[serde(rename = "cipher")]
    _cipher: Vec<String>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Sqa {
    /// It is accepted for files of Hydra: nothing is sent to anyone.
    #[serde(rename = "opt_out")]
    _opt_out: bool,
}

/// Why keys are not supported, where that is meant to last or is surprising.
const REASONS: &[(&str, &str)] = &[
    ("serve.*.cors.debug", "has no effect: a refused origin shows in the request log"),
    ("serve.*.cors.options_passthrough", "has no effect: preflight requests are answered before the services"),
    ("serve.*.tls.allow_termination_from", "has no effect: name the proxy in trusted_proxies instead"),
    ("serve.tls.allow_termination_from", "has no effect: name the proxy in trusted_proxies instead"),
    ("serve.prometheus", "has no effect: metrics are at /metrics/prometheus of the listener serve.api"),
    ("serve.cookies.same_site_legacy_workaround", "has no effect: browsers that needed it are gone"),
    ("secrets.cookie", "has no effect: cookies are sealed with the other secrets, each kind with a key of its own"),
    ("secrets.pagination", "has no effect: page tokens are sealed with the other secrets, with a key of their own"),
    ("ciphers.algorithm", "has no effect: what is at rest is always sealed with XChaCha20-Poly1305"),
    ("oauth2.session.encrypt_at_rest", "has no effect: sessions are always sealed at rest"),
    ("hashers.argon2.expected_duration", "has no effect: it only served to calibrate the other settings"),
    ("hashers.argon2.expected_deviation", "has no effect: it only served to calibrate the other settings"),
    ("hashers.pbkdf2", "has no effect: new hashes are made with bcrypt or argon2"),
    (
        "security.decision.x_forwarded_headers",
        "has no effect: X-Forwarded-* of a decision is believed from the peers of serve.api.trusted_proxies, this machine by \
         default",
    ),
    ("database.cleanup", "has no effect: what expired is always deleted, in small batches"),
    ("db.ignore_unknown_table_columns", "has no effect: an older version runs beside newer tables anyway"),
    ("courier.templates.verifiable_address_changed", "has no effect: this message is not sent in this version"),
    ("courier.worker", "has no effect: mail is sent when it is due, by every process that serves"),
    ("profiling", "has no effect: profile the process from outside"),
    ("cgroups", "has no effect: limits of the container are always seen"),
    ("expose-metrics-port", "has no effect: metrics are at /metrics/prometheus of the admin listener"),
    ("hsm", "has no effect: keys in hardware are not supported"),
    ("enterprise", "has no effect: it belongs to another edition of the replaced program"),
    ("organizations", "has no effect: it belongs to another edition of the replaced program"),
    ("selfservice.methods.b2b", "has no effect: it belongs to another edition of the replaced program"),
    ("preview", "has no effect: every read sees what was written before it"),
    ("feature_flags.legacy_allow_insecure_origins", "has no effect: such origins are never allowed"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_neighbour_counts_when_it_runs_elsewhere() {
        let why = |service, path: &str, running: &[Service]| {
            SectionKeys::default().why_without_effect(service, path, running)
        };
        assert_eq!(why(Service::Identity, "oauth2_provider.url", &[Service::Identity]), None);
        let beside = Some(Some("has no effect: oauth runs in this process".to_owned()));
        assert_eq!(why(Service::Identity, "oauth2_provider.url", &Service::ALL), beside);
        let headers = "urls.identity_provider.headers.Authorization";
        assert_eq!(why(Service::Oauth, headers, &[Service::Oauth, Service::Gateway]), None);
    }

    #[test]
    fn every_reason_is_about_a_key_that_exists() {
        for (pattern, _) in REASONS {
            let known = |service: Service| super::super::unknown_to_the_schema(service, &[pattern]).is_empty();
            assert!(Service::ALL.into_iter().any(known), "{pattern}");
        }
    }
}
