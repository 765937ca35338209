//! The common part of creating and changing a client: validation, and the secret.

use std::collections::HashSet;

use base::{Context, Rng, Secret};
use bytes::Bytes;
use web::outbound::Client as HttpClient;

use crate::components::Clients;
use crate::domain::client::{Client, ClientId, ClientMetadata, SubjectType, TokenEndpointAuthMethod};
use crate::domain::client_secret::{self, ClientSecretDigest, HashSecretError, SecretHasher};
use crate::domain::client_validation::{self, InvalidMetadata};
use crate::domain::event::Event;
use crate::storage::clients;

/// Why a client cannot be registered.
#[derive(Debug, thiserror::Error)]
pub enum CheckClientError {
    #[error(transparent)]
    Invalid(#[from] InvalidMetadata),
    #[error(transparent)]
    Secret(#[from] HashSecretError),
    #[error("the secret could not be hashed")]
    Interrupted,
}

/// The digest of a secret to store, and the secret itself if it must be returned.
#[derive(Debug, Default)]
pub(super) struct HashedSecret {
    pub digest: Option<ClientSecretDigest>,
    pub plain: Option<Secret<String>>,
}

#[derive(Debug, thiserror::Error)]
pub enum SaveClientError {
    #[error("the client does not exist")]
    Unknown,
    #[error("another request changed the client at the same time")]
    Conflict,
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl Clients {
    /// Validates everything that is registered and fills in defaults. `present` is the client before a change.
    pub(super) async fn check(
        &self,
        metadata: ClientMetadata,
        present: Option<&ClientMetadata>,
    ) -> Result<ClientMetadata, InvalidMetadata> {
        let metadata = client_validation::validate(metadata, &self.policy)?;
        client_validation::check_new_grant_types(&metadata, present, &self.policy)?;
        if metadata.subject_type == SubjectType::Pairwise && !metadata.sector_identifier_uri.is_empty() {
            check_sector(&self.http, &metadata).await?;
        }
        Ok(metadata)
    }

    /// The secret of a client: the `chosen` one, or a new one for a client that needs a secret and has none.
    pub(super) async fn secret_for(
        &self,
        id: &ClientId,
        metadata: &ClientMetadata,
        chosen: Option<Secret<String>>,
        has_secret: bool,
    ) -> Result<HashedSecret, CheckClientError> {
        if let Some(secret) = chosen {
            let digest = hash_chosen(self.hasher, secret.clone(), self.rng.clone()).await?;
            return Ok(HashedSecret { digest: Some(digest), plain: Some(secret) });
        }
        let needs_secret = metadata.token_endpoint_auth_method != TokenEndpointAuthMethod::None
            && metadata.token_endpoint_auth_method != TokenEndpointAuthMethod::PrivateKeyJwt;
        if has_secret || !needs_secret {
            return Ok(HashedSecret::default());
        }
        let secret = client_secret::generate(&self.rng);
        Ok(HashedSecret { digest: Some(ClientSecretDigest::of_generated(id, &secret)), plain: Some(secret) })
    }

    /// Writes a changed client, if it is still as it was read.
    pub(super) async fn save(&self, cx: &Context, client: &mut Client) -> Result<(), SaveClientError> {
        client.updated_at = cx.now;
        let mut tx = self.database.write(cx.tenant).await?;
        if !clients::update(&mut tx, client).await? {
            return Err(SaveClientError::Conflict);
        }
        let event = Event::ClientUpdated { client_id: &client.id, client_name: &client.metadata.client_name };
        jobs::append(&mut tx, cx, &[event]).await?;
        tx.commit().await?;
        client.version += 1;
        Ok(())
    }

    /// Finds a client that must exist.
    pub(crate) async fn get(&self, cx: &Context, id: &ClientId) -> Result<Client, SaveClientError> {
        let client = clients::find(&mut self.database.read(cx.tenant), id).await?;
        client.ok_or(SaveClientError::Unknown)
    }
}

/// OpenID Connect Registration section 5: the sector's document must name every redirect URI.
async fn check_sector(http: &HttpClient, metadata: &ClientMetadata) -> Result<(), InvalidMetadata> {
    let uri = &metadata.sector_identifier_uri;
    let invalid = |reason: String| InvalidMetadata {
        kind: client_validation::InvalidMetadataKind::ClientMetadata,
        field: "sector_identifier_uri",
        reason,
    };
    let request = http::Request::get(uri).body(Bytes::new()).map_err(|error| invalid(error.to_string()))?;
    let response = http.send(request).await.map_err(|error| invalid(format!("{uri:?}: {error}")))?;
    if response.status().as_u16() != 200 {
        return Err(invalid(format!("{uri:?} answered with status {}", response.status().as_u16())));
    }
    let listed: HashSet<String> = serde_json::from_slice(response.body())
        .map_err(|_| invalid(format!("{uri:?} does not hold a JSON array of redirect URIs")))?;
    match metadata.redirect_uris.iter().find(|redirect| !listed.contains(*redirect)) {
        Some(missing) => Err(invalid(format!("{uri:?} does not list the redirect URI {missing:?}"))),
        None => Ok(()),
    }
}

/// Hashes on a thread that may be blocked.
async fn hash_chosen(
    hasher: SecretHasher,
    secret: Secret<String>,
    rng: Rng,
) -> Result<ClientSecretDigest, CheckClientError> {
    let hashing = tokio::task::spawn_blocking(move || ClientSecretDigest::of_chosen(hasher, &secret, &rng));
    Ok(hashing.await.map_err(|_| CheckClientError::Interrupted)??)
}
