//! Answers while they are combined.

use super::limits::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Yes,
    No,
    Failed(Failure),
    Pending,
}

/// The answer depends on no open formula.
pub(super) const NONE: u32 = u32::MAX;

/// An answer that may depend on open formulas. A "yes" never does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) value: Value,
    /// The lowest open formula that was assumed to be "no".
    pub(super) low: u32,
}

impl Outcome {
    pub(super) const YES: Self = Self::of(Value::Yes);

    pub(super) const fn of(value: Value) -> Self {
        Self { value, low: NONE }
    }

    pub(super) const fn failed(failure: Failure) -> Self {
        Self::of(Value::Failed(failure))
    }
}

/// The alternatives of a union that are not "yes".
#[derive(Clone, Copy, Debug)]
pub(super) struct Others {
    failure: Option<Failure>,
    is_pending: bool,
    low: u32,
}

impl Default for Others {
    fn default() -> Self {
        Self { failure: None, is_pending: false, low: NONE }
    }
}

impl Others {
    pub(super) fn fail(&mut self, failure: Failure) {
        self.failure = Some(self.failure.map_or(failure, |other| other.min(failure)));
    }

    pub(super) fn pending(&mut self) {
        self.is_pending = true;
    }

    pub(super) fn is_pending(&self) -> bool {
        self.is_pending
    }

    pub(super) fn add(&mut self, outcome: Outcome) {
        match outcome.value {
            Value::Yes | Value::No => {}
            Value::Failed(failure) => self.fail(failure),
            Value::Pending => self.is_pending = true,
        }
        self.low = self.low.min(outcome.low);
    }

    /// The answer of a union none of whose alternatives is "yes".
    pub(super) fn outcome(self) -> Outcome {
        let value = match self.failure {
            _ if self.is_pending => Value::Pending,
            Some(failure) => Value::Failed(failure),
            None => Value::No,
        };
        Outcome { value, low: self.low }
    }
}
