//! Whether challenges were redeemed. A row of `oauth_used_challenges` records it if no other row does; login sessions and
//! grants record it for their own challenges.

use database::{Error, Read, WriteTx, values};

use crate::domain::one_time::{OneTime, Proof};

database::statements! {
    MARK = "INSERT INTO oauth_used_challenges (tenant_id, digest, expires_at) VALUES ($1, $2, $3)
        ON CONFLICT (tenant_id, digest) DO NOTHING";
    IS_MARKED = "SELECT 1 FROM oauth_used_challenges WHERE tenant_id = $1 AND digest = $2";
    LOGIN_IS_REDEEMED = "SELECT 1 FROM oauth_used_challenges WHERE tenant_id = $1 AND digest = $2
        UNION ALL SELECT 1 FROM oauth_login_sessions WHERE tenant_id = $1 AND id = $3";
    CONSENT_IS_REDEEMED = "SELECT 1 FROM oauth_used_challenges WHERE tenant_id = $1 AND digest = $2
        UNION ALL SELECT 1 FROM oauth_grants WHERE tenant_id = $1 AND id = $3";
}

/// Marks a challenge as redeemed; `false` when it already was.
pub async fn mark(tx: &mut WriteTx, challenge: &OneTime) -> Result<bool, Error> {
    tx.touch(challenge.marker.as_bytes());
    Ok(tx.execute(&MARK, &values![challenge.marker, challenge.expires_at]).await? == 1)
}

pub async fn is_redeemed(tx: &mut impl Read, challenge: &OneTime) -> Result<bool, Error> {
    let marker = challenge.marker;
    let found = match challenge.proof {
        Proof::MarkerAlone => tx.query_opt(&IS_MARKED, &values![marker]).await?,
        Proof::LoginSession(id) => tx.query_opt(&LOGIN_IS_REDEEMED, &values![marker, id]).await?,
        Proof::Grant(id) => tx.query_opt(&CONSENT_IS_REDEEMED, &values![marker, id]).await?,
    };
    Ok(found.is_some())
}
