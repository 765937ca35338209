//! The introspection response (RFC 7662 section 2.2).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The type of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenUse {
    AccessToken,
    RefreshToken,
}

/// An inactive token has no other members (RFC 7662 section 2.2).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Introspection {
    Inactive(Inactive),
    Active(Box<ActiveToken>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Inactive {
    active: bool,
}

/// Without `jti`, although RFC 7662 registers it: clients of Ory Hydra reject members that their models lack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActiveToken {
    pub active: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    pub client_id: String,
    pub sub: String,
    pub exp: i64,
    pub iat: i64,
    pub nbf: i64,
    pub aud: Vec<String>,
    pub iss: String,
    pub token_type: String,
    pub token_use: TokenUse,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obfuscated_subject: Option<String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub ext: Map<String, Value>,
}

impl Introspection {
    pub const INACTIVE: Self = Self::Inactive(Inactive { active: false });

    pub fn active(token: ActiveToken) -> Self {
        Self::Active(Box::new(token))
    }

    pub fn as_active(&self) -> Option<&ActiveToken> {
        match self {
            Self::Active(token) => Some(token),
            Self::Inactive(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inactive_token_has_no_other_members() {
        assert_eq!(serde_json::to_string(&Introspection::INACTIVE).unwrap(), r#"{"active":false}"#);
    }
}
