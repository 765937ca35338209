//! `jwt`: verifies a signed token with the keys that its issuer publishes (RFC 7519, RFC 8725).
//!
//! Invariants:
//! - The rule determines the algorithms, the key set the keys; the token's header only selects among them.
//! - Tokens for other purposes are rejected, even from the same issuer (RFC 8725 section 3.12): an unlisted `typ`, an ID
//!   token, a logout token. The rule may accept them.
//! - The signature of a token is verified once while the key set stays the same; its claims are checked on every request.

use std::sync::Arc;
use std::time::Duration;

use base::GoDuration;
use jose::{Algorithm, ClaimsCheck, Jws};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use web::jwks::{KeySetError, Policy};

use super::token_from::{self, TokenFrom};
use super::{Answer, Authenticator, Definition, Inbound, Outcome, Services};
use crate::components::verified_tokens::{TokenKey, VerifiedToken};
use crate::domain::failure::Failure;
use crate::domain::scope::ScopeStrategy;
use crate::domain::session::{Extra, Session};
use crate::pipeline::settings;

const NAME: &str = "jwt";

pub(super) const HANDLER: Definition<dyn Authenticator, Services> =
    Definition::new::<Settings>(NAME, |settings, _| Ok(Box::new(Jwt::compile(settings)?)));

#[derive(Debug)]
struct Jwt {
    jwks_urls: Vec<String>,
    key_sets: Policy,
    allowed_algorithms: Vec<Algorithm>,
    token_from: TokenFrom,
    scope_strategy: ScopeStrategy,
    required_scope: Vec<String>,
    target_audience: Vec<String>,
    trusted_issuers: Vec<String>,
    allowed_token_types: Vec<String>,
    accept_id_tokens: bool,
    leeway: Duration,
    /// A digest of the settings.
    settings: [u8; 32],
}

#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// Where the keys of the issuers are: `https://`, `http://` or `file://`.
    jwks_urls: Vec<String>,
    /// How long a request waits for the keys.
    jwks_max_wait: GoDuration,
    /// How long keys are used before they are fetched again.
    jwks_ttl: GoDuration,
    /// The algorithms of signatures that are accepted. An empty list stands for `RS256` and `ES256`.
    allowed_algorithms: Vec<String>,
    token_from: Option<token_from::Settings>,
    /// How `required_scope` is compared with the scope of the token: `hierarchic`, `exact`, `wildcard` or `none`.
    #[schemars(with = "String")]
    scope_strategy: ScopeStrategy,
    /// The scopes that a token must have.
    required_scope: Vec<String>,
    /// The audiences that a token must have.
    target_audience: Vec<String>,
    /// The issuers that are accepted. An empty list accepts any issuer.
    trusted_issuers: Vec<String>,
    /// The values of `typ` in the header that are accepted. A token without `typ` is accepted as well.
    allowed_token_types: Vec<String>,
    /// Whether ID tokens are accepted, which are meant for the client and not for an API.
    accept_id_tokens: bool,
    /// How far the clock of the issuer can differ from this one.
    leeway: GoDuration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            jwks_urls: Vec::new(),
            jwks_max_wait: GoDuration::from_seconds(1),
            jwks_ttl: GoDuration::from_seconds(30),
            allowed_algorithms: Vec::new(),
            token_from: None,
            scope_strategy: ScopeStrategy::None,
            required_scope: Vec::new(),
            target_audience: Vec::new(),
            trusted_issuers: Vec::new(),
            allowed_token_types: GENERIC_TYPES.map(str::to_owned).to_vec(),
            accept_id_tokens: false,
            leeway: GoDuration::from_seconds(10),
        }
    }
}

/// The types of access tokens: RFC 9068 section 2.1, and RFC 7519 section 5.1 for issuers that use no specific type.
const GENERIC_TYPES: [&str; 2] = ["at+jwt", "JWT"];

/// How key sets are kept, besides what the rule says.
const KEY_SETS: Policy = Policy {
    time_to_live: Duration::from_secs(30),
    stale_on_error: Duration::from_mins(5),
    longest_wait: Duration::from_secs(1),
    pause_after_failure: Duration::from_secs(1),
    pause_after_unknown_kid: Duration::from_secs(5),
};

/// Why a token is not accepted.
enum Refusal {
    Invalid(String),
    Insufficient(String),
    Unavailable(KeySetError),
}

impl Jwt {
    fn compile(settings: Value) -> Result<Self, String> {
        let digest = Sha256::digest(settings.to_string()).into();
        let settings: Settings = settings::read(settings)?;
        if settings.jwks_urls.is_empty() {
            return Err("requires the setting `jwks_urls`".to_owned());
        }
        let algorithms = settings.allowed_algorithms.iter().map(|name| {
            name.parse()
                .map_err(|_| format!("allows the algorithm `{name}`, which is not supported: use an asymmetric one"))
        });
        let mut allowed_algorithms = algorithms.collect::<Result<Vec<_>, _>>()?;
        if allowed_algorithms.is_empty() {
            // The algorithms that `oauth` signs with by default.
            allowed_algorithms.extend([Algorithm::RS256, Algorithm::ES256]);
        }
        if settings.scope_strategy == ScopeStrategy::None && !settings.required_scope.is_empty() {
            tracing::warn!("a `jwt` authenticator requires scopes without a `scope_strategy`: it accepts no token");
        }
        Ok(Self {
            jwks_urls: settings.jwks_urls,
            key_sets: Policy {
                time_to_live: settings.jwks_ttl.get(),
                longest_wait: settings.jwks_max_wait.get(),
                ..KEY_SETS
            },
            allowed_algorithms,
            token_from: TokenFrom::compile(settings.token_from)?,
            scope_strategy: settings.scope_strategy,
            required_scope: settings.required_scope,
            target_audience: settings.target_audience,
            trusted_issuers: settings.trusted_issuers,
            allowed_token_types: settings.allowed_token_types,
            accept_id_tokens: settings.accept_id_tokens,
            leeway: settings.leeway.get(),
            settings: digest,
        })
    }

    async fn outcome(&self, inbound: &Inbound<'_>, services: &Services) -> Outcome {
        let Some(token) = self.token_from.find(inbound).filter(|token| token.split('.').count() == 3) else {
            return Outcome::NotResponsible;
        };
        let key = TokenKey::of(inbound.cx.tenant, &self.settings, &token);
        let (known, is_new) = match self.find_verified(&key, inbound, services).await {
            Some(known) => (known, false),
            None => match self.verify(&token, inbound, services).await {
                Ok(verified) => (Arc::new(verified), true),
                Err(refusal) => return outcome(refusal, None),
            },
        };
        match self.check(&known.claims, inbound) {
            Ok(()) => {}
            Err(refusal) => return outcome(refusal, Some(&known.claims)),
        }
        if is_new {
            services.verified_tokens.put(key, known.clone());
        }
        Outcome::Accepted(Session::authenticated(NAME, known.subject.clone(), known.extra.clone()))
    }

    /// The claims of a verified token, if the verification key is unchanged.
    async fn find_verified(
        &self,
        key: &TokenKey,
        inbound: &Inbound<'_>,
        services: &Services,
    ) -> Option<Arc<VerifiedToken>> {
        let known = services.verified_tokens.get(key)?;
        for url in &self.jwks_urls {
            let keys = services.verification_keys.find(inbound.cx, url, None, &self.key_sets).await.ok();
            if let Some(keys) = keys.filter(|keys| keys.contains(&known.kid)) {
                return known.was_verified_with(&keys).then_some(known);
            }
        }
        None
    }

    async fn verify(&self, token: &str, inbound: &Inbound<'_>, services: &Services) -> Result<VerifiedToken, Refusal> {
        let jws = Jws::parse(token).map_err(|error| Refusal::Invalid(error.to_string()))?;
        self.check_type(jws.unverified_header().typ.as_deref())?;
        let kid = jws.unverified_header().kid.clone();
        let kid = kid.ok_or_else(|| Refusal::Invalid("the token's header has no `kid`".to_owned()))?;
        let mut unavailable = None;
        for is_second_look in [false, true] {
            for url in &self.jwks_urls {
                let wanted = is_second_look.then_some(kid.as_str());
                match services.verification_keys.find(inbound.cx, url, wanted, &self.key_sets).await {
                    Ok(keys) if keys.contains(&kid) => {
                        let verified = jws
                            .verify(&keys, &self.allowed_algorithms)
                            .map_err(|error| Refusal::Invalid(error.to_string()))?;
                        let claims: Map<String, Value> = verified
                            .claims()
                            .ok_or_else(|| Refusal::Invalid("the token contains no claims".to_owned()))?;
                        let extra = Extra::new(with_scopes_as_list(claims.clone()).into());
                        return Ok(VerifiedToken::new(kid, claims, extra, &keys, token.len()));
                    }
                    Ok(_) => {}
                    Err(error) => unavailable = Some(error),
                }
            }
        }
        Err(match unavailable {
            Some(error) => Refusal::Unavailable(error),
            None => Refusal::Invalid("no key of the key sets signed the token".to_owned()),
        })
    }

    /// RFC 8725 section 3.11: the header's `typ`. An absent one is accepted, because many issuers omit it.
    fn check_type(&self, typ: Option<&str>) -> Result<(), Refusal> {
        match typ {
            Some(typ) if !self.allowed_token_types.iter().any(|allowed| is_same_type(allowed, typ)) => {
                Err(Refusal::Invalid(format!("tokens of the type `{typ}` are not accepted")))
            }
            _ => Ok(()),
        }
    }

    /// The same check for issuers that use one `typ` for all tokens: by the claims that only other token types have.
    fn check_kind(&self, claims: &Map<String, Value>) -> Result<(), Refusal> {
        // RFC 8417 section 2.2; OpenID Connect Back-Channel Logout section 2.4 requires it. Listing such a type accepts it.
        let is_listed =
            || self.allowed_token_types.iter().any(|it| !GENERIC_TYPES.iter().any(|of| is_same_type(it, of)));
        if claims.contains_key("events") && !is_listed() {
            return Err(Refusal::Invalid("a logout token or security event token is not an access token".to_owned()));
        }
        // OpenID Connect Core sections 2, 3.1.3.6 and 3.3.2.11.
        let is_id_token = ["nonce", "at_hash", "c_hash"].iter().any(|name| claims.contains_key(*name))
            || claims.get("token_use").is_some_and(|token_use| token_use == "id");
        if is_id_token && !self.accept_id_tokens {
            return Err(Refusal::Invalid("an ID token is not an access token".to_owned()));
        }
        Ok(())
    }

    fn check(&self, claims: &Map<String, Value>, inbound: &Inbound<'_>) -> Result<(), Refusal> {
        let check = ClaimsCheck {
            now: inbound.cx.now,
            leeway: self.leeway,
            issuer: None,
            audiences: &[],
            require_expiry: false,
        };
        check.check(claims).map_err(|error| Refusal::Invalid(error.to_string()))?;
        self.check_kind(claims)?;
        // The token must have every audience that the rule requires.
        for audience in &self.target_audience {
            ClaimsCheck { audiences: &[audience], ..check.clone() }
                .check(claims)
                .map_err(|_| Refusal::Invalid(format!("the token is not meant for the audience `{audience}`")))?;
        }
        let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        if !self.trusted_issuers.is_empty() && !self.trusted_issuers.iter().any(|it| it == issuer) {
            return Err(Refusal::Invalid(format!("the issuer `{issuer}` is not trusted")));
        }
        let granted = scopes(claims).map(|(_, scopes)| scopes).unwrap_or_default();
        match self.required_scope.iter().find(|it| !self.scope_strategy.covers(&granted, it)) {
            Some(missing) => Err(Refusal::Insufficient(format!("the scope `{missing}` was not granted"))),
            None => Ok(()),
        }
    }
}

impl Authenticator for Jwt {
    fn authenticate<'a>(&'a self, inbound: &'a Inbound<'a>, services: &'a Services) -> Answer<'a, Outcome> {
        Answer::pending(self.outcome(inbound, services))
    }
}

fn outcome(refusal: Refusal, claims: Option<&Map<String, Value>>) -> Outcome {
    let failure = |reason: String| {
        let failure = Failure::unauthorized().because(reason);
        match claims {
            Some(claims) => failure.with_detail("jwt_claims", Value::Object(claims.clone())),
            None => failure,
        }
    };
    match refusal {
        Refusal::Invalid(reason) => Outcome::Invalid(failure(reason)),
        Refusal::Insufficient(reason) => Outcome::Refused(failure(reason)),
        Refusal::Unavailable(error) => Outcome::Unavailable(failure(error.to_string())),
    }
}

/// RFC 7515 section 4.1.9: case-insensitive, with or without `application/`.
fn is_same_type(one: &str, other: &str) -> bool {
    let bare = |text: &str| {
        let lower = text.to_ascii_lowercase();
        lower.strip_prefix("application/").map(str::to_owned).unwrap_or(lower)
    };
    bare(one) == bare(other)
}

/// The first of `scp`, `scope` and `scopes` that the token has, as a list.
fn scopes(claims: &Map<String, Value>) -> Option<(&'static str, Vec<String>)> {
    let name = ["scp", "scope", "scopes"].into_iter().find(|name| claims.contains_key(*name))?;
    let scopes = match claims.get(name) {
        Some(Value::String(text)) => text.split_whitespace().map(str::to_owned).collect(),
        Some(Value::Array(items)) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    Some((name, scopes))
}

/// The claims with their scopes under `scp`, wherever the token has them; without scopes the list is empty.
fn with_scopes_as_list(mut claims: Map<String, Value>) -> Map<String, Value> {
    let scopes = scopes(&claims).map(|(name, scopes)| {
        claims.remove(name);
        scopes
    });
    claims.insert("scp".to_owned(), scopes.unwrap_or_default().into());
    claims
}
