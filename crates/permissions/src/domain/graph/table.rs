//! A hash table from a nonzero 64-bit key to a 64-bit payload, 16 bytes a place.
//!
//! Entries stand in the order of their hash, near the place that their hash points at (linear probing), so a lookup reads one
//! cache line in most cases and growing copies from front to end. The table is split by hash: each shard grows alone, by a
//! third, so that few places are empty and no insertion stops for long.
//!
//! Invariant: the key 0 marks an empty place and is never stored.

use crate::domain::hashing::mix;

const SHARD_BITS: u32 = 6;
/// Of 100 places of a shard, so many are used before it grows.
const FULL_PERCENT: usize = 85;

#[derive(Clone, Copy, Default)]
struct Place {
    key: u64,
    payload: u64,
}

#[derive(Default)]
struct Shard {
    places: Vec<Place>,
    used: usize,
}

pub(super) struct Table {
    shards: Vec<Shard>,
    len: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self { shards: (0..1 << SHARD_BITS).map(|_| Shard::default()).collect(), len: 0 }
    }
}

impl Table {
    pub(super) fn get(&self, key: u64) -> Option<u64> {
        let hash = mix(key);
        let shard = self.shards.get(shard_of(hash))?;
        shard.find(key, hash).map(|place| shard.places[place].payload)
    }

    pub(super) fn get_mut(&mut self, key: u64) -> Option<&mut u64> {
        let hash = mix(key);
        let shard = self.shards.get_mut(shard_of(hash))?;
        let place = shard.find(key, hash)?;
        Some(&mut shard.places[place].payload)
    }

    /// The key must not be in the table.
    pub(super) fn insert(&mut self, key: u64, payload: u64) {
        let hash = mix(key);
        if let Some(shard) = self.shards.get_mut(shard_of(hash)) {
            shard.insert(Place { key, payload }, hash);
            self.len += 1;
        }
    }

    pub(super) fn remove(&mut self, key: u64) {
        let hash = mix(key);
        let Some(shard) = self.shards.get_mut(shard_of(hash)) else { return };
        if let Some(place) = shard.find(key, hash) {
            shard.remove(place);
            self.len -= 1;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let places = self.shards.iter().flat_map(|shard| &shard.places);
        places.filter(|place| place.key != 0).map(|place| (place.key, place.payload))
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let places: usize = self.shards.iter().map(|shard| shard.places.capacity() * size_of::<Place>()).sum();
        places + self.shards.capacity() * size_of::<Shard>()
    }
}

impl Shard {
    fn find(&self, key: u64, hash: u64) -> Option<usize> {
        if self.used == 0 {
            return None;
        }
        let mut at = home(hash, self.places.len());
        loop {
            let place = self.places.get(at)?;
            if place.key == key {
                return Some(at);
            }
            if place.key == 0 {
                return None;
            }
            at = next(at, self.places.len());
        }
    }

    fn insert(&mut self, place: Place, hash: u64) {
        if (self.used + 1) * 100 > self.places.len() * FULL_PERCENT {
            let places = vec![Place::default(); self.places.len() * 4 / 3 + 4];
            for moved in std::mem::replace(&mut self.places, places) {
                if moved.key != 0 {
                    self.put(moved, mix(moved.key));
                }
            }
        }
        self.put(place, hash);
        self.used += 1;
    }

    fn put(&mut self, place: Place, hash: u64) {
        let mut at = home(hash, self.places.len());
        while self.places[at].key != 0 {
            at = next(at, self.places.len());
        }
        self.places[at] = place;
    }

    /// Moves later entries back, so that none is behind an empty place that a search would end at.
    fn remove(&mut self, removed: usize) {
        let places = self.places.len();
        let mut empty = removed;
        let mut at = next(removed, places);
        while self.places[at].key != 0 {
            let home = home(mix(self.places[at].key), places);
            let distance = |from: usize| (at + places - from) % places;
            if distance(home) >= distance(empty) {
                self.places[empty] = self.places[at];
                empty = at;
            }
            at = next(at, places);
        }
        self.places[empty] = Place::default();
        self.used -= 1;
        if self.used == 0 {
            self.places = Vec::new();
        }
    }
}

fn shard_of(hash: u64) -> usize {
    (hash >> (64 - SHARD_BITS)) as usize
}

#[expect(clippy::cast_possible_truncation, reason = "less than `places`")]
/// Where a hash points at, so that larger hashes point further back.
fn home(hash: u64, places: usize) -> usize {
    ((u128::from(hash << SHARD_BITS) * places as u128) >> 64) as usize
}

fn next(at: usize, places: usize) -> usize {
    if at + 1 == places { 0 } else { at + 1 }
}
