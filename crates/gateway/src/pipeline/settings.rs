//! Settings of handlers: a rule's laid over the global ones, then read as the handler's own type.

use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

/// Objects are laid over each other member by member, everything else is replaced. No settings are an empty object.
pub(super) fn merged(global: Option<&Value>, rule: &Value) -> Value {
    let mut settings = match global {
        None | Some(Value::Null) => Value::Object(serde_json::Map::new()),
        Some(global) => global.clone(),
    };
    if !rule.is_null() {
        lay_over(&mut settings, rule);
    }
    settings
}

fn lay_over(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                lay_over(under.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over.clone(),
    }
}

/// Reads settings; the error names the member that is wrong.
pub(super) fn read<T: DeserializeOwned>(settings: Value) -> Result<T, String> {
    serde_json::from_value(settings).map_err(|error| format!("has settings that cannot be read: {error}"))
}

pub(super) fn required_url(name: &str, text: &str) -> Result<Url, String> {
    if text.is_empty() {
        return Err(format!("needs the setting `{name}`"));
    }
    text.parse().map_err(|error| format!("has a `{name}` that is not a URL: {error}"))
}

pub(super) fn header_name(text: &str) -> Result<http::HeaderName, String> {
    text.parse().map_err(|_| format!("names the header `{text}`, which is not a header name"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rule_lays_its_settings_over_the_global_ones() {
        let global = json!({"a": 1, "list": [1, 2], "deep": {"x": 1, "y": 2}});
        let rule = json!({"list": [3], "deep": {"y": 3}, "b": null});
        assert_eq!(merged(Some(&global), &rule), json!({"a": 1, "list": [3], "deep": {"x": 1, "y": 3}, "b": null}));
        assert_eq!(merged(None, &Value::Null), json!({}));
        assert_eq!(merged(Some(&global), &Value::Null), global);
    }
}
