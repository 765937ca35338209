//! Clients, and a read cache of them: see [`ReadCache`].

use std::sync::Arc;

use base::{Rng, TenantId};
use database::{Cacheable, Database, Error, ReadCache, memory_of_json};
use web::outbound::Client as HttpClient;

use crate::domain::client::{Client, ClientId};
use crate::domain::client_secret::SecretHasher;
use crate::domain::client_validation::ClientPolicy;
use crate::storage::clients;

const MAX_BYTES: usize = 32 << 20;
/// The approximate size of a client.
const CLIENT_BYTES: usize = 3 << 10;

/// The registered clients. The operations that change one are in `operations/`, a file for each.
pub(crate) struct Clients {
    pub(crate) database: Database,
    /// For what clients publish about their sector.
    pub(crate) http: HttpClient,
    pub(crate) rng: Rng,
    pub(crate) policy: ClientPolicy,
    pub(crate) hasher: SecretHasher,
    cached: ReadCache<ClientId, Client>,
}

impl Clients {
    pub(crate) fn new(
        database: Database,
        http: HttpClient,
        rng: Rng,
        policy: ClientPolicy,
        hasher: SecretHasher,
    ) -> Self {
        Self { cached: ReadCache::new(database.clone(), MAX_BYTES, CLIENT_BYTES), database, http, rng, policy, hasher }
    }

    /// A client as it was read a moment ago.
    pub(crate) async fn find(&self, tenant: TenantId, id: &ClientId) -> Result<Option<Arc<Client>>, Error> {
        if let Some(client) = self.cached.get(tenant, id.clone()) {
            return Ok(Some(client));
        }
        let start = self.cached.start_reading();
        let found = clients::find(&mut self.database.read(tenant), id).await?;
        Ok(found.map(|client| {
            let subjects = &[id.as_str().as_bytes()];
            let metadata = serde_json::to_vec(&client.metadata).map_or(0, |text| memory_of_json(&text));
            let bytes = CLIENT_BYTES + metadata;
            self.cached.put(start, tenant, id.clone(), Cacheable { value: client, subjects, bytes })
        }))
    }
}
