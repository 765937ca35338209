//! Every key of every schema is read by a type or reported; none is ignored silently. Every key that a type reads is in a
//! schema.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use service::configuration::{Keys, schema_of};

use super::super::document::{self, Step};
use super::super::keys::{Common, SectionKeys, covers};
use super::super::schema::Schemas;
use super::super::shared::{Root, Shared};
use super::super::{Service, features, unknown_to_the_schema};

/// The keys of a schema, with stars for free names and indexes.
fn keys(service: Service) -> Vec<String> {
    Schemas::default().of(service).unwrap().leaves().into_iter().collect()
}

/// A section that contains only `value` at `path`.
fn section(path: &str, value: Value) -> Value {
    let mut steps = Vec::new();
    for step in path.split('.') {
        // A star may be an index or a name; a number works for both.
        steps.push(if step == "*" { Step::Key("0".to_owned()) } else { Step::Key(step.to_owned()) });
    }
    let mut section = json!({});
    assert!(document::set(&mut section, &steps, value));
    section
}

#[test]
fn a_key_has_an_effect_or_is_reported_with_a_reason() {
    let mut supported = SectionKeys::default();
    for service in Service::ALL {
        let keys = keys(service);
        assert!(keys.len() > 90, "{service}: the walk found {} keys", keys.len());
        // Hooks are reported as hooks.
        for path in keys.into_iter().filter(|path| !path.contains(".hooks.")) {
            let mut section = section(&path, json!("x"));
            features::switch_on(service, &path.replace('*', "0"), &mut section);
            let reported = features::report(service, &section, &[service]);
            let is_obeyed = supported.why_without_effect(service, &path.replace('*', "0"), &[service]).is_none();
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

/// The texts between backticks in the part of `docs/compatibility.md` about a service, and in the part about all services.
fn named_keys(service: Service) -> Vec<&'static str> {
    const DOCUMENT: &str = include_str!("../../../../../docs/compatibility.md");
    let name = service.to_string();
    let parts = DOCUMENT.split("\n## ").filter(|part| {
        let title = part.lines().next().unwrap_or_default();
        title == name || title == "Everywhere"
    });
    // A single word, such as `courier`, can be mentioned for other reasons.
    let quoted = parts.flat_map(|part| part.split('`').skip(1).step_by(2));
    quoted.filter(|text| text.contains('.') || ["config", "help"].contains(text)).collect()
}

#[test]
fn a_key_without_effect_is_named_in_the_document() {
    let mut unnamed = Vec::new();
    let mut supported = SectionKeys::default();
    for service in Service::ALL {
        let named = named_keys(service);
        for path in keys(service) {
            // A key with a reason of its own is explained at the start.
            let has_no_effect =
                supported.why_without_effect(service, &path, &[service]).is_some_and(|reason| reason.is_none());
            if has_no_effect && !named.iter().any(|key| covers(key, &path)) {
                unnamed.push(format!("{service}.{path}"));
            }
        }
    }
    assert_eq!(unnamed, Vec::<String>::new(), "add them to docs/compatibility.md, or make them work");
}

#[test]
fn the_walk_meets_keys_behind_references_alternatives_and_lists() {
    let has = |service, key: &str| assert!(keys(service).iter().any(|it| it == key), "{service}.{key}");
    has(Service::IDENTITY, "selfservice.methods.password.config.min_password_length");
    has(Service::IDENTITY, "courier.channels.*.request_config.url");
    has(Service::IDENTITY, "selfservice.flows.settings.after.password.hooks.*.config.url");
    has(Service::OAUTH, "serve.public.tls.cert.path");
    has(Service::GATEWAY, "mutators.id_token.config.ttl");
}

#[test]
fn every_key_that_a_type_reads_is_known_to_the_schema() {
    for service in Service::ALL {
        let mut keys = SectionKeys::default();
        let common = [Keys::of(&schema_of::<Common>()), Keys::of(&schema_of::<Shared>())];
        // Keys that every section can have if its schema has them, and keys of some flows.
        let is_common = |path: &str| {
            common.iter().any(|keys| keys.contain(path))
                || path.starts_with("serve.")
                || path.contains(".hooks.")
                || path.contains(".after.*.")
        };
        let own: Vec<&str> = keys.of(service).iter().map(|(path, _)| path).filter(|path| !is_common(path)).collect();
        assert_eq!(unknown_to_the_schema(service, &own), Vec::<&str>::new(), "{service}");
    }
}

#[test]
fn every_key_of_the_whole_process_is_read_and_known() {
    let schemas = Schemas::default();
    let root = schemas.root().unwrap();
    let mut keys = Keys::of(&schema_of::<Shared>());
    keys.add("", &schema_of::<Root>());
    let unread: Vec<String> = root.leaves().into_iter().filter(|path| !is_read_at_the_top(&keys, path)).collect();
    assert_eq!(unread, Vec::<String>::new(), "no type reads them");
    let unknown: Vec<&str> = keys.iter().map(|(path, _)| path).filter(|path| !root.knows(path)).collect();
    assert_eq!(unknown, Vec::<&str>::new(), "the schema does not have them");
}

/// Keys of files of the replaced programs that no type reads at the top: `docs/compatibility.md` lists them as absent.
const UNREAD_AT_THE_TOP: [&str; 2] = ["tracing.providers.zipkin", "tracing.providers.jaeger.sampling.server_url"];

/// Whether the section's types read the key at the top.
fn is_read_at_the_top(keys: &Keys, path: &str) -> bool {
    Service::ALL.iter().any(|service| path == service.name())
        || UNREAD_AT_THE_TOP.iter().any(|key| covers(key, path))
        || keys.contain(path)
}

#[derive(Deserialize, JsonSchema)]
struct Planted {
    #[serde(rename = "ttl")]
    _ttl: PlantedTtl,
}

#[derive(Deserialize, JsonSchema)]
struct PlantedTtl {
    #[serde(rename = "access_token")]
    _access_token: String,
    #[serde(rename = "planted")]
    _planted: String,
}

#[test]
fn a_planted_key_is_found_on_either_side() {
    let keys = Keys::of(&schema_of::<Planted>());
    let read: Vec<&str> = keys.iter().map(|(path, _)| path).collect();
    assert_eq!(unknown_to_the_schema(Service::OAUTH, &read), ["ttl.planted"]);
    let contract = Schemas::default().of(Service::OAUTH).unwrap().leaves();
    let unread: Vec<&String> = contract.iter().filter(|path| path.starts_with("ttl.") && !keys.contain(path)).collect();
    assert!(unread.iter().any(|path| *path == "ttl.id_token"), "{unread:?}");
    assert!(!unread.iter().any(|path| *path == "ttl.access_token"), "{unread:?}");
}
