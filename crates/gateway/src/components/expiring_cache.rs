//! A bounded cache of values that expire.

use std::hash::Hash;

use base::Timestamp;
use quick_cache::sync::Cache;

pub(crate) struct ExpiringCache<K, V>(Cache<K, Entry<V>>);

#[derive(Clone)]
struct Entry<V> {
    value: V,
    expires_at: Timestamp,
}

impl<K: Eq + Hash, V: Clone> ExpiringCache<K, V> {
    /// A cache for at most `capacity` entries. The least used entries are evicted first.
    pub(crate) fn new(capacity: usize) -> Self {
        Self(Cache::new(capacity.max(1)))
    }

    pub(crate) fn get(&self, key: &K, now: Timestamp) -> Option<V> {
        self.0.get(key).filter(|entry| entry.expires_at > now).map(|entry| entry.value)
    }

    pub(crate) fn put(&self, key: K, value: V, expires_at: Timestamp) {
        self.0.insert(key, Entry { value, expires_at });
    }
}

impl<K, V> std::fmt::Debug for ExpiringCache<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExpiringCache").finish_non_exhaustive()
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
        cache.put("a", 1, at(10));
        assert_eq!(cache.get(&"a", at(9)), Some(1));
        assert_eq!(cache.get(&"a", at(10)), None);
        assert_eq!(cache.get(&"b", at(0)), None);
        cache.put("a", 2, at(20));
        assert_eq!(cache.get(&"a", at(10)), Some(2));
    }

    #[test]
    fn the_size_is_bounded_and_the_newest_entry_is_kept() {
        let cache = ExpiringCache::new(8);
        for number in 0..100 {
            cache.put(number, number, at(1000));
            assert!(cache.0.len() <= 8);
            assert_eq!(cache.get(&number, at(0)), Some(number));
        }
    }
}
