//! Registers a client (RFC 7591 section 3).

use base::{Context, PlainToken, Secret};

use super::save_client::{CheckClientError, HashedSecret};
use crate::components::Clients;
use crate::domain::client::{Client, ClientId, ClientMetadata};
use crate::domain::client_validation::InvalidMetadata;
use crate::domain::event::Event;
use crate::storage::clients;

/// A client to register.
#[derive(Debug, Default)]
pub struct NewClient {
    /// The requested id; a UUID by default.
    pub id: Option<ClientId>,
    /// The requested secret; a generated one by default.
    pub secret: Option<Secret<String>>,
    pub metadata: ClientMetadata,
}

/// A new client with the values that are returned only once.
#[derive(Debug)]
pub struct CreatedClient {
    pub client: Client,
    pub secret: Option<Secret<String>>,
    pub registration_access_token: PlainToken,
}

#[derive(Debug, thiserror::Error)]
pub enum CreateClientError {
    #[error(transparent)]
    Invalid(#[from] InvalidMetadata),
    #[error(transparent)]
    Check(#[from] CheckClientError),
    #[error("the client_id is taken")]
    IdTaken,
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl Clients {
    pub(crate) async fn create(&self, cx: &Context, new: NewClient) -> Result<CreatedClient, CreateClientError> {
        let metadata = self.check(new.metadata, None).await?;
        let id = match new.id {
            Some(id) => id,
            None => ClientId::from_uuid(self.rng.uuid()),
        };
        let HashedSecret { digest, plain } = self.secret_for(&id, &metadata, new.secret, false).await?;
        let registration_access_token = PlainToken::generate(&self.rng, "ory_at_", 43);
        let client = Client {
            id,
            secrets: digest.into_iter().collect(),
            metadata,
            registration_token: Some(registration_access_token.digest()),
            // Unlike the epoch of a deleted client with the same id, whose tokens must stay inactive.
            token_epoch: i64::from_be_bytes(self.rng.bytes()),
            version: 1,
            created_at: cx.now,
            updated_at: cx.now,
        };

        let mut tx = self.database.write(cx.tenant).await?;
        if !clients::insert(&mut tx, &client).await? {
            return Err(CreateClientError::IdTaken);
        }
        let event = Event::ClientCreated { client_id: &client.id, client_name: &client.metadata.client_name };
        jobs::append(&mut tx, cx, &[event]).await?;
        tx.commit().await?;
        Ok(CreatedClient { client, secret: plain, registration_access_token })
    }
}
