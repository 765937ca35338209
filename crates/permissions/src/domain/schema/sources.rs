//! The references of the definitions in the opposite direction, for questions such as "which objects may this subject view":
//! from a userset that contains the subject to those that may follow from it.
//!
//! Of an intersection one operand is enough: who is a member of the intersection is a member of that operand.
//!
//! Invariant: whoever is a member of a definition without one of its own tuples is a member of one of its sources, unless the
//! definition is universal.

use super::definition::{Alternative, Definition, Operand};
use crate::domain::hashing::IdMap;
use crate::domain::ids::{NamespaceId, RelationId};

/// `relation` follows from the userset of the same object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SameObject {
    pub relation: RelationId,
    /// Membership in the source is enough; otherwise it is only necessary.
    pub is_sufficient: bool,
}

/// `relation` of an object in `namespace` follows from the userset of an object that it has `through` to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traversed {
    pub namespace: NamespaceId,
    pub through: RelationId,
    pub relation: RelationId,
    pub is_sufficient: bool,
}

#[derive(Debug, Default)]
pub(super) struct Sources {
    same_object: IdMap<(NamespaceId, RelationId), Vec<SameObject>>,
    traversed: IdMap<RelationId, Vec<Traversed>>,
    universal: Vec<(NamespaceId, RelationId)>,
}

impl Sources {
    pub(super) fn of(definitions: &[Definition], formulas: &[Operand]) -> Self {
        let mut sources = Self::default();
        for definition in definitions {
            let mut found = Vec::new();
            if union(&definition.alternatives, formulas, true, &mut found) {
                for (source, is_sufficient) in found {
                    sources.add(definition, source, is_sufficient);
                }
            } else {
                sources.universal.push((definition.namespace, definition.relation));
                // What is sufficient stays useful: it spares checks.
                let found = found.into_iter().filter(|(_, is_sufficient)| *is_sufficient);
                for (source, is_sufficient) in found {
                    sources.add(definition, source, is_sufficient);
                }
            }
        }
        sources
    }

    fn add(&mut self, definition: &Definition, source: Alternative, is_sufficient: bool) {
        let &Definition { namespace, relation, .. } = definition;
        match source {
            Alternative::Has(from) => {
                self.same_object.entry((namespace, from)).or_default().push(SameObject { relation, is_sufficient });
            }
            Alternative::Traverse { relation: through, target } => {
                let entry = Traversed { namespace, through, relation, is_sufficient };
                self.traversed.entry(target).or_default().push(entry);
            }
            Alternative::Formula(_) => {}
        }
    }

    pub(super) fn same_object(&self, namespace: NamespaceId, relation: RelationId) -> &[SameObject] {
        self.same_object.get(&(namespace, relation)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn traversed(&self, target: RelationId) -> &[Traversed] {
        self.traversed.get(&target).map_or(&[], Vec::as_slice)
    }

    pub(super) fn universal(&self) -> &[(NamespaceId, RelationId)] {
        &self.universal
    }
}

/// Adds the sources of a union. `false`: there may be members without any source.
fn union(
    alternatives: &[Alternative],
    formulas: &[Operand],
    is_sufficient: bool,
    into: &mut Vec<(Alternative, bool)>,
) -> bool {
    let mut is_bounded = true;
    for alternative in alternatives {
        if let Alternative::Formula(id) = alternative {
            is_bounded &= formulas.get(id.0 as usize).is_none_or(|formula| operand(formula, formulas, into));
        } else {
            into.push((*alternative, is_sufficient));
        }
    }
    is_bounded
}

fn operand(formula: &Operand, formulas: &[Operand], into: &mut Vec<(Alternative, bool)>) -> bool {
    match formula {
        Operand::Has(relation) => {
            into.push((Alternative::Has(*relation), false));
            true
        }
        Operand::Union(alternatives) => union(alternatives, formulas, false, into),
        Operand::All(operands) => bounding(operands, formulas).is_some_and(|first| operand(first, formulas, into)),
        Operand::Not(_) | Operand::Meets(_) => false,
    }
}

/// The operand of an intersection that candidates are taken from: a plain relation if there is one. `None` if every operand
/// may have members without a source.
pub(super) fn bounding<'o>(operands: &'o [Operand], formulas: &[Operand]) -> Option<&'o Operand> {
    let plain = operands.iter().find(|it| matches!(it, Operand::Has(_)));
    plain.or_else(|| operands.iter().find(|it| is_bounded(it, formulas)))
}

fn is_bounded(operand: &Operand, formulas: &[Operand]) -> bool {
    match operand {
        Operand::Has(_) => true,
        Operand::Union(alternatives) => alternatives.iter().all(|alternative| match alternative {
            Alternative::Formula(id) => formulas.get(id.0 as usize).is_none_or(|it| is_bounded(it, formulas)),
            Alternative::Has(_) | Alternative::Traverse { .. } => true,
        }),
        Operand::All(operands) => operands.iter().any(|it| is_bounded(it, formulas)),
        Operand::Not(_) | Operand::Meets(_) => false,
    }
}
