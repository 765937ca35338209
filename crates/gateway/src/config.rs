//! The gateway's section of the configuration: exactly the keys of Oathkeeper's file, and a few of our own that are
//! marked so.
//!
//! What the handlers' `config` blocks mean is read by the handlers themselves, because a rule may lay its own settings
//! over them.

use std::collections::HashMap;

use base::GoDuration;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use web::{Network, TrustedProxies};

use crate::domain::pattern::MatchingStrategy;
use crate::domain::upstream::UpstreamPaths;

/// The keys that this crate obeys.
pub const HONOURED: &[&str] = &[
    "access_rules.matching_strategy",
    "access_rules.repositories",
    "access_rules.repositories.*",
    "access_rules.upstream_paths",
    "authenticators.anonymous.config.ignore_authorization_header",
    "authenticators.anonymous.config.subject",
    "authenticators.anonymous.enabled",
    "authenticators.cookie_session.config.additional_headers",
    "authenticators.cookie_session.config.additional_headers.*",
    "authenticators.cookie_session.config.check_session_url",
    "authenticators.cookie_session.config.clear_cookie_domain",
    "authenticators.cookie_session.config.clear_invalid_cookies",
    "authenticators.cookie_session.config.extra_from",
    "authenticators.cookie_session.config.force_method",
    "authenticators.cookie_session.config.forward_http_headers",
    "authenticators.cookie_session.config.forward_http_headers.*",
    "authenticators.cookie_session.config.only",
    "authenticators.cookie_session.config.only.*",
    "authenticators.cookie_session.config.preserve_host",
    "authenticators.cookie_session.config.preserve_path",
    "authenticators.cookie_session.config.preserve_query",
    "authenticators.cookie_session.config.require_subject",
    "authenticators.cookie_session.config.subject_from",
    "authenticators.cookie_session.enabled",
    "authenticators.jwt.config.accept_id_tokens",
    "authenticators.jwt.config.allowed_algorithms",
    "authenticators.jwt.config.allowed_algorithms.*",
    "authenticators.jwt.config.allowed_token_types",
    "authenticators.jwt.config.allowed_token_types.*",
    "authenticators.jwt.config.jwks_max_wait",
    "authenticators.jwt.config.jwks_ttl",
    "authenticators.jwt.config.jwks_urls",
    "authenticators.jwt.config.jwks_urls.*",
    "authenticators.jwt.config.leeway",
    "authenticators.jwt.config.required_scope",
    "authenticators.jwt.config.required_scope.*",
    "authenticators.jwt.config.scope_strategy",
    "authenticators.jwt.config.target_audience",
    "authenticators.jwt.config.target_audience.*",
    "authenticators.jwt.config.token_from",
    "authenticators.jwt.config.token_from.*",
    "authenticators.jwt.config.trusted_issuers",
    "authenticators.jwt.config.trusted_issuers.*",
    "authenticators.jwt.enabled",
    "authenticators.noop.enabled",
    "authenticators.oauth2_introspection.config.cache.enabled",
    "authenticators.oauth2_introspection.config.cache.max_cost",
    "authenticators.oauth2_introspection.config.cache.ttl",
    "authenticators.oauth2_introspection.config.introspection_request_headers",
    "authenticators.oauth2_introspection.config.introspection_request_headers.*",
    "authenticators.oauth2_introspection.config.introspection_url",
    "authenticators.oauth2_introspection.config.pre_authorization.audience",
    "authenticators.oauth2_introspection.config.pre_authorization.client_id",
    "authenticators.oauth2_introspection.config.pre_authorization.client_secret",
    "authenticators.oauth2_introspection.config.pre_authorization.enabled",
    "authenticators.oauth2_introspection.config.pre_authorization.scope",
    "authenticators.oauth2_introspection.config.pre_authorization.scope.*",
    "authenticators.oauth2_introspection.config.pre_authorization.token_url",
    "authenticators.oauth2_introspection.config.prefix",
    "authenticators.oauth2_introspection.config.preserve_host",
    "authenticators.oauth2_introspection.config.required_scope",
    "authenticators.oauth2_introspection.config.required_scope.*",
    "authenticators.oauth2_introspection.config.retry.give_up_after",
    "authenticators.oauth2_introspection.config.retry.max_delay",
    "authenticators.oauth2_introspection.config.scope_strategy",
    "authenticators.oauth2_introspection.config.target_audience",
    "authenticators.oauth2_introspection.config.target_audience.*",
    "authenticators.oauth2_introspection.config.token_from",
    "authenticators.oauth2_introspection.config.token_from.*",
    "authenticators.oauth2_introspection.config.trusted_issuers",
    "authenticators.oauth2_introspection.config.trusted_issuers.*",
    "authenticators.oauth2_introspection.enabled",
    "authenticators.unauthorized.enabled",
    "authorizers.allow.enabled",
    "authorizers.deny.enabled",
    "errors.fallback",
    "errors.fallback.*",
    "errors.handlers.json.config.verbose",
    "errors.handlers.json.config.when",
    "errors.handlers.json.config.when.*.error",
    "errors.handlers.json.config.when.*.error.*",
    "errors.handlers.json.config.when.*.request.cidr",
    "errors.handlers.json.config.when.*.request.cidr.*",
    "errors.handlers.json.config.when.*.request.header.accept",
    "errors.handlers.json.config.when.*.request.header.accept.*",
    "errors.handlers.json.config.when.*.request.header.content_type",
    "errors.handlers.json.config.when.*.request.header.content_type.*",
    "errors.handlers.json.config.when.*.request.remote_ip.match",
    "errors.handlers.json.config.when.*.request.remote_ip.match.*",
    "errors.handlers.json.config.when.*.request.remote_ip.respect_forwarded_for_header",
    "errors.handlers.json.enabled",
    "errors.handlers.redirect.config.code",
    "errors.handlers.redirect.config.return_to_query_param",
    "errors.handlers.redirect.config.to",
    "errors.handlers.redirect.config.when",
    "errors.handlers.redirect.config.when.*.error",
    "errors.handlers.redirect.config.when.*.error.*",
    "errors.handlers.redirect.config.when.*.request.cidr",
    "errors.handlers.redirect.config.when.*.request.cidr.*",
    "errors.handlers.redirect.config.when.*.request.header.accept",
    "errors.handlers.redirect.config.when.*.request.header.accept.*",
    "errors.handlers.redirect.config.when.*.request.header.content_type",
    "errors.handlers.redirect.config.when.*.request.header.content_type.*",
    "errors.handlers.redirect.config.when.*.request.remote_ip.match",
    "errors.handlers.redirect.config.when.*.request.remote_ip.match.*",
    "errors.handlers.redirect.config.when.*.request.remote_ip.respect_forwarded_for_header",
    "errors.handlers.redirect.enabled",
    "errors.handlers.www_authenticate.config.realm",
    "errors.handlers.www_authenticate.config.when",
    "errors.handlers.www_authenticate.config.when.*.error",
    "errors.handlers.www_authenticate.config.when.*.error.*",
    "errors.handlers.www_authenticate.config.when.*.request.cidr",
    "errors.handlers.www_authenticate.config.when.*.request.cidr.*",
    "errors.handlers.www_authenticate.config.when.*.request.header.accept",
    "errors.handlers.www_authenticate.config.when.*.request.header.accept.*",
    "errors.handlers.www_authenticate.config.when.*.request.header.content_type",
    "errors.handlers.www_authenticate.config.when.*.request.header.content_type.*",
    "errors.handlers.www_authenticate.config.when.*.request.remote_ip.match",
    "errors.handlers.www_authenticate.config.when.*.request.remote_ip.match.*",
    "errors.handlers.www_authenticate.config.when.*.request.remote_ip.respect_forwarded_for_header",
    "errors.handlers.www_authenticate.enabled",
    "mutators.header.config.control_characters",
    "mutators.header.config.headers",
    "mutators.header.config.headers.*",
    "mutators.header.config.omit_empty",
    "mutators.header.config.remove",
    "mutators.header.config.remove.*",
    "mutators.header.enabled",
    "mutators.id_token.config.claims",
    "mutators.id_token.config.issuer_url",
    "mutators.id_token.config.jwks_url",
    "mutators.id_token.config.ttl",
    "mutators.id_token.enabled",
    "mutators.noop.enabled",
    "security.decision.x_forwarded_headers",
    "serve.api.trusted_proxies",
    "serve.api.trusted_proxies.*",
    "serve.proxy.timeout.read",
    "serve.proxy.timeout.write",
    "serve.proxy.trust_forwarded_headers",
    "serve.proxy.trusted_proxies",
    "serve.proxy.trusted_proxies.*",
];

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Config {
    pub serve: Serve,
    pub access_rules: AccessRules,
    pub authenticators: Handlers,
    pub authorizers: Handlers,
    pub mutators: Handlers,
    pub errors: Errors,
    pub security: Security,
}

/// The section that Oathkeeper 26.3.6 introduced. Its other keys have no effect and are reported: paths that can be read in
/// two ways are always refused.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Security {
    pub decision: DecisionSecurity,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct DecisionSecurity {
    pub x_forwarded_headers: ForwardedHeaders,
}

/// Whether `/decisions` reads `X-Forwarded-*` from the peers of `serve.api.trusted_proxies`: not when this is set to
/// anything but `trust`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ForwardedHeaders(Option<String>);

impl ForwardedHeaders {
    pub fn is_trusted(&self) -> bool {
        self.0.as_deref().is_none_or(|said| said == "trust")
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Serve {
    pub proxy: ProxyListener,
    pub api: ApiListener,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct ProxyListener {
    pub timeout: Timeouts,
    /// Believe `X-Forwarded-*` from the peers of `trusted_proxies`.
    pub trust_forwarded_headers: bool,
    /// Ours: who is believed. This machine, unless others are listed.
    #[serde(deserialize_with = "trusted_proxies")]
    pub trusted_proxies: TrustedProxies,
}

impl Default for ProxyListener {
    fn default() -> Self {
        Self { timeout: Timeouts::default(), trust_forwarded_headers: false, trusted_proxies: this_machine() }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct ApiListener {
    /// Ours: whose `X-Forwarded-*` describe the request to decide on. This machine, unless others are listed.
    #[serde(deserialize_with = "trusted_proxies")]
    pub trusted_proxies: TrustedProxies,
}

impl Default for ApiListener {
    fn default() -> Self {
        Self { trusted_proxies: this_machine() }
    }
}

/// Times without progress, not times in all: a transfer that moves is never cut.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default)]
pub struct Timeouts {
    /// How long the client may be silent while it sends a body.
    pub read: GoDuration,
    /// How long the upstream may be silent before and during its answer.
    pub write: GoDuration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { read: GoDuration::from_seconds(5), write: GoDuration::from_seconds(120) }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AccessRules {
    /// `file://` and bare paths, `inline://` with base64, `http(s)://`.
    #[serde(deserialize_with = "one_or_many")]
    pub repositories: Vec<String>,
    #[serde(deserialize_with = "matching_strategy")]
    pub matching_strategy: MatchingStrategy,
    /// Ours: `exact`, or `oathkeeper` for rules that count on how Oathkeeper joins paths.
    pub upstream_paths: UpstreamPaths,
}

/// The handlers of one kind, by name.
pub type Handlers = HashMap<String, Handler>;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Handler {
    pub enabled: bool,
    pub config: Value,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Errors {
    pub fallback: Vec<String>,
    #[serde(deserialize_with = "error_handlers")]
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

    #[test]
    fn the_list_of_honoured_keys_is_in_order() {
        assert!(HONOURED.is_sorted_by(|a, b| a < b));
    }
}
