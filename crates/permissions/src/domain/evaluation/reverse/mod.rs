//! Reverse questions: which objects a subject has a relation to, which subjects have a relation to an object, and which relations
//! a subject has to an object.
//!
//! Candidates are collected by a search over unions. A candidate that was reached without a formula and without a condition
//! that failed is a result; every other one is confirmed by a check, so that a result checked again is always "yes".
//!
//! Invariants:
//! - Results are sorted by name and follow `after`, so a page continues where the last one ended.
//! - A listing that a limit cut short says so.

mod actions;
mod candidates;
mod objects;
mod subjects;

pub use actions::Actions;
pub use objects::ObjectsQuestion;
pub use subjects::SubjectsQuestion;

use std::task::Poll;

use super::limits::Failure;
use super::relations::{Link, Relations, SubjectKind, Terms};
use crate::domain::ids::{NameId, NamespaceId, RelationId, SubjectNumber, Userset};

/// A reader that can be asked in the opposite direction too.
pub trait Directory: Relations {
    /// Adds the first subjects of a userset that are of a kind, in the order of their texts, at most `limit` of them. Returns how
    /// many there are, but counts no further than it must to know that there are more than `limit`.
    fn subjects_by_text(
        &mut self,
        userset: Userset,
        kind: SubjectKind,
        limit: usize,
        into: &mut Vec<Link>,
    ) -> Poll<usize>;

    /// Adds the tuples with a subject, at most `limit` of them. `true`: there are more.
    fn memberships(&mut self, of: Of, limit: usize, into: &mut Vec<Membership>) -> Poll<bool>;

    /// Adds the subjects of a userset that have this namespace and relation. `true`: there are more than `limit`.
    fn subjects_of_type(
        &mut self,
        userset: Userset,
        kind: (NamespaceId, RelationId),
        limit: usize,
        into: &mut Vec<Link>,
    ) -> Poll<bool>;

    /// Adds all objects of a namespace that a tuple names; for [`NamespaceId::IDS`] the subject ids. `true`: there are more than
    /// `limit`.
    fn objects(&mut self, namespace: NamespaceId, limit: usize, into: &mut Vec<NameId>) -> Poll<bool>;

    /// Whether a tuple may have a subject set of this namespace and relation.
    fn has_subjects_of_type(&self, _: NamespaceId, _: RelationId) -> bool {
        true
    }

    /// Whether a userset has more subject sets than `breadth`.
    fn has_more_sets(&mut self, userset: Userset, breadth: usize) -> Poll<bool>;

    /// Adds the relations that tuples of a namespace have.
    fn relations_in_use(&mut self, namespace: NamespaceId, into: &mut Vec<RelationId>) -> Poll<()>;

    /// As bytes, in UTF-8, for comparisons.
    fn name(&self, name: NameId) -> &[u8];
}

/// Whose memberships are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Of {
    Subject(SubjectNumber),
    /// An object, as itself and as part of every subject set.
    Object(NamespaceId, NameId),
}

/// A tuple that was found by its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    pub userset: Userset,
    pub subject: SubjectNumber,
    pub terms: Terms,
}

/// Which part of the results.
#[derive(Clone, Copy, Debug)]
pub struct Part<'p> {
    /// Results whose name is greater, by the order of bytes.
    pub after: Option<&'p str>,
    pub limit: usize,
}

/// A page of results.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Sorted by name.
    pub names: Vec<NameId>,
    pub has_more: bool,
    /// Results may be missing because a limit was reached.
    pub truncated: Option<Failure>,
    /// Whether some candidates have no answer, for example because a condition lacks an attribute: they are not results.
    pub unresolved: Option<Failure>,
}
