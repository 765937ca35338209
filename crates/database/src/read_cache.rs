//! A cache of rows that are read with nearly every request.
//!
//! A value is returned only if all of these are true:
//! - No transaction touched its subjects after the read began, neither of this process nor, according to the change feed, of
//!   another one.
//! - The last answered query of the feed began less than 0.8 s ago, or the value is younger than half a second. The first read
//!   after an idle interval of the feed may therefore find nothing.
//! - On PostgreSQL, the value is younger than a minute.
//! - The tenant is the same.
//!
//! The cache is bounded by bytes; the least used value is dropped first.

use std::hash::Hash;
use std::sync::Arc;

use base::TenantId;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::time::Instant;

use crate::change_feed::LONGEST_VALIDITY;
use crate::changes::{Revision, Slot, VALID_WITHOUT_FEED};
use crate::{Database, Engine};

/// The memory of an entry besides its value.
const ENTRY_BYTES: u64 = 256;

pub struct ReadCache<K, V> {
    database: Database,
    entries: Cache<(TenantId, K), Entry<V>, ByBytes>,
}

struct Entry<V> {
    value: Arc<V>,
    /// The revision before the value was read.
    revision: Revision,
    subjects: Arc<[Slot]>,
    read_at: Instant,
    bytes: u64,
}

impl<V> Clone for Entry<V> {
    fn clone(&self) -> Self {
        let Self { value, revision, subjects, read_at, bytes } = self;
        Self { value: value.clone(), revision: *revision, subjects: subjects.clone(), read_at: *read_at, bytes: *bytes }
    }
}

#[derive(Clone)]
struct ByBytes;

impl<K, V> Weighter<(TenantId, K), Entry<V>> for ByBytes {
    fn weight(&self, _: &(TenantId, K), entry: &Entry<V>) -> u64 {
        entry.bytes
    }
}

/// The start of a read whose result may be cached.
#[derive(Clone, Copy, Debug)]
pub struct ReadStart {
    revision: Revision,
    at: Instant,
}

/// A value for the cache.
#[derive(Debug)]
pub struct Cacheable<'a, V> {
    pub value: V,
    /// The subjects of the value, as transactions touch them.
    pub subjects: &'a [&'a [u8]],
    /// The approximate memory of the value.
    pub bytes: usize,
}

impl<K: Eq + Hash, V> ReadCache<K, V> {
    /// `expected_bytes` is the usual size of a value.
    pub fn new(database: Database, max_bytes: usize, expected_bytes: usize) -> Self {
        let expected_items = max_bytes / (expected_bytes.max(1));
        Self { database, entries: Cache::with_weighter(expected_items, max_bytes as u64, ByBytes) }
    }

    pub fn get(&self, tenant: TenantId, key: K) -> Option<Arc<V>> {
        self.database.0.changes.demand.note();
        let entry = self.entries.get(&(tenant, key))?;
        self.is_valid(&entry, Instant::now()).then_some(entry.value)
    }

    fn is_valid(&self, entry: &Entry<V>, now: Instant) -> bool {
        let changes = &self.database.0.changes;
        if !entry.subjects.iter().all(|slot| changes.is_untouched_since(entry.revision, *slot)) {
            return false;
        }
        let age = now.saturating_duration_since(entry.read_at);
        let is_young_enough = match self.database.0.engine {
            // An SQLite file is served by one process.
            Engine::Sqlite(_) => true,
            Engine::Postgres(_) => age < LONGEST_VALIDITY,
        };
        age < VALID_WITHOUT_FEED || (is_young_enough && changes.is_feed_current(now))
    }

    /// Must be called before the read whose result is passed to [`ReadCache::put`].
    pub fn start_reading(&self) -> ReadStart {
        ReadStart { revision: self.database.0.changes.revision(), at: Instant::now() }
    }

    /// Stores a value that was read since `start`.
    pub fn put(&self, start: ReadStart, tenant: TenantId, key: K, read: Cacheable<'_, V>) -> Arc<V> {
        let value = Arc::new(read.value);
        let subjects = read.subjects.iter().map(|subject| Slot::of(tenant, subject)).collect();
        let bytes = read.bytes as u64 + ENTRY_BYTES;
        let entry = Entry { value: value.clone(), revision: start.revision, subjects, read_at: start.at, bytes };
        self.entries.insert((tenant, key), entry);
        value
    }
}

/// The approximate memory of a document that is parsed from this JSON. It is much larger than the text: each element of a list
/// of digits has two bytes of text, and about seventy when it is parsed; an object with one member has room for several.
pub fn memory_of_json(text: &[u8]) -> usize {
    const VALUE_BYTES: usize = 160;
    let values = text.iter().filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{')).count();
    text.len() + VALUE_BYTES * values
}

impl<K, V> std::fmt::Debug for ReadCache<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadCache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base::Timestamp;

    use super::*;
    use crate::{Dsn, Error};

    const A: &[u8] = b"a";
    const TENANT: TenantId = TenantId::DEFAULT;

    async fn database() -> Database {
        let database = Database::open(&Dsn::memory()).await.expect("opens");
        database.migrate(&[], Timestamp::EPOCH).await.expect("migrates");
        database
    }

    fn cache(database: &Database) -> ReadCache<i32, &'static str> {
        ReadCache::new(database.clone(), 1 << 20, 16)
    }

    fn put(cache: &ReadCache<i32, &'static str>, start: ReadStart, subjects: &[&[u8]]) {
        cache.put(start, TENANT, 1, Cacheable { value: "value", subjects, bytes: 16 });
    }

    async fn touch(database: &Database, subject: &[u8]) -> Result<(), Error> {
        let mut tx = database.write(TENANT).await?;
        tx.touch(subject);
        tx.commit().await
    }

    #[tokio::test]
    async fn a_touched_subject_is_read_again() {
        let database = database().await;
        let cache = cache(&database);
        put(&cache, cache.start_reading(), &[A, b"b"]);
        assert!(cache.get(TENANT, 1).is_some());
        touch(&database, b"b").await.expect("commits");
        assert!(cache.get(TENANT, 1).is_none());
    }

    #[tokio::test]
    async fn a_change_during_the_read_is_not_missed() {
        let database = database().await;
        let cache = cache(&database);
        let start = cache.start_reading();
        touch(&database, A).await.expect("commits");
        put(&cache, start, &[A]);
        assert!(cache.get(TENANT, 1).is_none());
    }

    #[tokio::test]
    async fn a_transaction_that_is_dropped_counts_as_a_change() {
        let database = database().await;
        let cache = cache(&database);
        put(&cache, cache.start_reading(), &[A]);
        let mut tx = database.write(TENANT).await.expect("begins");
        tx.touch(A);
        assert!(cache.get(TENANT, 1).is_some(), "it has not ended yet");
        drop(tx);
        assert!(cache.get(TENANT, 1).is_none());
    }

    #[tokio::test]
    async fn another_tenant_never_gets_the_value() {
        let cache = cache(&database().await);
        put(&cache, cache.start_reading(), &[A]);
        assert!(cache.get(TenantId::from_i32(2), 1).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_is_valid_until_it_changes_while_the_feed_answers() {
        let database = database().await;
        let cache = cache(&database);
        put(&cache, cache.start_reading(), &[A]);
        for _ in 0..1_000 {
            tokio::time::sleep(Duration::from_secs(9)).await;
            assert!(cache.get(TENANT, 1).is_some());
        }
        touch(&database, A).await.expect("commits");
        assert!(cache.get(TENANT, 1).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_is_read_again_after_a_rest_of_the_feed_and_then_valid() {
        let database = database().await;
        let cache = cache(&database);
        put(&cache, cache.start_reading(), &[A]);
        tokio::time::sleep(Duration::from_mins(10) + Duration::from_millis(1_100)).await;
        assert!(database.0.changes.demand.is_idle());
        assert!(cache.get(TENANT, 1).is_none(), "it may have been changed by another process");
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(cache.get(TENANT, 1).is_some(), "the feed was asked at once, and nothing had changed");
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_expires_after_half_a_second_when_the_feed_is_silent() {
        let database = database().await;
        let cache = cache(&database);
        put(&cache, cache.start_reading(), &[A]);
        let entry = cache.entries.get(&(TENANT, 1)).expect("an entry");
        // There is no await here, so the feed does not run in between.
        assert!(cache.is_valid(&entry, Instant::now() + Duration::from_millis(499)));
        assert!(!cache.is_valid(&entry, Instant::now() + Duration::from_millis(500)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_commit_of_another_process_to_the_file_invalidates_everything() {
        let folder = tempfile::tempdir().expect("a folder");
        let dsn = Dsn::sqlite(folder.path().join("kleis.db"));
        let database = Database::open(&dsn).await.expect("opens");
        database.migrate(&[], Timestamp::EPOCH).await.expect("migrates");
        let cache = cache(&database);
        put(&cache, cache.start_reading(), &[A]);
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(cache.get(TENANT, 1).is_some());
        // To SQLite another connection looks like another process.
        let another = rusqlite::Connection::open(folder.path().join("kleis.db")).expect("opens");
        another.execute_batch("CREATE TABLE written_elsewhere (id integer)").expect("commits");
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(cache.get(TENANT, 1).is_none());
    }

    #[tokio::test]
    async fn the_cache_is_bounded_by_bytes_and_drops_entries_one_by_one() {
        let database = database().await;
        let cache = ReadCache::new(database, 1 << 20, 1024);
        for key in 0..10_000 {
            cache.put(cache.start_reading(), TENANT, key, Cacheable { value: key, subjects: &[A], bytes: 1024 });
            assert_eq!(cache.get(TENANT, key).as_deref(), Some(&key));
            assert!(cache.entries.weight() <= 1 << 20);
        }
        let kept = (0..10_000).filter(|key| cache.get(TENANT, *key).is_some()).count();
        assert!(kept > 500, "{kept} of some 800 that fit: old ones go one by one");
    }
}
