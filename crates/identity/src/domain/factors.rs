//! How many factors a credential counts for. Assurance counts factors, not methods.

/// How many ways to prove a factor a credential provides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Factors {
    /// Ways to sign in by this credential alone.
    pub first: usize,
    /// Ways to prove a second, different factor.
    pub second: usize,
}

impl Factors {
    pub const fn first(count: usize) -> Self {
        Self { first: count, second: 0 }
    }

    pub const fn second(count: usize) -> Self {
        Self { first: 0, second: count }
    }
}

/// The configuration that determines whether a credential counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FactorRules {
    pub code_is_first_factor: bool,
    pub code_is_second_factor: bool,
    pub password_migration_hook: bool,
}
