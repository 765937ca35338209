//! The shared secret of an authenticator app, as it is stored.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::factors::{FactorRules, Factors};
use crate::domain::stored_credential::{Remainder, RemovalRefused, StoredCredential, null_as_default};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TotpCredential {
    /// An `otpauth` URL with the secret in it.
    #[serde(default, deserialize_with = "null_as_default")]
    totp_url: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl TotpCredential {
    pub fn new(url: impl Into<String>) -> Self {
        Self { totp_url: url.into(), rest: Map::new() }
    }

    pub fn url(&self) -> &str {
        &self.totp_url
    }
}

impl StoredCredential for TotpCredential {
    fn factors(&self, _: &[String], _: FactorRules) -> Factors {
        Factors::second(usize::from(!self.totp_url.is_empty()))
    }

    fn remove(&mut self, _: &mut Vec<String>, _: Option<&str>) -> Result<Remainder, RemovalRefused> {
        Ok(Remainder::Nothing)
    }
}
