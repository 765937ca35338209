//! Updates a client: as a whole (PUT), in parts (PATCH), or only its lifespans. Values outside the registration keep their
//! values: id, creation time, registration access token, and the secret unless a new one is sent. A new secret invalidates
//! all former ones.

use base::json_patch::{self, PatchError, PatchOperation};
use base::{Context, Secret};
use serde_json::Value;

use super::save_client::{CheckClientError, HashedSecret, SaveClientError};
use crate::components::Clients;
use crate::domain::client::{Client, ClientId, ClientLifespans, ClientMetadata};
use crate::domain::client_validation::InvalidMetadata;

/// The new registration.
#[derive(Debug, Default)]
pub struct ClientUpdate {
    pub secret: Option<Secret<String>>,
    pub metadata: ClientMetadata,
}

#[derive(Debug)]
pub struct UpdatedClient {
    pub client: Client,
    /// The new secret, if any.
    pub secret: Option<Secret<String>>,
}

#[derive(Debug, thiserror::Error)]
pub enum UpdateClientError {
    #[error(transparent)]
    Invalid(#[from] InvalidMetadata),
    #[error(transparent)]
    Check(#[from] CheckClientError),
    #[error(transparent)]
    Patch(#[from] PatchError),
    #[error("path: '{0}' cannot be changed")]
    Protected(String),
    #[error("the patched client is not a client: {0}")]
    NotAClient(String),
    #[error(transparent)]
    Save(#[from] SaveClientError),
}

/// Members that a patch may test but not change.
const PROTECTED: &[&str] = &[
    "client_id",
    "client_secret_expires_at",
    "created_at",
    "id",
    "registration_access_token",
    "registration_client_uri",
    "rotated_secrets",
    "updated_at",
];

impl Clients {
    pub(crate) async fn update(
        &self,
        cx: &Context,
        id: &ClientId,
        update: ClientUpdate,
    ) -> Result<UpdatedClient, UpdateClientError> {
        let client = self.get(cx, id).await?;
        self.replace(cx, client, update).await
    }

    /// Applies RFC 6902 operations to the client's document.
    pub(crate) async fn patch(
        &self,
        cx: &Context,
        id: &ClientId,
        patch: &[PatchOperation],
    ) -> Result<UpdatedClient, UpdateClientError> {
        check_protection(patch)?;
        let client = self.get(cx, id).await?;
        let update = patched(&client, patch)?;
        self.replace(cx, client, update).await
    }

    pub(crate) async fn set_lifespans(
        &self,
        cx: &Context,
        id: &ClientId,
        lifespans: ClientLifespans,
    ) -> Result<Client, SaveClientError> {
        let mut client = self.get(cx, id).await?;
        client.metadata.lifespans = lifespans;
        self.save(cx, &mut client).await?;
        Ok(client)
    }

    async fn replace(
        &self,
        cx: &Context,
        mut client: Client,
        update: ClientUpdate,
    ) -> Result<UpdatedClient, UpdateClientError> {
        client.metadata = self.check(update.metadata, Some(&client.metadata)).await?;
        let has_secret = !client.secrets.is_empty();
        let HashedSecret { digest, plain } =
            self.secret_for(&client.id, &client.metadata, update.secret, has_secret).await?;
        if let Some(digest) = digest {
            client.secrets = vec![digest];
        }
        self.save(cx, &mut client).await?;
        Ok(UpdatedClient { client, secret: plain })
    }
}

fn check_protection(patch: &[PatchOperation]) -> Result<(), UpdateClientError> {
    for operation in patch.iter().filter(|operation| operation.name() != "test") {
        for pointer in std::iter::once(operation.path()).chain(operation.from()) {
            let first = pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
            if first.is_empty() || PROTECTED.contains(&first) {
                return Err(UpdateClientError::Protected(pointer.to_owned()));
            }
        }
    }
    Ok(())
}

fn patched(client: &Client, patch: &[PatchOperation]) -> Result<ClientUpdate, UpdateClientError> {
    let not_a_client = |error: serde_json::Error| UpdateClientError::NotAClient(error.to_string());
    let mut document = serde_json::to_value(&client.metadata).map_err(not_a_client)?;
    document["client_id"] = client.id.as_str().into();
    json_patch::apply(&mut document, patch)?;
    let secret = match document.as_object_mut().and_then(|members| members.shift_remove("client_secret")) {
        Some(Value::String(secret)) if !secret.is_empty() => Some(Secret::new(secret)),
        None | Some(Value::Null | Value::String(_)) => None,
        Some(_) => return Err(UpdateClientError::NotAClient("client_secret must be a string".to_owned())),
    };
    let metadata = serde_json::from_value(document).map_err(not_a_client)?;
    Ok(ClientUpdate { secret, metadata })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn operations(patch: Value) -> Vec<PatchOperation> {
        serde_json::from_value(patch).unwrap()
    }

    #[test]
    fn identity_and_times_of_a_client_cannot_be_patched() {
        for path in ["/client_id", "/id", "/created_at", "/registration_access_token/x", "", "//client_id"] {
            let patch = operations(json!([{"op": "replace", "path": path, "value": "x"}]));
            assert!(matches!(check_protection(&patch), Err(UpdateClientError::Protected(_))), "{path}");
        }
        let moved = operations(json!([{"op": "move", "from": "/client_id", "path": "/owner"}]));
        assert!(check_protection(&moved).is_err());
        let tested = operations(json!([{"op": "test", "path": "/client_id", "value": "x"}]));
        assert!(check_protection(&tested).is_ok());
    }
}
