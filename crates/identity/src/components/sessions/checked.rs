//! Cached session lookups by token, for callers that need them on every request: `whoami` and the gateway.
//!
//! The result is cached by tenant and digest of the token until its session or its identity changes. Conditions that
//! depend on the time or on the caller (the expiry of the session, the required level) are checked each time.
//! Operations that act on a session do not use the cache: they read current data.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use database::memory_of_json;
use serde_json::Value;

use crate::domain::session::RequiredAal;
use crate::domain::{Aal, Session};

/// The maximum size of the cache: some ten thousand sessions.
pub(crate) const MAX_BYTES: usize = 64 << 20;
/// The approximate size of an entry.
pub(crate) const SESSION_BYTES: usize = 4 << 10;

/// The digest of a session's token.
pub(crate) type Key = [u8; 32];

/// A session that was active when it was read, of an active identity.
pub(crate) struct CheckedSession {
    pub(crate) session: Session,
    pub(super) available_aal: Aal,
    /// The name that identifies the account to its owner.
    pub(crate) account_name: Option<String>,
    /// The `whoami` response.
    pub(crate) text: Bytes,
    /// The same for the gateway, parsed on first use.
    pub(super) body: OnceLock<Arc<Value>>,
}

impl CheckedSession {
    /// The `whoami` response, as a value.
    pub(crate) fn body(&self) -> Arc<Value> {
        self.body.get_or_init(|| Arc::new(serde_json::from_slice(&self.text).unwrap_or_default())).clone()
    }

    /// Whether the session has the level that `required` demands of this user.
    pub(crate) fn meets(&self, required: RequiredAal) -> bool {
        required.is_met(self.session.aal, self.available_aal)
    }
}

/// The size of a session with the `whoami` response `text`, including the parsed form. Traits may contain thousands of
/// values.
pub(super) fn memory_of(text: &[u8]) -> usize {
    /// The usual size, which [`SESSION_BYTES`] includes.
    const USUAL_BYTES: usize = 24 << 10;
    SESSION_BYTES.max(text.len() * 4) + memory_of_json(text).saturating_sub(USUAL_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_values_count_with_their_parsed_size() {
        let list = |item: &str, count: usize| format!("[{}]", vec![item; count].join(","));
        assert_eq!(memory_of(list("1", 100).as_bytes()), SESSION_BYTES, "the usual size is included");
        let text = list("1", 8_000);
        let parsed: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert!(memory_of(text.as_bytes()) > text.len() + parsed.capacity() * size_of::<Value>());
        // An object of one member has room for several in its list and in its index.
        let text = list("{\"a\":1}", 2_700);
        assert!(memory_of(text.as_bytes()) > text.len() + 2_700 * 400);
    }
}
