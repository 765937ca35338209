//! The typed configuration of a credential: one line here for each method that stores something. The types are in the
//! folders of the methods. This file and the `credential.rs` of each method belong to the domain and are pure.
//!
//! Unknown members are kept: identities come from other systems and newer releases.

use serde_json::{Map, Value};

use super::code::credential::CodeCredential;
use super::lookup_secret::credential::LookupSecretCredential;
use super::oidc::credential::ProvidersCredential;
use super::password::credential::PasswordCredential;
use super::totp::credential::TotpCredential;
use super::webauthn::credential::PublicKeysCredential;
use crate::domain::credential_type::CredentialType;
use crate::domain::factors::{FactorRules, Factors};
use crate::domain::stored_credential::{Flaw, Remainder, RemovalRefused, StoredCredential};

macro_rules! configs {
    ($($kind:ident: $config:ty,)+) => {
        #[derive(Clone, Debug, PartialEq)]
        pub enum CredentialConfig {
            $($kind($config),)+
            /// A kind that no method reads.
            Opaque(CredentialType, Map<String, Value>),
        }

        impl CredentialConfig {
            pub const fn kind(&self) -> CredentialType {
                match self {
                    $(Self::$kind(_) => CredentialType::$kind,)+
                    Self::Opaque(kind, _) => *kind,
                }
            }

            /// An empty configuration.
            pub fn empty(kind: CredentialType) -> Self {
                match kind {
                    $(CredentialType::$kind => Self::$kind(Default::default()),)+
                    kind => Self::Opaque(kind, Map::new()),
                }
            }

            /// Reads the wire format.
            pub fn from_json(kind: CredentialType, config: Value) -> Result<Self, serde_json::Error> {
                match kind {
                    $(CredentialType::$kind => serde_json::from_value(config).map(Self::$kind),)+
                    kind => serde_json::from_value(config).map(|config| Self::Opaque(kind, config)),
                }
            }

            /// The wire format, which is also the sealed format.
            pub fn to_json(&self) -> Value {
                match self {
                    // A struct of texts, numbers and lists can always be serialized.
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

            pub fn check(&self) -> Result<(), Flaw> {
                match self {
                    $(Self::$kind(config) => config.check(),)+
                    Self::Opaque(..) => Ok(()),
                }
            }

            pub fn is_used_up(&self) -> bool {
                match self {
                    $(Self::$kind(config) => config.is_used_up(),)+
                    Self::Opaque(..) => false,
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
