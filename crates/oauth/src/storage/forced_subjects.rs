//! Rows of `oauth_forced_subjects`: the subject identifier that the login application set for a client and user.

use base::Timestamp;
use database::{Error, Read, WriteTx, values};

use crate::domain::client::{Client, ClientId, SubjectType};

database::statements! {
    FIND = "SELECT forced_subject FROM oauth_forced_subjects WHERE tenant_id = $1 AND client_id = $2 AND subject = $3";
    UPSERT = "INSERT INTO oauth_forced_subjects (tenant_id, client_id, subject, forced_subject, updated_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (tenant_id, client_id, subject) DO UPDATE SET forced_subject = $4, updated_at = $5";
    DELETE_BY_SUBJECT = "DELETE FROM oauth_forced_subjects WHERE tenant_id = $1 AND subject = $2";
    DELETE_BY_CLIENT = "DELETE FROM oauth_forced_subjects WHERE tenant_id = $1 AND client_id = $2";
}

pub async fn find(tx: &mut impl Read, client: &ClientId, subject: &str) -> Result<Option<String>, Error> {
    tx.query_opt(&FIND, &values![client.as_str(), subject]).await?.map(|row| row.get(0)).transpose()
}

/// Like [`find`], but skips the query where there cannot be a row.
pub async fn find_if_pairwise(tx: &mut impl Read, client: &Client, subject: &str) -> Result<Option<String>, Error> {
    match client.metadata.subject_type {
        SubjectType::Public => Ok(None),
        SubjectType::Pairwise => find(tx, &client.id, subject).await,
    }
}

pub async fn upsert(
    tx: &mut WriteTx,
    client: &ClientId,
    subject: &str,
    forced_subject: &str,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(&UPSERT, &values![client.as_str(), subject, forced_subject, now]).await.map(|_| ())
}

pub async fn delete_by_subject(tx: &mut WriteTx, subject: &str) -> Result<(), Error> {
    tx.execute(&DELETE_BY_SUBJECT, &values![subject]).await.map(|_| ())
}

pub async fn delete_by_client(tx: &mut WriteTx, client: &ClientId) -> Result<(), Error> {
    tx.execute(&DELETE_BY_CLIENT, &values![client.as_str()]).await.map(|_| ())
}
