//! A permission model that is in force, compiled for evaluation.

use std::collections::HashMap;
use std::sync::Arc;

use permission_language::Model;

use crate::domain::condition::CompiledCondition;
use crate::domain::ids::{ConditionId, NamespaceId, RelationId};
use crate::domain::schema::{Schema, SchemaError};
use crate::domain::symbols::Symbols;

/// Valid together: the numbers of the schema and of the conditions are those of the symbols.
#[derive(Debug)]
pub(crate) struct LoadedModel {
    pub(crate) model: Model,
    pub(crate) schema: Schema,
    pub(crate) symbols: Symbols,
    pub(crate) conditions: HashMap<ConditionId, Arc<CompiledCondition>>,
}

/// A model that was checked.
pub(crate) struct Parsed {
    pub(crate) model: Model,
    /// Those of the model, in their order.
    pub(crate) conditions: Vec<Arc<CompiledCondition>>,
}

impl LoadedModel {
    /// With `strict`, tuples that the model does not declare do not count.
    pub(crate) fn compile(Parsed { model, conditions: compiled }: Parsed, strict: bool) -> Result<Self, String> {
        let mut symbols = Symbols::default();
        let schema = Schema::compile(&model, &mut symbols, strict).map_err(|error| error.to_string())?;
        let mut conditions = HashMap::new();
        for condition in compiled {
            let id =
                symbols.intern_condition(condition.name()).map_err(|error| SchemaError::from(error).to_string())?;
            conditions.insert(id, condition);
        }
        Ok(Self { model, schema, symbols, conditions })
    }

    /// Whether the model has the namespace.
    pub(crate) fn declares(&self, namespace: &str) -> bool {
        self.symbols.namespace(namespace).is_some_and(|namespace| self.schema.declares_namespace(namespace))
    }

    /// Whether tuples of this relation may be asked about: it is declared, or the namespace declares none.
    pub(crate) fn accepts(&self, namespace: &str, relation: &str) -> bool {
        let namespace = self.symbols.namespace(namespace).unwrap_or(NamespaceId::UNKNOWN);
        let relation = self.symbols.relation(relation).unwrap_or(RelationId::UNKNOWN);
        self.schema.accepted(namespace, relation).is_some()
    }
}

#[cfg(test)]
mod tests {
    use permission_language::{Namespace, Relation};

    use super::*;

    fn compile(namespaces: Vec<Namespace>) -> Result<LoadedModel, String> {
        let model = Model { namespaces, ..Model::default() };
        LoadedModel::compile(Parsed { model, conditions: Vec::new() }, false)
    }

    #[test]
    fn a_model_with_too_many_names_is_refused_without_advice_about_tuples() {
        let namespaces = |count| {
            let names = (0..count).map(|number| format!("N{number}"));
            names.map(|name| Namespace { name, ..Namespace::default() }).collect()
        };
        compile(namespaces(65_534)).unwrap();
        let refused = compile(namespaces(65_535)).unwrap_err();
        assert_eq!(refused, "the model has more than 65534 different names of namespaces");
        let relations = |count| {
            let names = (0..count).map(|number| format!("r{number}"));
            let relations = names.map(|name| Relation { name, types: Vec::new() }).collect();
            vec![Namespace { name: "Doc".into(), relations, ..Namespace::default() }]
        };
        compile(relations(32_766)).unwrap();
        let refused = compile(relations(32_767)).unwrap_err();
        assert_eq!(refused, "the model has more than 32766 different names of relations");
    }
}
