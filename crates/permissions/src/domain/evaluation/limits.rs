//! How much one request may cost, and why a request has no answer.

use crate::domain::ids::{ConditionId, NamespaceId, RelationId};

/// Bounds of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many tuples are followed one behind the other, to a subject set or by a traversal. Other relations of the same object
    /// cost nothing. Keto grants nothing beyond it.
    pub depth: u16,
    /// How many subject sets of one userset are followed.
    pub breadth: u32,
    /// How many usersets, tuples and formulas are looked at.
    pub steps: u32,
}

impl Default for Limits {
    /// Depth and breadth as in Keto. The steps of a check, a list or an expansion take some milliseconds, in which the graph does
    /// not change.
    fn default() -> Self {
        Self { depth: 5, breadth: 100, steps: 200_000 }
    }
}

impl Limits {
    /// The levels of a search: that of the question, and one for each tuple that is followed.
    pub(super) const fn levels(self) -> u16 {
        self.depth.saturating_add(1)
    }
}

/// Why a question has neither the answer yes nor no. If several reasons apply, the first of this order is reported, so that
/// the order of alternatives and tuples does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Failure {
    #[error("the check needs more steps than allowed; raise the limit or simplify the model")]
    StepsExhausted,
    #[error("intersections and exclusions are nested too deeply across objects; simplify the model")]
    NestingExhausted,
    #[error("the answer depends on its own negation; remove the cycle from the tuples or from the model")]
    DependsOnOwnNegation,
    #[error("the depth limit was reached; raise limit.max_read_depth, and max-depth if the request has one")]
    DepthExhausted,
    #[error("a relation of an object has more subject sets than limit.max_read_width")]
    BreadthExhausted,
    #[error("cyclic permits: a permit refers to itself")]
    CyclicPermits { namespace: NamespaceId, relation: RelationId },
    #[error("the relation is not declared")]
    UndeclaredRelation { namespace: NamespaceId, relation: RelationId },
    #[error("a condition could not be evaluated")]
    Condition(ConditionId),
}

impl Failure {
    /// The name for programs. Those of limits are Keto's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DepthExhausted => "max_depth_exceeded",
            Self::BreadthExhausted => "max_width_exceeded",
            Self::StepsExhausted | Self::NestingExhausted => "max_steps_exceeded",
            Self::CyclicPermits { .. } => "cyclic_permits",
            Self::DependsOnOwnNegation => "depends_on_own_negation",
            Self::UndeclaredRelation { .. } => "undeclared_relation",
            Self::Condition(_) => "condition_without_result",
        }
    }
}
