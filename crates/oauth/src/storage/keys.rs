//! Rows of `oauth_keys`: key sets with sealed private parts.

use base::seal::Purpose;
use base::{Sealer, TenantId, Timestamp};
use database::{Error, Read, Row, WriteTx, values};
use jose::Jwk;

use crate::domain::signing_key::StoredKey;

const MATERIAL: Purpose = Purpose("oauth key material");

database::statements! {
    LIST = "SELECT set_name, kid, material, position, created_at, active_at, retired_at, expires_at FROM oauth_keys
        WHERE tenant_id = $1 AND set_name = $2 ORDER BY active_at DESC, position ASC, kid ASC";
    /// A new key, unless the set has one with that name.
    INSERT = "INSERT INTO oauth_keys (tenant_id, set_name, kid, algorithm, material, position, created_at, active_at,
            retired_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (tenant_id, set_name, kid) DO NOTHING";
    DELETE = "DELETE FROM oauth_keys WHERE tenant_id = $1 AND set_name = $2 AND kid = $3";
    DELETE_SET = "DELETE FROM oauth_keys WHERE tenant_id = $1 AND set_name = $2";
    /// Retires every other key of a set when the new one takes over.
    RETIRE_OTHERS = "UPDATE oauth_keys SET retired_at = $4, expires_at = $5
        WHERE tenant_id = $1 AND set_name = $2 AND kid <> $3 AND retired_at IS NULL";
}

/// The keys of a set, newest first.
pub async fn list(
    tx: &mut impl Read,
    sealer: &Sealer,
    tenant: TenantId,
    set_name: &str,
) -> Result<Vec<StoredKey>, Error> {
    let rows = tx.query(&LIST, &values![set_name]).await?;
    rows.iter().map(|row| read(row, sealer, tenant)).collect()
}

/// Whether the key was written: `false` when the set has one with that name.
pub async fn insert(tx: &mut WriteTx, sealer: &Sealer, key: &StoredKey) -> Result<bool, Error> {
    let tenant = tx.tenant();
    let material = serde_json::to_vec(&key.jwk.to_private_value()).map_err(|error| inconsistent(error.to_string()))?;
    let values = values![
        &key.set_name,
        &key.kid,
        key.algorithm().map_or("", jose::Algorithm::as_str),
        sealer.seal(MATERIAL, tenant, &material),
        key.position,
        key.created_at,
        key.active_at,
        key.retired_at,
        key.expires_at,
    ];
    Ok(tx.execute(&INSERT, &values).await? == 1)
}

/// Whether the key existed.
pub async fn delete(tx: &mut WriteTx, set_name: &str, kid: &str) -> Result<bool, Error> {
    Ok(tx.execute(&DELETE, &values![set_name, kid]).await? == 1)
}

/// The number of deleted keys.
pub async fn delete_set(tx: &mut WriteTx, set_name: &str) -> Result<u64, Error> {
    tx.execute(&DELETE_SET, &values![set_name]).await
}

pub async fn retire_others(
    tx: &mut WriteTx,
    set_name: &str,
    kid: &str,
    retired_at: Timestamp,
    expires_at: Timestamp,
) -> Result<u64, Error> {
    tx.execute(&RETIRE_OTHERS, &values![set_name, kid, retired_at, expires_at]).await
}

fn read(row: &Row, sealer: &Sealer, tenant: TenantId) -> Result<StoredKey, Error> {
    let kid: String = row.get(1)?;
    let material = sealer
        .open(MATERIAL, tenant, &row.get::<Vec<u8>>(2)?)
        .map_err(|_| inconsistent(format!("key {kid} was sealed with a secret that is not configured")))?;
    let material = serde_json::from_slice(&material).map_err(|error| inconsistent(error.to_string()))?;
    Ok(StoredKey {
        set_name: row.get(0)?,
        jwk: Jwk::parse(&material).map_err(|error| inconsistent(format!("key {kid}: {error}")))?,
        kid,
        position: row.get(3)?,
        created_at: row.get(4)?,
        active_at: row.get(5)?,
        retired_at: row.get(6)?,
        expires_at: row.get(7)?,
    })
}

fn inconsistent(what: String) -> Error {
    Error::inconsistent("oauth_keys", what)
}
