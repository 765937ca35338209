//! Cached key sets for signing and verification. A row with a version shows when they changed; it is read at most twice a
//! second and only while keys are used.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::{Context, Sealer, TenantId, Timestamp};
use database::{Database, Error, WriteTx};
use jose::{SigningKey, VerificationKeys};

use crate::domain::signing_key::{StoredKey, signer};
use crate::storage::{keys, versions};

/// How long a version is cached: the longest delay until a key that another node created or deleted takes effect here.
const CACHED_FOR: Duration = Duration::from_millis(500);

pub(crate) struct KeyRing {
    database: Database,
    sealer: Sealer,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    versions: HashMap<TenantId, SeenVersion>,
    sets: HashMap<(TenantId, String), Arc<LoadedSet>>,
}

#[derive(Clone, Copy)]
struct SeenVersion {
    version: i64,
    seen_at: Timestamp,
}

/// A cached set.
pub(crate) struct LoadedSet {
    version: i64,
    pub(crate) keys: Vec<StoredKey>,
    signers: HashMap<String, Arc<SigningKey>>,
    pub(crate) verification: VerificationKeys,
    /// Whether this process has already requested the next key.
    pub(crate) rotation_asked: AtomicBool,
}

impl LoadedSet {
    fn new(version: i64, mut keys: Vec<StoredKey>, now: Timestamp) -> Self {
        keys.retain(|key| !key.is_expired(now));
        let signers = keys
            .iter()
            .filter_map(|key| SigningKey::new(&key.jwk).ok().map(|signer| (key.kid.clone(), Arc::new(signer))))
            .collect();
        let verification = keys.iter().map(|key| &key.jwk).collect();
        Self { version, keys, signers, verification, rotation_asked: AtomicBool::new(false) }
    }

    /// The current signing key.
    pub(crate) fn signer(&self, now: Timestamp) -> Option<Arc<SigningKey>> {
        signer(&self.keys, now).and_then(|key| self.signers.get(&key.kid)).cloned()
    }
}

impl KeyRing {
    pub(crate) fn new(database: Database, sealer: Sealer) -> Self {
        Self { database, sealer, state: Mutex::default() }
    }

    /// The current keys of a set, possibly none.
    pub(crate) async fn set(&self, cx: &Context, name: &str) -> Result<Arc<LoadedSet>, Error> {
        let (tenant, now) = (cx.tenant, cx.now);
        let version = self.version(tenant, now).await?;
        if let Some(set) = self.state().sets.get(&(tenant, name.to_owned()))
            && set.version == version
        {
            return Ok(set.clone());
        }
        let mut tx = self.database.read(tenant);
        // The version was read first: a concurrent change is noticed next time.
        let set = Arc::new(LoadedSet::new(version, keys::list(&mut tx, &self.sealer, tenant, name).await?, now));
        self.state().sets.insert((tenant, name.to_owned()), set.clone());
        Ok(set)
    }

    /// Invalidates the cache: called after a commit that changed keys.
    pub(crate) fn forget(&self, tenant: TenantId) {
        self.state().versions.remove(&tenant);
    }

    /// A transaction beside which no other changes keys: it holds the row of their version, so that what it reads is what
    /// it changes.
    pub(crate) async fn change(&self, cx: &Context) -> Result<WriteTx, Error> {
        let mut tx = self.database.write(cx.tenant).await?;
        versions::bump(&mut tx, versions::KEYS).await?;
        Ok(tx)
    }

    async fn version(&self, tenant: TenantId, now: Timestamp) -> Result<i64, Error> {
        let seen = self.state().versions.get(&tenant).copied();
        if let Some(seen) = seen
            && now < seen.seen_at.plus(CACHED_FOR)
        {
            return Ok(seen.version);
        }
        let version = versions::find(&mut self.database.read(tenant), versions::KEYS).await?;
        self.state().versions.insert(tenant, SeenVersion { version, seen_at: now });
        Ok(version)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
