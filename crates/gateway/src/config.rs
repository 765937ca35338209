//! The gateway's section of the configuration: exactly the keys of Oathkeeper's file, and a few of our own that are
//! marked so.
//!
//! What the handlers' `config` blocks mean is read by the handlers themselves, because a rule may lay its own settings
//! over them.

use std::collections::HashMap;

use base::GoDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use web::{Network, TrustedProxies};

use crate::domain::pattern::MatchingStrategy;
use crate::domain::upstream::UpstreamPaths;
use crate::pipeline::{authn, authz, errors, mutate};

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    pub serve: Serve,
    pub access_rules: AccessRules,
    #[schemars(schema_with = "authn::keys")]
    pub authenticators: Handlers,
    #[schemars(schema_with = "authz::keys")]
    pub authorizers: Handlers,
    #[schemars(schema_with = "mutate::keys")]
    pub mutators: Handlers,
    pub errors: Errors,
    pub security: Security,
}

/// The section that Oathkeeper 26.3.6 introduced. Its other keys have no effect and are reported: paths that can be read in
/// two ways are always refused.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Security {
    pub decision: DecisionSecurity,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DecisionSecurity {
    /// Whether `/decisions` reads `X-Forwarded-*` from the peers of `serve.api.trusted_proxies`. Anything but `trust`
    /// switches it off.
    pub x_forwarded_headers: ForwardedHeaders,
}

/// Whether `/decisions` reads `X-Forwarded-*` from the peers of `serve.api.trusted_proxies`: not when this is set to
/// anything but `trust`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct ForwardedHeaders(Option<String>);

impl ForwardedHeaders {
    pub fn is_trusted(&self) -> bool {
        self.0.as_deref().is_none_or(|said| said == "trust")
    }
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Serve {
    pub proxy: ProxyListener,
    pub api: ApiListener,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ProxyListener {
    pub timeout: Timeouts,
    /// Whether `X-Forwarded-*` of the peers in `trusted_proxies` is passed on to upstreams.
    pub trust_forwarded_headers: bool,
    /// The peers whose `X-Forwarded-*` counts: addresses and networks. Unset, they are those of the key
    /// `trusted_proxies` at the top, and this machine without that key.
    #[serde(deserialize_with = "trusted_proxies")]
    #[schemars(with = "Vec<Network>")]
    pub trusted_proxies: TrustedProxies,
}

impl Default for ProxyListener {
    fn default() -> Self {
        Self { timeout: Timeouts::default(), trust_forwarded_headers: false, trusted_proxies: this_machine() }
    }
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ApiListener {
    /// The peers whose `X-Forwarded-*` describes the request to decide on. Unset, they are those of the key
    /// `trusted_proxies` at the top, and this machine without that key.
    #[serde(deserialize_with = "trusted_proxies")]
    #[schemars(with = "Vec<Network>")]
    pub trusted_proxies: TrustedProxies,
}

impl Default for ApiListener {
    fn default() -> Self {
        Self { trusted_proxies: this_machine() }
    }
}

/// Times without progress, not times in all: a transfer that moves is never cut.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Timeouts {
    /// How long a client can send nothing in the middle of a body.
    pub read: GoDuration,
    /// How long an upstream can send nothing before and during its response.
    pub write: GoDuration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { read: GoDuration::from_seconds(5), write: GoDuration::from_seconds(120) }
    }
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AccessRules {
    /// Where access rules are: `file://` and paths of files, `inline://` with base64, `http://` and `https://`.
    #[serde(deserialize_with = "one_or_many")]
    pub repositories: Vec<String>,
    /// How the text between `<` and `>` in the URL of a rule is read: `regexp` or `glob`.
    #[serde(deserialize_with = "matching_strategy")]
    #[schemars(with = "String")]
    pub matching_strategy: MatchingStrategy,
    /// How the path for the upstream is built. `exact` removes `strip_path` as whole segments; `oathkeeper` removes it
    /// as text, as Oathkeeper does.
    #[schemars(with = "String")]
    pub upstream_paths: UpstreamPaths,
}

/// The handlers of one kind, by name.
pub type Handlers = HashMap<String, Handler>;

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Handler {
    /// Whether rules can name this handler.
    pub enabled: bool,
    /// The type of each handler describes them.
    #[schemars(skip)]
    pub config: Value,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Errors {
    /// The error handlers for requests whose rule has none, in their order.
    pub fallback: Vec<String>,
    #[serde(deserialize_with = "error_handlers")]
    #[schemars(schema_with = "errors::keys")]
    pub handlers: Handlers,
}

impl Default for Errors {
    fn default() -> Self {
        Self { fallback: vec!["json".to_owned()], handlers: Handlers::new() }
    }
}

impl Errors {
    /// The handler by name: `json` is enabled unless it is switched off.
    pub fn handler(&self, name: &str) -> Option<Handler> {
        let is_default = name == "json" && !self.handlers.contains_key(name);
        if is_default { Some(Handler { enabled: true, config: Value::Null }) } else { self.handlers.get(name).cloned() }
    }
}

/// The keys of one handler: its name, and the type of its settings if it has some.
pub(crate) type HandlerKeys = (&'static str, Option<fn(&mut SchemaGenerator) -> Schema>);

/// The keys of the handlers of one kind.
pub(crate) fn keys_of(handlers: &[HandlerKeys], generator: &mut SchemaGenerator) -> Schema {
    let mut properties = serde_json::Map::new();
    for (name, settings) in handlers {
        let mut handler = Handler::json_schema(generator).to_value();
        if let Some(settings) = settings {
            handler["properties"]["config"] = settings(generator).to_value();
        }
        properties.insert((*name).to_owned(), handler);
    }
    schemars::json_schema!({ "type": "object", "properties": properties })
}

/// The loopback addresses.
fn this_machine() -> TrustedProxies {
    TrustedProxies::new(["127.0.0.0/8", "::1/128"].into_iter().filter_map(|network| network.parse().ok()))
}

fn trusted_proxies<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TrustedProxies, D::Error> {
    Vec::<Network>::deserialize(deserializer).map(TrustedProxies::new)
}

/// `json` is enabled where its settings do not say otherwise.
fn error_handlers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Handlers, D::Error> {
    let mut handlers = HashMap::<String, Value>::deserialize(deserializer)?;
    if let Some(Value::Object(json)) = handlers.get_mut("json") {
        json.entry("enabled").or_insert(Value::Bool(true));
    }
    let read = |(name, handler)| serde_json::from_value(handler).map(|handler| (name, handler));
    handlers.into_iter().map(read).collect::<Result<_, _>>().map_err(serde::de::Error::custom)
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Option::<OneOrMany>::deserialize(deserializer)? {
        None => Vec::new(),
        Some(OneOrMany::One(one)) => vec![one],
        Some(OneOrMany::Many(many)) => many,
    })
}

fn matching_strategy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<MatchingStrategy, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "" | "regexp" => Ok(MatchingStrategy::Regexp),
        "glob" => Ok(MatchingStrategy::Glob),
        other => Err(serde::de::Error::custom(format!("unknown matching strategy `{other}`: use `regexp` or `glob`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_empty_section_works() {
        let config: Config = serde_json::from_value(json!({})).unwrap();
        assert_eq!(config.serve.proxy.timeout.read, GoDuration::from_seconds(5));
        assert!(config.serve.api.trusted_proxies.contains("127.0.0.1".parse().unwrap()));
        assert!(config.serve.api.trusted_proxies.contains("::1".parse().unwrap()));
        assert!(!config.serve.api.trusted_proxies.contains("10.0.0.1".parse().unwrap()));
        assert_eq!(config.errors.fallback, ["json"]);
        assert!(config.errors.handler("json").unwrap().enabled);
        assert!(config.errors.handler("redirect").is_none());
    }

    #[test]
    fn the_json_error_handler_is_enabled_unless_it_is_switched_off() {
        let handler = |json: Value| {
            let config: Config = serde_json::from_value(json!({"errors": {"handlers": {"json": json}}})).unwrap();
            config.errors.handler("json").unwrap()
        };
        assert!(handler(json!({"enabled": true})).enabled);
        let verbose = handler(json!({"config": {"verbose": true}}));
        assert!(verbose.enabled && verbose.config["verbose"] == true);
        assert!(!handler(json!({"enabled": false})).enabled);
    }

    #[test]
    fn forwarded_headers_count_unless_the_security_section_says_otherwise() {
        let trusts = |security: Value| {
            let config: Config = serde_json::from_value(json!({"security": security})).unwrap();
            config.security.decision.x_forwarded_headers.is_trusted()
        };
        assert!(trusts(json!({})) && trusts(json!({"decision": {"x_forwarded_headers": "trust"}})));
        assert!(!trusts(json!({"decision": {"x_forwarded_headers": "ignore"}})));
    }

    #[test]
    fn repositories_are_one_or_many() {
        let read = |value: Value| serde_json::from_value::<AccessRules>(json!({"repositories": value})).unwrap();
        assert_eq!(read(json!("file:///a")).repositories, ["file:///a"]);
        assert_eq!(read(json!(["a", "b"])).repositories, ["a", "b"]);
        let unknown = serde_json::from_value::<AccessRules>(json!({"matching_strategy": "exact"}));
        assert!(unknown.unwrap_err().to_string().contains("unknown matching strategy `exact`"));
    }
}
