//! The numbers that stand for names while a question is evaluated.
//!
//! Invariants:
//! - A number means nothing without the [`Symbols`](super::symbols::Symbols) and the
//!   [`Names`](super::names::Names) that assigned it. All numbers of one evaluation come from the same two.
//! - A subject id is an object of the namespace [`NamespaceId::IDS`], which no tuple names, so `alice` and `User:alice` differ.
//! - An object that is a subject itself is a [`Userset`] with the relation [`RelationId::NONE`].

use std::fmt;

/// The name of an object or a subject id. The same name has the same number in every namespace. Zero is never assigned.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NameId(pub u32);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NamespaceId(pub(super) u16);

/// Below 2^15.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RelationId(pub(super) u16);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConditionId(pub(super) u16);

impl NameId {
    /// Stands for every name without a number.
    pub const UNKNOWN: Self = Self(u32::MAX);
}

impl NamespaceId {
    /// The namespace of subject ids.
    pub const IDS: Self = Self(0);
    /// Stands for every name without a number. Never assigned, as are the unknown relation and the unknown name.
    pub const UNKNOWN: Self = Self(u16::MAX);

    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl RelationId {
    /// The relation `""`: as part of a subject, the object itself.
    pub const NONE: Self = Self(0);
    /// Stands for every name without a number.
    pub const UNKNOWN: Self = Self(u16::MAX >> 1);

    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl ConditionId {
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An object and one of its relations: all subjects that have this relation to it. Also a subject: an id, an object, or a
/// subject set.
///
/// One integer, ordered by relation, namespace and name, so that in a sorted list of subjects the ids come first, then the
/// objects, then the subject sets. The highest bit is never set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Userset(u64);

/// A subject is a userset as well.
pub type SubjectNumber = Userset;

impl Userset {
    pub const fn new(namespace: NamespaceId, name: NameId, relation: RelationId) -> Self {
        Self((relation.0 as u64) << 48 | (namespace.0 as u64) << 32 | name.0 as u64)
    }

    pub const fn id(name: NameId) -> Self {
        Self::new(NamespaceId::IDS, name, RelationId::NONE)
    }

    pub const fn object(namespace: NamespaceId, name: NameId) -> Self {
        Self::new(namespace, name, RelationId::NONE)
    }

    pub const fn name(self) -> NameId {
        NameId((self.0 & 0xffff_ffff) as u32)
    }

    pub const fn namespace(self) -> NamespaceId {
        NamespaceId((self.0 >> 32 & 0xffff) as u16)
    }

    pub const fn relation(self) -> RelationId {
        RelationId((self.0 >> 48 & 0x7fff) as u16)
    }

    /// Another relation of the same object.
    #[must_use]
    pub const fn with_relation(self, relation: RelationId) -> Self {
        Self::new(self.namespace(), self.name(), relation)
    }

    /// A subject id, which has no relations and no members.
    pub const fn is_id(self) -> bool {
        self.0 >> 32 == 0
    }

    /// A subject set whose members can be followed; neither an id nor an object.
    pub const fn is_set(self) -> bool {
        self.0 >> 48 != 0
    }

    pub const fn bits(self) -> u64 {
        self.0
    }

    pub const fn from_bits(bits: u64) -> Self {
        Self(bits & (u64::MAX >> 1))
    }
}

impl fmt::Debug for Userset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}#{}", self.namespace().0, self.name().0, self.relation().0)
    }
}
