//! Settings of handlers: a rule's settings are merged into the global ones and deserialized into the handler's type.

use base::OfObjects;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName};
use serde::de::value::Error;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};
use url::Url;

use crate::domain::headers::is_hop_by_hop;

/// Objects are merged member by member, other values are replaced. Missing settings are an empty object.
pub(super) fn merged(global: Option<&Value>, rule: &Value) -> Value {
    let mut settings = match global {
        None | Some(Value::Null) => Value::Object(serde_json::Map::new()),
        Some(global) => global.clone(),
    };
    if !rule.is_null() {
        merge(&mut settings, rule);
    }
    settings
}

fn merge(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                merge(under.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over.clone(),
    }
}

/// Deserializes settings; the error names the invalid member.
pub(super) fn read<T: DeserializeOwned>(settings: Value) -> Result<T, String> {
    let read = serde_json::from_value(settings).map(|OfObjects(settings)| settings);
    read.map_err(|error| format!("has invalid settings: {error}"))
}

/// Deserializes settings that consist of a handler's own part and a part that is shared with other handlers.
pub(super) fn read_both<O: DeserializeOwned, S: DeserializeOwned>(settings: Value) -> Result<(O, S), String> {
    let Value::Object(members) = settings else { return Err("has settings that are not an object".to_owned()) };
    let own = field_names::<O>();
    let is_own = |(name, _): &(String, Value)| own.contains(&name.as_str());
    let (own, shared): (Map<_, _>, Map<_, _>) = members.into_iter().partition(is_own);
    Ok((read(own.into())?, read(shared.into())?))
}

/// The settings of a handler without settings. Those of a rule are ignored.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub(super) struct Nothing {}

/// The names of the fields of a struct as serde sees them.
pub(super) fn field_names<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // It always fails: only the names are needed.
    let _ = T::deserialize(FieldNames(&mut names));
    names
}

struct FieldNames<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for FieldNames<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(Error::custom("only the names of the fields are needed"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::custom("settings must be a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Header fields with constant values, by name.
pub(super) fn headers(settings: &Map<String, Value>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in settings {
        let value =
            value.as_str().ok_or_else(|| format!("has a value for the header `{name}` that is not a string"))?;
        let value = value.parse().map_err(|_| format!("has an invalid value for the header `{name}`"))?;
        headers.insert(header_name(name)?, value);
    }
    Ok(headers)
}

/// The name of a header that a rule sets. Hop-by-hop headers and message framing are rejected.
pub(super) fn settable_header_name(text: &str) -> Result<HeaderName, String> {
    let name = header_name(text)?;
    if is_hop_by_hop(&name) || name == CONTENT_LENGTH {
        return Err(format!("sets the header `{name}`, which rules cannot set"));
    }
    Ok(name)
}

pub(super) fn header_names(texts: &[String]) -> Result<Vec<HeaderName>, String> {
    texts.iter().map(|text| header_name(text)).collect()
}

pub(super) fn required_url(name: &str, text: &str) -> Result<Url, String> {
    if text.is_empty() {
        return Err(format!("requires the setting `{name}`"));
    }
    text.parse().map_err(|error| format!("has a `{name}` that is not a URL: {error}"))
}

pub(super) fn header_name(text: &str) -> Result<HeaderName, String> {
    text.parse().map_err(|_| format!("names the header `{text}`, which is not a header name"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Own {
        only: Vec<String>,
    }

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Shared {
        url: String,
        r#type: String,
    }

    #[test]
    fn the_names_of_fields_are_those_of_the_type() {
        assert_eq!((field_names::<Own>(), field_names::<Shared>()), (&["only"][..], &["url", "type"][..]));
        assert!(field_names::<Nothing>().is_empty() && field_names::<Value>().is_empty());
    }

    #[test]
    fn own_and_shared_settings_are_distinguished_and_unknown_ones_are_rejected() {
        let (own, shared) = read_both::<Own, Shared>(json!({"only": ["a"], "type": "b", "url": "c"})).unwrap();
        assert_eq!((own.only, shared.r#type.as_str(), shared.url.as_str()), (vec!["a".to_owned()], "b", "c"));
        assert!(read_both::<Own, Shared>(json!({"onli": []})).unwrap_err().contains("onli"));
        assert!(read_both::<Own, Shared>(json!([])).is_err() && read::<Shared>(json!(["http://h", "b"])).is_err());
    }

    #[test]
    fn a_rules_settings_override_the_global_ones() {
        let global = json!({"a": 1, "list": [1, 2], "deep": {"x": 1, "y": 2}});
        let rule = json!({"list": [3], "deep": {"y": 3}, "b": null});
        assert_eq!(merged(Some(&global), &rule), json!({"a": 1, "list": [3], "deep": {"x": 1, "y": 3}, "b": null}));
        assert_eq!(merged(None, &Value::Null), json!({}));
        assert_eq!(merged(Some(&global), &Value::Null), global);
    }
}
