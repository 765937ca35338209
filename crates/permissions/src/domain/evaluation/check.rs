//! The evaluator, and the question that most requests ask: is a subject a member of a userset?

use std::task::Poll;

use base::Timestamp;

use super::limits::{Failure, Limits};
use super::outcome::Value;
use super::relations::{Conditions, Relations, Terms};
use super::scratch::Scratch;
use crate::domain::ids::{ConditionId, SubjectNumber, Userset};
use crate::domain::schema::Schema;

/// Answers the questions of one request. Answers about one subject are remembered until another subject is asked about, so
/// questions about the same subject belong together.
pub struct Evaluator<'a, R, C> {
    pub(super) schema: &'a Schema,
    pub(super) relations: &'a mut R,
    pub(super) conditions: &'a mut C,
    pub(super) limits: Limits,
    pub(super) now: Timestamp,
    pub(super) subject: SubjectNumber,
    pub(super) steps: u32,
    /// The formulas and operands that are being evaluated.
    pub(super) levels: u32,
    /// Answers outside of formulas are remembered as well.
    pub(super) remembers: bool,
    pub(super) scratch: &'a mut Scratch,
}

/// What an evaluator works with.
pub struct EvaluatorParts<'a, R, C> {
    pub schema: &'a Schema,
    pub relations: &'a mut R,
    pub conditions: &'a mut C,
    pub scratch: &'a mut Scratch,
    pub limits: Limits,
    pub now: Timestamp,
}

/// No subject has these bits, because the number 0 is never assigned.
const NOBODY: SubjectNumber = Userset::from_bits(0);

impl<'a, R: Relations, C: Conditions> Evaluator<'a, R, C> {
    pub fn new(parts: EvaluatorParts<'a, R, C>) -> Self {
        let EvaluatorParts { schema, relations, conditions, scratch, limits, now } = parts;
        scratch.reset();
        Self {
            schema,
            relations,
            conditions,
            limits,
            now,
            subject: NOBODY,
            steps: limits.steps,
            levels: 0,
            remembers: false,
            scratch,
        }
    }

    /// For several questions about one subject: remembers everything that was found out.
    pub fn remember_answers(&mut self) {
        self.remembers = true;
    }

    /// Whether the subject is a member of the userset.
    ///
    /// Each call may use all steps of the limits.
    pub fn check(&mut self, userset: Userset, subject: SubjectNumber) -> Poll<Result<bool, Failure>> {
        self.steps = self.limits.steps;
        self.conditions.begin();
        match self.ask(userset, subject) {
            Value::Yes => Poll::Ready(Ok(true)),
            Value::No => Poll::Ready(Ok(false)),
            Value::Failed(failure) => Poll::Ready(Err(failure)),
            Value::Pending => Poll::Pending,
        }
    }

    /// A check within the steps that are left.
    pub(super) fn ask(&mut self, userset: Userset, subject: SubjectNumber) -> Value {
        if subject != self.subject {
            self.scratch.reset();
            self.subject = subject;
        }
        self.levels = 0;
        self.members_of(userset, self.limits.levels()).value
    }

    /// Begins a question that checks a subject many times.
    pub(super) fn ask_about(&mut self, subject: SubjectNumber) {
        if subject != self.subject {
            self.scratch.reset();
            self.subject = subject;
        }
        self.steps = self.limits.steps;
        self.remembers = true;
    }

    /// The conditions, for the caller to change their attributes. Forgets all answers, which may depend on them.
    pub fn conditions(&mut self) -> &mut C {
        self.scratch.reset();
        self.subject = NOBODY;
        self.conditions
    }

    /// The reader, for the caller to perform what is pending.
    pub fn relations(&mut self) -> &mut R {
        self.relations
    }

    /// `false`: the request has used all its steps.
    pub(super) fn step(&mut self) -> bool {
        match self.steps.checked_sub(1) {
            Some(left) => {
                self.steps = left;
                true
            }
            None => false,
        }
    }

    /// Whether a tuple counts now: no failure of a condition is an answer.
    pub(super) fn counts(&mut self, terms: &Terms) -> Value {
        if terms.is_always() {
            return Value::Yes;
        }
        if terms.is_expired(self.now) {
            return Value::No;
        }
        match terms.condition {
            None => Value::Yes,
            Some(condition) => {
                let context = terms.context.and_then(|id| self.relations.context(id));
                value_of(condition, self.conditions.holds(condition, context).ok())
            }
        }
    }

    pub(super) fn meets(&mut self, condition: ConditionId) -> Value {
        value_of(condition, self.conditions.holds(condition, None).ok())
    }
}

fn value_of(condition: ConditionId, holds: Option<bool>) -> Value {
    match holds {
        Some(true) => Value::Yes,
        Some(false) => Value::No,
        None => Value::Failed(Failure::Condition(condition)),
    }
}
