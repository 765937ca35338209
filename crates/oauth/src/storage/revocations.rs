//! Ends many rows of `oauth_grants` at once: those of a login session, a user or a client. A revoked grant keeps its row
//! until its tokens would have expired, because the row makes them inactive.

use base::Timestamp;
use database::{Error, Read as _, WriteTx, values};
use uuid::Uuid;

use crate::domain::client::ClientId;
use crate::domain::grant::GrantId;
use crate::domain::login_session::LoginSessionId;

database::statements! {
    REVOKE = "UPDATE oauth_grants SET revoked_at = $2 WHERE tenant_id = $1 AND id = $3 AND revoked_at IS NULL
        RETURNING subject, client_id";
    REVOKE_BY_LOGIN_SESSION = "UPDATE oauth_grants SET revoked_at = $2
        WHERE tenant_id = $1 AND login_session_id = $3 AND revoked_at IS NULL RETURNING id";
    REVOKE_BY_SUBJECT = "UPDATE oauth_grants SET revoked_at = $2
        WHERE tenant_id = $1 AND subject = $3 AND revoked_at IS NULL";
    REVOKE_BY_SUBJECT_AND_CLIENT = "UPDATE oauth_grants SET revoked_at = $2
        WHERE tenant_id = $1 AND subject = $3 AND client_id = $4 AND revoked_at IS NULL";
    /// The claims about a user in revoked grants.
    FORGET_PERSON = "UPDATE oauth_grants SET session = $3 WHERE tenant_id = $1 AND subject = $2 AND revoked_at IS NOT NULL";
    REVOKE_BY_CLIENT = "UPDATE oauth_grants SET revoked_at = $2
        WHERE tenant_id = $1 AND client_id = $3 AND revoked_at IS NULL";
}

/// Whose grant it was and for which client; `None` when there is no such grant that was not revoked before.
pub async fn revoke(tx: &mut WriteTx, grant: GrantId, now: Timestamp) -> Result<Option<(String, ClientId)>, Error> {
    tx.touch(grant.as_uuid().as_bytes());
    let Some(row) = tx.query_opt(&REVOKE, &values![now, grant.as_uuid()]).await? else { return Ok(None) };
    let client: String = row.get(1)?;
    let client = ClientId::parse(&client).map_err(|error| Error::inconsistent("oauth_grants", error.to_string()))?;
    Ok(Some((row.get(0)?, client)))
}

pub async fn revoke_by_login_session(tx: &mut WriteTx, session: LoginSessionId, now: Timestamp) -> Result<u64, Error> {
    let revoked = tx.query(&REVOKE_BY_LOGIN_SESSION, &values![now, session.as_uuid()]).await?;
    for grant in &revoked {
        tx.touch(grant.get::<Uuid>(0)?.as_bytes());
    }
    Ok(revoked.len() as u64)
}

pub async fn revoke_by_subject(tx: &mut WriteTx, subject: &str, now: Timestamp) -> Result<u64, Error> {
    tx.touch(subject.as_bytes());
    tx.execute(&REVOKE_BY_SUBJECT, &values![now, subject]).await
}

/// Revoked grants keep their rows for a while, but no longer need the claims about the user.
pub async fn forget_person(tx: &mut WriteTx, subject: &str) -> Result<(), Error> {
    tx.execute(&FORGET_PERSON, &values![subject, b"".as_slice()]).await.map(|_| ())
}

pub async fn revoke_by_subject_and_client(
    tx: &mut WriteTx,
    subject: &str,
    client: &ClientId,
    now: Timestamp,
) -> Result<u64, Error> {
    tx.touch(subject.as_bytes());
    tx.execute(&REVOKE_BY_SUBJECT_AND_CLIENT, &values![now, subject, client.as_str()]).await
}

pub async fn revoke_by_client(tx: &mut WriteTx, client: &ClientId, now: Timestamp) -> Result<u64, Error> {
    tx.touch(client.as_str().as_bytes());
    tx.execute(&REVOKE_BY_CLIENT, &values![now, client.as_str()]).await
}
