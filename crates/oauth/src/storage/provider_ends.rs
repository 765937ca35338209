//! Rows of `oauth_provider_ends`: accounts and sessions that recently ended at the identity provider. Redeeming a login
//! checks them in the statement that writes its session (`login_sessions`).

use base::Timestamp;
use database::{Error, WriteTx, values};

database::statements! {
    MARK = "INSERT INTO oauth_provider_ends (tenant_id, kind, name, ended_at, expires_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (tenant_id, kind, name) DO UPDATE SET ended_at = $4, expires_at = $5";
}

/// What ended.
#[derive(Clone, Copy, Debug)]
pub enum Ended<'a> {
    Subject(&'a str),
    /// A session of the identity provider.
    Session(&'a str),
}

/// `expires_at`: when a login that was accepted before `ended_at` can no longer be redeemed.
pub async fn mark(tx: &mut WriteTx, what: Ended<'_>, ended_at: Timestamp, expires_at: Timestamp) -> Result<(), Error> {
    let (kind, name) = match what {
        Ended::Subject(subject) => ("subject", subject),
        Ended::Session(id) => ("session", id),
    };
    tx.execute(&MARK, &values![kind, name, ended_at, expires_at]).await.map(|_| ())
}
