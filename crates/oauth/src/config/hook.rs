//! The endpoint of a hook: a URL, or a URL with an API key.

use base::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

#[derive(Clone, Debug, JsonSchema)]
#[schemars(with = "Raw")]
pub struct Hook {
    pub url: String,
    pub api_key: Option<ApiKey>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct ApiKey {
    /// Where the API key is sent: `header` or `cookie`.
    #[serde(rename = "in", default)]
    pub place: ApiKeyPlace,
    /// The name of the header or cookie.
    pub name: String,
    /// The value of the API key.
    pub value: Secret<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApiKeyPlace {
    #[default]
    Header,
    Cookie,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Raw {
    Url(String),
    Hook {
        /// The URL of the hook.
        url: String,
        /// How the hook is authenticated: with an `api_key`.
        auth: Option<Auth>,
    },
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "type", content = "config", rename_all = "snake_case")]
enum Auth {
    ApiKey(ApiKey),
}

impl<'de> Deserialize<'de> for Hook {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Raw::deserialize(deserializer)? {
            Raw::Url(url) => Self { url, api_key: None },
            Raw::Hook { url, auth } => Self { url, api_key: auth.map(|Auth::ApiKey(key)| key) },
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_hook_is_a_url_with_or_without_a_key() {
        let plain: Hook = serde_json::from_value(json!("https://hook.example")).unwrap();
        assert_eq!((plain.url.as_str(), plain.api_key.is_none()), ("https://hook.example", true));
        let config = json!({"in": "cookie", "name": "key", "value": "secret"});
        let keyed = json!({"url": "https://hook.example", "auth": {"type": "api_key", "config": config}});
        let keyed: Hook = serde_json::from_value(keyed).unwrap();
        assert_eq!(keyed.api_key.map(|key| (key.place, key.name)), Some((ApiKeyPlace::Cookie, "key".to_owned())));
    }
}
