//! Errors that the error page shows to a browser.

use base::Timestamp;
use database::{Error, Read, WriteTx, values};
use serde_json::Value;
use uuid::Uuid;

database::statements! {
    FIND = "SELECT body, created_at FROM identity_errors WHERE tenant_id = $1 AND id = $2 AND expires_at > $3";
    INSERT = "INSERT INTO identity_errors (tenant_id, id, body, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)";
}

/// An error and the time when it occurred.
pub async fn find(tx: &mut impl Read, id: Uuid, now: Timestamp) -> Result<Option<(Value, Timestamp)>, Error> {
    let Some(row) = tx.query_opt(&FIND, &values![id, now]).await? else { return Ok(None) };
    let body: String = row.get(0)?;
    let body =
        serde_json::from_str(&body).map_err(|error| Error::inconsistent("identity_errors", error.to_string()))?;
    Ok(Some((body, row.get(1)?)))
}

pub async fn insert(
    tx: &mut WriteTx,
    id: Uuid,
    body: &Value,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), Error> {
    tx.execute(&INSERT, &values![id, body.to_string(), now, expires_at]).await.map(|_| ())
}
