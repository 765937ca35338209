//! The compiled form of a relation or permit.

use crate::domain::ids::{ConditionId, NamespaceId, RelationId, SubjectNumber};

/// A relation or permit of a namespace: the union of its tuples and its alternatives.
#[derive(Debug)]
pub struct Definition {
    pub namespace: NamespaceId,
    pub relation: RelationId,
    pub is_permit: bool,
    /// Which of its tuples count.
    pub accepted: Accepted,
    pub alternatives: Box<[Alternative]>,
    /// It refers to itself on the same object, directly or through others.
    pub is_cyclic: bool,
}

/// The tuples of a relation that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    All,
    Nothing,
    /// Only those whose subject is an id.
    Ids,
    /// Those whose subject is an id or has one of these types.
    Typed(Box<[SubjectPattern]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubjectPattern {
    pub namespace: NamespaceId,
    pub relation: RelationId,
    pub condition: Option<ConditionId>,
}

/// A part of a union.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alternative {
    /// The members of another relation of the same object.
    Has(RelationId),
    /// The members of `target` of all objects in `relation`.
    Traverse {
        relation: RelationId,
        target: RelationId,
    },
    Formula(FormulaId),
}

/// An operand that is no plain union and stands in a union; see [`Schema::formula`](super::Schema::formula).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FormulaId(pub(super) u32);

/// An operand of a formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    Has(RelationId),
    Union(Box<[Alternative]>),
    All(Box<[Operand]>),
    Not(Box<Operand>),
    Meets(ConditionId),
}

impl Accepted {
    /// Whether a tuple with this subject and condition counts.
    pub fn admits(&self, subject: SubjectNumber, condition: Option<ConditionId>) -> bool {
        match self {
            Self::All => true,
            Self::Nothing => false,
            Self::Ids => subject.is_id(),
            Self::Typed(patterns) => subject.is_id() || patterns.iter().any(|it| it.matches(subject, condition)),
        }
    }

    /// Whether a tuple with this subject may count, whatever its condition.
    pub fn may_admit(&self, subject: SubjectNumber) -> bool {
        match self {
            Self::Typed(patterns) => subject.is_id() || patterns.iter().any(|it| it.is_type_of(subject)),
            Self::All | Self::Nothing | Self::Ids => self.admits(subject, None),
        }
    }

    /// Whether a tuple whose subject is a subject set may count.
    pub fn has_sets(&self) -> bool {
        match self {
            Self::All => true,
            Self::Nothing | Self::Ids => false,
            Self::Typed(patterns) => patterns.iter().any(|it| it.relation != RelationId::NONE),
        }
    }
}

impl SubjectPattern {
    fn is_type_of(self, subject: SubjectNumber) -> bool {
        self.namespace == subject.namespace() && self.relation == subject.relation()
    }

    fn matches(self, subject: SubjectNumber, condition: Option<ConditionId>) -> bool {
        self.is_type_of(subject) && self.condition == condition
    }
}

/// All relations of the same object that an alternative refers to, inside formulas too.
pub(super) fn references(alternatives: &[Alternative], formulas: &[Operand], visit: &mut impl FnMut(RelationId)) {
    for alternative in alternatives {
        match alternative {
            Alternative::Has(relation) => visit(*relation),
            Alternative::Traverse { .. } => {}
            Alternative::Formula(id) => {
                if let Some(formula) = formulas.get(id.0 as usize) {
                    operand_references(formula, formulas, visit);
                }
            }
        }
    }
}

fn operand_references(operand: &Operand, formulas: &[Operand], visit: &mut impl FnMut(RelationId)) {
    match operand {
        Operand::Has(relation) => visit(*relation),
        Operand::Union(alternatives) => references(alternatives, formulas, visit),
        Operand::All(operands) => operands.iter().for_each(|it| operand_references(it, formulas, visit)),
        Operand::Not(inner) => operand_references(inner, formulas, visit),
        Operand::Meets(_) => {}
    }
}
