//! Clients as they were read, believed for a moment: see [`Remembered`].

use std::sync::Arc;

use base::TenantId;
use database::{Database, Error, Remembered};

use crate::domain::client::{Client, ClientId};
use crate::storage::clients;

/// Clients that are remembered at a time.
const CAPACITY: usize = 10_000;

pub(crate) struct Clients {
    database: Database,
    remembered: Remembered<ClientId, Client>,
}

impl Clients {
    pub(crate) fn new(database: Database) -> Self {
        Self { remembered: Remembered::new(database.clone(), CAPACITY), database }
    }

    pub(crate) async fn find(&self, tenant: TenantId, id: &ClientId) -> Result<Option<Arc<Client>>, Error> {
        if let Some(client) = self.remembered.get(tenant, id.clone()) {
            return Ok(Some(client));
        }
        let start = self.remembered.start_reading();
        let found = clients::find(&mut self.database.read(tenant), id).await?;
        Ok(found.map(|client| self.remembered.put(start, tenant, id.clone(), &[id.as_str().as_bytes()], client)))
    }
}
