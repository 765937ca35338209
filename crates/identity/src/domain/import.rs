//! Credentials that are imported with an identity from another system: one line here for each method that imports something.
//! The types are in the folders of the methods (`import.rs`); they belong to the domain and are pure.

use base::{Secret, Timestamp};
use serde::Deserialize;

use super::imported_config::{Import, ImportedConfig as _};
use super::stored_credential::Flaw;
use super::{Credential, CredentialType, Credentials};
use crate::methods::lookup_secret::import::LookupSecretImport;
use crate::methods::oidc::import::ProvidersImport;
use crate::methods::password::import::PasswordImport;
use crate::methods::totp::import::TotpImport;
use crate::methods::webauthn::import::PublicKeysImport;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, bound = "T: Default + Deserialize<'de>")]
pub struct Imported<T> {
    config: T,
}

/// The credentials cannot be imported; the text names the member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("credentials.{kind}.{flaw}")]
pub struct ImportError {
    kind: CredentialType,
    flaw: Flaw,
}

macro_rules! imports {
    ($($name:ident: $kind:ident, $config:ty;)+) => {
        /// Credentials by kind, each with its configuration.
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct ImportedCredentials {
            $($name: Option<Imported<$config>>,)+
        }

        impl ImportedCredentials {
            /// Validates everything before anything is written.
            pub fn check(&self) -> Result<(), ImportError> {
                $(if let Some(Imported { config }) = &self.$name {
                    config.check().map_err(|flaw| ImportError { kind: CredentialType::$kind, flaw })?;
                })+
                Ok(())
            }

            /// Merges into the credentials of the identity.
            pub fn apply(&self, import: Import<'_>, credentials: &mut Credentials, now: Timestamp) {
                $(if let Some(Imported { config }) = &self.$name {
                    config.apply(import, entry(credentials, CredentialType::$kind, now));
                })+
            }
        }
    };
}

imports! {
    password: Password, PasswordImport;
    oidc: Oidc, ProvidersImport;
    saml: Saml, ProvidersImport;
    totp: Totp, TotpImport;
    lookup_secret: LookupSecret, LookupSecretImport;
    webauthn: Webauthn, PublicKeysImport<false>;
    passkey: Passkey, PublicKeysImport<true>;
}

impl ImportedCredentials {
    /// The password that must be hashed before [`ImportedCredentials::apply`].
    pub fn plain_password(&self) -> Option<&Secret<String>> {
        self.password.as_ref()?.config.plain()
    }
}

fn entry(credentials: &mut Credentials, kind: CredentialType, now: Timestamp) -> &mut Credential {
    let credential = credentials.entry(kind).or_insert_with(|| Credential::empty(kind, Vec::new(), now));
    credential.updated_at = now;
    credential
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::super::IdentityId;
    use super::*;

    fn import() -> Import<'static> {
        Import { owner: IdentityId::from_uuid(Uuid::nil()), hashed_password: None }
    }

    fn imported(value: Value) -> ImportedCredentials {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn an_import_merges_by_kind() {
        let now = Timestamp::EPOCH;
        let mut credentials = Credentials::new();
        imported(json!({
            "password": {"config": {"hashed_password": "$2a$04$abcdefghijklmnopqrstuu960j13X6kQlzbqdzgQcooaqGRvuvICC"}},
            "oidc": {"config": {"providers": [{"provider": "google", "subject": "1"}]}},
            "lookup_secret": {"config": {"codes": [{"code": "a"}]}},
            "passkey": {"config": {"user_handle": "dXNlcjE=", "credentials": [{"id": "Y3JlZDE=", "public_key": [112, 107, 49]}]}},
        }))
        .apply(import(), &mut credentials, now);
        imported(json!({
            "oidc": {"config": {"providers": [{"provider": "google", "subject": "1"}, {"provider": "github", "subject": "2"}]}},
            "lookup_secret": {"config": {"codes": [{"code": "b"}]}},
            "passkey": {"config": {"user_handle": "bmV3VXNlcg==", "credentials": [{"id": "Y3JlZDE=", "public_key": "cGsy"}]}},
        }))
        .apply(import(), &mut credentials, now);
        assert!(credentials[&CredentialType::Password].password_hash().is_some());
        let oidc = &credentials[&CredentialType::Oidc];
        assert_eq!(oidc.identifiers, ["google:1", "github:2"]);
        assert_eq!(oidc.config.to_json()["providers"].as_array().unwrap().len(), 2);
        let lookup = credentials[&CredentialType::LookupSecret].config.to_json();
        assert_eq!(lookup, json!({"recovery_codes": [{"code": "a", "used_at": null}, {"code": "b", "used_at": null}]}));
        let passkey = &credentials[&CredentialType::Passkey];
        assert_eq!(passkey.identifiers, ["user1", "newUser"]);
        assert_eq!(
            passkey.config.to_json(),
            json!({
                "credentials": [{"id": "Y3JlZDE=", "public_key": "cGsy", "attestation_type": "", "display_name": "",
                    "added_at": "0001-01-01T00:00:00Z", "is_passwordless": false}],
                "user_handle": "bmV3VXNlcg==",
            })
        );
    }

    #[test]
    fn errors_name_their_member() {
        let fault = |value: Value| imported(value).check().unwrap_err().to_string();
        assert!(fault(json!({"password": {"config": {"hashed_password": "x"}}})).contains("hashed_password"));
        assert!(fault(json!({"saml": {"config": {"providers": [{"provider": "", "subject": "x"}]}}})).contains("saml"));
        for url in ["https://x", "otpauth://totp/x", "otpauth://totp/x?secret=", "totp://x?secret=!"] {
            assert!(fault(json!({"totp": {"config": {"totp_url": url}}})).contains("totp_url"), "{url}");
        }
        let both = json!({"totp": {"config": {"totp_url": "x"}}, "passkey": {"config": {}}});
        assert_eq!(
            fault(both),
            "credentials.totp.config.totp_url: must be an otpauth or totp URL with a secret in Base32"
        );
        let without_handle = json!({"passkey": {"config": {"credentials": [{"id": "YQ==", "public_key": "YQ=="}]}}});
        assert_eq!(
            fault(without_handle),
            "credentials.passkey.config: user_handle and one credential or more are needed"
        );
        assert!(imported(json!({"webauthn": {"config": {}}})).check().is_ok(), "security keys need no handle");
        assert!(fault(json!({"lookup_secret": {"config": {"codes": []}}})).contains("codes"));
        assert!(fault(json!({"passkey": {"config": {"credentials": []}}})).contains("passkey"));
        assert!(serde_json::from_value::<ImportedCredentials>(json!({"fax": {}})).is_err());
    }
}
