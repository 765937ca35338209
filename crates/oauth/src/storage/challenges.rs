//! Rows of `oauth_used_challenges`: a decision that must be carried out once, when no other row proves that it was.

use base::{PlainToken, Timestamp};
use database::{Error, Read, WriteTx, values};

database::statements! {
    MARK = "INSERT INTO oauth_used_challenges (tenant_id, digest, expires_at) VALUES ($1, $2, $3)
        ON CONFLICT (tenant_id, digest) DO NOTHING";
    IS_USED = "SELECT 1 FROM oauth_used_challenges WHERE tenant_id = $1 AND digest = $2";
}

/// Marks a value as used; `false` when it already was.
pub async fn mark(tx: &mut WriteTx, value: &PlainToken, expires_at: Timestamp) -> Result<bool, Error> {
    Ok(tx.execute(&MARK, &values![value.digest(), expires_at]).await? == 1)
}

pub async fn is_used(tx: &mut impl Read, value: &PlainToken) -> Result<bool, Error> {
    Ok(tx.query_opt(&IS_USED, &values![value.digest()]).await?.is_some())
}
