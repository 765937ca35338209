//! A cache of clients: see [`ReadCache`].

use std::sync::Arc;

use base::TenantId;
use database::{Cacheable, Database, Error, ReadCache, memory_of_json};

use crate::domain::client::{Client, ClientId};
use crate::storage::clients;

const MAX_BYTES: usize = 32 << 20;
/// What a client takes, roughly.
const CLIENT_BYTES: usize = 3 << 10;

pub(crate) struct Clients {
    database: Database,
    cached: ReadCache<ClientId, Client>,
}

impl Clients {
    pub(crate) fn new(database: Database) -> Self {
        Self { cached: ReadCache::new(database.clone(), MAX_BYTES, CLIENT_BYTES), database }
    }

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
