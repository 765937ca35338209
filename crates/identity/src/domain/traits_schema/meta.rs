//! The requirements on an identity schema beyond those on a JSON Schema, so that a mistake is found at the start and not at
//! the first registration.

use serde_json::{Map, Value};

use super::SchemaError;

const FORMATS_OF_ADDRESSES: [&str; 6] = ["email", "tel", "date", "time", "date-time", "no-validate"];

/// Checks a schema document.
pub(super) fn check(document: &Value) -> Result<(), SchemaError> {
    let rule = |pointer: &str, problem| SchemaError::Rule { pointer: pointer.to_owned(), problem };
    if !document.is_object() {
        return Err(rule("", "an identity schema must be an object"));
    }
    let traits =
        document.pointer("/properties/traits").ok_or_else(|| rule("/properties", "must describe \"traits\""))?;
    if traits.get("type").is_some_and(|kind| kind != "object") {
        return Err(rule("/properties/traits/type", "must be \"object\""));
    }
    let properties = traits
        .get("properties")
        .and_then(Value::as_object)
        .filter(|properties| !properties.is_empty())
        .ok_or_else(|| rule("/properties/traits/properties", "must describe one trait or more"))?;
    for (name, property) in properties {
        check_verifiable(name, property)?;
    }
    walk("", document, Holds::Schema)
}

/// The meaning of the keys of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Schema,
    /// Names that the schema defines, each with a schema.
    Named,
}

fn check_verifiable(name: &str, property: &Value) -> Result<(), SchemaError> {
    let verifiable = property.pointer("/ory.sh~1kratos/verification").is_some();
    let format = property.get("format").and_then(Value::as_str);
    if verifiable && format.is_some_and(|format| !FORMATS_OF_ADDRESSES.contains(&format)) {
        return Err(SchemaError::Rule {
            pointer: format!("/properties/traits/properties/{name}/format"),
            problem: "a trait that is verified may have the format email, tel, date, time, date-time or no-validate",
        });
    }
    Ok(())
}

fn walk(pointer: &str, value: &Value, holds: Holds) -> Result<(), SchemaError> {
    match value {
        Value::Object(object) => {
            for (key, child) in object {
                let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                match key.as_str() {
                    _ if holds == Holds::Named => walk(&pointer, child, Holds::Schema)?,
                    "ory.sh/kratos" => check_keyword(&pointer, child)?,
                    "properties" | "patternProperties" | "definitions" | "$defs" => {
                        walk(&pointer, child, Holds::Named)?;
                    }
                    // These contain data, not schemas.
                    "examples" | "default" | "const" | "enum" => {}
                    _ => walk(&pointer, child, Holds::Schema)?,
                }
            }
            Ok(())
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| walk(&format!("{pointer}/{index}"), item, Holds::Schema)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn check_keyword(pointer: &str, value: &Value) -> Result<(), SchemaError> {
    let top = object(pointer, value)?;
    known(pointer, top, &["credentials", "verification", "recovery", "organizations"])?;
    if let Some(credentials) = top.get("credentials") {
        let pointer = format!("{pointer}/credentials");
        let credentials = object(&pointer, credentials)?;
        known(&pointer, credentials, &["password", "webauthn", "passkey", "totp", "code"])?;
        for (method, flag, via) in [
            ("password", "identifier", false),
            ("webauthn", "identifier", false),
            ("passkey", "display_name", false),
            ("totp", "account_name", false),
            ("code", "identifier", true),
        ] {
            let Some(settings) = credentials.get(method) else { continue };
            let pointer = format!("{pointer}/{method}");
            let settings = object(&pointer, settings)?;
            known(&pointer, settings, if via { &["identifier", "via"] } else { std::slice::from_ref(&flag) })?;
            if settings.get(flag).is_some_and(|value| !value.is_boolean()) {
                return Err(SchemaError::Rule { pointer: format!("{pointer}/{flag}"), problem: "must be a boolean" });
            }
            one_of(&pointer, settings, "via", &["email", "sms"])?;
        }
    }
    for (key, setting, choices) in [
        ("verification", "via", &["email", "sms"][..]),
        ("recovery", "via", &["email", "sms"]),
        ("organizations", "matcher", &["email_domain"]),
    ] {
        let Some(settings) = top.get(key) else { continue };
        let pointer = format!("{pointer}/{key}");
        let settings = object(&pointer, settings)?;
        known(&pointer, settings, &[setting])?;
        one_of(&pointer, settings, setting, choices)?;
    }
    Ok(())
}

fn object<'v>(pointer: &str, value: &'v Value) -> Result<&'v Map<String, Value>, SchemaError> {
    value.as_object().ok_or_else(|| SchemaError::Rule { pointer: pointer.to_owned(), problem: "must be an object" })
}

fn known(pointer: &str, object: &Map<String, Value>, keys: &[&str]) -> Result<(), SchemaError> {
    match object.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(SchemaError::UnknownKey { pointer: pointer.to_owned(), key: key.clone() }),
        None => Ok(()),
    }
}

fn one_of(pointer: &str, object: &Map<String, Value>, key: &str, choices: &[&str]) -> Result<(), SchemaError> {
    match object.get(key) {
        Some(value) if !value.as_str().is_some_and(|text| choices.contains(&text)) => {
            Err(SchemaError::Rule { pointer: format!("{pointer}/{key}"), problem: "is not one of the known values" })
        }
        _ => Ok(()),
    }
}
