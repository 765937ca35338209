//! Which relations have tuples, and which objects exist in a namespace.
//!
//! A check asks for many usersets of relations that have no tuples at all, such as permits; a counter answers these without a
//! read of the index.

use std::collections::HashSet;

use roaring::RoaringBitmap;

use crate::domain::hashing::IdMap;
use crate::domain::ids::{NameId, NamespaceId, RelationId, SubjectNumber, Userset};

/// A namespace and a relation, as the upper half of a [`Userset`].
type Kind = u32;

#[derive(Default)]
pub(super) struct Usage {
    tuples: IdMap<Kind, Counts>,
    /// How many tuples have a subject of this kind.
    subjects: IdMap<Kind, u64>,
    objects: IdMap<NamespaceId, RoaringBitmap>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    tuples: u64,
    /// Those whose subject is an object or a set.
    objects: u64,
    sets: u64,
}

impl Usage {
    pub(super) fn add(&mut self, userset: Userset, subject: SubjectNumber) {
        let counts = self.tuples.entry(kind(userset)).or_default();
        counts.tuples += 1;
        counts.objects += u64::from(!subject.is_id());
        counts.sets += u64::from(subject.is_set());
        *self.subjects.entry(kind(subject)).or_default() += 1;
    }

    pub(super) fn subtract(&mut self, userset: Userset, subject: SubjectNumber) {
        if let Some(counts) = self.tuples.get_mut(&kind(userset)) {
            counts.tuples -= 1;
            counts.objects -= u64::from(!subject.is_id());
            counts.sets -= u64::from(subject.is_set());
            if counts.tuples == 0 {
                self.tuples.remove(&kind(userset));
            }
        }
        if let Some(count) = self.subjects.get_mut(&kind(subject)) {
            *count -= 1;
            if *count == 0 {
                self.subjects.remove(&kind(subject));
            }
        }
    }

    pub(super) fn add_object(&mut self, of: Userset) {
        self.objects.entry(of.namespace()).or_default().insert(of.name().0);
    }

    pub(super) fn remove_object(&mut self, of: Userset) {
        if let Some(objects) = self.objects.get_mut(&of.namespace()) {
            objects.remove(of.name().0);
        }
    }

    pub(super) fn has_tuples(&self, userset: Userset) -> bool {
        self.tuples.contains_key(&kind(userset))
    }

    pub(super) fn is_subject(&self, subject: SubjectNumber) -> bool {
        self.subjects.contains_key(&kind(subject))
    }

    pub(super) fn has_objects(&self, userset: Userset) -> bool {
        self.tuples.get(&kind(userset)).is_some_and(|counts| counts.objects > 0)
    }

    pub(super) fn has_sets(&self, userset: Userset) -> bool {
        self.tuples.get(&kind(userset)).is_some_and(|counts| counts.sets > 0)
    }

    /// The relations of a namespace that have tuples.
    pub(super) fn relations(&self, namespace: NamespaceId) -> impl Iterator<Item = RelationId> + '_ {
        let kinds = self.tuples.keys().map(|kind| split(*kind));
        kinds.filter(move |(of, _)| *of == namespace).map(|(_, relation)| relation)
    }

    /// The relations of the subjects of a namespace; the empty one for objects and ids.
    pub(super) fn subject_relations(&self, namespace: NamespaceId) -> impl Iterator<Item = RelationId> + '_ {
        let kinds = self.subjects.keys().map(|kind| split(*kind));
        kinds.filter(move |(of, _)| *of == namespace).map(|(_, relation)| relation)
    }

    /// How many names of relations the tuples have.
    pub(super) fn relation_count(&self) -> usize {
        let relations = self.tuples.keys().chain(self.subjects.keys()).map(|kind| split(*kind).1);
        relations.collect::<HashSet<_>>().len()
    }

    /// Every object of a namespace that a tuple names.
    pub(super) fn objects(&self, namespace: NamespaceId) -> impl Iterator<Item = NameId> + '_ {
        self.objects.get(&namespace).into_iter().flatten().map(NameId)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let kinds =
            self.tuples.capacity() * size_of::<(Kind, Counts)>() + self.subjects.capacity() * size_of::<(Kind, u64)>();
        kinds + self.objects.values().map(RoaringBitmap::serialized_size).sum::<usize>()
    }
}

fn kind(userset: Userset) -> Kind {
    (userset.bits() >> 32) as u32
}

fn split(kind: Kind) -> (NamespaceId, RelationId) {
    let userset = Userset::from_bits(u64::from(kind) << 32);
    (userset.namespace(), userset.relation())
}
