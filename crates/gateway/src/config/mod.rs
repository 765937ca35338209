//! The gateway's section of the configuration: the keys of Oathkeeper, with a few additions.
//!
//! The handlers parse their own `config` blocks, because rules can override them. The keys come from the registries of the
//! pipeline.

pub(crate) mod handlers;

use base::GoDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use web::{Network, TrustedProxies};

pub use handlers::{Errors, Handler, Handlers};

use crate::domain::pattern::MatchingStrategy;
use crate::domain::upstream::UpstreamPaths;
use crate::pipeline::{authn, authz, errors, mutate};

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    pub serve: Serve,
    pub access_rules: AccessRules,
    #[schemars(schema_with = "authn::schema")]
    pub authenticators: Handlers,
    #[schemars(schema_with = "authz::schema")]
    pub authorizers: Handlers,
    #[schemars(schema_with = "mutate::schema")]
    pub mutators: Handlers,
    #[schemars(schema_with = "errors::schema")]
    pub errors: Errors,
    pub security: Security,
}

/// The section that Oathkeeper 26.3.6 introduced. Its other keys have no effect and are reported: ambiguous paths are
/// always rejected.
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
        self.0.as_deref().is_none_or(|mode| mode == "trust")
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
    /// `trusted_proxies` at the top, and this machine if that lists nobody.
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
    /// `trusted_proxies` at the top, and this machine if that lists nobody.
    #[serde(deserialize_with = "trusted_proxies")]
    #[schemars(with = "Vec<Network>")]
    pub trusted_proxies: TrustedProxies,
}

impl Default for ApiListener {
    fn default() -> Self {
        Self { trusted_proxies: this_machine() }
    }
}

/// Idle timeouts. They do not limit the total duration of a transfer that makes progress.
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

/// The loopback addresses.
fn this_machine() -> TrustedProxies {
    TrustedProxies::new(["127.0.0.0/8", "::1/128"].into_iter().filter_map(|network| network.parse().ok()))
}

fn trusted_proxies<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TrustedProxies, D::Error> {
    Vec::<Network>::deserialize(deserializer).map(TrustedProxies::new)
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
    use serde_json::{Value, json};

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
