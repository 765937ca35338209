//! The memory of an evaluation, reused by the next one, so that a check allocates nothing once it is warm.
//!
//! Invariants:
//! - Answers are kept for one subject, one reader and one set of conditions: [`Scratch::reset`] forgets them.
//! - What is remembered for good depends on no open formula. A "no" that depends on one is remembered apart, and is valid only
//!   while that formula is open and no formula that was assumed to be "no" turned out otherwise.

use super::limits::Failure;
use super::outcome::{Others, Value};
use super::relations::Link;
use crate::domain::hashing::{IdMap, IdSet};
use crate::domain::ids::{RelationId, Userset};
use crate::domain::schema::FormulaId;

/// A map that held more than this is freed instead of emptied, because emptying costs as much as its capacity.
const KEPT_ENTRIES: usize = 1024;
/// Up to this many usersets are searched one by one, which is faster than a set.
const LISTED: usize = 24;

#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) answers: IdMap<Key, Known>,
    pub(super) assumed: IdMap<Key, Assumed>,
    pub(super) open: Vec<Open>,
    pub(super) next_serial: u32,
    /// Counts the formulas that were assumed to be "no" and were not.
    pub(super) refuted: u32,
    /// The formulas that are being explained.
    pub(super) explained: Vec<Key>,
    frames: Vec<Frame>,
}

/// What is evaluated by recursion, and what an answer is remembered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Userset(Userset),
    Formula(FormulaId, Userset),
    /// A subject set whose tuple has a condition without a value.
    Uncertain(Userset),
}

/// An answer, and the depth that was left when it was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) value: Value,
    pub(super) depth: u16,
}

/// A "no" that depends on an open formula.
#[derive(Clone, Copy, Debug)]
pub(super) struct Assumed {
    pub(super) serial: u32,
    pub(super) low: u32,
    pub(super) refuted: u32,
    pub(super) depth: u16,
}

/// A formula that is being evaluated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) key: Key,
    pub(super) serial: u32,
    pub(super) was_assumed: bool,
}

/// The state of the search of one union.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) current: Vec<Userset>,
    pub(super) next: Vec<Userset>,
    pub(super) visited: Visited,
    pub(super) links: Vec<Link>,
    /// Read after every userset of the same depth was asked for the subject itself, which is the cheaper read.
    pub(super) later: Vec<Later>,
    /// The depth that is left for the usersets of `current`.
    pub(super) depth: u16,
    pub(super) others: Others,
    /// Evaluated after everything that needs no recursion.
    pub(super) deferred: Vec<Deferred>,
}

/// Subjects that lead to other objects.
#[derive(Clone, Copy, Debug)]
pub(super) enum Later {
    Sets(Userset),
    Traverse { through: Userset, target: RelationId },
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Deferred {
    pub(super) key: Key,
    pub(super) depth: u16,
    /// For [`Key::Uncertain`]: why its tuple is uncertain.
    pub(super) failure: Option<Failure>,
}

#[derive(Debug, Default)]
pub(super) struct Visited {
    list: Vec<Userset>,
    set: IdSet<Userset>,
}

impl Scratch {
    /// Forgets all answers.
    pub fn reset(&mut self) {
        clear_map(&mut self.answers);
        clear_map(&mut self.assumed);
        self.open.clear();
        self.explained.clear();
        self.next_serial = 0;
        self.refuted = 0;
    }

    pub(super) fn take_frame(&mut self, depth: u16) -> Frame {
        let mut frame = self.frames.pop().unwrap_or_default();
        frame.depth = depth;
        frame.others = Others::default();
        frame
    }

    pub(super) fn give_back(&mut self, mut frame: Frame) {
        frame.current.clear();
        frame.next.clear();
        frame.links.clear();
        frame.later.clear();
        frame.deferred.clear();
        frame.visited.clear();
        for kept in [&mut frame.current, &mut frame.next] {
            kept.shrink_to(KEPT_ENTRIES);
        }
        frame.links.shrink_to(KEPT_ENTRIES);
        frame.later.shrink_to(KEPT_ENTRIES);
        frame.deferred.shrink_to(KEPT_ENTRIES);
        self.frames.push(frame);
    }

    /// A known answer that holds for the depth that is left: with more depth an answer stays, with less a failure stays.
    pub(super) fn known(&self, key: Key, depth: u16) -> Option<Value> {
        if self.answers.is_empty() {
            return None;
        }
        let known = self.answers.get(&key)?;
        let holds = match known.value {
            Value::Yes | Value::No => depth >= known.depth,
            Value::Failed(_) => depth <= known.depth,
            Value::Pending => false,
        };
        holds.then_some(known.value)
    }

    /// The lowest open formula that a "no" was assumed for, if it still is.
    pub(super) fn assumed(&self, key: Key, depth: u16) -> Option<u32> {
        let assumed = self.assumed.get(&key)?;
        let is_open = self.open.get(assumed.low as usize).is_some_and(|open| open.serial == assumed.serial);
        (is_open && assumed.refuted == self.refuted && depth >= assumed.depth).then_some(assumed.low)
    }
}

impl Visited {
    /// `false`: it was visited before.
    pub(super) fn insert(&mut self, userset: Userset) -> bool {
        if self.contains(userset) {
            return false;
        }
        if self.list.len() == LISTED && self.set.is_empty() {
            self.set.extend(self.list.iter().copied());
        }
        self.list.push(userset);
        if !self.set.is_empty() {
            self.set.insert(userset);
        }
        true
    }

    pub(super) fn contains(&self, userset: Userset) -> bool {
        if self.set.is_empty() { self.list.contains(&userset) } else { self.set.contains(&userset) }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Userset> + '_ {
        self.list.iter().copied()
    }

    fn clear(&mut self) {
        self.list.clear();
        self.list.shrink_to(KEPT_ENTRIES);
        if self.set.capacity() > KEPT_ENTRIES {
            self.set = IdSet::default();
        } else {
            self.set.clear();
        }
    }
}

fn clear_map<K, V>(map: &mut IdMap<K, V>) {
    if map.capacity() > KEPT_ENTRIES {
        *map = IdMap::default();
    } else {
        map.clear();
    }
}
