//! Configuration files: YAML, JSON and TOML, parsed strictly and placed under their section.

use std::path::Path;

use schemars::Schema;
use serde_json::{Map, Value, json};
use service::configuration::schema_of;

use super::shared::{OF_SECTIONS, Root, Shared};
use super::{Fault, Service};
use crate::services::names;

/// The top-level keys of a file for the whole process. A file with other keys is one of a replaced program.
fn root_keys(known: &[Service]) -> Vec<String> {
    let root = schema_of::<Root>();
    let services = known.iter().map(|service| service.name().to_owned());
    property_names(&root).chain(property_names(&schema_of::<Shared>())).chain(services).collect()
}

/// Our keys that a file of a replaced program can have in addition to its own.
fn keys_of_ours() -> Vec<String> {
    property_names(&schema_of::<Shared>()).filter(|key| !OF_SECTIONS.contains(&key.as_str())).collect()
}

fn property_names(schema: &Schema) -> impl Iterator<Item = String> + use<> {
    let properties = schema.get("properties").and_then(Value::as_object).cloned();
    properties.into_iter().flatten().map(|(name, _)| name)
}

/// The content of a file, placed under its section.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) value: Value,
    /// The service, when the file is one of a replaced program: its keys have no section.
    pub(super) classic: Option<Service>,
}

/// Reads a file and places it. `selected` are the services that will run: a file of a replaced program belongs to the only one
/// of them, or to the one whose keys it has.
pub(super) fn read(path: &Path, selected: &[Service]) -> Result<Placed, Fault> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| Fault::new(&name, format!("cannot be read: {error}")))?;
    let value = match path.extension().and_then(|extension| extension.to_str()) {
        // The YAML parser reads JSON as well and refuses duplicate keys, which a JSON parser would accept silently.
        Some("yml" | "yaml" | "json") => yaml(&text),
        Some("toml") => toml(&text),
        _ => Err("is of an unknown kind: the name must end in .yml, .yaml, .json or .toml".to_owned()),
    };
    let value = value.map_err(|message| Fault::new(&name, message))?;
    match value {
        Value::Null => Ok(Placed { value: json!({}), classic: None }),
        Value::Object(_) => place(value, selected).map_err(|message| Fault::new(&name, message)),
        _ => Err(Fault::new(&name, "must hold keys and values")),
    }
}

/// YAML 1.2 booleans (`no` is a text), octal numbers of both versions (`0755`, `0o755`), no duplicate keys, and a limit on
/// aliases.
pub(super) fn yaml(text: &str) -> Result<Value, String> {
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    let options = serde_saphyr::options! { strict_booleans: true, legacy_octal_numbers: true };
    let documents: Result<Vec<Value>, _> = serde_saphyr::from_multiple_with_options(text, options);
    let documents = documents.map_err(|error| {
        // Only the position: the parser's own message quotes the line, which may contain a secret.
        match error.location() {
            Some(at) => format!("is not valid at line {}, column {}: {}", at.line(), at.column(), kind(&error)),
            None => format!("is not valid: {}", kind(&error)),
        }
    })?;
    let mut documents = documents.into_iter();
    let first = documents.next().unwrap_or_default();
    if documents.any(|document| !document.is_null()) {
        return Err("contains several documents, and the replaced programs read only the first: keep one".to_owned());
    }
    Ok(whole_numbers(first))
}

/// Numbers such as `5.0` as integers, as JSON Schema defines them.
#[expect(clippy::cast_possible_truncation, reason = "only what an integer can hold exactly is made one")]
fn whole_numbers(value: Value) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT => (float as i64).into(),
            _ => Value::Number(number),
        },
        Value::Array(items) => items.into_iter().map(whole_numbers).collect(),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(key, value)| (key, whole_numbers(value))).collect())
        }
        other => other,
    }
}

/// TOML 1.0. A date becomes a text, because no key has dates.
pub(super) fn toml(text: &str) -> Result<Value, String> {
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        // Only the position, as above.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("is not valid at line {line}, column {column}: this is not TOML, or a key is duplicated")
    })?;
    Ok(from_toml(toml::Value::Table(table)))
}

fn from_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(it) => it.into(),
        toml::Value::Datetime(at) => at.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(from_toml).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(key, value)| (key, from_toml(value))).collect())
        }
    }
}

fn kind(error: &serde_saphyr::Error) -> &'static str {
    match error.without_snippet() {
        serde_saphyr::Error::DuplicateMappingKey { .. } => "a key is duplicated",
        serde_saphyr::Error::Budget { .. } => "it is too large or repeats itself too often",
        _ => "this is not YAML or JSON",
    }
}

fn is_of_ours(object: &Map<String, Value>, known: &[Service]) -> bool {
    let known = root_keys(known);
    object.keys().all(|key| known.contains(key))
}

fn place(value: Value, selected: &[Service]) -> Result<Placed, String> {
    let ours = |value| Ok(Placed { value, classic: None });
    let Value::Object(object) = &value else { return ours(value) };
    let known = Service::with(selected);
    let replaced = |service: &Service| service.definition().replaced.as_ref();
    let is_recognized = |service: &Service| replaced(service).is_some_and(|it| (it.recognizes)(object));
    if !known.iter().any(is_recognized) && is_of_ours(object, &known) {
        return ours(value);
    }
    let has_own_keys = |service: &Service, object: &Map<String, Value>| {
        replaced(service).is_some_and(|it| it.keys.iter().any(|key| object.contains_key(*key)))
    };
    let has_section = known.iter().any(|service| {
        let section = object.get(service.name()).and_then(Value::as_object);
        section.is_some_and(|section| section.contains_key("serve") || has_own_keys(service, section))
    });
    if has_section {
        // A file for the whole process with an unknown key: the schema reports the key.
        return ours(value);
    }
    let owners: Vec<Service> =
        known.iter().copied().filter(|service| has_own_keys(service, object) || is_recognized(service)).collect();
    let owner = match (owners.as_slice(), selected) {
        ([owner], _) | ([], [owner]) => *owner,
        (several, [selected]) if several.contains(selected) => *selected,
        ([], _) if let Some(owner) = owner_of_listeners(object.get("serve"), &known) => owner,
        _ => {
            let names = names().replace(" and ", " or ");
            return Err(format!("cannot be assigned to a service: put its keys under {names}"));
        }
    };
    let (mut section, mut placed) = (value, Map::new());
    if let Value::Object(section) = &mut section {
        for key in keys_of_ours() {
            if let Some(value) = section.remove(&key) {
                placed.insert(key, value);
            }
        }
    }
    placed.insert(owner.name().to_owned(), section);
    Ok(Placed { value: Value::Object(placed), classic: Some(owner) })
}

/// The service that has one of these listeners, if there is only one.
fn owner_of_listeners(serve: Option<&Value>, known: &[Service]) -> Option<Service> {
    let has = |service: &&Service| {
        service.definition().listeners.iter().any(|listener| serve.is_some_and(|it| it.get(listener.name).is_some()))
    };
    let owners: Vec<&Service> = known.iter().filter(has).collect();
    match owners.as_slice() {
        [owner] => Some(**owner),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_replaced_program_becomes_its_section() {
        let all = Service::ALL;
        let place = |value, selected: &[Service]| place(value, selected).map(|placed| (placed.value, placed.classic));
        let kratos = json!({"dsn": "memory", "identity": {"schemas": []}, "selfservice": {}});
        assert_eq!(place(kratos.clone(), &all), Ok((json!({"identity": kratos}), Some(Service::IDENTITY))));
        let hydra = json!({"dsn": "memory", "serve": {}});
        assert_eq!(place(hydra.clone(), &[Service::OAUTH]), Ok((json!({"oauth": hydra}), Some(Service::OAUTH))));
        assert!(place(hydra, &all).is_err());
        let mixed = json!({"selfservice": {}, "oidc": {}});
        assert!(place(mixed.clone(), &all).is_err());
        assert_eq!(
            place(mixed.clone(), &[Service::IDENTITY]),
            Ok((json!({"identity": mixed}), Some(Service::IDENTITY)))
        );
        let oathkeeper = json!({"serve": {}, "access_rules": {}});
        assert_eq!(place(oathkeeper.clone(), &all), Ok((json!({"gateway": oathkeeper}), Some(Service::GATEWAY))));
        let keto = json!({"dsn": "memory", "namespaces": []});
        assert_eq!(place(keto.clone(), &all), Ok((json!({"permissions": keto}), Some(Service::PERMISSIONS))));
        let keto = json!({"serve": {"read": {"port": 1}}});
        assert_eq!(place(keto.clone(), &all), Ok((json!({"permissions": keto}), Some(Service::PERMISSIONS))));
    }

    #[test]
    fn keys_of_ours_work_in_a_file_of_a_replaced_program() {
        let kratos = json!({"selfservice": {}, "admin": {"unprotected": true}, "trusted_proxies": ["10.0.0.0/8"]});
        let wanted =
            json!({"admin": {"unprotected": true}, "trusted_proxies": ["10.0.0.0/8"], "identity": {"selfservice": {}}});
        assert_eq!(place(kratos, &Service::ALL).unwrap().value, wanted);
    }

    #[test]
    fn a_file_of_ours_stays_as_it_is() {
        let ours = json!({"dsn": "memory", "identity": {"serve": {}}, "oauth": {}});
        assert_eq!(place(ours.clone(), &Service::ALL), Ok(Placed { value: ours, classic: None }));
        let misspelt = json!({"identity": {"serve": {}}, "oath": {}});
        assert_eq!(place(misspelt.clone(), &Service::ALL), Ok(Placed { value: misspelt, classic: None }));
    }

    #[test]
    fn yaml_is_read_strictly() {
        assert_eq!(yaml("a: no\nb: true"), Ok(json!({"a": "no", "b": true})));
        assert_eq!(yaml("a: 0755\nb: 0o755\nc: '0755'"), Ok(json!({"a": 0o755, "b": 0o755, "c": "0755"})));
        assert_eq!(yaml("a: 5.0\nb: 0.5\nc: [1e3]"), Ok(json!({"a": 5, "b": 0.5, "c": [1000]})));
        assert_eq!(yaml("---\na: 1\n---\n"), Ok(json!({"a": 1})));
        assert!(
            yaml("a: 1\n---\nb: planted").is_err_and(|it| it.contains("several documents") && !it.contains("planted"))
        );
        let twice = yaml("a: planted\na: planted");
        assert!(
            twice.as_ref().is_err_and(|message| message.contains("duplicated") && !message.contains("planted")),
            "{twice:?}"
        );
        assert!(yaml("a: [planted").is_err_and(|message| !message.contains("planted")));
    }

    #[test]
    fn toml_has_the_same_result_and_its_faults_name_their_position() {
        let text = "dsn = \"memory\"\n[oauth.ttl]\naccess_token = \"1h\"\n[[identity.identity.schemas]]\nid = \"a\"\nat = 1979-05-27\n";
        let schema = json!({"id": "a", "at": "1979-05-27"});
        let wanted = json!({
            "dsn": "memory", "oauth": {"ttl": {"access_token": "1h"}}, "identity": {"identity": {"schemas": [schema]}},
        });
        assert_eq!(toml(text), Ok(wanted));
        for wrong in ["a = 1\nb = \"planted", "a = 1\na = \"planted\""] {
            let message = toml(wrong).unwrap_err();
            assert!(message.contains("line 2") && !message.contains("planted"), "{message}");
        }
    }
}
