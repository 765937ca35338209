//! Sets of 64-bit values by key: the subjects of a userset, or the usersets of a subject.
//!
//! One value lies in the table itself, a short list in a block, a long one in a compressed bitmap, so that sets of every size
//! answer in constant or logarithmic time and take few bytes.
//!
//! Invariant: keys and values are nonzero and below 2^63. An empty set has no key.

use std::ops::Range;

use roaring::RoaringTreemap;

use super::blocks::{Block, Blocks, MOST};
use super::table::Table;

/// A bitmap that shrinks to this many values becomes a list again.
const LIST_AGAIN: u64 = MOST as u64 / 2;

const LISTED: u64 = 1 << 63;
const LARGE: u64 = 1 << 62;
const CLASS_SHIFT: u32 = 56;
const LEN_SHIFT: u32 = 40;
const OFFSET: u64 = (1 << LEN_SHIFT) - 1;

#[derive(Default)]
pub(super) struct Postings {
    table: Table,
    blocks: Blocks,
    large: Vec<Large>,
    free_large: Vec<usize>,
}

/// A bitmap that knows how many values it has: to count them takes a step for each of its containers.
#[derive(Default)]
struct Large {
    values: RoaringTreemap,
    len: u64,
}

impl Large {
    fn new(values: &[u64]) -> Self {
        Self { values: values.iter().copied().collect(), len: values.len() as u64 }
    }

    /// Whether the value is new.
    fn insert(&mut self, value: u64) -> bool {
        let is_new = self.values.insert(value);
        self.len += u64::from(is_new);
        is_new
    }

    /// Whether the value was there.
    fn remove(&mut self, value: u64) -> bool {
        let is_removed = self.values.remove(value);
        self.len -= u64::from(is_removed);
        is_removed
    }
}

enum Set {
    One(u64),
    Block(Block),
    Large(usize),
}

impl Set {
    fn decode(payload: u64) -> Self {
        if payload & LISTED == 0 {
            return Self::One(payload);
        }
        if payload & LARGE != 0 {
            return Self::Large((payload & OFFSET) as usize);
        }
        let class = (payload >> CLASS_SHIFT & 0x3f) as usize;
        Self::Block(Block { class, len: (payload >> LEN_SHIFT & 0xffff) as usize, offset: payload & OFFSET })
    }

    fn encode(self) -> u64 {
        match self {
            Self::One(value) => value,
            Self::Large(index) => LISTED | LARGE | index as u64,
            Self::Block(Block { class, len, offset }) => {
                LISTED | (class as u64) << CLASS_SHIFT | (len as u64) << LEN_SHIFT | offset
            }
        }
    }
}

/// What a change did to the set of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetChange {
    /// Nothing: the value was in the set already, or was not in it.
    None,
    /// The set has one value more, or less.
    Value,
    /// The key is new, or gone.
    Key,
}

impl Postings {
    pub(super) fn insert(&mut self, key: u64, value: u64) -> SetChange {
        let Some(payload) = self.table.get(key) else {
            self.table.insert(key, Set::One(value).encode());
            return SetChange::Key;
        };
        let set = match Set::decode(payload) {
            Set::One(one) if one == value => return SetChange::None,
            Set::One(one) => Set::Block(self.blocks.store(&[one.min(value), one.max(value)])),
            Set::Block(block) if block.len == MOST => {
                let values = self.blocks.values(block);
                if values.binary_search(&value).is_ok() {
                    return SetChange::None;
                }
                let mut large = Large::new(values);
                large.insert(value);
                self.blocks.free(block);
                Set::Large(self.store_large(large))
            }
            Set::Block(block) => match self.blocks.insert(block, value) {
                Some(block) => Set::Block(block),
                None => return SetChange::None,
            },
            Set::Large(index) => {
                let is_new = self.large.get_mut(index).is_some_and(|large| large.insert(value));
                return if is_new { SetChange::Value } else { SetChange::None };
            }
        };
        self.update(key, set);
        SetChange::Value
    }

    pub(super) fn remove(&mut self, key: u64, value: u64) -> SetChange {
        let Some(payload) = self.table.get(key) else { return SetChange::None };
        let set = match Set::decode(payload) {
            Set::One(one) if one == value => {
                self.table.remove(key);
                return SetChange::Key;
            }
            Set::One(_) => return SetChange::None,
            Set::Block(block) => match self.blocks.remove(block, value) {
                None => return SetChange::None,
                Some(block) => self.shortened(block),
            },
            Set::Large(index) => {
                let Some(large) = self.large.get_mut(index) else { return SetChange::None };
                if !large.remove(value) {
                    return SetChange::None;
                }
                if large.len > LIST_AGAIN {
                    return SetChange::Value;
                }
                let values: Vec<u64> = std::mem::take(large).values.iter().collect();
                self.free_large.push(index);
                Set::Block(self.blocks.store(&values))
            }
        };
        self.update(key, set);
        SetChange::Value
    }

    fn shortened(&mut self, block: Block) -> Set {
        if let [only] = *self.blocks.values(block) {
            self.blocks.free(block);
            return Set::One(only);
        }
        Set::Block(block)
    }

    fn store_large(&mut self, large: Large) -> usize {
        if let Some(index) = self.free_large.pop() {
            self.large[index] = large;
            return index;
        }
        self.large.push(large);
        self.large.len() - 1
    }

    fn update(&mut self, key: u64, set: Set) {
        if let Some(payload) = self.table.get_mut(key) {
            *payload = set.encode();
        }
    }

    pub(super) fn contains(&self, key: u64, value: u64) -> bool {
        match self.table.get(key).map(Set::decode) {
            None => false,
            Some(Set::One(one)) => one == value,
            Some(Set::Block(block)) => self.blocks.values(block).binary_search(&value).is_ok(),
            Some(Set::Large(index)) => self.large.get(index).is_some_and(|large| large.values.contains(value)),
        }
    }

    pub(super) fn contains_key(&self, key: u64) -> bool {
        self.table.get(key).is_some()
    }

    /// Visits the values of a set that lie in a range, in their order, until `visit` returns `false`.
    pub(super) fn visit(&self, key: u64, range: Range<u64>, mut visit: impl FnMut(u64) -> bool) {
        match self.table.get(key).map(Set::decode) {
            None => {}
            Some(Set::One(one)) => {
                let _ = range.contains(&one) && visit(one);
            }
            Some(Set::Block(block)) => {
                let values = self.blocks.values(block);
                let first = values.partition_point(|value| *value < range.start);
                values[first..].iter().take_while(|value| **value < range.end).all(|value| visit(*value));
            }
            Some(Set::Large(index)) => {
                let Some(large) = self.large.get(index) else { return };
                let mut values = large.values.iter();
                values.advance_to(range.start);
                values.take_while(|value| *value < range.end).all(visit);
            }
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = u64> + '_ {
        self.table.iter().map(|(key, _)| key)
    }

    pub(super) fn key_count(&self) -> usize {
        self.table.len()
    }

    /// Bitmaps count with their serialized size and what a container adds to it in memory.
    pub(super) fn heap_bytes(&self) -> usize {
        const CONTAINER_BYTES: usize = 48;
        let bitmaps = self.large.iter().flat_map(|large| large.values.bitmaps());
        let large: usize = bitmaps
            .map(|(_, bitmap)| {
                let statistics = bitmap.statistics();
                bitmap.serialized_size() + statistics.n_containers as usize * CONTAINER_BYTES
            })
            .sum();
        let lists = self.large.capacity() * size_of::<Large>() + self.free_large.capacity() * size_of::<usize>();
        self.table.heap_bytes() + self.blocks.heap_bytes() + large + lists
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::testing::generator::Dice;

    #[test]
    fn a_bitmap_knows_how_many_values_it_has_without_counting_them() {
        const KEY: u64 = 1;
        let (mut dice, mut postings, mut expected) = (Dice::new(7), Postings::default(), BTreeSet::new());
        let mut bitmaps = 0;
        for round in 0..40_000 {
            // A container has 2^16 values: most of these have one for themselves.
            let value = 1 + ((dice.below(2_000) as u64) << 14);
            let removes = if (round / 5_000) % 2 == 0 { 20 } else { 80 };
            if dice.percent(removes) {
                assert_eq!(postings.remove(KEY, value) != SetChange::None, expected.remove(&value));
            } else {
                assert_eq!(postings.insert(KEY, value) != SetChange::None, expected.insert(value));
            }
            if let Some(Set::Large(index)) = postings.table.get(KEY).map(Set::decode) {
                bitmaps += 1;
                assert_eq!(postings.large[index].len, expected.len() as u64);
                assert!(postings.large[index].len > LIST_AGAIN);
            }
        }
        assert!(bitmaps > 1_000, "{bitmaps}");
    }
}
