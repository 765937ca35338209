//! Saved submissions: they continue after the user signs in again. Each is read once, by the user who sent it.

use base::Timestamp;
use database::{Error, Read as _, WriteTx, values};
use uuid::Uuid;

use crate::domain::IdentityId;
use crate::domain::flow::FlowId;

database::statements! {
    INSERT = "INSERT INTO identity_continuities (tenant_id, id, name, identity_id, flow_id, payload, created_at, expires_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    TAKE = "DELETE FROM identity_continuities WHERE tenant_id = $1 AND id = $2 AND name = $3 AND identity_id = $4 AND flow_id = $5 \
            AND expires_at > $6 RETURNING payload";
    ABORT = "DELETE FROM identity_continuities WHERE tenant_id = $1 AND identity_id = $2";
}

/// A submission to save, sealed.
pub struct SavedSubmission<'a> {
    pub id: Uuid,
    pub name: &'a str,
    pub identity_id: IdentityId,
    pub flow_id: FlowId,
    pub payload: &'a [u8],
    pub now: Timestamp,
    pub expires_at: Timestamp,
}

pub async fn insert(tx: &mut WriteTx, saved: &SavedSubmission<'_>) -> Result<(), Error> {
    let values = values![
        saved.id,
        saved.name,
        saved.identity_id.as_uuid(),
        saved.flow_id.as_uuid(),
        saved.payload,
        saved.now,
        saved.expires_at,
    ];
    tx.execute(&INSERT, &values).await.map(|_| ())
}

/// Removes and returns a saved submission; of two concurrent requests, one gets it.
pub async fn take(
    tx: &mut WriteTx,
    id: Uuid,
    name: &str,
    identity: IdentityId,
    flow: FlowId,
    now: Timestamp,
) -> Result<Option<Vec<u8>>, Error> {
    let values = values![id, name, identity.as_uuid(), flow.as_uuid(), now];
    tx.query_opt(&TAKE, &values).await?.map(|row| row.get(0)).transpose()
}

/// Deletes the saved submissions of a user.
pub async fn abort(tx: &mut WriteTx, identity: IdentityId) -> Result<(), Error> {
    tx.execute(&ABORT, &values![identity.as_uuid()]).await.map(|_| ())
}
