//! Which tuples expire when.

use std::collections::BTreeSet;

use base::Timestamp;

use crate::domain::ids::{SubjectNumber, Userset};

type Entry = (Timestamp, Userset, SubjectNumber);

/// What an entry takes in a tree whose nodes are two thirds full.
const ENTRY_BYTES: usize = size_of::<Entry>() * 3 / 2;

#[derive(Default)]
pub(super) struct Expiries(BTreeSet<Entry>);

impl Expiries {
    pub(super) fn add(&mut self, at: Option<Timestamp>, userset: Userset, subject: SubjectNumber) {
        if let Some(at) = at {
            self.0.insert((at, userset, subject));
        }
    }

    pub(super) fn remove(&mut self, at: Option<Timestamp>, userset: Userset, subject: SubjectNumber) {
        if let Some(at) = at {
            self.0.remove(&(at, userset, subject));
        }
    }

    /// The tuple that expires first.
    pub(super) fn first(&self) -> Option<Entry> {
        self.0.first().copied()
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.0.len() * ENTRY_BYTES
    }
}
