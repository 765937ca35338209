//! Credentials that are imported with an identity from another system.

use base::{Secret, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::credential::CredentialConfig;
use super::password_hash::{HashFormatError, PasswordHash};
use super::{Credential, CredentialType, Credentials, IdentityId};
use crate::methods::lookup_secret::credential::LookupCode;
use crate::methods::oidc::credential::LinkedProvider;
use crate::methods::password::credential::PasswordCredential;
use crate::methods::totp::credential::TotpCredential;
use crate::methods::webauthn::credential::PublicKey;

/// The zero time of the replaced systems.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// Credentials by kind, each with its configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportedCredentials {
    pub password: Option<Imported<PasswordImport>>,
    pub oidc: Option<Imported<ProvidersImport>>,
    pub saml: Option<Imported<ProvidersImport>>,
    pub totp: Option<Imported<TotpImport>>,
    pub lookup_secret: Option<Imported<LookupSecretImport>>,
    pub webauthn: Option<Imported<WebauthnImport>>,
    pub passkey: Option<Imported<WebauthnImport>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, bound = "T: Default + Deserialize<'de>")]
pub struct Imported<T> {
    pub config: T,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordImport {
    /// In plain text; it is hashed before it is stored.
    pub password: Option<Secret<String>>,
    pub hashed_password: Option<String>,
    pub use_password_migration_hook: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProvidersImport {
    pub providers: Vec<ProviderImport>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderImport {
    pub subject: String,
    pub provider: String,
    #[serde(default)]
    pub organization: Option<Uuid>,
    #[serde(default)]
    pub use_auto_link: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TotpImport {
    pub totp_url: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LookupSecretImport {
    pub codes: Vec<LookupCode>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebauthnImport {
    pub credentials: Vec<WebauthnEntry>,
    pub user_handle: Option<Bytes>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct WebauthnEntry {
    pub id: Bytes,
    pub public_key: Bytes,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// Bytes, encoded as base64 or as a list of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Numbers(Vec<u8>),
        }
        match Form::deserialize(deserializer)? {
            Form::Text(text) => STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom),
            Form::Numbers(bytes) => Ok(Self(bytes)),
        }
    }
}

/// The credentials cannot be imported; the text names the member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    #[error("credentials.password.config.hashed_password: {0}")]
    HashedPassword(#[from] HashFormatError),
    #[error("credentials.{0}.config.providers: provider and subject must not be empty")]
    Provider(CredentialType),
    #[error("credentials.totp.config.totp_url: must be an otpauth or totp URL with a secret in Base32")]
    TotpUrl,
    #[error("credentials.lookup_secret.config.codes: must not be empty")]
    LookupCodes,
    #[error("credentials.{0}.config: user_handle and one credential or more are needed")]
    Passkey(CredentialType),
}

impl ImportedCredentials {
    /// The password that must be hashed before [`ImportedCredentials::apply`].
    pub fn plain_password(&self) -> Option<&Secret<String>> {
        let config = &self.password.as_ref()?.config;
        // A given hash takes precedence over a plain password.
        if config.hashed_password.is_some() { None } else { config.password.as_ref() }
    }

    /// Validates everything before anything is written.
    pub fn check(&self) -> Result<(), ImportError> {
        if let Some(hash) = self.password.as_ref().and_then(|import| import.config.hashed_password.as_deref()) {
            PasswordHash::parse_import(hash)?;
        }
        for (kind, import) in [(CredentialType::Oidc, &self.oidc), (CredentialType::Saml, &self.saml)] {
            let providers = import.iter().flat_map(|import| &import.config.providers);
            if providers.clone().any(|provider| provider.provider.is_empty() || provider.subject.is_empty()) {
                return Err(ImportError::Provider(kind));
            }
        }
        if let Some(totp) = &self.totp
            && (!["otpauth://totp/", "totp://"].iter().any(|prefix| totp.config.totp_url.starts_with(prefix))
                || TotpCredential::new(&totp.config.totp_url).secret().is_none())
        {
            return Err(ImportError::TotpUrl);
        }
        if self.lookup_secret.as_ref().is_some_and(|import| {
            import.config.codes.is_empty() || import.config.codes.iter().any(|code| code.code.is_empty())
        }) {
            return Err(ImportError::LookupCodes);
        }
        if let Some(passkey) = &self.passkey
            && (passkey.config.credentials.is_empty() || passkey.config.user_handle.is_none())
        {
            return Err(ImportError::Passkey(CredentialType::Passkey));
        }
        Ok(())
    }

    /// Merges into the credentials of the identity: a password replaces, providers and codes are appended, keys are merged
    /// by their id. `hashed` is the hash of the plain password.
    pub fn apply(&self, owner: IdentityId, hashed: Option<&str>, credentials: &mut Credentials, now: Timestamp) {
        if let Some(Imported { config }) = &self.password {
            let hash = config.hashed_password.as_deref().or(hashed);
            entry(credentials, CredentialType::Password, now).config =
                CredentialConfig::Password(PasswordCredential::imported(hash, config.use_password_migration_hook));
        }
        for (kind, import) in [(CredentialType::Oidc, &self.oidc), (CredentialType::Saml, &self.saml)] {
            if let Some(import) = import {
                import.config.apply(entry(credentials, kind, now));
            }
        }
        if let Some(Imported { config }) = &self.totp {
            let credential = entry(credentials, CredentialType::Totp, now);
            credential.identifiers = vec![owner.to_string()];
            credential.config = CredentialConfig::Totp(TotpCredential::new(&config.totp_url));
        }
        if let Some(Imported { config }) = &self.lookup_secret {
            let credential = entry(credentials, CredentialType::LookupSecret, now);
            credential.identifiers = vec![owner.to_string()];
            if let CredentialConfig::LookupSecret(lookup) = &mut credential.config {
                for code in &config.codes {
                    if lookup.recovery_codes.iter().all(|known| known.code != code.code) {
                        lookup.recovery_codes.push(code.clone());
                    }
                }
            }
        }
        if let Some(Imported { config }) = &self.webauthn
            && let CredentialConfig::Webauthn(keys) = &mut entry(credentials, CredentialType::Webauthn, now).config
        {
            config.apply(&mut keys.credentials, &mut keys.user_handle);
        }
        if let Some(Imported { config }) = &self.passkey {
            let credential = entry(credentials, CredentialType::Passkey, now);
            if let CredentialConfig::Passkey(keys) = &mut credential.config {
                config.apply(&mut keys.credentials, &mut keys.user_handle);
            }
            let handle = config.user_handle.as_ref().map(|handle| handle_text(&handle.0));
            credential.identifiers.extend(handle.filter(|handle| !credential.identifiers.contains(handle)));
        }
    }
}

/// The handle itself when it is text, otherwise an encoding of it, so that two handles never become equal.
fn handle_text(handle: &[u8]) -> String {
    match std::str::from_utf8(handle) {
        Ok(text) if !base::holds_nul(text) => text.to_owned(),
        Ok(_) | Err(_) => STANDARD.encode(handle),
    }
}

impl ProvidersImport {
    fn apply(&self, credential: &mut Credential) {
        for import in &self.providers {
            let identifier = format!("{}:{}", import.provider, import.subject);
            if credential.identifiers.contains(&identifier) {
                continue;
            }
            let tokens = ["initial_id_token", "initial_access_token", "initial_refresh_token"];
            let mut rest: Map<String, Value> = tokens.map(|key| (key.to_owned(), json!(""))).into_iter().collect();
            if let Some(organization) = import.organization {
                rest.insert("organization".to_owned(), json!(organization));
            }
            if import.use_auto_link {
                rest.insert("use_auto_link".to_owned(), json!(true));
            }
            if let CredentialConfig::Oidc(linked) | CredentialConfig::Saml(linked) = &mut credential.config {
                let (subject, provider) = (import.subject.clone(), import.provider.clone());
                linked.providers.push(LinkedProvider { subject, provider, rest });
            }
            credential.identifiers.push(identifier);
        }
    }
}

impl WebauthnImport {
    fn apply(&self, keys: &mut Vec<PublicKey>, user_handle: &mut Option<String>) {
        for import in &self.credentials {
            let given = |key: &str| import.rest.get(key).cloned();
            let mut rest = Map::new();
            rest.insert("public_key".to_owned(), STANDARD.encode(&import.public_key.0).into());
            for (key, absent) in [("attestation_type", ""), ("display_name", ""), ("added_at", NEVER)] {
                rest.insert(key.to_owned(), given(key).unwrap_or_else(|| json!(absent)));
            }
            for key in ["authenticator", "flags", "transport", "attestation"] {
                rest.extend(given(key).map(|value| (key.to_owned(), value)));
            }
            let is_passwordless = given("is_passwordless").and_then(|it| it.as_bool()).unwrap_or(false);
            let key = PublicKey { id: STANDARD.encode(&import.id.0), is_passwordless: Some(is_passwordless), rest };
            match keys.iter_mut().find(|known| known.id == key.id) {
                Some(known) => *known = key,
                None => keys.push(key),
            }
        }
        if let Some(handle) = &self.user_handle {
            *user_handle = Some(STANDARD.encode(&handle.0));
        }
    }
}

fn entry(credentials: &mut Credentials, kind: CredentialType, now: Timestamp) -> &mut Credential {
    let credential = credentials.entry(kind).or_insert_with(|| Credential::empty(kind, Vec::new(), now));
    credential.updated_at = now;
    credential
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> IdentityId {
        IdentityId::from_uuid(Uuid::nil())
    }

    fn imported(value: Value) -> ImportedCredentials {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn binary_handles_stay_distinct() {
        assert_eq!(handle_text(b"ada"), "ada");
        assert_eq!(handle_text(&[0, 0, 0]), "AAAA");
        assert_ne!(handle_text(&[0xff]), handle_text(&[0xfe]));
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
        .apply(owner(), None, &mut credentials, now);
        imported(json!({
            "oidc": {"config": {"providers": [{"provider": "google", "subject": "1"}, {"provider": "github", "subject": "2"}]}},
            "lookup_secret": {"config": {"codes": [{"code": "b"}]}},
            "passkey": {"config": {"user_handle": "bmV3VXNlcg==", "credentials": [{"id": "Y3JlZDE=", "public_key": "cGsy"}]}},
        }))
        .apply(owner(), None, &mut credentials, now);
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
                    "added_at": NEVER, "is_passwordless": false}],
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
        assert!(fault(json!({"lookup_secret": {"config": {"codes": []}}})).contains("codes"));
        assert!(fault(json!({"passkey": {"config": {"credentials": []}}})).contains("passkey"));
        assert!(serde_json::from_value::<ImportedCredentials>(json!({"fax": {}})).is_err());
    }
}
