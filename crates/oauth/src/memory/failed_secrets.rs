//! Wrong client secrets, by presented client id and network. A client that presents the right secret from another network
//! is not affected, and none is locked out: after at most the refill time one more secret is compared.
//!
//! This is a counter and no cache: what a cache evicts first is what was used least, and a client under attack would get
//! new attempts that way. Here entries go that count nothing any more, and all of them only when that is not enough.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base::{Budget, Context, TenantId, Timestamp};

/// Failures of one client from one network.
pub(crate) const FAILURES: Budget = Budget::new(20, Duration::from_secs(5));

const MAX_ENTRIES: usize = 100_000;

/// A presented client id, registered or not, and the network that it came from.
type Key = (TenantId, [u8; 32]);

#[derive(Debug, Default)]
pub(crate) struct FailedSecrets(Mutex<HashMap<Key, Timestamp>>);

impl FailedSecrets {
    /// Whether one more secret is compared, else how long to wait.
    pub(crate) fn admit(&self, cx: &Context, client_id: &str) -> Result<(), Duration> {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        FAILURES.admit(failures.get(&key(cx, client_id)).copied(), 0, cx.now)
    }

    pub(crate) fn count(&self, cx: &Context, client_id: &str) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MAX_ENTRIES {
            failures.retain(|_, full_at| *full_at > cx.now);
        }
        if failures.len() >= MAX_ENTRIES {
            failures.clear();
        }
        let key = key(cx, client_id);
        let full_at = failures.get(&key).copied();
        failures.insert(key, FAILURES.spend(full_at, cx.now));
    }
}

fn key(cx: &Context, client_id: &str) -> Key {
    (cx.tenant, base::digest_parts(&[client_id.as_bytes(), cx.client_network().as_bytes()]))
}
