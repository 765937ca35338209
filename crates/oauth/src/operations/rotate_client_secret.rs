//! Rotates the secret of a client: the new one works at once, and the former ones stay valid until they are dropped, so
//! that a deployment can switch without downtime.

use base::{Context, Secret};

use super::save_client::SaveClientError;
use crate::components::Clients;
use crate::domain::client::{Client, ClientId, MAX_ROTATED_SECRETS};
use crate::domain::client_secret::{self, ClientSecretDigest};

#[derive(Debug, thiserror::Error)]
pub enum RotateClientSecretError {
    #[error("the client does not authenticate with a secret")]
    NoSecret,
    #[error(transparent)]
    Save(#[from] SaveClientError),
}

impl Clients {
    pub(crate) async fn rotate_secret(
        &self,
        cx: &Context,
        id: &ClientId,
    ) -> Result<(Client, Secret<String>), RotateClientSecretError> {
        let mut client = self.get(cx, id).await?;
        if !client.metadata.token_endpoint_auth_method.uses_secret() {
            return Err(RotateClientSecretError::NoSecret);
        }
        let secret = client_secret::generate(&self.rng);
        client.secrets.insert(0, ClientSecretDigest::of_generated(id, &secret));
        client.secrets.truncate(1 + MAX_ROTATED_SECRETS);
        self.save(cx, &mut client).await?;
        Ok((client, secret))
    }

    /// Invalidates all former secrets; the current one stays valid.
    pub(crate) async fn drop_rotated_secrets(&self, cx: &Context, id: &ClientId) -> Result<Client, SaveClientError> {
        let mut client = self.get(cx, id).await?;
        if client.secrets.len() > 1 {
            client.secrets.truncate(1);
            self.save(cx, &mut client).await?;
        }
        Ok(client)
    }
}
