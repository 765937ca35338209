//! Remote key sets (RFC 7517 section 5), by URL: fetched on demand and cached.
//!
//! Invariants:
//! - Concurrent requests for a set share one fetch.
//! - After a failure, and after a fetch that did not return the requested `kid`, the set is not fetched again until a
//!   pause has passed, whatever tokens clients send.
//! - Expired keys are used only during an outage of their publisher (RFC 5861 section 4), and only for a limited time.
//!   A rejection, or a response that is not a key set, is not an outage.
//! - The cache is bounded in entries and in bytes. Keys keep their identity (`Arc`) while the document is unchanged.
//! - The time is that of the request's [`Context`].

mod documents;
mod kept;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::{Context, TenantId, Timestamp};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use jose::{Jwk, JwkSet, VerificationKeys};
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;

pub use documents::{Documents, ReadError, shown};
use kept::{Failure, Kept, Loaded};

/// How long keys are used, and how often they are fetched.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How long keys are used before they are fetched again.
    pub time_to_live: Duration,
    /// How long expired keys are used during an outage of their publisher.
    pub stale_on_error: Duration,
    /// How long one request waits for a fetch. The fetch continues after that.
    pub longest_wait: Duration,
    /// The pause after a failed fetch.
    pub pause_after_failure: Duration,
    /// The pause after a fetch that did not return the requested `kid`.
    pub pause_after_unknown_kid: Duration,
}

/// The limits of the cache.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub entries: u32,
    /// Memory. Must exceed the size of the largest document, which is [`BYTES_FOR_A_BYTE`] times its length.
    pub bytes: u64,
    /// Concurrent fetches; further sets are unavailable.
    pub fetches: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { entries: 1_000, bytes: 64 << 20, fetches: 256 }
    }
}

/// Parsed keys are a multiple of their text: a key without `alg` is parsed for each algorithm that fits it.
pub const BYTES_FOR_A_BYTE: u64 = 8;

/// The key set is not available.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key set `{url}` {reason}")]
pub struct KeySetError {
    url: Arc<str>,
    reason: Arc<str>,
    is_outage: bool,
}

/// The key sets that one service verifies with.
pub struct RemoteKeySets {
    fetcher: Arc<Fetcher>,
    /// The running fetches. They are aborted with this value.
    tasks: Mutex<JoinSet<()>>,
}

struct Fetcher {
    documents: Documents,
    is_usable: fn(&Jwk) -> bool,
    kept: Cache<Key, Arc<Kept>, ByBytes>,
    /// The running fetches, by key; each is removed when it ends.
    fetches: Mutex<HashMap<Key, WeakShared<Fetching>>>,
    most_fetches: usize,
}

type Fetching = BoxFuture<'static, Result<Arc<VerificationKeys>, KeySetError>>;

/// The tenant and the URL of a set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    tenant: TenantId,
    url: Box<str>,
}

/// A [`Key`] that is only looked up.
struct KeyRef<'a> {
    tenant: TenantId,
    url: &'a str,
}

impl Hash for KeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.tenant.hash(state);
        self.url.hash(state);
    }
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.tenant == key.tenant && *self.url == *key.url
    }
}

/// Every entry has a minimum weight, so that the limit in bytes also limits the number of entries.
#[derive(Clone)]
struct ByBytes {
    least: u64,
}

impl Weighter<Key, Arc<Kept>> for ByBytes {
    fn weight(&self, key: &Key, kept: &Arc<Kept>) -> u64 {
        let document = kept.loaded.as_ref().map_or(0, |it| it.document_bytes as u64 * BYTES_FOR_A_BYTE);
        (document + key.url.len() as u64).max(self.least)
    }
}

impl RemoteKeySets {
    /// `is_usable` selects the keys that may verify signatures.
    pub fn new(documents: Documents, is_usable: fn(&Jwk) -> bool, bounds: Bounds) -> Self {
        let least = (bounds.bytes / u64::from(bounds.entries.max(1))).max(1);
        // A fraction of the entries, so that there are few shards and the largest document fits in each.
        let kept = Cache::with_weighter(bounds.entries as usize / 8, bounds.bytes, ByBytes { least });
        let fetches = Mutex::default();
        let fetcher = Fetcher { documents, is_usable, kept, fetches, most_fetches: bounds.fetches };
        Self { fetcher: Arc::new(fetcher), tasks: Mutex::default() }
    }

    /// The keys at `url`. Without a `kid`, any fresh keys; with one, keys that contain it if a fetch returns them, and
    /// otherwise keys without it. An error means that it is unknown whether the publisher has such a key.
    pub async fn find(
        &self,
        cx: &Context,
        url: &str,
        kid: Option<&str>,
        policy: &Policy,
    ) -> Result<Arc<VerificationKeys>, KeySetError> {
        let known = KeyRef { tenant: cx.tenant, url };
        let kept = || self.fetcher.kept.get(&known);
        if let Some(answer) = kept().and_then(|it| it.answer(kid, cx.now, policy)) {
            return answer;
        }
        let key = Key { tenant: cx.tenant, url: url.into() };
        let fetch = match self.fetch(key, kid, cx.now, policy) {
            Ok(fetch) => fetch,
            Err(answer) => return answer,
        };
        let outcome = tokio::time::timeout(policy.longest_wait, fetch).await;
        match outcome.unwrap_or_else(|_| Err(KeySetError::outage(url, "did not arrive in time"))) {
            Ok(keys) => Ok(keys),
            Err(error) => match kept() {
                Some(kept) => kept.answer_despite(error, kid, cx.now, policy),
                None => Err(error),
            },
        }
    }

    /// The running fetch of this set, or a new one; or a result that arrived in the meantime.
    fn fetch(
        &self,
        key: Key,
        kid: Option<&str>,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Shared<Fetching>, Result<Arc<VerificationKeys>, KeySetError>> {
        let mut fetches = self.fetcher.fetches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fetch) = fetches.get(&key).and_then(WeakShared::upgrade) {
            return Ok(fetch);
        }
        if let Some(answer) = self.fetcher.kept.get(&key).and_then(|it| it.answer(kid, now, policy)) {
            return Err(answer);
        }
        if fetches.len() >= self.fetcher.most_fetches {
            let error = KeySetError::outage(&key.url, "was not fetched: too many others are being fetched");
            let kept = self.fetcher.kept.get(&key);
            return Err(kept.map_or(Err(error.clone()), |kept| kept.answer_despite(error, kid, now, policy)));
        }
        let fetch = self.fetcher.clone().run(key.clone(), now).boxed().shared();
        if let Some(fetch) = fetch.downgrade() {
            fetches.insert(key, fetch);
        }
        drop(fetches);
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(fetch.clone().map(drop));
        Ok(fetch)
    }
}

/// A running fetch; its entry is removed when it ends, even by a panic.
struct Running<'a> {
    fetcher: &'a Fetcher,
    key: &'a Key,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.fetcher.fetches.lock().unwrap_or_else(PoisonError::into_inner).remove(self.key);
    }
}

impl Fetcher {
    /// Fetches a set and caches the result.
    async fn run(self: Arc<Self>, key: Key, now: Timestamp) -> Result<Arc<VerificationKeys>, KeySetError> {
        let _running = Running { fetcher: &self, key: &key };
        let before = self.kept.get(&key).and_then(|it| it.loaded.clone());
        let outcome = self.read(&key.url, before.as_ref(), now).await;
        let (kept, answer) = match outcome {
            Ok(loaded) => {
                let keys = loaded.keys.clone();
                (Kept { loaded: Some(loaded), failure: None }, Ok(keys))
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a key set is not available");
                (Kept { loaded: before, failure: Some(Failure { error: error.clone(), at: now }) }, Err(error))
            }
        };
        self.kept.insert(key.clone(), Arc::new(kept));
        answer
    }

    async fn read(&self, url: &str, before: Option<&Loaded>, now: Timestamp) -> Result<Loaded, KeySetError> {
        let document = self.documents.read(url).await;
        let document = document
            .map_err(|error| KeySetError { is_outage: error.is_outage, ..KeySetError::new(url, &error.reason) })?;
        let document_digest = Sha256::digest(&document).into();
        if let Some(before) = before.filter(|before| before.document_digest == document_digest) {
            return Ok(Loaded { read_at: now, ..before.clone() });
        }
        let value = serde_json::from_slice(&document).map_err(|_| KeySetError::new(url, "is not JSON"))?;
        let set = JwkSet::parse_understood(&value)
            .map_err(|error| KeySetError::new(url, &format!("is not a key set: {error}")))?;
        let keys = set.keys.iter().filter(|key| (self.is_usable)(key)).collect();
        Ok(Loaded { keys: Arc::new(keys), document_digest, document_bytes: document.len(), read_at: now })
    }
}

impl KeySetError {
    fn new(url: &str, reason: &str) -> Self {
        Self { url: shown(url).into(), reason: reason.into(), is_outage: false }
    }

    fn outage(url: &str, reason: &str) -> Self {
        Self { is_outage: true, ..Self::new(url, reason) }
    }
}

impl std::fmt::Debug for RemoteKeySets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RemoteKeySets").field("entries", &self.fetcher.kept.len()).finish_non_exhaustive()
    }
}
