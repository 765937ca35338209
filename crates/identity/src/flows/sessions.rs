//! A user's own sessions: the current one, the others, and their revocation.

use std::sync::Arc;

use base::seal::Purpose;
use base::{Context, PlainToken};
use contracts::{ActiveSession, SessionCheck, SessionCredentials, SessionEnd, Sessions, Unavailable};
use database::WriteTx;
use serde_json::Value;
use uuid::Uuid;

use crate::Identity;
use crate::components;
use crate::components::sessions::CheckedSession;
use crate::domain::flow::endpoint;
use crate::domain::{Session, SessionId};
use crate::storage;
use crate::storage::sessions::Liveness;

use super::answer::CookieChange;
use super::errors::{ForgedRequest, RefreshRequired, SecondFactorRequired};
use super::events::acting_as;
use super::visitor::Visitor;
use crate::components::sessions::Current;

/// Why a request about the user's own sessions and connected applications failed.
#[derive(Debug, thiserror::Error)]
pub enum OwnSessionsError {
    #[error("there is no active session")]
    NoSession,
    #[error(transparent)]
    SecondFactor(#[from] SecondFactorRequired),
    #[error(transparent)]
    Refresh(#[from] RefreshRequired),
    #[error(transparent)]
    Forged(#[from] ForgedRequest),
    #[error("a page parameter is malformed: {0}")]
    Page(&'static str),
    #[error("the request body cannot be read: {0}")]
    Malformed(String),
    #[error("the current session cannot be revoked here")]
    CurrentSession,
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// The response of `whoami`.
pub struct Whoami {
    pub(crate) checked: Arc<CheckedSession>,
    /// Set if the request's cookie expires before the session: it is refreshed.
    pub cookie: Option<CookieChange>,
    /// The number of seconds that the response may be cached, if caching is allowed.
    pub cache_for: Option<u64>,
}

/// One page of a user's other sessions.
pub struct OtherSessions {
    pub sessions: Vec<Session>,
    pub total: i64,
    pub page: i64,
    pub size: i64,
}

/// The purpose of the sealed cursor of such a page.
const PAGE: Purpose = Purpose("identity my sessions page");

impl Identity {
    /// `GET /sessions/whoami`.
    pub async fn whoami(&self, cx: &Context, visitor: &Visitor) -> Result<Whoami, OwnSessionsError> {
        let carried = self.sessions.carried_token(cx, &visitor.credentials()).ok_or(OwnSessionsError::NoSession)?;
        let checked = self.sessions.check(cx, &carried.token).await?.ok_or(OwnSessionsError::NoSession)?;
        if !checked.meets(self.session_policy.whoami_required_aal()) {
            let redirect_browser_to = self.urls.second_factor(visitor.query("return_to"));
            return Err(SecondFactorRequired { redirect_browser_to }.into());
        }
        let session = &checked.session;
        let is_stale = carried.cookie_expires_at.is_some_and(|at| at < session.expires_at);
        let cookie = is_stale.then(|| CookieChange::Session { token: carried.token, expires_at: session.expires_at });
        let left = session.expires_at.since(cx.now).as_secs();
        let cache_for = self.session_policy.whoami_cache_limit().map(|limit| left.min(limit));
        Ok(Whoami { checked, cookie, cache_for })
    }

    /// A session with the level that `whoami` requires.
    pub(super) async fn own_session(&self, cx: &Context, visitor: &Visitor) -> Result<Current, OwnSessionsError> {
        let current = self.current(cx, visitor).await?.ok_or(OwnSessionsError::NoSession)?;
        if !current.meets(self.session_policy.whoami_required_aal()) {
            return Err(SecondFactorRequired { redirect_browser_to: self.urls.second_factor(None) }.into());
        }
        Ok(current)
    }

    /// `GET /sessions`: the user's other sessions.
    pub async fn list_my_sessions(
        &self,
        cx: &Context,
        visitor: &Visitor,
        page: i64,
        size: i64,
    ) -> Result<OtherSessions, OwnSessionsError> {
        let current = self.own_session(cx, visitor).await?;
        let mut tx = self.database.read(cx.tenant);
        let alive = Some(Liveness { alive: true, at: cx.now });
        // One row more than the page size, because the current session is left out.
        let offset = page.saturating_mul(size);
        let all = storage::sessions::list_of_identity(
            &mut tx,
            current.session.identity_id,
            alive,
            offset.saturating_add(size).saturating_add(1),
            0,
        )
        .await?;
        let total = storage::sessions::count_of_identity(&mut tx, current.session.identity_id, alive).await? - 1;
        let others = all.into_iter().filter(|session| session.id != current.session.id);
        let (offset, size_) = (usize::try_from(offset).unwrap_or(usize::MAX), usize::try_from(size).unwrap_or(0));
        let sessions = others.skip(offset).take(size_).collect();
        Ok(OtherSessions { sessions, total, page, size })
    }

    /// `DELETE /sessions`: ends the user's other sessions.
    pub async fn revoke_my_other_sessions(&self, cx: &Context, visitor: &Visitor) -> Result<usize, OwnSessionsError> {
        let current = self.own_session(cx, visitor).await?;
        let cx = &acting_as(cx, current.session.identity_id);
        let mut tx = self.database.write(cx.tenant).await?;
        let ended = self.sessions.end_all(&mut tx, cx, current.session.identity_id, Some(current.session.id)).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// `DELETE /sessions/{id}`: ends one other session. Sessions of other users are neither ended nor revealed.
    pub async fn revoke_my_session(
        &self,
        cx: &Context,
        visitor: &Visitor,
        id: SessionId,
    ) -> Result<(), OwnSessionsError> {
        let current = self.own_session(cx, visitor).await?;
        if current.session.id == id {
            return Err(OwnSessionsError::CurrentSession);
        }
        let cx = &acting_as(cx, current.session.identity_id);
        let mut tx = self.database.write(cx.tenant).await?;
        let session = storage::sessions::find(&mut tx, id).await?;
        if let Some(session) = session.filter(|session| session.identity_id == current.session.identity_id) {
            self.sessions.end(&mut tx, cx, &session).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// The session checks of the gateway and the consent page, in process.
#[async_trait::async_trait]
impl Sessions for Identity {
    async fn check(&self, cx: &Context, credentials: &SessionCredentials) -> Result<SessionCheck, Unavailable> {
        let carries_cookie = web::cookies::parse(credentials.cookie.as_deref().unwrap_or_default())
            .any(|(name, _)| name == self.session_policy.cookie_name());
        let Some(carried) = self.sessions.carried_token(cx, credentials) else {
            return Ok(if carries_cookie { SessionCheck::Invalid } else { SessionCheck::Absent });
        };
        let unavailable = |error: database::Error| Unavailable::new("identity", error);
        let Some(checked) = self.sessions.check(cx, &carried.token).await.map_err(unavailable)? else {
            return Ok(SessionCheck::Invalid);
        };
        if !checked.meets(self.session_policy.whoami_required_aal()) {
            return Ok(SessionCheck::NeedsSecondFactor);
        }
        let session = &checked.session;
        Ok(SessionCheck::Active(Box::new(ActiveSession {
            session_id: session.id.as_uuid(),
            identity_id: session.identity_id.as_uuid(),
            authenticated_at: session.authenticated_at,
            expires_at: session.expires_at,
            aal: session.aal.as_str().to_owned(),
            amr: session.authentication_methods.iter().map(|method| method.method.as_str().to_owned()).collect(),
            whoami: checked.body(),
        })))
    }

    /// The caller ends the logins that depend on the session, so no observer is called.
    async fn end_in_transaction(
        &self,
        cx: &Context,
        tx: &mut WriteTx,
        session_id: Uuid,
    ) -> Result<SessionEnd, database::Error> {
        let id = SessionId::from_uuid(session_id);
        let ended = storage::sessions::revoke(tx, id, cx.now).await?;
        components::sessions::append_sessions_revoked(tx, cx, ended.as_slice()).await?;
        Ok(SessionEnd::InTransaction)
    }

    async fn end(&self, cx: &Context, session_id: Uuid) -> Result<(), Unavailable> {
        let unavailable = |error: database::Error| Unavailable::new("identity", error);
        let mut tx = self.database.write(cx.tenant).await.map_err(unavailable)?;
        self.end_in_transaction(cx, &mut tx, session_id).await.map_err(unavailable)?;
        tx.commit().await.map_err(unavailable)
    }
}

/// The offset in a page token.
pub(crate) fn open_page(identity: &Identity, cx: &Context, token: &str) -> Result<i64, OwnSessionsError> {
    let plain = identity.sealer.open_text(PAGE, cx.tenant, token).map_err(|_| OwnSessionsError::Page("page_token"))?;
    plain.try_into().map(i64::from_be_bytes).map_err(|_| OwnSessionsError::Page("page_token"))
}

/// The `Link` header (RFC 8288) of a page.
pub(crate) fn page_links(identity: &Identity, cx: &Context, others: &OtherSessions) -> String {
    let link = |page: i64, relation: &str| {
        let mut url = endpoint(identity.urls.public(), "sessions");
        let token = identity.sealer.seal_text(PAGE, cx.tenant, &page.to_be_bytes());
        url.query_pairs_mut().append_pair("page_size", &others.size.to_string()).append_pair("page_token", &token);
        format!("<{url}>; rel=\"{relation}\"")
    };
    let mut links = link(0, "first");
    let has_more = others.page.saturating_add(1).saturating_mul(others.size) < others.total;
    if has_more {
        links.push(',');
        links.push_str(&link(others.page + 1, "next"));
    }
    links
}

/// The session token in the body of a native client's logout.
pub(crate) fn token_in_body(body: &Value) -> Option<PlainToken> {
    body.get("session_token").and_then(Value::as_str).filter(|token| !token.is_empty()).map(PlainToken::received)
}
