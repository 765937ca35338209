//! Whose session a token is, for those who ask with every request: `whoami` and the gateway.
//!
//! The answer is cached by tenant and digest of the token until its session or its identity changes. What depends on the
//! time or on the caller (the expiry of the session, the required level) is decided each time. Operations that act for a
//! session do not use the cache: they read what they act on.

use std::sync::{Arc, OnceLock};

use base::{Context, PlainToken};
use bytes::Bytes;
use database::{Cacheable, memory_of_json};
use serde_json::Value;

use crate::Identity;
use crate::domain::session::RequiredAal;
use crate::domain::{Aal, Session};
use crate::flows::views::SessionView;
use crate::storage;

/// What the cached sessions take at most: some ten thousand.
pub(crate) const MAX_BYTES: usize = 64 << 20;
/// What one takes, roughly.
pub(crate) const SESSION_BYTES: usize = 4 << 10;

/// The digest of a session's token.
pub(crate) type Key = [u8; 32];

/// A session that was alive when it was read, of a person who was active.
pub(crate) struct CheckedSession {
    pub(crate) session: Session,
    available_aal: Aal,
    /// What `whoami` answers.
    pub(crate) text: Bytes,
    /// The same for the gateway, parsed when it first asks.
    body: OnceLock<Arc<Value>>,
}

impl CheckedSession {
    /// What `whoami` answers, as a value.
    pub(crate) fn body(&self) -> Arc<Value> {
        self.body.get_or_init(|| Arc::new(serde_json::from_slice(&self.text).unwrap_or_default())).clone()
    }

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
        let found = storage::sessions::find_whole_by_token(&mut tx, &token.digest()).await?;
        let Some((session, identity)) = found else { return Ok(None) };
        if !session.is_alive(cx.now) {
            return Ok(None);
        }
        if !identity.is_active() {
            return Ok(None);
        }
        let shown = SessionView::new(&session, Some(&identity), self.public_url(), cx.now);
        let text = serde_json::to_vec(&shown).map(Bytes::from);
        let text = text.map_err(|error| database::Error::inconsistent("identity_sessions", error.to_string()))?;
        let (session_id, identity_id) = (session.id.as_uuid(), session.identity_id.as_uuid());
        let bytes = memory_of(&text);
        let checked = CheckedSession { session, available_aal: identity.available_aal, text, body: OnceLock::new() };
        let subjects: &[&[u8]] = &[session_id.as_bytes(), identity_id.as_bytes()];
        let read = Cacheable { value: checked, subjects, bytes };
        Ok(Some(self.checked_sessions.put(start, cx.tenant, key, read)))
    }
}

/// What a session takes whose `whoami` is `text`, with the parsed form. A person may have thousands of values in their traits.
fn memory_of(text: &[u8]) -> usize {
    /// So much of it is in an ordinary session, which [`SESSION_BYTES`] counts already.
    const USUAL_BYTES: usize = 24 << 10;
    SESSION_BYTES.max(text.len() * 4) + memory_of_json(text).saturating_sub(USUAL_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_small_values_count_for_the_memory_that_they_take() {
        let list = |item: &str, count: usize| format!("[{}]", vec![item; count].join(","));
        assert_eq!(memory_of(list("1", 100).as_bytes()), SESSION_BYTES, "an ordinary one counts as before");
        let text = list("1", 8_000);
        let parsed: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert!(memory_of(text.as_bytes()) > text.len() + parsed.capacity() * size_of::<Value>());
        // An object of one member has room for several in its list and in its index.
        let text = list("{\"a\":1}", 2_700);
        assert!(memory_of(text.as_bytes()) > text.len() + 2_700 * 400);
    }
}
