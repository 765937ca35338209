//! The relation tuples of a tenant in memory, indexed in both directions: the subjects of a userset, for checks, and the usersets
//! of a subject, for reverse questions.
//!
//! Most tuples cost 16 bytes in a table or 8 in a list, in each direction, and a share of the names. [`Graph::heap_bytes`]
//! counts what the graph holds.
//!
//! Invariants:
//! - There is at most one tuple with the same object, relation and subject.
//! - Both directions hold the same tuples.
//! - Numbers and names of objects are kept after their last tuple is deleted; a new graph does not have them
//!   ([`Graph::is_worth_renewing`]).
//!   Everything else that a deleted tuple took is used again.

mod blocks;
mod expiries;
mod postings;
mod reader;
mod table;
mod terms;
mod usage;

use super::evaluation::Terms;
use super::ids::{NameId, NamespaceId, RelationId, SubjectNumber, Userset};
use super::names::{Names, NamesAreFull};
use super::relation_tuple::{self, RelationTuple, StoredTuple, SubjectSet};
use super::symbols::{Symbols, TooManyNames};
use base::Timestamp;
use expiries::Expiries;
use postings::{Postings, SetChange};
use terms::TermsTable;
use usage::Usage;

pub use reader::GraphAt;

#[derive(Default)]
pub struct Graph {
    symbols: Symbols,
    names: Names,
    /// The subjects of each userset.
    forward: Postings,
    /// The usersets that each subject is a direct member of.
    reverse: Postings,
    terms: TermsTable,
    expiries: Expiries,
    usage: Usage,
    len: usize,
    removed: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    #[error(transparent)]
    NamesAreFull(#[from] NamesAreFull),
    #[error(transparent)]
    TooManyNames(#[from] TooManyNames),
}

impl Graph {
    /// Adds a tuple, or replaces the condition and expiry of the equal one. `false`: there was one.
    pub fn insert(&mut self, stored: &StoredTuple) -> Result<bool, GraphError> {
        let tuple = &stored.tuple;
        let userset = self.intern(&tuple.namespace, &tuple.object, &tuple.relation)?;
        let subject = match &tuple.subject {
            relation_tuple::Subject::Id(id) => Userset::id(self.names.intern(id)?),
            relation_tuple::Subject::Set(SubjectSet { namespace, object, relation }) => {
                self.intern(namespace, object, relation)?
            }
        };
        let name = stored.condition.as_ref().map(|it| self.symbols.intern_condition(&it.name)).transpose()?;
        let terms = Terms { condition: name, context: None, expires_at: stored.expires_at };
        let context = stored.condition.as_ref().and_then(|it| it.context.as_deref());
        Ok(self.insert_numbers(userset, subject, terms, context))
    }

    /// `false`: there is no such tuple.
    pub fn remove(&mut self, tuple: &RelationTuple) -> bool {
        let userset = self.find(&tuple.namespace, &tuple.object, &tuple.relation);
        let subject = self.find_subject(&tuple.subject);
        self.remove_numbers(userset, subject)
    }

    /// When the next tuple expires.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.expiries.first().map(|(at, ..)| at)
    }

    /// Removes tuples that had expired by `now`, at most `most` of them; returns how many.
    pub fn remove_expired(&mut self, now: Timestamp, most: usize) -> usize {
        let mut count = 0;
        while count < most
            && let Some((at, userset, subject)) = self.expiries.first()
            && at <= now
        {
            self.remove_numbers(userset, subject);
            // Otherwise an entry without a tuple would be found for ever.
            self.expiries.remove(Some(at), userset, subject);
            count += 1;
        }
        count
    }

    fn remove_numbers(&mut self, userset: Userset, subject: SubjectNumber) -> bool {
        let change = self.forward.remove(userset.bits(), subject.bits());
        if change == SetChange::None {
            return false;
        }
        let reverse = self.reverse.remove(subject.bits(), userset.bits());
        self.expiries.remove(self.terms.get(userset, subject).expires_at, userset, subject);
        self.terms.remove(userset, subject);
        self.usage.subtract(userset, subject);
        self.len -= 1;
        self.removed += 1;
        if change == SetChange::Key {
            self.forget_object(userset);
        }
        if reverse == SetChange::Key {
            self.forget_object(subject);
        }
        true
    }

    /// The number of a userset, for a question. What no tuple and no model names is unknown: it has no tuples, but a permit may
    /// hold without any.
    pub fn find(&self, namespace: &str, object: &str, relation: &str) -> Userset {
        let namespace = self.symbols.namespace(namespace).unwrap_or(NamespaceId::UNKNOWN);
        let relation = self.symbols.relation(relation).unwrap_or(RelationId::UNKNOWN);
        Userset::new(namespace, self.names.find(object).unwrap_or(NameId::UNKNOWN), relation)
    }

    pub fn find_subject(&self, subject: &relation_tuple::Subject) -> SubjectNumber {
        match subject {
            relation_tuple::Subject::Id(id) => Userset::id(self.names.find(id).unwrap_or(NameId::UNKNOWN)),
            relation_tuple::Subject::Set(set) => self.find(&set.namespace, &set.object, &set.relation),
        }
    }

    fn intern(&mut self, namespace: &str, object: &str, relation: &str) -> Result<Userset, GraphError> {
        let namespace = self.symbols.intern_namespace(namespace)?;
        let relation = self.symbols.intern_relation(relation)?;
        Ok(Userset::new(namespace, self.names.intern(object)?, relation))
    }

    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    /// For compiling a schema that this graph answers for.
    pub fn symbols_mut(&mut self) -> &mut Symbols {
        &mut self.symbols
    }

    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The number of tuples.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of usersets that have tuples, and of different subjects.
    pub fn key_counts(&self) -> (usize, usize) {
        (self.forward.key_count(), self.reverse.key_count())
    }

    /// More tuples were deleted than are left, so that a new graph needs about half of the memory; or deleted tuples were the last ones
    /// with many names of relations, whose numbers a new graph has for others.
    pub fn is_worth_renewing(&self) -> bool {
        let relations = self.symbols.relation_count();
        let lost_names = || {
            let unused = relations.saturating_sub(self.usage.relation_count());
            unused > relations / 8 && self.removed >= unused
        };
        self.removed > self.len.max(1 << 12) || (relations > 1 << 14 && lost_names())
    }

    /// The subjects of a userset's tuples, in their order.
    pub fn subjects_of(&self, userset: Userset) -> Vec<SubjectNumber> {
        let mut subjects = Vec::new();
        self.forward.visit(userset.bits(), 0..u64::MAX, |value| {
            subjects.push(Userset::from_bits(value));
            true
        });
        subjects
    }

    /// Visits all tuples, in no particular order, until `visit` returns `false`.
    pub fn for_each(&self, mut visit: impl FnMut(Userset, SubjectNumber) -> bool) {
        let mut goes = true;
        for key in self.forward.keys() {
            if !goes {
                break;
            }
            self.forward.visit(key, 0..u64::MAX, |value| {
                goes = visit(Userset::from_bits(key), Userset::from_bits(value));
                goes
            });
        }
    }

    /// The bytes of the heap that the graph holds, without what the allocator adds to them.
    pub fn heap_bytes(&self) -> usize {
        self.names.heap_bytes()
            + self.forward.heap_bytes()
            + self.reverse.heap_bytes()
            + self.terms.heap_bytes()
            + self.expiries.heap_bytes()
            + self.usage.heap_bytes()
    }

    fn insert_numbers(
        &mut self,
        userset: Userset,
        subject: SubjectNumber,
        terms: Terms,
        context: Option<&str>,
    ) -> bool {
        let change = self.forward.insert(userset.bits(), subject.bits());
        self.expiries.remove(self.terms.get(userset, subject).expires_at, userset, subject);
        self.expiries.add(terms.expires_at, userset, subject);
        self.terms.set(userset, subject, terms, context);
        if change == SetChange::None {
            return false;
        }
        if change == SetChange::Key {
            self.usage.add_object(userset);
        }
        if self.reverse.insert(subject.bits(), userset.bits()) == SetChange::Key {
            self.usage.add_object(subject);
        }
        self.usage.add(userset, subject);
        self.len += 1;
        true
    }

    /// Takes an object off the list of its namespace if no tuple names it any more.
    fn forget_object(&mut self, of: Userset) {
        let namespace = of.namespace();
        let in_use = |postings: &Postings, relation| postings.contains_key(of.with_relation(relation).bits());
        let is_object = self.usage.relations(namespace).any(|relation| in_use(&self.forward, relation));
        let is_subject = self.usage.subject_relations(namespace).any(|relation| in_use(&self.reverse, relation));
        if !is_object && !is_subject {
            self.usage.remove_object(of);
        }
    }
}

#[cfg(test)]
mod tests;
