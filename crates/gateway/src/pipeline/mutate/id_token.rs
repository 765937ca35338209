//! `id_token`: a JWT about the sender, signed by the gateway, in `Authorization: Bearer`. Upstreams verify it with the keys
//! of `/.well-known/jwks.json`.

use std::borrow::Cow;

use base::{GoDuration, Timestamp};
use http::HeaderValue;
use http::header::AUTHORIZATION;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Answer, Definition, Inbound, Mutator, Services};
use crate::components::expiring_cache::ExpiringCache;
use crate::components::signing_keys::KeyPair;
use crate::domain::failure::Failure;
use crate::domain::session::Session;
use crate::pipeline::settings;
use crate::pipeline::template::{JsonTemplate, TemplateView};

pub(super) const HANDLER: Definition<dyn Mutator, Services> =
    Definition::new::<Settings>("id_token", |settings, _| Ok(Box::new(IdToken::compile(settings)?)));

#[derive(Debug)]
struct IdToken {
    issuer: String,
    jwks_url: String,
    time_to_live: GoDuration,
    claims: Option<JsonTemplate>,
    /// Tokens by tenant, key, subject and rendered claims; issuer and lifetime are constant for a mutator.
    issued: ExpiringCache<[u8; 32], HeaderValue>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// The claim `iss` of the token.
    issuer_url: String,
    /// Where the signing keys are: `file://`, `base64://`, `http://`, `https://`, or the URL of the keys that the server generated.
    jwks_url: String,
    /// How long the token is valid.
    ttl: GoDuration,
    /// A template of more claims, as a JSON object.
    claims: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            issuer_url: String::new(),
            jwks_url: String::new(),
            ttl: GoDuration::from_seconds(15 * 60),
            claims: String::new(),
        }
    }
}

const MOST_TOKENS: usize = 10_000;

impl IdToken {
    fn compile(settings: Value) -> Result<Self, String> {
        let Settings { issuer_url, jwks_url, ttl, claims } = settings::read(settings)?;
        for (name, value) in [("issuer_url", &issuer_url), ("jwks_url", &jwks_url)] {
            if value.is_empty() {
                return Err(format!("requires the setting `{name}`"));
            }
        }
        let claims = (!claims.is_empty()).then(|| JsonTemplate::compile(&claims)).transpose();
        Ok(Self {
            issuer: issuer_url,
            jwks_url,
            time_to_live: ttl,
            claims: claims.map_err(|error| format!("has `claims`: {error}"))?,
            issued: ExpiringCache::new(MOST_TOKENS),
        })
    }

    async fn add_token(
        &self,
        inbound: &Inbound<'_>,
        session: &mut Session,
        services: &Services,
    ) -> Result<(), Box<Failure>> {
        let now = inbound.cx.now;
        let claims = match &self.claims {
            None => Cow::Borrowed(""),
            Some(template) => template
                .render(&TemplateView { session, inbound })
                .map_err(|error| Failure::internal(format!("the claims of the id_token mutator: {error}")))?,
        };
        let keys = services.signing_keys.get(&self.jwks_url, now).await;
        let keys = keys.map_err(|error| Failure::internal(error.to_string()))?;
        let cache_key = cache_key(inbound, &keys, &session.subject, &claims);
        let token = if let Some(token) = self.issued.get(&cache_key, now) {
            token
        } else {
            let token = self.issue(&keys, &session.subject, &claims, now, services)?;
            // A token is renewed when a tenth of its lifetime remains.
            let renew_at = now.plus(self.time_to_live.get().mul_f32(0.9));
            self.issued.put(cache_key, token.clone(), renew_at);
            token
        };
        session.headers.insert(AUTHORIZATION, token);
        Ok(())
    }

    fn issue(
        &self,
        keys: &KeyPair,
        subject: &str,
        claims: &str,
        now: Timestamp,
        services: &Services,
    ) -> Result<HeaderValue, Box<Failure>> {
        let mut claims: Map<String, Value> = match claims {
            "" => Map::new(),
            text => serde_json::from_str(text)
                .map_err(|_| Failure::internal("the claims of the id_token mutator are not a JSON object"))?,
        };
        let issued_at = now.unix_seconds();
        let expires_at = now.plus(self.time_to_live.get()).unix_seconds();
        for (name, value) in [
            ("exp", Value::from(expires_at)),
            ("jti", services.rng.uuid().to_string().into()),
            ("iat", issued_at.into()),
            ("iss", self.issuer.as_str().into()),
            ("nbf", issued_at.into()),
            ("sub", subject.into()),
        ] {
            claims.insert(name.to_owned(), value);
        }
        let token = keys.signing.sign(&claims).map_err(|error| Failure::internal(error.to_string()))?;
        let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| Failure::internal("the ID token is not a valid header value"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl Mutator for IdToken {
    fn mutate<'a>(
        &'a self,
        inbound: &'a Inbound<'a>,
        session: &'a mut Session,
        services: &'a Services,
    ) -> Answer<'a, Result<(), Box<Failure>>> {
        Answer::pending(self.add_token(inbound, session, services))
    }

    fn signing_key_url(&self) -> Option<&str> {
        Some(&self.jwks_url)
    }
}

fn cache_key(inbound: &Inbound<'_>, keys: &KeyPair, subject: &str, claims: &str) -> [u8; 32] {
    let tenant = inbound.cx.tenant.as_i32().to_be_bytes();
    let kid = keys.signing.kid().unwrap_or_default();
    base::digest_parts(&[&tenant, kid.as_bytes(), subject.as_bytes(), claims.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use crate::domain::session::Extra;
    use crate::tests::fixtures::{self, Request};
    use jose::{Algorithm, Jws, VerificationKeys};
    use serde_json::json;

    struct Fixture {
        mutator: IdToken,
        services: Services,
        now: Timestamp,
    }

    impl Fixture {
        fn new(settings: &Value) -> Self {
            let mut all =
                json!({"issuer_url": "https://gw/", "jwks_url": crate::components::signing_keys::IN_PROCESS_KEYS});
            all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
            Self { mutator: IdToken::compile(all).unwrap(), services: fixtures::services(), now: fixtures::START }
        }

        async fn token(&self, subject: &str) -> Result<String, Box<Failure>> {
            let mut session = Session::authenticated("jwt", subject.to_owned(), Extra::new(json!({"role": "x"})));
            let request = Request::get("http://h/").at(self.now);
            self.mutator.add_token(&request.inbound(), &mut session, &self.services).await?;
            Ok(session
                .headers
                .get("authorization")
                .unwrap()
                .to_str()
                .unwrap()
                .strip_prefix("Bearer ")
                .unwrap()
                .to_owned())
        }

        async fn claims(&self, token: &str) -> Map<String, Value> {
            let keys = self
                .services
                .signing_keys
                .get(crate::components::signing_keys::IN_PROCESS_KEYS, self.now)
                .await
                .unwrap();
            let keys: VerificationKeys = keys.set.keys.iter().collect();
            Jws::parse(token).unwrap().verify(&keys, &Algorithm::ALL).unwrap().claims().unwrap()
        }
    }

    #[tokio::test]
    async fn the_token_names_the_subject_and_templates_cannot_set_reserved_claims() {
        let claims = r#"{"role": {{ .Extra.role | toJson }}, "sub": "mallory", "iss": "evil", "exp": 1}"#;
        let fixture = Fixture::new(&json!({"claims": claims, "ttl": "60s"}));
        let token = fixture.token("alice").await.unwrap();
        let claims = fixture.claims(&token).await;
        assert_eq!(
            (&claims["sub"], &claims["iss"], &claims["role"]),
            (&json!("alice"), &json!("https://gw/"), &json!("x"))
        );
        let now = fixture.now.unix_seconds();
        assert_eq!((&claims["iat"], &claims["nbf"], &claims["exp"]), (&json!(now), &json!(now), &json!(now + 60)));
        assert_eq!(claims["jti"].as_str().unwrap().len(), 36);
    }

    #[tokio::test]
    async fn a_value_of_a_user_adds_no_claim() {
        let settings = json!({"claims": r#"{"name": "{{ print .Subject }}", "roles": ["user"]}"#});
        let fixture = Fixture::new(&settings);
        for subject in ["x\",\"role\":\"admin\",\"y\":\"z", "back\\slash", "line\nbreak", "quote\"", "\u{1}\u{2}", "ü"]
        {
            let token = fixture.token(subject).await.unwrap();
            let claims = fixture.claims(&token).await;
            assert_eq!((&claims["name"], &claims["roles"]), (&json!(subject), &json!(["user"])));
            assert_eq!(claims.len(), 8, "exp, iat, iss, jti, name, nbf, roles and sub: {claims:?}");
        }
        let outside = Fixture::new(&json!({"claims": r#"{"name": {{ print .Subject }}}"#}));
        let failure = outside.token("1,\"role\":\"admin\"").await.unwrap_err();
        assert_eq!(failure.status, http::StatusCode::INTERNAL_SERVER_ERROR);
        assert!(failure.reason.unwrap().contains("(at the member `name`)"));
    }

    #[tokio::test]
    async fn a_token_is_reused_until_a_tenth_of_its_lifetime_remains_and_never_for_another_subject() {
        let mut fixture = Fixture::new(&json!({"ttl": "100s"}));
        let first = fixture.token("alice").await.unwrap();
        assert_ne!(fixture.token("bob").await.unwrap(), first);
        fixture.now = fixtures::START.plus(Duration::from_secs(89));
        assert_eq!(fixture.token("alice").await.unwrap(), first);
        fixture.now = fixtures::START.plus(Duration::from_secs(91));
        assert_ne!(fixture.token("alice").await.unwrap(), first);
    }

    #[tokio::test]
    async fn claims_that_are_not_an_object_fail_the_request() {
        let fixture = Fixture::new(&json!({"claims": "[1]"}));
        assert_eq!(fixture.token("alice").await.unwrap_err().status, http::StatusCode::INTERNAL_SERVER_ERROR);
        assert!(IdToken::compile(json!({"issuer_url": "x"})).unwrap_err().contains("jwks_url"));
    }
}
