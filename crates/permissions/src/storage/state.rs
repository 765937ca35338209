//! Rows of `permissions_state`: the last change of a tenant's relation tuples, the lock of its writers, and the secret for its
//! page tokens and snapshot tokens.

use base::TenantId;
use database::{Database, Error, Read, WriteTx, values};

use crate::domain::snapshot::Snapshot;

database::statements! {
    /// One row for each tenant: what the follower asks several times a second.
    across_tenants POSITIONS = "SELECT tenant_id, sequence FROM permissions_state";
    SNAPSHOT = "SELECT sequence FROM permissions_state WHERE tenant_id = $1";
    TOKEN_KEY = "SELECT token_key FROM permissions_state WHERE tenant_id = $1";
    INSERT = "INSERT INTO permissions_state (tenant_id, sequence, token_key) VALUES ($1, 0, $2)
        ON CONFLICT (tenant_id) DO NOTHING";
    /// Locks the row of the tenant. On SQLite there is one writer anyway.
    LOCK = "UPDATE permissions_state SET sequence = sequence WHERE tenant_id = $1";
    SET_SNAPSHOT = "UPDATE permissions_state SET sequence = $2 WHERE tenant_id = $1";
}

/// The last change of every tenant.
pub async fn positions(database: &Database) -> Result<Vec<(TenantId, Snapshot)>, Error> {
    let rows = database.read(TenantId::DEFAULT).query(&POSITIONS, &[]).await?;
    rows.iter().map(|row| Ok((TenantId::from_i32(row.get(0)?), Snapshot(row.get(1)?)))).collect()
}

/// The last change; the state before the first change, if there is none.
pub async fn snapshot(tx: &mut impl Read) -> Result<Snapshot, Error> {
    let row = tx.query_opt(&SNAPSHOT, &[]).await?;
    row.map_or(Ok(Snapshot::default()), |row| row.get(0).map(Snapshot))
}

/// The secret for tokens, if there is one.
pub async fn find_token_key(tx: &mut impl Read) -> Result<Option<String>, Error> {
    tx.query_opt(&TOKEN_KEY, &[]).await?.map(|row| row.get(0)).transpose()
}

/// Sets the secret for tokens, unless there is one.
pub async fn insert(tx: &mut WriteTx, token_key: &str) -> Result<(), Error> {
    tx.execute(&INSERT, &values![token_key]).await.map(|_| ())
}

/// Waits for the other writers of the tenant's relation tuples. Must be the first statement of a transaction that changes some,
/// so that their changes become visible in the order of their sequences, and so that no two writers wait for each other.
pub async fn lock(tx: &mut WriteTx) -> Result<(), Error> {
    tx.append(&LOCK, &[]).await
}

pub async fn set_snapshot(tx: &mut WriteTx, snapshot: Snapshot) -> Result<(), Error> {
    tx.append(&SET_SNAPSHOT, &values![snapshot.0]).await
}
