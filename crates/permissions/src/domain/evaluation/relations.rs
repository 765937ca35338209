//! What the evaluation reads: relation tuples and conditions.

use std::task::Poll;

use base::Timestamp;

use crate::domain::ids::{ConditionId, SubjectNumber, Userset};

/// A reader of the relation tuples of one tenant at one point of its history.
///
/// `Pending` means that the reader has noted the read; the evaluation asks again in the next round. A reader answers equal
/// reads of one request equally.
pub trait Relations {
    /// The terms of the tuple of this userset with exactly this subject.
    fn tuple(&mut self, userset: Userset, subject: SubjectNumber) -> Poll<Option<Terms>>;

    /// Adds the subjects of a userset that are of a kind, at most `limit` of them: of [`SubjectKind::Sets`] the first ones by their
    /// texts, so that every reader leaves out the same. `true`: there are more.
    fn subjects(&mut self, userset: Userset, kind: SubjectKind, limit: usize, into: &mut Vec<Link>) -> Poll<bool>;

    /// The context that a tuple was written with, a JSON object.
    fn context(&self, id: ContextId) -> Option<&str>;
}

impl<R: Relations> Relations for &mut R {
    fn tuple(&mut self, userset: Userset, subject: SubjectNumber) -> Poll<Option<Terms>> {
        (**self).tuple(userset, subject)
    }

    fn subjects(&mut self, userset: Userset, kind: SubjectKind, limit: usize, into: &mut Vec<Link>) -> Poll<bool> {
        (**self).subjects(userset, kind, limit, into)
    }

    fn context(&self, id: ContextId) -> Option<&str> {
        (**self).context(id)
    }
}

/// A subject of a tuple, and the terms of the tuple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    pub subject: SubjectNumber,
    pub terms: Terms,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubjectKind {
    All,
    /// Subject sets with a relation: their members are followed.
    Sets,
    /// Subject sets and objects, for a traversal.
    Objects,
}

impl SubjectKind {
    /// The first subject of this kind in the order of [`Userset`].
    pub const fn first(self) -> u64 {
        match self {
            Self::All => 0,
            Self::Sets => 1 << 48,
            Self::Objects => 1 << 32,
        }
    }
}

/// When a tuple counts. Most tuples count always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Terms {
    pub condition: Option<ConditionId>,
    pub context: Option<ContextId>,
    /// From this time on the tuple does not exist.
    pub expires_at: Option<Timestamp>,
}

impl Terms {
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    pub fn is_always(&self) -> bool {
        *self == Self::default()
    }
}

/// The number of a context; a reader assigns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContextId(pub u32);

/// Evaluates the conditions of the model over the attributes of one request.
///
/// It answers equal questions of one request equally.
pub trait Conditions {
    /// Another check begins. Each check of a request may cause as much work as the others.
    fn begin(&mut self) {}

    /// `context` is the JSON object that the tuple was written with; none for a condition that stands in a permit.
    fn holds(&mut self, condition: ConditionId, context: Option<&str>) -> Result<bool, ConditionFailed>;
}

/// A condition has no value: an attribute is missing, or the model does not declare the condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConditionFailed;

/// For models and tuples without conditions: every condition fails.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoConditions;

impl Conditions for NoConditions {
    fn holds(&mut self, _: ConditionId, _: Option<&str>) -> Result<bool, ConditionFailed> {
        Err(ConditionFailed)
    }
}
