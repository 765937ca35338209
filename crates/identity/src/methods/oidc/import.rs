//! The linked accounts of an imported identity.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::credential::LinkedProvider;
use crate::domain::Credential;
use crate::domain::credential::CredentialConfig;
use crate::domain::imported_config::{Import, ImportedConfig};
use crate::domain::stored_credential::Flaw;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProvidersImport {
    providers: Vec<ProviderImport>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderImport {
    subject: String,
    provider: String,
    #[serde(default)]
    organization: Option<Uuid>,
    #[serde(default)]
    use_auto_link: bool,
}

impl ImportedConfig for ProvidersImport {
    fn check(&self) -> Result<(), Flaw> {
        if self.providers.iter().any(|provider| provider.provider.is_empty() || provider.subject.is_empty()) {
            return Err(Flaw::of_member("providers", "provider and subject must not be empty"));
        }
        Ok(())
    }

    /// Accounts that the identity does not have are appended.
    fn apply(&self, _: Import<'_>, credential: &mut Credential) {
        for provider in &self.providers {
            let linked = provider.linked();
            let identifier = linked.identifier();
            if credential.identifiers.contains(&identifier) {
                continue;
            }
            if let CredentialConfig::Oidc(known) | CredentialConfig::Saml(known) = &mut credential.config {
                known.providers.push(linked);
            }
            credential.identifiers.push(identifier);
        }
    }
}

impl ProviderImport {
    fn linked(&self) -> LinkedProvider {
        let tokens = ["initial_id_token", "initial_access_token", "initial_refresh_token"];
        let mut rest: Map<String, Value> = tokens.map(|key| (key.to_owned(), json!(""))).into_iter().collect();
        if let Some(organization) = self.organization {
            rest.insert("organization".to_owned(), json!(organization));
        }
        if self.use_auto_link {
            rest.insert("use_auto_link".to_owned(), json!(true));
        }
        LinkedProvider { subject: self.subject.clone(), provider: self.provider.clone(), rest }
    }
}
