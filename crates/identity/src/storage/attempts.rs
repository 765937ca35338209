//! Attempts within a window, by whatever they are limited by. The subject is a digest: no address or identifier is kept.

use base::{Timestamp, TokenDigest};
use database::{Error, Read, WriteTx, values};

database::statements! {
    /// Counts one attempt; a window that is over begins anew.
    COUNT = "INSERT INTO identity_attempts (tenant_id, kind, subject, count, expires_at) VALUES ($1, $2, $3, 1, $4) \
             ON CONFLICT (tenant_id, kind, subject) DO UPDATE SET \
             count = CASE WHEN identity_attempts.expires_at <= $5 THEN 1 ELSE identity_attempts.count + 1 END, \
             expires_at = CASE WHEN identity_attempts.expires_at <= $5 THEN $4 ELSE identity_attempts.expires_at END \
             RETURNING count, expires_at";
    FORGIVE = "UPDATE identity_attempts SET count = count - 1 WHERE tenant_id = $1 AND kind = $2 AND subject = $3 AND count > 0";
    /// The attempts in a window that is not over.
    STANDING = "SELECT count, expires_at FROM identity_attempts WHERE tenant_id = $1 AND kind = $2 AND subject = $3 AND expires_at > $4";
}

/// Counts an attempt and tells how many there were in the window, and when it ends.
pub async fn count(
    tx: &mut WriteTx,
    kind: &str,
    subject: TokenDigest,
    now: Timestamp,
    window_end: Timestamp,
) -> Result<(i32, Timestamp), Error> {
    let row = tx.query_one(&COUNT, &values![kind, subject, window_end, now]).await?;
    Ok((row.get(0)?, row.get(1)?))
}

/// Takes one attempt back, because it turned out to be an honest one.
pub async fn forgive(tx: &mut WriteTx, kind: &str, subject: TokenDigest) -> Result<(), Error> {
    tx.execute(&FORGIVE, &values![kind, subject]).await.map(|_| ())
}

/// How many attempts stand against a subject now, and until when.
pub async fn standing(
    tx: &mut impl Read,
    kind: &str,
    subject: TokenDigest,
    now: Timestamp,
) -> Result<Option<(i32, Timestamp)>, Error> {
    let row = tx.query_opt(&STANDING, &values![kind, subject, now]).await?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}
