//! Reading and ending sessions with the admin API.

use std::collections::HashMap;

use base::{Context, Page, PageRequest};

use crate::Identity;
use crate::domain::{self, IdentityId, Session, SessionId};
use crate::storage::identities::{self, Filter};
use crate::storage::sessions::{self, ListKey, Liveness};

/// A session with its expanded parts.
#[derive(Debug)]
pub struct SessionDetails {
    pub session: Session,
    pub identity: Option<domain::Identity>,
}

/// The requested parts of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expand {
    pub identity: bool,
    pub devices: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error("the session is unknown")]
    Unknown,
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl Identity {
    pub async fn get_session(
        &self,
        cx: &Context,
        id: SessionId,
        expand: Expand,
    ) -> Result<SessionDetails, SessionError> {
        let mut tx = self.database.read(cx.tenant);
        let session = sessions::find(&mut tx, id).await?.ok_or(SessionError::Unknown)?;
        Ok(expanded_one(&mut tx, session, expand).await?)
    }

    pub async fn list_sessions(
        &self,
        cx: &Context,
        alive: Option<bool>,
        expand: Expand,
        page: &PageRequest<ListKey>,
    ) -> Result<Page<SessionDetails, ListKey>, database::Error> {
        let mut tx = self.database.read(cx.tenant);
        let liveness = alive.map(|alive| Liveness { alive, at: cx.now });
        let page = sessions::list(&mut tx, liveness, page).await?;
        Ok(Page { items: expanded(&mut tx, page.items, expand).await?, next: page.next })
    }

    /// The sessions of one identity with the identity and their devices, and their total number.
    pub async fn list_identity_sessions(
        &self,
        cx: &Context,
        id: IdentityId,
        alive: Option<bool>,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<SessionDetails>, i64), SessionError> {
        let mut tx = self.database.read(cx.tenant);
        let liveness = alive.map(|alive| Liveness { alive, at: cx.now });
        let total = sessions::count_of_identity(&mut tx, id, liveness).await?;
        let identity = if total > 0 { identities::find(&mut tx, id).await? } else { None };
        let listed = sessions::list_of_identity(&mut tx, id, liveness, limit, offset).await?;
        let details = |session| SessionDetails { session, identity: identity.clone() };
        Ok((listed.into_iter().map(details).collect(), total))
    }

    /// Ends a session. A session that has already ended is not an error.
    pub async fn disable_session(&self, cx: &Context, id: SessionId) -> Result<(), SessionError> {
        let mut tx = self.database.write(cx.tenant).await?;
        if sessions::find(&mut tx, id).await?.is_none() {
            return Err(SessionError::Unknown);
        }
        let ended = sessions::revoke(&mut tx, id, cx.now).await?;
        self.sessions.have_ended(&mut tx, cx, ended.as_slice()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Ends and deletes all sessions of an identity; an error when there are none.
    pub async fn delete_identity_sessions(&self, cx: &Context, id: IdentityId) -> Result<(), SessionError> {
        let mut tx = self.database.write(cx.tenant).await?;
        let ended = sessions::revoke_of_identity(&mut tx, id, None, cx.now).await?;
        self.sessions.have_ended(&mut tx, cx, &ended).await?;
        if sessions::delete_of_identity(&mut tx, id).await?.is_empty() {
            return Err(SessionError::Unknown);
        }
        tx.commit().await?;
        Ok(())
    }

    /// Extends an active session to a new lifespan, if its expiry is near enough.
    pub async fn extend_session(&self, cx: &Context, id: SessionId) -> Result<SessionDetails, SessionError> {
        let lifespan = self.config.session.lifespan.get();
        let earliest = self.config.session.earliest_possible_extend.map_or(lifespan, base::GoDuration::get);
        let mut tx = self.database.write(cx.tenant).await?;
        let mut session = sessions::lock(&mut tx, id).await?.ok_or(SessionError::Unknown)?;
        if session.is_alive(cx.now) {
            let expires_at = session.extended_expiry(lifespan, earliest, cx.now);
            if expires_at != session.expires_at {
                let before = session.clone();
                session.expires_at = expires_at;
                session.updated_at = cx.now;
                if !sessions::update(&mut tx, &before, &session).await? {
                    return Err(SessionError::Unknown);
                }
            }
        }
        let details = expanded_one(&mut tx, session, Expand { identity: true, devices: true }).await?;
        tx.commit().await?;
        Ok(details)
    }
}

/// The requested parts of many sessions; their identities by one statement.
async fn expanded(
    tx: &mut impl database::Read,
    sessions: Vec<Session>,
    expand: Expand,
) -> Result<Vec<SessionDetails>, database::Error> {
    let mut identities = HashMap::new();
    if expand.identity {
        let ids = Filter::Ids(sessions.iter().map(|session| session.identity_id).collect());
        let all = PageRequest { size: u32::try_from(sessions.len()).unwrap_or(u32::MAX), after: None };
        let found = identities::list(tx, None, &ids, &all).await?.items;
        identities.extend(found.into_iter().map(|identity| (identity.id, identity)));
    }
    let details = |session: Session| {
        let identity = identities.get(&session.identity_id).cloned();
        SessionDetails { session: shown(session, expand), identity }
    };
    Ok(sessions.into_iter().map(details).collect())
}

async fn expanded_one(
    tx: &mut impl database::Read,
    session: Session,
    expand: Expand,
) -> Result<SessionDetails, database::Error> {
    let identity = if expand.identity { identities::find(tx, session.identity_id).await? } else { None };
    Ok(SessionDetails { session: shown(session, expand), identity })
}

fn shown(mut session: Session, expand: Expand) -> Session {
    if !expand.devices {
        session.devices.clear();
    }
    session
}
