//! `oauth2_introspection`: validates an access token at the authorization server (RFC 7662): a function call if the service
//! runs in this process, otherwise a request to `introspection_url`.

mod pre_authorization;
mod remote;

use std::time::Duration;

use base::{GoDuration, PlainToken, Timestamp};
use contracts::Introspection;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::token_from::{self, TokenFrom};
use super::{Answer, Authenticator, Definition, Inbound, Outcome, Services};
use crate::components::expiring_cache::ExpiringCache;
use crate::domain::failure::Failure;
use crate::domain::scope::ScopeStrategy;
use crate::domain::session::{Extra, Session};
use crate::pipeline::retry::Retry;
use crate::pipeline::settings;
use remote::Remote;

const NAME: &str = "oauth2_introspection";

pub(super) const HANDLER: Definition<dyn Authenticator, Services> =
    Definition::new::<Settings>(NAME, |settings, services| {
        Ok(Box::new(Oauth2Introspection::compile(settings, services)?))
    });

#[derive(Debug)]
struct Oauth2Introspection {
    source: Source,
    token_from: TokenFrom,
    prefix: String,
    scope_strategy: ScopeStrategy,
    required_scope: Vec<String>,
    target_audience: Vec<String>,
    trusted_issuers: Vec<String>,
}

#[derive(Debug)]
enum Source {
    InProcess,
    Remote { remote: Box<Remote>, cache: Option<Cache> },
}

/// Introspection results by tenant and token. Each rule's authenticator has its own cache, so that all other inputs (the
/// URL, the scopes and headers that are sent) are constant.
#[derive(Debug)]
struct Cache {
    entries: ExpiringCache<(i32, [u8; 32]), Map<String, Value>>,
    time_to_live: Option<Duration>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// The introspection endpoint (RFC 7662).
    introspection_url: String,
    /// How `required_scope` is compared with the scope of the token: `hierarchic`, `exact`, `wildcard` or `none`, with
    /// which the introspection endpoint compares.
    #[schemars(with = "String")]
    scope_strategy: ScopeStrategy,
    pre_authorization: Option<pre_authorization::Settings>,
    /// The scopes that a token must have.
    required_scope: Vec<String>,
    /// The audiences that a token must have.
    target_audience: Vec<String>,
    /// The issuers that are accepted. An empty list accepts any issuer.
    trusted_issuers: Vec<String>,
    /// What a token must begin with. Other tokens are left to the next authenticator.
    prefix: String,
    /// Whether the header `X-Forwarded-Host` names the host of the request.
    preserve_host: bool,
    /// Headers that are added to the introspection request, by name.
    introspection_request_headers: Map<String, Value>,
    token_from: Option<token_from::Settings>,
    retry: Retry,
    cache: CacheSettings,
}

#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct CacheSettings {
    /// Whether responses of the introspection endpoint are cached.
    enabled: bool,
    /// How long a response is cached at most. Unset, it is cached until the token expires.
    ttl: Option<GoDuration>,
    /// The size of the cache, in bytes.
    max_cost: u64,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { enabled: false, ttl: None, max_cost: 100_000_000 }
    }
}

/// The nominal size of an entry, in bytes, counted against `max_cost`.
const ENTRY_COST: u64 = 2_000;

impl Oauth2Introspection {
    fn compile(settings: Value, services: &Services) -> Result<Self, String> {
        let settings: Settings = settings::read(settings)?;
        let url = settings::required_url("introspection_url", &settings.introspection_url)?;
        let source = if services.in_process.is_introspection(&url) {
            Source::InProcess
        } else {
            // Without a strategy the server checks the scopes, so a result is valid only for these scopes.
            let scope = (settings.scope_strategy == ScopeStrategy::None).then(|| settings.required_scope.join(" "));
            let is_cached = settings.cache.enabled && scope.as_deref().unwrap_or_default().is_empty();
            let capacity = usize::try_from(settings.cache.max_cost / ENTRY_COST).unwrap_or(usize::MAX);
            let cache = is_cached.then(|| Cache {
                entries: ExpiringCache::new(capacity.min(1_000_000)),
                time_to_live: settings.cache.ttl.map(GoDuration::get),
            });
            let remote = Remote::compile(
                &url,
                scope.filter(|scope| !scope.is_empty()),
                &settings.introspection_request_headers,
                settings.preserve_host,
                settings.pre_authorization,
                settings.retry,
            )?;
            Source::Remote { remote: Box::new(remote), cache }
        };
        Ok(Self {
            source,
            token_from: TokenFrom::compile(settings.token_from)?,
            prefix: settings.prefix,
            scope_strategy: settings.scope_strategy,
            required_scope: settings.required_scope,
            target_audience: settings.target_audience,
            trusted_issuers: settings.trusted_issuers,
        })
    }

    async fn outcome(&self, inbound: &Inbound<'_>, services: &Services) -> Outcome {
        let Some(token) = self.token_from.find(inbound).filter(|token| token.starts_with(&self.prefix)) else {
            return Outcome::NotResponsible;
        };
        let token = PlainToken::received(token);
        match self.introspect(inbound, services, &token).await {
            Ok(claims) => self.check(claims, inbound.cx.now),
            Err(outcome) => outcome,
        }
    }

    /// The claims of an active token.
    async fn introspect(
        &self,
        inbound: &Inbound<'_>,
        services: &Services,
        token: &PlainToken,
    ) -> Result<Map<String, Value>, Outcome> {
        let inactive = || Outcome::Invalid(Failure::unauthorized().because("the access token is not active"));
        let (remote, cache) = match &self.source {
            Source::InProcess => {
                let service = services.in_process.introspection.get().ok_or_else(|| {
                    Outcome::Unavailable(Failure::unavailable("no OAuth2 service runs in this process"))
                })?;
                return match service.introspect(inbound.cx, token).await {
                    Ok(Introspection { active: true, claims }) => Ok(claims),
                    Ok(Introspection { active: false, .. }) => Err(inactive()),
                    Err(error) => Err(Outcome::Unavailable(Failure::unavailable(error.to_string()))),
                };
            }
            Source::Remote { remote, cache } => (remote, cache),
        };
        let (now, key) = (inbound.cx.now, (inbound.cx.tenant.as_i32(), *token.digest().as_bytes()));
        if let Some(claims) = cache.as_ref().and_then(|cache| cache.entries.get(&key, now)) {
            return Ok(claims);
        }
        let claims = remote.introspect(inbound, services, token).await?.ok_or_else(inactive)?;
        if let Some(cache) = cache
            && let Some(expires_at) = cache.expiry(&claims, now)
        {
            cache.entries.put(key, claims.clone(), expires_at);
        }
        Ok(claims)
    }

    fn check(&self, claims: Map<String, Value>, now: Timestamp) -> Outcome {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let Ok(expires_at) = jose::numeric_date(&claims, "exp") else {
            return Outcome::Invalid(Failure::unauthorized().because("the token's `exp` is not valid"));
        };
        if expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Outcome::Invalid(Failure::unauthorized().because("the access token has expired"));
        }
        let forbidden = |reason: String| Failure::forbidden().because(reason);
        if !matches!(text("token_use"), "" | "access_token") {
            return Outcome::Invalid(forbidden(format!("the token is a `{}`, not an access token", text("token_use"))));
        }
        let audience = strings(claims.get("aud"));
        if let Some(missing) = self.target_audience.iter().find(|it| !audience.contains(it)) {
            return Outcome::Invalid(forbidden(format!("the token is not meant for the audience `{missing}`")));
        }
        if !self.trusted_issuers.is_empty() && !self.trusted_issuers.iter().any(|it| it == text("iss")) {
            return Outcome::Invalid(forbidden(format!("the issuer `{}` is not trusted", text("iss"))));
        }
        if self.scope_strategy != ScopeStrategy::None {
            let granted: Vec<String> = text("scope").split_whitespace().map(str::to_owned).collect();
            if let Some(missing) = self.required_scope.iter().find(|it| !self.scope_strategy.covers(&granted, it)) {
                return Outcome::Refused(forbidden(format!("the scope `{missing}` was not granted")));
            }
        }
        let subject = text("sub").to_owned();
        Outcome::Accepted(Session::authenticated(NAME, subject, Extra::new(extra(claims, audience))))
    }
}

impl Authenticator for Oauth2Introspection {
    fn authenticate<'a>(&'a self, inbound: &'a Inbound<'a>, services: &'a Services) -> Answer<'a, Outcome> {
        Answer::pending(self.outcome(inbound, services))
    }
}

impl Cache {
    /// Until when a result may be cached: at most until the token expires, and not at all if its expiry is unknown.
    fn expiry(&self, claims: &Map<String, Value>, now: Timestamp) -> Option<Timestamp> {
        let token = jose::numeric_date(claims, "exp").ok()?;
        match (self.time_to_live.map(|it| now.plus(it)), token) {
            (Some(ours), Some(token)) => Some(ours.min(token)),
            (one, other) => one.or(other),
        }
    }
}

/// The data for templates: `ext`, and some members of the response.
fn extra(mut claims: Map<String, Value>, audience: Vec<String>) -> Value {
    let mut extra = match claims.remove("ext") {
        Some(Value::Object(extra)) => extra,
        _ => Map::new(),
    };
    for name in ["username", "client_id", "scope"] {
        extra.insert(name.to_owned(), claims.remove(name).filter(Value::is_string).unwrap_or_else(|| "".into()));
    }
    if !audience.is_empty() {
        extra.insert("aud".to_owned(), audience.into());
    }
    Value::Object(extra)
}

/// A string or a list of strings.
fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}
