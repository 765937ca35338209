//! Rows that are asked for again and again, remembered for a moment.
//!
//! What was read is given out again while three things hold: no transaction of this process has touched its subjects
//! since, it is younger than the time for which it is believed, and the same tenant asks. The second bounds what another
//! process can change unseen, so it is short: sessions and clients that ended must be seen everywhere within a second.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::TenantId;
use tokio::time::Instant;

use crate::Database;
use crate::changes::{Revision, Slot};

/// How long another process's change may stay unseen: half of the second in which it must be seen.
const BELIEVED_FOR: Duration = Duration::from_millis(500);

pub struct Remembered<K, V> {
    database: Database,
    capacity: usize,
    entries: Mutex<HashMap<(TenantId, K), Entry<V>>>,
}

struct Entry<V> {
    value: Arc<V>,
    /// Taken before the value was read.
    revision: Revision,
    subjects: Vec<Slot>,
    read_at: Instant,
}

/// When a read began that may be remembered.
#[derive(Clone, Copy, Debug)]
pub struct ReadStart {
    revision: Revision,
    at: Instant,
}

impl<K: Eq + Hash, V> Remembered<K, V> {
    pub fn new(database: Database, capacity: usize) -> Self {
        Self { database, capacity: capacity.max(1), entries: Mutex::new(HashMap::new()) }
    }

    pub fn get(&self, tenant: TenantId, key: K) -> Option<Arc<V>> {
        let changes = &self.database.0.changes;
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(&(tenant, key))?;
        let is_believed = entry.read_at.elapsed() < BELIEVED_FOR
            && entry.subjects.iter().all(|slot| changes.is_untouched_since(entry.revision, *slot));
        is_believed.then(|| entry.value.clone())
    }

    /// To be called before the read whose result [`Remembered::put`] is given.
    pub fn start_reading(&self) -> ReadStart {
        ReadStart { revision: self.database.0.changes.revision(), at: Instant::now() }
    }

    /// Remembers what was read since `start` about `subjects`, as transactions touch them.
    pub fn put(&self, start: ReadStart, tenant: TenantId, key: K, subjects: &[&[u8]], value: V) -> Arc<V> {
        let value = Arc::new(value);
        let subjects = subjects.iter().map(|subject| Slot::of(tenant, subject)).collect();
        let entry = Entry { value: value.clone(), revision: start.revision, subjects, read_at: start.at };
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= self.capacity {
            entries.retain(|_, entry| entry.read_at.elapsed() < BELIEVED_FOR);
            if entries.len() >= self.capacity {
                // All of them were read within the last moment: they are cheap to read again.
                entries.clear();
            }
        }
        entries.insert((tenant, key), entry);
        value
    }
}

impl<K, V> std::fmt::Debug for Remembered<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remembered").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
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

    async fn touch(database: &Database, subject: &[u8]) -> Result<(), Error> {
        let mut tx = database.write(TENANT).await?;
        tx.touch(subject);
        tx.commit().await
    }

    #[tokio::test]
    async fn a_touched_subject_is_read_again() {
        let database = database().await;
        let remembered = Remembered::new(database.clone(), 10);
        let start = remembered.start_reading();
        remembered.put(start, TENANT, 1, &[A, b"b"], "value");
        assert!(remembered.get(TENANT, 1).is_some());
        touch(&database, b"b").await.expect("commits");
        assert!(remembered.get(TENANT, 1).is_none());
    }

    #[tokio::test]
    async fn a_change_during_the_read_is_not_missed() {
        let database = database().await;
        let remembered = Remembered::new(database.clone(), 10);
        let start = remembered.start_reading();
        touch(&database, A).await.expect("commits");
        remembered.put(start, TENANT, 1, &[A], "old");
        assert!(remembered.get(TENANT, 1).is_none());
    }

    #[tokio::test]
    async fn a_transaction_that_is_dropped_counts_as_a_change() {
        let database = database().await;
        let remembered = Remembered::new(database.clone(), 10);
        remembered.put(remembered.start_reading(), TENANT, 1, &[A], "value");
        let mut tx = database.write(TENANT).await.expect("begins");
        tx.touch(A);
        assert!(remembered.get(TENANT, 1).is_some(), "it has not ended yet");
        drop(tx);
        assert!(remembered.get(TENANT, 1).is_none());
    }

    #[tokio::test]
    async fn another_tenant_never_sees_it() {
        let remembered = Remembered::new(database().await, 10);
        remembered.put(remembered.start_reading(), TENANT, 1, &[A], "value");
        assert!(remembered.get(TenantId::from_i32(2), 1).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_believed_for_long() {
        let database = database().await;
        let remembered = Remembered::new(database, 10);
        remembered.put(remembered.start_reading(), TENANT, 1, &[A], "value");
        tokio::time::advance(BELIEVED_FOR).await;
        assert!(remembered.get(TENANT, 1).is_none());
    }

    #[tokio::test]
    async fn its_size_is_bounded() {
        let remembered = Remembered::new(database().await, 8);
        for key in 0..100 {
            remembered.put(remembered.start_reading(), TENANT, key, &[A], key);
            assert!(remembered.entries.lock().unwrap().len() <= 8);
            assert_eq!(remembered.get(TENANT, key).as_deref(), Some(&key));
        }
    }
}
