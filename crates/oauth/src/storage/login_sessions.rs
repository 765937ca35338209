//! Rows of `oauth_login_sessions`. The id of a new session is fixed before the login, so inserting it also ensures that a
//! login verifier works once. Therefore an ended session keeps its row until its challenge has expired, but is no longer
//! found.

use base::Timestamp;
use database::{Error, Read, Row, WriteTx, values};
use serde_json::json;
use uuid::Uuid;

use crate::domain::client::ClientId;
use crate::domain::login_session::{LoginSession, LoginSessionId};
use crate::domain::one_time::OneTime;

macro_rules! by_provider_sessions {
    ($ids:literal) => {
        concat!(
            "SELECT id, subject, remember, acr, amr, authenticated_at, expires_at, identity_provider_session_id,
                remembered_until, accepted_at
            FROM oauth_login_sessions
            WHERE tenant_id = $1 AND ended_at IS NULL AND identity_provider_session_id ",
            $ids
        )
    };
}

database::statements! {
    FIND = "SELECT id, subject, remember, acr, amr, authenticated_at, expires_at, identity_provider_session_id,
            remembered_until, accepted_at
        FROM oauth_login_sessions WHERE tenant_id = $1 AND id = $2 AND ended_at IS NULL";
    /// A new session, unless its id was used. Also returns whether its challenge was rejected before, whether the user has
    /// a remembered consent for the client, and whether the account or the session of the identity provider ended since the
    /// login was accepted.
    INSERT = "INSERT INTO oauth_login_sessions (tenant_id, id, subject, remember, acr, amr, authenticated_at, expires_at,
            identity_provider_session_id, challenge_expires_at, remembered_until, accepted_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $15) ON CONFLICT (tenant_id, id) DO NOTHING
        RETURNING EXISTS (SELECT 1 FROM oauth_used_challenges WHERE tenant_id = $1 AND digest = $12),
            EXISTS (SELECT 1 FROM oauth_consents
                WHERE tenant_id = $1 AND subject = $3 AND client_id = $13 AND remember = TRUE AND expires_at > $14),
            EXISTS (SELECT 1 FROM oauth_provider_ends
                WHERE tenant_id = $1 AND kind = 'subject' AND name = $3 AND ended_at >= $15)
            OR EXISTS (SELECT 1 FROM oauth_provider_ends
                WHERE tenant_id = $1 AND kind = 'session' AND name = $9 AND ended_at >= $15)";
    /// Reuses a session that still exists and belongs to the same user.
    TOUCH = "UPDATE oauth_login_sessions SET expires_at = $4, identity_provider_session_id = $5, remembered_until = $7
        WHERE tenant_id = $1 AND id = $2 AND subject = $3 AND expires_at > $6 AND ended_at IS NULL";
    END = "UPDATE oauth_login_sessions SET ended_at = $3, expires_at = $3
        WHERE tenant_id = $1 AND id = $2 AND ended_at IS NULL";
    LIST_BY_SUBJECT = "SELECT id, subject, remember, acr, amr, authenticated_at, expires_at, identity_provider_session_id,
            remembered_until, accepted_at
        FROM oauth_login_sessions WHERE tenant_id = $1 AND subject = $2 AND ended_at IS NULL";
    /// The ids are one JSON array.
    LIST_BY_PROVIDER_SESSIONS = {
        sqlite: by_provider_sessions!("IN (SELECT value FROM json_each($2))"),
        postgres: by_provider_sessions!("= ANY(ARRAY(SELECT json_array_elements_text(CAST(CAST($2 AS text) AS json))))"),
    };
}

pub async fn find(tx: &mut impl Read, id: LoginSessionId) -> Result<Option<LoginSession>, Error> {
    tx.query_opt(&FIND, &values![id.as_uuid()]).await?.as_ref().map(read).transpose()
}

/// An inserted session.
#[derive(Clone, Copy, Debug)]
pub struct Inserted {
    /// The user has a remembered consent for `client`, which may or may not cover a request.
    pub has_remembered_consent: bool,
    /// The account, or the session of the identity provider, ended since the login was accepted.
    pub ended_at_provider: bool,
}

/// Redeems a login challenge by its session. `None` when the challenge was redeemed before.
pub async fn insert(
    tx: &mut WriteTx,
    session: &LoginSession,
    challenge: &OneTime,
    client: &ClientId,
    now: Timestamp,
) -> Result<Option<Inserted>, Error> {
    let amr = serde_json::to_string(&session.amr).map_err(|error| inconsistent(error.to_string()))?;
    let values = values![
        session.id.as_uuid(),
        &session.subject,
        session.remember,
        session.acr.as_deref(),
        amr,
        session.authenticated_at,
        session.expires_at,
        session.identity_provider_session_id.as_deref(),
        challenge.expires_at,
        session.remembered_until,
        challenge.marker,
        client.as_str(),
        now,
        session.accepted_at,
    ];
    tx.touch(challenge.marker.as_bytes());
    let Some(row) = tx.query_opt(&INSERT, &values).await? else { return Ok(None) };
    let was_rejected: bool = row.get(0)?;
    let inserted = Inserted { has_remembered_consent: row.get(1)?, ended_at_provider: row.get(2)? };
    Ok((!was_rejected).then_some(inserted))
}

/// Writes the expiry and the provider's session of a reused session. `false` when it ended in the meantime.
pub async fn touch(tx: &mut WriteTx, session: &LoginSession, now: Timestamp) -> Result<bool, Error> {
    let values = values![
        session.id.as_uuid(),
        &session.subject,
        session.expires_at,
        session.identity_provider_session_id.as_deref(),
        now,
        session.remembered_until,
    ];
    Ok(tx.execute(&TOUCH, &values).await? == 1)
}

/// Whether the session existed: of two concurrent calls, one gets `true`.
pub async fn end(tx: &mut WriteTx, id: LoginSessionId, now: Timestamp) -> Result<bool, Error> {
    Ok(tx.execute(&END, &values![id.as_uuid(), now]).await? == 1)
}

pub async fn list_by_subject(tx: &mut impl Read, subject: &str) -> Result<Vec<LoginSession>, Error> {
    tx.query(&LIST_BY_SUBJECT, &values![subject]).await?.iter().map(read).collect()
}

pub async fn list_by_provider_sessions(tx: &mut impl Read, ids: &[String]) -> Result<Vec<LoginSession>, Error> {
    tx.query(&LIST_BY_PROVIDER_SESSIONS, &values![json!(ids).to_string()]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<LoginSession, Error> {
    let amr: String = row.get(4)?;
    let expires_at = row.get(6)?;
    Ok(LoginSession {
        id: LoginSessionId::from_uuid(row.get::<Uuid>(0)?),
        subject: row.get(1)?,
        remember: row.get(2)?,
        acr: row.get(3)?,
        amr: serde_json::from_str(&amr).map_err(|error| inconsistent(format!("amr: {error}")))?,
        authenticated_at: row.get(5)?,
        remembered_until: row.get::<Option<Timestamp>>(8)?.unwrap_or(expires_at),
        expires_at,
        identity_provider_session_id: row.get(7)?,
        accepted_at: row.get(9)?,
    })
}

fn inconsistent(what: String) -> Error {
    Error::inconsistent("oauth_login_sessions", what)
}
