//! Token lifespans: those registered for the client and grant type, else the configured ones.

use std::time::Duration;

use base::{GoDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::client::ClientLifespans;

/// What is configured (`ttl`).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Ttl {
    /// How long a login or consent request can be accepted or rejected.
    pub login_consent_request: GoDuration,
    /// How long a login is remembered at most.
    pub authentication_session: GoDuration,
    /// How long an access token is valid.
    pub access_token: GoDuration,
    /// How long a refresh token is valid; `-1` for ever.
    pub refresh_token: RefreshTokenLifespan,
    /// How long an ID token is valid.
    pub id_token: GoDuration,
    /// How long an authorization code is valid.
    pub auth_code: GoDuration,
}

/// A lifespan, or `-1` for refresh tokens that never expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String")]
pub enum RefreshTokenLifespan {
    Limited(GoDuration),
    Unlimited,
}

impl Default for Ttl {
    fn default() -> Self {
        Self {
            login_consent_request: GoDuration::from_seconds(30 * 60),
            authentication_session: GoDuration::from_seconds(720 * 3600),
            access_token: GoDuration::from_seconds(3600),
            refresh_token: RefreshTokenLifespan::Limited(GoDuration::from_seconds(720 * 3600)),
            id_token: GoDuration::from_seconds(3600),
            auth_code: GoDuration::from_seconds(10 * 60),
        }
    }
}

impl Serialize for RefreshTokenLifespan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Limited(lifespan) => lifespan.serialize(serializer),
            Self::Unlimited => serializer.serialize_str("-1"),
        }
    }
}

impl<'de> Deserialize<'de> for RefreshTokenLifespan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Number(i64),
            Text(String),
        }
        match Raw::deserialize(deserializer)? {
            Raw::Number(-1) => Ok(Self::Unlimited),
            Raw::Number(_) => Err(serde::de::Error::custom("the only number allowed is -1")),
            Raw::Text(text) if text == "-1" => Ok(Self::Unlimited),
            Raw::Text(text) => {
                let text = serde::de::value::StringDeserializer::<D::Error>::new(text);
                GoDuration::deserialize(text).map(Self::Limited)
            }
        }
    }
}

/// The lifespans of the tokens of one response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifespans {
    pub access_token: Duration,
    pub id_token: Duration,
    /// `None` for refresh tokens that never expire.
    pub refresh_token: Option<Duration>,
}

impl Lifespans {
    pub fn of_authorization_code(ttl: &Ttl, client: &ClientLifespans) -> Self {
        Self::choose(
            ttl,
            client.authorization_code_grant_access_token_lifespan,
            client.authorization_code_grant_id_token_lifespan,
            client.authorization_code_grant_refresh_token_lifespan,
        )
    }

    pub fn of_refresh_token(ttl: &Ttl, client: &ClientLifespans) -> Self {
        Self::choose(
            ttl,
            client.refresh_token_grant_access_token_lifespan,
            client.refresh_token_grant_id_token_lifespan,
            client.refresh_token_grant_refresh_token_lifespan,
        )
    }

    /// For tokens issued by the authorization endpoint.
    pub fn of_implicit(ttl: &Ttl, client: &ClientLifespans) -> Self {
        Self::choose(ttl, client.implicit_grant_access_token_lifespan, client.implicit_grant_id_token_lifespan, None)
    }

    pub fn of_client_credentials(ttl: &Ttl, client: &ClientLifespans) -> Self {
        Self::choose(ttl, client.client_credentials_grant_access_token_lifespan, None, None)
    }

    fn choose(ttl: &Ttl, access: Option<GoDuration>, id: Option<GoDuration>, refresh: Option<GoDuration>) -> Self {
        let refresh_token = match (refresh, ttl.refresh_token) {
            (Some(own), _) | (None, RefreshTokenLifespan::Limited(own)) => Some(own.get()),
            (None, RefreshTokenLifespan::Unlimited) => None,
        };
        Self {
            access_token: access.unwrap_or(ttl.access_token).get(),
            id_token: id.unwrap_or(ttl.id_token).get(),
            refresh_token,
        }
    }

    /// When a refresh token issued now expires.
    pub fn refresh_token_expiry(&self, now: Timestamp) -> Timestamp {
        self.refresh_token.map_or(Timestamp::MAX, |lifespan| now.plus(lifespan))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_lifespan_overrides_the_configured_one() {
        let ttl = Ttl::default();
        let mut client = ClientLifespans::default();
        let hour = Duration::from_hours(1);
        assert_eq!(Lifespans::of_refresh_token(&ttl, &client).access_token, hour);
        client.refresh_token_grant_access_token_lifespan = Some(GoDuration::from_seconds(60));
        assert_eq!(Lifespans::of_refresh_token(&ttl, &client).access_token, Duration::from_mins(1));
        assert_eq!(Lifespans::of_authorization_code(&ttl, &client).access_token, hour);
    }

    #[test]
    fn refresh_tokens_may_never_expire_unless_the_client_says_otherwise() {
        let ttl = Ttl { refresh_token: RefreshTokenLifespan::Unlimited, ..Ttl::default() };
        let mut client = ClientLifespans::default();
        let now = Timestamp::EPOCH;
        assert_eq!(Lifespans::of_refresh_token(&ttl, &client).refresh_token_expiry(now), Timestamp::MAX);
        client.refresh_token_grant_refresh_token_lifespan = Some(GoDuration::from_seconds(60));
        let limited = Lifespans::of_refresh_token(&ttl, &client).refresh_token_expiry(now);
        assert_eq!(limited, Timestamp::from_unix_seconds(60));
    }
}
