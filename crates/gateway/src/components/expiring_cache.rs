//! A small cache for answers that expire. Its size is bounded; when it is full, what has expired goes first, then
//! whatever lies there longest.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use base::Timestamp;

pub(crate) struct ExpiringCache<K, V> {
    capacity: usize,
    entries: Mutex<HashMap<K, Entry<V>>>,
}

struct Entry<V> {
    value: V,
    stored_at: Timestamp,
    expires_at: Timestamp,
}

impl<K: Eq + Hash + Clone, V: Clone> ExpiringCache<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), entries: Mutex::new(HashMap::new()) }
    }

    pub(crate) fn get(&self, key: &K, now: Timestamp) -> Option<V> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(key).filter(|entry| entry.expires_at > now).map(|entry| entry.value.clone())
    }

    pub(crate) fn put(&self, key: K, value: V, now: Timestamp, expires_at: Timestamp) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= self.capacity && !entries.contains_key(&key) {
            entries.retain(|_, entry| entry.expires_at > now);
            if entries.len() >= self.capacity {
                // A quarter at once, so that the search for the oldest is rare.
                let mut ages: Vec<Timestamp> = entries.values().map(|entry| entry.stored_at).collect();
                let place = ages.len() / 4;
                let (_, oldest_kept, _) = ages.select_nth_unstable(place);
                let oldest_kept = *oldest_kept;
                let mut surplus = place + 1;
                entries.retain(|_, entry| {
                    let goes = surplus > 0 && entry.stored_at <= oldest_kept;
                    surplus -= usize::from(goes);
                    !goes
                });
            }
        }
        entries.insert(key, Entry { value, stored_at: now, expires_at });
    }
}

impl<K, V> std::fmt::Debug for ExpiringCache<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExpiringCache").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    #[test]
    fn entries_expire() {
        let cache = ExpiringCache::new(10);
        cache.put("a", 1, at(0), at(10));
        assert_eq!(cache.get(&"a", at(9)), Some(1));
        assert_eq!(cache.get(&"a", at(10)), None);
        assert_eq!(cache.get(&"b", at(0)), None);
    }

    #[test]
    fn the_size_is_bounded_and_the_oldest_go_first() {
        let cache = ExpiringCache::new(8);
        for number in 0..20 {
            cache.put(number, number, at(number), at(1000));
            assert!(cache.entries.lock().unwrap().len() <= 8);
            assert_eq!(cache.get(&number, at(number)), Some(number));
        }
        assert_eq!(cache.get(&0, at(20)), None);
    }
}
