//! The conditions of a model over the attributes of one request.

use std::collections::HashMap;
use std::sync::Arc;

use base::Timestamp;

use super::condition::{Attributes, CompiledCondition, ConditionError, Object, Root, evaluate};
use super::evaluation::{ConditionFailed, Conditions};
use super::ids::ConditionId;

/// Evaluates conditions, and keeps why one had no result.
pub struct RequestConditions<'a> {
    conditions: &'a HashMap<ConditionId, Arc<CompiledCondition>>,
    context: Option<&'a Object>,
    now: Timestamp,
}

impl<'a> RequestConditions<'a> {
    pub fn new(
        conditions: &'a HashMap<ConditionId, Arc<CompiledCondition>>,
        context: Option<&'a Object>,
        now: Timestamp,
    ) -> Self {
        Self { conditions, context, now }
    }

    /// Whether the condition holds for a tuple with this context.
    pub fn evaluate(&self, condition: ConditionId, tuple: Option<&str>) -> Result<bool, ConditionError> {
        let missing = || ConditionError::Missing("the condition".to_owned());
        let compiled = self.conditions.get(&condition).ok_or_else(missing)?;
        let tuple = tuple.and_then(|text| serde_json::from_str(text).ok());
        let tuple = tuple.and_then(|value| Object::new(Root::Tuple, value).ok());
        let attributes = Attributes { context: self.context, tuple: tuple.as_ref(), ..Attributes::at(self.now) };
        evaluate(compiled, &attributes)
    }
}

impl Conditions for RequestConditions<'_> {
    fn holds(&mut self, condition: ConditionId, context: Option<&str>) -> Result<bool, ConditionFailed> {
        self.evaluate(condition, context).map_err(|_| ConditionFailed)
    }
}
