//! Sessions: lookup by the credentials of a request, changes, and revocation here and in dependent services.
//!
//! Invariants:
//! - An expired session, or one of a disabled identity, counts as no session.
//! - Every revocation appends its event and calls the observer in the same transaction.

mod checked;

use std::sync::{Arc, OnceLock};

use base::seal::Purpose;
use base::{Context, PlainToken, Rng, Sealer, Timestamp};
use bytes::Bytes;
use contracts::{Link, SessionCredentials, SubjectObserver, SubjectObserverError};
use database::{Cacheable, Database, ReadCache, ReadStart, WriteTx};
use serde::{Deserialize, Serialize};

use crate::domain::client_kind::FlowType;
use crate::domain::event::Event;
use crate::domain::session::RequiredAal;
use crate::domain::views::SessionView;
use crate::domain::{self, IdentityId, Session, SessionId};
use crate::storage;
use crate::storage::TenantSealer;
use crate::storage::sessions::Ended;

use super::policy::SessionPolicy;
use super::urls::Urls;

pub(crate) use checked::CheckedSession;
use checked::{Key, MAX_BYTES, SESSION_BYTES, memory_of};

/// A signed-in user.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    pub session: Session,
    /// With the credentials.
    pub identity: domain::Identity,
    pub token: PlainToken,
}

impl Current {
    /// Whether the session has the level that `required` demands of this user.
    pub(crate) fn meets(&self, required: RequiredAal) -> bool {
        required.is_met(self.session.aal, self.identity.available_aal)
    }
}

/// The content of the session cookie.
#[derive(Serialize, Deserialize)]
struct SealedCookie {
    session_token: String,
    expires_at: Timestamp,
}

const COOKIE: Purpose = Purpose("identity session cookie");

pub(crate) struct CarriedToken {
    pub(crate) token: PlainToken,
    /// The expiry in the cookie; `None` when the token did not come from a cookie.
    pub(crate) cookie_expires_at: Option<Timestamp>,
}

/// The sessions of all users.
pub(crate) struct Sessions {
    database: Database,
    rng: Rng,
    sealer: Sealer,
    checked: ReadCache<Key, CheckedSession>,
    observer: Link<dyn SubjectObserver>,
    policy: Arc<SessionPolicy>,
    urls: Arc<Urls>,
}

impl Sessions {
    pub(crate) fn new(
        database: Database,
        rng: Rng,
        sealer: Sealer,
        observer: Link<dyn SubjectObserver>,
        policy: Arc<SessionPolicy>,
        urls: Arc<Urls>,
    ) -> Self {
        let checked = ReadCache::new(database.clone(), MAX_BYTES, SESSION_BYTES);
        Self { database, rng, sealer, checked, observer, policy, urls }
    }

    /// The session of these credentials, if it and its identity are active.
    pub(crate) async fn current(
        &self,
        cx: &Context,
        credentials: &SessionCredentials,
    ) -> Result<Option<Current>, database::Error> {
        match self.carried_token(cx, credentials) {
            Some(carried) => self.of_token(cx, carried.token).await,
            None => Ok(None),
        }
    }

    /// The token in the order of precedence: its own header, then the cookie, then, without a readable cookie, `Bearer`.
    pub(crate) fn carried_token(&self, cx: &Context, credentials: &SessionCredentials) -> Option<CarriedToken> {
        if let Some(token) = &credentials.session_token {
            return Some(CarriedToken { token: token.clone(), cookie_expires_at: None });
        }
        let cookies = web::cookies::parse(credentials.cookie.as_deref().unwrap_or_default());
        let name = self.policy.cookie_name();
        for (_, value) in cookies.filter(|(key, _)| *key == name) {
            if let Some(sealed) = self.open_cookie(cx, value) {
                let token = PlainToken::received(sealed.session_token);
                return Some(CarriedToken { token, cookie_expires_at: Some(sealed.expires_at) });
            }
        }
        let token = credentials.bearer.clone()?;
        Some(CarriedToken { token, cookie_expires_at: None })
    }

    async fn of_token(&self, cx: &Context, token: PlainToken) -> Result<Option<Current>, database::Error> {
        let mut tx = self.database.read(cx.tenant);
        let sealer = TenantSealer::new(&self.sealer, cx.tenant);
        let found = storage::sessions::find_signed_in(&mut tx, sealer, &token.digest()).await?;
        let active = found.filter(|(session, identity)| session.is_alive(cx.now) && identity.is_active());
        Ok(active.map(|(session, identity)| Current { session, identity, token }))
    }

    /// The value of the session cookie.
    pub(crate) fn seal_cookie(&self, cx: &Context, token: &PlainToken, expires_at: Timestamp) -> String {
        let plain = SealedCookie { session_token: token.expose().to_owned(), expires_at };
        let plain = serde_json::to_vec(&plain).unwrap_or_default();
        self.sealer.seal_text(COOKIE, cx.tenant, &plain)
    }

    fn open_cookie(&self, cx: &Context, value: &str) -> Option<SealedCookie> {
        let plain = self.sealer.open_text(COOKIE, cx.tenant, value).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    /// The session of a token, if it and its identity are active.
    pub(crate) async fn check(
        &self,
        cx: &Context,
        token: &PlainToken,
    ) -> Result<Option<Arc<CheckedSession>>, database::Error> {
        let key = *token.digest().as_bytes();
        let checked = match self.checked.get(cx.tenant, key) {
            Some(checked) => Some(checked),
            None => self.read(cx, token).await?,
        };
        Ok(checked.filter(|checked| checked.session.is_alive(cx.now)))
    }

    async fn read(&self, cx: &Context, token: &PlainToken) -> Result<Option<Arc<CheckedSession>>, database::Error> {
        let start = self.start_reading();
        let mut tx = self.database.read(cx.tenant);
        let found = storage::sessions::find_whole_by_token(&mut tx, &token.digest()).await?;
        let active = found.filter(|(session, identity)| session.is_alive(cx.now) && identity.is_active());
        active.map(|(session, identity)| self.keep(cx, start, session, &identity)).transpose()
    }

    /// Must be called before the reads of what is passed to [`Self::keep`].
    pub(crate) fn start_reading(&self) -> ReadStart {
        self.checked.start_reading()
    }

    /// Caches an active session and its identity as they are stored, if nothing has changed them since `start`.
    pub(crate) fn keep(
        &self,
        cx: &Context,
        start: ReadStart,
        session: Session,
        identity: &domain::Identity,
    ) -> Result<Arc<CheckedSession>, database::Error> {
        let shown = SessionView::new(&session, Some(identity), self.urls.public(), cx.now);
        let text = serde_json::to_vec(&shown).map(Bytes::from);
        let text = text.map_err(|error| database::Error::inconsistent("identity_sessions", error.to_string()))?;
        let (session_id, identity_id) = (session.id.as_uuid(), session.identity_id.as_uuid());
        let (key, bytes) = (*session.token_digest.as_bytes(), memory_of(&text));
        let checked = CheckedSession {
            session,
            available_aal: identity.available_aal,
            account_name: identity.account_name().map(str::to_owned),
            text,
            body: OnceLock::new(),
        };
        let subjects: &[&[u8]] = &[session_id.as_bytes(), identity_id.as_bytes()];
        Ok(self.checked.put(start, cx.tenant, key, Cacheable { value: checked, subjects, bytes }))
    }

    /// Changes an active session. The change applies to its current state, because another proof may have been recorded
    /// in the meantime. `None` when it has ended.
    pub(crate) async fn change(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        id: SessionId,
        change: impl FnOnce(&mut Session),
    ) -> Result<Option<Session>, database::Error> {
        let before = storage::sessions::lock(tx, id).await?.filter(|session| session.is_alive(cx.now));
        let Some(before) = before else { return Ok(None) };
        let mut session = before.clone();
        change(&mut session);
        let is_written = storage::sessions::update(tx, &before, &session).await?;
        Ok(is_written.then_some(session))
    }

    /// Records a proof in an active session, as [`Self::change`] does. When the proof raises the level of a browser's session, the
    /// session gets a new token: another site may have planted the cookie of a session that somebody else holds, and theirs must
    /// not become stronger.
    pub(crate) async fn prove(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        id: SessionId,
        flow_type: FlowType,
        add: impl FnOnce(&mut Session),
    ) -> Result<Option<(Session, Option<PlainToken>)>, database::Error> {
        let mut renewed = None;
        let add = |session: &mut Session| {
            let level = session.aal;
            add(session);
            if flow_type == FlowType::Browser && session.aal > level {
                renewed = Some(session.renew_token(&self.rng));
            }
        };
        let session = self.change(tx, cx, id, add).await?;
        Ok(session.map(|session| (session, renewed)))
    }

    /// Ends a session and, in the same transaction, everything elsewhere that depends on it.
    pub(crate) async fn end(&self, tx: &mut WriteTx, cx: &Context, session: &Session) -> Result<(), database::Error> {
        let ended = storage::sessions::revoke(tx, session.id, cx.now).await?;
        self.have_ended(tx, cx, ended.as_slice()).await
    }

    /// Ends the sessions of a user, except `kept`; returns their number.
    pub(crate) async fn end_all(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        identity: IdentityId,
        kept: Option<SessionId>,
    ) -> Result<usize, database::Error> {
        let ended = storage::sessions::revoke_of_identity(tx, identity, kept, cx.now).await?;
        self.have_ended(tx, cx, &ended).await?;
        Ok(ended.len())
    }

    /// Notifies the observer of the ended sessions and appends their events.
    pub(crate) async fn have_ended(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        ended: &[Ended],
    ) -> Result<(), database::Error> {
        if let Some(observer) = self.observer.get().filter(|_| !ended.is_empty()) {
            let sessions: Vec<_> = ended.iter().map(|ended| ended.session.as_uuid()).collect();
            observer.sessions_ended(cx, tx, &sessions).await.map_err(database_error)?;
        }
        append_sessions_revoked(tx, cx, ended).await
    }

    /// Ends the sessions of a disabled or deleted user in this transaction, and their grants and tokens in the OAuth2
    /// service.
    pub(crate) async fn person_has_ended(
        &self,
        tx: &mut WriteTx,
        cx: &Context,
        id: IdentityId,
    ) -> Result<(), database::Error> {
        let ended = storage::sessions::revoke_of_identity(tx, id, None, cx.now).await?;
        self.have_ended(tx, cx, &ended).await?;
        if let Some(observer) = self.observer.get() {
            observer.subject_ended(cx, tx, &id.to_string()).await.map_err(database_error)?;
        }
        Ok(())
    }
}

/// Appends the events of sessions that ended. All revocations use this form.
pub(crate) async fn append_sessions_revoked(
    tx: &mut WriteTx,
    cx: &Context,
    ended: &[Ended],
) -> Result<(), database::Error> {
    let event = |it: &Ended| Event::SessionRevoked { identity: it.identity, session: it.session };
    jobs::append(tx, cx, &ended.iter().map(event).collect::<Vec<_>>()).await
}

fn database_error(SubjectObserverError(error): SubjectObserverError) -> database::Error {
    error
}
