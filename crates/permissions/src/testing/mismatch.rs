//! What a comparison found wrong, as a sentence, and the macros that report it.

use std::fmt;

/// Two answers differ, or a test is not set up well.
pub struct Mismatch(pub String);

impl fmt::Debug for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Mismatch {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl Mismatch {
    /// Says where it was found.
    #[must_use]
    pub fn at(self, place: impl fmt::Display) -> Self {
        Self(format!("{place}: {}", self.0))
    }
}

macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::testing::mismatch::Mismatch(format!($($message)+)));
        }
    };
}

macro_rules! bail {
    ($($message:tt)+) => {
        return Err($crate::testing::mismatch::Mismatch(format!($($message)+)))
    };
}

pub(super) use {bail, ensure};
