//! The key sets of the `jwt` authenticator, by URL, fetched on demand and cached.
//!
//! Invariants: at most one fetch of a set runs at a time. An unknown `kid` causes a new fetch at most every few seconds,
//! whatever tokens clients send. Stale keys are used only while a fetch is slow, never after it failed. The keys keep their
//! identity as long as the document does not change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use base::Timestamp;
use jose::{Jwk, JwkSet, KeyUse, VerificationKeys};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::signing_keys::read_document;

pub(crate) struct VerificationKeySets {
    http: web::outbound::Client,
    sources: Mutex<HashMap<String, Arc<Source>>>,
}

#[derive(Default)]
struct Source {
    loaded: ArcSwapOption<Loaded>,
    loading: tokio::sync::Mutex<()>,
}

struct Loaded {
    keys: Arc<VerificationKeys>,
    /// The digest of the document.
    document: [u8; 32],
    read_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key set `{url}` {reason}")]
pub(crate) struct KeysUnavailable {
    url: String,
    reason: String,
}

/// The required freshness of the keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Freshness {
    pub(crate) time_to_live: Duration,
    pub(crate) longest_wait: Duration,
}

/// The minimum interval between fetches for unknown `kid`s.
const PAUSE_BETWEEN_EXTRA_FETCHES: Duration = Duration::from_secs(5);

impl VerificationKeySets {
    pub(crate) fn new(http: web::outbound::Client) -> Self {
        Self { http, sources: Mutex::new(HashMap::new()) }
    }

    pub(crate) async fn get(
        &self,
        url: &str,
        now: Timestamp,
        freshness: Freshness,
    ) -> Result<Arc<VerificationKeys>, KeysUnavailable> {
        self.get_read_after(url, now.minus(freshness.time_to_live), now, freshness.longest_wait).await
    }

    /// Like [`get`](Self::get), for a `kid` that the current set does not contain.
    pub(crate) async fn get_newer(
        &self,
        url: &str,
        now: Timestamp,
        freshness: Freshness,
    ) -> Result<Arc<VerificationKeys>, KeysUnavailable> {
        let pause = PAUSE_BETWEEN_EXTRA_FETCHES.min(freshness.time_to_live);
        self.get_read_after(url, now.minus(pause), now, freshness.longest_wait).await
    }

    async fn get_read_after(
        &self,
        url: &str,
        oldest: Timestamp,
        now: Timestamp,
        longest_wait: Duration,
    ) -> Result<Arc<VerificationKeys>, KeysUnavailable> {
        let source = {
            let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
            match sources.get(url) {
                Some(source) => source.clone(),
                None => sources.entry(url.to_owned()).or_default().clone(),
            }
        };
        let fresh = || source.loaded.load_full().filter(|loaded| loaded.read_at > oldest).map(|it| it.keys.clone());
        if let Some(keys) = fresh() {
            return Ok(keys);
        }
        let fetch = async {
            let _only_one = source.loading.lock().await;
            if let Some(keys) = fresh() {
                return Ok(keys);
            }
            let loaded = self.read(url, source.loaded.load_full(), now).await?;
            let keys = loaded.keys.clone();
            source.loaded.store(Some(Arc::new(loaded)));
            Ok(keys)
        };
        match tokio::time::timeout(longest_wait, fetch).await {
            Ok(answer) => answer,
            Err(_) => source.loaded.load_full().map(|stale| stale.keys.clone()).ok_or_else(|| KeysUnavailable {
                url: url.to_owned(),
                reason: "could not be fetched in time".to_owned(),
            }),
        }
    }

    async fn read(&self, url: &str, before: Option<Arc<Loaded>>, now: Timestamp) -> Result<Loaded, KeysUnavailable> {
        let error = |reason: String| KeysUnavailable { url: url.to_owned(), reason };
        let bytes = read_document(&self.http, url).await.map_err(error)?;
        let digest = Sha256::digest(&bytes).into();
        if let Some(before) = before.filter(|before| before.document == digest) {
            return Ok(Loaded { keys: before.keys.clone(), document: digest, read_at: now });
        }
        let document: Value = serde_json::from_slice(&bytes).map_err(|_| error("is not JSON".to_owned()))?;
        let set = JwkSet::parse_understood(&document).map_err(|it| error(format!("is not a key set: {it}")))?;
        // A key without a `kid` or with another use verifies no access token.
        let usable = |key: &&Jwk| key.kid.is_some() && key.key_use == Some(KeyUse::Signature);
        Ok(Loaded { keys: Arc::new(set.keys.iter().filter(usable).collect()), document: digest, read_at: now })
    }
}

impl std::fmt::Debug for VerificationKeySets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VerificationKeySets")
    }
}
