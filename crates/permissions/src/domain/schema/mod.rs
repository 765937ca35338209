//! A permission model, compiled for evaluation: names are numbers, and each relation and permit is a union.
//!
//! Specification: the Ory Permission Language, and Keto's rules about undeclared names and strict mode.
//!
//! Invariants:
//! - A relation and a permit of one name in one namespace are one definition, that of the relation.
//! - No alternative of a union is a union, and no operand that is not an alternative refers to a formula by its number.
//! - In strict mode no tuple counts that the model does not declare: none on a permit, none with a subject of another type.

mod compile;
mod cycles;
mod definition;
mod sources;

pub use compile::SchemaError;
pub use definition::{Accepted, Alternative, Definition, FormulaId, Operand, SubjectPattern};
pub use sources::{SameObject, Traversed};

use super::hashing::IdMap;
use super::ids::{NamespaceId, RelationId};
use sources::Sources;

/// Valid with the [`Symbols`](super::symbols::Symbols) that it was compiled with.
#[derive(Debug)]
pub struct Schema {
    strict: bool,
    /// By the number of the namespace.
    namespaces: Vec<NamespaceRules>,
    definitions: Vec<Definition>,
    by_name: IdMap<(NamespaceId, RelationId), u32>,
    /// By the number of the formula.
    formulas: Vec<Operand>,
    tuples_only: Accepted,
    sources: Sources,
}

/// What the model says about a namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum NamespaceRules {
    /// The model does not declare it.
    #[default]
    Unknown,
    /// Declared without relations and permits: accepts every relation.
    Open,
    /// Declares its relations and permits.
    Closed,
}

/// How the members of a userset are found.
#[derive(Clone, Copy, Debug)]
pub enum Rules<'s> {
    Declared(&'s Definition),
    /// The namespace declares no relations, or the relation is empty: only tuples count.
    TuplesOnly(&'s Accepted),
    /// The namespace declares relations, but not this one.
    Undeclared,
}

impl Schema {
    pub fn is_strict(&self) -> bool {
        self.strict
    }

    pub fn declares_namespace(&self, namespace: NamespaceId) -> bool {
        self.namespace(namespace) != NamespaceRules::Unknown
    }

    /// Whether the namespace declares its relations; one that does not accepts every relation.
    pub fn is_closed(&self, namespace: NamespaceId) -> bool {
        self.namespace(namespace) == NamespaceRules::Closed
    }

    pub fn rules(&self, namespace: NamespaceId, relation: RelationId) -> Rules<'_> {
        let found = self.by_name.get(&(namespace, relation)).and_then(|index| self.definitions.get(*index as usize));
        if let Some(definition) = found {
            return Rules::Declared(definition);
        }
        if relation == RelationId::NONE || !self.is_closed(namespace) {
            return Rules::TuplesOnly(&self.tuples_only);
        }
        Rules::Undeclared
    }

    /// The tuples that count for a userset; `None` if its relation is undeclared.
    pub fn accepted(&self, namespace: NamespaceId, relation: RelationId) -> Option<&Accepted> {
        match self.rules(namespace, relation) {
            Rules::Declared(definition) => Some(&definition.accepted),
            Rules::TuplesOnly(accepted) => Some(accepted),
            Rules::Undeclared => None,
        }
    }

    /// The relations and permits of a namespace, in the order of their declaration.
    pub fn definitions(&self, namespace: NamespaceId) -> impl Iterator<Item = &Definition> {
        self.definitions.iter().filter(move |definition| definition.namespace == namespace)
    }

    pub fn formula(&self, id: FormulaId) -> Option<&Operand> {
        self.formulas.get(id.0 as usize)
    }

    /// The definitions of the same namespace whose members follow from those of a relation.
    pub fn same_object(&self, namespace: NamespaceId, relation: RelationId) -> &[SameObject] {
        self.sources.same_object(namespace, relation)
    }

    /// The definitions that reach a relation of other objects by a traversal.
    pub fn traversed(&self, target: RelationId) -> &[Traversed] {
        self.sources.traversed(target)
    }

    /// The permits that a subject may have without a tuple that says so, for example `!this.related.banned…`.
    pub fn universal(&self) -> &[(NamespaceId, RelationId)] {
        self.sources.universal()
    }

    /// The operand of an intersection that candidates are taken from; `None` if every operand may have members without a source.
    pub fn bounding<'o>(&self, operands: &'o [Operand]) -> Option<&'o Operand> {
        sources::bounding(operands, &self.formulas)
    }

    fn namespace(&self, namespace: NamespaceId) -> NamespaceRules {
        self.namespaces.get(namespace.index()).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
