//! The names of objects and subject ids, each stored once, and their numbers.
//!
//! Names lie in one arena behind their length. A table of numbers, ordered by hash, finds the number of a name; half of the
//! hash is kept beside the number, so that a lookup reads the arena about once.
//!
//! The table is not that of the graph (`graph/table.rs`), which has keys of 64 bits that are unique, removes entries, and takes 16
//! bytes a place. Two names may have the same half of a hash, and only the arena says which one is meant; nothing is removed; and a
//! place takes 8 bytes. One table for both would take 8 bytes more for each name, and compare keys through a function.
//!
//! Invariants:
//! - A number is never reused and its name never freed. After the deletion of many tuples a new index is loaded.
//! - Names come from outside: they are hashed with a random key, so that nobody can prepare names that collide.

use std::hash::{BuildHasher, RandomState};

use super::ids::NameId;

/// The arena's names are more bytes, or more names, than a 32-bit number can count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the names of a tenant's objects take more than 16 GiB; they do not fit an index in memory")]
pub struct NamesAreFull;

/// Positions in the arena are multiples of this many bytes.
const ALIGNMENT: usize = 4;
const CHUNK_BYTES: usize = 1 << 20;
/// The most bytes that the length of a name takes.
const LENGTH_BYTES: usize = 5;
/// Of 100 places of the table, so many are used before it grows.
const FULL_PERCENT: usize = 85;
const EMPTY: Entry = Entry { hash: 0, number: 0 };

#[derive(Clone, Copy)]
struct Entry {
    hash: u32,
    /// Zero in an empty place.
    number: u32,
}

pub struct Names {
    hasher: RandomState,
    table: Vec<Entry>,
    /// For each number but 0, where its name begins, in units of [`ALIGNMENT`].
    positions: Vec<Vec<u32>>,
    count: u32,
    chunks: Vec<Vec<u8>>,
}

const POSITIONS_PER_BLOCK: usize = 1 << 16;

impl Default for Names {
    fn default() -> Self {
        let table = vec![EMPTY; 16];
        Self { hasher: RandomState::new(), table, positions: Vec::new(), count: 0, chunks: Vec::new() }
    }
}

impl Names {
    pub fn find(&self, name: &str) -> Option<NameId> {
        self.find_hashed(name, self.hash(name))
    }

    fn find_hashed(&self, name: &str, hash: u32) -> Option<NameId> {
        let mut place = place_of(hash, self.table.len());
        loop {
            let entry = self.table.get(place)?;
            if entry.number == 0 {
                return None;
            }
            if entry.hash == hash && self.bytes(NameId(entry.number)) == name.as_bytes() {
                return Some(NameId(entry.number));
            }
            place = next(place, self.table.len());
        }
    }

    pub fn intern(&mut self, name: &str) -> Result<NameId, NamesAreFull> {
        let hash = self.hash(name);
        if let Some(found) = self.find_hashed(name, hash) {
            return Ok(found);
        }
        let number = self.count + 1;
        if number == NameId::UNKNOWN.0 {
            return Err(NamesAreFull);
        }
        let position = self.store(name)?;
        if self.positions.last().is_none_or(|block| block.len() == POSITIONS_PER_BLOCK) {
            // The first block grows, so that a small tenant costs little.
            let capacity = if self.positions.is_empty() { 0 } else { POSITIONS_PER_BLOCK };
            self.positions.push(Vec::with_capacity(capacity));
        }
        if let Some(block) = self.positions.last_mut() {
            block.push(position);
        }
        self.count = number;
        if self.count as usize * 100 > self.table.len() * FULL_PERCENT {
            self.grow();
        }
        put(&mut self.table, Entry { hash, number });
        Ok(NameId(number))
    }

    /// The name of a number that this table assigned; empty for any other.
    pub fn name(&self, id: NameId) -> &str {
        std::str::from_utf8(self.bytes(id)).unwrap_or_default()
    }

    /// The name in UTF-8. Its bytes have the order of its characters.
    pub fn bytes(&self, id: NameId) -> &[u8] {
        self.find_bytes(id).unwrap_or_default()
    }

    pub fn len(&self) -> usize {
        self.count as usize
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The bytes of the heap that this table holds.
    pub fn heap_bytes(&self) -> usize {
        let blocks: usize = self.positions.iter().map(|block| block.capacity() * size_of::<u32>()).sum();
        let chunks: usize = self.chunks.iter().map(Vec::capacity).sum();
        self.table.capacity() * size_of::<Entry>() + blocks + chunks
    }

    fn hash(&self, name: &str) -> u32 {
        (self.hasher.hash_one(name) >> 32) as u32
    }

    fn find_bytes(&self, id: NameId) -> Option<&[u8]> {
        let index = (id.0 as usize).checked_sub(1)?;
        let position = *self.positions.get(index / POSITIONS_PER_BLOCK)?.get(index % POSITIONS_PER_BLOCK)?;
        let at = position as usize * ALIGNMENT;
        let chunk = self.chunks.get(at / CHUNK_BYTES)?;
        let (length, width) = read_length(chunk.get(at % CHUNK_BYTES..)?)?;
        let start = at % CHUNK_BYTES + width;
        chunk.get(start..start + length)
    }

    /// Appends a name behind its length and returns its position. A name longer than the rest of the chunk begins a new one,
    /// which is longer than the others if it must be: the name begins where the chunk does, so its position still names it.
    fn store(&mut self, name: &str) -> Result<u32, NamesAreFull> {
        let needed = name.len() + LENGTH_BYTES;
        let used = self.chunks.last().map_or(CHUNK_BYTES, Vec::len);
        if used + needed > CHUNK_BYTES {
            let capacity = if self.chunks.is_empty() { 0 } else { needed.next_multiple_of(ALIGNMENT).max(CHUNK_BYTES) };
            self.chunks.push(Vec::with_capacity(capacity));
        }
        let index = self.chunks.len() - 1;
        let chunk = self.chunks.last_mut().ok_or(NamesAreFull)?;
        let position = (index * CHUNK_BYTES + chunk.len()) / ALIGNMENT;
        let position = u32::try_from(position).map_err(|_| NamesAreFull)?;
        write_length(chunk, name.len());
        chunk.extend_from_slice(name.as_bytes());
        chunk.resize(chunk.len().next_multiple_of(ALIGNMENT), 0);
        Ok(position)
    }

    /// The table is ordered by hash, so the larger table is filled from its front to its end.
    fn grow(&mut self) {
        let mut larger = vec![EMPTY; self.table.len() * 4 / 3 + 16];
        for entry in self.table.iter().filter(|entry| entry.number != 0) {
            put(&mut larger, *entry);
        }
        self.table = larger;
    }
}

fn put(table: &mut [Entry], entry: Entry) {
    let mut place = place_of(entry.hash, table.len());
    while table[place].number != 0 {
        place = next(place, table.len());
    }
    table[place] = entry;
}

fn place_of(hash: u32, places: usize) -> usize {
    ((u64::from(hash) * places as u64) >> 32) as usize
}

fn next(place: usize, places: usize) -> usize {
    if place + 1 == places { 0 } else { place + 1 }
}

/// Seven bits a byte, the lowest first; the highest bit says that another byte follows.
#[expect(clippy::cast_possible_truncation, reason = "the bits of one byte")]
fn write_length(bytes: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
}

fn read_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut length = 0;
    for (index, byte) in bytes.iter().take(LENGTH_BYTES).enumerate() {
        length |= ((byte & 0x7f) as usize) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((length, index + 1));
        }
    }
    None
}
