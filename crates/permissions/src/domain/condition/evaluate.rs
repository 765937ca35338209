//! Evaluates a condition.
//!
//! Specification: the CEL language definition, section "Evaluation".
//!
//! Invariants:
//! - Each step is charged before it is done, in proportion to its work and to the memory that it takes, so an evaluation stays
//!   below [`MAX_COST`](super::MAX_COST) whatever the expression and the attributes are.
//! - `&&`, `||`, `all` and `exists` ignore the error of a term when another one decides. Otherwise a missing attribute takes
//!   precedence over other errors, because with it the condition might have had a result.

use std::cmp::Ordering;
use std::rc::Rc;

use super::attributes::Attributes;
use super::expression::{Expression, Macro, Node, Operator, Pattern};
use super::meter::{Evaluated, Meter, type_error};
use super::value::Value;
use super::{ConditionError, arithmetic, calls};

/// `left` are the steps that the check may still use; those of this evaluation are taken from them, also if it fails.
pub(super) fn evaluate(
    expression: &Expression,
    attributes: &Attributes<'_>,
    left: &mut u32,
) -> Result<bool, ConditionError> {
    let mut evaluator = Evaluator { attributes, meter: Meter::within(*left), variables: Vec::new() };
    let outcome = evaluator.value(expression);
    *left -= evaluator.meter.used();
    match outcome? {
        Value::Bool(result) => Ok(result),
        other => Err(ConditionError::NotABool(other.kind())),
    }
}

/// The type of the value of an expression that reads no attribute.
pub(super) fn constant(expression: &Expression, left: &mut u32) -> Result<&'static str, ConditionError> {
    let attributes = Attributes::at(base::Timestamp::EPOCH);
    let mut evaluator = Evaluator { attributes: &attributes, meter: Meter::within(*left), variables: Vec::new() };
    let outcome = evaluator.value(expression).map(|value| value.kind());
    *left -= evaluator.meter.used();
    outcome
}

struct Evaluator<'a> {
    attributes: &'a Attributes<'a>,
    meter: Meter,
    variables: Vec<Value<'a>>,
}

impl<'a> Evaluator<'a> {
    fn value(&mut self, expression: &'a Expression) -> Evaluated<'a> {
        self.meter.charge(1)?;
        let at = expression.at;
        match &expression.node {
            Node::Null => Ok(Value::Null),
            Node::Bool(value) => Ok(Value::Bool(*value)),
            Node::Int(value) => Ok(Value::Int(*value)),
            Node::Uint(value) => Ok(Value::Uint(*value)),
            Node::Double(value) => Ok(Value::Double(*value)),
            Node::Text(text) => Ok(Value::text(text)),
            Node::Root(root) => Ok(Value::Object(self.attributes.root(*root))),
            Node::Now => Ok(Value::Timestamp(self.attributes.now)),
            Node::Variable { index, .. } => Ok(self.variables.get(*index).cloned().unwrap_or(Value::Null)),
            Node::List(elements) => {
                let values = elements.iter().map(|it| self.value(it)).collect::<Result<Vec<_>, _>>()?;
                Ok(Value::List(Rc::new(values)))
            }
            Node::Field(operand, name) => {
                let object = self.value(operand)?;
                self.meter.charge_bytes(name.len())?;
                member(&object, operand, name)?.ok_or_else(|| missing(expression))
            }
            Node::Has(operand, name) => {
                let object = self.value(operand)?;
                self.meter.charge_bytes(name.len())?;
                Ok(Value::Bool(member(&object, operand, name)?.is_some()))
            }
            Node::Index(operand, index) => self.index(expression, operand, index),
            Node::Not(operand) => Ok(Value::Bool(!self.boolean(operand)?)),
            Node::Negate(operand) => arithmetic::negate(at, &self.value(operand)?),
            Node::All(terms) => self.terms(terms, false),
            Node::Any(terms) => self.terms(terms, true),
            Node::Conditional(parts) => {
                let [condition, yes, no] = parts.as_ref();
                if self.boolean(condition)? { self.value(yes) } else { self.value(no) }
            }
            Node::Binary(operator, operands) => {
                let [left, right] = operands.as_ref();
                let (left, right) = (self.value(left)?, self.value(right)?);
                self.binary(at, *operator, &left, &right)
            }
            Node::Call(function, arguments) => {
                let values = arguments.iter().map(|it| self.value(it)).collect::<Result<Vec<_>, _>>()?;
                calls::call(&mut self.meter, at, *function, &values)
            }
            Node::Matches(operand, pattern) => self.matches(at, operand, pattern),
            Node::Macro(kind, parts) => {
                let [range, body] = parts.as_ref();
                self.elements(*kind, range, body)
            }
        }
    }

    fn matches(&mut self, at: usize, operand: &'a Expression, pattern: &Pattern) -> Evaluated<'a> {
        match self.value(operand)? {
            Value::Text(text) => {
                self.meter.charge(text.as_str().len().saturating_mul(pattern.weight))?;
                Ok(Value::Bool(pattern.regex.is_match(text.as_str())))
            }
            other => {
                Err(type_error(at, format!("`matches` searches a string, not a value of the type {}", other.kind())))
            }
        }
    }

    fn boolean(&mut self, expression: &'a Expression) -> Result<bool, ConditionError> {
        match self.value(expression)? {
            Value::Bool(value) => Ok(value),
            other => {
                Err(type_error(expression.at, format!("expected a bool, found a value of the type {}", other.kind())))
            }
        }
    }

    /// `decisive` as soon as a term has that value.
    fn terms(&mut self, terms: &'a [Expression], decisive: bool) -> Evaluated<'a> {
        let mut outcome = Outcome::new(decisive);
        for term in terms {
            if outcome.is_decided_by(self.boolean(term))? {
                break;
            }
        }
        outcome.finish()
    }

    fn index(&mut self, expression: &'a Expression, operand: &'a Expression, index: &'a Expression) -> Evaluated<'a> {
        let (container, index) = (self.value(operand)?, self.value(index)?);
        let found = match (&container, &index) {
            (Value::Object(members), Value::Text(name)) => {
                self.meter.charge_bytes(name.as_str().len())?;
                members.get(name.as_str()).map(Value::of)
            }
            (Value::Array(_) | Value::List(_), Value::Int(index)) => {
                usize::try_from(*index).ok().and_then(|index| container.element(index))
            }
            (Value::Array(_) | Value::List(_), Value::Uint(index)) => {
                usize::try_from(*index).ok().and_then(|index| container.element(index))
            }
            _ => {
                let message =
                    format!("a value of the type {} has no index of the type {}", container.kind(), index.kind());
                return Err(type_error(expression.at, message));
            }
        };
        found.ok_or_else(|| missing(expression))
    }

    fn binary(&mut self, at: usize, operator: Operator, left: &Value<'a>, right: &Value<'a>) -> Evaluated<'a> {
        let is: fn(Ordering) -> bool = match operator {
            Operator::Equal => return Ok(Value::Bool(self.equal(left, right)?)),
            Operator::NotEqual => return Ok(Value::Bool(!self.equal(left, right)?)),
            Operator::In => return self.contains(at, left, right),
            Operator::Less => Ordering::is_lt,
            Operator::LessOrEqual => Ordering::is_le,
            Operator::Greater => Ordering::is_gt,
            Operator::GreaterOrEqual => Ordering::is_ge,
            Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder => {
                return arithmetic::binary(&mut self.meter, at, operator, left, right);
            }
        };
        self.charge_comparison(left, right)?;
        let order = left.order(right).map_err(|_| arithmetic::no_operator(at, operator, left, right))?;
        let order = order.ok_or_else(|| arithmetic::value_error(at, "NaN has no order"))?;
        Ok(Value::Bool(is(order)))
    }

    fn contains(&mut self, at: usize, element: &Value<'a>, container: &Value<'a>) -> Evaluated<'a> {
        if let Value::Object(members) = container {
            return match element {
                Value::Text(name) => {
                    self.meter.charge_bytes(name.as_str().len())?;
                    Ok(Value::Bool(members.contains_key(name.as_str())))
                }
                // CEL has maps with such keys, but those of attributes are strings.
                Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Double(_) => Ok(Value::Bool(false)),
                _ => Err(arithmetic::no_operator(at, Operator::In, element, container)),
            };
        }
        let Some(length) = container.length() else {
            return Err(arithmetic::no_operator(at, Operator::In, element, container));
        };
        for index in 0..length {
            if let Some(other) = container.element(index)
                && self.equal(element, &other)?
            {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }

    fn charge_comparison(&mut self, left: &Value<'_>, right: &Value<'_>) -> Result<(), ConditionError> {
        if let (Value::Text(left), Value::Text(right)) = (left, right) {
            self.meter.charge_bytes(left.as_str().len().min(right.as_str().len()))?;
        }
        Ok(())
    }

    /// Values of different types are not equal, except numbers.
    fn equal(&mut self, left: &Value<'_>, right: &Value<'_>) -> Result<bool, ConditionError> {
        self.meter.charge(1)?;
        self.charge_comparison(left, right)?;
        if let (Some(length), Some(other)) = (left.length(), right.length()) {
            if length != other {
                return Ok(false);
            }
            for index in 0..length {
                if let (Some(left), Some(right)) = (left.element(index), right.element(index))
                    && !self.equal(&left, &right)?
                {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        match (left, right) {
            (Value::Null, Value::Null) => Ok(true),
            (Value::Object(left), Value::Object(right)) => {
                if left.len() != right.len() {
                    return Ok(false);
                }
                for (name, value) in *left {
                    self.meter.charge_bytes(name.len())?;
                    match right.get(name) {
                        Some(other) if self.equal(&Value::of(value), &Value::of(other))? => {}
                        _ => return Ok(false),
                    }
                }
                Ok(true)
            }
            _ => Ok(matches!(left.order(right), Ok(Some(Ordering::Equal)))),
        }
    }

    fn elements(&mut self, kind: Macro, range: &'a Expression, body: &'a Expression) -> Evaluated<'a> {
        let range = self.range(range)?;
        let mut outcome = Outcome::new(kind == Macro::Exists);
        let mut accepted = 0_usize;
        let mut list = Vec::new();
        for index in 0..range.length().unwrap_or(0) {
            let Some(element) = range.element(index) else { break };
            self.meter.charge(1)?;
            match kind {
                Macro::All | Macro::Exists => {
                    if outcome.is_decided_by(self.with_variable(element, |this| this.boolean(body)))? {
                        break;
                    }
                }
                Macro::ExistsOne => accepted += usize::from(self.with_variable(element, |this| this.boolean(body))?),
                Macro::Filter => {
                    if self.with_variable(element.clone(), |this| this.boolean(body))? {
                        list.push(element);
                    }
                }
                Macro::Map => list.push(self.with_variable(element, |this| this.value(body))?),
            }
        }
        match kind {
            Macro::All | Macro::Exists => outcome.finish(),
            Macro::ExistsOne => Ok(Value::Bool(accepted == 1)),
            Macro::Filter | Macro::Map => Ok(Value::List(Rc::new(list))),
        }
    }

    fn with_variable<T>(&mut self, value: Value<'a>, run: impl FnOnce(&mut Self) -> T) -> T {
        self.variables.push(value);
        let result = run(self);
        self.variables.pop();
        result
    }

    /// The list that a macro runs over: the elements of a list, or the names of an object in their order.
    fn range(&mut self, range: &'a Expression) -> Evaluated<'a> {
        match self.value(range)? {
            Value::Object(members) => {
                self.meter.charge(4 * members.len())?;
                let mut names = members.keys().map(String::as_str).collect::<Vec<_>>();
                // The order in which a client sends them must not matter.
                names.sort_unstable();
                Ok(Value::List(Rc::new(names.into_iter().map(Value::text).collect())))
            }
            list @ (Value::Array(_) | Value::List(_)) => Ok(list),
            other => Err(type_error(range.at, format!("a value of the type {} has no elements", other.kind()))),
        }
    }
}

/// The result of terms of which one can decide.
struct Outcome {
    decisive: bool,
    decided: bool,
    error: Option<ConditionError>,
}

impl Outcome {
    const fn new(decisive: bool) -> Self {
        Self { decisive, decided: false, error: None }
    }

    /// Only an exhausted budget ends the evaluation at once.
    fn is_decided_by(&mut self, term: Result<bool, ConditionError>) -> Result<bool, ConditionError> {
        match term {
            Ok(value) => self.decided = value == self.decisive,
            Err(ConditionError::TooExpensive) => return Err(ConditionError::TooExpensive),
            Err(error) => {
                let is_missing = |error: &ConditionError| matches!(error, ConditionError::Missing(_));
                if self.error.as_ref().is_none_or(|first| is_missing(&error) && !is_missing(first)) {
                    self.error = Some(error);
                }
            }
        }
        Ok(self.decided)
    }

    fn finish<'a>(self) -> Evaluated<'a> {
        match self.error {
            Some(error) if !self.decided => Err(error),
            _ => Ok(Value::Bool(self.decided == self.decisive)),
        }
    }
}

/// The member of an object, if it has it.
fn member<'a>(object: &Value<'a>, operand: &Expression, name: &str) -> Result<Option<Value<'a>>, ConditionError> {
    match object {
        Value::Object(members) => Ok(members.get(name).map(Value::of)),
        other => {
            let message = format!("{} is of the type {} and has no `{name}`", operand.path(), other.kind());
            Err(type_error(operand.at, message))
        }
    }
}

fn missing(expression: &Expression) -> ConditionError {
    ConditionError::Missing(expression.path())
}
