//! Backup codes as they are stored: in clear inside of the sealed configuration, because their owner may look at them again.

use base::Timestamp;
use serde::{Deserialize, Serialize};
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

/// One code, which works once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupCode {
    pub code: String,
    #[serde(default)]
    pub used_at: Option<Timestamp>,
}

impl LookupSecretCredential {
    pub fn new(recovery_codes: Vec<LookupCode>) -> Self {
        Self { recovery_codes, rest: Map::new() }
    }
}

impl StoredCredential for LookupSecretCredential {
    /// Used codes count: a person whose last code is used still has to prove a second factor.
    fn factors(&self, _: &[String], _: FactorRules) -> Factors {
        Factors::second(usize::from(!self.recovery_codes.is_empty()))
    }

    fn remove(&mut self, _: &mut Vec<String>, _: Option<&str>) -> Result<Remainder, RemovalRefused> {
        Ok(Remainder::Nothing)
    }
}
