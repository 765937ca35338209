//! Credentials: they prove the identity of a user. An identity has one credential of each kind; several devices or
//! providers of a kind are part of its configuration, whose type is in the folder of the method
//! (`methods/<method>/credential.rs`).
//!
//! The configuration determines how many factors a credential counts for. The assurance level of a user depends on their
//! credentials only.

use std::collections::BTreeMap;

use base::Timestamp;

use super::credential_type::Identifiers;
use super::factors::{FactorRules, Factors};
use super::{Aal, CredentialType, Via};
pub use crate::methods::credential::CredentialConfig;

/// All credentials of one identity.
pub type Credentials = BTreeMap<CredentialType, Credential>;

#[derive(Clone, Debug, PartialEq)]
pub struct Credential {
    pub identifiers: Vec<String>,
    /// Sealed in storage.
    pub config: CredentialConfig,
    pub version: i32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Credential {
    pub fn new(config: CredentialConfig, identifiers: Vec<String>, now: Timestamp) -> Self {
        // As in Kratos: 1 for those whose identifiers come from the traits.
        let version = i32::from(config.kind().identifiers() == Identifiers::Typed);
        Self { identifiers, config, version, created_at: now, updated_at: now }
    }

    /// An empty credential: its identifiers are reserved, but it proves nothing yet.
    pub fn empty(kind: CredentialType, identifiers: Vec<String>, now: Timestamp) -> Self {
        Self::new(CredentialConfig::empty(kind), identifiers, now)
    }

    pub fn password(identifiers: Vec<String>, hashed_password: &str, now: Timestamp) -> Self {
        Self::new(CredentialConfig::password(hashed_password), identifiers, now)
    }

    pub const fn kind(&self) -> CredentialType {
        self.config.kind()
    }

    /// The stored password hash, when there is one.
    pub fn password_hash(&self) -> Option<&str> {
        match &self.config {
            CredentialConfig::Password(password) => password.hash(),
            _ => None,
        }
    }

    /// The addresses of a code credential.
    pub fn code_addresses(&self) -> Vec<(Via, String)> {
        match &self.config {
            CredentialConfig::Code(code) => code.addresses_of(&self.identifiers),
            _ => Vec::new(),
        }
    }

    /// How many factors of each kind it counts for.
    pub fn factors(&self, rules: FactorRules) -> Factors {
        self.config.factors(&self.identifiers, rules)
    }
}

/// How many factors all credentials of a user count for.
pub fn factors_of(credentials: &Credentials, rules: FactorRules) -> Factors {
    credentials
        .values()
        .map(|credential| credential.factors(rules))
        .fold(Factors::default(), |sum, one| Factors { first: sum.first + one.first, second: sum.second + one.second })
}

/// The level that these credentials can reach (assurance counts factors, not methods).
pub fn available_aal(credentials: &Credentials, rules: FactorRules) -> Aal {
    match factors_of(credentials, rules) {
        Factors { second: 1.., .. } => Aal::Aal2,
        Factors { first: 1.., .. } => Aal::Aal1,
        Factors { .. } => Aal::Aal0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn credentials(list: Vec<Credential>) -> Credentials {
        list.into_iter().map(|credential| (credential.kind(), credential)).collect()
    }

    #[test]
    fn a_password_without_identifier_or_hash_is_no_factor() {
        let now = Timestamp::EPOCH;
        let rules = FactorRules::default();
        let empty = credentials(vec![Credential::empty(CredentialType::Password, vec!["a".into()], now)]);
        assert_eq!(available_aal(&empty, rules), Aal::Aal0);
        let nameless = credentials(vec![Credential::password(vec![], "$2a$..", now)]);
        assert_eq!(available_aal(&nameless, rules), Aal::Aal0);
        let whole = credentials(vec![Credential::password(vec!["a".into()], "$2a$..", now)]);
        assert_eq!(available_aal(&whole, rules), Aal::Aal1);
    }

    #[test]
    fn a_second_factor_raises_what_is_available() {
        let now = Timestamp::EPOCH;
        let config = CredentialConfig::from_json(
            CredentialType::Totp,
            json!({"totp_url": "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP"}),
        )
        .unwrap();
        let totp = Credential::new(config, vec![], now);
        let both = credentials(vec![Credential::password(vec!["a".into()], "$2a$..", now), totp]);
        assert_eq!(available_aal(&both, FactorRules::default()), Aal::Aal2);
    }
}
