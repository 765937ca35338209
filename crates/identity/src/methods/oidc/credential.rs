//! The stored accounts at identity providers that are linked to a user, for both OpenID Connect and SAML.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::factors::{FactorRules, Factors};
use crate::domain::stored_credential::{Remainder, RemovalRefused, StoredCredential, null_as_default};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProvidersCredential {
    #[serde(default, deserialize_with = "null_as_default")]
    pub providers: Vec<LinkedProvider>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// An account at a provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LinkedProvider {
    #[serde(default, deserialize_with = "null_as_default")]
    pub subject: String,
    #[serde(default, deserialize_with = "null_as_default")]
    pub provider: String,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl LinkedProvider {
    /// The identifier of the account.
    pub fn identifier(&self) -> String {
        format!("{}:{}", self.provider, self.subject)
    }
}

impl StoredCredential for ProvidersCredential {
    fn factors(&self, identifiers: &[String], _: FactorRules) -> Factors {
        Factors::first(self.providers.iter().filter(|it| identifiers.contains(&it.identifier())).count())
    }

    fn remove(&mut self, identifiers: &mut Vec<String>, identifier: Option<&str>) -> Result<Remainder, RemovalRefused> {
        let identifier = identifier.filter(|it| !it.is_empty()).ok_or(RemovalRefused::IdentifierMissing)?;
        if !identifiers.iter().any(|known| known == identifier) {
            return Err(RemovalRefused::Unknown);
        }
        identifiers.retain(|known| known != identifier);
        self.providers.retain(|provider| provider.identifier() != identifier);
        Ok(if identifiers.is_empty() { Remainder::Nothing } else { Remainder::Something })
    }
}
