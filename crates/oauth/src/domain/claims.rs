//! The claims of tokens: ID tokens (OpenID Connect Core section 2), JWT access tokens (RFC 9068, in Ory Hydra's format) and
//! userinfo (OpenID Connect Core section 5.3).
//!
//! Invariant: a custom claim never replaces a standard one.

use base::Timestamp;
use jose::Algorithm;
use oauth_types::ScopeSet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::access_token::AccessToken;
use super::client::AccessTokenStrategy;
use super::grant::Grant;

/// Reserved names in ID tokens, whether or not the claim is present.
const ID_TOKEN_CLAIMS: [&str; 15] = [
    "iss",
    "sub",
    "aud",
    "azp",
    "exp",
    "iat",
    "nbf",
    "jti",
    "auth_time",
    "rat",
    "sid",
    "nonce",
    "at_hash",
    "c_hash",
    "acr",
];
const AUTHENTICATION_METHODS: &str = "amr";

/// Reserved names in JWT access tokens.
const ACCESS_TOKEN_CLAIMS: [&str; 11] =
    ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scp", "scope", "ext"];

/// The scope claim of JWT access tokens: `scp` as a list, `scope` as a string, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeClaim {
    #[default]
    List,
    String,
    Both,
}

/// The format of JWT access tokens (`oauth2` and `strategies.jwt` of the configuration).
#[derive(Clone, Debug)]
pub struct AccessTokenClaims {
    pub scope_claim: ScopeClaim,
    pub exclude_not_before: bool,
    pub allowed_top_level: Vec<String>,
    pub mirror_top_level: bool,
    pub preserve_ext: bool,
}

/// What the configuration says about tokens.
#[derive(Clone, Debug)]
pub struct TokenSettings {
    pub issuer: String,
    /// The format of access tokens, for clients that registered none.
    pub strategy: AccessTokenStrategy,
    pub claims: AccessTokenClaims,
}

/// What an ID token is made of, beside its grant.
#[derive(Clone, Copy, Debug)]
pub struct IdToken<'a> {
    pub issuer: &'a str,
    pub jti: &'a str,
    pub algorithm: Algorithm,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    /// The access token that is issued together with it.
    pub access_token: Option<&'a str>,
}

impl IdToken<'_> {
    pub fn claims(&self, grant: &Grant) -> Map<String, Value> {
        let mut claims = claims_about(grant, &grant.scope);
        put(&mut claims, "iss", self.issuer);
        put(&mut claims, "sub", grant.shown_subject());
        put(&mut claims, "aud", json!([grant.client_id]));
        put(&mut claims, "exp", self.expires_at.unix_seconds());
        put(&mut claims, "iat", self.issued_at.unix_seconds());
        put(&mut claims, "jti", self.jti);
        put_login(&mut claims, grant);
        if let Some(session) = grant.login_session_id {
            put(&mut claims, "sid", session.to_string());
        }
        if let Some(nonce) = &grant.nonce {
            put(&mut claims, "nonce", nonce.as_str());
        }
        if let Some(token) = self.access_token {
            put(&mut claims, "at_hash", jose::left_half_hash(self.algorithm, token));
        }
        claims
    }
}

/// The body of a userinfo response for an access token with this scope.
pub fn userinfo_claims(issuer: &str, grant: &Grant, scope: &ScopeSet) -> Map<String, Value> {
    let mut claims = claims_about(grant, scope);
    put(&mut claims, "iss", issuer);
    put(&mut claims, "sub", grant.shown_subject());
    put(&mut claims, "aud", json!([grant.client_id]));
    put(&mut claims, "iat", grant.requested_at.unix_seconds());
    put_login(&mut claims, grant);
    claims
}

/// `auth_time`, `rat`, `acr` and `amr`.
fn put_login(claims: &mut Map<String, Value>, grant: &Grant) {
    if let Some(authenticated_at) = grant.authenticated_at {
        put(claims, "auth_time", authenticated_at.unix_seconds());
    }
    put(claims, "rat", grant.requested_at.unix_seconds());
    if let Some(acr) = &grant.acr {
        put(claims, "acr", acr.as_str());
    }
    if !grant.amr.is_empty() {
        put(claims, AUTHENTICATION_METHODS, json!(grant.amr));
    }
}

fn claims_about(grant: &Grant, scope: &ScopeSet) -> Map<String, Value> {
    let mut claims = grant.session.claims_about_person(scope);
    claims.retain(|name, _| !ID_TOKEN_CLAIMS.contains(&name.as_str()) && name != AUTHENTICATION_METHODS);
    claims
}

impl AccessTokenClaims {
    /// The claims of a JWT access token. `custom` are those of the consent application.
    pub fn of(&self, token: &AccessToken, issuer: &str, jti: &str, custom: &Map<String, Value>) -> Map<String, Value> {
        let is_top_level =
            |name: &str| self.allowed_top_level.iter().any(|it| it == name) && !ACCESS_TOKEN_CLAIMS.contains(&name);
        let mut claims = Map::new();
        for (name, value) in custom.iter().filter(|(name, _)| is_top_level(name)) {
            claims.insert(name.clone(), value.clone());
        }
        put(&mut claims, "iss", issuer);
        put(&mut claims, "sub", token.subject.as_str());
        put(&mut claims, "aud", json!(token.audience));
        put(&mut claims, "client_id", token.client_id.as_str());
        put(&mut claims, "exp", token.expires_at.unix_seconds());
        put(&mut claims, "iat", token.issued_at.unix_seconds());
        if !self.exclude_not_before {
            put(&mut claims, "nbf", token.issued_at.unix_seconds());
        }
        put(&mut claims, "jti", jti);
        if matches!(self.scope_claim, ScopeClaim::List | ScopeClaim::Both) {
            put(&mut claims, "scp", json!(token.scope.as_slice()));
        }
        if matches!(self.scope_claim, ScopeClaim::String | ScopeClaim::Both) {
            put(&mut claims, "scope", token.scope.to_string());
        }
        if self.mirror_top_level {
            claims.insert("ext".to_owned(), Value::Object(custom.clone()));
        } else if self.preserve_ext {
            let rest = custom.iter().filter(|(name, _)| !is_top_level(name));
            claims.insert("ext".to_owned(), Value::Object(rest.map(|(n, v)| (n.clone(), v.clone())).collect()));
        }
        claims
    }
}

fn put(claims: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    claims.insert(name.to_owned(), value.into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access_token::Provenance;
    use crate::domain::person_claims::PersonClaims;
    use crate::testing::a_grant;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000 + seconds)
    }

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn an_id_token_names_subject_time_and_audience() {
        let mut grant = a_grant(at(0));
        grant.nonce = Some("n-0S6_WzA2Mj".to_owned());
        grant.acr = Some("aal2".to_owned());
        grant.amr = vec!["password".to_owned()];
        grant.session.id_token = object(&json!({"email": "ada@example.com", "sub": "eve", "c_hash": "x", "amr": []}));
        let token = IdToken {
            issuer: "https://issuer.example/",
            jti: "j",
            algorithm: Algorithm::RS256,
            issued_at: at(5),
            expires_at: at(65),
            access_token: Some("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
        };
        let expected = json!({
            "email": "ada@example.com",
            "iss": "https://issuer.example/",
            "sub": "ada",
            "aud": ["client-1"],
            "exp": 1_800_000_065,
            "iat": 1_800_000_005,
            "jti": "j",
            "auth_time": 1_800_000_000,
            "rat": 1_800_000_000,
            "acr": "aal2",
            "amr": ["password"],
            "sid": grant.login_session_id.unwrap().to_string(),
            "nonce": "n-0S6_WzA2Mj",
            "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
        });
        assert_eq!(Value::Object(token.claims(&grant)), expected);
    }

    #[test]
    fn userinfo_omits_claims_of_a_single_token() {
        let mut grant = a_grant(at(0));
        grant.nonce = Some("n-0S6_WzA2Mj".to_owned());
        grant.session.shown_subject = Some("pairwise".to_owned());
        grant.session.id_token = object(&json!({"email": "ada@example.com", "sid": "x"}));
        let claims = userinfo_claims("https://issuer.example/", &grant, &grant.scope);
        assert_eq!(claims["sub"], "pairwise");
        assert_eq!(claims["email"], "ada@example.com");
        for absent in ["nonce", "at_hash", "c_hash", "exp", "sid", "jti"] {
            assert!(!claims.contains_key(absent), "{absent}");
        }
    }

    #[test]
    fn profile_claims_depend_on_the_scope() {
        let mut grant = a_grant(at(0));
        grant.scope = ScopeSet::parse("openid email");
        grant.session.person = PersonClaims::of(&json!({"traits": {"email": "ada@example.org", "name": "Ada"}}));
        let claims = claims_about(&grant, &grant.scope);
        assert_eq!(Value::Object(claims), json!({"email": "ada@example.org", "email_verified": false}));
        assert_eq!(claims_about(&grant, &ScopeSet::parse("openid")), Map::new());
        // Claims of the consent application take precedence.
        grant.session.id_token = object(&json!({"email": "shown@example.org", "sub": "eve"}));
        let claims = claims_about(&grant, &grant.scope);
        assert_eq!(Value::Object(claims), json!({"email": "shown@example.org", "email_verified": false}));
    }

    fn settings() -> AccessTokenClaims {
        AccessTokenClaims {
            scope_claim: ScopeClaim::List,
            exclude_not_before: false,
            allowed_top_level: vec!["tier".to_owned(), "sub".to_owned()],
            mirror_top_level: true,
            preserve_ext: false,
        }
    }

    fn jwt(settings: &AccessTokenClaims) -> Map<String, Value> {
        let grant = a_grant(at(0));
        let token = AccessToken {
            provenance: Provenance { jti: grant.id.as_uuid(), epoch: 0, grant: None },
            client_id: grant.client_id.clone(),
            subject: grant.subject.clone(),
            scope: ScopeSet::parse("openid photos"),
            audience: Vec::new(),
            ext: Map::new(),
            issued_at: at(0),
            expires_at: at(60),
        };
        settings.of(&token, "https://issuer.example/", "j", &object(&json!({"tier": 1, "sub": "eve", "other": 2})))
    }

    #[test]
    fn custom_claims_are_mirrored_and_promoted_but_never_replace_standard_ones() {
        let claims = jwt(&settings());
        assert_eq!(claims["sub"], "ada");
        assert_eq!(claims["tier"], 1);
        assert_eq!(claims["ext"], json!({"tier": 1, "sub": "eve", "other": 2}));
        assert_eq!(claims["scp"], json!(["openid", "photos"]));
        assert_eq!(claims["aud"], json!([]));
        assert!(!claims.contains_key("scope"));
    }

    #[test]
    fn the_settings_control_ext_nbf_and_scope() {
        let preserved = AccessTokenClaims { mirror_top_level: false, preserve_ext: true, ..settings() };
        assert_eq!(jwt(&preserved)["ext"], json!({"sub": "eve", "other": 2}));
        let bare = AccessTokenClaims {
            mirror_top_level: false,
            exclude_not_before: true,
            scope_claim: ScopeClaim::String,
            ..settings()
        };
        let claims = jwt(&bare);
        assert_eq!(claims["scope"], "openid photos");
        for absent in ["ext", "nbf", "scp"] {
            assert!(!claims.contains_key(absent), "{absent}");
        }
    }
}
