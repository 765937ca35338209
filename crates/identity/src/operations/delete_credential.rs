//! Taking a credential away. The last way to sign in stays: who wants a person out disables or deletes her.

use base::Context;
use serde_json::{Value, json};

use crate::Identity;
use crate::domain::credential::{FactorRules, count_first_factors};
use crate::domain::{Credential, CredentialType, IdentityId};
use crate::storage::identities::{self, StoreError};

#[derive(Debug, thiserror::Error)]
pub enum DeleteCredentialError {
    #[error("the identity is unknown")]
    UnknownIdentity,
    #[error("the identity has no such credential")]
    UnknownCredential,
    #[error("credentials of type {0} cannot be deleted")]
    Unsupported(CredentialType),
    #[error("identifier: is needed to delete a credential of type {0}")]
    IdentifierMissing(CredentialType),
    #[error("the last first factor cannot be deleted")]
    LastFirstFactor,
    #[error("another request changed the identity at the same time")]
    Changed,
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// What remains of a credential.
#[derive(Clone, Debug, PartialEq)]
enum Remainder {
    Nothing,
    Changed(Credential),
}

impl Identity {
    pub async fn delete_credential(
        &self,
        cx: &Context,
        id: IdentityId,
        kind: CredentialType,
        identifier: Option<&str>,
    ) -> Result<(), DeleteCredentialError> {
        let mut tx = self.database.write(cx.tenant).await?;
        let vault = self.vault(cx);
        let before = identities::lock_whole(&mut tx, vault, id).await?.ok_or(DeleteCredentialError::UnknownIdentity)?;
        let credential = before.credential(kind).ok_or(DeleteCredentialError::UnknownCredential)?;
        let first_factors = count_first_factors(&before.credentials, self.factor_rules());
        let remainder = decide(credential, identifier, first_factors, self.factor_rules())?;
        let mut after = before.clone();
        match remainder {
            Remainder::Nothing => {
                after.credentials.remove(&kind);
            }
            Remainder::Changed(mut credential) => {
                credential.updated_at = cx.now;
                after.credentials.insert(kind, credential);
            }
        }
        after.refresh_available_aal(self.factor_rules());
        after.updated_at = cx.now;
        match identities::update(&mut tx, vault, &before, &after).await {
            Ok(()) => {}
            Err(StoreError::Stale) => return Err(DeleteCredentialError::Changed),
            Err(StoreError::Database(error)) => return Err(error.into()),
            // Nothing new is claimed by taking something away.
            Err(StoreError::Taken(_)) => {
                return Err(
                    database::Error::inconsistent("identity_credentials", "a removal claimed an identifier").into()
                );
            }
        }
        self.identity_event(&mut tx, cx, "IdentityUpdated", &after).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn decide(
    credential: &Credential,
    identifier: Option<&str>,
    first_factors: usize,
    rules: FactorRules,
) -> Result<Remainder, DeleteCredentialError> {
    let kind = credential.kind;
    match kind {
        CredentialType::Totp | CredentialType::LookupSecret => Ok(Remainder::Nothing),
        CredentialType::Webauthn => {
            let (kept, removed): (Vec<Value>, Vec<Value>) = credential
                .entries("credentials")
                .iter()
                .cloned()
                .partition(|entry| entry.get("is_passwordless").and_then(Value::as_bool).unwrap_or(false));
            if removed.is_empty() {
                return Err(DeleteCredentialError::UnknownCredential);
            }
            let mut credential = credential.clone();
            credential.config["credentials"] = json!(kept);
            Ok(Remainder::Changed(credential))
        }
        CredentialType::Password => {
            let counts = count_first_factors(&std::iter::once((kind, credential.clone())).collect(), rules) > 0;
            if counts && first_factors < 2 {
                return Err(DeleteCredentialError::LastFirstFactor);
            }
            let mut credential = credential.clone();
            credential.config = json!({});
            Ok(Remainder::Changed(credential))
        }
        CredentialType::Oidc | CredentialType::Saml => {
            let identifier = identifier
                .filter(|identifier| !identifier.is_empty())
                .ok_or(DeleteCredentialError::IdentifierMissing(kind))?;
            if !credential.identifiers.iter().any(|known| known == identifier) {
                return Err(DeleteCredentialError::UnknownCredential);
            }
            if first_factors < 2 {
                return Err(DeleteCredentialError::LastFirstFactor);
            }
            let mut credential = credential.clone();
            credential.identifiers.retain(|known| known != identifier);
            if let Some(providers) = credential.config.get_mut("providers").and_then(Value::as_array_mut) {
                providers.retain(|entry| {
                    let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
                    format!("{}:{}", text("provider"), text("subject")) != identifier
                });
            }
            Ok(if credential.identifiers.is_empty() { Remainder::Nothing } else { Remainder::Changed(credential) })
        }
        CredentialType::Code
        | CredentialType::CodeRecovery
        | CredentialType::Deviceauthn
        | CredentialType::IdentifierFirst
        | CredentialType::Link
        | CredentialType::LinkRecovery
        | CredentialType::Passkey
        | CredentialType::Profile => Err(DeleteCredentialError::Unsupported(kind)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Timestamp;

    fn oidc() -> Credential {
        let mut credential =
            Credential::empty(CredentialType::Oidc, vec!["a:1".into(), "b:2".into()], Timestamp::EPOCH);
        credential.config = json!({"providers": [
            {"provider": "a", "subject": "1"}, {"provider": "b", "subject": "2"},
        ]});
        credential
    }

    #[test]
    fn one_provider_of_two_goes_and_the_last_way_in_stays() {
        let rules = FactorRules::default();
        let Remainder::Changed(left) = decide(&oidc(), Some("a:1"), 2, rules).unwrap() else {
            panic!("something is left")
        };
        assert_eq!(
            (left.identifiers, left.config),
            (vec!["b:2".to_owned()], json!({"providers": [{"provider": "b", "subject": "2"}]}))
        );
        assert!(matches!(decide(&oidc(), Some("a:1"), 1, rules), Err(DeleteCredentialError::LastFirstFactor)));
        assert!(matches!(decide(&oidc(), Some("x:1"), 2, rules), Err(DeleteCredentialError::UnknownCredential)));
        assert!(matches!(decide(&oidc(), None, 2, rules), Err(DeleteCredentialError::IdentifierMissing(_))));
        let password = Credential::password(vec!["a".into()], "$2a$..", Timestamp::EPOCH);
        assert!(matches!(decide(&password, None, 1, rules), Err(DeleteCredentialError::LastFirstFactor)));
        let Remainder::Changed(emptied) = decide(&password, None, 2, rules).unwrap() else { panic!("it is emptied") };
        assert_eq!(emptied.config, json!({}));
    }

    #[test]
    fn only_second_factors_of_webauthn_go() {
        let mut credential = Credential::empty(CredentialType::Webauthn, vec!["a".into()], Timestamp::EPOCH);
        credential.config = json!({"credentials": [{"is_passwordless": true}, {"is_passwordless": false}, {}]});
        let Remainder::Changed(left) = decide(&credential, None, 1, FactorRules::default()).unwrap() else { panic!() };
        assert_eq!(left.config, json!({"credentials": [{"is_passwordless": true}]}));
    }
}
