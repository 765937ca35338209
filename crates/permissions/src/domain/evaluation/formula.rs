//! Intersections, exclusions and conditions, evaluated by recursion.
//!
//! Tuples may lead from a formula back to itself. Such a reference is answered "no" for the moment, and the answer notes the
//! lowest open formula that it depends on. That is the least fixed point: a proof of membership never needs itself. The "no"
//! is final once the formula that it depends on is "no" as well. It is never negated before: that is a failure.

use super::check::Evaluator;
use super::limits::Failure;
use super::outcome::{NONE, Others, Outcome, Value};
use super::relations::{Conditions, Relations};
use super::scratch::{Assumed, Deferred, Key, Known, Open};
use crate::domain::ids::Userset;
use crate::domain::schema::Operand;

/// How many formulas and operands may be open at a time. It bounds the native stack.
const MAX_LEVELS: u32 = 400;
impl<R: Relations, C: Conditions> Evaluator<'_, R, C> {
    /// Evaluates what a union put off, and remembers the answer.
    pub(super) fn deferred(&mut self, deferred: Deferred) -> Outcome {
        let outcome = self.evaluate(deferred.key, deferred.depth);
        match deferred.failure {
            None => outcome,
            Some(failure) => uncertain(outcome, failure),
        }
    }

    fn evaluate(&mut self, key: Key, depth: u16) -> Outcome {
        let known = self.scratch.known(key, depth);
        if let Some(value @ (Value::Yes | Value::No)) = known {
            return Outcome::of(value);
        }
        let is_open = self.scratch.open.iter().position(|open| open.key == key);
        let low = is_open.and_then(|index| u32::try_from(index).ok()).or_else(|| self.scratch.assumed(key, depth));
        if let Some(low) = low {
            self.scratch.open[low as usize].was_assumed = true;
            return Outcome { value: Value::No, low };
        }
        // A failure was found where the formula was not open. Inside of it, the failure would depend on what was evaluated before.
        if let Some(value) = known {
            return Outcome::of(value);
        }
        if self.levels >= MAX_LEVELS {
            return Outcome::failed(Failure::NestingExhausted);
        }
        let index = self.open(key);
        self.levels += 1;
        let outcome = match key {
            Key::Formula(id, object) => match self.schema.formula(id) {
                Some(operand) => self.operand(operand, object, depth),
                None => Outcome::of(Value::No),
            },
            Key::Uncertain(userset) | Key::Userset(userset) => self.members_of(userset, depth),
        };
        self.levels -= 1;
        self.close(index, outcome, depth)
    }

    fn open(&mut self, key: Key) -> u32 {
        let index = u32::try_from(self.scratch.open.len()).unwrap_or(NONE);
        self.scratch.next_serial += 1;
        self.scratch.open.push(Open { key, serial: self.scratch.next_serial, was_assumed: false });
        index
    }

    fn close(&mut self, index: u32, mut outcome: Outcome, depth: u16) -> Outcome {
        let Some(open) = self.scratch.open.pop() else { return outcome };
        let was_assumed = open.was_assumed || self.scratch.assumed.contains_key(&open.key);
        if was_assumed && outcome.value != Value::No {
            self.scratch.refuted += 1;
        }
        if outcome.low >= index {
            // It depends on nothing but itself.
            outcome.low = NONE;
        }
        self.remember(open.key, outcome, depth);
        outcome
    }

    pub(super) fn remember(&mut self, key: Key, outcome: Outcome, depth: u16) {
        match outcome.value {
            Value::Pending | Value::Failed(Failure::StepsExhausted | Failure::NestingExhausted) => {}
            value if outcome.low == NONE => {
                self.scratch.answers.insert(key, Known { value, depth });
            }
            Value::No => {
                let low = outcome.low;
                if let Some(serial) = self.scratch.open.get(low as usize).map(|open| open.serial) {
                    let assumed = Assumed { serial, low, refuted: self.scratch.refuted, depth };
                    self.scratch.assumed.insert(key, assumed);
                }
            }
            Value::Yes | Value::Failed(_) => {}
        }
    }

    pub(super) fn operand(&mut self, operand: &Operand, object: Userset, depth: u16) -> Outcome {
        if !self.step() {
            return Outcome::failed(Failure::StepsExhausted);
        }
        if self.levels >= MAX_LEVELS {
            return Outcome::failed(Failure::NestingExhausted);
        }
        self.levels += 1;
        let outcome = match operand {
            Operand::Has(relation) => self.members_of(object.with_relation(*relation), depth),
            Operand::Union(alternatives) => self.union(alternatives, object, depth),
            Operand::All(operands) => self.all(operands, object, depth),
            Operand::Not(inner) => negated(self.operand(inner, object, depth)),
            Operand::Meets(condition) => Outcome::of(self.meets(*condition)),
        };
        self.levels -= 1;
        outcome
    }

    /// Ends early only with a final "no", because another operand may make a "no" final that depends on an open formula.
    fn all(&mut self, operands: &[Operand], object: Userset, depth: u16) -> Outcome {
        let mut others = Others::default();
        let mut no: Option<u32> = None;
        for operand in operands {
            let outcome = self.operand(operand, object, depth);
            match outcome.value {
                Value::No if outcome.low == NONE => return outcome,
                Value::No => no = Some(no.map_or(outcome.low, |low| low.max(outcome.low))),
                Value::Failed(Failure::StepsExhausted) => return outcome,
                Value::Yes => {}
                Value::Failed(_) | Value::Pending => others.add(outcome),
            }
        }
        match no {
            // What is pending may turn out to be a final "no".
            Some(low) if !others.is_pending() => Outcome { value: Value::No, low },
            _ => match others.outcome() {
                Outcome { value: Value::No, .. } => Outcome::YES,
                other => other,
            },
        }
    }
}

fn negated(outcome: Outcome) -> Outcome {
    match outcome.value {
        Value::Yes => Outcome::of(Value::No),
        Value::No if outcome.low == NONE => Outcome::YES,
        Value::No => Outcome { value: Value::Failed(Failure::DependsOnOwnNegation), low: outcome.low },
        Value::Failed(_) | Value::Pending => outcome,
    }
}

/// The members of a subject set whose tuple may not count.
fn uncertain(members: Outcome, failure: Failure) -> Outcome {
    match members.value {
        Value::Yes => Outcome::failed(failure),
        Value::Failed(other) => Outcome { value: Value::Failed(other.min(failure)), low: members.low },
        Value::No | Value::Pending => members,
    }
}
