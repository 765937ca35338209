//! The stored public keys of authenticators (Web Authentication). `PASSKEY` selects the method: passkeys sign in on their
//! own and identify their owner; security keys need an identifier or are second factors.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::factors::{FactorRules, Factors};
use crate::domain::stored_credential::{Remainder, RemovalRefused, StoredCredential, null_as_default};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PublicKeysCredential<const PASSKEY: bool> {
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<PublicKey>,
    /// Base64 of the user handle in the authenticator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_handle: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// One authenticator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PublicKey {
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "String::is_empty")]
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_passwordless: Option<bool>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl PublicKey {
    fn is_passwordless(&self) -> bool {
        self.is_passwordless == Some(true)
    }
}

impl<const PASSKEY: bool> StoredCredential for PublicKeysCredential<PASSKEY> {
    fn factors(&self, identifiers: &[String], _: FactorRules) -> Factors {
        if PASSKEY {
            return Factors::first(self.credentials.len());
        }
        let is_named = identifiers.iter().any(|identifier| !identifier.is_empty());
        let alone = self.credentials.iter().filter(|key| key.is_passwordless()).count();
        Factors { first: if is_named { alone } else { 0 }, second: self.credentials.len() - alone }
    }

    /// Removes security keys that are second factors. The others are sign-in methods, which only their owner removes.
    fn remove(&mut self, _: &mut Vec<String>, _: Option<&str>) -> Result<Remainder, RemovalRefused> {
        if PASSKEY {
            return Err(RemovalRefused::Unsupported);
        }
        let before = self.credentials.len();
        self.credentials.retain(PublicKey::is_passwordless);
        if self.credentials.len() == before { Err(RemovalRefused::Unknown) } else { Ok(Remainder::Something) }
    }
}
