//! Patching an identity (RFC 6902, three operations).

use base::Context;
use base::json_patch::{self, PatchError, PatchOperation};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Identity;
use crate::domain::credential::CredentialConfig;
use crate::domain::event::Event;
use crate::domain::identity::State;
use crate::domain::stored_credential::Flaw;
use crate::domain::{self, AddressStatus, Credential, CredentialType, Credentials, IdentityId};
use crate::storage::identities::{self, StoreError, Taken};

use super::create_identity::ComposeError;

/// The operations that Kratos supports.
const SUPPORTED: &[&str] = &["add", "remove", "replace"];

/// Paths that cannot be patched: the id, and data that only a provider can assert. `**` matches everything below; case
/// is ignored.
const DENIED: &[&str] =
    &["/id", "/stateChangedAt", "/state_changed_at", "/credentials", "/credentials/oidc/**", "/credentials/saml/**"];

#[derive(Debug, thiserror::Error)]
pub enum PatchIdentityError {
    #[error("the identity is unknown")]
    Unknown,
    #[error("{index}.op: unsupported operation \"{op}\"")]
    Unsupported { index: usize, op: &'static str },
    #[error("{index}.path: \"{path}\" may not be patched")]
    Denied { index: usize, path: String },
    #[error(transparent)]
    Patch(#[from] PatchError),
    /// The patched document is not a valid identity.
    #[error("{pointer}: {problem}")]
    Invalid { pointer: String, problem: String },
    #[error(transparent)]
    Compose(#[from] ComposeError),
    #[error("another identity has the same identifier, address or external id")]
    Taken(Taken),
    #[error("another request changed the identity at the same time")]
    Changed,
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl From<StoreError> for PatchIdentityError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(taken) => Self::Taken(taken),
            StoreError::Stale => Self::Changed,
            StoreError::Database(error) => Self::Database(error),
        }
    }
}

impl Identity {
    pub async fn patch_identity(
        &self,
        cx: &Context,
        id: IdentityId,
        patch: &[PatchOperation],
    ) -> Result<domain::Identity, PatchIdentityError> {
        check_allowed(patch)?;
        let mut tx = self.database.write(cx.tenant).await?;
        let sealer = self.tenant_sealer(cx);
        let before = identities::lock_whole(&mut tx, sealer, id).await?.ok_or(PatchIdentityError::Unknown)?;
        let mut document = to_document(&before);
        json_patch::apply(&mut document, patch)?;
        let mut after = before.clone();
        read_back(&document, &mut after, cx.now)?;
        self.conform(cx, &mut after)?;
        identities::update(&mut tx, sealer, &before, &after).await?;
        self.state_has_changed(&mut tx, cx, &before, &after).await?;
        jobs::append(&mut tx, cx, &[Event::IdentityUpdated((&after).into())]).await?;
        tx.commit().await?;
        Ok(after)
    }
}

fn check_allowed(patch: &[PatchOperation]) -> Result<(), PatchIdentityError> {
    for (index, operation) in patch.iter().enumerate() {
        let op = operation.name();
        if !SUPPORTED.contains(&op) {
            return Err(PatchIdentityError::Unsupported { index, op });
        }
        let steps = operation.steps();
        if steps.is_empty() || DENIED.iter().any(|denied| matches(denied, &steps)) {
            return Err(PatchIdentityError::Denied { index, path: operation.path().to_owned() });
        }
    }
    Ok(())
}

fn matches(pattern: &str, steps: &[String]) -> bool {
    let mut patterns = pattern.trim_start_matches('/').split('/');
    let mut steps = steps.iter();
    loop {
        match (patterns.next(), steps.next()) {
            (Some("**"), _) | (None, None) => return true,
            (Some(pattern), Some(step)) if pattern.eq_ignore_ascii_case(step) => {}
            _ => return false,
        }
    }
}

/// The document that is patched: the admin API's form of the identity, including the configuration of credentials.
fn to_document(identity: &domain::Identity) -> Value {
    let credentials: serde_json::Map<String, Value> = identity
        .credentials
        .values()
        .map(|credential| {
            let entry = json!({
                "type": credential.kind(),
                "identifiers": credential.identifiers,
                "config": credential.config.to_json(),
                "version": credential.version,
            });
            (credential.kind().as_str().to_owned(), entry)
        })
        .collect();
    json!({
        "id": identity.id,
        "credentials": credentials,
        "schema_id": identity.schema_id,
        "state": identity.state,
        "traits": identity.traits,
        "verifiable_addresses": identity.verifiable_addresses,
        "recovery_addresses": identity.recovery_addresses,
        "metadata_public": identity.metadata_public,
        "metadata_admin": identity.metadata_admin,
        "external_id": identity.external_id,
        "organization_id": identity.organization_id,
    })
}

fn read_back(
    document: &Value,
    identity: &mut domain::Identity,
    now: base::Timestamp,
) -> Result<(), PatchIdentityError> {
    let known = [
        "id",
        "credentials",
        "schema_id",
        "schema_url",
        "state",
        "traits",
        "verifiable_addresses",
        "recovery_addresses",
        "metadata_public",
        "metadata_admin",
        "external_id",
        "organization_id",
        "created_at",
        "updated_at",
        "region",
    ];
    if let Some(unknown) =
        document.as_object().into_iter().flatten().map(|(key, _)| key).find(|key| !known.contains(&key.as_str()))
    {
        return Err(invalid(format!("/{unknown}"), "an identity has no such member"));
    }
    identity.schema_id = text(document, "schema_id")?.unwrap_or_default();
    let state = text(document, "state")?.unwrap_or_default();
    let state = State::parse(&state).ok_or_else(|| invalid("/state", "must be active or inactive"))?;
    identity.set_state(state, now);
    identity.traits = document.get("traits").cloned().unwrap_or_else(|| json!({}));
    let metadata = |key: &str| document.get(key).filter(|value| !value.is_null()).cloned();
    identity.metadata_public = metadata("metadata_public");
    identity.metadata_admin = metadata("metadata_admin");
    identity.external_id = text(document, "external_id")?.filter(|id| !id.is_empty());
    identity.organization_id = match text(document, "organization_id")? {
        Some(id) => Some(id.parse::<Uuid>().map_err(|_| invalid("/organization_id", "must be a UUID"))?),
        None => None,
    };
    read_addresses(document, identity, now)?;
    read_credentials(document, identity, now)
}

/// A patch may mark an address as verified. It cannot add addresses, because they follow from the traits.
fn read_addresses(
    document: &Value,
    identity: &mut domain::Identity,
    now: base::Timestamp,
) -> Result<(), PatchIdentityError> {
    let listed = document.get("verifiable_addresses").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for (index, entry) in listed.iter().enumerate() {
        let pointer = |member: &str| format!("/verifiable_addresses/{index}/{member}");
        let same = |address: &&mut domain::VerifiableAddress| {
            entry.get("value").and_then(Value::as_str) == Some(address.value.as_str())
                && entry.get("via").and_then(Value::as_str) == Some(address.via.as_str())
        };
        let Some(address) = identity.verifiable_addresses.iter_mut().find(same) else { continue };
        let verified = match entry.get("verified") {
            Some(Value::Bool(verified)) => *verified,
            _ => return Err(invalid(pointer("verified"), "must be a boolean")),
        };
        let status = entry.get("status").and_then(Value::as_str).and_then(AddressStatus::parse);
        let status = status.ok_or_else(|| invalid(pointer("status"), "must be pending, sent or completed"))?;
        let verified_at = match entry.get("verified_at") {
            None | Some(Value::Null) => None,
            Some(Value::String(at)) => {
                Some(at.parse().map_err(|_| invalid(pointer("verified_at"), "must be an RFC 3339 time"))?)
            }
            Some(_) => return Err(invalid(pointer("verified_at"), "must be an RFC 3339 time")),
        };
        if (verified, status, verified_at) != (address.verified, address.status, address.verified_at) {
            address.verified = verified;
            address.status = status;
            address.verified_at = if verified { verified_at.or(Some(now)) } else { None };
            address.updated_at = now;
        }
    }
    Ok(())
}

fn read_credentials(
    document: &Value,
    identity: &mut domain::Identity,
    now: base::Timestamp,
) -> Result<(), PatchIdentityError> {
    let before = std::mem::take(&mut identity.credentials);
    let mut after = Credentials::new();
    for (name, entry) in document.get("credentials").and_then(Value::as_object).into_iter().flatten() {
        let pointer = format!("/credentials/{name}");
        let kind = CredentialType::parse(name).ok_or_else(|| invalid(&pointer, "is not a credential type"))?;
        let old = before.get(&kind);
        let mut credential = old.cloned().unwrap_or_else(|| Credential::empty(kind, Vec::new(), now));
        let config = entry.get("config").cloned().unwrap_or_else(|| json!({}));
        if !config.is_object() {
            return Err(invalid(format!("{pointer}/config"), "must be an object"));
        }
        credential.config = CredentialConfig::from_json(kind, config)
            .map_err(|error| invalid(format!("{pointer}/config"), &error.to_string()))?;
        if let Some(identifiers) = entry.get("identifiers").filter(|list| !list.is_null()) {
            credential.identifiers = serde_json::from_value(identifiers.clone())
                .map_err(|_| invalid(format!("{pointer}/identifiers"), "must be a list of strings"))?;
        }
        let changed =
            old.is_none_or(|old| old.config != credential.config || old.identifiers != credential.identifiers);
        if changed {
            credential.updated_at = now;
            credential.config.check().map_err(|Flaw { member, problem }| {
                let member = member.map(|member| format!("/{member}")).unwrap_or_default();
                invalid(format!("{pointer}/config{member}"), &problem)
            })?;
        }
        after.insert(kind, credential);
    }
    if before.keys().any(|kind| !after.contains_key(kind)) {
        // Used codes would be required for each sign-in from now on, and could never be given.
        after.retain(|_, credential| !credential.config.is_used_up());
    }
    identity.credentials = after;
    Ok(())
}

fn text(document: &Value, key: &str) -> Result<Option<String>, PatchIdentityError> {
    match document.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(invalid(format!("/{key}"), "must be a string")),
    }
}

fn invalid(pointer: impl Into<String>, problem: &str) -> PatchIdentityError {
    PatchIdentityError::Invalid { pointer: pointer.into(), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(step: &Value) -> Result<(), PatchIdentityError> {
        let sound = json!({"op": "add", "path": "/credentials/password/config/x", "value": 1});
        check_allowed(&serde_json::from_value::<Vec<PatchOperation>>(json!([sound, step])).unwrap())
    }

    #[test]
    fn denied_paths_are_rejected_regardless_of_case() {
        for path in
            ["/id", "/ID", "/credentials", "/credentials/oidc", "/credentials/oidc/config", "/Credentials/SAML", ""]
        {
            let refused = check(&json!({"op": "replace", "path": path, "value": 2}));
            assert!(matches!(refused, Err(PatchIdentityError::Denied { index: 1, .. })), "{path}");
        }
        assert!(check(&json!({"op": "remove", "path": "/traits/id"})).is_ok());
    }

    #[test]
    fn unsupported_operations_are_rejected() {
        for op in ["move", "copy", "test"] {
            let refused = check(&json!({"op": op, "path": "/traits/x", "from": "/traits/y", "value": 1}));
            assert!(matches!(refused, Err(PatchIdentityError::Unsupported { index: 1, .. })), "{op}");
        }
    }
}
