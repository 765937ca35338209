//! The keys that have an effect: those that a type of this build reads. A key that a schema has and no type reads is reported
//! at the start (`features`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use service::Remote;
use service::configuration::{Key, Keys, schema_of};

use super::shared::{OF_SECTIONS, Shared};
use super::{Listener, Service, Tls};

pub(super) use service::configuration::covers;

/// The keys of the sections. Each section is built on first use.
#[derive(Default)]
pub(crate) struct SectionKeys(BTreeMap<Service, Keys>);

impl SectionKeys {
    /// The keys of the section of `service` that have an effect in some deployment.
    pub(crate) fn of(&mut self, service: Service) -> &Keys {
        self.0.entry(service).or_insert_with(|| keys_of(service))
    }

    /// The reason why `path` in the section of `service` has no effect: `None` is a key with an effect, `Some(None)` one that
    /// is not supported. `running` are the services of this process.
    #[expect(clippy::option_option, reason = "the outer says whether, the inner why")]
    pub(super) fn why_without_effect(
        &mut self,
        service: Service,
        path: &str,
        running: &[Service],
    ) -> Option<Option<String>> {
        if let Some(remote) = remote_of(service, path) {
            let is_beside = running.iter().any(|it| it.name() == remote.service);
            return is_beside.then(|| Some(format!("has no effect: {} runs in this process", remote.service)));
        }
        let own = service.definition().configuration.without_effect;
        if let Some((_, reason)) = own.iter().chain(WITHOUT_EFFECT).find(|(pattern, _)| covers(pattern, path)) {
            return Some(Some((*reason).to_owned()));
        }
        (!self.of(service).contain(path)).then_some(None)
    }
}

fn keys_of(service: Service) -> Keys {
    let mut keys = Keys::of(&(service.definition().configuration.keys)());
    keys.add("", &schema_of::<Common>());
    keys.add("serve.tls", &schema_of::<Tls>());
    for listener in service.definition().listeners {
        keys.add(&format!("serve.{}", listener.name), &schema_of::<Listener>());
    }
    keys.extend(Keys::of(&schema_of::<Shared>()), |path| OF_SECTIONS.iter().any(|key| covers(key, path)));
    for key in service.definition().remotes.iter().flat_map(Remote::keys) {
        keys.insert(key.path, Key { description: Some(key.description.to_owned()), default: None });
    }
    keys
}

/// The service in another process that the key at `path` refers to.
fn remote_of(service: Service, path: &str) -> Option<&'static Remote> {
    service.definition().remotes.iter().find(|remote| remote.keys().any(|key| covers(key.path, path)))
}

/// Keys that every section can have if its schema has them. They are read by their paths.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Common {
    /// The version of the format. It is accepted for files of the replaced programs.
    #[serde(rename = "version")]
    _version: String,
    /// The revision that `/health/config` returns. Unset, it is a digest of the section.
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

/// Limits of the outbound client of a service.
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
    /// The secrets that seal values that the service stores or sends to clients.
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

/// Keys of all services without an effect, with the reason.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("serve.*.cors.debug", "has no effect: a refused origin shows in the request log"),
    ("serve.*.cors.options_passthrough", "has no effect: preflight requests are answered before the services"),
    ("serve.*.tls.allow_termination_from", "has no effect: name the proxy in trusted_proxies instead"),
    ("serve.tls.allow_termination_from", "has no effect: name the proxy in trusted_proxies instead"),
    ("secrets.cookie", "has no effect: cookies are sealed with the other secrets, each kind with a key of its own"),
    ("secrets.pagination", "has no effect: page tokens are sealed with the other secrets, with a key of their own"),
    ("profiling", "has no effect: profile the process from outside"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_a_remote_service_has_an_effect_when_it_runs_in_another_process() {
        let why = |service, path: &str, running: &[Service]| {
            SectionKeys::default().why_without_effect(service, path, running)
        };
        assert_eq!(why(Service::IDENTITY, "oauth2_provider.url", &[Service::IDENTITY]), None);
        let beside = Some(Some("has no effect: oauth runs in this process".to_owned()));
        assert_eq!(why(Service::IDENTITY, "oauth2_provider.url", &Service::ALL), beside);
        let headers = "urls.identity_provider.headers.Authorization";
        assert_eq!(why(Service::OAUTH, headers, &[Service::OAUTH, Service::GATEWAY]), None);
    }

    #[test]
    fn every_reason_is_about_a_key_that_exists() {
        let is_known = |service: Service, path: &str| super::super::unknown_to_the_schema(service, &[path]).is_empty();
        for (path, _) in WITHOUT_EFFECT {
            assert!(Service::ALL.into_iter().any(|service| is_known(service, path)), "{path}");
        }
        for service in Service::ALL {
            for (path, _) in service.definition().configuration.without_effect {
                assert!(is_known(service, path), "{service}.{path}");
            }
        }
    }
}
