//! Every key of every schema is obeyed or reported: none is ignored in silence, and none is said to be obeyed that nobody
//! reads.

use serde_json::{Value, json};

use super::super::document::{self, Step};
use super::super::schema::Schemas;
use super::super::{Classic, Config, Service, features, honoured};
use crate::wiring::listener_names;

/// The keys of a schema; the stars as names and positions that a document may have.
fn keys(service: Service) -> Vec<String> {
    Schemas::default().of(service).unwrap().leaves().into_iter().collect()
}

/// A section that says nothing but `value` at `path`.
fn section(path: &str, value: Value) -> Value {
    let mut steps = Vec::new();
    for step in path.split('.') {
        // What is free is a list where items are meant; a name that is a number works for both.
        steps.push(if step == "*" { Step::Key("0".to_owned()) } else { Step::Key(step.to_owned()) });
    }
    let mut section = json!({});
    assert!(document::set(&mut section, &steps, value));
    section
}

#[test]
fn a_key_is_obeyed_or_reported_with_a_reason() {
    for service in Service::ALL {
        let keys = keys(service);
        assert!(keys.len() > 100, "{service}: the walk found {} keys", keys.len());
        // Hooks are reported as hooks.
        for path in keys.into_iter().filter(|path| !path.contains(".hooks.")) {
            let mut section = section(&path, json!("x"));
            features::switch_on(service, &path.replace('*', "0"), &mut section);
            let reported = features::report(service, &section, &[service]);
            let is_obeyed = honoured::why_not(service, &path.replace('*', "0"), &[service]).is_none();
            assert_eq!(reported.is_empty(), is_obeyed, "{service}.{path}: {reported:?}");
            for notice in reported {
                assert!(
                    ["no effect", "not supported", "not exchanged", "not called"]
                        .iter()
                        .any(|it| notice.message.contains(it)),
                    "{notice}"
                );
            }
        }
    }
}

/// The texts between backticks in the part of `docs/compatibility.md` about a service, and in the part about all.
fn named_keys(service: Service) -> Vec<&'static str> {
    const DOCUMENT: &str = include_str!("../../../../../docs/compatibility.md");
    let name = service.to_string();
    let parts = DOCUMENT.split("\n## ").filter(|part| {
        let title = part.lines().next().unwrap_or_default();
        title == name || title == "Everywhere"
    });
    // A single word, such as `courier`, is mentioned for other reasons.
    let quoted = parts.flat_map(|part| part.split('`').skip(1).step_by(2));
    quoted.filter(|text| text.contains('.') || ["config", "help"].contains(text)).collect()
}

#[test]
fn a_key_without_effect_is_named_in_the_document() {
    let mut unnamed = Vec::new();
    for service in Service::ALL {
        let named = named_keys(service);
        for path in keys(service) {
            // What has a reason of its own is explained at the start.
            let has_no_effect = honoured::why_not(service, &path, &[service]).is_some_and(|reason| reason.is_none());
            if has_no_effect && !honoured::covers(&named, &path) {
                unnamed.push(format!("{service}.{path}"));
            }
        }
    }
    assert_eq!(unnamed, Vec::<String>::new(), "add them to docs/compatibility.md, or make them work");
}

#[test]
fn the_walk_meets_keys_behind_references_alternatives_and_lists() {
    let has = |service, key: &str| assert!(keys(service).iter().any(|it| it == key), "{service}.{key}");
    has(Service::Identity, "selfservice.methods.password.config.min_password_length");
    has(Service::Identity, "courier.channels.*.request_config.url");
    has(Service::Identity, "selfservice.flows.settings.after.password.hooks.*.config.url");
    has(Service::Oauth, "serve.public.tls.cert.path");
    has(Service::Gateway, "mutators.id_token.config.ttl");
}

/// Whether the service takes notice of `path`: a value of an impossible type at a key that somebody reads is an error.
fn is_read(service: Service, path: &str) -> bool {
    /// No type of ours has this form.
    fn impossible() -> Value {
        json!({ "\u{0}": [[[]]] })
    }
    let variants = |value: Value| {
        let listed = path.contains(".*.").then(|| as_lists(section(path, value.clone())));
        std::iter::once(section(path, value)).chain(listed).collect::<Vec<_>>()
    };
    let refuses = |section: Value| {
        let config = Config {
            sections: [(service, section)].into(),
            ..Config::compose(vec![service], json!({}), false, Classic::new()).unwrap()
        };
        let by_service = match service {
            Service::Identity => config.section::<identity::Config>(service, &Value::Null).is_err(),
            Service::Oauth => config.section::<oauth::Config>(service, &Value::Null).is_err(),
            Service::Gateway => config.section::<gateway::Config>(service, &Value::Null).is_err(),
        };
        let shared = super::super::Shared::compose(&json!({}), &config.sections, &mut Vec::new()).is_err();
        by_service || shared || listener_names(service).into_iter().any(|name| config.listener(service, name).is_err())
    };
    variants(impossible()).into_iter().chain(variants(json!(-1.5))).chain(variants(json!([[]]))).any(refuses)
}

/// The same with a list wherever the only name is `0`.
fn as_lists(value: Value) -> Value {
    match value {
        Value::Object(object) if object.len() == 1 && object.contains_key("0") => {
            object.into_iter().map(|(_, value)| as_lists(value)).collect()
        }
        Value::Object(object) => object.into_iter().map(|(key, value)| (key, as_lists(value))).collect(),
        other => other,
    }
}

/// Obeyed without a field of a type: each with where.
const READ_ELSEWHERE: &[(Service, &str)] = &[
    // Shared by this crate: what neighbours, secrets and clients are built from.
    (Service::Identity, "secrets"),
    (Service::Oauth, "secrets"),
    (Service::Identity, "clients.http"),
    (Service::Identity, "oauth2_provider"),
    (Service::Oauth, "urls.identity_provider"),
    // Taken as true whatever they say: nothing is sent to anyone, mail is always sent, one version of the format exists.
    (Service::Identity, "sqa-opt-out"),
    (Service::Identity, "sqa"),
    (Service::Oauth, "sqa"),
    (Service::Identity, "watch-courier"),
    (Service::Identity, "version"),
    (Service::Oauth, "version"),
    (Service::Gateway, "version"),
    (Service::Identity, "revision"),
    // Templates are kept as they are and read when they are compiled.
    (Service::Identity, "courier.templates"),
    // Handlers keep their settings as they are and read them when a rule is built.
    (Service::Gateway, "authenticators"),
    (Service::Gateway, "authorizers"),
    (Service::Gateway, "mutators"),
    (Service::Gateway, "errors"),
];

#[test]
fn every_supported_key_is_read_by_the_code() {
    let mut unread = Vec::new();
    for service in Service::ALL {
        for path in keys(service) {
            let is_obeyed = honoured::why_not(service, &path, &[service]).is_none();
            let elsewhere = READ_ELSEWHERE.iter().any(|(of, key)| *of == service && honoured::covers(&[key], &path));
            if is_obeyed && !elsewhere && !is_read(service, &path) {
                unread.push(format!("{service}.{path}"));
            }
        }
    }
    assert_eq!(unread, Vec::<String>::new());
}

#[test]
fn the_proof_that_a_key_is_read_can_fail() {
    assert!(is_read(Service::Oauth, "ttl.access_token") && is_read(Service::Identity, "session.lifespan"));
    assert!(!is_read(Service::Oauth, "hsm.pin") && !is_read(Service::Identity, "database.cleanup.batch_size"));
}
