//! Sessions and their devices. A session is found by the digest of its token; it is revoked by a conditional update.
//!
//! Every change of a session or of its identity touches the session, so that no cache returns stale data: see
//! [`database::ReadCache`].

use std::collections::HashMap;

use base::{Page, PageRequest, Timestamp, TokenDigest};
use database::{Error, Read, Row, WriteTx, values};
use uuid::Uuid;

use super::{identities, json, rows, word};
use crate::domain::{Aal, Device, DeviceId, Identity, IdentityId, Session, SessionId};

const TABLE: &str = "identity_sessions";
const DEVICES_TABLE: &str = "identity_session_devices";

macro_rules! columns {
    () => {
        "s.id, s.identity_id, s.token_digest, s.active, s.aal, s.authentication_methods, s.issued_at, s.authenticated_at, \
         s.expires_at, s.created_at, s.updated_at"
    };
}
/// The number of columns of a session.
const WIDTH: usize = 11;

/// A session with its identity, and its devices as a JSON array in no particular order.
macro_rules! find_whole {
    ($engine:ident, $array:literal, $id:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            ", ",
            identities::identity!($engine),
            ", \
             CAST((SELECT ",
            $array,
            "(",
            $id,
            ", x.ip_address, x.user_agent, x.location, x.created_at)) \
                 FROM identity_session_devices x WHERE x.tenant_id = $1 AND x.session_id = s.id) AS text) \
             FROM identity_sessions s \
             JOIN identity_identities i ON i.tenant_id = $1 AND i.id = s.identity_id \
             WHERE s.tenant_id = $1 AND s.token_digest = $2"
        )
    };
}

/// Revoked and expired sessions. Expired ones are found by their expiry and sorted: they are the sessions of one day at
/// most, because they are deleted then. SQLite has no statistics about the values, so its statement names the index.
macro_rules! list_over {
    ($by_expiry:literal) => {
        concat!(
            "SELECT ", columns!(), " FROM (\
                 SELECT * FROM (SELECT * FROM identity_sessions WHERE tenant_id = $1 AND active = FALSE \
                     AND (created_at, id) < ($3, $4) ORDER BY created_at DESC, id DESC LIMIT $2) ended \
                 UNION ALL \
                 SELECT * FROM (SELECT * FROM identity_sessions", $by_expiry, " WHERE tenant_id = $1 AND active = TRUE \
                     AND expires_at <= $5 AND (created_at, id) < ($3, $4) ORDER BY created_at DESC, id DESC LIMIT $2) expired\
             ) s ORDER BY s.created_at DESC, s.id DESC LIMIT $2"
        )
    };
}

database::statements! {
    FIND = concat!("SELECT ", columns!(), " FROM identity_sessions s WHERE s.tenant_id = $1 AND s.id = $2");
    /// With a lock until the transaction ends.
    LOCK = {
        sqlite: concat!("SELECT ", columns!(), " FROM identity_sessions s WHERE s.tenant_id = $1 AND s.id = $2"),
        postgres: concat!("SELECT ", columns!(), " FROM identity_sessions s WHERE s.tenant_id = $1 AND s.id = $2 FOR UPDATE"),
    };
    FIND_BY_TOKEN = concat!("SELECT ", columns!(), " FROM identity_sessions s WHERE s.tenant_id = $1 AND s.token_digest = $2");
    /// A session with its devices and its identity with its addresses, in one read.
    FIND_WHOLE_BY_TOKEN = {
        sqlite: find_whole!(sqlite, "json_group_array(json_array", "lower(hex(x.id))"),
        postgres: find_whole!(postgres, "json_agg(json_build_array", "CAST(x.id AS text)"),
    };
    DEVICES = "SELECT id, ip_address, user_agent, location, created_at, session_id FROM identity_session_devices \
               WHERE tenant_id = $1 AND session_id = ANY($2)";
    INSERT = "INSERT INTO identity_sessions (tenant_id, id, identity_id, token_digest, active, aal, authentication_methods, \
              issued_at, authenticated_at, expires_at, created_at, updated_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    INSERT_DEVICE = "INSERT INTO identity_session_devices (tenant_id, id, session_id, ip_address, user_agent, location, \
                     created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    /// Only if the proofs and the expiry are the ones that were read.
    UPDATE = "UPDATE identity_sessions SET aal = $3, authentication_methods = $4, authenticated_at = $5, expires_at = $6, \
              updated_at = $7, token_digest = $10 \
              WHERE tenant_id = $1 AND id = $2 AND active AND authentication_methods = $8 AND expires_at = $9";
    EXTEND_DEVICES = "UPDATE identity_session_devices SET expires_at = $3 WHERE tenant_id = $1 AND session_id = $2";
    REVOKE = "UPDATE identity_sessions SET active = FALSE, updated_at = $3 WHERE tenant_id = $1 AND id = $2 AND active \
              RETURNING id, identity_id";
    /// All sessions of an identity except one (which may not exist).
    REVOKE_OTHERS = "UPDATE identity_sessions SET active = FALSE, updated_at = $4 \
                     WHERE tenant_id = $1 AND identity_id = $2 AND id <> $3 AND active RETURNING id, identity_id";
    REVOKE_SOME = "UPDATE identity_sessions SET active = FALSE, updated_at = $3 WHERE tenant_id = $1 AND id IN \
                   (SELECT id FROM identity_sessions WHERE tenant_id = $1 AND active = TRUE ORDER BY created_at, id LIMIT $2) \
                   RETURNING id, identity_id";
    DELETE = "DELETE FROM identity_sessions WHERE tenant_id = $1 AND id = $2";
    DELETE_OF_IDENTITY = "DELETE FROM identity_sessions WHERE tenant_id = $1 AND identity_id = $2 RETURNING id";
    /// Only ended sessions: active ones must be revoked first, which notifies observers.
    DELETE_ENDED = "DELETE FROM identity_sessions WHERE tenant_id = $1 AND id IN \
                    (SELECT id FROM identity_sessions WHERE tenant_id = $1 AND active = FALSE ORDER BY created_at, id LIMIT $2) \
                    RETURNING id";
    DELETE_DEVICES = "DELETE FROM identity_session_devices WHERE tenant_id = $1 AND session_id = ANY($2)";
    OF_IDENTITY = concat!(
        "SELECT ", columns!(), " FROM identity_sessions s WHERE s.tenant_id = $1 AND s.identity_id = $2 \
         ORDER BY s.created_at DESC, s.id DESC LIMIT $3 OFFSET $4"
    );
    OF_IDENTITY_BY_STATE = concat!(
        "SELECT ", columns!(), " FROM identity_sessions s WHERE s.tenant_id = $1 AND s.identity_id = $2 \
         AND (s.active AND s.expires_at > $5) = $6 ORDER BY s.created_at DESC, s.id DESC LIMIT $3 OFFSET $4"
    );
    COUNT_OF_IDENTITY = "SELECT count(*) FROM identity_sessions WHERE tenant_id = $1 AND identity_id = $2";
    COUNT_OF_IDENTITY_BY_STATE = "SELECT count(*) FROM identity_sessions WHERE tenant_id = $1 AND identity_id = $2 \
                                  AND (active AND expires_at > $3) = $4";
    slow LIST = concat!(
        "SELECT ", columns!(), " FROM identity_sessions s WHERE s.tenant_id = $1 \
         AND (s.created_at, s.id) < ($3, $4) ORDER BY s.created_at DESC, s.id DESC LIMIT $2"
    );
    slow LIST_ALIVE = concat!(
        "SELECT ", columns!(), " FROM identity_sessions s WHERE s.tenant_id = $1 AND s.active = TRUE \
         AND (s.created_at, s.id) < ($3, $4) AND s.expires_at > $5 ORDER BY s.created_at DESC, s.id DESC LIMIT $2"
    );
    slow LIST_OVER = { sqlite: list_over!(" INDEXED BY identity_sessions_expiry"), postgres: list_over!("") };
}

/// The position where a page of all sessions continues.
pub type ListKey = (i64, Uuid);

/// Whether sessions are active or ended, at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liveness {
    pub alive: bool,
    pub at: Timestamp,
}

/// A session without its devices.
pub async fn find(tx: &mut impl Read, id: SessionId) -> Result<Option<Session>, Error> {
    tx.query_opt(&FIND, &values![id.as_uuid()]).await?.map(|row| read(&row)).transpose()
}

/// As [`find`], with a lock until the transaction ends.
pub async fn lock(tx: &mut WriteTx, id: SessionId) -> Result<Option<Session>, Error> {
    tx.query_opt(&LOCK, &values![id.as_uuid()]).await?.map(|row| read(&row)).transpose()
}

/// A session without its devices, active or not.
pub async fn find_by_token(tx: &mut impl Read, digest: &TokenDigest) -> Result<Option<Session>, Error> {
    tx.query_opt(&FIND_BY_TOKEN, &values![digest]).await?.map(|row| read(&row)).transpose()
}

/// A session with its devices, and its identity with its addresses, without credentials.
pub async fn find_whole_by_token(
    tx: &mut impl Read,
    digest: &TokenDigest,
) -> Result<Option<(Session, Identity)>, Error> {
    let Some(row) = tx.query_opt(&FIND_WHOLE_BY_TOKEN, &values![digest]).await? else { return Ok(None) };
    let (mut session, identity) = (read(&row)?, identities::read(&row, WIDTH)?);
    session.devices = oldest_first(rows(DEVICES_TABLE, &row, WIDTH + identities::WIDTH)?);
    Ok(Some((session, identity)))
}

/// Id, IP address, user agent, location and creation time of a device.
type StoredDevice = (DeviceId, Option<String>, Option<String>, Option<String>, i64);

fn oldest_first(mut devices: Vec<StoredDevice>) -> Vec<Device> {
    devices.sort_by_key(|(id, .., created_at)| (*created_at, id.as_uuid()));
    let device = |(id, ip_address, user_agent, location, _)| Device { id, ip_address, user_agent, location };
    devices.into_iter().map(device).collect()
}

/// Reads the devices of sessions, by one statement.
pub async fn read_devices(tx: &mut impl Read, sessions: &mut [Session]) -> Result<(), Error> {
    if sessions.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = sessions.iter().map(|session| session.id.as_uuid()).collect();
    let mut found: HashMap<Uuid, Vec<StoredDevice>> = HashMap::new();
    for row in tx.query(&DEVICES, &values![&ids]).await? {
        let device = (DeviceId::from_uuid(row.get(0)?), row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        found.entry(row.get(5)?).or_default().push(device);
    }
    for session in sessions {
        session.devices = oldest_first(found.remove(&session.id.as_uuid()).unwrap_or_default());
    }
    Ok(())
}

pub async fn insert(tx: &mut WriteTx, session: &Session) -> Result<(), Error> {
    let values = values![
        session.id.as_uuid(),
        session.identity_id.as_uuid(),
        session.token_digest,
        session.active,
        session.aal.as_str(),
        methods(session)?,
        session.issued_at,
        session.authenticated_at,
        session.expires_at,
        session.created_at,
        session.updated_at,
    ];
    tx.execute(&INSERT, &values).await?;
    for device in &session.devices {
        // A new session cannot be cached yet.
        write_device(tx, session, device).await?;
    }
    Ok(())
}

pub async fn insert_device(tx: &mut WriteTx, session: &Session, device: &Device) -> Result<(), Error> {
    tx.touch(session.id.as_uuid().as_bytes());
    write_device(tx, session, device).await
}

async fn write_device(tx: &mut WriteTx, session: &Session, device: &Device) -> Result<(), Error> {
    let values = values![
        device.id.as_uuid(),
        session.id.as_uuid(),
        device.ip_address.as_deref(),
        device.user_agent.as_deref(),
        device.location.as_deref(),
        session.updated_at,
        session.expires_at,
    ];
    tx.execute(&INSERT_DEVICE, &values).await.map(|_| ())
}

/// Writes the changes of another proof or an extension; `false` when the session changed since it was read.
pub async fn update(tx: &mut WriteTx, before: &Session, session: &Session) -> Result<bool, Error> {
    let id = session.id.as_uuid();
    tx.touch(id.as_bytes());
    let values = values![
        id,
        session.aal.as_str(),
        methods(session)?,
        session.authenticated_at,
        session.expires_at,
        session.updated_at,
        methods(before)?,
        before.expires_at,
        session.token_digest,
    ];
    if tx.execute(&UPDATE, &values).await? != 1 {
        return Ok(false);
    }
    tx.execute(&EXTEND_DEVICES, &values![id, session.expires_at]).await?;
    Ok(true)
}

/// A session that was just ended, and its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    pub session: SessionId,
    pub identity: IdentityId,
}

/// Ends one session; `None` when it ended before or does not exist.
pub async fn revoke(tx: &mut WriteTx, id: SessionId, now: Timestamp) -> Result<Option<Ended>, Error> {
    let revoked = tx.query(&REVOKE, &values![id.as_uuid(), now]).await?;
    Ok(ended(tx, &revoked)?.pop())
}

/// Ends the sessions of an identity, except `kept`, and returns them.
pub async fn revoke_of_identity(
    tx: &mut WriteTx,
    identity: IdentityId,
    kept: Option<SessionId>,
    now: Timestamp,
) -> Result<Vec<Ended>, Error> {
    let kept = kept.map_or(Uuid::nil(), SessionId::as_uuid);
    let revoked = tx.query(&REVOKE_OTHERS, &values![identity.as_uuid(), kept, now]).await?;
    ended(tx, &revoked)
}

/// Ends up to `limit` sessions of any identity and returns them.
pub async fn revoke_some(tx: &mut WriteTx, limit: i64, now: Timestamp) -> Result<Vec<Ended>, Error> {
    let revoked = tx.query(&REVOKE_SOME, &values![limit, now]).await?;
    ended(tx, &revoked)
}

pub async fn delete(tx: &mut WriteTx, id: SessionId) -> Result<bool, Error> {
    tx.touch(id.as_uuid().as_bytes());
    delete_devices(tx, &[id]).await?;
    Ok(tx.execute(&DELETE, &values![id.as_uuid()]).await? == 1)
}

/// Deletes all sessions of an identity and returns their ids.
pub async fn delete_of_identity(tx: &mut WriteTx, identity: IdentityId) -> Result<Vec<SessionId>, Error> {
    let deleted = tx.query(&DELETE_OF_IDENTITY, &values![identity.as_uuid()]).await?;
    let deleted = touched(tx, ids(&deleted)?);
    delete_devices(tx, &deleted).await?;
    Ok(deleted)
}

/// Deletes up to `limit` ended sessions of any identity and returns their ids.
pub async fn delete_ended(tx: &mut WriteTx, limit: i64) -> Result<Vec<SessionId>, Error> {
    let deleted = ids(&tx.query(&DELETE_ENDED, &values![limit]).await?)?;
    delete_devices(tx, &deleted).await?;
    Ok(deleted)
}

async fn delete_devices(tx: &mut WriteTx, sessions: &[SessionId]) -> Result<(), Error> {
    if sessions.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = sessions.iter().map(|id| id.as_uuid()).collect();
    tx.execute(&DELETE_DEVICES, &values![&ids]).await.map(drop)
}

/// The sessions of an identity, newest first, without devices.
pub async fn list_of_identity(
    tx: &mut impl Read,
    identity: IdentityId,
    liveness: Option<Liveness>,
    limit: i64,
    offset: i64,
) -> Result<Vec<Session>, Error> {
    let id = identity.as_uuid();
    let rows = match liveness {
        None => tx.query(&OF_IDENTITY, &values![id, limit, offset]).await?,
        Some(Liveness { alive, at }) => tx.query(&OF_IDENTITY_BY_STATE, &values![id, limit, offset, at, alive]).await?,
    };
    rows.iter().map(read).collect()
}

pub async fn count_of_identity(
    tx: &mut impl Read,
    identity: IdentityId,
    liveness: Option<Liveness>,
) -> Result<i64, Error> {
    let id = identity.as_uuid();
    match liveness {
        None => tx.query_one(&COUNT_OF_IDENTITY, &values![id]).await?.get(0),
        Some(Liveness { alive, at }) => {
            tx.query_one(&COUNT_OF_IDENTITY_BY_STATE, &values![id, at, alive]).await?.get(0)
        }
    }
}

/// All sessions, newest first, without devices.
pub async fn list(
    tx: &mut impl Read,
    liveness: Option<Liveness>,
    page: &PageRequest<ListKey>,
) -> Result<Page<Session, ListKey>, Error> {
    let (created_at, id) = page.after.unwrap_or((i64::MAX, Uuid::max()));
    let limit = i64::from(page.size) + 1;
    let rows = match liveness {
        None => tx.query(&LIST, &values![limit, created_at, id]).await?,
        Some(Liveness { alive: true, at }) => tx.query(&LIST_ALIVE, &values![limit, created_at, id, at]).await?,
        Some(Liveness { alive: false, at }) => tx.query(&LIST_OVER, &values![limit, created_at, id, at]).await?,
    };
    let sessions = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::from_rows(sessions, page.size, |last| (last.created_at.unix_micros(), last.id.as_uuid())))
}

/// Reads the sessions that a statement ended, and touches them.
fn ended(tx: &mut WriteTx, rows: &[Row]) -> Result<Vec<Ended>, Error> {
    let read = |row: &Row| {
        Ok(Ended { session: SessionId::from_uuid(row.get(0)?), identity: IdentityId::from_uuid(row.get(1)?) })
    };
    let ended = rows.iter().map(read).collect::<Result<Vec<_>, Error>>()?;
    touched(tx, ended.iter().map(|it| it.session).collect());
    Ok(ended)
}

fn touched(tx: &mut WriteTx, sessions: Vec<SessionId>) -> Vec<SessionId> {
    for id in &sessions {
        tx.touch(id.as_uuid().as_bytes());
    }
    sessions
}

fn ids(rows: &[Row]) -> Result<Vec<SessionId>, Error> {
    rows.iter().map(|row| row.get(0).map(SessionId::from_uuid)).collect()
}

fn methods(session: &Session) -> Result<String, Error> {
    serde_json::to_string(&session.authentication_methods)
        .map_err(|error| Error::inconsistent(TABLE, error.to_string()))
}

fn read(row: &Row) -> Result<Session, Error> {
    let methods = json(TABLE, &row.get::<String>(5)?)?;
    Ok(Session {
        id: SessionId::from_uuid(row.get(0)?),
        identity_id: IdentityId::from_uuid(row.get(1)?),
        token_digest: row.get(2)?,
        active: row.get(3)?,
        aal: word(TABLE, &row.get::<String>(4)?, Aal::parse)?,
        authentication_methods: serde_json::from_value(methods)
            .map_err(|error| Error::inconsistent(TABLE, error.to_string()))?,
        issued_at: row.get(6)?,
        authenticated_at: row.get(7)?,
        expires_at: row.get(8)?,
        created_at: row.get(9)?,
        updated_at: row.get(10)?,
        devices: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base::{Rng, TenantId};

    use super::*;
    use crate::domain::{AuthenticationMethod, CredentialType};

    #[tokio::test]
    async fn a_stale_write_of_a_session_does_not_undo_a_proof() {
        database::testing::on_both_engines(&[crate::MIGRATIONS], |database| async move {
            let (rng, now, lifespan) = (Rng::seeded(5), Timestamp::from_unix_seconds(1), Duration::from_mins(10));
            let method = |kind| AuthenticationMethod::new(kind, Aal::Aal1, now);
            let device = Device::new(&rng, None, None, None);
            let owner = IdentityId::generate(&rng);
            let (issued, _) = Session::issue(&rng, owner, method(CredentialType::Password), device, lifespan, now);
            let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
            insert(&mut tx, &issued).await.unwrap();

            let before = lock(&mut tx, issued.id).await.unwrap().unwrap();
            let (mut first, mut extended) = (before.clone(), before.clone());
            first.authenticate(method(CredentialType::Code), lifespan, now);
            extended.expires_at = now.plus(2 * lifespan);
            assert!(update(&mut tx, &before, &first).await.unwrap());
            assert!(!update(&mut tx, &before, &extended).await.unwrap(), "another proof came first");
            let ended = Ended { session: issued.id, identity: issued.identity_id };
            assert_eq!(revoke(&mut tx, issued.id, now).await.unwrap(), Some(ended));
            assert!(!update(&mut tx, &first, &extended).await.unwrap(), "an ended session stays ended");
            assert_eq!(revoke(&mut tx, issued.id, now).await.unwrap(), None);
            let stored = find(&mut tx, issued.id).await.unwrap().unwrap();
            assert_eq!(
                (stored.authentication_methods.len(), stored.expires_at, stored.active),
                (2, first.expires_at, false)
            );
        })
        .await;
    }
}
