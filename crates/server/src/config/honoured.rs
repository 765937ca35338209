//! Which keys have an effect. A key that a schema knows and no code obeys is reported at the start (`features`): nothing is
//! ignored in silence.

use super::{Service, shared};
use crate::neighbours;

/// Whether `path` in the section of `service` has no effect, and the reason where there is one to tell: `None` is a key
/// that is obeyed, `Some(None)` one that is not supported. `running` are the services of this process.
#[expect(clippy::option_option, reason = "the outer says whether, the inner why")]
pub(super) fn why_not(service: Service, path: &str, running: &[Service]) -> Option<Option<String>> {
    if let Some(key) = neighbours::KEYS.iter().find(|key| key.of == service && covers(&[key.path], path)) {
        let is_beside = running.contains(&key.names);
        return is_beside.then(|| Some(format!("has no effect: {} runs in this process", key.names)));
    }
    if let Some((_, reason)) = REASONS.iter().find(|(pattern, _)| covers(&[pattern], path)) {
        return Some(Some((*reason).to_owned()));
    }
    let is_obeyed = covers(crate::wiring::honoured(service), path) || shared::is_honoured(service, path);
    (!is_obeyed).then_some(None)
}

/// What to tell about keys whose absence is meant to last, or surprises.
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

/// Whether `path` is covered by one of `patterns`: dotted paths in which `*` stands for one step. A pattern covers what
/// lies beneath it.
pub(super) fn covers(patterns: &[&str], path: &str) -> bool {
    patterns.iter().any(|pattern| {
        let mut steps = path.split('.');
        pattern.split('.').all(|wanted| steps.next().is_some_and(|step| wanted == "*" || wanted == step))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_step_and_a_pattern_covers_what_is_beneath() {
        let patterns = ["serve.public.port", "selfservice.flows.*.lifespan", "courier.smtp"];
        for path in ["serve.public.port", "selfservice.flows.login.lifespan", "courier.smtp.headers.x"] {
            assert!(covers(&patterns, path), "{path}");
        }
        for path in ["serve.public.host", "serve.public", "selfservice.flows.lifespan", "courier"] {
            assert!(!covers(&patterns, path), "{path}");
        }
    }

    #[test]
    fn the_address_of_a_neighbour_counts_when_it_runs_elsewhere() {
        let why = |running: &[Service]| why_not(Service::Identity, "oauth2_provider.url", running);
        assert_eq!(why(&[Service::Identity]), None);
        assert_eq!(why(&Service::ALL), Some(Some("has no effect: oauth runs in this process".to_owned())));
        let headers = "urls.identity_provider.headers.Authorization";
        assert_eq!(why_not(Service::Oauth, headers, &[Service::Oauth, Service::Gateway]), None);
    }

    #[test]
    fn every_reason_is_about_a_key_that_exists_and_is_not_obeyed() {
        for (pattern, _) in REASONS {
            let known = |service: &Service| super::super::unknown_to_the_schema(*service, &[pattern]).is_empty();
            let knowing: Vec<Service> = Service::ALL.into_iter().filter(known).collect();
            assert!(!knowing.is_empty(), "{pattern}");
            for service in knowing {
                assert!(why_not(service, pattern, &[]).is_some(), "{service}.{pattern} is obeyed");
            }
        }
    }
}
