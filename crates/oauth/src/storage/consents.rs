//! Rows of `oauth_consents`: consents of users. Request and decision are sealed, because they may contain claims about the
//! user; only the admin API opens them.

use base::{Page, PageRequest, Timestamp};
use database::{Error, Read, Row, WriteTx, values};
use oauth_types::ScopeSet;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::client::ClientId;
use crate::domain::consent::Consent;
use crate::domain::grant::GrantId;
use crate::domain::login_session::LoginSessionId;

database::statements! {
    /// A new consent; returns whether earlier ones are still remembered.
    INSERT = "INSERT INTO oauth_consents (tenant_id, id, subject, client_id, login_session_id, granted_scope,
            granted_audience, remember, remember_for_seconds, handled_at, expires_at, details)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        RETURNING EXISTS (SELECT 1 FROM oauth_consents
            WHERE tenant_id = $1 AND id <> $2 AND subject = $3 AND client_id = $4 AND remember = TRUE)";
    /// A new remembered consent replaces earlier ones: each user has one per client, however often they are asked.
    SUPERSEDE = "UPDATE oauth_consents SET remember = FALSE, expires_at = $4
        WHERE tenant_id = $1 AND subject = $2 AND client_id = $3 AND remember = TRUE AND expires_at > $4 AND id <> $5";
    /// The newest remembered consent.
    FIND_REMEMBERED = "SELECT id, subject, client_id, login_session_id, granted_scope, granted_audience, remember,
            remember_for_seconds, handled_at, expires_at
        FROM oauth_consents
        WHERE tenant_id = $1 AND subject = $2 AND client_id = $3 AND remember = TRUE AND expires_at > $4
        ORDER BY handled_at DESC LIMIT 1";
    slow LIST = "SELECT id, subject, client_id, login_session_id, granted_scope, granted_audience, remember,
            remember_for_seconds, handled_at, expires_at, details
        FROM oauth_consents
        WHERE tenant_id = $1 AND subject = $2 AND expires_at > $3
            AND (handled_at, id) < ($4, $5)
        ORDER BY handled_at DESC, id DESC LIMIT $6";
    slow LIST_OF_LOGIN_SESSION = "SELECT id, subject, client_id, login_session_id, granted_scope, granted_audience, remember,
            remember_for_seconds, handled_at, expires_at, details
        FROM oauth_consents
        WHERE tenant_id = $1 AND subject = $2 AND expires_at > $3
            AND (handled_at, id) < ($4, $5) AND login_session_id = $7
        ORDER BY handled_at DESC, id DESC LIMIT $6";
    /// The clients of the newest consents; a client with several consents occurs repeatedly.
    slow CLIENTS_OF_SUBJECT = "SELECT client_id, handled_at FROM oauth_consents
        WHERE tenant_id = $1 AND subject = $2 AND expires_at > $3
            AND (handled_at, id) < ($4, $5)
        ORDER BY handled_at DESC, id DESC LIMIT $6";
    DELETE = "DELETE FROM oauth_consents WHERE tenant_id = $1 AND id = $2 RETURNING subject, client_id";
    DELETE_BY_SUBJECT = "DELETE FROM oauth_consents WHERE tenant_id = $1 AND subject = $2";
    DELETE_BY_SUBJECT_AND_CLIENT = "DELETE FROM oauth_consents WHERE tenant_id = $1 AND subject = $2 AND client_id = $3";
    DELETE_BY_CLIENT = "DELETE FROM oauth_consents WHERE tenant_id = $1 AND client_id = $2";
}

/// The position of a page of consents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentKey {
    pub handled_at: Timestamp,
    pub id: Uuid,
}

/// Whether earlier consents of this user for the client are remembered as well.
pub async fn insert(tx: &mut WriteTx, consent: &Consent, details: &[u8]) -> Result<bool, Error> {
    let audience = serde_json::to_string(&consent.audience).map_err(|error| inconsistent(error.to_string()))?;
    let values = values![
        consent.id.as_uuid(),
        &consent.subject,
        consent.client_id.as_str(),
        consent.login_session_id.map(LoginSessionId::as_uuid),
        consent.scope.to_string(),
        audience,
        consent.remember,
        i64::try_from(consent.remember_for).unwrap_or(i64::MAX),
        consent.handled_at,
        consent.expires_at,
        details,
    ];
    tx.query_one(&INSERT, &values).await?.get(0)
}

/// Ends the remembering of consents before `by`; they stay listed until `expires_at`, when their tokens have expired.
pub async fn supersede(tx: &mut WriteTx, by: &Consent, expires_at: Timestamp) -> Result<(), Error> {
    let values = values![&by.subject, by.client_id.as_str(), expires_at, by.id.as_uuid()];
    tx.execute(&SUPERSEDE, &values).await.map(|_| ())
}

/// The newest remembered consent of `subject` for `client`.
pub async fn find_remembered(
    tx: &mut impl Read,
    subject: &str,
    client: &ClientId,
    now: Timestamp,
) -> Result<Option<Consent>, Error> {
    tx.query_opt(&FIND_REMEMBERED, &values![subject, client.as_str(), now]).await?.as_ref().map(read).transpose()
}

/// Consents with their sealed details, newest first.
pub async fn list(
    tx: &mut impl Read,
    subject: &str,
    session: Option<LoginSessionId>,
    page: &PageRequest<ConsentKey>,
    now: Timestamp,
) -> Result<Page<(Consent, Vec<u8>), ConsentKey>, Error> {
    let start = ConsentKey { handled_at: Timestamp::MAX, id: Uuid::max() };
    let after = page.after.as_ref().unwrap_or(&start);
    let limit = i64::from(page.size) + 1;
    let rows = match session {
        None => tx.query(&LIST, &values![subject, now, after.handled_at, after.id, limit]).await?,
        Some(session) => {
            let values = values![subject, now, after.handled_at, after.id, limit, session.as_uuid()];
            tx.query(&LIST_OF_LOGIN_SESSION, &values).await?
        }
    };
    let consents = rows.iter().map(|row| Ok((read(row)?, row.get(10)?))).collect::<Result<Vec<_>, Error>>()?;
    Ok(Page::from_rows(consents, page.size, |(consent, _)| ConsentKey {
        handled_at: consent.handled_at,
        id: consent.id.as_uuid(),
    }))
}

/// The clients of the newest `limit` consents of `subject`, each once, newest consent first, with its time.
pub async fn clients_of_subject(
    tx: &mut impl Read,
    subject: &str,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<(ClientId, Timestamp)>, Error> {
    let mut clients: Vec<(ClientId, Timestamp)> = Vec::new();
    let newest = values![subject, now, Timestamp::MAX, Uuid::max(), limit];
    for row in tx.query(&CLIENTS_OF_SUBJECT, &newest).await? {
        let client: String = row.get(0)?;
        if clients.iter().all(|(known, _)| known.as_str() != client) {
            let client = ClientId::parse(&client).map_err(|error| inconsistent(error.to_string()))?;
            clients.push((client, row.get(1)?));
        }
    }
    Ok(clients)
}

/// Whose consent it was and to which client; `None` when there is no such consent.
pub async fn delete(tx: &mut WriteTx, id: GrantId) -> Result<Option<(String, ClientId)>, Error> {
    let Some(row) = tx.query_opt(&DELETE, &values![id.as_uuid()]).await? else { return Ok(None) };
    let client: String = row.get(1)?;
    let client = ClientId::parse(&client).map_err(|error| inconsistent(error.to_string()))?;
    Ok(Some((row.get(0)?, client)))
}

pub async fn delete_by_subject(tx: &mut WriteTx, subject: &str) -> Result<(), Error> {
    tx.execute(&DELETE_BY_SUBJECT, &values![subject]).await.map(|_| ())
}

pub async fn delete_by_subject_and_client(tx: &mut WriteTx, subject: &str, client: &ClientId) -> Result<(), Error> {
    tx.execute(&DELETE_BY_SUBJECT_AND_CLIENT, &values![subject, client.as_str()]).await.map(|_| ())
}

pub async fn delete_by_client(tx: &mut WriteTx, client: &ClientId) -> Result<(), Error> {
    tx.execute(&DELETE_BY_CLIENT, &values![client.as_str()]).await.map(|_| ())
}

fn read(row: &Row) -> Result<Consent, Error> {
    let client_id: String = row.get(2)?;
    let scope: String = row.get(4)?;
    let audience: String = row.get(5)?;
    Ok(Consent {
        id: GrantId::from_uuid(row.get(0)?),
        subject: row.get(1)?,
        client_id: ClientId::parse(&client_id).map_err(|error| inconsistent(error.to_string()))?,
        login_session_id: row.get::<Option<Uuid>>(3)?.map(LoginSessionId::from_uuid),
        scope: ScopeSet::parse(&scope),
        audience: serde_json::from_str(&audience).map_err(|error| inconsistent(format!("audience: {error}")))?,
        remember: row.get(6)?,
        remember_for: u64::try_from(row.get::<i64>(7)?).map_err(|_| inconsistent("a negative duration".to_owned()))?,
        handled_at: row.get(8)?,
        expires_at: row.get(9)?,
    })
}

fn inconsistent(what: String) -> Error {
    Error::inconsistent("oauth_consents", what)
}
