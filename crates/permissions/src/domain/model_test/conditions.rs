//! The conditions of a model over the attributes of one test.
//!
//! Invariants: a condition that the model does not declare, or whose attributes are missing or too large, has no result; the
//! reason is kept for an explanation.

use std::collections::HashMap;

use crate::domain::condition::{Attributes, CompiledCondition, Object, Root, evaluate};
use crate::domain::evaluation::{ConditionFailed, Conditions};
use crate::domain::ids::ConditionId;
use crate::domain::symbols::Symbols;

pub(super) struct ExplainedConditions<'a> {
    by_id: HashMap<ConditionId, &'a CompiledCondition>,
    attributes: Attributes<'a>,
    reasons: HashMap<ConditionId, String>,
}

impl<'a> ExplainedConditions<'a> {
    /// `symbols` are those that the schema was compiled with.
    pub(super) fn new(conditions: &'a [CompiledCondition], symbols: &Symbols, attributes: Attributes<'a>) -> Self {
        let by_id = conditions.iter().filter_map(|it| Some((symbols.condition(it.name())?, it)));
        Self { by_id: by_id.collect(), attributes, reasons: HashMap::new() }
    }

    /// Why conditions have no result: the last reason of each.
    pub(super) fn into_reasons(self) -> HashMap<ConditionId, String> {
        self.reasons
    }

    fn evaluate(&self, id: ConditionId, context: Option<&str>) -> Result<bool, String> {
        let condition = self.by_id.get(&id).ok_or_else(|| "the model does not declare it".to_owned())?;
        let tuple = context.map(object_of).transpose()?;
        let attributes = Attributes { tuple: tuple.as_ref(), ..self.attributes };
        evaluate(condition, &attributes).map_err(|error| error.to_string())
    }
}

fn object_of(context: &str) -> Result<Object, String> {
    let value = serde_json::from_str(context).map_err(|_| "the context of the tuple is not JSON".to_owned())?;
    Object::new(Root::Tuple, value).map_err(|error| error.to_string())
}

impl Conditions for ExplainedConditions<'_> {
    fn holds(&mut self, condition: ConditionId, context: Option<&str>) -> Result<bool, ConditionFailed> {
        self.evaluate(condition, context).map_err(|reason| {
            self.reasons.insert(condition, reason);
            ConditionFailed
        })
    }
}

#[cfg(test)]
mod tests {
    use base::Timestamp;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_condition_without_a_result_says_why() {
        let late = CompiledCondition::compile("late", "context.hour > tuple.from").unwrap();
        let mut symbols = Symbols::default();
        let [declared, undeclared] = ["late", "other"].map(|name| symbols.intern_condition(name).unwrap());
        let context = Object::new(Root::Context, json!({"hour": 20})).unwrap();
        let attributes = Attributes { context: Some(&context), ..Attributes::at(Timestamp::EPOCH) };
        let conditions = [late];
        let mut of_request = ExplainedConditions::new(&conditions, &symbols, attributes);
        assert_eq!(of_request.holds(declared, Some(r#"{"from": 19}"#)), Ok(true));
        assert_eq!(of_request.holds(declared, Some(r#"{"from": 21}"#)), Ok(false));
        assert_eq!(of_request.holds(declared, None), Err(ConditionFailed));
        assert_eq!(of_request.holds(undeclared, None), Err(ConditionFailed));
        let reasons = of_request.into_reasons();
        assert_eq!(reasons[&declared], "tuple.from is missing");
        assert_eq!(reasons[&undeclared], "the model does not declare it");
    }
}
