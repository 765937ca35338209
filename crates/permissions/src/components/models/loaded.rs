//! A permission model that is in force, compiled for evaluation.

use std::collections::HashMap;

use permission_language::Model;

use crate::domain::condition::CompiledCondition;
use crate::domain::ids::ConditionId;
use crate::domain::schema::Schema;
use crate::domain::symbols::Symbols;

/// Valid together: the numbers of the schema and of the conditions are those of the symbols.
#[derive(Debug)]
pub(crate) struct LoadedModel {
    pub(crate) model: Model,
    pub(crate) schema: Schema,
    pub(crate) symbols: Symbols,
    pub(crate) conditions: HashMap<ConditionId, CompiledCondition>,
}

impl LoadedModel {
    /// With `strict`, tuples that the model does not declare do not count.
    pub(super) fn compile(model: Model, strict: bool) -> Result<Self, String> {
        let mut symbols = Symbols::default();
        let schema = Schema::compile(&model, &mut symbols, strict).map_err(|error| error.to_string())?;
        let mut conditions = HashMap::new();
        for condition in &model.conditions {
            let id = symbols.intern_condition(&condition.name).map_err(|error| error.to_string())?;
            let compiled = CompiledCondition::compile(condition.name.clone(), &condition.expression);
            let compiled = compiled.map_err(|error| {
                format!("the condition \"{}\" is not valid at byte {}: {error}", condition.name, error.at)
            })?;
            conditions.insert(id, compiled);
        }
        Ok(Self { model, schema, symbols, conditions })
    }
}
