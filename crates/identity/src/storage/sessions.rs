//! Sessions with their devices. A session is found by the digest of its token; it is revoked by a conditional update.
//!
//! Every change of a session or of its identity touches the session, so that no cache returns stale data: see
//! [`database::ReadCache`].

use base::{Page, PageRequest, Timestamp, TokenDigest};
use database::{Error, Read, Row, Value, WriteTx, values};
use serde::Serialize;
use uuid::Uuid;

use super::{TenantSealer, identities, json, rows, word};
use crate::domain::{Aal, Identity, IdentityId, Session, SessionId};

const TABLE: &str = "identity_sessions";

macro_rules! columns {
    () => {
        "s.id, s.identity_id, s.token_digest, s.active, s.aal, s.authentication_methods, s.issued_at, s.authenticated_at, \
         s.expires_at, s.created_at, s.updated_at, s.devices"
    };
}
/// The number of columns of a session.
const WIDTH: usize = 12;

/// A session with its identity: `identity` or `whole`.
macro_rules! find_whole {
    ($part:ident, $engine:ident) => {
        concat!(
            "SELECT ",
            columns!(),
            ", ",
            identities::$part!($engine),
            " FROM identity_sessions s \
             JOIN identity_identities i ON i.tenant_id = $1 AND i.id = s.identity_id \
             WHERE s.tenant_id = $1 AND s.token_digest = $2"
        )
    };
}

macro_rules! insert_of_unchanged {
    ($lock:literal) => {
        concat!(
            "INSERT INTO identity_sessions (tenant_id, id, identity_id, token_digest, active, aal, authentication_methods, \
             issued_at, authenticated_at, expires_at, created_at, updated_at, devices) \
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 FROM (SELECT i.id FROM identity_identities i \
                 WHERE i.tenant_id = $1 AND i.id = $3 AND i.version = $14 AND i.state = 'active'",
            $lock,
            ") unchanged"
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
    /// A session and its identity with its addresses, in one read.
    FIND_WHOLE_BY_TOKEN = { sqlite: find_whole!(identity, sqlite), postgres: find_whole!(identity, postgres) };
    /// As `FIND_WHOLE_BY_TOKEN`, with the credentials of the identity.
    FIND_SIGNED_IN = { sqlite: find_whole!(whole, sqlite), postgres: find_whole!(whole, postgres) };
    INSERT = "INSERT INTO identity_sessions (tenant_id, id, identity_id, token_digest, active, aal, authentication_methods, \
              issued_at, authenticated_at, expires_at, created_at, updated_at, devices) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    /// Only if the identity is active and its version is the one that was read. It is locked until the transaction ends.
    INSERT_OF_UNCHANGED = { sqlite: insert_of_unchanged!(""), postgres: insert_of_unchanged!(" FOR SHARE") };
    /// Only if the proofs and the expiry are the ones that were read.
    UPDATE = "UPDATE identity_sessions SET aal = $3, authentication_methods = $4, authenticated_at = $5, expires_at = $6, \
              updated_at = $7, token_digest = $10 \
              WHERE tenant_id = $1 AND id = $2 AND active AND authentication_methods = $8 AND expires_at = $9";
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

pub async fn find(tx: &mut impl Read, id: SessionId) -> Result<Option<Session>, Error> {
    tx.query_opt(&FIND, &values![id.as_uuid()]).await?.map(|row| read(&row)).transpose()
}

/// As [`find`], with a lock until the transaction ends.
pub async fn lock(tx: &mut WriteTx, id: SessionId) -> Result<Option<Session>, Error> {
    tx.query_opt(&LOCK, &values![id.as_uuid()]).await?.map(|row| read(&row)).transpose()
}

/// A session, active or not, and its identity with its addresses, without credentials.
pub async fn find_whole_by_token(
    tx: &mut impl Read,
    digest: &TokenDigest,
) -> Result<Option<(Session, Identity)>, Error> {
    let Some(row) = tx.query_opt(&FIND_WHOLE_BY_TOKEN, &values![digest]).await? else { return Ok(None) };
    Ok(Some((read(&row)?, identities::read(&row, WIDTH)?)))
}

/// As [`find_whole_by_token`], with the credentials of the identity.
pub async fn find_signed_in(
    tx: &mut impl Read,
    sealer: TenantSealer<'_>,
    digest: &TokenDigest,
) -> Result<Option<(Session, Identity)>, Error> {
    let Some(row) = tx.query_opt(&FIND_SIGNED_IN, &values![digest]).await? else { return Ok(None) };
    Ok(Some((read(&row)?, identities::read_whole(&row, WIDTH, sealer)?)))
}

pub async fn insert(tx: &mut WriteTx, session: &Session) -> Result<(), Error> {
    let [methods, devices] = lists(session)?;
    tx.execute(&INSERT, &columns(session, &methods, &devices)).await.map(|_| ())
}

/// As [`insert`], if the identity is unchanged since it was read, and active; `false` if it is not. Locks it until the transaction
/// ends.
pub async fn insert_of_unchanged(tx: &mut WriteTx, session: &Session, read: &Identity) -> Result<bool, Error> {
    let [methods, devices] = lists(session)?;
    let mut values = columns(session, &methods, &devices).to_vec();
    values.push(read.version.into());
    Ok(tx.execute(&INSERT_OF_UNCHANGED, &values).await? == 1)
}

/// The columns that contain JSON.
fn lists(session: &Session) -> Result<[String; 2], Error> {
    Ok([text(&session.authentication_methods)?, text(&session.devices)?])
}

/// The values of a new row.
fn columns<'a>(session: &'a Session, methods: &'a str, devices: &'a str) -> [Value<'a>; 12] {
    values![
        session.id.as_uuid(),
        session.identity_id.as_uuid(),
        session.token_digest,
        session.active,
        session.aal.as_str(),
        methods,
        session.issued_at,
        session.authenticated_at,
        session.expires_at,
        session.created_at,
        session.updated_at,
        devices,
    ]
}

/// Writes the changes of another proof or an extension; `false` when the session changed since it was read.
pub async fn update(tx: &mut WriteTx, before: &Session, session: &Session) -> Result<bool, Error> {
    let id = session.id.as_uuid();
    tx.touch(id.as_bytes());
    let values = values![
        id,
        session.aal.as_str(),
        text(&session.authentication_methods)?,
        session.authenticated_at,
        session.expires_at,
        session.updated_at,
        text(&before.authentication_methods)?,
        before.expires_at,
        session.token_digest,
    ];
    Ok(tx.execute(&UPDATE, &values).await? == 1)
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
    Ok(tx.execute(&DELETE, &values![id.as_uuid()]).await? == 1)
}

/// Deletes all sessions of an identity and returns their ids.
pub async fn delete_of_identity(tx: &mut WriteTx, identity: IdentityId) -> Result<Vec<SessionId>, Error> {
    let deleted = tx.query(&DELETE_OF_IDENTITY, &values![identity.as_uuid()]).await?;
    Ok(touched(tx, ids(&deleted)?))
}

/// Deletes up to `limit` ended sessions of any identity and returns their ids.
pub async fn delete_ended(tx: &mut WriteTx, limit: i64) -> Result<Vec<SessionId>, Error> {
    ids(&tx.query(&DELETE_ENDED, &values![limit]).await?)
}

/// The sessions of an identity, newest first.
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

/// All sessions, newest first.
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

fn text(list: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(list).map_err(|error| Error::inconsistent(TABLE, error.to_string()))
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
        devices: rows(TABLE, row, 11)?,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base::{PlainToken, Rng, Sealer, Secret, TenantId};

    use super::*;
    use crate::domain::{AuthenticationMethod, CredentialType, Device, State};

    database::statements! {
        INSERT_BEFORE = "INSERT INTO identity_sessions (tenant_id, id, identity_id, token_digest, active, aal, \
                         authentication_methods, issued_at, authenticated_at, expires_at, created_at, updated_at) \
                         VALUES ($1, $2, $2, $3, TRUE, 'aal1', '[]', 1, 1, 1, 1, 1)";
        INSERT_DEVICE_BEFORE = "INSERT INTO identity_session_devices (tenant_id, id, session_id, ip_address, user_agent, \
                                created_at, expires_at) VALUES ($1, $2, $3, '192.0.2.1', 'a \"browser\"', 1, 1)";
        COUNT_DEVICES_BEFORE = "SELECT count(*) FROM identity_session_devices WHERE tenant_id = $1";
    }

    #[tokio::test]
    async fn a_session_of_an_earlier_version_keeps_its_device() {
        const BEFORE: database::MigrationSet = database::MigrationSet {
            service: crate::MIGRATIONS.service,
            migrations: crate::MIGRATIONS.migrations.split_at(9).0,
        };
        database::testing::on_both_engines(&[BEFORE], |database| async move {
            let rng = Rng::seeded(6);
            let (with, without) = (SessionId::generate(&rng), SessionId::generate(&rng));
            let device = Device::new(&rng, Some("192.0.2.1".to_owned()), Some("a \"browser\""), None);
            let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
            for id in [with, without] {
                let digest = PlainToken::received(id.to_string()).digest();
                tx.execute(&INSERT_BEFORE, &values![id.as_uuid(), digest]).await.unwrap();
            }
            tx.execute(&INSERT_DEVICE_BEFORE, &values![device.id.as_uuid(), with.as_uuid()]).await.unwrap();
            tx.commit().await.unwrap();
            database.migrate(&[crate::MIGRATIONS], Timestamp::EPOCH).await.unwrap();

            let mut tx = database.read(TenantId::DEFAULT);
            assert_eq!(find(&mut tx, with).await.unwrap().unwrap().devices, [device]);
            assert_eq!(find(&mut tx, without).await.unwrap().unwrap().devices, []);
            let left: i64 = tx.query_one(&COUNT_DEVICES_BEFORE, &[]).await.unwrap().get(0).unwrap();
            assert_eq!(left, 0, "an address is not kept longer than its session");
        })
        .await;
    }

    #[tokio::test]
    async fn a_session_is_not_issued_to_an_identity_that_changed() {
        database::testing::on_both_engines(&[jobs::MIGRATIONS, crate::MIGRATIONS], |database| async move {
            let (rng, now) = (Rng::seeded(8), Timestamp::from_unix_seconds(1));
            let sealer = Sealer::new(&[Secret::new("a secret of the tests".to_owned())], rng.clone()).unwrap();
            let sealer = TenantSealer::new(&sealer, TenantId::DEFAULT);
            let read = Identity::new(IdentityId::generate(&rng), "default", serde_json::json!({}), now);
            let session = || {
                let (method, device) =
                    (AuthenticationMethod::new(CredentialType::Password, Aal::Aal1, now), Device::unknown(&rng));
                Session::issue(&rng, read.id, method, device, Duration::from_mins(10), now).0
            };
            let mut tx = database.write(TenantId::DEFAULT).await.unwrap();
            identities::insert(&mut tx, sealer, &read).await.unwrap();
            let issued = session();
            assert!(insert_of_unchanged(&mut tx, &issued, &read).await.unwrap());
            assert_eq!(find(&mut tx, issued.id).await.unwrap(), Some(issued));

            let disabled = Identity { state: State::Inactive, ..read.clone() };
            identities::update(&mut tx, sealer, &read, &disabled).await.unwrap();
            let stored = identities::find(&mut tx, read.id).await.unwrap().unwrap();
            let unknown = Identity { id: IdentityId::generate(&rng), ..read.clone() };
            for (seen, why) in
                [(&read, "it has another version"), (&stored, "it is disabled"), (&unknown, "it does not exist")]
            {
                let refused = Session { identity_id: seen.id, ..session() };
                assert!(!insert_of_unchanged(&mut tx, &refused, seen).await.unwrap(), "{why}");
                assert_eq!(find(&mut tx, refused.id).await.unwrap(), None, "{why}");
            }
            tx.commit().await.unwrap();
        })
        .await;
    }

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
