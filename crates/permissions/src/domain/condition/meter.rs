//! Results of an evaluation, and the work that it may still do.
//!
//! Invariant: the charges of one meter are at most its limit, which is [`MAX_COST`] or what is left of the check.

use super::value::Value;
use super::{ConditionError, MAX_COST};

pub(super) type Evaluated<'a> = Result<Value<'a>, ConditionError>;

pub(super) struct Meter {
    limit: u32,
    left: u32,
}

impl Meter {
    /// For one evaluation of a check that may use `left` more steps.
    pub(super) fn within(left: u32) -> Self {
        let limit = left.min(MAX_COST);
        Self { limit, left: limit }
    }

    pub(super) const fn used(&self) -> u32 {
        self.limit - self.left
    }

    pub(super) fn charge(&mut self, cost: usize) -> Result<(), ConditionError> {
        let left = u32::try_from(cost).ok().and_then(|cost| self.left.checked_sub(cost));
        let Some(left) = left else {
            // What is refused was not done, but the next evaluation of the check may not begin with it.
            self.left = 0;
            return Err(ConditionError::TooExpensive);
        };
        self.left = left;
        Ok(())
    }

    /// Reading or copying a text: one step for eight bytes.
    pub(super) fn charge_bytes(&mut self, bytes: usize) -> Result<(), ConditionError> {
        self.charge(bytes / 8)
    }
}

/// A type error of the operation at an offset of the expression.
pub(super) const fn type_error(at: usize, message: String) -> ConditionError {
    ConditionError::Type { at, message }
}
