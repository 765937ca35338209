//! A fast hash for integer keys that this process assigned itself.
//!
//! Invariant: no value from outside is hashed with it. A client cannot choose the number that its name gets, so it cannot
//! choose colliding keys either.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// 2^64 divided by the golden ratio, odd.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

#[derive(Clone, Copy, Default)]
pub struct IdHasher(u64);

pub type IdHash = BuildHasherDefault<IdHasher>;
pub type IdMap<K, V> = HashMap<K, V, IdHash>;
pub type IdSet<K> = HashSet<K, IdHash>;

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u16(&mut self, value: u16) {
        self.write_u64(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = mix(self.0.rotate_left(23) ^ value);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}

/// Both halves of the product, so that every bit of the key reaches the high and the low bits of the hash.
#[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
pub fn mix(value: u64) -> u64 {
    let product = u128::from(value ^ MULTIPLIER) * 0xa076_1d64_78bd_642f_u128;
    (product >> 64) as u64 ^ product as u64
}
