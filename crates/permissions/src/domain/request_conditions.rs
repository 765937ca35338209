//! The conditions of a model over the attributes of one request.

use std::collections::HashMap;
use std::sync::Arc;

use base::Timestamp;

use super::access::RequestAttributes;
use super::condition::{Attributes, Budget, CompiledCondition, ConditionError, Object, Root};
use super::evaluation::{ConditionFailed, Conditions};
use super::hashing::IdMap;
use super::ids::ConditionId;

/// Why conditions have no result: the first reason of each. Without one it takes no memory.
pub type Reasons = IdMap<ConditionId, String>;

/// Evaluates conditions within the work that one check may cause.
pub struct RequestConditions<'a> {
    conditions: &'a HashMap<ConditionId, Arc<CompiledCondition>>,
    /// Without those of a tuple.
    attributes: Attributes<'a>,
    budget: Budget,
    reasons: Reasons,
}

impl<'a> RequestConditions<'a> {
    pub fn new(
        conditions: &'a HashMap<ConditionId, Arc<CompiledCondition>>,
        context: Option<&'a Object>,
        now: Timestamp,
    ) -> Self {
        let attributes = Attributes { context, ..Attributes::at(now) };
        Self { conditions, attributes, budget: Budget::default(), reasons: Reasons::default() }
    }

    /// The next question may be about other attributes.
    pub fn forget_reasons(&mut self) {
        self.reasons.clear();
    }

    /// The reasons since they were taken or forgotten.
    pub fn take_reasons(&mut self) -> Reasons {
        std::mem::take(&mut self.reasons)
    }

    /// From now on, conditions read these attributes.
    pub fn read(&mut self, attributes: &'a RequestAttributes) {
        self.attributes = attributes.at(self.attributes.now);
    }

    /// Whether the condition holds for a tuple with this context.
    pub fn evaluate(&mut self, condition: ConditionId, tuple: Option<&str>) -> Result<bool, ConditionError> {
        let compiled = self.conditions.get(&condition).ok_or(ConditionError::Undeclared)?;
        let tuple = tuple.filter(|_| compiled.reads_tuple()).map(|text| self.context(text)).transpose()?;
        self.budget.evaluate(compiled, &Attributes { tuple: tuple.as_ref(), ..self.attributes })
    }
}

impl RequestConditions<'_> {
    /// A context that cannot be read is not an absent one, for which a condition may hold.
    fn context(&mut self, text: &str) -> Result<Object, ConditionError> {
        self.budget.read(text)?;
        let value = serde_json::from_str(text).ok();
        let object = value.and_then(|value| Object::new(Root::Tuple, value).ok());
        object.ok_or_else(|| ConditionError::Missing("a context of the tuple that can be read".to_owned()))
    }
}

impl Conditions for RequestConditions<'_> {
    fn begin(&mut self) {
        self.budget = Budget::default();
    }

    fn holds(&mut self, condition: ConditionId, context: Option<&str>) -> Result<bool, ConditionFailed> {
        self.evaluate(condition, context).map_err(|error| {
            // A list may meet the same condition at every candidate.
            self.reasons.entry(condition).or_insert_with(|| error.to_string());
            ConditionFailed
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn conditions(text: &str) -> HashMap<ConditionId, Arc<CompiledCondition>> {
        HashMap::from([(ConditionId(1), Arc::new(CompiledCondition::compile("it", text).unwrap()))])
    }

    #[test]
    fn a_context_that_cannot_be_read_is_not_an_absent_one() {
        let conditions = conditions("!has(tuple.until) || now < timestamp(tuple.until)");
        let mut of_request = RequestConditions::new(&conditions, None, Timestamp::EPOCH);
        let deep = format!("{{\"until\":\"1960-01-01T00:00:00Z\",\"more\":{}1{}}}", "[".repeat(20), "]".repeat(20));
        for unreadable in [deep.as_str(), "[]", "{", ""] {
            assert_eq!(of_request.holds(ConditionId(1), Some(unreadable)), Err(ConditionFailed), "{unreadable}");
        }
        assert_eq!(of_request.holds(ConditionId(1), None), Ok(true));
        assert_eq!(of_request.holds(ConditionId(1), Some("{\"until\":\"1960-01-01T00:00:00Z\"}")), Ok(false));
    }

    #[test]
    fn the_reasons_of_conditions_without_a_result_are_kept_until_they_are_taken() {
        let conditions = conditions("context.hour > tuple.from");
        let context = Object::new(Root::Context, json!({ "hour": 9 })).unwrap();
        let mut of_request = RequestConditions::new(&conditions, Some(&context), Timestamp::EPOCH);
        assert_eq!(of_request.holds(ConditionId(1), Some("{\"from\":8}")), Ok(true));
        assert_eq!(of_request.holds(ConditionId(1), None), Err(ConditionFailed));
        assert_eq!(of_request.holds(ConditionId(2), None), Err(ConditionFailed));
        let reasons = of_request.take_reasons();
        assert_eq!(reasons[&ConditionId(1)], "tuple.from is missing");
        assert!(reasons[&ConditionId(2)].starts_with("the model has no such condition"));
        assert!(of_request.take_reasons().is_empty());
    }

    #[test]
    fn the_evaluations_of_a_check_share_a_budget_and_each_check_has_one() {
        let conditions = conditions("context.text.contains('a') && context.text == context.text");
        let context = Object::new(Root::Context, json!({ "text": "a".repeat(15_000) })).unwrap();
        let mut of_request = RequestConditions::new(&conditions, Some(&context), Timestamp::EPOCH);
        for _ in 0..2 {
            of_request.begin();
            let failed = (0..2_000).position(|_| of_request.holds(ConditionId(1), None).is_err());
            assert!(failed.is_some_and(|failed| failed > 10), "{failed:?}");
        }
        // A context that the condition does not read costs nothing.
        let cheap = self::conditions("true");
        let mut of_request = RequestConditions::new(&cheap, None, Timestamp::EPOCH);
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(4_000));
        assert!((0..5_000).all(|_| of_request.holds(ConditionId(1), Some(&large)) == Ok(true)));
    }
}
