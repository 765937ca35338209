//! The authenticator app of an imported identity.

use serde::Deserialize;

use super::credential::{TotpCredential, unusable_url};
use crate::domain::Credential;
use crate::domain::credential::CredentialConfig;
use crate::domain::imported_config::{Import, ImportedConfig};
use crate::domain::stored_credential::{Flaw, StoredCredential as _};

const PREFIXES: [&str; 2] = ["otpauth://totp/", "totp://"];

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TotpImport {
    totp_url: String,
}

impl ImportedConfig for TotpImport {
    fn check(&self) -> Result<(), Flaw> {
        if !PREFIXES.iter().any(|prefix| self.totp_url.starts_with(prefix)) {
            return Err(unusable_url());
        }
        TotpCredential::new(&self.totp_url).check()
    }

    fn apply(&self, import: Import<'_>, credential: &mut Credential) {
        credential.identifiers = vec![import.owner.to_string()];
        credential.config = CredentialConfig::Totp(TotpCredential::new(&self.totp_url));
    }
}
