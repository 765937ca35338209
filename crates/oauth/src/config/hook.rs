//! Where a hook is called: a URL, or a URL with an API key.

use base::Secret;
use serde::{Deserialize, Deserializer};

#[derive(Clone, Debug)]
pub struct Hook {
    pub url: String,
    pub api_key: Option<ApiKey>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ApiKey {
    #[serde(rename = "in", default)]
    pub place: ApiKeyPlace,
    pub name: String,
    pub value: Secret<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApiKeyPlace {
    #[default]
    Header,
    Cookie,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Raw {
    Url(String),
    Hook { url: String, auth: Option<Auth> },
}

#[derive(Deserialize)]
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
