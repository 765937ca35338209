//! The authenticators of an imported identity.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::credential::PublicKey;
use crate::domain::Credential;
use crate::domain::credential::CredentialConfig;
use crate::domain::imported_config::{Import, ImportedConfig};
use crate::domain::stored_credential::Flaw;

/// The zero time of the replaced systems.
const NEVER: &str = "0001-01-01T00:00:00Z";

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKeysImport<const PASSKEY: bool> {
    #[serde(default)]
    credentials: Vec<PublicKeyImport>,
    #[serde(default)]
    user_handle: Option<Bytes>,
}

#[derive(Clone, Debug, Deserialize)]
struct PublicKeyImport {
    id: Bytes,
    public_key: Bytes,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Bytes, encoded as base64 or as a list of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bytes(Vec<u8>);

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

impl<const PASSKEY: bool> ImportedConfig for PublicKeysImport<PASSKEY> {
    fn check(&self) -> Result<(), Flaw> {
        if PASSKEY && (self.credentials.is_empty() || self.user_handle.is_none()) {
            return Err(Flaw::of_config("user_handle and one credential or more are needed"));
        }
        Ok(())
    }

    /// Keys replace those with the same id. A passkey has its user handle as an identifier.
    fn apply(&self, _: Import<'_>, credential: &mut Credential) {
        let (keys, user_handle) = match &mut credential.config {
            CredentialConfig::Webauthn(it) => (&mut it.credentials, &mut it.user_handle),
            CredentialConfig::Passkey(it) => (&mut it.credentials, &mut it.user_handle),
            _ => return,
        };
        for key in self.credentials.iter().map(PublicKeyImport::key) {
            match keys.iter_mut().find(|known| known.id == key.id) {
                Some(known) => *known = key,
                None => keys.push(key),
            }
        }
        if let Some(Bytes(handle)) = &self.user_handle {
            *user_handle = Some(STANDARD.encode(handle));
            let text = handle_text(handle);
            if PASSKEY && !credential.identifiers.contains(&text) {
                credential.identifiers.push(text);
            }
        }
    }
}

impl PublicKeyImport {
    fn key(&self) -> PublicKey {
        let given = |key: &str| self.rest.get(key).cloned();
        let mut rest = Map::new();
        rest.insert("public_key".to_owned(), STANDARD.encode(&self.public_key.0).into());
        for (key, absent) in [("attestation_type", ""), ("display_name", ""), ("added_at", NEVER)] {
            rest.insert(key.to_owned(), given(key).unwrap_or_else(|| json!(absent)));
        }
        for key in ["authenticator", "flags", "transport", "attestation"] {
            rest.extend(given(key).map(|value| (key.to_owned(), value)));
        }
        let is_passwordless = given("is_passwordless").and_then(|it| it.as_bool()).unwrap_or(false);
        PublicKey { id: STANDARD.encode(&self.id.0), is_passwordless: Some(is_passwordless), rest }
    }
}

/// The handle itself when it is text, otherwise an encoding of it, so that two handles never become equal.
fn handle_text(handle: &[u8]) -> String {
    match std::str::from_utf8(handle) {
        Ok(text) if !base::holds_nul(text) => text.to_owned(),
        Ok(_) | Err(_) => STANDARD.encode(handle),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_handles_stay_distinct() {
        assert_eq!(handle_text(b"ada"), "ada");
        assert_eq!(handle_text(&[0, 0, 0]), "AAAA");
        assert_ne!(handle_text(&[0xff]), handle_text(&[0xfe]));
    }
}
