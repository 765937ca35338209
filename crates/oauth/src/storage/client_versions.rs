//! What tells whether a client that is kept in memory is still the one in the database, and the epoch that ends its
//! tokens.

use base::Timestamp;
use database::{Error, Read, WriteTx, values};

use crate::domain::client::ClientId;

database::statements! {
    FIND = "SELECT version, token_epoch, created_at FROM oauth_clients WHERE tenant_id = $1 AND id = $2";
    SET_TOKEN_EPOCH = "UPDATE oauth_clients SET token_epoch = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2";
}

/// Differs between any two states of a client, also of one that was deleted and made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientVersion {
    pub version: i64,
    pub token_epoch: i64,
    pub created_at: Timestamp,
}

pub async fn find(tx: &mut impl Read, id: &ClientId) -> Result<Option<ClientVersion>, Error> {
    let Some(row) = tx.query_opt(&FIND, &values![id.as_str()]).await? else { return Ok(None) };
    Ok(Some(ClientVersion { version: row.get(0)?, token_epoch: row.get(1)?, created_at: row.get(2)? }))
}

/// Whether there is such a client.
pub async fn set_token_epoch(tx: &mut WriteTx, id: &ClientId, epoch: i64) -> Result<bool, Error> {
    Ok(tx.execute(&SET_TOKEN_EPOCH, &values![id.as_str(), epoch]).await? == 1)
}
