//! The stored password.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::factors::{FactorRules, Factors};
use crate::domain::password_hash::PasswordHash;
use crate::domain::stored_credential::{Flaw, Remainder, RemovalRefused, StoredCredential};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PasswordCredential {
    /// `None` where no password was set yet, or it was removed: the identifiers remain reserved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hashed_password: Option<String>,
    /// The password must still be verified by the system that the identity came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    use_password_migration_hook: Option<bool>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl PasswordCredential {
    pub fn new(hash: &str) -> Self {
        Self { hashed_password: Some(hash.to_owned()), ..Self::default() }
    }

    /// A credential from another system, with or without a hash.
    pub fn imported(hash: Option<&str>, use_password_migration_hook: bool) -> Self {
        Self {
            hashed_password: hash.map(str::to_owned),
            use_password_migration_hook: use_password_migration_hook.then_some(true),
            ..Self::default()
        }
    }

    pub fn hash(&self) -> Option<&str> {
        self.hashed_password.as_deref().filter(|hash| !hash.is_empty())
    }

    /// The same password under another hash.
    pub fn rehash(&mut self, hash: String) {
        self.hashed_password = Some(hash);
    }
}

impl StoredCredential for PasswordCredential {
    fn factors(&self, identifiers: &[String], rules: FactorRules) -> Factors {
        let is_named = identifiers.iter().any(|identifier| !identifier.is_empty());
        let migrates = rules.password_migration_hook && self.use_password_migration_hook == Some(true);
        Factors::first(usize::from(is_named && (self.hash().is_some() || migrates)))
    }

    fn check(&self) -> Result<(), Flaw> {
        let Some(hash) = self.hash() else { return Ok(()) };
        PasswordHash::parse(hash).map(drop).map_err(|error| Flaw::of_member("hashed_password", error.to_string()))
    }

    fn remove(&mut self, _: &mut Vec<String>, _: Option<&str>) -> Result<Remainder, RemovalRefused> {
        *self = Self::default();
        Ok(Remainder::Something)
    }
}
