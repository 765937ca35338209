//! Credentials: what proves that a person is who she says. One of each kind per identity; several devices or providers
//! of a kind live in its configuration.

use std::collections::BTreeMap;

use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Aal, Via};

/// The kinds, in the order of their wire names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialType {
    Code,
    CodeRecovery,
    Deviceauthn,
    IdentifierFirst,
    Link,
    LinkRecovery,
    LookupSecret,
    Oidc,
    Passkey,
    Password,
    Profile,
    Saml,
    Totp,
    Webauthn,
}

impl CredentialType {
    pub const ALL: [Self; 14] = [
        Self::Code,
        Self::CodeRecovery,
        Self::Deviceauthn,
        Self::IdentifierFirst,
        Self::Link,
        Self::LinkRecovery,
        Self::LookupSecret,
        Self::Oidc,
        Self::Passkey,
        Self::Password,
        Self::Profile,
        Self::Saml,
        Self::Totp,
        Self::Webauthn,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::CodeRecovery => "code_recovery",
            Self::Deviceauthn => "deviceauthn",
            Self::IdentifierFirst => "identifier_first",
            Self::Link => "link",
            Self::LinkRecovery => "link_recovery",
            Self::LookupSecret => "lookup_secret",
            Self::Oidc => "oidc",
            Self::Passkey => "passkey",
            Self::Password => "password",
            Self::Profile => "profile",
            Self::Saml => "saml",
            Self::Totp => "totp",
            Self::Webauthn => "webauthn",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl std::fmt::Display for CredentialType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// All credentials of one identity.
pub type Credentials = BTreeMap<CredentialType, Credential>;

#[derive(Clone, Debug, PartialEq)]
pub struct Credential {
    pub kind: CredentialType,
    pub identifiers: Vec<String>,
    /// The wire form of the kind's configuration. At rest it is sealed.
    pub config: Value,
    pub version: i32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Credential {
    /// A credential with nothing in it: its identifiers are reserved, but it proves nothing yet.
    pub fn empty(kind: CredentialType, identifiers: Vec<String>, now: Timestamp) -> Self {
        let version =
            i32::from(matches!(kind, CredentialType::Password | CredentialType::Webauthn | CredentialType::Code));
        Self { kind, identifiers, config: json!({}), version, created_at: now, updated_at: now }
    }

    pub fn password(identifiers: Vec<String>, hashed_password: &str, now: Timestamp) -> Self {
        let mut credential = Self::empty(CredentialType::Password, identifiers, now);
        credential.config = json!({ "hashed_password": hashed_password });
        credential
    }

    /// The stored password hash, when there is one.
    pub fn password_hash(&self) -> Option<&str> {
        self.config.get("hashed_password")?.as_str().filter(|hash| !hash.is_empty())
    }

    /// Whether the password is still to be asked of the system that the identity came from.
    pub fn uses_password_migration_hook(&self) -> bool {
        self.config.get("use_password_migration_hook").and_then(Value::as_bool).unwrap_or(false)
    }

    /// The addresses of a code credential, of either version of its layout.
    pub fn code_addresses(&self) -> Vec<(Via, String)> {
        let listed = self.config.get("addresses").and_then(Value::as_array);
        let Some(listed) = listed else {
            // The first layout named one channel for all identifiers.
            return self.identifiers.iter().map(|value| (Via::Email, value.clone())).collect();
        };
        listed
            .iter()
            .filter_map(|entry| {
                let via = Via::parse(entry.get("channel")?.as_str()?)?;
                Some((via, entry.get("address")?.as_str()?.to_owned()))
            })
            .collect()
    }

    /// The entries of a list in the configuration: devices, providers, recovery codes.
    pub fn entries(&self, list: &str) -> &[Value] {
        self.config.get(list).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn count_webauthn(&self, passwordless: bool) -> usize {
        self.entries("credentials")
            .iter()
            .filter(|entry| entry.get("is_passwordless").and_then(Value::as_bool).unwrap_or(false) == passwordless)
            .count()
    }
}

/// What decides whether a credential counts, besides the credential itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FactorRules {
    pub code_is_first_factor: bool,
    pub code_is_second_factor: bool,
    pub password_migration_hook: bool,
}

/// How many ways there are to sign in with these credentials alone.
pub fn count_first_factors(credentials: &Credentials, rules: FactorRules) -> usize {
    credentials.values().map(|credential| first_factors(credential, rules)).sum()
}

/// How many ways there are to prove a second, different factor.
pub fn count_second_factors(credentials: &Credentials, rules: FactorRules) -> usize {
    credentials.values().map(|credential| second_factors(credential, rules)).sum()
}

/// The level that these credentials can reach (assurance counts factors, not methods).
pub fn available_aal(credentials: &Credentials, rules: FactorRules) -> Aal {
    if count_second_factors(credentials, rules) > 0 {
        Aal::Aal2
    } else if count_first_factors(credentials, rules) > 0 {
        Aal::Aal1
    } else {
        Aal::Aal0
    }
}

fn first_factors(credential: &Credential, rules: FactorRules) -> usize {
    let named = credential.identifiers.iter().any(|identifier| !identifier.is_empty());
    match credential.kind {
        CredentialType::Password => {
            let migrates = rules.password_migration_hook && credential.uses_password_migration_hook();
            usize::from(named && (credential.password_hash().is_some() || migrates))
        }
        CredentialType::Oidc | CredentialType::Saml => credential
            .entries("providers")
            .iter()
            .filter(|entry| {
                let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
                credential.identifiers.contains(&format!("{}:{}", text("provider"), text("subject")))
            })
            .count(),
        CredentialType::Passkey => credential.entries("credentials").len(),
        CredentialType::Webauthn if named => credential.count_webauthn(true),
        CredentialType::Code if rules.code_is_first_factor => credential.code_addresses().len(),
        CredentialType::Code
        | CredentialType::CodeRecovery
        | CredentialType::Deviceauthn
        | CredentialType::IdentifierFirst
        | CredentialType::Link
        | CredentialType::LinkRecovery
        | CredentialType::LookupSecret
        | CredentialType::Profile
        | CredentialType::Totp
        | CredentialType::Webauthn => 0,
    }
}

fn second_factors(credential: &Credential, rules: FactorRules) -> usize {
    match credential.kind {
        CredentialType::Totp => {
            usize::from(credential.config.get("totp_url").and_then(Value::as_str).is_some_and(|url| !url.is_empty()))
        }
        CredentialType::LookupSecret => usize::from(!credential.entries("recovery_codes").is_empty()),
        CredentialType::Webauthn => credential.count_webauthn(false),
        CredentialType::Code if rules.code_is_second_factor => credential.code_addresses().len(),
        CredentialType::Code
        | CredentialType::CodeRecovery
        | CredentialType::Deviceauthn
        | CredentialType::IdentifierFirst
        | CredentialType::Link
        | CredentialType::LinkRecovery
        | CredentialType::Oidc
        | CredentialType::Passkey
        | CredentialType::Password
        | CredentialType::Profile
        | CredentialType::Saml => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(list: Vec<Credential>) -> Credentials {
        list.into_iter().map(|credential| (credential.kind, credential)).collect()
    }

    #[test]
    fn wire_names_and_order_agree() {
        let names: Vec<_> = CredentialType::ALL.iter().map(|kind| kind.as_str()).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        assert_eq!(names, sorted);
        for kind in CredentialType::ALL {
            assert_eq!(CredentialType::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), json!(kind.as_str()));
        }
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
        let mut totp = Credential::empty(CredentialType::Totp, vec![], now);
        totp.config = json!({"totp_url": "otpauth://totp/x"});
        let both = credentials(vec![Credential::password(vec!["a".into()], "$2a$..", now), totp]);
        assert_eq!(available_aal(&both, FactorRules::default()), Aal::Aal2);
    }
}
