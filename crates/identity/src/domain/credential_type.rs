//! The kinds of credentials, in one table: every name that the self-service contract uses for a method, a credential or an
//! authentication method of a session.

use serde::{Deserialize, Serialize};

/// Where the identifiers of a kind come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identifiers {
    /// Entered by users: spellings of one identifier are one identifier (see [`super::identifier`]).
    Typed,
    /// Issued by an identity provider, and compared byte for byte.
    Foreign,
    /// Issued by this service; users do not enter them.
    Own,
}

macro_rules! credential_types {
    ($($name:ident = $text:literal, $identifiers:ident, $reference:expr;)+) => {
        /// The kinds, in the order of their wire names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum CredentialType {
            $($name,)+
        }

        impl CredentialType {
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            /// Where its identifiers come from.
            pub const fn identifiers(self) -> Identifiers {
                match self {
                    $(Self::$name => Identifiers::$identifiers,)+
                }
            }

            /// Its authentication method reference (RFC 8176 section 2); `None` for what has no value there.
            pub const fn reference(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => $reference,)+
                }
            }
        }
    };
}

credential_types! {
    // A code or link that was sent, or a code from a list: each works once.
    Code = "code", Typed, Some("otp");
    CodeRecovery = "code_recovery", Own, Some("otp");
    Deviceauthn = "deviceauthn", Own, Some("hwk");
    IdentifierFirst = "identifier_first", Typed, None;
    Link = "link", Own, Some("otp");
    LinkRecovery = "link_recovery", Own, Some("otp");
    LookupSecret = "lookup_secret", Own, Some("otp");
    Oidc = "oidc", Foreign, None;
    Passkey = "passkey", Own, Some("hwk");
    Password = "password", Typed, Some("pwd");
    Profile = "profile", Own, None;
    Saml = "saml", Foreign, None;
    Totp = "totp", Own, Some("otp");
    Webauthn = "webauthn", Typed, Some("hwk");
}

impl CredentialType {
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}

impl std::fmt::Display for CredentialType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn wire_names_and_order_agree() {
        let names: Vec<_> = CredentialType::ALL.iter().map(|kind| kind.as_str()).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        assert_eq!(names, sorted);
        for kind in CredentialType::ALL {
            assert_eq!(CredentialType::parse(kind.as_str()), Some(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), json!(kind.as_str()));
        }
    }
}
