//! Whose session a token is, for those who ask with every request: `whoami` and the gateway.
//!
//! The answer is remembered for a moment, by tenant and digest of the token, and forgotten as soon as its session or its
//! identity changes. What depends on the time or on the asker (the end of the session, the demanded level) is decided anew
//! each time. Operations that act for a session do not ask here: they read what they act on.

use std::sync::Arc;

use base::{Context, PlainToken};
use bytes::Bytes;
use serde_json::Value;

use crate::Identity;
use crate::domain::session::RequiredAal;
use crate::domain::{Aal, Session};
use crate::http::wire;
use crate::storage;

/// Sessions that are remembered at a time: some kilobytes each.
pub(crate) const CAPACITY: usize = 4096;

/// The digest of a session's token.
pub(crate) type Key = [u8; 32];

/// A session that was alive when it was read, of a person who was active.
pub(crate) struct CheckedSession {
    pub(crate) session: Session,
    available_aal: Aal,
    /// What `whoami` answers, as a value and as the bytes of the answer.
    pub(crate) body: Arc<Value>,
    pub(crate) text: Bytes,
}

impl CheckedSession {
    /// Whether the session reaches what `required` asks of this person.
    pub(crate) fn meets(&self, required: RequiredAal) -> bool {
        required.is_met(self.session.aal, self.available_aal)
    }
}

impl Identity {
    /// The session of a token, when it is alive and its person active.
    pub(crate) async fn check_session(
        &self,
        cx: &Context,
        token: &PlainToken,
    ) -> Result<Option<Arc<CheckedSession>>, database::Error> {
        let key = *token.digest().as_bytes();
        let checked = match self.checked_sessions.get(cx.tenant, key) {
            Some(checked) => Some(checked),
            None => self.read_session(cx, token, key).await?,
        };
        Ok(checked.filter(|checked| checked.session.is_alive(cx.now)))
    }

    async fn read_session(
        &self,
        cx: &Context,
        token: &PlainToken,
        key: Key,
    ) -> Result<Option<Arc<CheckedSession>>, database::Error> {
        let start = self.checked_sessions.start_reading();
        let mut tx = self.database.read(cx.tenant);
        let Some(mut session) = storage::sessions::find_by_token(&mut tx, &token.digest()).await? else {
            return Ok(None);
        };
        if !session.is_alive(cx.now) {
            return Ok(None);
        }
        let Some(identity) = storage::identities::find(&mut tx, session.identity_id).await? else { return Ok(None) };
        if !identity.is_active() {
            return Ok(None);
        }
        session.devices = storage::sessions::devices(&mut tx, session.id).await?;
        let body = wire::session(&session, Some(&identity), self.public_url(), cx.now);
        let text = Bytes::from(body.to_string());
        let (session_id, identity_id) = (session.id.as_uuid(), session.identity_id.as_uuid());
        let checked = CheckedSession { session, available_aal: identity.available_aal, body: Arc::new(body), text };
        let subjects = [session_id.as_bytes().as_slice(), identity_id.as_bytes()];
        Ok(Some(self.checked_sessions.put(start, cx.tenant, key, &subjects, checked)))
    }
}
