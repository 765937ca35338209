//! The password of an imported identity.

use base::Secret;
use serde::Deserialize;

use super::credential::PasswordCredential;
use crate::domain::Credential;
use crate::domain::credential::CredentialConfig;
use crate::domain::imported_config::{Import, ImportedConfig};
use crate::domain::password_hash::PasswordHash;
use crate::domain::stored_credential::Flaw;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordImport {
    /// In plain text; it is hashed before it is stored.
    password: Option<Secret<String>>,
    hashed_password: Option<String>,
    use_password_migration_hook: bool,
}

impl PasswordImport {
    /// The password that must be hashed before it is applied. A given hash takes precedence over a plain password.
    pub fn plain(&self) -> Option<&Secret<String>> {
        if self.hashed_password.is_some() { None } else { self.password.as_ref() }
    }
}

impl ImportedConfig for PasswordImport {
    fn check(&self) -> Result<(), Flaw> {
        let Some(hash) = &self.hashed_password else { return Ok(()) };
        let parsed = PasswordHash::parse_import(hash);
        parsed.map(drop).map_err(|error| Flaw::of_member("hashed_password", error.to_string()))
    }

    /// The password replaces the one that the identity has.
    fn apply(&self, import: Import<'_>, credential: &mut Credential) {
        let hash = self.hashed_password.as_deref().or(import.hashed_password);
        credential.config =
            CredentialConfig::Password(PasswordCredential::imported(hash, self.use_password_migration_hook));
    }
}
