//! A reader that answers from what was fetched before and notes what is missing.
//!
//! A driver evaluates, fetches all [`Read`]s of the round at once, stores what it found, and evaluates again, until nothing is
//! pending. It is the reader for every store that cannot be read in place.
//!
//! Invariants:
//! - A read is noted once per round, and never again after it was answered.
//! - What was fetched comes from one point of the store's history; the driver sees to that.

use std::task::Poll;

use super::relations::{ContextId, Link, Relations, SubjectKind, Terms};
use super::reverse::{Directory, Membership, Of};
use crate::domain::hashing::{IdMap, IdSet};
use crate::domain::ids::{NameId, NamespaceId, RelationId, SubjectNumber, Userset};
use crate::domain::names::Names;

/// A read of the store, as the methods of [`Relations`] and [`Directory`] describe it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Read {
    Tuple { userset: Userset, subject: SubjectNumber },
    Subjects { userset: Userset, kind: SubjectKind, limit: usize },
    SubjectsOfType { userset: Userset, namespace: NamespaceId, relation: RelationId, limit: usize },
    Memberships { of: Of, limit: usize },
    Objects { namespace: NamespaceId, limit: usize },
    HasMoreSets { userset: Userset, breadth: usize },
    RelationsInUse { namespace: NamespaceId },
}

/// What a read found. `has_more`: the store has more than the limit of the read.
#[derive(Clone, Debug)]
pub enum Found {
    /// For [`Read::Tuple`].
    Tuple(Option<Terms>),
    /// For [`Read::Subjects`], in the order of their texts, and [`Read::SubjectsOfType`].
    Links { links: Vec<Link>, has_more: bool },
    /// For [`Read::Memberships`].
    Memberships { memberships: Vec<Membership>, has_more: bool },
    /// For [`Read::Objects`].
    Objects { objects: Vec<NameId>, has_more: bool },
    /// For [`Read::HasMoreSets`].
    HasMoreSets(bool),
    /// For [`Read::RelationsInUse`].
    Relations(Vec<RelationId>),
}

/// What the rounds before found, and the reads of the present round.
#[derive(Default)]
pub struct Rounds {
    found: IdMap<Read, Found>,
    contexts: Vec<Box<str>>,
    names: Names,
    missing: Vec<Read>,
    noted: IdSet<Read>,
}

impl Rounds {
    /// The names of the request, for numbers of objects and subject ids.
    pub fn names(&mut self) -> &mut Names {
        &mut self.names
    }

    pub fn known_names(&self) -> &Names {
        &self.names
    }

    /// The reads that the last evaluation lacked.
    pub fn take_missing(&mut self) -> Vec<Read> {
        self.noted.clear();
        std::mem::take(&mut self.missing)
    }

    /// Forgets what was found, but not the names, so that everything is read again.
    pub fn forget(&mut self) {
        self.found.clear();
        self.contexts.clear();
    }

    /// Stores what a read found.
    pub fn answer(&mut self, read: Read, found: Found) {
        self.found.insert(read, found);
    }

    /// Keeps the context of a tuple, for its [`Terms`].
    pub fn keep_context(&mut self, context: &str) -> ContextId {
        self.contexts.push(context.into());
        ContextId(u32::try_from(self.contexts.len() - 1).unwrap_or(u32::MAX))
    }

    /// Takes from what was found for the read. A find of another kind than the read is as good as none.
    fn take<T>(&mut self, read: Read, take: impl FnOnce(&Found) -> Option<T>) -> Poll<T> {
        if let Some(value) = self.found.get(&read).and_then(take) {
            return Poll::Ready(value);
        }
        if self.noted.insert(read) {
            self.missing.push(read);
        }
        Poll::Pending
    }
}

impl Relations for Rounds {
    fn tuple(&mut self, userset: Userset, subject: SubjectNumber) -> Poll<Option<Terms>> {
        self.take(Read::Tuple { userset, subject }, |found| match found {
            Found::Tuple(terms) => Some(*terms),
            _ => None,
        })
    }

    fn subjects(&mut self, userset: Userset, kind: SubjectKind, limit: usize, into: &mut Vec<Link>) -> Poll<bool> {
        self.take(Read::Subjects { userset, kind, limit }, |found| links(found, into))
    }

    fn context(&self, id: ContextId) -> Option<&str> {
        self.contexts.get(id.0 as usize).map(|context| &**context)
    }
}

impl Directory for Rounds {
    /// Stores answer in this order.
    fn subjects_by_text(
        &mut self,
        userset: Userset,
        kind: SubjectKind,
        limit: usize,
        into: &mut Vec<Link>,
    ) -> Poll<usize> {
        let before = into.len();
        self.subjects(userset, kind, limit, into).map(|has_more| into.len() - before + usize::from(has_more))
    }

    fn memberships(&mut self, of: Of, limit: usize, into: &mut Vec<Membership>) -> Poll<bool> {
        self.take(Read::Memberships { of, limit }, |found| match found {
            Found::Memberships { memberships, has_more } => {
                into.extend_from_slice(memberships);
                Some(*has_more)
            }
            _ => None,
        })
    }

    fn subjects_of_type(
        &mut self,
        userset: Userset,
        (namespace, relation): (NamespaceId, RelationId),
        limit: usize,
        into: &mut Vec<Link>,
    ) -> Poll<bool> {
        self.take(Read::SubjectsOfType { userset, namespace, relation, limit }, |found| links(found, into))
    }

    fn objects(&mut self, namespace: NamespaceId, limit: usize, into: &mut Vec<NameId>) -> Poll<bool> {
        self.take(Read::Objects { namespace, limit }, |found| match found {
            Found::Objects { objects, has_more } => {
                into.extend_from_slice(objects);
                Some(*has_more)
            }
            _ => None,
        })
    }

    fn has_more_sets(&mut self, userset: Userset, breadth: usize) -> Poll<bool> {
        self.take(Read::HasMoreSets { userset, breadth }, |found| match found {
            Found::HasMoreSets(has_more) => Some(*has_more),
            _ => None,
        })
    }

    fn relations_in_use(&mut self, namespace: NamespaceId, into: &mut Vec<RelationId>) -> Poll<()> {
        self.take(Read::RelationsInUse { namespace }, |found| match found {
            Found::Relations(relations) => {
                into.extend_from_slice(relations);
                Some(())
            }
            _ => None,
        })
    }

    fn name(&self, name: NameId) -> &[u8] {
        self.names.bytes(name)
    }
}

fn links(found: &Found, into: &mut Vec<Link>) -> Option<bool> {
    match found {
        Found::Links { links, has_more } => {
            into.extend_from_slice(links);
            Some(*has_more)
        }
        _ => None,
    }
}
