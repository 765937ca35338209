//! The configuration of a credential, typed: one line here for each method that stores something. What a type says is in the
//! room of its method; this file and the `credential.rs` of each room belong to the domain and are pure.
//!
//! Members that a type does not name are kept: identities come from other systems and newer releases.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::code::CodeCredential;
use super::lookup_secret::LookupSecretCredential;
use super::oidc::ProvidersCredential;
use super::password::PasswordCredential;
use super::totp::TotpCredential;
use super::webauthn::PublicKeysCredential;
use crate::domain::CredentialType;
use crate::domain::credential::{FactorRules, Factors};

/// What the room of a method knows of its credential.
pub trait StoredCredential {
    /// For how many factors it counts.
    fn factors(&self, identifiers: &[String], rules: FactorRules) -> Factors;

    /// Removes what an administrator names. `identifier` chooses one of several, where a method has several.
    fn remove(&mut self, identifiers: &mut Vec<String>, identifier: Option<&str>) -> Result<Remainder, RemovalRefused>;
}

/// Other systems write `null` where there is nothing.
pub(super) fn null_as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// What is left of a credential after a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remainder {
    Nothing,
    Something,
}

/// Why nothing was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalRefused {
    /// Credentials of this kind cannot be deleted.
    Unsupported,
    /// An identifier has to say which one.
    IdentifierMissing,
    /// There is no such one.
    Unknown,
}

macro_rules! configs {
    ($($kind:ident: $config:ty,)+) => {
        #[derive(Clone, Debug, PartialEq)]
        pub enum CredentialConfig {
            $($kind($config),)+
            /// Of a kind that no method here reads.
            Opaque(CredentialType, Map<String, Value>),
        }

        impl CredentialConfig {
            pub const fn kind(&self) -> CredentialType {
                match self {
                    $(Self::$kind(_) => CredentialType::$kind,)+
                    Self::Opaque(kind, _) => *kind,
                }
            }

            /// A configuration with nothing in it.
            pub fn empty(kind: CredentialType) -> Self {
                match kind {
                    $(CredentialType::$kind => Self::$kind(Default::default()),)+
                    kind => Self::Opaque(kind, Map::new()),
                }
            }

            /// Reads the wire form.
            pub fn from_json(kind: CredentialType, config: Value) -> Result<Self, serde_json::Error> {
                match kind {
                    $(CredentialType::$kind => serde_json::from_value(config).map(Self::$kind),)+
                    kind => serde_json::from_value(config).map(|config| Self::Opaque(kind, config)),
                }
            }

            /// The wire form, which is also what is sealed.
            pub fn to_json(&self) -> Value {
                match self {
                    // A struct of texts, numbers and lists always has a JSON form.
                    $(Self::$kind(config) => serde_json::to_value(config).unwrap_or_default(),)+
                    Self::Opaque(_, config) => Value::Object(config.clone()),
                }
            }

            pub fn factors(&self, identifiers: &[String], rules: FactorRules) -> Factors {
                match self {
                    $(Self::$kind(config) => config.factors(identifiers, rules),)+
                    Self::Opaque(..) => Factors::default(),
                }
            }

            pub fn remove(
                &mut self,
                identifiers: &mut Vec<String>,
                identifier: Option<&str>,
            ) -> Result<Remainder, RemovalRefused> {
                match self {
                    $(Self::$kind(config) => config.remove(identifiers, identifier),)+
                    Self::Opaque(..) => Err(RemovalRefused::Unsupported),
                }
            }
        }
    };
}

configs! {
    Password: PasswordCredential,
    Code: CodeCredential,
    Totp: TotpCredential,
    LookupSecret: LookupSecretCredential,
    Oidc: ProvidersCredential,
    Saml: ProvidersCredential,
    Webauthn: PublicKeysCredential<false>,
    Passkey: PublicKeysCredential<true>,
}

impl CredentialConfig {
    pub fn password(hash: &str) -> Self {
        Self::Password(PasswordCredential::new(hash))
    }
}
