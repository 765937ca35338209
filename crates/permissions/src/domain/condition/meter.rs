//! Results of an evaluation, and the work that it may still do.
//!
//! Invariant: the charges of one meter are at most [`MAX_COST`].

use super::value::Value;
use super::{ConditionError, MAX_COST};

pub(super) type Evaluated<'a> = Result<Value<'a>, ConditionError>;

pub(super) struct Meter {
    left: u32,
}

impl Meter {
    pub(super) const fn full() -> Self {
        Self { left: MAX_COST }
    }

    pub(super) const fn used(&self) -> u32 {
        MAX_COST - self.left
    }

    pub(super) fn charge(&mut self, cost: usize) -> Result<(), ConditionError> {
        let left = u32::try_from(cost).ok().and_then(|cost| self.left.checked_sub(cost));
        self.left = left.ok_or(ConditionError::TooExpensive)?;
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
