//! The backup codes of an imported identity.

use serde::Deserialize;

use super::credential::LookupCode;
use crate::domain::Credential;
use crate::domain::credential::CredentialConfig;
use crate::domain::imported_config::{Import, ImportedConfig};
use crate::domain::stored_credential::Flaw;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LookupSecretImport {
    codes: Vec<LookupCode>,
}

impl ImportedConfig for LookupSecretImport {
    fn check(&self) -> Result<(), Flaw> {
        if self.codes.is_empty() || self.codes.iter().any(|code| code.code.is_empty()) {
            return Err(Flaw::of_member("codes", "must not be empty"));
        }
        Ok(())
    }

    /// Codes that the identity does not have are appended.
    fn apply(&self, import: Import<'_>, credential: &mut Credential) {
        credential.identifiers = vec![import.owner.to_string()];
        if let CredentialConfig::LookupSecret(lookup) = &mut credential.config {
            for code in &self.codes {
                if lookup.recovery_codes.iter().all(|known| known.code != code.code) {
                    lookup.recovery_codes.push(code.clone());
                }
            }
        }
    }
}
