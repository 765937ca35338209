//! Short sorted lists of 64-bit values, in blocks of a few sizes.
//!
//! Blocks lie in pages. A freed block is linked in a list of its size and used again for a list of the same size.
//!
//! Invariant: a block never crosses a page.

/// How many values a block of each size holds.
const CAPACITIES: [usize; 15] = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];
/// The longest list that a block holds.
pub(super) const MOST: usize = CAPACITIES[CAPACITIES.len() - 1];
const PAGE: usize = 1 << 15;
const END: u64 = u64::MAX;

/// A list in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) class: usize,
    pub(super) len: usize,
    /// In values, from the first page on.
    pub(super) offset: u64,
}

pub(super) struct Blocks {
    pages: Vec<Vec<u64>>,
    /// The first freed block of each size.
    free: [u64; CAPACITIES.len()],
}

impl Default for Blocks {
    fn default() -> Self {
        Self { pages: Vec::new(), free: [END; CAPACITIES.len()] }
    }
}

impl Blocks {
    /// The values must be sorted and at most [`MOST`].
    pub(super) fn store(&mut self, values: &[u64]) -> Block {
        let class = CAPACITIES.iter().position(|capacity| *capacity >= values.len()).unwrap_or(CAPACITIES.len() - 1);
        let block = Block { class, len: values.len(), offset: self.allocate(class) };
        if let Some(slots) = self.slots(block) {
            slots[..values.len()].copy_from_slice(values);
        }
        block
    }

    pub(super) fn values(&self, block: Block) -> &[u64] {
        let (page, at) = split(block.offset);
        self.pages.get(page).and_then(|page| page.get(at..at + block.len)).unwrap_or_default()
    }

    /// `None`: the value is in the list already.
    pub(super) fn insert(&mut self, mut block: Block, value: u64) -> Option<Block> {
        let place = self.values(block).binary_search(&value).err()?;
        if block.len == CAPACITIES[block.class] {
            block = self.moved(block, block.class + 1);
        }
        let len = block.len;
        if let Some(slots) = self.slots(block) {
            slots.copy_within(place..len, place + 1);
            slots[place] = value;
        }
        block.len += 1;
        Some(block)
    }

    /// `None`: the value is not in the list. A list that fits half a block moves to a smaller one.
    pub(super) fn remove(&mut self, mut block: Block, value: u64) -> Option<Block> {
        let place = self.values(block).binary_search(&value).ok()?;
        let len = block.len;
        if let Some(slots) = self.slots(block) {
            slots.copy_within(place + 1..len, place);
        }
        block.len -= 1;
        if block.class >= 2 && block.len <= CAPACITIES[block.class - 2] {
            block = self.moved(block, block.class - 2);
        }
        Some(block)
    }

    /// The list in a block of another size, which must be large enough.
    fn moved(&mut self, block: Block, class: usize) -> Block {
        let moved = Block { class, len: block.len, offset: self.allocate(class) };
        for index in 0..block.len {
            let value = self.values(block)[index];
            if let Some(slots) = self.slots(moved) {
                slots[index] = value;
            }
        }
        self.free(block);
        moved
    }

    pub(super) fn free(&mut self, block: Block) {
        let next = self.free[block.class];
        if let Some(slots) = self.slots(block) {
            slots[0] = next;
            self.free[block.class] = block.offset;
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let pages: usize = self.pages.iter().map(|page| page.capacity() * size_of::<u64>()).sum();
        pages + self.pages.capacity() * size_of::<Vec<u64>>()
    }

    fn allocate(&mut self, class: usize) -> u64 {
        let freed = self.free[class];
        if freed != END {
            let block = Block { class, len: 1, offset: freed };
            self.free[class] = self.values(block).first().copied().unwrap_or(END);
            return freed;
        }
        let capacity = CAPACITIES[class];
        if self.pages.last().is_none_or(|page| page.len() + capacity > PAGE) {
            // The first page grows, so that a small tenant costs little.
            self.pages.push(Vec::with_capacity(if self.pages.is_empty() { 0 } else { PAGE }));
        }
        let index = self.pages.len() - 1;
        let at = self.pages[index].len();
        self.pages[index].resize(at + capacity, 0);
        (index * PAGE + at) as u64
    }

    /// All places of a block, used or not.
    fn slots(&mut self, block: Block) -> Option<&mut [u64]> {
        let (page, at) = split(block.offset);
        self.pages.get_mut(page)?.get_mut(at..at + CAPACITIES[block.class])
    }
}

#[expect(clippy::cast_possible_truncation, reason = "an offset in pages of this process")]
fn split(offset: u64) -> (usize, usize) {
    ((offset / PAGE as u64) as usize, (offset % PAGE as u64) as usize)
}
