//! Clients as they were read. One short read tells whether the copy is still true, so a change or deletion counts at once
//! on every node; what is saved is reading and understanding the metadata.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base::TenantId;
use database::{Database, Error};

use crate::domain::client::{Client, ClientId};
use crate::storage::client_versions::{self, ClientVersion};
use crate::storage::clients;

/// Beyond this many the map is emptied: a bound, not a tuning.
const MAX_CLIENTS: usize = 10_000;

#[derive(Default)]
pub(crate) struct Clients(Mutex<HashMap<(TenantId, ClientId), Arc<Client>>>);

impl Clients {
    pub(crate) async fn find(
        &self,
        database: &Database,
        tenant: TenantId,
        id: &ClientId,
    ) -> Result<Option<Arc<Client>>, Error> {
        let mut tx = database.read(tenant);
        let key = (tenant, id.clone());
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(kept) = kept
            && client_versions::find(&mut tx, id).await? == Some(version_of(&kept))
        {
            return Ok(Some(kept));
        }
        let found = clients::find(&mut tx, id).await?.map(Arc::new);
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &found {
            Some(client) => {
                if map.len() >= MAX_CLIENTS {
                    map.clear();
                }
                map.insert(key, client.clone());
            }
            None => {
                map.remove(&key);
            }
        }
        Ok(found)
    }
}

fn version_of(client: &Client) -> ClientVersion {
    ClientVersion { version: client.version, token_epoch: client.token_epoch, created_at: client.created_at }
}
