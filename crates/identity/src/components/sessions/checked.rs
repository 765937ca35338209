//! Whose session a token is, for those who ask with every request: `whoami` and the gateway.
//!
//! The answer is cached by tenant and digest of the token until its session or its identity changes. What depends on the
//! time or on the caller (the expiry of the session, the required level) is decided each time. Operations that act for a
//! session do not use the cache: they read what they act on.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use database::memory_of_json;
use serde_json::Value;

use crate::domain::session::RequiredAal;
use crate::domain::{Aal, Session};

/// What the cached sessions take at most: some ten thousand.
pub(crate) const MAX_BYTES: usize = 64 << 20;
/// What one takes, roughly.
pub(crate) const SESSION_BYTES: usize = 4 << 10;

/// The digest of a session's token.
pub(crate) type Key = [u8; 32];

/// A session that was alive when it was read, of a person who was active.
pub(crate) struct CheckedSession {
    pub(crate) session: Session,
    pub(super) available_aal: Aal,
    /// The name that identifies the account to its owner.
    pub(crate) account_name: Option<String>,
    /// What `whoami` answers.
    pub(crate) text: Bytes,
    /// The same for the gateway, parsed when it first asks.
    pub(super) body: OnceLock<Arc<Value>>,
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

/// What a session takes whose `whoami` is `text`, with the parsed form. A person may have thousands of values in their traits.
pub(super) fn memory_of(text: &[u8]) -> usize {
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
