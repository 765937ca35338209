//! Rows of `oauth_revoked_tokens`: individually revoked access tokens, until they would have expired. Only tokens without a
//! grant need a row: the others end with their grant.

use base::Timestamp;
use database::{Error, Read, WriteTx, values};
use uuid::Uuid;

use crate::domain::client::ClientId;

database::statements! {
    INSERT = "INSERT INTO oauth_revoked_tokens (tenant_id, jti, expires_at) VALUES ($1, $2, $3)
        ON CONFLICT (tenant_id, jti) DO NOTHING";
    /// The client's epoch, and whether the token was revoked.
    FIND_LIVENESS = "SELECT c.token_epoch, r.expires_at FROM oauth_clients c
        LEFT JOIN oauth_revoked_tokens r ON r.tenant_id = c.tenant_id AND r.jti = $3
        WHERE c.tenant_id = $1 AND c.id = $2";
}

/// The dependencies of an access token without a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liveness {
    pub client_epoch: i64,
    pub is_revoked: bool,
}

pub async fn insert(tx: &mut WriteTx, jti: Uuid, expires_at: Timestamp) -> Result<(), Error> {
    tx.touch(jti.as_bytes());
    tx.execute(&INSERT, &values![jti, expires_at]).await.map(|_| ())
}

/// `None` when the client no longer exists.
pub async fn find_liveness(tx: &mut impl Read, client: &ClientId, jti: Uuid) -> Result<Option<Liveness>, Error> {
    let Some(row) = tx.query_opt(&FIND_LIVENESS, &values![client.as_str(), jti]).await? else { return Ok(None) };
    Ok(Some(Liveness { client_epoch: row.get(0)?, is_revoked: row.get::<Option<Timestamp>>(1)?.is_some() }))
}
