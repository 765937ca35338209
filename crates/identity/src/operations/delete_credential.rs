//! Deleting a credential. The last first factor cannot be deleted: to lock a user out, disable or delete the identity.

use base::{Context, Timestamp};

use crate::Identity;
use crate::domain::credential::factors_of;
use crate::domain::event::Event;
use crate::domain::factors::FactorRules;
use crate::domain::stored_credential::{Remainder, RemovalRefused};
use crate::domain::{CredentialType, Credentials, IdentityId};
use crate::storage::identities::{self, StoreError};

#[derive(Debug, thiserror::Error)]
pub enum DeleteCredentialError {
    #[error("the identity is unknown")]
    UnknownIdentity,
    #[error("the identity has no such credential")]
    UnknownCredential,
    #[error("credentials of type {0} cannot be deleted")]
    Unsupported(CredentialType),
    #[error("identifier: is required to delete a credential of type {0}")]
    IdentifierMissing(CredentialType),
    #[error("the last first factor cannot be deleted")]
    LastFirstFactor,
    #[error("another request changed the identity at the same time")]
    Changed,
    #[error(transparent)]
    Database(#[from] database::Error),
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
        let sealer = self.tenant_sealer(cx);
        let before =
            identities::lock_whole(&mut tx, sealer, id).await?.ok_or(DeleteCredentialError::UnknownIdentity)?;
        let mut after = before.clone();
        after.credentials = without(&before.credentials, kind, identifier, self.session_policy.factor_rules(), cx.now)?;
        after.refresh_available_aal(self.session_policy.factor_rules());
        after.updated_at = cx.now;
        match identities::update(&mut tx, sealer, &before, &after).await {
            Ok(()) => {}
            Err(StoreError::Stale) => return Err(DeleteCredentialError::Changed),
            Err(StoreError::Database(error)) => return Err(error.into()),
            // A removal claims no new identifier.
            Err(StoreError::Taken(_)) => {
                return Err(
                    database::Error::inconsistent("identity_credentials", "a removal claimed an identifier").into()
                );
            }
        }
        jobs::append(&mut tx, cx, &[Event::IdentityUpdated((&after).into())]).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Removes the credential, unless the user could not sign in afterwards.
fn without(
    credentials: &Credentials,
    kind: CredentialType,
    identifier: Option<&str>,
    rules: FactorRules,
    now: Timestamp,
) -> Result<Credentials, DeleteCredentialError> {
    let mut after = credentials.clone();
    let credential = after.get_mut(&kind).ok_or(DeleteCredentialError::UnknownCredential)?;
    let remainder =
        credential.config.remove(&mut credential.identifiers, identifier).map_err(|refused| match refused {
            RemovalRefused::Unsupported => DeleteCredentialError::Unsupported(kind),
            RemovalRefused::IdentifierMissing => DeleteCredentialError::IdentifierMissing(kind),
            RemovalRefused::Unknown => DeleteCredentialError::UnknownCredential,
        })?;
    credential.updated_at = now;
    if remainder == Remainder::Nothing {
        after.remove(&kind);
    }
    if factors_of(credentials, rules).first > 0 && factors_of(&after, rules).first == 0 {
        return Err(DeleteCredentialError::LastFirstFactor);
    }
    if factors_of(credentials, rules).second > factors_of(&after, rules).second {
        // Used codes would be required for each sign-in from now on, and could never be given.
        after.retain(|_, credential| !credential.config.is_used_up());
    }
    Ok(after)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::Credential;
    use crate::domain::credential::CredentialConfig;

    fn credential(kind: CredentialType, identifiers: &[&str], config: Value) -> Credential {
        let config = CredentialConfig::from_json(kind, config).unwrap();
        Credential::new(config, identifiers.iter().map(|it| (*it).to_owned()).collect(), Timestamp::EPOCH)
    }

    fn all(list: Vec<Credential>) -> Credentials {
        list.into_iter().map(|credential| (credential.kind(), credential)).collect()
    }

    fn oidc() -> Credential {
        let providers = json!([{"provider": "a", "subject": "1"}, {"provider": "b", "subject": "2"}]);
        credential(CredentialType::Oidc, &["a:1", "b:2"], json!({ "providers": providers }))
    }

    fn remove(
        from: &Credentials,
        kind: CredentialType,
        identifier: Option<&str>,
    ) -> Result<Credentials, DeleteCredentialError> {
        without(from, kind, identifier, FactorRules::default(), Timestamp::EPOCH)
    }

    #[test]
    fn one_provider_of_two_is_removed_and_the_last_first_factor_stays() {
        use CredentialType::{Oidc, Password};
        let both = all(vec![oidc()]);
        let left = remove(&both, Oidc, Some("a:1")).unwrap();
        assert_eq!(left[&Oidc].identifiers, ["b:2"]);
        assert_eq!(left[&Oidc].config.to_json(), json!({"providers": [{"provider": "b", "subject": "2"}]}));
        assert!(matches!(remove(&left, Oidc, Some("b:2")), Err(DeleteCredentialError::LastFirstFactor)));
        assert!(matches!(remove(&both, Oidc, Some("x:1")), Err(DeleteCredentialError::UnknownCredential)));
        assert!(matches!(remove(&both, Oidc, None), Err(DeleteCredentialError::IdentifierMissing(Oidc))));
        let password = Credential::password(vec!["a".into()], "$2a$..", Timestamp::EPOCH);
        let alone = all(vec![password.clone()]);
        assert!(matches!(remove(&alone, Password, None), Err(DeleteCredentialError::LastFirstFactor)));
        let emptied = remove(&all(vec![password, oidc()]), Password, None).unwrap();
        assert_eq!(emptied[&Password].config.to_json(), json!({}));
        assert_eq!(emptied[&Password].identifiers, ["a"], "a new password can be set");
    }

    #[test]
    fn only_second_factors_of_webauthn_are_removed() {
        use CredentialType::Webauthn;
        let keys = json!({"credentials": [{"is_passwordless": true}, {"is_passwordless": false}, {}]});
        let all = all(vec![credential(Webauthn, &["a"], keys)]);
        let left = remove(&all, Webauthn, None).unwrap();
        assert_eq!(left[&Webauthn].config.to_json(), json!({"credentials": [{"is_passwordless": true}]}));
        assert!(matches!(remove(&left, Webauthn, None), Err(DeleteCredentialError::UnknownCredential)));
    }

    #[test]
    fn second_factors_are_removed_entirely() {
        let codes = credential(CredentialType::LookupSecret, &["x"], json!({"recovery_codes": [{"code": "a"}]}));
        let totp = credential(CredentialType::Totp, &["x"], json!({"totp_url": "otpauth://totp/x"}));
        let password = Credential::password(vec!["a".into()], "$2a$..", Timestamp::EPOCH);
        let left = remove(&all(vec![codes, totp, password]), CredentialType::Totp, None).unwrap();
        assert!(!left.contains_key(&CredentialType::Totp) && left.contains_key(&CredentialType::LookupSecret));
        let left = remove(&left, CredentialType::LookupSecret, None).unwrap();
        assert!(!left.contains_key(&CredentialType::LookupSecret));
        assert!(matches!(remove(&left, CredentialType::Code, None), Err(DeleteCredentialError::UnknownCredential)));
    }
}
