//! Defaults for keys that the configuration does not set.

use base::GoDuration;
use serde::{Deserialize as _, Deserializer};

use super::{
    AccessTokenFormat, Bcrypt, ClientCredentials, CookieNames, CookiePaths, GrantSettings, Hashers, Jwks, Keys, OAuth2,
    OwnUrls, Pbkdf2, Pkce, RefreshTokenSettings, SubjectIdentifiers,
};
use crate::domain::client::{AccessTokenStrategy, SubjectType};

const fn minutes(minutes: u64) -> GoDuration {
    GoDuration::from_seconds(minutes * 60)
}

impl Default for OAuth2 {
    fn default() -> Self {
        Self {
            exclude_not_before_claim: false,
            allowed_top_level_claims: Vec::new(),
            mirror_top_level_claims: true,
            preserve_ext_claims: false,
            pkce: Pkce::default(),
            client_credentials: ClientCredentials::default(),
            grant: GrantSettings::default(),
            grant_types_disabled: Vec::new(),
            keys: Keys::default(),
            hashers: Hashers::default(),
            token_hook: None,
            refresh_token_hook: None,
        }
    }
}

impl Default for RefreshTokenSettings {
    fn default() -> Self {
        Self { rotation_grace_period: minutes(0), rotation_grace_reuse_count: 0 }
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self { algorithm: None, rotation_period: minutes(0) }
    }
}

impl Default for Bcrypt {
    fn default() -> Self {
        Self { cost: 10 }
    }
}

impl Default for Pbkdf2 {
    fn default() -> Self {
        Self { iterations: 25_000 }
    }
}

impl Default for SubjectIdentifiers {
    fn default() -> Self {
        Self { supported_types: vec![SubjectType::Public], pairwise: None }
    }
}

/// A list without types counts as absent.
pub(super) fn types_or_public<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SubjectType>, D::Error> {
    let types = Vec::deserialize(deserializer)?;
    Ok(if types.is_empty() { SubjectIdentifiers::default().supported_types } else { types })
}

impl Default for CookieNames {
    fn default() -> Self {
        Self {
            login_csrf: "ory_hydra_login_csrf".to_owned(),
            consent_csrf: "ory_hydra_consent_csrf".to_owned(),
            session: "ory_hydra_session".to_owned(),
        }
    }
}

impl Default for CookiePaths {
    fn default() -> Self {
        Self { session: "/".to_owned() }
    }
}

impl Default for AccessTokenFormat {
    fn default() -> Self {
        Self(AccessTokenStrategy::Opaque)
    }
}

impl Default for OwnUrls {
    fn default() -> Self {
        Self { issuer: "http://127.0.0.1:4444/".to_owned(), public: None, admin: None }
    }
}

impl Default for Jwks {
    fn default() -> Self {
        Self { broadcast_keys: vec!["hydra.openid.id-token".to_owned()] }
    }
}
