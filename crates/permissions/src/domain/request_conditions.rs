//! The conditions of a model over the attributes of one request.

use std::collections::HashMap;
use std::sync::Arc;

use base::Timestamp;

use super::access::RequestAttributes;
use super::condition::{Attributes, Budget, CompiledCondition, ConditionError, Object, Root};
use super::evaluation::{ConditionFailed, Conditions};
use super::ids::ConditionId;

/// Evaluates conditions within the work that one request may cause.
pub struct RequestConditions<'a> {
    conditions: &'a HashMap<ConditionId, Arc<CompiledCondition>>,
    /// Without those of a tuple.
    attributes: Attributes<'a>,
    budget: Budget,
}

impl<'a> RequestConditions<'a> {
    pub fn new(
        conditions: &'a HashMap<ConditionId, Arc<CompiledCondition>>,
        context: Option<&'a Object>,
        now: Timestamp,
    ) -> Self {
        Self { conditions, attributes: Attributes { context, ..Attributes::at(now) }, budget: Budget::default() }
    }

    /// From now on, conditions read these attributes.
    pub fn read(&mut self, attributes: &'a RequestAttributes) {
        self.attributes = attributes.at(self.attributes.now);
    }

    /// Whether the condition holds for a tuple with this context.
    pub fn evaluate(&mut self, condition: ConditionId, tuple: Option<&str>) -> Result<bool, ConditionError> {
        let missing = || ConditionError::Missing("the condition".to_owned());
        let compiled = self.conditions.get(&condition).ok_or_else(missing)?;
        self.budget.read(tuple.unwrap_or_default())?;
        let tuple = tuple.and_then(|text| serde_json::from_str(text).ok());
        let tuple = tuple.and_then(|value| Object::new(Root::Tuple, value).ok());
        self.budget.evaluate(compiled, &Attributes { tuple: tuple.as_ref(), ..self.attributes })
    }
}

impl Conditions for RequestConditions<'_> {
    fn holds(&mut self, condition: ConditionId, context: Option<&str>) -> Result<bool, ConditionFailed> {
        self.evaluate(condition, context).map_err(|_| ConditionFailed)
    }
}
