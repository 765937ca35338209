//! Rows of `oauth_grants`. Every change is a conditional update of one row, so that of two concurrent requests one
//! succeeds. The session data is sealed.

use base::seal::Purpose;
use base::{Sealer, TenantId, Timestamp, TokenDigest};
use database::{Error, Read, Row, WriteTx, values};
use oauth_types::{CodeChallenge, ScopeSet};
use uuid::Uuid;

use crate::domain::client::ClientId;
use crate::domain::grant::{CodeState, Grant, GrantId, GrantSession, IssuedCode, RefreshFamily};
use crate::domain::login_session::LoginSessionId;
use crate::domain::one_time::OneTime;

const SESSION: Purpose = Purpose("oauth grant session");

/// The same statement returns the grant's dependencies: whether the consent was rejected before, and until when the login
/// is valid. On PostgreSQL it also locks the login, so that a concurrent logout either commits first, and is seen here, or
/// waits and revokes this grant; SQLite has one writer.
macro_rules! insert {
    ($lock:literal) => {
        concat!(
            "INSERT INTO oauth_grants (tenant_id, id, client_id, subject, login_session_id, requested_scope, granted_scope,
            granted_audience, code_digest, code_state, code_expires_at, code_challenge, redirect_uri, nonce, acr, amr,
            authenticated_at, requested_at, session, refresh_generation, refresh_grace_uses, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, 0, 0, $20, $21)
        ON CONFLICT (tenant_id, id) DO NOTHING
        RETURNING EXISTS (SELECT 1 FROM oauth_used_challenges WHERE tenant_id = $1 AND digest = $22),
            (SELECT s.expires_at FROM oauth_login_sessions s
                WHERE s.tenant_id = $1 AND s.id = $5 AND s.subject = $4 AND s.ended_at IS NULL",
            $lock,
            ")"
        )
    };
}

database::statements! {
    /// A new grant, unless its id exists: an authorization is completed once.
    INSERT = { sqlite: insert!(""), postgres: insert!(" FOR SHARE") };
    FIND = "SELECT id, client_id, subject, login_session_id, requested_scope, granted_scope, granted_audience, code_digest,
            code_state, code_expires_at, code_challenge, redirect_uri, nonce, acr, amr, authenticated_at, requested_at,
            session, refresh_generation, refresh_digest, refresh_successor, refresh_rotated_at, refresh_grace_uses,
            refresh_expires_at, revoked_at, created_at, expires_at
        FROM oauth_grants WHERE tenant_id = $1 AND id = $2";
    /// Redeems the code, and starts the refresh family if there is one.
    REDEEM = "UPDATE oauth_grants SET code_state = 'redeemed', refresh_generation = $4, refresh_digest = $5,
            refresh_expires_at = $6, expires_at = $7, session = $8
        WHERE tenant_id = $1 AND id = $2 AND code_digest = $3 AND code_state = 'issued' AND revoked_at IS NULL";
    INVALIDATE = "UPDATE oauth_grants SET code_state = 'burnt'
        WHERE tenant_id = $1 AND id = $2 AND code_digest = $3 AND code_state = 'issued'";
    /// Rotates the refresh token, if the generation is still the one that was read.
    ROTATE = "UPDATE oauth_grants SET refresh_generation = $4, refresh_digest = $5, refresh_successor = $6,
            refresh_rotated_at = $7, refresh_grace_uses = 0, refresh_expires_at = $8, expires_at = $9,
            session = $10
        WHERE tenant_id = $1 AND id = $2 AND refresh_generation = $3 AND revoked_at IS NULL";
    /// Counts one use of the predecessor, unless the row changed in the meantime.
    COUNT_GRACE_USE = "UPDATE oauth_grants SET refresh_grace_uses = refresh_grace_uses + 1
        WHERE tenant_id = $1 AND id = $2 AND refresh_generation = $3 AND refresh_grace_uses = $4 AND revoked_at IS NULL";
    /// Determines whether an access token is active: the grant, its generation, the client's epoch.
    FIND_LIVENESS = "SELECT g.refresh_generation, g.revoked_at, g.session, c.token_epoch
        FROM oauth_grants g JOIN oauth_clients c ON c.tenant_id = g.tenant_id AND c.id = g.client_id
        WHERE g.tenant_id = $1 AND g.id = $2";
}

/// The dependencies of an access token of a grant.
#[derive(Clone, Debug)]
pub struct Liveness {
    pub generation: i32,
    pub is_revoked: bool,
    pub session: GrantSession,
    pub client_epoch: i64,
}

/// The columns that a redemption or rotation writes.
#[derive(Clone, Debug)]
pub struct NewRefreshToken {
    pub digest: TokenDigest,
    pub expires_at: Timestamp,
}

/// An inserted grant.
#[derive(Clone, Copy, Debug)]
pub struct Inserted {
    /// Until when its login is valid; `None` when it ended.
    pub login_expires_at: Option<Timestamp>,
}

/// Redeems a consent challenge by its grant. `None` when the challenge was redeemed before.
pub async fn insert(
    tx: &mut WriteTx,
    sealer: &Sealer,
    grant: &Grant,
    challenge: &OneTime,
) -> Result<Option<Inserted>, Error> {
    let code = grant.code.as_ref();
    let values = values![
        grant.id.as_uuid(),
        grant.client_id.as_str(),
        &grant.subject,
        grant.login_session_id.map(LoginSessionId::as_uuid),
        grant.requested_scope.to_string(),
        grant.scope.to_string(),
        write_list(&grant.audience)?,
        code.map(|code| code.digest),
        code.map_or("none", |code| code.state.as_str()),
        code.map(|code| code.expires_at),
        code.and_then(|code| code.challenge.as_ref()).map(CodeChallenge::to_text),
        code.and_then(|code| code.redirect_uri.as_ref()),
        grant.nonce.as_ref(),
        grant.acr.as_ref(),
        write_list(&grant.amr)?,
        grant.authenticated_at,
        grant.requested_at,
        write_session(tx, sealer, grant)?,
        grant.created_at,
        grant.expires_at,
        challenge.marker,
    ];
    tx.touch(challenge.marker.as_bytes());
    let Some(row) = tx.query_opt(&INSERT, &values).await? else { return Ok(None) };
    let was_rejected: bool = row.get(0)?;
    Ok((!was_rejected).then_some(Inserted { login_expires_at: row.get(1)? }))
}

pub async fn find(tx: &mut impl Read, sealer: &Sealer, tenant: TenantId, id: GrantId) -> Result<Option<Grant>, Error> {
    tx.query_opt(&FIND, &values![id.as_uuid()]).await?.map(|row| read(&row, sealer, tenant)).transpose()
}

/// Whether this call redeemed the code.
pub async fn mark_redeemed(
    tx: &mut WriteTx,
    sealer: &Sealer,
    grant: &Grant,
    code: TokenDigest,
    refresh_token: Option<NewRefreshToken>,
    expires_at: Timestamp,
) -> Result<bool, Error> {
    let generation = i32::from(refresh_token.is_some());
    let refresh_expires_at = refresh_token.as_ref().map(|token| token.expires_at);
    let digest = refresh_token.map(|token| token.digest);
    let session = write_session(tx, sealer, grant)?;
    let values = values![grant.id.as_uuid(), code, generation, digest, refresh_expires_at, expires_at, session];
    tx.touch(grant.id.as_uuid().as_bytes());
    Ok(tx.execute(&REDEEM, &values).await? == 1)
}

/// Whether this call invalidated the code.
pub async fn mark_invalidated(tx: &mut WriteTx, id: GrantId, code: TokenDigest) -> Result<bool, Error> {
    tx.touch(id.as_uuid().as_bytes());
    Ok(tx.execute(&INVALIDATE, &values![id.as_uuid(), code]).await? == 1)
}

/// A successor for the generation `from`.
#[derive(Clone, Debug)]
pub struct Successor {
    pub from: i32,
    pub token: NewRefreshToken,
    /// The sealed token, when it may be returned again.
    pub sealed: Option<Vec<u8>>,
    pub rotated_at: Timestamp,
}

/// Whether this call rotated the token.
pub async fn mark_rotated(
    tx: &mut WriteTx,
    sealer: &Sealer,
    grant: &Grant,
    successor: &Successor,
    expires_at: Timestamp,
) -> Result<bool, Error> {
    let values = values![
        grant.id.as_uuid(),
        successor.from,
        successor.from.saturating_add(1),
        successor.token.digest,
        successor.sealed.as_ref(),
        successor.rotated_at,
        successor.token.expires_at,
        expires_at,
        write_session(tx, sealer, grant)?,
    ];
    tx.touch(grant.id.as_uuid().as_bytes());
    Ok(tx.execute(&ROTATE, &values).await? == 1)
}

/// Whether this call counted the use.
pub async fn count_grace_use(tx: &mut WriteTx, id: GrantId, family: &RefreshFamily) -> Result<bool, Error> {
    let values = values![id.as_uuid(), family.generation, family.grace_uses];
    Ok(tx.execute(&COUNT_GRACE_USE, &values).await? == 1)
}

/// `None` when the grant or the client no longer exists.
pub async fn find_liveness(
    tx: &mut impl Read,
    sealer: &Sealer,
    tenant: TenantId,
    id: GrantId,
) -> Result<Option<Liveness>, Error> {
    let Some(row) = tx.query_opt(&FIND_LIVENESS, &values![id.as_uuid()]).await? else { return Ok(None) };
    Ok(Some(Liveness {
        generation: row.get(0)?,
        is_revoked: row.get::<Option<Timestamp>>(1)?.is_some(),
        session: read_session(&row.get::<Vec<u8>>(2)?, sealer, tenant)?,
        client_epoch: row.get(3)?,
    }))
}

fn read(row: &Row, sealer: &Sealer, tenant: TenantId) -> Result<Grant, Error> {
    Ok(Grant {
        id: GrantId::from_uuid(row.get(0)?),
        client_id: ClientId::parse(&row.get::<String>(1)?).map_err(|error| inconsistent(error.to_string()))?,
        subject: row.get(2)?,
        login_session_id: row.get::<Option<Uuid>>(3)?.map(LoginSessionId::from_uuid),
        requested_scope: ScopeSet::parse(&row.get::<String>(4)?),
        scope: ScopeSet::parse(&row.get::<String>(5)?),
        audience: read_list(&row.get::<String>(6)?)?,
        code: read_code(row)?,
        nonce: row.get(12)?,
        acr: row.get(13)?,
        amr: read_list(&row.get::<String>(14)?)?,
        authenticated_at: row.get(15)?,
        requested_at: row.get(16)?,
        session: read_session(&row.get::<Vec<u8>>(17)?, sealer, tenant)?,
        refresh: read_family(row)?,
        revoked_at: row.get(24)?,
        created_at: row.get(25)?,
        expires_at: row.get(26)?,
    })
}

fn write_session(tx: &WriteTx, sealer: &Sealer, grant: &Grant) -> Result<Vec<u8>, Error> {
    // Most grants have no custom claims, and their tokens are introspected without unsealing anything.
    if grant.session == GrantSession::default() {
        return Ok(Vec::new());
    }
    let text = serde_json::to_vec(&grant.session).map_err(|error| inconsistent(error.to_string()))?;
    Ok(sealer.seal(SESSION, tx.tenant(), &text))
}

fn read_session(bytes: &[u8], sealer: &Sealer, tenant: TenantId) -> Result<GrantSession, Error> {
    if bytes.is_empty() {
        return Ok(GrantSession::default());
    }
    let text = sealer
        .open(SESSION, tenant, bytes)
        .map_err(|_| inconsistent("the session was sealed with a secret that is not configured".to_owned()))?;
    serde_json::from_slice(&text).map_err(|error| inconsistent(error.to_string()))
}

fn read_code(row: &Row) -> Result<Option<IssuedCode>, Error> {
    let state = match row.get::<String>(8)?.as_str() {
        "none" => return Ok(None),
        "issued" => CodeState::Issued,
        "redeemed" => CodeState::Redeemed,
        "burnt" => CodeState::Invalidated,
        other => return Err(inconsistent(format!("code_state {other}"))),
    };
    let challenge = row.get::<Option<String>>(10)?.map(|text| CodeChallenge::from_text(&text)).transpose();
    Ok(Some(IssuedCode {
        digest: row.get(7)?,
        state,
        expires_at: row.get(9)?,
        challenge: challenge.map_err(|error| inconsistent(error.to_string()))?,
        redirect_uri: row.get(11)?,
    }))
}

fn read_family(row: &Row) -> Result<Option<RefreshFamily>, Error> {
    let generation = row.get::<i32>(18)?;
    if generation == 0 {
        return Ok(None);
    }
    Ok(Some(RefreshFamily {
        generation,
        digest: row.get(19)?,
        successor: row.get(20)?,
        rotated_at: row.get(21)?,
        grace_uses: row.get(22)?,
        expires_at: row.get(23)?,
    }))
}

fn write_list(list: &[String]) -> Result<String, Error> {
    serde_json::to_string(list).map_err(|error| inconsistent(error.to_string()))
}

fn read_list(text: &str) -> Result<Vec<String>, Error> {
    serde_json::from_str(text).map_err(|error| inconsistent(error.to_string()))
}

fn inconsistent(what: String) -> Error {
    Error::inconsistent("oauth_grants", what)
}
