//! Rows of `oauth_used_jtis`: used assertions, per issuer, until they expire (RFC 7523 section 3, point 7).

use base::{Timestamp, TokenDigest};
use database::{Error, WriteTx, values};

database::statements! {
    INSERT = "INSERT INTO oauth_used_jtis (tenant_id, issuer, jti_digest, expires_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (tenant_id, issuer, jti_digest) DO NOTHING";
}

/// Whether the `jti` was new.
pub async fn insert(tx: &mut WriteTx, issuer: &str, jti: TokenDigest, expires_at: Timestamp) -> Result<bool, Error> {
    Ok(tx.execute(&INSERT, &values![issuer, jti, expires_at]).await? == 1)
}
