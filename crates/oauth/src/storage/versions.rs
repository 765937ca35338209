//! Rows of `oauth_versions`: version numbers for data that the nodes cache.

use database::{Error, Read, WriteTx, values};

/// The key sets.
pub const KEYS: &str = "keys";

database::statements! {
    FIND = "SELECT version FROM oauth_versions WHERE tenant_id = $1 AND name = $2";
    BUMP = "INSERT INTO oauth_versions (tenant_id, name, version) VALUES ($1, $2, 1)
        ON CONFLICT (tenant_id, name) DO UPDATE SET version = oauth_versions.version + 1";
}

/// 0 when nothing has changed yet.
pub async fn find(tx: &mut impl Read, name: &str) -> Result<i64, Error> {
    tx.query_opt(&FIND, &values![name]).await?.map_or(Ok(0), |row| row.get(0))
}

pub async fn bump(tx: &mut WriteTx, name: &str) -> Result<(), Error> {
    tx.touch(name.as_bytes());
    tx.execute(&BUMP, &values![name]).await.map(|_| ())
}
