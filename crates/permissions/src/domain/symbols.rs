//! The numbers of namespaces, relations and conditions.
//!
//! Invariant: a number, once assigned, keeps its name, so that a schema that is compiled again (after the model changed) agrees
//! with tuples that were read before.

use std::collections::HashMap;

use super::ids::{ConditionId, NamespaceId, RelationId};

/// The tuples bring the names of one kind over the number that this service supports. For the names of a model alone see
/// [`SchemaError`](super::schema::SchemaError).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the model and the relation tuples have more than {limit} different names of {kind}; delete the tuples that name undeclared \
     {kind}"
)]
pub struct TooManyNames {
    pub kind: &'static str,
    pub limit: u16,
}

/// The names that the model and the tuples of a tenant use. Cloning costs as much as the model has names.
#[derive(Clone, Debug)]
pub struct Symbols {
    namespaces: Table,
    relations: Table,
    conditions: Table,
}

#[derive(Clone, Debug, Default)]
struct Table {
    names: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u16>,
}

impl Default for Symbols {
    fn default() -> Self {
        let relations = Table { names: vec!["".into()], numbers: HashMap::from([("".into(), RelationId::NONE.0)]) };
        // The number 0 is the namespace of subject ids, which has no name, and "no condition".
        let unnamed = || Table { names: vec!["".into()], numbers: HashMap::new() };
        Self { namespaces: unnamed(), relations, conditions: unnamed() }
    }
}

impl Symbols {
    pub fn namespace(&self, name: &str) -> Option<NamespaceId> {
        self.namespaces.numbers.get(name).copied().map(NamespaceId)
    }

    pub fn relation(&self, name: &str) -> Option<RelationId> {
        self.relations.numbers.get(name).copied().map(RelationId)
    }

    pub fn condition(&self, name: &str) -> Option<ConditionId> {
        self.conditions.numbers.get(name).copied().map(ConditionId)
    }

    pub fn intern_namespace(&mut self, name: &str) -> Result<NamespaceId, TooManyNames> {
        self.namespaces.intern(name, "namespaces", NamespaceId::UNKNOWN.0 - 1).map(NamespaceId)
    }

    pub fn intern_relation(&mut self, name: &str) -> Result<RelationId, TooManyNames> {
        self.relations.intern(name, "relations", RelationId::UNKNOWN.0 - 1).map(RelationId)
    }

    pub fn intern_condition(&mut self, name: &str) -> Result<ConditionId, TooManyNames> {
        self.conditions.intern(name, "conditions", u16::MAX).map(ConditionId)
    }

    pub fn namespace_name(&self, id: NamespaceId) -> &str {
        self.namespaces.name(id.0)
    }

    pub fn relation_name(&self, id: RelationId) -> &str {
        self.relations.name(id.0)
    }

    pub fn condition_name(&self, id: ConditionId) -> &str {
        self.conditions.name(id.0)
    }

    /// How many relations have a number, the empty one included.
    pub fn relation_count(&self) -> usize {
        self.relations.names.len()
    }

    /// All relations that have a number, the empty one included.
    pub fn relations(&self) -> impl Iterator<Item = RelationId> + use<> {
        (0..self.relations.names.len()).filter_map(|index| u16::try_from(index).ok()).map(RelationId)
    }

    /// The names of relations in the order of their numbers, without the first ones.
    pub fn relation_names_from(&self, first: usize) -> impl Iterator<Item = &str> {
        self.relations.names.iter().skip(first).map(|name| &**name)
    }
}

impl Table {
    fn intern(&mut self, name: &str, kind: &'static str, limit: u16) -> Result<u16, TooManyNames> {
        if let Some(number) = self.numbers.get(name) {
            return Ok(*number);
        }
        let next = u16::try_from(self.names.len()).ok().filter(|number| *number <= limit);
        let number = next.ok_or(TooManyNames { kind, limit })?;
        self.names.push(name.into());
        self.numbers.insert(name.into(), number);
        Ok(number)
    }

    fn name(&self, number: u16) -> &str {
        self.names.get(usize::from(number)).map_or("", |name| name)
    }
}
