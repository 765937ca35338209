//! An identity: the record of a user. Its traits are valid under a schema. Its addresses and the identifiers of their
//! credentials are derived from the traits on each change.

use std::collections::BTreeMap;

use base::{Rng, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::credential::{CredentialConfig, available_aal};
use super::factors::FactorRules;
use super::identifier::MAX_IDENTIFIER;
use super::stored_credential::Remainder;
use super::traits_schema::Derived;
use super::{
    Aal, Credential, CredentialType, Credentials, RecoveryAddress, RecoveryAddressId, VerifiableAddress,
    VerifiableAddressId, Via,
};
use crate::methods::code::credential::CodeCredential;

base::uuid_ids! {
    /// The record of a user.
    IdentityId;
}

/// Whether the user may sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    #[default]
    Active,
    Inactive,
}

impl State {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Inactive].into_iter().find(|state| state.as_str() == text)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    pub id: IdentityId,
    pub schema_id: String,
    pub state: State,
    pub state_changed_at: Option<Timestamp>,
    pub traits: Value,
    pub metadata_public: Option<Value>,
    pub metadata_admin: Option<Value>,
    pub external_id: Option<String>,
    pub organization_id: Option<Uuid>,
    /// The level that the credentials can reach. It is stored in the row so that a session check reads one row.
    pub available_aal: Aal,
    pub verifiable_addresses: Vec<VerifiableAddress>,
    pub recovery_addresses: Vec<RecoveryAddress>,
    /// Loaded by the storage functions that document it; empty otherwise.
    pub credentials: Credentials,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The version of the row when it was read.
    pub version: i64,
    /// Whether an address that was replaced since was verified. Storage maintains it.
    pub address_proved: bool,
}

impl Identity {
    pub fn new(id: IdentityId, schema_id: &str, traits: Value, now: Timestamp) -> Self {
        Self {
            id,
            schema_id: schema_id.to_owned(),
            state: State::Active,
            state_changed_at: Some(now),
            traits,
            metadata_public: None,
            metadata_admin: None,
            external_id: None,
            organization_id: None,
            available_aal: Aal::Aal0,
            verifiable_addresses: Vec::new(),
            recovery_addresses: Vec::new(),
            credentials: BTreeMap::new(),
            created_at: now,
            updated_at: now,
            version: 1,
            address_proved: false,
        }
    }

    /// The name that identifies the account to its owner: an address, else a name.
    pub fn account_name(&self) -> Option<&str> {
        let address = self.verifiable_addresses.first().map(|address| address.value.as_str());
        let name = |name| self.traits.get(name).and_then(Value::as_str);
        address.or_else(|| ["email", "username", "phone", "name"].into_iter().find_map(name))
    }

    pub fn is_active(&self) -> bool {
        self.state == State::Active
    }

    pub fn set_state(&mut self, state: State, now: Timestamp) {
        if self.state != state {
            self.state = state;
            self.state_changed_at = Some(now);
        }
    }

    pub fn credential(&self, kind: CredentialType) -> Option<&Credential> {
        self.credentials.get(&kind)
    }

    pub fn verifiable_address(&self, via: Via, value: &str) -> Option<&VerifiableAddress> {
        self.verifiable_addresses.iter().find(|address| address.via == via && address.value == value)
    }

    /// Whether any address of the user is verified.
    pub fn has_verified_address(&self) -> bool {
        self.verifiable_addresses.iter().any(|address| address.verified)
    }

    /// Whether the user ever proved to own an address of this account, although it may have been replaced since.
    pub fn has_proved_address(&self) -> bool {
        self.address_proved || self.has_verified_address()
    }

    /// Whether this address may recover the account. If another address of the account is verified, an unverified address
    /// may not: whoever added it may not be its owner.
    pub fn is_recoverable_by(&self, via: Via, value: &str) -> bool {
        let is_unproved = self.verifiable_address(via, value).is_some_and(|address| !address.verified);
        !(is_unproved && self.has_verified_address())
    }

    /// Whether this is an address of the user that may recover the account.
    pub fn recovers_by(&self, via: Via, value: &str) -> bool {
        self.recovery_addresses.iter().any(|address| address.via == via && address.value == value)
            && self.is_recoverable_by(via, value)
    }

    /// Removes the password and the second factors, which may be those of whoever registered the account. The
    /// identifiers of the password remain, so that a new one can be set. Codes to addresses remain, because they are
    /// derived from the traits. Returns whether anything was removed.
    pub fn remove_unproved_credentials(&mut self, rules: FactorRules, now: Timestamp) -> bool {
        let mut is_changed = false;
        self.credentials.retain(|kind, credential| {
            let is_password = *kind == CredentialType::Password && credential.password_hash().is_some();
            if !is_password && credential.factors(rules).second == 0 {
                return true;
            }
            let Ok(remainder) = credential.config.remove(&mut credential.identifiers, None) else { return true };
            credential.updated_at = now;
            is_changed = true;
            remainder == Remainder::Something
        });
        if is_changed {
            self.updated_at = now;
        }
        is_changed
    }

    /// Every identifier of the loaded credentials. A password must not resemble them.
    pub fn identifiers(&self) -> impl Iterator<Item = &str> {
        self.credentials.values().flat_map(|credential| credential.identifiers.iter().map(String::as_str))
    }

    /// The member with a text that is too long for the index.
    pub fn oversized(&self) -> Option<String> {
        let is_long = |text: &str| text.len() > MAX_IDENTIFIER;
        if self.external_id.as_deref().is_some_and(is_long) {
            return Some("external_id".to_owned());
        }
        if self.verifiable_addresses.iter().any(|address| is_long(&address.value)) {
            return Some("verifiable_addresses".to_owned());
        }
        if self.recovery_addresses.iter().any(|address| is_long(&address.value)) {
            return Some("recovery_addresses".to_owned());
        }
        let credential = self.credentials.values().find(|it| it.identifiers.iter().any(|text| is_long(text)))?;
        Some(format!("credentials.{}.identifiers", credential.kind().as_str()))
    }

    /// Updates addresses and credential identifiers to what the schema derived from the traits. Addresses that remain keep
    /// their verification state; addresses that the traits no longer contain are dropped.
    ///
    /// The credentials must be loaded.
    pub fn apply_derived(&mut self, derived: &Derived, rng: &Rng, now: Timestamp) {
        let mut known = std::mem::take(&mut self.verifiable_addresses);
        for (via, value) in &derived.verifiable {
            let kept = known.iter().position(|address| address.via == *via && address.value == *value);
            self.verifiable_addresses.push(match kept {
                Some(index) => known.swap_remove(index),
                None => VerifiableAddress::pending(VerifiableAddressId::generate(rng), *via, value.clone(), now),
            });
        }
        let mut known = std::mem::take(&mut self.recovery_addresses);
        for (via, value) in &derived.recovery {
            let kept = known.iter().position(|address| address.via == *via && address.value == *value);
            self.recovery_addresses.push(match kept {
                Some(index) => known.swap_remove(index),
                None => RecoveryAddress {
                    id: RecoveryAddressId::generate(rng),
                    via: *via,
                    value: value.clone(),
                    created_at: now,
                    updated_at: now,
                },
            });
        }
        for (kind, identifiers) in
            [(CredentialType::Password, &derived.password), (CredentialType::Webauthn, &derived.webauthn)]
        {
            self.name_credential(kind, identifiers.clone(), now);
        }
        let identifiers = derived.code.iter().map(|(_, address)| address.clone()).collect();
        if let Some(credential) = self.name_credential(CredentialType::Code, identifiers, now) {
            let config = CredentialConfig::Code(CodeCredential::new(&derived.code));
            if credential.config != config {
                credential.config = config;
                credential.updated_at = now;
            }
        }
    }

    fn name_credential(
        &mut self,
        kind: CredentialType,
        identifiers: Vec<String>,
        now: Timestamp,
    ) -> Option<&mut Credential> {
        if identifiers.is_empty() && !self.credentials.contains_key(&kind) {
            return None;
        }
        let credential = self.credentials.entry(kind).or_insert_with(|| Credential::empty(kind, Vec::new(), now));
        if credential.identifiers != identifiers {
            credential.identifiers = identifiers;
            credential.updated_at = now;
        }
        Some(credential)
    }

    /// Recomputes the level that the loaded credentials reach.
    pub fn refresh_available_aal(&mut self, rules: FactorRules) {
        self.available_aal = available_aal(&self.credentials, rules);
    }

    /// The traits as JSON text, to detect changes between two steps.
    pub fn traits_text(&self) -> String {
        self.traits.to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::AddressStatus;

    fn derived(addresses: &[&str]) -> Derived {
        let list: Vec<_> = addresses.iter().map(|value| (Via::Email, (*value).to_owned())).collect();
        Derived {
            password: addresses.iter().map(|value| (*value).to_owned()).collect(),
            verifiable: list.clone(),
            recovery: list,
            ..Derived::default()
        }
    }

    #[test]
    fn a_text_that_is_too_long_for_an_index_is_reported() {
        let rng = Rng::seeded(1);
        let mut identity = Identity::new(IdentityId::generate(&rng), "default", json!({}), Timestamp::EPOCH);
        identity.external_id = Some("x".repeat(MAX_IDENTIFIER));
        assert_eq!(identity.oversized(), None);
        identity.apply_derived(&derived(&[&"y".repeat(MAX_IDENTIFIER + 1)]), &rng, Timestamp::EPOCH);
        assert_eq!(identity.oversized().as_deref(), Some("verifiable_addresses"));
        identity.verifiable_addresses.clear();
        identity.recovery_addresses.clear();
        assert_eq!(identity.oversized().as_deref(), Some("credentials.password.identifiers"));
        identity.external_id = Some("x".repeat(MAX_IDENTIFIER + 1));
        assert_eq!(identity.oversized().as_deref(), Some("external_id"));
    }

    #[test]
    fn a_verification_survives_as_long_as_its_address() {
        let rng = Rng::seeded(1);
        let now = Timestamp::from_unix_seconds(1);
        let mut identity = Identity::new(IdentityId::generate(&rng), "default", json!({}), now);
        identity.apply_derived(&derived(&["a@x", "b@x"]), &rng, now);
        identity.verifiable_addresses[0].complete(now);
        let first = identity.verifiable_addresses[0].clone();

        identity.apply_derived(&derived(&["c@x", "a@x"]), &rng, now);
        assert_eq!(identity.verifiable_addresses.len(), 2);
        assert_eq!(identity.verifiable_addresses[1], first);
        assert_eq!(identity.verifiable_addresses[0].status, AddressStatus::Pending);
        assert_eq!(identity.credentials[&CredentialType::Password].identifiers, ["c@x", "a@x"]);

        identity.apply_derived(&derived(&[]), &rng, now);
        assert!(identity.verifiable_addresses.is_empty() && identity.recovery_addresses.is_empty());
        assert!(identity.credentials[&CredentialType::Password].identifiers.is_empty());
        identity.apply_derived(&derived(&["a@x"]), &rng, now);
        assert!(!identity.verifiable_addresses[0].verified, "a removed address must be verified again");
    }

    #[test]
    fn an_unverified_address_does_not_recover_an_account_with_a_verified_one() {
        let rng = Rng::seeded(1);
        let now = Timestamp::from_unix_seconds(1);
        let mut identity = Identity::new(IdentityId::generate(&rng), "default", json!({}), now);
        identity.apply_derived(&derived(&["owner@x", "attacker@x"]), &rng, now);
        assert!(
            identity.is_recoverable_by(Via::Email, "owner@x") && identity.is_recoverable_by(Via::Email, "attacker@x")
        );
        identity.verifiable_addresses[0].complete(now);
        assert!(identity.is_recoverable_by(Via::Email, "owner@x"));
        assert!(!identity.is_recoverable_by(Via::Email, "attacker@x"));
        assert!(identity.is_recoverable_by(Via::Email, "recovery-only@x"), "it is not a verifiable address");
    }

    #[test]
    fn the_state_time_changes_only_with_the_state() {
        let mut identity = Identity::new(IdentityId::from_uuid(Uuid::nil()), "x", json!({}), Timestamp::EPOCH);
        let later = Timestamp::from_unix_seconds(9);
        identity.set_state(State::Active, later);
        assert_eq!(identity.state_changed_at, Some(Timestamp::EPOCH));
        identity.set_state(State::Inactive, later);
        assert_eq!(identity.state_changed_at, Some(later));
    }
}
