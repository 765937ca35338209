//! Stored backup codes: in clear text inside the sealed configuration, because their owner may view them again.

use base::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::domain::factors::{FactorRules, Factors};
use crate::domain::stored_credential::{Remainder, RemovalRefused, StoredCredential, null_as_default};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LookupSecretCredential {
    #[serde(default, deserialize_with = "null_as_default")]
    pub recovery_codes: Vec<LookupCode>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// One code; it works once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookupCode {
    pub code: String,
    #[serde(default, deserialize_with = "never_is_none")]
    pub used_at: Option<Timestamp>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl LookupCode {
    pub fn unused(code: impl Into<String>) -> Self {
        Self { code: code.into(), used_at: None, rest: Map::new() }
    }
}

/// Other systems write their zero time for an unused code.
fn never_is_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let used_at =
        Option::<Value>::deserialize(deserializer)?.filter(|it| !it.is_null() && *it != "0001-01-01T00:00:00Z");
    used_at.map(|it| serde_json::from_value(it).map_err(serde::de::Error::custom)).transpose()
}

impl LookupSecretCredential {
    pub fn new(recovery_codes: Vec<LookupCode>) -> Self {
        Self { recovery_codes, rest: Map::new() }
    }
}

impl StoredCredential for LookupSecretCredential {
    /// Used codes count: a user whose last code is used must still prove a second factor.
    fn factors(&self, _: &[String], _: FactorRules) -> Factors {
        Factors::second(usize::from(!self.recovery_codes.is_empty()))
    }

    fn is_used_up(&self) -> bool {
        self.recovery_codes.iter().all(|code| code.used_at.is_some())
    }

    fn remove(&mut self, _: &mut Vec<String>, _: Option<&str>) -> Result<Remainder, RemovalRefused> {
        Ok(Remainder::Nothing)
    }
}
