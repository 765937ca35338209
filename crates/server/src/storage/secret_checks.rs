//! Rows of `server_secret_checks`: for each service the values that are sealed under its secrets. If all of them open, the secrets
//! match the database.

use base::Timestamp;
use database::{Error, Read, WriteTx, values};

database::statements! {
    FIND = "SELECT sealed FROM server_secret_checks WHERE tenant_id = $1 AND service = $2";
    /// The first node that starts writes the value; the others check their secrets against it.
    INSERT = "INSERT INTO server_secret_checks (tenant_id, service, sealed, updated_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (tenant_id, service) DO NOTHING";
    /// Only if the value is still the one that was read.
    REPLACE = "UPDATE server_secret_checks SET sealed = $4, updated_at = $5
        WHERE tenant_id = $1 AND service = $2 AND sealed = $3";
}

pub(crate) async fn find(tx: &mut impl Read, service: &str) -> Result<Option<String>, Error> {
    tx.query_opt(&FIND, &values![service]).await?.map(|row| row.get(0)).transpose()
}

/// Whether the value was written: `false` when a value exists.
pub(crate) async fn insert(tx: &mut WriteTx, service: &str, sealed: &str, now: Timestamp) -> Result<bool, Error> {
    Ok(tx.execute(&INSERT, &values![service, sealed, now]).await? == 1)
}

/// Whether the value was replaced: `false` when it is no longer `old`.
pub(crate) async fn replace(
    tx: &mut WriteTx,
    service: &str,
    old: &str,
    sealed: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    Ok(tx.execute(&REPLACE, &values![service, old, sealed, now]).await? == 1)
}
